//! What people and programs see of sync: runs, plans, levels with their terms, dead letters, how a sync stands, what a
//! connector can do.
//!
//! All text that comes from data or from a store is cleaned on its way to people. JSON holds it as it is.

pub mod contract;
pub mod dead;
pub mod level;
pub mod notice;
mod plan;
pub mod run;
pub mod standing;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::sync::level::{Pair, What};

use super::text::value;

/// A moment in the shop's time zone, to the second.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// `SKU \`a\` at \`b\``, or without a place where the store has one stock.
pub fn pair(pair: &Pair) -> String {
    if pair.place.is_empty() {
        return format!("SKU `{}`", value(&pair.sku));
    }
    format!("SKU `{}` at `{}`", value(&pair.sku), value(&pair.place))
}

/// A level that may not be known.
fn units(level: Option<i64>) -> String {
    level.map_or_else(|| "-".to_owned(), |level| level.to_string())
}

/// What a line of the ledger tells, in words.
pub fn word(what: What) -> &'static str {
    match what {
        What::Accepted => "accepted",
        What::InStep => "in step",
        What::Superseded => "superseded",
        What::Refused => "refused",
        What::Dead => "dead letter",
        What::Stale => "stale",
        What::Unknown => "unknown",
        What::NotApplied => "not applied",
        What::Foreign => "foreign edit",
        What::Lost => "lost write",
        What::Clamped => "clamped",
        What::Dropped => "dropped",
        What::Retried => "retried",
    }
}
