//! Making a state, and telling a whole one from a damaged one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::recovery::{self, kill_point};

use super::error::Trouble;
use super::mark::{Commit, Mark};
use super::open::Places;
use super::{StateError, private, schema};

/// How long a commit of another run is waited for.
const COMMIT_WAIT: Duration = Duration::from_secs(30);

/// What of a state is there.
pub(super) enum Present {
    /// Nothing that belongs to one.
    Nothing,
    /// The database, or a mark or versions that need one.
    State,
}

pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

pub(super) fn present(places: &Places) -> Result<Present, StateError> {
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

pub(super) fn lost_mark(places: &Places) -> StateError {
    StateError::damaged(
        &places.mark,
        "the mark is gone while its database `state.db` is there: nobody can tell whether that is the newest one",
    )
}

pub(super) fn unreachable_mark(places: &Places) -> Result<Mark, StateError> {
    Err(StateError::damaged(
        &places.mark,
        "the mark speaks of no commit, and there is no database",
    ))
}

pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StateError> {
    let wrong = |error: rusqlite::Error| StateError::sqlite(path, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    schema::settle(&connection).map_err(wrong)?;
    Ok(connection)
}

/// Makes an empty state. The mark announces the first commit before the database gets its name: a run that dies in
/// between leaves a mark that says nothing was ever kept.
pub(super) fn make(places: &Places) -> Result<Mark, StateError> {
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
pub(super) fn finish(places: &Places, first: Commit) -> Result<Mark, StateError> {
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

pub(super) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

/// Which of the mark's commits the database holds.
pub(super) fn recognise(
    connection: &Connection,
    places: &Places,
    mark: Mark,
) -> Result<Commit, StateError> {
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
pub(super) fn verify(
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
pub(crate) fn hold(path: &Path, exclusive: bool) -> Result<File, StateError> {
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
