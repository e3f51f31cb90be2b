//! How well what a column holds suits a column of ours, with its name and without.

use super::look::Look;
use super::values::Column;

/// A share as people write it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// What speaks for a column beside its name.
pub(super) fn evidence(ours: &str, column: &Column) -> String {
    let said = |count: usize, what: &str| {
        format!(
            ", and {} of its cells are {what}",
            percent(column.share(count))
        )
    };
    match ours {
        "url" => said(column.urls, "addresses"),
        "image" | "images" => said(column.urls, "addresses"),
        "price" | "sale_price" | "cost" | "tax_rate" => said(column.numbers, "amounts"),
        "gtin" => said(column.gtins, "GTINs with a right check digit"),
        "sku" => format!(", and {} of its cells differ", percent(column.variety())),
        "available" => said(column.integers, "whole numbers"),
        "availability" => said(column.availabilities, "known words"),
        _ => String::new(),
    }
}

/// How well a column's values suit ours, 0 (never) to 1.
pub(super) fn fit(ours: &str, column: &Column, records: usize) -> f64 {
    let yes = |fits: bool| if fits { 1.0 } else { 0.0 };
    let words = column.share(column.letters);
    match ours {
        "url" => yes(column.share(column.urls) > 0.6 && column.share(column.images) < 0.5),
        "image" => yes(column.share(column.urls) > 0.6),
        "images" => yes(column.share(column.urls) > 0.6
            && (column.lists + column.elements > 0 || column.length() > 120.0)),
        "price" | "sale_price" | "cost" => yes(column.share(column.numbers) > 0.6),
        "tax_rate" => yes(column.share(column.numbers) > 0.6 && column.distinct.len() < 20),
        "gtin" => yes(column.share(column.gtins) > 0.5 && column.share(column.damaged) < 0.3),
        "sku" => {
            let shape =
                column.variety() > 0.5 && column.length() < 50.0 && column.share(column.urls) < 0.1;
            yes(shape && column.filled * 10 >= records * 9)
                * if column.variety() > 0.99 { 1.0 } else { 0.9 }
        }
        "mpn" => yes(column.variety() > 0.5 && column.length() < 70.0),
        "available" => yes(column.share(column.integers) > 0.8 && column.distinct.len() > 2),
        "availability" => yes(column.share(column.availabilities) > 0.8),
        "title" => yes(words > 0.8
            && column.length() > 2.5
            && column.length() < 400.0
            && column.share(column.urls) < 0.1),
        "description" => yes(words > 0.7) * if column.length() > 40.0 { 1.0 } else { 0.7 },
        "brand" | "manufacturer" => yes(words > 0.6 && column.length() < 60.0),
        "category" => yes(words > 0.6 && column.length() < 250.0),
        "currency" => yes(column
            .examples
            .iter()
            .all(|example| crate::model::currency::code(example).is_some())),
        "color" | "size" | "material" | "pattern" => {
            yes(column.length() < 40.0 && column.share(column.urls) < 0.1)
        }
        "condition" => yes(column
            .examples
            .iter()
            .all(|example| crate::model::condition::parse(example).is_ok())),
        "gender" => yes(column
            .examples
            .iter()
            .all(|example| crate::model::gender::parse(example).is_ok())),
        "age_group" => yes(column
            .examples
            .iter()
            .all(|example| crate::model::age_group::parse(example).is_ok())),
        "weight" | "length" | "width" | "height" => {
            yes(column.length() < 16.0 && column.share(column.numbers) > 0.6)
        }
        "status" => yes(column.distinct.len() <= 6),
        "updated_at" => 0.0,
        _ => 1.0,
    }
}

/// How surely the values alone say what a column is, and what was seen.
pub(super) fn by_value(ours: &str, column: &Column, look: &Look) -> (u8, String) {
    let share = |count: usize| column.share(count);
    let bare = !look.header;
    let money = column.currencies.values().sum::<usize>() + column.dollars;
    let whole = column.filled * 10 >= look.records * 9;
    let none = (0, String::new());
    match ours {
        "gtin" if share(column.gtins) > 0.8 && column.variety() > 0.5 && column.length() > 7.5 => (
            80,
            format!(
                "{} are GTINs with a right check digit",
                percent(share(column.gtins))
            ),
        ),
        "sku"
            if bare
                && whole
                && column.variety() > 0.98
                && column.length() < 30.0
                && share(column.letters) < 0.5
                && share(column.urls) < 0.1
                && column.points == 0 =>
        {
            (50, "short, and no two alike".to_owned())
        }
        "image" if share(column.urls) > 0.9 && share(column.images) > 0.6 => {
            (85, "addresses of pictures".to_owned())
        }
        "url" if share(column.urls) > 0.9 && share(column.images) < 0.2 => {
            (80, "addresses of pages".to_owned())
        }
        "category"
            if share(column.paths) > 0.6 && column.length() < 250.0 && share(column.html) < 0.1 =>
        {
            (70, "paths with levels".to_owned())
        }
        "price" if share(money) > 0.6 => (75, "amounts with a currency".to_owned()),
        "price"
            if bare
                && share(column.numbers) > 0.9
                && share(column.points + column.commas) > 0.5 =>
        {
            (65, "amounts with decimals".to_owned())
        }
        "description" if share(column.html) > 0.4 => (60, "HTML".to_owned()),
        "description" if bare && column.length() > 80.0 && share(column.letters) > 0.8 => {
            (60, "long texts".to_owned())
        }
        "title"
            if bare
                && share(column.letters) > 0.8
                && (4.0..120.0).contains(&column.length())
                && column.variety() > 0.6
                && share(column.paths) < 0.5 =>
        {
            (55, "short texts that differ".to_owned())
        }
        "available" if bare && share(column.integers) > 0.9 && column.length() < 5.0 => {
            (45, "small whole numbers".to_owned())
        }
        _ => none,
    }
}
