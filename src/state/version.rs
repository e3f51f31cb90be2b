//! Versions: what was rendered once, kept with its bytes, and who made it from what.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::recovery::{self, kill_point};

use super::{Action, Lock, State, StateError, action, store};

/// What a file of a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The feed's only document.
    Only,
    /// One of several.
    Part,
    /// What names the parts.
    Index,
    /// The log of its items; kept, never delivered.
    ItemLog,
    /// The items' bytes where the documents do not show them; kept, never delivered.
    Bodies,
}

impl Role {
    /// The word in state and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Only => "only",
            Role::Part => "part",
            Role::Index => "index",
            Role::ItemLog => "items-log",
            Role::Bodies => "bodies",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        [
            Role::Only,
            Role::Part,
            Role::Index,
            Role::ItemLog,
            Role::Bodies,
        ]
        .into_iter()
        .find(|role| role.as_str() == word)
    }

    /// Whether a destination gets it.
    pub fn is_delivered(self) -> bool {
        matches!(self, Role::Only | Role::Part | Role::Index)
    }
}

/// A file that was rendered, and is to be kept.
#[derive(Clone, Debug)]
pub struct StagedFile {
    /// Its name at the destination; no folders.
    pub name: String,
    /// Where its bytes lie, uncompressed.
    pub path: PathBuf,
    /// How many they are.
    pub bytes: u64,
    /// Hex of their SHA-256; empty where nobody has counted it yet.
    pub sha256: String,
    /// Items in it.
    pub items: u64,
    /// What it is.
    pub role: Role,
}

/// A kept file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionFile {
    /// Its name at the destination.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Items in it.
    pub items: u64,
    /// Bytes, uncompressed.
    pub bytes: u64,
    /// Hex of the SHA-256 of those bytes.
    pub sha256: String,
    /// Where it lies, below `.shelfcast`; compressed.
    pub stored: String,
    /// Bytes there.
    pub stored_bytes: u64,
}

/// How many records of a feed went where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Read.
    pub read: u64,
    /// Filtered out.
    pub filtered: u64,
    /// Withheld.
    pub withheld: u64,
    /// Written.
    pub written: u64,
    /// Warnings.
    pub warnings: u64,
}

/// What a source held when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDigest {
    /// The source's name.
    pub name: String,
    /// Hex of the digest of its bytes or rows.
    pub digest: String,
}

/// A gate that somebody let pass for one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The gate.
    pub gate: String,
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(with = "as_text")]
    pub at: Timestamp,
}

mod as_text {
    //! Moments as RFC 3339 text.

    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A version to be kept.
#[derive(Clone, Debug)]
pub struct NewVersion<'v> {
    /// The feed.
    pub feed: &'v str,
    /// Its channel.
    pub channel: &'v str,
    /// Its documents, in the order in which they are delivered.
    pub files: &'v [StagedFile],
    /// The log of its items.
    pub items_log: Option<&'v Path>,
    /// The items' bytes, where the documents do not show them.
    pub bodies: Option<&'v Path>,
    /// Where its records went.
    pub counts: Counts,
    /// What it was made from.
    pub source_digests: Vec<SourceDigest>,
    /// Hex of the digest of the configuration it was made by.
    pub configuration_digest: &'v str,
    /// The program that made it, with its version.
    pub engine: &'v str,
    /// The run's moment, which decided what it says.
    pub now: Timestamp,
    /// When it is recorded.
    pub at: Timestamp,
    /// Who had it made.
    pub who: &'v str,
    /// The plan it carries out.
    pub plan: Option<&'v str>,
    /// The gates that were let pass.
    pub overrides: Vec<Override>,
    /// Where it goes: addresses without secrets.
    pub destinations: Vec<String>,
}

/// A kept version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The feed.
    pub feed: String,
    /// Its number: grows by one with each recorded version of the feed, from 1.
    pub version: u64,
    /// The channel it was made for.
    pub channel: String,
    /// Items in it.
    pub items: u64,
    /// Bytes of its documents, uncompressed.
    pub bytes: u64,
    /// Hex of the SHA-256 over its documents' names and digests.
    pub digest: String,
    /// Where its records went.
    pub counts: Counts,
    /// What it was made from.
    pub source_digests: Vec<SourceDigest>,
    /// Hex of the digest of the configuration it was made by.
    pub configuration_digest: String,
    /// The program that made it.
    pub engine: String,
    /// The run's moment.
    pub now: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it was last published; never where it was not.
    pub published_at: Option<Timestamp>,
    /// Who had it made.
    pub who: String,
    /// The plan it carried out.
    pub plan: Option<String>,
    /// The gates that were let pass.
    pub overrides: Vec<Override>,
    /// Its documents, in the order in which they are delivered.
    pub files: Vec<VersionFile>,
    /// The log of its items.
    pub items_log: Option<VersionFile>,
    /// The items' bytes, where the documents do not show them.
    pub bodies: Option<VersionFile>,
}

impl Version {
    /// Every kept file.
    pub fn all_files(&self) -> impl Iterator<Item = &VersionFile> {
        self.files.iter().chain(&self.items_log).chain(&self.bodies)
    }
}

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
