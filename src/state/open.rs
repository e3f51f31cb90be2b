//! Opening the state, verifying it, and the one way it is changed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::recovery::{self, kill_point};

use super::error::Trouble;
use super::mark::{Commit, Mark};
use super::{StateError, private, schema};

/// How long a commit of another run is waited for.
const COMMIT_WAIT: Duration = Duration::from_secs(30);

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

/// What of a state is there.
enum Present {
    /// Nothing that belongs to one.
    Nothing,
    /// The database, or a mark or versions that need one.
    State,
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn present(places: &Places) -> Result<Present, StateError> {
    if exists(&places.database) {
        return Ok(Present::State);
    }
    let mark = Mark::read(&places.mark)?;
    if let Some(Mark {
        current: Some(_), ..
    }) = mark
    {
        return Err(StateError::damaged(
            &places.database,
            "the database is gone, and its mark `state.mark` says that there was one",
        ));
    }
    let kept =
        |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if mark.is_none() && (kept(&places.versions) || kept(&places.plans)) {
        return Err(StateError::damaged(
            &places.database,
            "the database and its mark are gone, and `versions/` or `plans/` beside them is not empty",
        ));
    }
    Ok(Present::Nothing)
}

fn lost_mark(places: &Places) -> StateError {
    StateError::damaged(
        &places.mark,
        "the mark is gone while its database `state.db` is there: nobody can tell whether that is the newest one",
    )
}

fn unreachable_mark(places: &Places) -> Result<Mark, StateError> {
    Err(StateError::damaged(
        &places.mark,
        "the mark speaks of no commit, and there is no database",
    ))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StateError> {
    let wrong = |error: rusqlite::Error| StateError::sqlite(path, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    schema::settle(&connection).map_err(wrong)?;
    Ok(connection)
}

/// Makes an empty state. The mark announces the first commit before the database gets its name: a run that dies in
/// between leaves a mark that says nothing was ever kept.
fn make(places: &Places) -> Result<Mark, StateError> {
    let staged = staged_database(places);
    drop(std::fs::remove_file(&staged));
    let file = private::create(&staged)
        .map_err(|error| StateError::disk(&staged, "make the database", &error))?;
    let wrong = |error: rusqlite::Error| StateError::sqlite(&staged, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let made = (|| {
        let connection = connect(&staged, flags)?;
        connection.execute_batch("BEGIN").map_err(wrong)?;
        schema::make(&connection).map_err(wrong)?;
        connection
            .execute("UPDATE meta SET value = 1 WHERE key = 'counter'", [])
            .map_err(wrong)?;
        connection.execute_batch("COMMIT").map_err(wrong)?;
        let first = schema::commit(&connection).map_err(wrong)?;
        connection.close().map_err(|(_, error)| wrong(error))?;
        file.sync_all()
            .map_err(|error| StateError::disk(&staged, "sync the database", &error))?;
        let announced = Mark {
            current: None,
            next: Some(first),
        };
        announced.write(&places.mark)?;
        Ok(first)
    })();
    let first = match made {
        Ok(first) => first,
        Err(error) => {
            drop(std::fs::remove_file(&staged));
            return Err(error);
        }
    };
    kill_point(recovery::M4);
    finish(places, first)
}

fn staged_database(places: &Places) -> PathBuf {
    places.root.join(".state.db.new")
}

/// Puts a made database in its place and confirms it; makes it once more where it was lost.
fn finish(places: &Places, first: Commit) -> Result<Mark, StateError> {
    let staged = staged_database(places);
    if !exists(&places.database) {
        if !exists(&staged) {
            return make(places);
        }
        std::fs::rename(&staged, &places.database)
            .map_err(|error| StateError::disk(&places.database, "name the database", &error))?;
        private::sync_folder(&places.root)?;
    }
    let confirmed = Mark {
        current: Some(first),
        next: None,
    };
    confirmed.write(&places.mark)?;
    Ok(confirmed)
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

/// Which of the mark's commits the database holds.
fn recognise(connection: &Connection, places: &Places, mark: Mark) -> Result<Commit, StateError> {
    let held =
        schema::commit(connection).map_err(|error| StateError::sqlite(&places.database, &error))?;
    if mark.current == Some(held) || mark.next == Some(held) {
        return Ok(held);
    }
    let (current, next) = (
        mark.current.map_or(0, |commit| commit.counter),
        mark.next.map(|commit| commit.counter),
    );
    let newest = next.unwrap_or(current);
    let message = if held.counter < current {
        format!(
            "the database is older than its mark `state.mark`: it holds commit {}, and {current} was kept; was a copy put back?",
            held.counter
        )
    } else if held.counter > newest {
        format!(
            "the database is newer than its mark `state.mark`: it holds commit {}, and the mark knows {newest}; was a copy of the mark put back?",
            held.counter
        )
    } else {
        format!(
            "the database is not what was committed: its digest is not that of commit {}",
            held.counter
        )
    };
    Err(StateError::damaged(&places.database, message))
}

/// Verifies a database against its mark: what was verified, and the mark as it should stand.
fn verify(
    connection: &Connection,
    places: &Places,
    mark: Mark,
) -> Result<((Commit, i64), Mark), StateError> {
    let wrong = |error: rusqlite::Error| StateError::sqlite(&places.database, &error);
    schema::check_format(connection, &places.database)?;
    length(connection, &places.database)?;
    schema::structure(connection, &places.database)?;
    let held = recognise(connection, places, mark)?;
    // Of the log the digest holds the last row, and the chain holds the others.
    super::action::walk(connection, |_| Ok(()))
        .map_err(wrong)?
        .map_err(|id| super::action::broken(&places.database, id))?;
    let version = data_version(connection).map_err(wrong)?;
    Ok((
        (held, version),
        Mark {
            current: Some(held),
            next: None,
        },
    ))
}

/// That no byte of the file is missing: SQLite reads a last page that is cut as if zeros followed.
fn length(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|error| StateError::sqlite(path, &error))
    };
    let wanted = number("page_count")? * number("page_size")?;
    let there = path
        .metadata()
        .map_err(|error| StateError::disk(path, "look at the database", &error))?
        .len();
    if there == wanted {
        return Ok(());
    }
    Err(StateError::damaged(
        path,
        format!("the database is cut: it has {there} bytes, and should have {wanted}"),
    ))
}

/// Waits for the right to read (shared) or change (exclusive) database and mark; ends with the file's handle.
fn hold(path: &Path, exclusive: bool) -> Result<File, StateError> {
    let open = if exclusive {
        private::open_or_make(path)
    } else {
        File::open(path)
    };
    let file = open.map_err(|error| StateError::disk(path, "open the lock", &error))?;
    let begun = Instant::now();
    loop {
        let tried = if exclusive {
            file.try_lock()
        } else {
            file.try_lock_shared()
        };
        match tried {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() < COMMIT_WAIT => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(StateError::new(
                    Trouble::Busy,
                    format!(
                        "{}: another run has been writing the state for {} seconds",
                        path.display(),
                        COMMIT_WAIT.as_secs()
                    ),
                    "wait for it; if it hangs, end it: its lock goes with it",
                ));
            }
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(StateError::disk(path, "lock the file", &error));
            }
        }
    }
}
