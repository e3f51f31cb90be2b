//! `[request.levels]` and `[request.budget]`: what a store can do, and what its calls cost, as manifests write it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;

/// What a store can do whose levels are kept in step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Levels {
    /// It sets a level only where it still has the one that is compared with, `{{compare}}`.
    pub compare_and_set: bool,
    /// It knows a repeated batch by its key for so long; left out, it knows no keys.
    pub key_life: Option<Span>,
    /// After a time-out a write may still take effect for so long.
    pub quiet: Span,
    /// It has locations.
    pub places: bool,
    /// The largest level it takes.
    pub maximum: i64,
}

impl Default for Levels {
    fn default() -> Self {
        Levels {
            compare_and_set: false,
            key_life: None,
            quiet: Span(Duration::from_secs(60)),
            places: false,
            maximum: 1_000_000_000,
        }
    }
}

/// What an answer says of the points that calls cost: JSON pointers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Points that are left.
    pub available: String,
    /// Points that come back each second.
    pub restore: String,
    /// Points that this call was reckoned at before it ran; the next of its kind waits until so many are there.
    pub cost: String,
}
