//! Sync: what the shops have is what the web shop says.
//!
//! [`run::run`] is the straight line: read the sources, decide, guard, push, settle. `observe` reads stock and orders whole or
//! not at all; `decide` is the formula; `guard` stops a mass zeroing; `push` and `settle` bring levels to the store and
//! find out what became of them; `online` is what a store can do, `connector` does it by a manifest; `state` keeps what must
//! not be forgotten, behind a trait.
//!
//! Promised: a change that was read is not lost, an older level never overwrites a newer one, an unknown answer is settled and
//! never assumed, absent is not zero, a source that is not whole has no effect. What cannot be promised on stores without
//! compare-and-set is said in the documentation.

pub mod check;
pub mod connector;
pub mod contract;
pub mod decide;
pub mod examine;
pub mod guard;
pub mod keep;
mod known;
pub mod level;
pub mod observe;
pub mod online;
pub mod orders;
pub mod origin;
mod packed;
pub mod planted;
mod prepare;
mod push;
mod readback;
pub mod rows;
pub mod rule;
pub mod run;
pub mod serve;
pub mod session;
mod settle;
pub mod source;
pub mod standing;
pub mod state;
pub mod stay;
pub mod summary;
mod telling;
#[cfg(test)]
mod tests;
pub mod work;

pub use level::{
    Batch, BatchItem, BatchState, Known, Level, Line, Mark, Observation, Pair, Position, Standing,
    Wanted, What,
};
pub use online::{OnlineStore, Reading, RemoteItem, StoreError};
pub use state::{Change, Look, SyncState, Transaction};
pub use summary::{GuardTrip, PlanItem, SyncOutcome, SyncReport, SyncRequest, SyncSummary};
