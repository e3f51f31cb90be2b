//! Cleaning: the oldest versions go; never the current, a pinned, a pending one, or one that somebody reads.

use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::recovery::{self, kill_point};

use super::record::signed;
use super::{Action, Lock, State, StateError, Version, action, store};

/// How many versions of a feed are kept when nobody says otherwise.
pub const KEEP: usize = 30;

/// What a cleaning did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The versions that went, oldest first.
    pub versions: Vec<u64>,
    /// Those that were to go and are being read.
    pub read: Vec<u64>,
    /// Bytes that were freed on disk.
    pub bytes: u64,
}

impl State {
    /// Takes away all but the newest `keep` versions of a feed. The current one, a pinned one, the pending one and those
    /// being read stay whatever their age. First a version's rows go, then its bytes: a run that dies in between leaves a
    /// folder that nobody knows of, which the next cleaning takes.
    ///
    /// # Errors
    /// A lost lock, or a disk that refuses.
    pub fn prune(
        &self,
        lock: &Lock,
        feed: &str,
        keep: usize,
        who: &str,
        at: Timestamp,
    ) -> Result<Pruned, StateError> {
        self.look_fence(lock)?;
        let spared = [
            self.current(feed)?.map(|version| version.version),
            self.pending(feed)?.map(|version| version.version),
            self.pinned(feed)?.map(|pin| pin.version),
        ];
        let history = self.history(feed)?;
        let mut pruned = Pruned::default();
        let mut going: Vec<(&Version, Option<File>)> = Vec::new();
        for version in history.iter().skip(keep.max(1)).rev() {
            if spared.contains(&Some(version.version)) {
                continue;
            }
            let folder = self.version_folder(feed, version.version);
            match alone(&folder) {
                Some(held) => going.push((version, held)),
                None => pruned.read.push(version.version),
            }
        }
        if !going.is_empty() {
            self.change(|connection| {
                self.check_fence(connection, lock)?;
                forget(connection, feed, &going, who, at).map_err(|error| self.wrong(&error))
            })?;
        }
        for (version, held) in going {
            kill_point(recovery::P13);
            remove(&self.version_folder(feed, version.version))?;
            drop(held);
            pruned.versions.push(version.version);
            pruned.bytes += version
                .all_files()
                .map(|file| file.stored_bytes)
                .sum::<u64>();
        }
        self.sweep(feed)?;
        Ok(pruned)
    }

    /// Forgets plans made before a moment, and takes away plans' folders that no row knows: of runs that died before
    /// that moment. How many plans went.
    ///
    /// # Errors
    /// A disk that refuses.
    pub fn prune_plans(
        &self,
        before: Timestamp,
        who: &str,
        at: Timestamp,
    ) -> Result<u64, StateError> {
        let mut gone = 0;
        for plan in self.plans()? {
            if plan.made_at < before && self.drop_plan(&plan.plan, who, at)? {
                gone += 1;
            }
        }
        let Ok(entries) = std::fs::read_dir(&self.places.plans) else {
            return Ok(gone);
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // One that is being made now is young.
            let old = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|changed| Timestamp::try_from(changed).ok())
                .is_some_and(|changed| changed < before);
            if old && self.plan(&name)?.is_none() {
                remove(&entry.path())?;
            }
        }
        Ok(gone)
    }

    fn version_folder(&self, feed: &str, number: u64) -> std::path::PathBuf {
        self.places.versions.join(feed).join(number.to_string())
    }

    /// Takes away folders of the feed that no row knows: of runs that died. The feed's lock is held.
    fn sweep(&self, feed: &str) -> Result<(), StateError> {
        let folder = self.places.versions.join(feed);
        let Ok(entries) = std::fs::read_dir(&folder) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let known = match name.to_str().and_then(|name| name.parse::<u64>().ok()) {
                Some(number) => self.version(feed, number)?.is_some(),
                // Hidden ones are ours, half written; anything else is not ours to take.
                None => !name.to_str().is_some_and(|name| name.starts_with('.')),
            };
            if !known {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// The version's folder for oneself; `None` while somebody reads it. A folder without its file has no readers.
fn alone(folder: &Path) -> Option<Option<File>> {
    match File::open(folder.join(store::READING)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Some(Some(file)),
            Err(_) => None,
        },
        Err(_) => Some(None),
    }
}

fn remove(folder: &Path) -> Result<(), StateError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StateError::disk(
            folder,
            "take the version's bytes away",
            &error,
        )),
        _ => Ok(()),
    }
}

fn forget(
    connection: &Connection,
    feed: &str,
    going: &[(&Version, Option<File>)],
    who: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    for (version, _) in going {
        for table in ["files", "deliveries", "receipts", "versions"] {
            connection.execute(
                &format!("DELETE FROM {table} WHERE feed = ?1 AND version = ?2"),
                params![feed, signed(version.version)],
            )?;
        }
    }
    let mut entry = Action::new(at, who, "prune");
    entry.feed = Some(feed.to_owned());
    let numbers: Vec<String> = going
        .iter()
        .map(|(version, _)| version.version.to_string())
        .collect();
    entry.detail = format!("versions {}", numbers.join(", "));
    action::append(connection, &entry)
}
