//! Versions as they are handed over: what was rendered once, who made it, and from what.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
