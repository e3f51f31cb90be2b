//! Pins: a feed that was rolled back stays where it is until somebody says otherwise.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::record::{moment, signed, unsigned};
use super::{Action, State, StateError, action};

/// A feed held at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The feed.
    pub feed: String,
    /// The version it stays at.
    pub version: u64,
    /// Who pinned it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl State {
    /// Pins a feed to a version; an earlier pin is replaced.
    ///
    /// # Errors
    /// An unknown version; a disk that refuses.
    pub fn pin(
        &self,
        feed: &str,
        number: u64,
        who: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StateError> {
        self.change(|connection| {
            self.known(connection, feed, number)?;
            let rows = (|| {
                connection.execute(
                    "INSERT OR REPLACE INTO pins VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![feed, signed(number), who, reason, at.to_string()],
                )?;
                let mut entry = Action::new(at, who, "pin");
                entry.feed = Some(feed.to_owned());
                entry.version = Some(number);
                reason.clone_into(&mut entry.detail);
                action::append(connection, &entry)
            })();
            rows.map_err(|error: rusqlite::Error| self.wrong(&error))
        })
    }

    /// Takes a feed's pin away; whether there was one.
    ///
    /// # Errors
    /// A disk that refuses.
    pub fn unpin(
        &self,
        feed: &str,
        who: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<bool, StateError> {
        if self.pinned(feed)?.is_none() {
            return Ok(false);
        }
        self.change(|connection| {
            let rows = (|| {
                let taken = connection.execute("DELETE FROM pins WHERE feed = ?1", [feed])?;
                let mut entry = Action::new(at, who, "unpin");
                entry.feed = Some(feed.to_owned());
                reason.clone_into(&mut entry.detail);
                action::append(connection, &entry)?;
                Ok(taken > 0)
            })();
            rows.map_err(|error: rusqlite::Error| self.wrong(&error))
        })
    }

    /// A feed's pin.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn pinned(&self, feed: &str) -> Result<Option<Pin>, StateError> {
        self.look(|connection| {
            connection
                .prepare_cached("SELECT * FROM pins WHERE feed = ?1")?
                .query_row([feed], read)
                .optional()
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Pin> {
    Ok(Pin {
        feed: row.get("feed")?,
        version: unsigned(row.get("version")?),
        who: row.get("who")?,
        reason: row.get("reason")?,
        at: moment(row, "at")?.unwrap_or_default(),
    })
}
