//! What the commands that look at the state share: opening it, naming a feed and a version, telling a moment.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::config::Project;
use crate::pipeline::Failure;
use crate::program::nearest::near;
use crate::state::{Receipt, State, Version, VersionFile};

/// A project and what it keeps.
pub(super) struct Kept {
    /// The project.
    pub(super) project: Project,
    /// What it keeps; `None` before the first publication.
    pub(super) state: Option<State>,
    zone: TimeZone,
}

impl Kept {
    /// Opens a project's state to look at.
    pub(super) fn open(folder: &std::path::Path) -> Result<Self, Failure> {
        let project = Project::load(folder)?;
        let state = State::read(folder)?;
        Ok(Kept {
            zone: TimeZone::get(&project.shop.timezone).unwrap_or(TimeZone::UTC),
            project,
            state,
        })
    }

    /// The feeds there are: the project's in its order, then those that only the state knows.
    pub(super) fn feeds(&self) -> Result<Vec<String>, Failure> {
        let mut feeds: Vec<String> = self
            .project
            .feed
            .iter()
            .map(|feed| feed.name.clone())
            .collect();
        if let Some(state) = &self.state {
            for feed in state.feeds()? {
                if !feeds.contains(&feed) {
                    feeds.push(feed);
                }
            }
        }
        Ok(feeds)
    }

    /// The feeds meant: those named, or all.
    pub(super) fn chosen(&self, named: &[String]) -> Result<Vec<String>, Failure> {
        let known = self.feeds()?;
        if named.is_empty() {
            return Ok(known);
        }
        for name in named {
            if !known.contains(name) {
                return Err(unknown_feed(name, &known));
            }
        }
        Ok(named.to_vec())
    }

    /// The version that `FEED@VERSION` means; the published one where only the feed is named.
    pub(super) fn version(&self, named: &str) -> Result<(&State, Version), Failure> {
        let (feed, which) = named.split_once('@').unwrap_or((named, "current"));
        let known = self.feeds()?;
        if !known.iter().any(|name| name == feed) {
            return Err(unknown_feed(feed, &known));
        }
        let never = || {
            Failure::configuration(
                named,
                format!("feed `{feed}` has never been published"),
                format!("`shelfcast publish {feed}` does it"),
            )
        };
        let state = self.state.as_ref().ok_or_else(never)?;
        let version = match which {
            "current" => state.current(feed)?.ok_or_else(never)?,
            "pending" => state.pending(feed)?.ok_or_else(|| {
                Failure::configuration(
                    named,
                    format!("feed `{feed}` has no pending version"),
                    format!("`shelfcast history {feed}` lists those that are kept"),
                )
            })?,
            number => {
                let number: u64 = number.parse().map_err(|_| {
                    Failure::configuration(
                        named,
                        format!("`{number}` is no version"),
                        format!("write `{feed}@12`, `{feed}@current` or `{feed}@pending`"),
                    )
                })?;
                state.version(feed, number)?.ok_or_else(|| {
                    Failure::configuration(
                        named,
                        format!("there is no version {number} of feed `{feed}`"),
                        format!("`shelfcast history {feed}` lists those that are kept"),
                    )
                })?
            }
        };
        Ok((state, version))
    }

    /// A moment in the shop's time zone, to the second.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// The zone those moments are in.
    pub(super) fn zone(&self) -> &str {
        &self.project.shop.timezone
    }
}

fn unknown_feed(name: &str, known: &[String]) -> Failure {
    let hint = near(name, known.iter().map(String::as_str)).unwrap_or_else(|| {
        if known.is_empty() {
            "shelfcast.toml names no [[feed]]".to_owned()
        } else {
            format!("the feeds are {}", known.join(", "))
        }
    });
    Failure::configuration("shelfcast.toml", format!("there is no feed `{name}`"), hint)
}

/// Output that could not be written.
pub(super) fn unwritten(error: std::io::Error) -> Failure {
    Failure::Disk(format!("cannot write to standard output: {error}"))
}

/// A version's line.
pub(super) fn version_line(version: &Version, standing: &str) -> Value {
    json!({
        "type": "version",
        "feed": version.feed,
        "version": version.version,
        "standing": standing,
        "channel": version.channel,
        "items": version.items,
        "bytes": version.bytes,
        "digest": version.digest,
        "counts": version.counts,
        "now": version.now.to_string(),
        "recorded_at": version.recorded_at.to_string(),
        "published_at": version.published_at.map(|at| at.to_string()),
        "who": version.who,
        "engine": version.engine,
        "plan": version.plan,
        "configuration": version.configuration_digest,
        "sources": version.source_digests,
        "overrides": version.overrides,
        "files": version.files.iter().map(file_line).collect::<Vec<_>>(),
    })
}

fn file_line(file: &VersionFile) -> Value {
    json!({
        "name": file.name,
        "role": file.role.as_str(),
        "items": file.items,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "stored_bytes": file.stored_bytes,
    })
}

/// A receipt's line.
pub(super) fn receipt_line(version: &Version, receipt: &Receipt) -> Value {
    json!({
        "type": "receipt",
        "feed": version.feed,
        "version": version.version,
        "destination": receipt.destination,
        "at": receipt.at.to_string(),
        "files": receipt.files,
    })
}

/// How a version stands: `current`, `pending`, `published`, `recorded`; with `pinned` where it is.
pub(super) fn standing(state: &State, version: &Version) -> Result<String, Failure> {
    let is = |other: Option<u64>| other == Some(version.version);
    let feed = &version.feed;
    let mut standing = if is(state.current(feed)?.map(|version| version.version)) {
        "current"
    } else if is(state.pending(feed)?.map(|version| version.version)) {
        "pending"
    } else if version.published_at.is_some() {
        "published"
    } else {
        "recorded"
    }
    .to_owned();
    if is(state.pinned(feed)?.map(|pin| pin.version)) {
        standing.push_str(", pinned");
    }
    Ok(standing)
}

/// The first letters of a digest, which tell versions apart.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
