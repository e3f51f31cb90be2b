//! When to look again: which sources of a daemon may have news.
//!
//! Looking is cheap: a folder's listing, SQLite's own counter of commits. A server's database is asked by its cursor, which
//! reads little; without a cursor it is read whole, and so less often. Hearing too much is no harm: reading tells.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::catalog::open;
use crate::catalog::sql;
use crate::config::project::Source;
use crate::config::{ConfigError, Project, span};
use crate::store::pace::Clock;

use super::file::wait_left;
use super::seen::Stamp;
use super::settings::{is_pattern, settle};

/// How often what is cheap to look at is looked at.
const OFTEN: Duration = Duration::from_millis(500);

/// How often a server's database is asked from its cursor on.
const POLL: Duration = Duration::from_secs(1);

/// How often a server's database is read that has no cursor.
const POLL_WHOLE: Duration = Duration::from_secs(30);

/// How often an address is asked.
const POLL_REMOTE: Duration = Duration::from_secs(300);

/// The longest that a waiting daemon does not look up.
const STEP: Duration = Duration::from_millis(50);

/// Watches the sources of a daemon.
pub struct Watch {
    clock: Arc<dyn Clock>,
    watched: Vec<Watched>,
}

struct Watched {
    name: String,
    every: Duration,
    next: Duration,
    eye: Eye,
}

/// How a source is looked at.
enum Eye {
    /// Files: their names and looks.
    Files {
        folder: PathBuf,
        source: Box<Source>,
        last: Option<Vec<(String, Stamp)>>,
    },
    /// A SQLite file: the counter of a connection that stays open, and the file it is of.
    Sqlite {
        path: PathBuf,
        open: Option<(Connection, FileId, i64)>,
    },
    /// Whatever else: it may have news whenever it is due.
    Blind,
    /// It never has: standard input.
    Shut,
}

/// Which file a path leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl Watch {
    /// Watches these sources; all may have news at first.
    ///
    /// # Errors
    /// A `poll` that is no span of time.
    pub fn new(
        project: &Project,
        sources: &[&Source],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut watched = Vec::new();
        for source in sources {
            let (eye, usual) = eye(project, source);
            let every = match source.poll.as_deref().map(span::parse) {
                None => usual,
                Some(Ok(every)) => every.max(STEP),
                Some(Err((message, hint))) => {
                    return Err(ConfigError::new(
                        project.folder.join("shelfcast.toml").display().to_string(),
                        format!("source `{}`: `poll`: {message}", source.name),
                        hint,
                    ));
                }
            };
            watched.push(Watched {
                name: source.name.clone(),
                every,
                next: Duration::ZERO,
                eye,
            });
        }
        Ok(Watch { clock, watched })
    }

    /// Waits until a source may have news, and names all that may; none when `timeout` passes before. Called again and again
    /// with short times it can be stopped.
    pub fn next(&mut self, timeout: Duration) -> Vec<String> {
        let until = self.clock.now().saturating_add(timeout);
        loop {
            let names = self.look();
            let now = self.clock.now();
            if !names.is_empty() || now >= until {
                return names;
            }
            let due = self.watched.iter().map(|watched| watched.next).min();
            let due = due.unwrap_or(until).min(until);
            std::thread::sleep(
                due.saturating_sub(now)
                    .clamp(Duration::from_millis(1), STEP),
            );
        }
    }

    /// Names the sources that may have news now, without waiting.
    pub fn look(&mut self) -> Vec<String> {
        let now = self.clock.now();
        let wall = self.clock.wall();
        let mut names = Vec::new();
        for watched in &mut self.watched {
            if now < watched.next {
                continue;
            }
            watched.next = now.saturating_add(watched.every);
            let (news, sooner) = watched.eye.look(wall);
            if news {
                names.push(watched.name.clone());
            }
            if let Some(sooner) = sooner {
                watched.next = now.saturating_add(sooner.max(Duration::from_millis(1)));
            }
        }
        names
    }

    /// A source is to be looked at anew whatever it looks like: its reading failed, or a file waited.
    pub fn again(&mut self, name: &str) {
        for watched in &mut self.watched {
            if watched.name == name {
                match &mut watched.eye {
                    Eye::Files { last, .. } => *last = None,
                    Eye::Sqlite { open, .. } => *open = None,
                    Eye::Blind | Eye::Shut => {}
                }
            }
        }
    }
}

/// How a source is looked at, and how often.
fn eye(project: &Project, source: &Source) -> (Eye, Duration) {
    if let Some(database) = &source.database {
        let address = open::address_of(source, database, &project.folder);
        // A secret that is missing is told by the reading.
        let file = address.ok().and_then(|address| sql::file(&address));
        return match (file, &source.cursor) {
            (Some(path), _) => (Eye::Sqlite { path, open: None }, OFTEN),
            (None, Some(_)) => (Eye::Blind, POLL),
            (None, None) => (Eye::Blind, POLL_WHOLE),
        };
    }
    let path = source.path.as_deref().unwrap_or("-");
    if path == "-" {
        return (Eye::Shut, POLL_REMOTE);
    }
    if path.contains("://") {
        return (Eye::Blind, POLL_REMOTE);
    }
    let eye = Eye::Files {
        folder: project.folder.clone(),
        source: Box::new(source.clone()),
        last: None,
    };
    (eye, OFTEN)
}

impl Eye {
    /// Whether there may be news, and whether to look sooner than usual.
    fn look(&mut self, wall: jiff::Timestamp) -> (bool, Option<Duration>) {
        match self {
            Eye::Shut => (false, None),
            Eye::Blind => (true, None),
            Eye::Files {
                folder,
                source,
                last,
            } => {
                // What has not settled is told when it has.
                let mut wait = None;
                let mut settled = listing(source, folder);
                settled.retain(|(name, stamp)| {
                    let left = wait_left(stamp, settle(source, name), wall);
                    if !left.is_zero() {
                        let soonest = wait.map_or(left, |wait: Duration| wait.min(left));
                        wait = Some(soonest.min(OFTEN));
                    }
                    left.is_zero()
                });
                let news = last.as_ref() != Some(&settled);
                *last = Some(settled);
                (news, wait)
            }
            Eye::Sqlite { path, open } => {
                let id = file_id(path);
                if let (Some((connection, known, version)), Some(id)) = (&*open, id)
                    && *known == id
                    && let Ok(now) = data_version(connection)
                {
                    if now == *version {
                        return (false, None);
                    }
                    if let Some((_, _, version)) = open {
                        *version = now;
                    }
                    return (true, None);
                }
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                *open = Connection::open_with_flags(&*path, flags)
                    .ok()
                    .zip(id)
                    .and_then(|(connection, id)| {
                        let version = data_version(&connection).ok()?;
                        Some((connection, id, version))
                    });
                // What cannot be opened is told by the reading.
                (true, None)
            }
        }
    }
}

/// The names and looks of a source's files.
fn listing(source: &Source, folder: &Path) -> Vec<(String, Stamp)> {
    let path = source.path.as_deref().unwrap_or("");
    let files = if is_pattern(path, folder) {
        open::files(path, folder).unwrap_or_default()
    } else {
        vec![(path.to_owned(), folder.join(path))]
    };
    files
        .into_iter()
        .filter_map(|(name, path)| {
            let stamp = Stamp::of(&path, &name).ok()?;
            Some((name, stamp))
        })
        .collect()
}

/// Changes whenever another connection commits.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some(FileId(found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|_| FileId(0, 0))
}
