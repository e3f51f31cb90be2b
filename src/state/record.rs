//! Keeping versions and finding them again: the rows of `versions`, `files` and `feeds`.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::recovery::{self, kill_point};

use super::{
    Action, Lock, NewVersion, Role, StagedFile, State, StateError, Version, VersionFile, action,
    store,
};

/// Hex of the SHA-256 over documents' names, digests and roles: equal for versions whose every byte is equal.
pub(super) fn digest(files: &[VersionFile]) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for file in files.iter().filter(|file| file.role.is_delivered()) {
        digest.update(file.role.as_str());
        digest.update([0]);
        digest.update(&file.name);
        digest.update([0]);
        digest.update(&file.sha256);
        digest.update([0]);
    }
    store::hex(&digest.finalize())
}

impl State {
    /// Keeps a version: its bytes are compressed and on disk, file and folder, before its row is committed. It is then the
    /// feed's pending version. Memory does not grow with the bytes.
    ///
    /// # Errors
    /// A disk that refuses, a staged file that is not what it is said to be, or a lock that another run has taken over;
    /// the state is then as it was.
    pub fn record_version(&self, lock: &Lock, new: &NewVersion<'_>) -> Result<u64, StateError> {
        store::check_name("feed", new.feed)?;
        self.look_fence(lock)?;
        let number = 1 + self.look(|connection| last(connection, new.feed))?;
        let feed_folder = self.places.versions.join(new.feed);
        super::private::folder(&feed_folder)?;
        let target = feed_folder.join(number.to_string());
        let below = format!("versions/{}/{number}", new.feed);
        let kept = store::keep(
            &feed_folder,
            &target,
            &below,
            &staged(new.files, new.items_log, new.bodies),
        )?;
        kill_point(recovery::M3);
        let recorded = self.change(|connection| {
            self.check_fence(connection, lock)?;
            self.insert(connection, new, number, &kept)
        });
        if recorded.is_err() && matches!(self.version(new.feed, number), Ok(None)) {
            // Without its row the folder is nobody's; the next version of this number takes it away too.
            drop(std::fs::remove_dir_all(&target));
        }
        recorded.map(|()| number)
    }

    fn insert(
        &self,
        connection: &Connection,
        new: &NewVersion<'_>,
        number: u64,
        kept: &[VersionFile],
    ) -> Result<(), StateError> {
        if last(connection, new.feed).map_err(|error| self.wrong(&error))? + 1 != number {
            return Err(StateError::new(
                super::Trouble::Stale,
                format!(
                    "another run recorded a version of feed `{}` meanwhile",
                    new.feed
                ),
                "run again",
            ));
        }
        let documents = || kept.iter().filter(|file| file.role.is_delivered());
        let rows = (|| {
            connection.execute(
                "INSERT INTO versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, NULL, ?13, ?14, ?15)",
                params![
                    new.feed,
                    signed(number),
                    new.channel,
                    signed(new.counts.written),
                    signed(documents().map(|file| file.bytes).sum()),
                    digest(kept),
                    json(&new.counts),
                    json(&new.source_digests),
                    new.configuration_digest,
                    new.engine,
                    new.now.to_string(),
                    new.at.to_string(),
                    new.who,
                    new.plan,
                    json(&new.overrides),
                ],
            )?;
            for (ordinal, file) in kept.iter().enumerate() {
                connection.execute(
                    "INSERT INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    params![
                        new.feed,
                        signed(number),
                        signed(ordinal as u64),
                        file.name,
                        file.role.as_str(),
                        signed(file.items),
                        signed(file.bytes),
                        file.sha256,
                        file.stored,
                        signed(file.stored_bytes),
                    ],
                )?;
            }
            connection.execute(
                "INSERT INTO feeds (feed, last) VALUES (?1, ?2) ON CONFLICT (feed) DO UPDATE SET last = ?2",
                params![new.feed, signed(number)],
            )?;
            super::receipt::offer(connection, new.feed, number, &new.destinations)?;
            let mut entry = Action::new(new.at, new.who, "record");
            entry.feed = Some(new.feed.to_owned());
            entry.version = Some(number);
            entry.detail = format!("{} items for `{}`", new.counts.written, new.channel);
            action::append(connection, &entry)?;
            for allowed in &new.overrides {
                let mut entry = Action::new(allowed.at, &allowed.who, "override");
                entry.feed = Some(new.feed.to_owned());
                entry.version = Some(number);
                entry.detail = format!("gate `{}` let pass: {}", allowed.gate, allowed.reason);
                action::append(connection, &entry)?;
            }
            Ok(())
        })();
        rows.map_err(|error: rusqlite::Error| self.wrong(&error))
    }

    /// The version that was published last; `None` before the first.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn current(&self, feed: &str) -> Result<Option<Version>, StateError> {
        self.pointed(feed, "SELECT current FROM feeds WHERE feed = ?1")
    }

    /// The version that was recorded, or offered once more, and is not published yet.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn pending(&self, feed: &str) -> Result<Option<Version>, StateError> {
        self.pointed(feed, "SELECT pending FROM feeds WHERE feed = ?1")
    }

    fn pointed(&self, feed: &str, query: &str) -> Result<Option<Version>, StateError> {
        self.look(|connection| {
            let number: Option<i64> = connection
                .query_row(query, [feed], |row| row.get(0))
                .optional()?
                .flatten();
            match number {
                Some(number) => find(connection, feed, number),
                None => Ok(None),
            }
        })
    }

    /// One version; `None` where it was never kept or is cleaned away.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn version(&self, feed: &str, number: u64) -> Result<Option<Version>, StateError> {
        self.look(|connection| find(connection, feed, signed(number)))
    }

    /// A feed's kept versions, newest first.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn history(&self, feed: &str) -> Result<Vec<Version>, StateError> {
        self.look(|connection| {
            let numbers: Vec<i64> = connection
                .prepare_cached(
                    "SELECT version FROM versions WHERE feed = ?1 ORDER BY version DESC",
                )?
                .query_map([feed], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut versions = Vec::with_capacity(numbers.len());
            for number in numbers {
                versions.extend(find(connection, feed, number)?);
            }
            Ok(versions)
        })
    }

    /// The feeds that have ever had a version, by name.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn feeds(&self) -> Result<Vec<String>, StateError> {
        self.look(|connection| {
            connection
                .prepare_cached("SELECT feed FROM feeds ORDER BY feed")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    pub(super) fn wrong(&self, error: &rusqlite::Error) -> StateError {
        StateError::sqlite(&self.places.database, error)
    }
}

/// The files to keep, item log and bodies last.
pub(super) fn staged(
    files: &[StagedFile],
    items_log: Option<&Path>,
    bodies: Option<&Path>,
) -> Vec<StagedFile> {
    let mut staged = files.to_vec();
    let own = |name: &str, path: &Path, role| StagedFile {
        name: name.to_owned(),
        path: path.to_owned(),
        bytes: 0,
        sha256: String::new(),
        items: 0,
        role,
    };
    staged.extend(items_log.map(|path| own("items.log", path, Role::ItemLog)));
    staged.extend(bodies.map(|path| own("items.bodies", path, Role::Bodies)));
    staged
}

fn last(connection: &Connection, feed: &str) -> rusqlite::Result<u64> {
    let last: Option<i64> = connection
        .query_row("SELECT last FROM feeds WHERE feed = ?1", [feed], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(unsigned(last.unwrap_or(0)))
}

pub(super) fn find(
    connection: &Connection,
    feed: &str,
    number: i64,
) -> rusqlite::Result<Option<Version>> {
    let version = connection
        .prepare_cached("SELECT * FROM versions WHERE feed = ?1 AND version = ?2")?
        .query_row(params![feed, number], read)
        .optional()?;
    let Some(mut version) = version else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT name, role, items, bytes, sha256, stored, stored_bytes FROM files
         WHERE feed = ?1 AND version = ?2 ORDER BY ordinal",
    )?;
    for file in statement.query_map(params![feed, number], read_file)? {
        let file = file?;
        match file.role {
            Role::ItemLog => version.items_log = Some(file),
            Role::Bodies => version.bodies = Some(file),
            _ => version.files.push(file),
        }
    }
    Ok(Some(version))
}

pub(super) fn read_file(row: &Row<'_>) -> rusqlite::Result<VersionFile> {
    let role: String = row.get(1)?;
    Ok(VersionFile {
        name: row.get(0)?,
        role: Role::read(&role).ok_or_else(|| unreadable(1, &role))?,
        items: unsigned(row.get(2)?),
        bytes: unsigned(row.get(3)?),
        sha256: row.get(4)?,
        stored: row.get(5)?,
        stored_bytes: unsigned(row.get(6)?),
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        feed: row.get("feed")?,
        version: unsigned(row.get("version")?),
        channel: row.get("channel")?,
        items: unsigned(row.get("items")?),
        bytes: unsigned(row.get("bytes")?),
        digest: row.get("digest")?,
        counts: from_json(row, "counts")?,
        source_digests: from_json(row, "sources")?,
        configuration_digest: row.get("configuration")?,
        engine: row.get("engine")?,
        now: moment(row, "now")?.unwrap_or_default(),
        recorded_at: moment(row, "recorded_at")?.unwrap_or_default(),
        published_at: moment(row, "published_at")?,
        who: row.get("who")?,
        plan: row.get("plan")?,
        overrides: from_json(row, "overrides")?,
        files: Vec::new(),
        items_log: None,
        bodies: None,
    })
}

/// Numbers are signed in SQLite; ours fit.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types are JSON")
}

pub(super) fn from_json<T: for<'d> Deserialize<'d>>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| unreadable(0, &text))
}

/// The moment in a column; `None` where it is null.
pub(super) fn moment(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| unreadable(0, &text)))
        .transpose()
}

/// A cell that we did not write.
pub(super) fn unreadable(column: usize, text: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        column,
        rusqlite::types::Type::Text,
        format!("`{text}` cannot be read").into(),
    )
}
