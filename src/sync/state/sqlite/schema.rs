//! The tables, their statements, and what a database must be set to.
//!
//! All tables are without row numbers. A source's rows stand in the order in which they were first read: the next reading
//! most likely gives them in that order, and is compared with them as it comes.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::Connection;

use crate::state::{StateError, Trouble};

use super::{damaged, sqlite_error};

/// What `application_id` says: "SCsy".
const APPLICATION: i64 = 0x5343_7379;
/// What `user_version` says.
pub(in crate::sync::state) const FORMAT: i64 = 2;

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Sources,
    Observations,
    Positions,
    Levels,
    Totals,
    Remotes,
    Batches,
    Ledger,
    Events,
    Orders,
    Pauses,
    Held,
    Runs,
    Notes,
    Numbers,
}

/// Name, columns in order, and how many of them are the key.
type Shape = (&'static str, &'static [&'static str], usize);

impl Table {
    pub(super) const ALL: [Table; 15] = [
        Table::Sources,
        Table::Observations,
        Table::Positions,
        Table::Levels,
        Table::Totals,
        Table::Remotes,
        Table::Batches,
        Table::Ledger,
        Table::Events,
        Table::Orders,
        Table::Pauses,
        Table::Held,
        Table::Runs,
        Table::Notes,
        Table::Numbers,
    ];

    pub(super) fn shape(self) -> Shape {
        match self {
            Table::Sources => ("sources", &["name TEXT", "number INTEGER"], 1),
            Table::Observations => (
                "observations",
                &[
                    "source INTEGER",
                    "id INTEGER",
                    "key INTEGER",
                    "digest INTEGER",
                    "absent INTEGER",
                    "location TEXT",
                    "sku TEXT",
                    "quantity INTEGER NULL",
                    "committed INTEGER NULL",
                    "safety_stock INTEGER NULL",
                    "mark INTEGER NULL",
                    "tie TEXT NULL",
                ],
                2,
            ),
            Table::Positions => (
                "positions",
                &[
                    "source TEXT",
                    "read_at INTEGER",
                    "time INTEGER",
                    "cursor TEXT",
                    "row_count INTEGER",
                    "digest TEXT",
                    "proven INTEGER",
                    "files TEXT",
                ],
                1,
            ),
            Table::Levels => (
                "levels",
                &[
                    "place TEXT",
                    "sku TEXT",
                    "sync TEXT",
                    "wanted_quantity INTEGER NULL",
                    "wanted_version INTEGER NULL",
                    "wanted_at INTEGER NULL",
                    "known_quantity INTEGER NULL",
                    "known_version INTEGER NULL",
                    "known_at INTEGER NULL",
                    "flight INTEGER NULL",
                    "attempts INTEGER",
                    "not_before INTEGER NULL",
                    "standing TEXT NULL",
                    "class INTEGER NULL",
                ],
                2,
            ),
            // what the levels of a sync add up to, kept up level by level
            Table::Totals => (
                "totals",
                &[
                    "sync TEXT",
                    "place TEXT",
                    "levels INTEGER",
                    "positive INTEGER",
                    "units INTEGER",
                ],
                2,
            ),
            Table::Remotes => ("remotes", &["sku TEXT", "remote TEXT"], 1),
            Table::Batches => (
                "batches",
                &[
                    "id INTEGER",
                    "sync TEXT",
                    "key TEXT",
                    "made_at INTEGER",
                    "key_ends INTEGER NULL",
                    "unknown INTEGER",
                    "unknown_since INTEGER NULL",
                    "attempts INTEGER",
                    "items TEXT",
                ],
                1,
            ),
            Table::Ledger => (
                "ledger",
                &[
                    "id INTEGER",
                    "at INTEGER",
                    "sync TEXT",
                    "place TEXT",
                    "sku TEXT",
                    "version INTEGER",
                    "quantity INTEGER",
                    "earlier INTEGER NULL",
                    "batch INTEGER",
                    "what TEXT",
                    "code TEXT",
                    "message TEXT",
                ],
                1,
            ),
            Table::Events => (
                "events",
                &[
                    "source TEXT",
                    "id TEXT",
                    "number INTEGER",
                    "at INTEGER",
                    "merged INTEGER",
                    "observations TEXT",
                ],
                2,
            ),
            Table::Orders => (
                "orders",
                &["id INTEGER", "at INTEGER", "who TEXT", "said TEXT"],
                1,
            ),
            Table::Pauses => (
                "pauses",
                &["sync TEXT", "at INTEGER", "who TEXT", "reason TEXT"],
                1,
            ),
            Table::Held => (
                "held",
                &[
                    "id TEXT",
                    "number INTEGER",
                    "sync TEXT",
                    "at INTEGER",
                    "reasons TEXT",
                    "items TEXT",
                ],
                1,
            ),
            Table::Runs => (
                "runs",
                &[
                    "number INTEGER",
                    "sync TEXT",
                    "at INTEGER",
                    "exit INTEGER",
                    "words TEXT",
                    "compared INTEGER",
                    "changed INTEGER",
                    "accepted INTEGER",
                ],
                1,
            ),
            Table::Notes => ("notes", &["name TEXT", "value TEXT"], 1),
            Table::Numbers => ("numbers", &["name TEXT", "value INTEGER"], 1),
        }
    }

    pub(super) fn columns(self) -> impl Iterator<Item = &'static str> {
        let (_, columns, _) = self.shape();
        columns
            .iter()
            .map(|column| column.split_once(' ').map_or(*column, |(name, _)| name))
    }

    /// Its number in the sum.
    pub(super) fn tag(self) -> u8 {
        self as u8 + 1
    }

    /// Its statements.
    pub(super) fn sql(self) -> &'static Sql {
        static ALL: LazyLock<Vec<Sql>> =
            LazyLock::new(|| Table::ALL.iter().map(|table| Sql::of(*table)).collect());
        ALL.get(self as usize).expect("each table has statements")
    }
}

/// The statements of a table. Values are bound in the order of the columns.
pub(super) struct Sql {
    make: String,
    /// Puts a row in its place.
    pub(super) put: String,
    /// Takes the row of a key out.
    pub(super) remove: String,
}

impl Sql {
    fn of(table: Table) -> Self {
        let (name, columns, keys) = table.shape();
        let names: Vec<&str> = table.columns().collect();
        let (key, rest) = names.split_at(keys);
        let by_key = key
            .iter()
            .map(|column| format!("{column} = ?"))
            .collect::<Vec<_>>()
            .join(" AND ");
        let mut make = format!("CREATE TABLE {name} (");
        for column in columns {
            let (column, optional) = match column.strip_suffix(" NULL") {
                Some(column) => (column, ""),
                None => (*column, " NOT NULL"),
            };
            write!(make, "{column}{optional}, ").expect("texts take all");
        }
        let key_list = key.join(", ");
        write!(make, "PRIMARY KEY ({key_list})) STRICT, WITHOUT ROWID;").expect("texts take all");
        let marks = vec!["?"; names.len()].join(", ");
        let new = rest
            .iter()
            .map(|column| format!("{column} = excluded.{column}"))
            .collect::<Vec<_>>()
            .join(", ");
        Sql {
            make,
            put: format!(
                "INSERT INTO {name} VALUES ({marks}) ON CONFLICT ({key_list}) DO UPDATE SET {new}"
            ),
            remove: format!("DELETE FROM {name} WHERE {by_key}"),
        }
    }
}

/// The indexes besides the tables' keys. What is open, on its way or dead is found by its class, which most levels have none of.
const INDEXES: &str = "
CREATE INDEX observations_key ON observations (source, key);
CREATE INDEX observations_sku ON observations (source, sku);
CREATE INDEX levels_class ON levels (class, place, sku) WHERE class IS NOT NULL;
CREATE INDEX events_open ON events (number) WHERE merged = 0;
";

/// Makes the tables in an empty database.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    for table in Table::ALL {
        connection.execute_batch(&table.sql().make)?;
    }
    connection.execute_batch(INDEXES)?;
    connection.execute_batch(
        "CREATE TABLE meta (id INTEGER PRIMARY KEY, counter INTEGER NOT NULL, previous BLOB NOT NULL) STRICT;",
    )?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)
}

/// How every connection of ours is set: commits are on disk when they return, and the log moves into the database only when
/// we say so.
pub(super) fn settle(connection: &Connection, cache_mib: u32) -> rusqlite::Result<()> {
    use rusqlite::config::DbConfig;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{};",
        cache_mib * 1024
    ))
}

/// That the database is one of ours, and not of a newer program.
pub(super) fn check_format(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|error| sqlite_error(path, &error))
    };
    let (application, format) = (number("application_id")?, number("user_version")?);
    if application != APPLICATION {
        return Err(damaged(path, "it is empty, or no sync state of shelfcast"));
    }
    if format > FORMAT {
        let mut error = damaged(
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
        return Err(damaged(
            path,
            format!("its format is {format}; this shelfcast reads {FORMAT}"),
        ));
    }
    if number("auto_vacuum")? != 0 {
        return Err(damaged(path, FIRST_BYTES));
    }
    Ok(())
}

const FIRST_BYTES: &str = "the database is damaged: its first bytes are not those it was made with";

/// That SQLite would write the database as we made it: by way of a log.
pub(super) fn check_log(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(|error| sqlite_error(path, &error))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(damaged(path, FIRST_BYTES))
}
