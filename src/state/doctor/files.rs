//! The files and folders of an examination: those rows speak of, those nobody knows, and who may look.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::Examination;
use crate::state::open::Places;
use crate::state::{private, store};

/// What to do about an orphan.
const ORPHAN: &str = "nothing needs it: `shelfcast history prune` takes it away";

/// What to do about a version whose bytes are lost.
const LOST: &str = "put the folder `.shelfcast` back from a backup; a version that is not the current one may instead be \
                    left to go with `shelfcast history prune`";

/// That only the owner may look.
pub(super) fn permissions(places: &Places, found: &mut Examination) {
    let mut look = vec![places.root.clone()];
    while let Some(path) = look.pop() {
        let shown = shown(places, &path);
        if let Some(mode) = private::mode(&path)
            && mode & 0o077 != 0
        {
            let wanted = if path.is_dir() { "700" } else { "600" };
            found.untidy(
                &shown,
                format!("others may read or write it (mode {mode:03o})"),
                &format!("`chmod {wanted} {shown}`"),
            );
        }
        let ours = path == places.root
            || path.starts_with(&places.versions)
            || path.starts_with(&places.plans)
            || path.starts_with(&places.locks);
        if ours
            && path
                .symlink_metadata()
                .is_ok_and(|metadata| metadata.is_dir())
            && let Ok(entries) = std::fs::read_dir(&path)
        {
            look.extend(entries.flatten().map(|entry| entry.path()).filter(|entry| {
                // What builds keep beside the state is none of ours; the root above it shuts it off.
                !entry.is_dir() || path != places.root || {
                    [&places.versions, &places.plans, &places.locks].contains(&entry)
                }
            }));
        }
    }
}

fn shown(places: &Places, path: &Path) -> String {
    let below = path.strip_prefix(&places.root).unwrap_or(path);
    Path::new(".shelfcast").join(below).display().to_string()
}

/// That every file a row speaks of is there, and holds what was kept.
pub(super) fn files(
    connection: &Connection,
    places: &Places,
    query: &str,
    found: &mut Examination,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let stored: String = row.get(1)?;
        let bytes = row.get::<_, i64>(2)?.unsigned_abs();
        let stored_bytes = row.get::<_, i64>(3)?.unsigned_abs();
        let sha256: String = row.get(4)?;
        found.files += 1;
        found.stored_bytes += stored_bytes;
        let path = places.root.join(&stored);
        if let Err(message) = whole(&path, bytes, stored_bytes, &sha256) {
            found.damaged(&shown(places, &path), message, LOST);
        }
    }
    Ok(())
}

fn whole(path: &Path, bytes: u64, stored_bytes: u64, sha256: &str) -> Result<(), String> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "the kept file is gone".to_owned(),
        _ => format!("the kept file cannot be opened: {error}"),
    })?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length != stored_bytes {
        return Err(format!(
            "it has {length} bytes, and {stored_bytes} were kept"
        ));
    }
    let damaged = |error: std::io::Error| format!("it cannot be read to its end: {error}");
    let mut reader = zstd::Decoder::with_buffer(BufReader::new(file)).map_err(damaged)?;
    let mut digest = Sha256::new();
    let mut read = 0;
    let mut chunk = vec![0; 128 * 1024];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(more) => {
                digest.update(chunk.get(..more).unwrap_or_default());
                read += more as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(damaged(error)),
        }
    }
    if read != bytes {
        return Err(format!("it holds {read} bytes, and {bytes} were kept"));
    }
    if store::hex(&digest.finalize()) != sha256 {
        return Err("its bytes are not those that were kept: the digest differs".to_owned());
    }
    Ok(())
}

/// Files and folders that no row speaks of.
pub(super) fn orphans(
    connection: &Connection,
    places: &Places,
    found: &mut Examination,
) -> rusqlite::Result<()> {
    let mut known: BTreeSet<PathBuf> = BTreeSet::new();
    for query in ["SELECT stored FROM files", "SELECT stored FROM plan_files"] {
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            known.insert(places.root.join(row.get::<_, String>(0)?));
        }
    }
    let folders: BTreeSet<PathBuf> = known
        .iter()
        .filter_map(|path| path.parent().map(Path::to_owned))
        .collect();
    for root in [&places.versions, &places.plans] {
        for outer in entries(root) {
            if hidden(&outer) {
                continue;
            }
            for folder in entries(&outer) {
                if hidden(&folder) {
                    continue;
                }
                if !folders.contains(&folder) {
                    found.untidy(&shown(places, &folder), "no version knows of it", ORPHAN);
                    continue;
                }
                for file in entries(&folder) {
                    let own = file.file_name().is_some_and(|name| name == store::READING);
                    if !own && !known.contains(&file) {
                        found.untidy(
                            &shown(places, &file),
                            "no version knows of this file",
                            "nothing needs it: take it away",
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

/// How long what a run is making stays young: so long it may be at work on it.
const YOUNG: Duration = Duration::from_secs(600);

/// What runs that died left behind. What is young may be of a run at work; what a run holds is.
pub(super) fn leftovers(places: &Places, found: &mut Examination) {
    let mut left = |path: &Path| {
        if is_old(path) {
            found.untidy(
                &shown(places, path),
                "a run that died left it",
                "nothing needs it: the next run, or `shelfcast history prune`, takes it away",
            );
        }
    };
    for name in [".state.db.new", ".state.mark.new", "state.db-journal"] {
        let path = places.root.join(name);
        if path.symlink_metadata().is_ok() {
            left(&path);
        }
    }
    for path in entries(&places.root.join("work")) {
        // A run holds the file `alive` in its folder as long as it lives.
        let alive = is_old(&path)
            && File::open(path.join("alive")).is_ok_and(|file| {
                matches!(
                    file.try_lock_shared(),
                    Err(std::fs::TryLockError::WouldBlock)
                )
            });
        if !alive {
            left(&path);
        }
    }
    for root in [&places.versions, &places.plans] {
        for outer in entries(root) {
            if hidden(&outer) {
                left(&outer);
                continue;
            }
            entries(&outer)
                .iter()
                .filter(|path| hidden(path))
                .for_each(|path| left(path));
        }
    }
}

fn is_old(path: &Path) -> bool {
    let Ok(changed) = path.symlink_metadata().and_then(|data| data.modified()) else {
        return false;
    };
    let age = jiff::Timestamp::try_from(changed)
        .map(|changed| crate::clock::now().duration_since(changed));
    age.is_ok_and(|age| age.unsigned_abs() > YOUNG && age.is_positive())
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with('.'))
}

/// A folder's entries by name; none where there is no folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
