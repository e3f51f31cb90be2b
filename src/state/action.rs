//! Who did what: a log that only grows, each row chained to the one before by digest.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::record::{moment, signed, unsigned};
use super::{State, StateError, store};

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What: `record`, `publish`, `override`, `pin`, `unpin`, `prune`, `plan`, …
    pub what: String,
    /// Of which feed.
    pub feed: Option<String>,
    /// Of which version.
    pub version: Option<u64>,
    /// What else is to be said.
    pub detail: String,
}

impl Action {
    /// Something done, of no feed yet.
    pub fn new(at: Timestamp, who: &str, what: &str) -> Self {
        Action {
            at,
            who: who.to_owned(),
            what: what.to_owned(),
            feed: None,
            version: None,
            detail: String::new(),
        }
    }
}

/// The digest that chains a row to the one before it: over the row's cells as they stand in the database.
fn chain(id: i64, before: &str, cells: &Cells<'_>) -> String {
    let mut digest = Sha256::new();
    let version = cells.version.map(|number| number.to_string());
    for part in [
        before,
        &id.to_string(),
        cells.at,
        cells.who,
        cells.what,
        cells.feed.unwrap_or("\0"),
        version.as_deref().unwrap_or("\0"),
        cells.detail,
    ] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    store::hex(&digest.finalize())
}

/// A row of the log.
struct Cells<'c> {
    at: &'c str,
    who: &'c str,
    what: &'c str,
    feed: Option<&'c str>,
    version: Option<i64>,
    detail: &'c str,
}

impl<'c> Cells<'c> {
    fn of(row: &'c Row<'_>) -> rusqlite::Result<Self> {
        let text = |column: &str| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
        Ok(Cells {
            at: text("at")?,
            who: text("who")?,
            what: text("what")?,
            feed: row.get_ref("feed")?.as_str_or_null()?,
            version: row.get("version")?,
            detail: text("detail")?,
        })
    }
}

/// Which actions are meant; the default is all.
#[derive(Clone, Debug, Default)]
pub struct ActionFilter {
    /// Of this feed.
    pub feed: Option<String>,
    /// Of this kind.
    pub what: Option<String>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// The newest so many.
    pub last: Option<usize>,
}

/// What was done, oldest first.
pub type Actions = Vec<Action>;

/// Who runs the program: `SHELFCAST_WHO`, else the user's name.
pub fn who() -> String {
    use crate::config::env::get;
    ["SHELFCAST_WHO", "LOGNAME", "USER", "USERNAME"]
        .iter()
        .find_map(|name| get(name).filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Adds a row, inside a change.
pub(super) fn append(connection: &Connection, action: &Action) -> rusqlite::Result<()> {
    let last: Option<(i64, String)> = connection
        .query_row(
            "SELECT id, chain FROM log ORDER BY id DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (id, before) = last.map_or((1, String::new()), |(id, chain)| (id + 1, chain));
    let at = action.at.to_string();
    let cells = Cells {
        at: &at,
        who: &action.who,
        what: &action.what,
        feed: action.feed.as_deref(),
        version: action.version.map(signed),
        detail: &action.detail,
    };
    let chained = chain(id, &before, &cells);
    connection.execute(
        "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            id,
            at,
            action.who,
            action.what,
            action.feed,
            action.version.map(signed),
            action.detail,
            chained
        ],
    )?;
    Ok(())
}

/// Reads all rows and checks their chain; the number of the first that is not what was written, where there is one.
pub(super) fn walk(
    connection: &Connection,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<Result<u64, i64>> {
    let mut statement = connection.prepare_cached("SELECT * FROM log ORDER BY id")?;
    let mut rows = statement.query([])?;
    let (mut before, mut expected) = (String::new(), 1);
    while let Some(row) = rows.next()? {
        let id: i64 = row.get("id")?;
        let written: String = row.get("chain")?;
        if id != expected || written != chain(id, &before, &Cells::of(row)?) {
            return Ok(Err(expected));
        }
        each(row)?;
        before = written;
        expected += 1;
    }
    Ok(Ok(unsigned(expected - 1)))
}

/// What the log says of a broken chain.
pub(super) fn broken(database: &Path, id: i64) -> StateError {
    StateError::damaged(
        database,
        format!(
            "row {id} of the audit log is not what was written: it was changed, removed or moved"
        ),
    )
}

fn read(connection: &Connection) -> rusqlite::Result<Result<Actions, i64>> {
    let mut actions = Vec::new();
    let walked = walk(connection, |row| {
        let version: Option<i64> = row.get("version")?;
        actions.push(Action {
            at: moment(row, "at")?.unwrap_or_default(),
            who: row.get("who")?,
            what: row.get("what")?,
            feed: row.get("feed")?,
            version: version.map(unsigned),
            detail: row.get("detail")?,
        });
        Ok(())
    })?;
    Ok(walked.map(|_| actions))
}

impl State {
    /// Writes down what somebody did.
    ///
    /// # Errors
    /// A disk that refuses.
    pub fn log(&self, action: &Action) -> Result<(), StateError> {
        self.change(|connection| append(connection, action).map_err(|error| self.wrong(&error)))
    }

    /// What was done, oldest first. The whole log is read and its chain checked, whatever is asked for.
    ///
    /// # Errors
    /// A row that was changed, removed or moved; a state that cannot be read.
    pub fn actions(&self, filter: &ActionFilter) -> Result<Actions, StateError> {
        let mut actions = self
            .look(read)?
            .map_err(|id| broken(&self.places.database, id))?;
        actions.retain(|action| filter.feed.is_none() || filter.feed == action.feed);
        actions.retain(|action| {
            filter.what.as_ref().is_none_or(|what| *what == action.what)
                && filter.since.is_none_or(|since| action.at >= since)
        });
        if let Some(last) = filter.last {
            let first = actions.len().saturating_sub(last);
            actions.drain(..first);
        }
        Ok(actions)
    }
}
