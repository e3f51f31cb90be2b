//! Catalogs and stock from a database, by one query.
//!
//! Comes in: an address (`sqlite:shop.db`, `postgres://…`, `mysql://…`) and one query that only reads. Goes out: batches
//! with the query's columns, each value as exact text. The query runs in a read-only transaction with a time limit, its
//! rows are streamed. A connection lost on the way is an error, never an end. No message holds a password.

mod address;
#[cfg(feature = "sql")]
mod mysql;
#[cfg(feature = "sql")]
mod postgres;
#[cfg(feature = "sql")]
mod server;
mod sqlite;
#[cfg(test)]
mod tests;

use self::address::Address;
pub use self::address::Engine;
use super::background::Background;
use super::{Batch, RecordReader, SourceError, SourceProblem};

/// What a query may begin with.
const READING: [&str; 5] = ["select", "with", "values", "table", "show"];

/// Limits of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlOptions {
    /// Longest time that the database may take: in all for MySQL and MariaDB, between two rows or batches elsewhere; 0 is
    /// no limit.
    pub timeout_ms: u64,
}

impl Default for SqlOptions {
    fn default() -> Self {
        SqlOptions {
            timeout_ms: 300_000,
        }
    }
}

/// Reads the rows of a query.
pub struct SqlReader(Background);

/// Runs `query` on the database at `dsn`: `sqlite:PATH` (relative to the working folder), `postgres://…`, `mysql://…` or
/// `mariadb://…`.
///
/// # Errors
/// When the database is not there or refuses the connection, the query is none, is wrong, or does more than read, or this
/// program was built without the feature `sql` and the database is a server.
pub fn open(dsn: &str, query: &str, options: &SqlOptions) -> Result<SqlReader, SourceError> {
    let address = Address::parse(dsn)?;
    let first = first_word(query);
    if !READING.contains(&first.to_ascii_lowercase().as_str()) {
        let message = if first.is_empty() {
            "the query is empty".to_owned()
        } else {
            format!("the query begins with `{first}`, which does more than read")
        };
        return Err(
            SourceError::new(SourceProblem::Configuration, &address.shown, message)
                .hint("write one query that begins with SELECT or WITH"),
        );
    }
    let query = query.trim_end().trim_end_matches(';').to_owned();
    let options = *options;
    let name = address.shown.clone();
    let background = match address.engine {
        Engine::Sqlite => Background::start(&name, move |producer| {
            sqlite::read(&address, &query, options, producer)
        })?,
        #[cfg(feature = "sql")]
        Engine::Postgres => Background::start(&name, move |producer| {
            server::run(&address, || {
                postgres::read(&address, &query, options, producer)
            })
        })?,
        #[cfg(feature = "sql")]
        Engine::Mysql => Background::start(&name, move |producer| {
            server::run(&address, || {
                mysql::read(&address, &query, options, producer)
            })
        })?,
        #[cfg(not(feature = "sql"))]
        Engine::Postgres | Engine::Mysql => {
            return Err(SourceError::new(
                SourceProblem::Configuration,
                &name,
                "this program was built without the feature `sql`",
            )
            .hint("build it with `--features sql`, or export the query's result as CSV"));
        }
    };
    Ok(SqlReader(background))
}

impl RecordReader for SqlReader {
    fn columns(&self) -> &[String] {
        self.0.columns()
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        self.0.read_batch(batch)
    }

    fn remarks(&self) -> Vec<String> {
        self.0.remarks()
    }
}

/// Which database an address names.
///
/// # Errors
/// An address that names none that can be read.
pub fn engine(dsn: &str) -> Result<Engine, SourceError> {
    Address::parse(dsn).map(|address| address.engine)
}

/// The file of a SQLite address; `None` for a server's.
pub fn file(dsn: &str) -> Option<std::path::PathBuf> {
    let address = Address::parse(dsn).ok()?;
    (address.engine == Engine::Sqlite).then(|| address.target.into())
}

/// The query's first word, behind comments and parentheses.
fn first_word(query: &str) -> &str {
    let mut rest = query;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let comment = if rest.starts_with("--") || rest.starts_with('#') {
            rest.split_once('\n')
        } else if rest.starts_with("/*") {
            rest.split_once("*/")
        } else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            return rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        };
        match comment {
            Some((_, after)) => rest = after,
            None => return "",
        }
    }
}

/// Bytes that are text as text, others in hexadecimal with `\x` before.
fn text_or_hex(bytes: &[u8], out: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) => super::flat::push_clean(out, text),
        Err(_) => {
            out.push_str("\\x");
            for byte in bytes {
                out.push_str(&format!("{byte:02x}"));
            }
        }
    }
}

/// The error for a query that took too long.
fn too_slow(name: &str, options: SqlOptions) -> SourceError {
    SourceError::new(
        SourceProblem::NotWhole,
        name,
        format!("the query took longer than {} ms", options.timeout_ms),
    )
    .hint("make the query cheaper, or raise the source's time limit")
}
