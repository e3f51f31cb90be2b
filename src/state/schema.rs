//! The tables, and the digest of everything in them.
//!
//! All tables but the log are `WITHOUT ROWID` and have no index besides their key: what a scan reads is what every look-up
//! finds. The log is the one table that only grows; its rows are chained by digest, so its last row stands for all, and the chain is walked when the state is opened.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use xxhash_rust::xxh3::Xxh3Default;

use super::StateError;
use super::error::Trouble;
use super::mark::Commit;

/// The format this program writes and reads: SQLite's `user_version`.
pub(super) const FORMAT: i64 = 1;
/// SQLite's `application_id`: `shlf`.
const APPLICATION: i64 = 0x7368_6c66;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE feeds (
    feed TEXT PRIMARY KEY, last INTEGER NOT NULL, current INTEGER, published_at TEXT, pending INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE versions (
    feed TEXT NOT NULL, version INTEGER NOT NULL, channel TEXT NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL,
    digest TEXT NOT NULL, counts TEXT NOT NULL, sources TEXT NOT NULL, configuration TEXT NOT NULL, engine TEXT NOT NULL,
    now TEXT NOT NULL, recorded_at TEXT NOT NULL, published_at TEXT, who TEXT NOT NULL, plan TEXT, overrides TEXT NOT NULL,
    PRIMARY KEY (feed, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE files (
    feed TEXT NOT NULL, version INTEGER NOT NULL, ordinal INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    items INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, stored TEXT NOT NULL, stored_bytes INTEGER NOT NULL,
    PRIMARY KEY (feed, version, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    feed TEXT NOT NULL, version INTEGER NOT NULL, destination TEXT NOT NULL, receipt INTEGER,
    PRIMARY KEY (feed, version, destination)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipts (
    feed TEXT NOT NULL, version INTEGER NOT NULL, number INTEGER NOT NULL, destination TEXT NOT NULL, at TEXT NOT NULL,
    files TEXT NOT NULL,
    PRIMARY KEY (feed, version, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE pins (
    feed TEXT PRIMARY KEY, version INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    feed TEXT PRIMARY KEY, at TEXT NOT NULL, exit INTEGER NOT NULL, outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fences (scope TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE plans (
    plan TEXT PRIMARY KEY, digest TEXT NOT NULL, now TEXT NOT NULL, made_at TEXT NOT NULL, who TEXT NOT NULL,
    configuration TEXT NOT NULL, sources TEXT NOT NULL, document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE plan_feeds (
    plan TEXT NOT NULL, feed TEXT NOT NULL, channel TEXT NOT NULL, base INTEGER, counts TEXT NOT NULL,
    PRIMARY KEY (plan, feed)
) STRICT, WITHOUT ROWID;
CREATE TABLE plan_files (
    plan TEXT NOT NULL, feed TEXT NOT NULL, ordinal INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    items INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, stored TEXT NOT NULL, stored_bytes INTEGER NOT NULL,
    PRIMARY KEY (plan, feed, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE log (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, feed TEXT, version INTEGER,
    detail TEXT NOT NULL, chain TEXT NOT NULL
) STRICT;
INSERT INTO meta VALUES ('counter', 0);
";

/// What the digest reads, in this order; of the log the last row, which stands for those before it.
const READ: [&str; 14] = [
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
    "SELECT * FROM meta ORDER BY key",
    "SELECT * FROM feeds ORDER BY feed",
    "SELECT * FROM versions ORDER BY feed, version",
    "SELECT * FROM files ORDER BY feed, version, ordinal",
    "SELECT * FROM deliveries ORDER BY feed, version, destination",
    "SELECT * FROM receipts ORDER BY feed, version, number",
    "SELECT * FROM pins ORDER BY feed",
    "SELECT * FROM runs ORDER BY feed",
    "SELECT * FROM fences ORDER BY scope",
    "SELECT * FROM plans ORDER BY plan",
    "SELECT * FROM plan_feeds ORDER BY plan, feed",
    "SELECT * FROM plan_files ORDER BY plan, feed, ordinal",
    "SELECT * FROM log ORDER BY id DESC LIMIT 1",
];

/// Makes the tables in an empty database.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)
}

/// How every connection of ours is set: commits are on disk, file and folder, when they return.
pub(super) fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.execute_batch(
        "PRAGMA synchronous = EXTRA; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )
}

/// That the database is one of ours, and not of a newer program.
pub(super) fn check_format(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|error| StateError::sqlite(path, &error))
    };
    let (application, format) = (number("application_id")?, number("user_version")?);
    if application != APPLICATION {
        return Err(StateError::damaged(
            path,
            "it is empty, or no database of shelfcast",
        ));
    }
    if format > FORMAT {
        let mut error = StateError::damaged(
            path,
            format!(
                "a newer shelfcast wrote this state (format {format}; this one reads {FORMAT})"
            ),
        );
        error.trouble = Trouble::Newer;
        "update shelfcast; nothing was changed".clone_into(&mut error.hint);
        return Err(error);
    }
    if format < FORMAT {
        return Err(StateError::damaged(
            path,
            format!("its format is {format}, which no shelfcast wrote"),
        ));
    }
    Ok(())
}

/// The number and the digest of what the database holds now, also inside a transaction.
pub(super) fn commit(connection: &Connection) -> rusqlite::Result<Commit> {
    let mut digest = Xxh3Default::new();
    for query in READ {
        let mut statement = connection.prepare_cached(query)?;
        let columns = statement.column_count();
        digest.update(&[0xff]);
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                let (kind, bytes): (u8, &[u8]) = match row.get_ref(column)? {
                    ValueRef::Null => (0, &[]),
                    ValueRef::Integer(number) => {
                        digest.update(&[1]);
                        digest.update(&number.to_le_bytes());
                        continue;
                    }
                    ValueRef::Real(number) => {
                        digest.update(&[2]);
                        digest.update(&number.to_bits().to_le_bytes());
                        continue;
                    }
                    ValueRef::Text(text) => (3, text),
                    ValueRef::Blob(blob) => (4, blob),
                };
                digest.update(&[kind]);
                digest.update(&(bytes.len() as u64).to_le_bytes());
                digest.update(bytes);
            }
        }
    }
    let counter: i64 =
        connection.query_row("SELECT value FROM meta WHERE key = 'counter'", [], |row| {
            row.get(0)
        })?;
    Ok(Commit {
        counter: counter.unsigned_abs(),
        digest: digest.digest128(),
    })
}

/// What SQLite itself finds wrong with the file's structure.
pub(super) fn structure(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| StateError::sqlite(path, &error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StateError::damaged(
        path,
        format!("the database is damaged: {}", found.replace('\n', "; ")),
    ))
}
