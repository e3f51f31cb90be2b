//! What sync must not forget, behind a trait: one state a store account.
//!
//! A commit is a list of changes that are all kept, on disk, when [`SyncState::commit`] returns, or none is. Each commit adds
//! one to the state's tick. Implementations: SQLite in `.shelfcast/sync/` (the default); in memory for tests. All pass
//! the suite in `state/suite.rs`. Times are kept to the microsecond.

mod delegate;
pub mod doctor;
pub mod memory;
pub mod sqlite;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::manifest::request::RemoteId;
use crate::state::StateError;

use super::level::{Batch, Level, Line, Observation, Pair, Position, What};

/// What a person asked for while a run or a daemon may be at work; it is picked up at the next batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Nothing is pushed any more.
    Pause {
        /// The sync.
        sync: String,
        /// Why.
        reason: String,
    },
    /// It goes on.
    Resume {
        /// The sync.
        sync: String,
    },
    /// A dead letter is tried again; a new version.
    Retry {
        /// The pair.
        pair: Pair,
    },
    /// A dead letter is dropped: what the store says is taken as it is, until the source says something new.
    Drop {
        /// The pair.
        pair: Pair,
    },
}

/// An order, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOrder {
    /// Its number; grows.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub order: Order,
}

/// An event that was taken in and is not yet merged; it is stored before the sender is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The source it belongs to.
    pub source: String,
    /// The sender's id of it, or a digest of its body: the same again is not stored again.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// What it says; empty where it only asks for a reading.
    pub observations: Vec<Observation>,
}

/// A sync that is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The sync.
    pub sync: String,
    /// Since when.
    pub at: Timestamp,
    /// Who stopped it.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// How a run ended, for `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// The sync.
    pub sync: String,
    /// When it ended.
    pub at: Timestamp,
    /// Its exit code.
    pub exit: u8,
    /// In a few words.
    pub words: String,
    /// Levels compared.
    pub compared: u64,
    /// Levels that differed.
    pub changed: u64,
    /// Levels that the store took.
    pub accepted: u64,
}

/// A plan that a guard held, kept for approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPlan {
    /// Its id: the beginning of its digest.
    pub id: String,
    /// The sync.
    pub sync: String,
    /// When it was held.
    pub at: Timestamp,
    /// Why: one sentence a guard that tripped.
    pub reasons: Vec<String>,
    /// What would be sent: pair, what the store says, what it would say.
    pub items: Vec<(Pair, Option<i64>, i64)>,
}

/// One change of the state.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// The last value of a source's row; `digest` is of the whole row, `key` of location and SKU. Resets its absences.
    Observed {
        /// The source.
        source: &'a str,
        /// Of location and SKU.
        key: u64,
        /// Of location, SKU and all it says.
        digest: u64,
        /// The row.
        observation: &'a Observation,
    },
    /// A proven whole reading did not give the row, so many times in a row; 0 takes the count back.
    Absent {
        /// The source.
        source: &'a str,
        /// Of location and SKU.
        key: u64,
        /// How often.
        times: u32,
    },
    /// How far a source is read.
    Position {
        /// The source.
        source: &'a str,
        /// Its position.
        position: &'a Position,
    },
    /// A pair, in place of what was known of it.
    Level(&'a Level),
    /// The store's id of a SKU; `None` forgets it.
    Remote {
        /// The SKU.
        sku: &'a str,
        /// The id.
        remote: Option<&'a RemoteId>,
    },
    /// A batch that is on its way, in place of what was known of it.
    Batch(&'a Batch),
    /// A batch is settled.
    BatchEnded(u64),
    /// A line for the ledger.
    Line(&'a Line),
    /// An event, before its sender is answered. One whose source and id are known changes nothing.
    Event(&'a Event),
    /// An event is merged; its id stays known.
    EventMerged {
        /// The source.
        source: &'a str,
        /// The id.
        id: &'a str,
    },
    /// Ids of merged events older than this are forgotten.
    EventsForgotten(Timestamp),
    /// A person's order.
    Order {
        /// When.
        at: Timestamp,
        /// Who.
        who: &'a str,
        /// What.
        order: &'a Order,
    },
    /// An order is carried out.
    OrderDone(u64),
    /// A sync is stopped.
    Paused(&'a Pause),
    /// It goes on.
    Resumed(&'a str),
    /// A plan is held.
    Held(&'a HeldPlan),
    /// A held plan counts no more.
    HeldEnded(&'a str),
    /// A run ended.
    Run(&'a RunEnd),
    /// A value by name: what a computation was made with, so that a change of the project is seen.
    Note {
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// Lines of the ledger older than this are taken out, all but the last of each pair.
    LedgerCut(Timestamp),
}

/// Which levels are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// All.
    All,
    /// Those of which the store must still be told, and that are not on their way.
    Open,
    /// Those on their way.
    InFlight,
    /// Dead letters.
    Dead,
    /// Strangers, and what is not stocked.
    Aside,
    /// Those of a SKU.
    Sku(&'a str),
}

/// Sums of levels that are known at the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Levels.
    pub levels: u64,
    /// Those above zero.
    pub positive: u64,
    /// Units.
    pub units: u64,
}

impl Totals {
    /// Adds others.
    pub fn add(&mut self, other: &Totals) {
        self.levels += other.levels;
        self.positive += other.positive;
        self.units = self.units.saturating_add(other.units);
    }
}

/// Which lines of the ledger are looked at.
#[derive(Clone, Debug, Default)]
pub struct LineFilter<'a> {
    /// Of this sync.
    pub sync: Option<&'a str>,
    /// Of this SKU.
    pub sku: Option<&'a str>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Only these.
    pub what: Option<What>,
}

/// Ends of runs that are kept of a sync.
pub const RUNS_KEPT: usize = 1000;

/// Reading the state. Inside a transaction it shows what the transaction has written.
pub trait Look {
    /// Commits so far; inside a transaction those before it.
    fn tick(&self) -> u64;
    /// One pair.
    fn level(&self, pair: &Pair) -> Result<Option<Level>, StateError>;
    /// Pairs, by place and then SKU, until `tell` breaks off.
    fn levels(
        &self,
        which: Which<'_>,
        tell: &mut dyn FnMut(Level) -> ControlFlow<()>,
    ) -> Result<(), StateError>;
    /// How many pairs.
    fn count(&self, which: Which<'_>) -> Result<u64, StateError>;
    /// Sums of a sync's levels that are known at the store, by place.
    fn totals(&self, sync: &str) -> Result<BTreeMap<String, Totals>, StateError> {
        let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
        self.levels(Which::All, &mut |level| {
            if level.sync == sync
                && let Some(known) = level.known
            {
                totals.entry(level.pair.place).or_default().add(&Totals {
                    levels: 1,
                    positive: u64::from(known.quantity > 0),
                    units: known.quantity.unsigned_abs(),
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok(totals)
    }
    /// Key, digest and absences of each row of a source, in any order: one that is the source's own is compared the
    /// quickest.
    fn digests(&self, source: &str, tell: &mut dyn FnMut(u64, u64, u32)) -> Result<(), StateError>;
    /// A source's rows of a SKU, by location.
    fn observations(&self, source: &str, sku: &str) -> Result<Vec<Observation>, StateError>;
    /// A source's row by its key.
    fn observation(&self, source: &str, key: u64) -> Result<Option<Observation>, StateError>;
    /// Each SKU that a source has rows of, once.
    fn skus(&self, source: &str, tell: &mut dyn FnMut(&str)) -> Result<(), StateError>;
    /// How far a source is read.
    fn position(&self, source: &str) -> Result<Option<Position>, StateError>;
    /// The store's ids of SKUs, of those that are known.
    fn remotes(&self, skus: &[String]) -> Result<HashMap<String, RemoteId>, StateError>;
    /// Batches on their way, oldest first.
    fn batches(&self) -> Result<Vec<Batch>, StateError>;
    /// The number for the next batch.
    fn next_batch(&self) -> Result<u64, StateError>;
    /// Lines of the ledger, oldest first.
    fn ledger(
        &self,
        filter: &LineFilter<'_>,
        tell: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), StateError>;
    /// Events that are not merged, oldest first, at most so many.
    fn events(&self, most: usize) -> Result<Vec<Event>, StateError>;
    /// Orders that are not carried out, oldest first.
    fn orders(&self) -> Result<Vec<KeptOrder>, StateError>;
    /// Syncs that are stopped.
    fn pauses(&self) -> Result<Vec<Pause>, StateError>;
    /// Held plans, newest first.
    fn held(&self) -> Result<Vec<HeldPlan>, StateError>;
    /// Ends of runs of a sync, newest first, at most so many.
    fn runs(&self, sync: &str, most: usize) -> Result<Vec<RunEnd>, StateError>;
    /// A value by name.
    fn note(&self, name: &str) -> Result<Option<String>, StateError>;
}

/// A commit being made.
pub trait Transaction: Look {
    /// Adds a change.
    ///
    /// # Errors
    /// A state that refuses; the commit is then given up.
    fn write(&mut self, change: Change<'_>) -> Result<(), StateError>;
}

/// The state of one store account.
pub trait SyncState: Look {
    /// Keeps all that `work` writes, on disk, or nothing of it; the new tick.
    ///
    /// # Errors
    /// What `work` returns; a disk that refuses; a lock that was taken over.
    fn commit(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<u64, StateError>;
}

/// What others may add while a run or a daemon holds the store account: events and orders. It needs no lock.
pub trait Intake: Send {
    /// Keeps events that are not known yet, on disk, all or none; how many were new.
    ///
    /// # Errors
    /// A disk that refuses; a state that is damaged.
    fn events(&mut self, events: &[Event]) -> Result<u64, StateError>;
    /// Keeps a person's order, on disk.
    ///
    /// # Errors
    /// A disk that refuses; a state that is damaged.
    fn order(&mut self, at: Timestamp, who: &str, order: &Order) -> Result<(), StateError>;
}
