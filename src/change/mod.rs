//! What would change at a channel: two item logs in, [`Changes`] out, and what the gates and the audit say of them.
//!
//! Promised: items are matched by id, wherever they stand, so a moved item is no change; counts are exact at any size;
//! what is listed in full is bounded ([`LISTED_MAX`] a kind, the worst), the rest is counted. It sends nothing, prints
//! nothing and knows neither state nor destinations.

pub mod audit;
pub mod bytes;
mod changes;
mod compare;
pub mod fields;
pub mod gates;
mod pending;
mod reading;
mod sample;
mod tally;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod worst;

pub use bytes::{ItemBytes, PartBytes, Parts, Side};
pub use changes::{
    Changes, Counts, Example, FieldChange, FieldGroup, FillChange, ItemChange, Listed, ListedItem,
    PriceMove, Stand, StockMove, Upcoming,
};
pub use compare::{CompareError, CompareOptions, compare};
pub use gates::{Gate, Tripped, judge};

/// Items of a kind (added, removed, price moves, going out of stock, stock moves, others, upcoming) that are listed.
pub const LISTED_MAX: usize = 1_000;
/// Changed items whose fields are read for the counts by field; beyond it every 2nd, 4th, … is.
pub const FIELDS_SAMPLED_MAX: usize = 10_000;
/// Fields listed of one item.
pub const FIELDS_LISTED_MAX: usize = 50;
/// Bytes kept of a field's value.
pub const VALUE_BYTES_MAX: usize = 300;
/// What an item costs at most, in bytes of memory, that has not been met in the other version: with an id of 12 bytes,
/// price, quantity and a long title. Items in the same order cost nothing.
pub const OUT_OF_STEP_BYTES: usize = 160;
