//! What a project remembers: versions and their bytes, receipts, pins, plans, who did what, and who works on what.
//!
//! In comes what was built and what was delivered; out come versions, receipts and bytes. Everything lies in the project's
//! `.shelfcast/` (0700, files 0600): `state.db` (SQLite), `state.mark` (which commit the database holds, and its digest),
//! `versions/<feed>/<n>/` and `plans/<id>/<feed>/` (bytes, compressed), `locks/`.
//!
//! Promised: what a call here reports as done is on disk, file and folder, before it returns (C1). A state that is
//! damaged, cut, older than it was or written by a newer program stops the run and names the file (C2): it is never taken
//! for an empty one. One run works on a feed; one that lost its lock cannot write (C3).
//!
//! A commit is announced in the mark, committed by SQLite (rollback journal, `synchronous = EXTRA`), and confirmed in the
//! mark. A run that dies between leaves either commit, and the mark knows both; anything else is damage. What this cannot
//! see: the whole folder put back from an older backup; reading back what stands at the destinations shows that.

mod action;
mod doctor;
mod error;
pub mod lock;
mod mark;
mod open;
mod pin;
mod plan;
pub(crate) mod private;
mod prune;
mod receipt;
mod record;
mod run;
mod schema;
pub(crate) mod store;
pub(crate) mod verify;
mod version;

#[cfg(test)]
mod tests;

pub use action::{Action, ActionFilter, Actions, who};
pub use doctor::{Damage, Examination, examine};
pub use error::{StateError, Trouble};
pub use lock::{Busy, Lock};
pub use open::State;
pub use pin::Pin;
pub use plan::{NewPlan, Plan, PlanFeed, PlannedFeed};
pub use prune::{KEEP, Pruned};
pub use receipt::{Receipt, ReceiptFile};
pub use run::Run;
pub use store::{Reading, VersionReader};
pub use version::{
    Counts, NewVersion, Override, Role, SourceDigest, StagedFile, Version, VersionFile,
};
