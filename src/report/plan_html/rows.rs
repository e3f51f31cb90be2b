//! The cells of an item in each table, escaped.

use crate::change::{ItemChange, ListedItem, Upcoming};
use crate::model::availability::Availability;
use crate::report::html::escape;
use crate::report::plan::{moment, money, moved};
use crate::report::text::{count, value};

pub(super) fn item_cell(id: &str, sku: &str, title: &str) -> String {
    let mut cell = format!("<code><b>{}</b></code>", escape(&value(id)));
    if sku != id && !sku.is_empty() {
        cell.push_str(&format!(
            " <span class=\"soft\">SKU</span> <code>{}</code>",
            escape(&value(sku))
        ));
    }
    if !title.is_empty() {
        cell.push_str(&format!(
            "<br><span class=\"soft\">{}</span>",
            escape(&value(title))
        ));
    }
    cell
}

pub(super) fn from_to(old: Option<&str>, new: Option<&str>) -> String {
    let side = |side: Option<&str>, class: &str| match side {
        None => "<span class=\"soft\">nothing</span>".to_owned(),
        Some("") => "<span class=\"soft\">empty</span>".to_owned(),
        Some(text) => format!("<span class=\"{class}\">{}</span>", escape(&value(text))),
    };
    format!("{} → {}", side(old, "old"), side(new, "new"))
}

pub(super) fn price_row(item: &ItemChange) -> Vec<String> {
    let Some(price) = &item.price else {
        return Vec::new();
    };
    let (old, new) = (money(price.old, ""), money(price.new, &item.currency));
    let stake = price.at_stake.map_or_else(
        || "stock unknown".to_owned(),
        |stake| money(stake, &item.currency),
    );
    vec![
        item_cell(&item.id, &item.sku, &item.title),
        from_to(Some(&old), Some(&new)),
        escape(&moved(price)),
        escape(&stake),
    ]
}

pub(super) fn stock_row(item: &ItemChange) -> Vec<String> {
    let units = item.stock.map_or(String::new(), |stock| {
        from_to(Some(&stock.old.to_string()), Some(&stock.new.to_string()))
    });
    let word = |availability: Option<Availability>| availability.map(Availability::as_str);
    vec![
        item_cell(&item.id, &item.sku, &item.title),
        units,
        from_to(word(item.availability_before), word(item.availability)),
        field_list(item),
    ]
}

pub(super) fn item_row(item: &ListedItem) -> Vec<String> {
    let price = item.price.as_deref().map_or(String::new(), |price| {
        escape(&format!("{} {}", value(price), value(&item.currency)))
    });
    vec![
        item_cell(&item.id, &item.sku, &item.title),
        price,
        item.quantity
            .map_or(String::new(), |units| units.to_string()),
        if item.id_changed {
            "the same product under another id".to_owned()
        } else {
            String::new()
        },
    ]
}

pub(super) fn change_row(item: &ItemChange) -> Vec<String> {
    vec![
        item_cell(&item.id, &item.sku, &item.title),
        field_list(item),
    ]
}

fn field_list(item: &ItemChange) -> String {
    let mut cell = String::new();
    for field in &item.fields {
        cell.push_str(&format!(
            "<p class=\"said\"><code>{}</code> {}</p>",
            escape(&value(&field.field)),
            from_to(field.old.as_deref(), field.new.as_deref())
        ));
    }
    if item.fields_more > 0 {
        cell.push_str(&format!(
            "<p class=\"said soft\">… and {}</p>",
            count(item.fields_more, "more field")
        ));
    }
    cell
}

pub(super) fn upcoming_row(upcoming: &Upcoming, zone: &jiff::tz::TimeZone) -> Vec<String> {
    vec![
        item_cell(&upcoming.id, &upcoming.sku, &upcoming.title),
        escape(&moment(upcoming.at, zone)),
        from_to(upcoming.price.as_deref(), Some(&upcoming.then)),
        escape(&value(&upcoming.currency)),
    ]
}
