//! A plan for programs: a `change` line an item, a `plan` line a feed.
//!
//! What is listed is bounded, the worst of each kind; the counts of the `plan` line are exact. Shares are fractions in
//! text (`"0.24"`), as are amounts: nothing is rounded through a float.

use serde_json::{Value, json};

use super::plan::PlannedFeed;
use crate::change::{ItemChange, ListedItem, Upcoming};
use crate::model::availability::Availability;

/// The lines of a feed: its changes, the most harmful first, and last the feed itself.
pub fn lines<'p>(planned: &'p PlannedFeed<'p>) -> impl Iterator<Item = Value> + 'p {
    let changes = planned.changes;
    let feed = planned.feed;
    let changed = changes.changed.items.iter();
    let changed = changed.map(move |item| changed_line(feed, item));
    let removed = changes.removed.items.iter();
    let removed = removed.map(move |item| item_line(feed, "removed", item));
    let added = changes.added.items.iter();
    let added = added.map(move |item| item_line(feed, "added", item));
    let upcoming = changes.upcoming.items.iter();
    let upcoming = upcoming.map(move |item| upcoming_line(feed, item));
    changed
        .chain(removed)
        .chain(added)
        .chain(upcoming)
        .chain(std::iter::once_with(move || plan(planned)))
}

fn word(availability: Option<Availability>) -> Value {
    availability.map_or(Value::Null, |availability| json!(availability.as_str()))
}

fn changed_line(feed: &str, item: &ItemChange) -> Value {
    let fields: Vec<Value> = item
        .fields
        .iter()
        .map(|field| json!({ "field": field.field, "old": field.old, "new": field.new }))
        .collect();
    let mut line = json!({
        "type": "change",
        "feed": feed,
        "change": "changed",
        "id": item.id,
        "sku": item.sku,
        "title": item.title,
        "currency": item.currency,
        "going_out_of_stock": item.going_out,
        "fields": fields,
        "fields_more": item.fields_more,
    });
    if let Some(price) = &item.price {
        line["price"] = json!({
            "old": price.old.to_string(),
            "new": price.new.to_string(),
            "share": price.share.map(|share| share.round_dp(6).normalize().to_string()),
            "at_stake": price.at_stake.map(|stake| stake.to_string()),
        });
    }
    if let Some(stock) = item.stock {
        line["stock"] = json!({ "old": stock.old, "new": stock.new });
    }
    if item.availability != item.availability_before {
        line["availability"] =
            json!({ "old": word(item.availability_before), "new": word(item.availability) });
    }
    line
}

fn item_line(feed: &str, change: &str, item: &ListedItem) -> Value {
    json!({
        "type": "change",
        "feed": feed,
        "change": change,
        "id": item.id,
        "sku": item.sku,
        "title": item.title,
        "currency": item.currency,
        "price": item.price,
        "quantity": item.quantity,
        "availability": word(item.availability),
        "id_changed": item.id_changed,
    })
}

fn upcoming_line(feed: &str, item: &Upcoming) -> Value {
    let at = jiff::Timestamp::from_second(item.at).map(|at| at.to_string());
    json!({
        "type": "change",
        "feed": feed,
        "change": "upcoming",
        "id": item.id,
        "sku": item.sku,
        "title": item.title,
        "currency": item.currency,
        "at": at.ok(),
        "price": { "old": item.price, "new": item.then },
    })
}

/// The line of a feed.
pub fn plan(planned: &PlannedFeed<'_>) -> Value {
    let changes = planned.changes;
    let counts = &changes.counts;
    let share = |share: Option<rust_decimal::Decimal>| {
        share.map(|share| share.round_dp(6).normalize().to_string())
    };
    let gates: Vec<Value> = planned
        .tripped
        .iter()
        .map(|tripped| {
            let items: Vec<Value> = tripped
                .items
                .iter()
                .map(|item| json!({ "id": item.id, "what": item.what }))
                .collect();
            json!({
                "gate": tripped.gate.as_str(),
                "allowed": planned.allowed.contains(&tripped.gate),
                "message": tripped.message,
                "count": tripped.count,
                "of": tripped.of,
                "share": share(tripped.share),
                "limit": share(tripped.limit),
                "items": items,
                "hint": tripped.hint,
            })
        })
        .collect();
    let fields: Vec<Value> = changes
        .fields
        .iter()
        .map(|group| {
            json!({
                "field": group.field, "items": group.items, "emptied": group.emptied, "filled": group.filled,
            })
        })
        .collect();
    let fill: Vec<Value> = changes
        .fill
        .iter()
        .map(|fill| json!({ "attribute": fill.attribute, "before": fill.before, "after": fill.after }))
        .collect();
    let before = changes.before.as_ref();
    json!({
        "type": "plan",
        "feed": planned.feed,
        "channel": planned.channel,
        "version": planned.published.map(|(version, _)| version),
        "exit": if planned.held() { 6 } else { 0 },
        "first": changes.first(),
        "nothing": changes.is_nothing(),
        "added": counts.added,
        "removed": counts.removed,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "ids_changed": counts.ids_changed,
        "price_moves": counts.price_moves,
        "at_stake": counts.at_stake.to_string(),
        "currency": changes.after.currency,
        "going_out_of_stock": counts.going_out,
        "stock_moves": counts.stock_moves,
        "upcoming": changes.upcoming.total,
        "document_changed": changes.document_changed,
        "items": changes.after.items,
        "items_before": before.map(|before| before.items),
        "bytes": changes.after.bytes,
        "bytes_before": before.map(|before| before.bytes),
        "gates": gates,
        "fields": fields,
        "fields_stride": changes.fields_stride,
        "fill": fill,
        "not_listed": changes.changed.more() + changes.removed.more() + changes.added.more() + changes.upcoming.more(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;
    use crate::change::testing::{NOW, compared, item, made};
    use crate::change::{Gate, judge};
    use crate::config::gate::GateLimits;

    /// The contract as a reader sees it: a field that is not named here is a decision to be made.
    #[derive(Debug, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is that it can be read")]
    enum Line {
        Change {
            feed: String,
            change: String,
            id: String,
            sku: String,
            title: String,
            currency: String,
            going_out_of_stock: Option<bool>,
            fields: Option<Vec<HashMap<String, Option<String>>>>,
            fields_more: Option<u64>,
            price: Option<Value>,
            stock: Option<HashMap<String, i64>>,
            quantity: Option<i64>,
            availability: Option<Value>,
            id_changed: Option<bool>,
            at: Option<String>,
        },
        Plan {
            feed: String,
            channel: String,
            version: Option<u64>,
            exit: u8,
            first: bool,
            nothing: bool,
            added: u64,
            removed: u64,
            changed: u64,
            unchanged: u64,
            ids_changed: u64,
            price_moves: u64,
            at_stake: String,
            currency: String,
            going_out_of_stock: u64,
            stock_moves: u64,
            upcoming: u64,
            document_changed: bool,
            items: u64,
            items_before: Option<u64>,
            bytes: u64,
            bytes_before: Option<u64>,
            gates: Vec<GateLine>,
            fields: Vec<Value>,
            fields_stride: u64,
            fill: Vec<Value>,
            not_listed: u64,
        },
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is that it can be read")]
    struct GateLine {
        gate: String,
        allowed: bool,
        message: String,
        count: u64,
        of: u64,
        share: Option<String>,
        limit: Option<String>,
        items: Vec<Value>,
        hint: String,
    }

    #[test]
    fn lines_read_back_with_unknown_fields_denied() {
        let old: Vec<_> = (0..20).map(|number| item(&format!("i{number}"))).collect();
        let mut new = old.clone();
        new.drain(..1);
        new.push(item("new\u{1b}\n\""));
        for item in new.iter_mut().take(8) {
            item.price = Some("1.50".to_owned());
            item.quantity = Some(0);
            item.availability = Some(Availability::OutOfStock);
        }
        new[9].upcoming = Some((NOW + 60, "50".to_owned()));
        let changes = compared(Some(&made(&old)), &made(&new));
        let tripped = judge(&changes, &GateLimits::default());
        let planned = PlannedFeed {
            feed: "web",
            channel: "google-products",
            published: Some((3, NOW - 1)),
            changes: &changes,
            tripped: &tripped,
            allowed: &[Gate::PriceMoved],
        };
        let lines: Vec<String> = lines(&planned).map(|line| line.to_string()).collect();
        assert_eq!(lines.len(), 8 + 1 + 1 + 1 + 1);
        for line in &lines {
            assert!(!line.contains('\n'));
            let read: Result<Line, _> = serde_json::from_str(line);
            assert!(read.is_ok(), "{line}: {read:?}");
        }
        let last: Value = serde_json::from_str(&lines[11]).expect("json");
        assert_eq!(last["exit"], 6);
        assert_eq!(last["gates"][0]["allowed"], true);
        assert_eq!(last["gates"][1]["gate"], "going_out_of_stock");
        assert_eq!(last["version"], 3);
        let first: Value = serde_json::from_str(&lines[0]).expect("json");
        assert_eq!(first["price"]["new"], "1.50");
        assert_eq!(first["availability"]["new"], "out_of_stock");
    }
}
