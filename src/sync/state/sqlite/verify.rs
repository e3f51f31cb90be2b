//! A look at one commit of the database, and whether it is whole.
//!
//! A snapshot is taken while nobody commits, and then stays as it is however long it is looked at. Where nothing waits in
//! SQLite's log, it reads the database file alone and touches nothing on the disk; meanwhile the log is not moved into
//! the file, which the mark's lock tells to those who would.

use std::fs::File;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::state::StateError;
use crate::state::verify::hold;

use super::digest::{row_digest, schema_digest};
use super::files::Places;
use super::index::{INDEXES, Index};
use super::mark::{self, Commit};
use super::schema::{self, Table};
use super::{damaged, sqlite_error};

/// The database's own word of its last commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) commit: Commit,
    /// The digest of the commit before.
    pub(super) previous: u128,
}

/// What the database says of its last commit.
pub(super) fn meta(connection: &Connection, path: &Path) -> Result<Meta, StateError> {
    let digest = |bytes: Vec<u8>| bytes.try_into().map(u128::from_le_bytes).ok();
    let row = connection
        .prepare_cached("SELECT counter, digest, previous FROM meta WHERE id = 1")
        .and_then(|mut statement| {
            statement.query_row([], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
            })
        })
        .map_err(|error| sqlite_error(path, &error))?;
    match (digest(row.1), digest(row.2)) {
        (Some(digest), Some(previous)) => Ok(Meta {
            commit: Commit {
                counter: row.0.cast_unsigned(),
                digest,
            },
            previous,
        }),
        _ => Err(damaged(path, "its digest is none")),
    }
}

/// Whether the mark has yet to hear of the database's last commit; an error where the two do not belong together.
pub(super) fn is_behind(places: &Places, held: Meta, mark: Commit) -> Result<bool, StateError> {
    if held.commit == mark {
        return Ok(false);
    }
    let (counter, known) = (held.commit.counter, mark.counter);
    if counter == known + 1 && held.previous == mark.digest {
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
            "the database is not what was committed: its digest is not that of commit {counter}"
        )
    };
    Err(damaged(&places.database, message))
}

/// One commit, as several connections see it.
pub(super) struct Snapshot {
    pub(super) connections: Vec<Connection>,
    /// Which.
    pub(super) commit: Commit,
    /// While it is held, the log is not moved into the database.
    _resting: File,
}

impl Snapshot {
    /// Takes so many connections to the same commit.
    pub(super) fn take(places: &Places, many: usize, cache_mib: u32) -> Result<Self, StateError> {
        let wrong = |error: rusqlite::Error| sqlite_error(&places.database, &error);
        let guard = hold(&places.guard, false)?;
        let mark = mark::read(&places.mark)?.ok_or_else(|| places.lost_mark())?;
        let resting = File::open(&places.mark)
            .and_then(|file| file.lock_shared().map(|()| file))
            .map_err(|error| StateError::disk(&places.mark, "lock the mark", &error))?;
        let at_rest = at_rest(places);
        let mut connections = Vec::with_capacity(many);
        let mut held = None;
        for _ in 0..many {
            let connection = look_at(places).map_err(wrong)?;
            schema::settle(&connection, cache_mib).map_err(wrong)?;
            schema::check_format(&connection, &places.database)?;
            connection.execute_batch("BEGIN").map_err(wrong)?;
            held = Some(meta(&connection, &places.database)?);
            if at_rest {
                length(&connection, &places.database)?;
            }
            connections.push(connection);
        }
        let held = held.expect("one connection at least is asked for");
        is_behind(places, held, mark)?;
        drop(guard);
        Ok(Snapshot {
            connections,
            commit: held.commit,
            _resting: resting,
        })
    }

    /// That every row and every index entry is what was committed. Two connections are looked at by two threads.
    pub(super) fn verify(&mut self, places: &Places) -> Result<(), StateError> {
        let path = &places.database;
        let Some((first, rest)) = self.connections.split_first_mut() else {
            return Ok(());
        };
        let digest = schema_digest(first).map_err(|error| sqlite_error(path, &error))?;
        let (large, small) = Table::ALL
            .into_iter()
            .partition::<Vec<Table>, _>(|table| *table == Table::Observations);
        let (one, other) = match rest.first_mut() {
            Some(second) => std::thread::scope(|scope| {
                let aside = scope.spawn(move || tables(second, path, &large));
                let here = tables(first, path, &small);
                let aside = aside.join().expect("reading does not panic");
                (here, aside)
            }),
            None => (tables(first, path, &small), tables(first, path, &large)),
        };
        if digest.wrapping_add(one?).wrapping_add(other?) == self.commit.digest {
            return Ok(());
        }
        Err(damaged(
            path,
            format!(
                "the database is not what was committed: its rows do not add up to commit {}",
                self.commit.counter
            ),
        ))
    }
}

/// The sum over tables; an error where a tree is out of order or an index is not that of its table.
fn tables(connection: &Connection, path: &Path, tables: &[Table]) -> Result<u128, StateError> {
    let mut sum: u128 = 0;
    for table in tables {
        sum = sum.wrapping_add(scan(connection, path, *table)?);
    }
    Ok(sum)
}

/// The sum over one table.
fn scan(connection: &Connection, path: &Path, table: Table) -> Result<u128, StateError> {
    let indexes: Vec<&Index> = INDEXES
        .iter()
        .filter(|index| index.table == table)
        .collect();
    let mut wanted = vec![0_u128; indexes.len()];
    let mut buffer = Vec::new();
    let mut sum: u128 = 0;
    let key: Vec<usize> = (0..table.keys()).collect();
    walk(connection, path, &table.sql().scan, &key, |row| {
        sum = sum.wrapping_add(row_digest(table.tag(), row.iter().copied(), &mut buffer));
        for (index, wanted) in indexes.iter().zip(&mut wanted) {
            if index.only.holds(row) {
                let entry = index.columns.iter().filter_map(|at| row.get(*at).copied());
                *wanted = wanted.wrapping_add(row_digest(0, entry, &mut buffer));
            }
        }
    })?;
    for (index, wanted) in indexes.iter().zip(wanted) {
        let mut found: u128 = 0;
        let key: Vec<usize> = (0..index.columns.len()).collect();
        walk(connection, path, index.scan, &key, |entry| {
            found = found.wrapping_add(row_digest(0, entry.iter().copied(), &mut buffer));
        })?;
        if found != wanted {
            return Err(damaged(
                path,
                format!("an index of `{}` is not that of its rows", table.name()),
            ));
        }
    }
    Ok(sum)
}

/// Goes through what a query gives, which must be in strict order of the columns `key`.
fn walk(
    connection: &Connection,
    path: &Path,
    query: &str,
    key: &[usize],
    mut tell: impl FnMut(&[ValueRef<'_>]),
) -> Result<(), StateError> {
    let wrong = |error: rusqlite::Error| sqlite_error(path, &error);
    let mut statement = connection.prepare(query).map_err(wrong)?;
    let columns = statement.column_count();
    let mut rows = statement.query([]).map_err(wrong)?;
    let (mut last, mut this) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next().map_err(wrong)? {
        let mut values = [ValueRef::Null; 16];
        for (column, value) in values.iter_mut().enumerate().take(columns) {
            *value = row.get_ref(column).map_err(wrong)?;
        }
        let values = values.get(..columns).unwrap_or_default();
        this.clear();
        for value in key.iter().filter_map(|column| values.get(*column)) {
            ordered(*value, &mut this);
        }
        if !last.is_empty() && last >= this {
            return Err(damaged(
                path,
                "the database is damaged: a tree is out of order",
            ));
        }
        std::mem::swap(&mut last, &mut this);
        tell(values);
    }
    Ok(())
}

/// Bytes that compare as SQLite compares the value.
fn ordered(value: ValueRef<'_>, into: &mut Vec<u8>) {
    match value {
        ValueRef::Null => into.push(0),
        ValueRef::Integer(number) => {
            into.push(1);
            into.extend_from_slice(&(number ^ i64::MIN).to_be_bytes());
        }
        ValueRef::Real(_) => into.push(2),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            into.push(3);
            match memchr::memchr(0, bytes) {
                None => into.extend_from_slice(bytes),
                // A zero must not look like the end.
                Some(_) => bytes.iter().for_each(|byte| match byte {
                    0 => into.extend_from_slice(&[0, 255]),
                    byte => into.push(*byte),
                }),
            }
            into.extend_from_slice(&[0, 0]);
        }
    }
}

/// Whether nothing waits in SQLite's log.
fn at_rest(places: &Places) -> bool {
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
