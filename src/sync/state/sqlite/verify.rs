//! A look at one commit of the database, and whether it is whole.
//!
//! A snapshot is taken while nobody commits, and then stays as it is however long it is looked at. Where nothing waits in
//! SQLite's log, it reads the database file alone and touches nothing on the disk; meanwhile the log is not moved into
//! the file, which the mark's lock tells to those who would.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::state::StateError;
use crate::state::verify::hold;

use super::files::Places;
use super::mark::{self, Commit};
use super::pages::Pages;
use super::{damaged, schema, sqlite_error};

/// The database's own word of its last commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) counter: u64,
    /// The digest of the commit before: no database can hold its own.
    pub(super) previous: u128,
}

/// What the database says of its last commit.
pub(super) fn meta(connection: &Connection, path: &Path) -> Result<Meta, StateError> {
    let (counter, previous): (i64, Vec<u8>) = connection
        .prepare_cached("SELECT counter, previous FROM meta WHERE id = 1")
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(|error| sqlite_error(path, &error))?;
    let previous = previous.try_into().map(u128::from_le_bytes);
    Ok(Meta {
        counter: counter.cast_unsigned(),
        previous: previous.map_err(|_| damaged(path, "its digest is none"))?,
    })
}

/// Whether the mark has yet to hear of the database's last commit, since a run died between the two; an error where they do
/// not belong together. `change` is what the last commit in SQLite's log made of the sum before it.
pub(super) fn is_behind(
    places: &Places,
    held: Meta,
    mark: Commit,
    change: Option<u128>,
) -> Result<bool, StateError> {
    let (counter, known) = (held.counter, mark.counter);
    if counter == known && held.previous == mark.previous {
        return Ok(false);
    }
    // the log is not moved before the mark was told; the first commit was never in one
    let died = change.is_some() || known == 0;
    if counter == known + 1 && held.previous == mark.digest && died {
        return Ok(true);
    }
    let name = places.mark_name();
    let message = if counter < known {
        format!(
            "the database is older than its mark `{name}`: it holds commit {counter}, and {known} was kept; was a copy put back?"
        )
    } else if counter > known {
        format!(
            "the database is newer than its mark `{name}`: it holds commit {counter}, and the mark knows {known}; was a copy of the mark put back?"
        )
    } else {
        format!(
            "the database is not what was committed: what it says of commit {counter} is not what its mark `{name}` says"
        )
    };
    Err(damaged(&places.database, message))
}

/// One commit, as a connection sees it.
pub(super) struct Snapshot {
    pub(super) connection: Connection,
    /// Its number.
    pub(super) counter: u64,
    pub(super) pages: Pages,
    mark: Commit,
    /// The mark has yet to hear of it.
    behind: bool,
    /// While it is held, the log is not moved into the database.
    _resting: File,
}

impl Snapshot {
    /// Takes the newest commit.
    pub(super) fn take(places: &Places, cache_mib: u32) -> Result<Self, StateError> {
        let path = &places.database;
        let wrong = |error: rusqlite::Error| sqlite_error(path, &error);
        let guard = hold(&places.guard, false)?;
        let mark = mark::read(&places.mark)?.ok_or_else(|| places.lost_mark())?;
        let resting = File::open(&places.mark)
            .and_then(|file| file.lock_shared().map(|()| file))
            .map_err(|error| StateError::disk(&places.mark, "lock the mark", &error))?;
        let at_rest = at_rest(places);
        let connection = look_at(places).map_err(wrong)?;
        schema::settle(&connection, cache_mib).map_err(wrong)?;
        schema::check_format(&connection, path)?;
        connection.execute_batch("BEGIN").map_err(wrong)?;
        let held = meta(&connection, path)?;
        if at_rest {
            length(&connection, path)?;
        }
        let mut pages = Pages::default();
        pages.follow(places)?;
        let behind = is_behind(places, held, mark, pages.change)?;
        drop(guard);
        Ok(Snapshot {
            connection,
            counter: held.counter,
            pages,
            mark,
            behind,
            _resting: resting,
        })
    }

    /// That every page is what was committed. Of a commit that the mark has not heard of, the one before is verified, and
    /// what came since SQLite did when it read its log.
    pub(super) fn verify(&self, places: &Places) -> Result<(), StateError> {
        let sum = self.pages.sum(&places.database)?;
        let change = if self.behind { self.pages.change } else { None };
        let first = self.mark.counter == 0;
        if first || sum.wrapping_sub(change.unwrap_or(0)) == self.mark.digest {
            return Ok(());
        }
        Err(damaged(
            &places.database,
            format!(
                "the database is not what was committed: its pages do not add up to commit {}",
                self.mark.counter
            ),
        ))
    }
}

/// Whether nothing waits in SQLite's log.
pub(super) fn at_rest(places: &Places) -> bool {
    let log = places.log.metadata();
    log.map_or(true, |metadata| metadata.len() == 0)
}

/// A connection that only reads. Of a database at rest it reads the file alone, and touches nothing beside it.
pub(in crate::sync::state) fn look_at(places: &Places) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if at_rest(places) {
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(uri(&places.database), flags)
    } else {
        Connection::open_with_flags(&places.database, flags)
    }
}

/// That no byte of the file is missing: SQLite reads a last page that is cut as if zeros followed.
fn length(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|error| sqlite_error(path, &error))
    };
    let wanted = number("page_count")? * number("page_size")?;
    let there = path
        .metadata()
        .map_err(|error| StateError::disk(path, "look at the database", &error))?
        .len();
    if there == wanted {
        return Ok(());
    }
    Err(damaged(
        path,
        format!("the database is cut: it has {there} bytes, and should have {wanted}"),
    ))
}

/// The address of a database file that nobody changes while it is read.
fn uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri + "?mode=ro&immutable=1"
}
