//! Opening the state, verifying it, and the one way it is changed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};

use crate::recovery::{self, kill_point};

use super::error::Trouble;
use super::mark::{Commit, Mark};
use super::verify::{
    Present, connect, data_version, exists, finish, hold, lost_mark, make, present, recognise,
    unreachable_mark, verify,
};
use super::{StateError, private, schema};

/// Where things lie.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// `.shelfcast`.
    pub(super) root: PathBuf,
    /// The database.
    pub(super) database: PathBuf,
    /// The mark.
    pub(super) mark: PathBuf,
    /// What runs hold while they read or change the two.
    pub(super) guard: PathBuf,
    /// Versions' bytes.
    pub(super) versions: PathBuf,
    /// Plans' bytes.
    pub(super) plans: PathBuf,
    /// Locks.
    pub(super) locks: PathBuf,
}

impl Places {
    pub(super) fn of(project: &Path) -> Self {
        let root = project.join(".shelfcast");
        Places {
            database: root.join("state.db"),
            mark: root.join("state.mark"),
            guard: root.join("state.lock"),
            versions: root.join("versions"),
            plans: root.join("plans"),
            locks: root.join("locks"),
            root,
        }
    }

    /// The project's folder.
    pub(super) fn project(&self) -> PathBuf {
        self.root.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// What SQLite leaves beside the database when a run dies inside a commit.
    fn journal(&self) -> PathBuf {
        self.root.join("state.db-journal")
    }
}

/// A project's state. Threads may share it.
pub struct State {
    pub(super) places: Places,
    inner: Mutex<Inner>,
    writable: bool,
}

struct Inner {
    connection: Connection,
    /// What was verified last, and SQLite's `data_version` then: while both stand, nobody else has written.
    verified: (Commit, i64),
}

impl State {
    /// Opens a project's state to work with, and makes one where there is none.
    ///
    /// # Errors
    /// A state that is damaged or newer; a disk that refuses.
    pub fn open(project: &Path) -> Result<Self, StateError> {
        let places = Places::of(project);
        private::folder(&places.root)?;
        private::guard_folder(&places.root)?;
        let guard = hold(&places.guard, true)?;
        let state = Self::open_held(places)?;
        drop(guard);
        Ok(state)
    }

    /// Opens a project's state to look at; `None` where there is none. Nothing is written, unless a run died inside a
    /// commit: that is then undone or finished first.
    ///
    /// # Errors
    /// A state that is damaged or newer; a disk that refuses.
    pub fn read(project: &Path) -> Result<Option<Self>, StateError> {
        let places = Places::of(project);
        if !exists(&places.root) {
            return Ok(None);
        }
        private::guard_folder(&places.root)?;
        if !exists(&places.guard) {
            // Nobody has ever opened it; then there must be nothing.
            return match present(&places)? {
                Present::Nothing => Ok(None),
                Present::State => Self::open(project).map(Some),
            };
        }
        let guard = hold(&places.guard, false)?;
        if exists(&places.journal()) {
            drop(guard);
            return Self::open(project).map(Some);
        }
        let mark = match (present(&places)?, Mark::read(&places.mark)?) {
            (Present::Nothing, _) | (_, Some(Mark { current: None, .. })) => return Ok(None),
            (Present::State, None) => return Err(lost_mark(&places)),
            (Present::State, Some(mark)) => mark,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(&places.database, flags)?;
        let (verified, _) = verify(&connection, &places, mark)?;
        drop(guard);
        Ok(Some(State {
            places,
            inner: Mutex::new(Inner {
                connection,
                verified,
            }),
            writable: false,
        }))
    }

    /// Opens, recovers or makes a state while nobody else may.
    fn open_held(places: Places) -> Result<Self, StateError> {
        let mark = match (present(&places)?, Mark::read(&places.mark)?) {
            (Present::Nothing, None) => make(&places)?,
            // It was being made when the run died: nothing was ever kept in it.
            (
                _,
                Some(Mark {
                    current: None,
                    next: Some(first),
                }),
            ) => finish(&places, first)?,
            (Present::State, Some(mark)) => mark,
            (Present::State, None) => return Err(lost_mark(&places)),
            (Present::Nothing, Some(_)) => unreachable_mark(&places)?,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(&places.database, flags)?;
        let (verified, settled) = verify(&connection, &places, mark)?;
        if settled != mark {
            settled.write(&places.mark)?;
        }
        private::folder(&places.versions)?;
        private::folder(&places.plans)?;
        private::folder(&places.locks)?;
        Ok(State {
            places,
            inner: Mutex::new(Inner {
                connection,
                verified,
            }),
            writable: true,
        })
    }

    /// The folder the state lies in.
    pub fn folder(&self) -> &Path {
        &self.places.root
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads something.
    pub(super) fn look<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        work(&self.inner().connection)
            .map_err(|error| StateError::sqlite(&self.places.database, &error))
    }

    /// Changes something: all of `work` is on disk when this returns, or none of it.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        if !self.writable {
            return Err(StateError::new(
                Trouble::Disk,
                "the state was opened to look at only",
                "open it with `State::open`",
            ));
        }
        let mut inner = self.inner();
        let Inner {
            connection,
            verified,
        } = &mut *inner;
        let places = &self.places;
        let wrong = |error: rusqlite::Error| StateError::sqlite(&places.database, &error);
        let guard = hold(&places.guard, true)?;
        let mark = Mark::read(&places.mark)?.ok_or_else(|| lost_mark(places))?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(wrong)?;
        let outcome = (|| {
            let untouched = mark.current == Some(verified.0)
                && mark.next.is_none()
                && data_version(connection).map_err(wrong)? == verified.1;
            let before = if untouched {
                verified.0
            } else {
                recognise(connection, places, mark)?
            };
            let value = work(connection)?;
            connection
                .execute(
                    "UPDATE meta SET value = value + 1 WHERE key = 'counter'",
                    [],
                )
                .map_err(wrong)?;
            let next = schema::commit(connection).map_err(wrong)?;
            let announced = Mark {
                current: Some(before),
                next: Some(next),
            };
            announced.write(&places.mark)?;
            kill_point(recovery::M1);
            kill_point(recovery::P12);
            connection.execute_batch("COMMIT").map_err(wrong)?;
            Ok((value, next))
        })();
        let (value, next) = match outcome {
            Ok(done) => done,
            Err(error) => {
                if !connection.is_autocommit() {
                    // What cannot be rolled back now is when the state is opened next.
                    drop(connection.execute_batch("ROLLBACK"));
                }
                return Err(error);
            }
        };
        kill_point(recovery::M2);
        let confirmed = Mark {
            current: Some(next),
            next: None,
        };
        confirmed.write(&places.mark)?;
        *verified = (next, data_version(connection).map_err(wrong)?);
        drop(guard);
        Ok(value)
    }
}
