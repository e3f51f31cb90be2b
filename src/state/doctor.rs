//! An independent look at everything that is kept: from the files, the database and the mark, not by way of `State`.
//!
//! It opens the database itself, reads rows as they are, reads every kept file to its end, and compares: rows with files,
//! files with rows, pointers with what they point at, digests with bytes, the audit log with its chain, permissions with
//! what they should be. It changes nothing; only a commit that a dead run left half done is settled first, as any command
//! would.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use super::mark::Mark;
use super::open::Places;
use super::{State, StateError, action, private, schema, store};

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Whether what was kept is lost or wrong; else it is untidy, and work goes on.
    pub damaged: bool,
    /// Where, below the project.
    pub place: String,
    /// What: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// Whether there is a state at all.
    pub present: bool,
    /// Versions looked at.
    pub versions: u64,
    /// Plans looked at.
    pub plans: u64,
    /// Kept files read to their end.
    pub files: u64,
    /// Bytes they take on disk.
    pub stored_bytes: u64,
    /// Actions in the audit log.
    pub actions: u64,
    /// What is not as it should be.
    pub damages: Vec<Damage>,
}

impl Examination {
    /// Whether something that was kept is lost or wrong.
    pub fn is_damaged(&self) -> bool {
        self.damages.iter().any(|damage| damage.damaged)
    }

    fn damaged(&mut self, place: &str, message: impl Into<String>, hint: &str) {
        self.add(true, place, message, hint);
    }

    fn untidy(&mut self, place: &str, message: impl Into<String>, hint: &str) {
        self.add(false, place, message, hint);
    }

    fn add(&mut self, damaged: bool, place: &str, message: impl Into<String>, hint: &str) {
        self.damages.push(Damage {
            damaged,
            place: place.to_owned(),
            message: message.into(),
            hint: hint.to_owned(),
        });
    }

    fn error(&mut self, project: &Path, error: &StateError) {
        let place = error.path.as_deref().map_or_else(String::new, |path| {
            path.strip_prefix(project)
                .unwrap_or(path)
                .display()
                .to_string()
        });
        self.damaged(&place, error.message.clone(), &error.hint);
    }
}

/// What to do about a version whose bytes are lost.
const LOST: &str = "put the folder `.shelfcast` back from a backup; a version that is not the current one may instead be \
                    left to go with `shelfcast history prune`";
/// What to do about an orphan.
const ORPHAN: &str = "nothing needs it: `shelfcast history prune` takes it away";
/// What to do about rows that contradict each other.
const ROWS: &str = "put the whole folder `.shelfcast` back from a backup";

/// Looks at everything that a project keeps.
///
/// # Errors
/// Only what makes looking impossible; damage is in the examination.
pub fn examine(project: &Path) -> Result<Examination, StateError> {
    let places = Places::of(project);
    let mut found = Examination::default();
    if places.root.symlink_metadata().is_err() {
        return Ok(found);
    }
    match State::read(project) {
        Ok(None) => {
            leftovers(&places, &mut found);
            return Ok(found);
        }
        Ok(Some(_)) => found.present = true,
        Err(error) => {
            found.present = true;
            found.error(project, &error);
        }
    }
    permissions(&places, &mut found);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if places.database.is_file() {
        match Connection::open_with_flags(&places.database, flags) {
            Ok(connection) => database(&connection, &places, &mut found),
            Err(error) => found.damaged(
                ".shelfcast/state.db",
                format!("the database cannot be opened: {error}"),
                ROWS,
            ),
        }
    }
    leftovers(&places, &mut found);
    found
        .damages
        .dedup_by(|one, other| (&one.place, &one.message) == (&other.place, &other.message));
    Ok(found)
}

/// That only the owner may look.
fn permissions(places: &Places, found: &mut Examination) {
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

/// The rows by themselves, and the files they speak of.
fn database(connection: &Connection, places: &Places, found: &mut Examination) {
    if let Err(error) = rows(connection, places, found) {
        found.damaged(
            ".shelfcast/state.db",
            format!("the database cannot be read: {error}"),
            ROWS,
        );
    }
}

fn rows(connection: &Connection, places: &Places, found: &mut Examination) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let wrong: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for line in wrong.iter().filter(|line| *line != "ok") {
        found.damaged(".shelfcast/state.db", line.replace('\n', "; "), ROWS);
    }
    mark(connection, places, found)?;
    pointers(connection, found)?;
    let kept = "SELECT f.feed || '/' || f.version, f.stored, f.bytes, f.stored_bytes, f.sha256 FROM files f";
    files(connection, places, kept, found)?;
    let planned = "SELECT f.plan || '/' || f.feed, f.stored, f.bytes, f.stored_bytes, f.sha256 FROM plan_files f";
    files(connection, places, planned, found)?;
    documents(connection, found)?;
    orphans(connection, places, found)?;
    match action::walk(connection, |_| Ok(()))? {
        Ok(actions) => found.actions = actions,
        Err(id) => found.error(&places.project(), &action::broken(&places.database, id)),
    }
    found.versions = count(connection, "SELECT count(*) FROM versions")?;
    found.plans = count(connection, "SELECT count(*) FROM plans")?;
    Ok(())
}

fn count(connection: &Connection, query: &str) -> rusqlite::Result<u64> {
    connection.query_row(query, [], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
}

fn mark(connection: &Connection, places: &Places, found: &mut Examination) -> rusqlite::Result<()> {
    let Ok(Some(mark)) = Mark::read(&places.mark) else {
        // Said already, by opening.
        return Ok(());
    };
    let held = schema::commit(connection)?;
    if mark.current != Some(held) && mark.next != Some(held) {
        found.damaged(
            ".shelfcast/state.mark",
            format!(
                "it is not the mark of this database: the database holds commit {}",
                held.counter
            ),
            ROWS,
        );
    }
    Ok(())
}

/// Queries that list what contradicts itself: the place, and what is wrong there.
const CONTRADICTIONS: &[&str] = &[
    "SELECT feed, 'the current version ' || current || ' is not kept' FROM feeds WHERE current IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.feed = feeds.feed AND v.version = current)",
    "SELECT feed, 'the pending version ' || pending || ' is not kept' FROM feeds WHERE pending IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.feed = feeds.feed AND v.version = pending)",
    "SELECT feed, 'version ' || max(version) || ' is newer than the last known' FROM versions v GROUP BY feed
     HAVING max(version) > ifnull((SELECT last FROM feeds f WHERE f.feed = v.feed), 0)",
    "SELECT feed, 'the pinned version ' || version || ' is not kept' FROM pins
     WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.feed = pins.feed AND v.version = pins.version)",
    "SELECT feed, 'version ' || version || ' has no documents' FROM versions v
     WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.feed = v.feed AND f.version = v.version AND f.role IN ('only', 'part', 'index'))",
    "SELECT DISTINCT feed, 'files are kept of version ' || version || ', which is not' FROM files f
     WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.feed = f.feed AND v.version = f.version)",
    "SELECT DISTINCT feed, 'receipts are kept of version ' || version || ', which is not' FROM receipts r
     WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.feed = r.feed AND v.version = r.version)",
    "SELECT feed, 'version ' || version || ' has lost its receipt from ' || destination FROM deliveries d WHERE receipt IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.feed = d.feed AND r.version = d.version AND r.number = d.receipt)",
    "SELECT feed, 'version ' || current || ' is published without a receipt from ' || destination FROM feeds
     JOIN deliveries d USING (feed) WHERE d.version = feeds.current AND d.receipt IS NULL AND feeds.pending IS NOT feeds.current",
    "SELECT feed, 'the counts of version ' || version || ' do not add up' FROM versions
     WHERE json_extract(counts, '$.read') <> json_extract(counts, '$.filtered') + json_extract(counts, '$.withheld') + json_extract(counts, '$.written')
     OR json_extract(counts, '$.written') <> items",
    "SELECT DISTINCT feed, 'files are planned in plan ' || plan || ', which is not kept' FROM plan_files p
     WHERE NOT EXISTS (SELECT 1 FROM plan_feeds f WHERE f.plan = p.plan AND f.feed = p.feed)",
];

fn pointers(connection: &Connection, found: &mut Examination) -> rusqlite::Result<()> {
    for query in CONTRADICTIONS {
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (feed, what): (String, String) = (row.get(0)?, row.get(1)?);
            found.damaged(
                ".shelfcast/state.db",
                format!("feed `{feed}`: {what}"),
                ROWS,
            );
        }
    }
    Ok(())
}

/// That a version's digest is that of its documents.
fn documents(connection: &Connection, found: &mut Examination) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT feed, version, digest FROM versions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (feed, version, digest): (String, i64, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut of_files = Sha256::new();
        let mut statement = connection.prepare_cached(
            "SELECT role, name, sha256 FROM files WHERE feed = ?1 AND version = ?2 AND role IN ('only', 'part', 'index') ORDER BY ordinal",
        )?;
        let mut files = statement.query(rusqlite::params![feed, version])?;
        while let Some(file) = files.next()? {
            for column in 0..3 {
                of_files.update(file.get::<_, String>(column)?);
                of_files.update([0]);
            }
        }
        if store::hex(&of_files.finalize()) != digest {
            found.damaged(
                ".shelfcast/state.db",
                format!(
                    "feed `{feed}`: the digest of version {version} is not that of its documents"
                ),
                ROWS,
            );
        }
    }
    Ok(())
}

/// That every file a row speaks of is there, and holds what was kept.
fn files(
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
fn orphans(
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
fn leftovers(places: &Places, found: &mut Examination) {
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
