//! Receipts: what arrived where, and the digest that proves it; and which version is the published one.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::recovery::{self, kill_point};

use super::record::{from_json, moment, signed, unsigned};
use super::{Action, Lock, State, StateError, action, record};

/// One file as it stands at a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFile {
    /// Its name there.
    pub name: String,
    /// Its bytes there, compressed where it is.
    pub bytes: u64,
    /// Hex of the SHA-256 of those bytes.
    pub sha256: String,
    /// How it was proven: `read-back`, `size-and-checksum` or `answer-only`.
    pub proof: String,
}

/// What arrived at one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its address, without secrets.
    pub destination: String,
    /// What stands there.
    pub files: Vec<ReceiptFile>,
    /// When it was proven.
    pub at: Timestamp,
}

/// Makes a version the pending one: every destination is to get it, once more where it had it before.
pub(super) fn offer(
    connection: &Connection,
    feed: &str,
    number: u64,
    destinations: &[String],
) -> rusqlite::Result<()> {
    // What was pending until now is given up. A published version that was only offered once more is what it was.
    connection.execute(
        "DELETE FROM deliveries WHERE feed = ?1 AND version <> ?2 AND receipt IS NULL AND EXISTS (
             SELECT 1 FROM versions v WHERE v.feed = ?1 AND v.version = deliveries.version AND v.published_at IS NOT NULL)",
        params![feed, signed(number)],
    )?;
    connection.execute(
        "DELETE FROM deliveries WHERE feed = ?1 AND version = ?2",
        params![feed, signed(number)],
    )?;
    for destination in destinations {
        connection.execute(
            "INSERT OR IGNORE INTO deliveries VALUES (?1, ?2, ?3, NULL)",
            params![feed, signed(number), destination],
        )?;
    }
    connection.execute(
        "UPDATE feeds SET pending = ?2 WHERE feed = ?1",
        params![feed, signed(number)],
    )?;
    Ok(())
}

impl State {
    /// Says that a kept version is to be delivered (again): a rollback, or destinations that were added. It becomes the
    /// pending version; each destination awaits a new receipt.
    ///
    /// # Errors
    /// An unknown version, a lost lock, a disk that refuses.
    pub fn offer(
        &self,
        lock: &Lock,
        feed: &str,
        number: u64,
        destinations: &[String],
    ) -> Result<(), StateError> {
        self.change(|connection| {
            self.check_fence(connection, lock)?;
            self.known(connection, feed, number)?;
            offer(connection, feed, number, destinations).map_err(|error| self.wrong(&error))
        })
    }

    /// Keeps a receipt.
    ///
    /// # Errors
    /// An unknown version, a lost lock, a disk that refuses.
    pub fn receipt(
        &self,
        lock: &Lock,
        feed: &str,
        number: u64,
        receipt: &Receipt,
    ) -> Result<(), StateError> {
        kill_point(recovery::P8);
        self.change(|connection| {
            self.check_fence(connection, lock)?;
            self.known(connection, feed, number)?;
            let rows = (|| {
                // Over all versions: the order of receipts is theirs, whatever the clock said.
                let count: i64 = connection.query_row(
                    "SELECT ifnull(max(number), 0) + 1 FROM receipts WHERE feed = ?1",
                    [feed],
                    |row| row.get(0),
                )?;
                connection.execute(
                    "INSERT INTO receipts VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        feed,
                        signed(number),
                        count,
                        receipt.destination,
                        receipt.at.to_string(),
                        record::json(&receipt.files)
                    ],
                )?;
                connection.execute(
                    "INSERT INTO deliveries VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (feed, version, destination) DO UPDATE SET receipt = ?4",
                    params![feed, signed(number), receipt.destination, count],
                )
            })();
            rows.map(drop)
                .map_err(|error: rusqlite::Error| self.wrong(&error))
        })
    }

    /// Says that a version is the published one: every destination that was to get it has.
    ///
    /// # Errors
    /// An unknown version, a destination without a receipt, a lost lock, a disk that refuses.
    pub fn published(
        &self,
        lock: &Lock,
        feed: &str,
        number: u64,
        at: Timestamp,
        who: &str,
    ) -> Result<(), StateError> {
        self.change(|connection| {
            self.check_fence(connection, lock)?;
            self.known(connection, feed, number)?;
            let awaited = awaited(connection, feed, number).map_err(|error| self.wrong(&error))?;
            if let Some(destination) = awaited.first() {
                return Err(StateError::unknown(
                    format!("version {number} of feed `{feed}` has no receipt from `{destination}`"),
                    "deliver it first",
                ));
            }
            let rows = (|| {
                let set = params![feed, signed(number), at.to_string()];
                connection.execute(
                    "UPDATE versions SET published_at = ?3 WHERE feed = ?1 AND version = ?2",
                    set,
                )?;
                connection.execute(
                    "UPDATE feeds SET current = ?2, published_at = ?3, pending = NULL WHERE feed = ?1",
                    set,
                )?;
                let mut entry = Action::new(at, who, "publish");
                entry.feed = Some(feed.to_owned());
                entry.version = Some(number);
                action::append(connection, &entry)
            })();
            rows.map_err(|error: rusqlite::Error| self.wrong(&error))
        })
    }

    /// A version's receipts, oldest first.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn receipts(&self, feed: &str, number: u64) -> Result<Vec<Receipt>, StateError> {
        self.look(|connection| {
            connection
                .prepare_cached(
                    "SELECT destination, at, files FROM receipts WHERE feed = ?1 AND version = ?2 ORDER BY number",
                )?
                .query_map(params![feed, signed(number)], |row| {
                    Ok(Receipt {
                        destination: row.get("destination")?,
                        files: from_json(row, "files")?,
                        at: moment(row, "at")?.unwrap_or_default(),
                    })
                })?
                .collect()
        })
    }

    /// What a destination confirmed, with the version, whatever that is: in the order in which it did, not by the clock,
    /// which may have been put back since.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn confirmed(
        &self,
        feed: &str,
        destination: &str,
    ) -> Result<Vec<(u64, Receipt)>, StateError> {
        self.look(|connection| {
            connection
                .prepare_cached(
                    "SELECT version, destination, at, files FROM receipts WHERE feed = ?1 AND destination = ?2
                     ORDER BY number, version",
                )?
                .query_map(params![feed, destination], |row| {
                    let receipt = Receipt {
                        destination: row.get("destination")?,
                        files: from_json(row, "files")?,
                        at: moment(row, "at")?.unwrap_or_default(),
                    };
                    Ok((unsigned(row.get("version")?), receipt))
                })?
                .collect()
        })
    }

    /// The destinations of a version that have not confirmed it, by address.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn awaited(&self, feed: &str, number: u64) -> Result<Vec<String>, StateError> {
        self.look(|connection| awaited(connection, feed, number))
    }

    /// When the feed was published last, whatever version; `None` before the first time.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn published_at(&self, feed: &str) -> Result<Option<Timestamp>, StateError> {
        self.look(|connection| {
            let at = connection
                .query_row(
                    "SELECT published_at FROM feeds WHERE feed = ?1",
                    [feed],
                    |row| moment(row, "published_at"),
                )
                .optional()?;
            Ok(at.flatten())
        })
    }

    pub(super) fn known(
        &self,
        connection: &Connection,
        feed: &str,
        number: u64,
    ) -> Result<(), StateError> {
        let there: Option<i64> = connection
            .query_row(
                "SELECT version FROM versions WHERE feed = ?1 AND version = ?2",
                params![feed, signed(number)],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.wrong(&error))?;
        match there.map(unsigned) {
            Some(_) => Ok(()),
            None => Err(StateError::unknown(
                format!("there is no version {number} of feed `{feed}`"),
                format!("`shelfcast history {feed}` lists those that are kept"),
            )),
        }
    }
}

fn awaited(connection: &Connection, feed: &str, number: u64) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT destination FROM deliveries WHERE feed = ?1 AND version = ?2 AND receipt IS NULL ORDER BY destination",
        )?
        .query_map(params![feed, signed(number)], |row| row.get(0))?
        .collect()
}
