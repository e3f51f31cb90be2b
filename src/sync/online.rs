//! What sync asks of an online store, and what the store can do.

use std::collections::HashMap;
use std::time::Duration;

use crate::channel::manifest::request::RemoteId;
use crate::store::Outcome;
pub use crate::store::{Found, Reading};

use super::level::Pair;

/// What a store can do, as its connector's manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// It sets a level only where it still has the one we compare with.
    pub compare_and_set: bool,
    /// It knows a repeated batch by its key for so long; absent where it knows no keys.
    pub key_life: Option<Duration>,
    /// After a time-out a write may still take effect for so long.
    pub quiet: Duration,
    /// It has locations.
    pub places: bool,
    /// Most items of a batch.
    pub batch: usize,
    /// The largest level it takes.
    pub maximum: i64,
}

/// A pair with the store's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteItem {
    /// The pair.
    pub pair: Pair,
    /// The store's id of the SKU, and what else it takes to name it.
    pub remote: RemoteId,
}

/// One write, with the store's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What is set.
    pub item: RemoteItem,
    /// Units.
    pub quantity: i64,
    /// What the store must say for it to be set.
    pub compare: Option<i64>,
}

/// Why the store cannot be talked to at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The connector, its settings or secrets do not do (exit 2).
    #[error("{0}")]
    Configuration(String),
    /// The store failed after all retries, or the account is paused (exit 4).
    #[error("{0}")]
    Failed(String),
}

/// An online store. Calls keep to the account's pace and are retried inside where that does no harm.
pub trait OnlineStore {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Why nothing leaves any more, where that is so.
    fn paused(&self) -> Option<String>;

    /// The store's ids of SKUs. A SKU that is missing from the answer was not looked up.
    ///
    /// # Errors
    /// A store that cannot be asked.
    fn resolve(&mut self, skus: &[String]) -> Result<HashMap<String, Found>, StoreError>;

    /// What the store says now: one reading an item, in their order.
    ///
    /// # Errors
    /// A store that cannot be asked.
    fn read(&mut self, items: &[RemoteItem]) -> Result<Vec<Reading>, StoreError>;

    /// What writes may share a batch: those of equal groups. Empty where all may.
    fn group(&self, item: &RemoteItem) -> String;

    /// Sends one batch, exactly these writes under this key: one outcome a write, in their order.
    fn push(&mut self, key: &str, writes: &[Write]) -> Vec<Outcome>;
}
