//! The state in SQLite: `.shelfcast/sync/<store>.db`, one a store account.
//!
//! [`SqliteState`] is a run's or a daemon's, under the account's lock; [`SqliteReader`] is a look at one commit beside it;
//! [`SqliteIntake`] adds events and orders beside it; [`SqliteScratch`] is a copy to plan on. Beside the database lie `<store>.mark` (which commit the database
//! holds, and its digest), `<store>.lock` (held while the two are changed) and SQLite's log and its index.
//!
//! Promised: what a commit reports as done is on disk (C1). A state that is damaged, cut, older than it was or newer than
//! the program stops with exit 8 and names the file, and nothing is changed (C2): every page is read and summed up when a
//! run opens it, and each commit is compared with the mark before the next is made. One run works on an
//! account, and one that lost its lock cannot write (C3). A look touches no file where no run is at work or died (C7).

pub(in crate::sync::state) mod beside;
mod columns;
mod commit;
pub(in crate::sync::state) mod files;
mod look;
mod mark;
mod pages;
mod rows;
pub(in crate::sync::state) mod schema;
mod scratch;
pub(in crate::sync::state) mod verify;
mod write;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use crate::channel::manifest::request::RemoteId;
use crate::state::lock::{self, Held};
use crate::state::{Busy, StateError, Trouble};
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position};

use super::delegate::look_through;
use super::memory::stale;
use super::{
    Change, Event, HeldPlan, Intake, KeptOrder, LineFilter, Order, Pause, RunEnd, SyncState,
    Transaction, Which,
};
use files::{Places, Present};
use look::Rows;
use pages::Pages;
pub use scratch::SqliteScratch;
use verify::Snapshot;
use write::Writing;

/// Memory for pages while a state is verified or looked at; each page is read once.
const LOOK_CACHE_MIB: u32 = 4;

/// A file of the state is not what was written.
fn damaged(path: &Path, message: impl Into<String>) -> StateError {
    let mut error = StateError::damaged(path, message);
    "nothing was changed; put the whole folder `.shelfcast/sync` back from a backup, or move the store's files in it away \
     to begin anew (every level is then read from the store before anything is sent); `shelfcast doctor` says more"
        .clone_into(&mut error.hint);
    error
}

/// What SQLite said of the database.
fn sqlite_error(path: &Path, error: &rusqlite::Error) -> StateError {
    let mut said = StateError::sqlite(path, error);
    if said.trouble == Trouble::Damaged {
        said = damaged(path, said.message);
    }
    said
}

/// A run's state of a store account, and its lock.
pub struct SqliteState {
    places: Places,
    connection: Connection,
    pages: Pages,
    lock: Held,
    fence: u64,
    tick: u64,
}

impl SqliteState {
    /// Takes the lock of a store account and opens its state; makes one where there is none. A lock that is held is waited
    /// for as long as `wait` says; `now` is for the message that other runs show.
    ///
    /// # Errors
    /// Another run that holds the account; a state that is damaged or newer; a disk that refuses.
    pub fn open(project: &Path, store: &str, wait: Duration, now: Timestamp) -> Result<Self, Busy> {
        let places = Places::of(project, store)?;
        places.make_folders()?;
        let lock = lock::take(&places.locks, &places.scope(), wait, now)?;
        places.make_if_missing()?;
        let snapshot = Snapshot::take(&places, LOOK_CACHE_MIB)?;
        snapshot.verify(&places)?;
        drop(snapshot);
        let connection = commit::connect(&places)?;
        let mut pages = Pages::default();
        let (tick, fence) = commit::commit(&places, &connection, &mut pages, |writing| {
            let fence = writing.fence()? + 1;
            writing.set_number("fence", fence)?;
            Ok(fence)
        })?;
        Ok(SqliteState {
            places,
            connection,
            pages,
            lock,
            fence,
            tick,
        })
    }

    /// The lock's number: larger than that of every run before.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// The lock's file.
    pub fn lock_path(&self) -> &Path {
        self.lock.path()
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            connection: &self.connection,
            path: &self.places.database,
            tick: self.tick,
        }
    }
}

impl Drop for SqliteState {
    fn drop(&mut self) {
        commit::rest(&self.places, &self.connection);
    }
}

look_through!([] SqliteState, self => self.rows());

impl SyncState for SqliteState {
    fn commit(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<u64, StateError> {
        let fence = self.fence;
        let SqliteState {
            places,
            connection,
            pages,
            ..
        } = self;
        let (tick, ()) = commit::commit(places, connection, pages, |writing| {
            let newest = writing.fence()?;
            if newest != fence {
                return Err(stale(fence, newest));
            }
            work(writing)
        })?;
        self.tick = tick;
        Ok(tick)
    }
}

/// A look at one commit of a state, beside a run or a daemon; it stays at that commit.
pub struct SqliteReader {
    places: Places,
    snapshot: Snapshot,
}

/// Opens a state to look at; `None` where there is none. Every page is verified first.
///
/// # Errors
/// A state that is damaged or newer; a disk that refuses.
pub fn read(project: &Path, store: &str) -> Result<Option<SqliteReader>, StateError> {
    let places = Places::of(project, store)?;
    if !places.have_folders()? || places.present()? == Present::Nothing {
        return Ok(None);
    }
    let snapshot = Snapshot::take(&places, LOOK_CACHE_MIB)?;
    snapshot.verify(&places)?;
    Ok(Some(SqliteReader { places, snapshot }))
}

impl SqliteReader {
    fn rows(&self) -> Rows<'_> {
        Rows {
            connection: &self.snapshot.connection,
            path: &self.places.database,
            tick: self.snapshot.counter,
        }
    }
}

look_through!([] SqliteReader, self => self.rows());

/// Adds events and orders to a state, whoever holds its account.
pub struct SqliteIntake {
    places: Places,
    connection: Connection,
    pages: Pages,
}

impl SqliteIntake {
    /// Opens the state of a store account, and makes one where there is none. Pages are not verified: nothing is decided by
    /// them here, and who does verifies them.
    ///
    /// # Errors
    /// A state that is damaged or newer; a disk that refuses.
    pub fn open(project: &Path, store: &str) -> Result<Self, StateError> {
        let places = Places::of(project, store)?;
        places.make_if_missing()?;
        let connection = commit::connect(&places)?;
        Ok(SqliteIntake {
            places,
            connection,
            pages: Pages::default(),
        })
    }
}

impl SqliteIntake {
    fn commit<T>(
        &mut self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, StateError>,
    ) -> Result<(u64, T), StateError> {
        commit::commit(&self.places, &self.connection, &mut self.pages, work)
    }

    /// Whether a person's order waits to be carried out.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn order_waits(&self) -> Result<bool, StateError> {
        use super::Look;

        let rows = Rows {
            connection: &self.connection,
            path: &self.places.database,
            tick: 0,
        };
        Ok(!rows.orders()?.is_empty())
    }
}

impl Drop for SqliteIntake {
    fn drop(&mut self) {
        commit::rest(&self.places, &self.connection);
    }
}

impl Intake for SqliteIntake {
    fn events(&mut self, events: &[Event]) -> Result<u64, StateError> {
        let (_, new) = self.commit(|writing| {
            let before = writing.events_so_far()?;
            for event in events {
                writing.write(Change::Event(event))?;
            }
            Ok(writing.events_so_far()? - before)
        })?;
        Ok(new)
    }

    fn order(&mut self, at: Timestamp, who: &str, order: &Order) -> Result<(), StateError> {
        self.commit(|writing| writing.write(Change::Order { at, who, order }))?;
        Ok(())
    }
}

/// Adds one order to a state, whoever holds its account.
///
/// # Errors
/// A state that is damaged or newer; a disk that refuses.
pub fn append_order(
    project: &Path,
    store: &str,
    at: Timestamp,
    who: &str,
    order: &Order,
) -> Result<(), StateError> {
    SqliteIntake::open(project, store)?.order(at, who, order)
}
