//! An independent look at everything that is kept: from the files, the database and the mark, not by way of `State`.
//!
//! It opens the database itself, reads rows as they are, reads every kept file to its end, and compares: rows with files,
//! files with rows, pointers with what they point at, digests with bytes, the audit log with its chain, permissions with
//! what they should be. It changes nothing; only a commit that a dead run left half done is settled first, as any command
//! would.

mod files;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use super::mark::Mark;
use super::open::Places;
use super::{State, StateError, action, schema, store};

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
            files::leftovers(&places, &mut found);
            return Ok(found);
        }
        Ok(Some(_)) => found.present = true,
        Err(error) => {
            found.present = true;
            found.error(project, &error);
        }
    }
    files::permissions(&places, &mut found);
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
    files::leftovers(&places, &mut found);
    found
        .damages
        .dedup_by(|one, other| (&one.place, &one.message) == (&other.place, &other.message));
    Ok(found)
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
    files::files(connection, places, kept, found)?;
    let planned = "SELECT f.plan || '/' || f.feed, f.stored, f.bytes, f.stored_bytes, f.sha256 FROM plan_files f";
    files::files(connection, places, planned, found)?;
    documents(connection, found)?;
    files::orphans(connection, places, found)?;
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
