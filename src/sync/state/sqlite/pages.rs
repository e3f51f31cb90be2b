//! The sum by which a commit is known: over every page of the database, as its file and SQLite's log of it hold them.
//!
//! It adds up, modulo 2^128, the xxh3 digest of each page with its number: a commit that changes ten pages changes it at the
//! cost of ten pages, and all of it is verified at the speed of reading the file. Which pages a commit changed is read from
//! the log (sqlite.org/walformat.html), as far as SQLite's index of the log says that commits reach: what lies behind is of
//! a run that died, and SQLite writes over it.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::state::StateError;

use super::beside::Beside;
use super::damaged;
use super::files::Places;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;
/// Bytes before a page in the log.
const FRAME_HEAD: usize = 24;
const FRAME: usize = FRAME_HEAD + PAGE;
/// Bytes before the log's first page.
const LOG_HEAD: u64 = 32;
/// Bytes of the index's head, of which we read the first half.
const INDEX_HEAD: usize = 48;
/// The page in whose place SQLite has its locks: it is never written.
const LOCKS: u32 = (1 << 30) / 4096 + 1;
/// Pages that are read at once.
const AT_ONCE: usize = 128;

/// What is known of a database's pages.
#[derive(Default)]
pub(super) struct Pages {
    /// What tells the log from one before it.
    salts: [u8; 8],
    /// How many pages of the log were read.
    frames: u32,
    /// Pages of the database after the last commit.
    count: u32,
    /// Digests of those that the log holds.
    logged: HashMap<u32, u128>,
    /// What the last commit of the log made of the sum before it, as what is to be added; `None` where the log is empty.
    pub(super) change: Option<u128>,
}

/// How far commits reach in the log.
struct Index {
    frames: u32,
    salts: [u8; 8],
}

impl Pages {
    /// Takes in what was committed since it was last asked; a connection is looking at the newest commit, so that SQLite has
    /// its index, and the guard is held, so that it stays the newest.
    pub(super) fn follow(&mut self, places: &Places) -> Result<(), StateError> {
        let wrong = |error: std::io::Error| {
            StateError::disk(&places.log, "read the database's log", &error)
        };
        let database = open(&places.database)?;
        let index = Index::read(places)?;
        if index.frames == 0 || index.salts != self.salts || index.frames < self.frames {
            *self = Pages {
                salts: index.salts,
                count: pages_of(&database, &places.database)?,
                ..Pages::default()
            };
        }
        if index.frames == self.frames {
            return Ok(());
        }
        let log = Beside::open(&places.log).map_err(wrong)?;
        let begin = LOG_HEAD + u64::from(self.frames) * FRAME as u64;
        let mut log = BufReader::with_capacity(AT_ONCE * FRAME, log.from(begin));
        let mut frame = [0; FRAME];
        let mut commit: HashMap<u32, u128> = HashMap::new();
        for last in self.frames + 1..=index.frames {
            log.read_exact(&mut frame).map_err(wrong)?;
            let (head, page) = frame.split_at(FRAME_HEAD);
            let (number, after) = (big_endian(head, 0), big_endian(head, 4));
            if head.get(8..16) != Some(&self.salts) {
                return Err(damaged(
                    &places.log,
                    "the database's log is damaged: a page of it is of another log",
                ));
            }
            commit.insert(number, digest(number, page));
            // only the last page of a commit says how many there are
            if after > 0 {
                self.take(&database, places, after, &mut commit)?;
                self.frames = last;
            }
        }
        match commit.is_empty() {
            true => Ok(()),
            false => Err(damaged(
                &places.log,
                "the database's log is damaged: it ends within a commit",
            )),
        }
    }

    /// Takes in a commit.
    fn take(
        &mut self,
        database: &Beside,
        places: &Places,
        count: u32,
        commit: &mut HashMap<u32, u128>,
    ) -> Result<(), StateError> {
        let before = self.count;
        let mut change: u128 = 0;
        // a database that grew may have pages that nothing was written to yet, and one that shrank has fewer
        for number in before.min(count) + 1..=before.max(count) {
            if number != LOCKS && !commit.contains_key(&number) {
                commit.insert(number, digest(number, &[0; PAGE]));
            }
        }
        for (number, after) in commit.drain() {
            if number <= before {
                let old = match self.logged.get(&number) {
                    Some(old) => *old,
                    None => of_file(database, &places.database, number)?,
                };
                change = change.wrapping_sub(old);
            }
            if number <= count {
                change = change.wrapping_add(after);
                self.logged.insert(number, after);
            } else {
                self.logged.remove(&number);
            }
        }
        self.count = count;
        self.change = Some(change);
        Ok(())
    }

    /// The sum over all pages as of the last commit. Meanwhile nobody moves the log into the database.
    pub(super) fn sum(&self, path: &Path) -> Result<u128, StateError> {
        let logged = self.logged.values();
        let mut sum = logged.fold(0, |sum: u128, one| sum.wrapping_add(*one));
        let database = open(path)?;
        let mut database = database.from(0);
        let mut pages = vec![0; AT_ONCE * PAGE];
        let mut number: u32 = 0;
        while number < self.count {
            let left = usize::try_from(self.count - number).unwrap_or(AT_ONCE);
            let wanted = pages
                .get_mut(..left.min(AT_ONCE) * PAGE)
                .unwrap_or_default();
            let there = fill(&mut database, wanted)
                .map_err(|error| StateError::disk(path, "read the database", &error))?;
            // what the file lacks the log holds, or nothing was written to it
            wanted.get_mut(there..).unwrap_or_default().fill(0);
            for page in wanted.chunks_exact(PAGE) {
                number += 1;
                if number != LOCKS && !self.logged.contains_key(&number) {
                    sum = sum.wrapping_add(digest(number, page));
                }
            }
        }
        Ok(sum)
    }

    /// Of a database without a log.
    pub(super) fn at_rest(path: &Path) -> Result<Self, StateError> {
        Ok(Pages {
            count: pages_of(&open(path)?, path)?,
            ..Pages::default()
        })
    }
}

impl Index {
    /// What SQLite says; of a log that is empty nothing needs to be asked.
    fn read(places: &Places) -> Result<Self, StateError> {
        let none = Index {
            frames: 0,
            salts: [0; 8],
        };
        if super::verify::at_rest(places) {
            return Ok(none);
        }
        let mut head = [0; INDEX_HEAD];
        let read =
            Beside::open(&places.index).and_then(|index| index.from(0).read_exact(&mut head));
        read.map_err(|error| StateError::disk(&places.index, "read the log's index", &error))?;
        let [a, b, c, d] = *head
            .get(16..)
            .and_then(<[u8]>::first_chunk)
            .unwrap_or(&[0; 4]);
        let salts = head.get(32..).and_then(<[u8]>::first_chunk);
        Ok(Index {
            frames: u32::from_ne_bytes([a, b, c, d]),
            salts: *salts.unwrap_or(&[0; 8]),
        })
    }
}

/// The digest of a page with its number.
fn digest(number: u32, page: &[u8]) -> u128 {
    xxh3_128_with_seed(page, number.into())
}

fn open(path: &Path) -> Result<Beside, StateError> {
    Beside::open(path).map_err(|error| StateError::disk(path, "open the database", &error))
}

/// How many pages a file holds; it is cut where the last is not whole.
fn pages_of(file: &Beside, path: &Path) -> Result<u32, StateError> {
    let length = file.length();
    let length = length.map_err(|error| StateError::disk(path, "look at the database", &error))?;
    match u32::try_from(length / PAGE as u64) {
        Ok(count) if length % PAGE as u64 == 0 => Ok(count),
        _ => Err(damaged(
            path,
            format!("the database is cut: it has {length} bytes, and its pages have {PAGE}"),
        )),
    }
}

/// The digest of a page in the file; one that was never written to is empty.
fn of_file(file: &Beside, path: &Path, number: u32) -> Result<u128, StateError> {
    let mut page = [0; PAGE];
    let begin = u64::from(number.saturating_sub(1)) * PAGE as u64;
    fill(file.from(begin), &mut page)
        .map_err(|error| StateError::disk(path, "read the database", &error))?;
    Ok(digest(number, &page))
}

/// Reads until all is filled or the file ends; how much was read.
fn fill(mut file: impl Read, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn big_endian(bytes: &[u8], at: usize) -> u32 {
    let number = bytes.get(at..).and_then(<[u8]>::first_chunk);
    number.map_or(0, |number| u32::from_be_bytes(*number))
}
