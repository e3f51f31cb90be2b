//! How the last run of each feed ended: `status` says it, and nothing else depends on it.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::record::moment;
use super::{State, StateError};

/// How a run of a feed ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The feed.
    pub feed: String,
    /// When it ended.
    pub at: Timestamp,
    /// Its exit code.
    pub exit: u8,
    /// In a few words: `published`, `unchanged`, `held by gate removed`, …
    pub outcome: String,
}

impl State {
    /// Writes down how the last runs ended, one row a feed; all in one commit.
    ///
    /// # Errors
    /// A disk that refuses.
    pub fn ran(&self, runs: &[Run]) -> Result<(), StateError> {
        if runs.is_empty() {
            return Ok(());
        }
        self.change(|connection| {
            for run in runs {
                connection
                    .execute(
                        "INSERT OR REPLACE INTO runs VALUES (?1, ?2, ?3, ?4)",
                        params![run.feed, run.at.to_string(), run.exit, run.outcome],
                    )
                    .map_err(|error| self.wrong(&error))?;
            }
            Ok(())
        })
    }

    /// How the last run of a feed ended.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn last_run(&self, feed: &str) -> Result<Option<Run>, StateError> {
        self.look(|connection| {
            connection
                .prepare_cached("SELECT * FROM runs WHERE feed = ?1")?
                .query_row([feed], |row| {
                    Ok(Run {
                        feed: row.get("feed")?,
                        at: moment(row, "at")?.unwrap_or_default(),
                        exit: row.get("exit")?,
                        outcome: row.get("outcome")?,
                    })
                })
                .optional()
        })
    }
}
