//! The one way a state is changed.
//!
//! While the guard is held: what the database holds is compared with the mark; the changes are made and SQLite commits them
//! to its log, synced; the mark is told, synced. Two syncs a commit. A run that dies between the two leaves a
//! database that is one ahead of its mark, which is known for what it is: its log still holds what the commit changed. Nothing is ever announced that is not there.

use std::fs::File;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::state::verify::hold;

use super::files::Places;
use super::look::Rows;
use super::mark::{self, Commit};
use super::pages::Pages;
use super::verify::{is_behind, meta};
use super::write::{Kinds, Writing};
use super::{damaged, schema, sqlite_error};

/// Bytes of SQLite's log above which it is moved into the database.
const LOG_BYTES: u64 = 16 << 20;
/// Memory for the database's pages.
const CACHE_MIB: u32 = 64;

/// A connection that may write.
pub(super) fn connect(places: &Places) -> Result<Connection, StateError> {
    let wrong = |error: rusqlite::Error| sqlite_error(&places.database, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&places.database, flags).map_err(wrong)?;
    schema::settle(&connection, CACHE_MIB).map_err(wrong)?;
    schema::check_format(&connection, &places.database)?;
    schema::check_log(&connection, &places.database)?;
    Ok(connection)
}

/// Which commit follows, and what it holds.
struct Made<T> {
    value: T,
    next: Commit,
    kinds: Kinds,
}

/// Changes something: all of `work` is on disk when this returns, or none of it. The new tick, and what `work` gives.
pub(super) fn commit<T>(
    places: &Places,
    connection: &Connection,
    pages: &mut Pages,
    work: impl FnOnce(&mut Writing<'_>) -> Result<T, StateError>,
) -> Result<(u64, T), StateError> {
    let wrong = |error: rusqlite::Error| sqlite_error(&places.database, &error);
    let guard = hold(&places.guard, true)?;
    let mark = mark::read(&places.mark)?.ok_or_else(|| places.lost_mark())?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(wrong)?;
    let made = make(places, connection, pages, mark, work);
    let Made { value, next, kinds } = match made {
        Ok(made) => made,
        Err(error) => {
            if !connection.is_autocommit() {
                // What cannot be rolled back now is when the state is opened next.
                drop(connection.execute_batch("ROLLBACK"));
            }
            return Err(error);
        }
    };
    kinds.reached();
    mark::put(&places.mark, next)?;
    if kinds.cut {
        kill_point(recovery::Y15);
    }
    if places.log.metadata().is_ok_and(|log| log.len() > LOG_BYTES) {
        move_log(places, connection);
    }
    drop(guard);
    Ok((next.counter, value))
}

fn make<T>(
    places: &Places,
    connection: &Connection,
    pages: &mut Pages,
    mark: Commit,
    work: impl FnOnce(&mut Writing<'_>) -> Result<T, StateError>,
) -> Result<Made<T>, StateError> {
    let path = &places.database;
    let wrong = |error: rusqlite::Error| sqlite_error(path, &error);
    let held = meta(connection, path)?;
    pages.follow(places)?;
    let mut last = mark;
    if is_behind(places, held, mark, pages.change)? {
        // A run died between the two; the mark's other block must be right before this one is written over.
        last = Commit {
            counter: held.counter,
            digest: match pages.change {
                Some(change) => mark.digest.wrapping_add(change),
                None => pages.sum(path)?,
            },
            previous: mark.digest,
        };
        mark::put(&places.mark, last)?;
    }
    let rows = Rows {
        connection,
        path,
        tick: last.counter,
    };
    let mut writing = Writing::new(rows);
    let value = work(&mut writing)?;
    let kinds = writing.kinds();
    let counter = last.counter + 1;
    connection
        .prepare_cached("UPDATE meta SET counter = ?, previous = ? WHERE id = 1")
        .and_then(|mut statement| {
            statement.execute(params![counter.cast_signed(), last.digest.to_le_bytes()])
        })
        .map_err(wrong)?;
    kinds.reached();
    connection.execute_batch("COMMIT").map_err(wrong)?;
    pages.follow(places)?;
    let change = pages.change.ok_or_else(|| {
        let told = "SQLite's log does not hold what SQLite says it committed";
        damaged(&places.log, told)
    })?;
    let next = Commit {
        counter,
        digest: last.digest.wrapping_add(change),
        previous: last.digest,
    };
    Ok(Made { value, next, kinds })
}

/// Moves SQLite's log into the database, unless somebody reads either; the guard is held. What does not work now does
/// later: the log holds all of it.
fn move_log(places: &Places, connection: &Connection) {
    let Ok(resting) = File::open(&places.mark) else {
        return;
    };
    if resting.try_lock().is_err() {
        return;
    }
    let moved = connection
        .busy_timeout(Duration::ZERO)
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .and_then(|()| connection.busy_timeout(Duration::from_secs(30)));
    drop(moved);
}

/// The last that is done with a state: its log is moved, so that looking at it touches nothing.
pub(super) fn rest(places: &Places, connection: &Connection) {
    if places.log.metadata().is_ok_and(|log| log.len() > 0)
        && let Ok(_guard) = hold(&places.guard, true)
        // what the mark was not told of is known by the log alone
        && let Ok(Some(mark)) = mark::read(&places.mark)
        && meta(connection, &places.database).is_ok_and(|held| held.counter == mark.counter)
    {
        move_log(places, connection);
    }
}
