//! A copy of a state to plan on: what is committed there is seen by what follows, and goes with the copy.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::channel::manifest::request::RemoteId;
use crate::state::StateError;
use crate::state::verify::hold;
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position};
use crate::sync::state::delegate::look_through;
use crate::sync::state::{
    Event, HeldPlan, KeptOrder, LineFilter, Pause, RunEnd, SyncState, Transaction, Which,
};

use super::beside::Beside;
use super::files::{Places, Present};
use super::look::Rows;
use super::verify::Snapshot;
use super::write::Writing;
use super::{LOOK_CACHE_MIB, commit, sqlite_error};

/// A copy of a state in a folder of its own, verified as the state itself is.
pub struct SqliteScratch {
    places: Places,
    /// In one transaction, which never ends.
    connection: Connection,
    tick: u64,
    _folder: TempDir,
}

impl SqliteScratch {
    /// Copies a state as it stands now; `None` where there is none.
    ///
    /// # Errors
    /// A state that is damaged or newer; a disk that refuses.
    pub fn open(project: &Path, store: &str) -> Result<Option<Self>, StateError> {
        let from = Places::of(project, store)?;
        if !from.have_folders()? || from.present()? == Present::Nothing {
            return Ok(None);
        }
        let folder = tempfile::tempdir().map_err(|error| {
            StateError::disk(&std::env::temp_dir(), "make a folder for a dry run", &error)
        })?;
        let places = Places::of(folder.path(), store)?;
        places.make_folders()?;
        copy(&from, &places)?;
        places.make_if_missing()?;
        let snapshot = Snapshot::take(&places, LOOK_CACHE_MIB)?;
        snapshot.verify(&places)?;
        let tick = snapshot.counter;
        drop(snapshot);
        let connection = commit::connect(&places)?;
        connection
            .execute_batch("PRAGMA synchronous = OFF; BEGIN IMMEDIATE")
            .map_err(|error| sqlite_error(&places.database, &error))?;
        Ok(Some(SqliteScratch {
            places,
            connection,
            tick,
            _folder: folder,
        }))
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            connection: &self.connection,
            path: &self.places.database,
            tick: self.tick,
        }
    }

    fn run(&self, statement: &str) -> Result<(), StateError> {
        let ran = self.connection.execute_batch(statement);
        ran.map_err(|error| sqlite_error(&self.places.database, &error))
    }
}

look_through!([] SqliteScratch, self => self.rows());

impl SyncState for SqliteScratch {
    fn commit(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<u64, StateError> {
        self.run("SAVEPOINT made")?;
        let made = work(&mut Writing::new(self.rows()));
        if let Err(error) = made {
            self.run("ROLLBACK TO made; RELEASE made")?;
            return Err(error);
        }
        self.run("RELEASE made")?;
        self.tick += 1;
        Ok(self.tick)
    }
}

fn copy_of(from: &Path, to: &Path) -> io::Result<()> {
    let from = Beside::open(from)?;
    io::copy(&mut from.from(0), &mut File::create_new(to)?).map(drop)
}

/// Nobody commits meanwhile, and nobody moves the log.
fn copy(from: &Places, to: &Places) -> Result<(), StateError> {
    let guard = hold(&from.guard, false)?;
    for (file, copy) in [
        (&from.database, &to.database),
        (&from.log, &to.log),
        (&from.mark, &to.mark),
    ] {
        match copy_of(file, copy) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StateError::disk(copy, "copy the state", &error)),
        }
    }
    drop(guard);
    Ok(())
}
