//! One run at a time for one feed, destination or store account.
//!
//! The lock is the operating system's, on a file under `.shelfcast/locks/`: it goes with the process, however that ends.
//! The file holds who has it, for the message. Each lock carries a fencing number from the database that only grows: a run
//! that lost its lock (the file was taken away, a network disk forgot it) has an old number, and every write checks it.
//! On network file systems such locks may not hold; `doctor` cannot see that.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use xxhash_rust::xxh3::xxh3_64;

use super::error::Trouble;
use super::record::{signed, unsigned};
use super::{State, StateError, private};

/// How often a lock that is waited for is tried.
const EVERY: Duration = Duration::from_millis(50);

/// A lock with its fencing number, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    held: Held,
    fence: u64,
}

impl Lock {
    /// What it is on, such as `feed:google-th`.
    pub fn scope(&self) -> &str {
        &self.held.scope
    }

    /// Its fencing number: larger than that of every earlier lock on the same scope.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.held.path
    }
}

/// The operating system's lock by itself, held until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Held {
    scope: String,
    path: PathBuf,
    file: File,
}

impl Held {
    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Closing the file is not enough while a process that was just started still shares it.
        drop(self.file.unlock());
    }
}

/// Why a lock could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Another run holds it.
    Held {
        /// What it is on.
        scope: String,
        /// The other run's process, where its file says so.
        pid: Option<u32>,
        /// When that run took it.
        since: Option<Timestamp>,
    },
    /// The state refused.
    State(StateError),
}

impl From<StateError> for Busy {
    fn from(error: StateError) -> Self {
        Busy::State(error)
    }
}

impl From<Busy> for StateError {
    fn from(busy: Busy) -> Self {
        match busy {
            Busy::State(error) => error,
            held @ Busy::Held { .. } => StateError::new(
                Trouble::Busy,
                held.to_string(),
                "wait for it, or give `--wait 60s`",
            ),
        }
    }
}

impl std::fmt::Display for Busy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Busy::State(error) => error.fmt(f),
            Busy::Held { scope, pid, since } => {
                let what = match scope.split_once(':') {
                    Some((kind, name)) => format!("{kind} `{name}`"),
                    None => format!("`{scope}`"),
                };
                write!(f, "another run works on {what}")?;
                if let Some(pid) = pid {
                    write!(f, ": process {pid}")?;
                }
                match since {
                    Some(since) => write!(f, ", since {since}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for Busy {}

/// Takes the lock on a scope, such as `feed:google-th`; one that is held is waited for as long as `wait` says, and not at
/// all when that is zero. `now` is for the message other runs show.
///
/// # Errors
/// Another run that holds it; a disk that refuses.
pub fn acquire(state: &State, scope: &str, wait: Duration, now: Timestamp) -> Result<Lock, Busy> {
    let held = take(&state.places.locks, scope, wait, now)?;
    let fence = state.change(|connection| {
        connection
            .query_row(
                "INSERT INTO fences VALUES (?1, 1) ON CONFLICT (scope) DO UPDATE SET number = number + 1 RETURNING number",
                [scope],
                |row| row.get::<_, i64>(0),
            )
            .map_err(|error| state.wrong(&error))
    })?;
    Ok(Lock {
        held,
        fence: unsigned(fence),
    })
}

/// Takes the operating system's lock of a scope, on a file in the folder `locks`; it has no fencing number yet.
///
/// # Errors
/// Another run that holds it; a disk that refuses.
pub(crate) fn take(
    locks: &Path,
    scope: &str,
    wait: Duration,
    now: Timestamp,
) -> Result<Held, Busy> {
    let path = locks.join(file_name(scope));
    let begun = Instant::now();
    let mut file = loop {
        let file = private::open_or_make(&path)
            .map_err(|error| StateError::disk(&path, "open the lock", &error))?;
        match file.try_lock() {
            // It may be that somebody took the file away between opening and locking it: then it locks nothing.
            Ok(()) if is_at(&file, &path) => break file,
            Ok(()) => continue,
            Err(std::fs::TryLockError::WouldBlock) => {
                let left = wait.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    let (pid, since) = holder(&path);
                    return Err(Busy::Held {
                        scope: scope.to_owned(),
                        pid,
                        since,
                    });
                }
                std::thread::sleep(EVERY.min(left));
            }
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(StateError::disk(&path, "lock the file", &error).into());
            }
        }
    };
    // For the message of others only; nothing depends on it.
    let text = format!("{}\n{now}\n{scope}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(|error| StateError::disk(&path, "write the lock", &error))?;
    Ok(Held {
        scope: scope.to_owned(),
        path,
        file,
    })
}

/// A scope may hold anything; its file's name holds letters, and a digest so that two scopes never share one.
fn file_name(scope: &str) -> String {
    let plain: String = scope
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
                letter
            } else {
                '_'
            }
        })
        .take(60)
        .collect();
    format!("{plain}-{:016x}.lock", xxh3_64(scope.as_bytes()))
}

/// Whether the open file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether the open file is still the one of that name.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Who holds a lock, as its file says.
fn holder(path: &Path) -> (Option<u32>, Option<Timestamp>) {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_string(&mut text));
    if read.is_err() {
        return (None, None);
    }
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or("");
    (line().parse().ok(), line().parse().ok())
}

impl State {
    /// Takes the lock on a feed.
    ///
    /// # Errors
    /// Another run that holds it; a disk that refuses.
    pub fn lock_feed(&self, feed: &str, wait: Duration, now: Timestamp) -> Result<Lock, Busy> {
        acquire(self, &format!("feed:{feed}"), wait, now)
    }

    /// That a lock's number is still the newest of its scope, inside a change.
    pub(super) fn check_fence(
        &self,
        connection: &Connection,
        lock: &Lock,
    ) -> Result<(), StateError> {
        let newest = fence(connection, lock.scope()).map_err(|error| self.wrong(&error))?;
        fenced(lock, newest)
    }

    /// The same before anything is begun.
    pub(super) fn look_fence(&self, lock: &Lock) -> Result<(), StateError> {
        let newest = self.look(|connection| fence(connection, lock.scope()))?;
        fenced(lock, newest)
    }
}

fn fence(connection: &Connection, scope: &str) -> rusqlite::Result<u64> {
    let number: Option<i64> = connection
        .query_row(
            "SELECT number FROM fences WHERE scope = ?1",
            params![scope],
            |row| row.get(0),
        )
        .optional()?;
    Ok(unsigned(number.unwrap_or(0)))
}

fn fenced(lock: &Lock, newest: u64) -> Result<(), StateError> {
    debug_assert!(signed(lock.fence) > 0);
    if lock.fence == newest {
        return Ok(());
    }
    Err(StateError::new(
        Trouble::Stale,
        format!(
            "another run took over `{}`: this one holds lock number {}, and the newest is {newest}",
            lock.scope(),
            lock.fence
        ),
        "nothing of this run was kept; run again",
    ))
}
