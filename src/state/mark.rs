//! The mark: a small synced file beside the database that says which commit the database holds, and its digest.
//!
//! SQLite has no page checksums, a database cut to nothing is an empty one to it, and an older copy looks as good as a
//! new one. So each commit is announced here before it happens (`next`) and confirmed after it has (`current`); a
//! database that is neither the one nor the other is damaged, and so is a mark that is not whole.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::error::Trouble;
use super::{StateError, private};

/// The format this program writes.
const FORMAT: u32 = 1;

/// One commit of the database: its number, and the digest of everything in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Grows by one with each commit, from 1.
    pub(super) counter: u64,
    /// Of schema and rows: `schema::digest`.
    pub(super) digest: u128,
}

/// What the mark says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last commit that was confirmed; none before the first.
    pub(super) current: Option<Commit>,
    /// A commit that was announced and may or may not have happened.
    pub(super) next: Option<Commit>,
}

impl Mark {
    /// The mark of a file; `None` when there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StateError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::disk(path, "read the mark", &error)),
        };
        Self::parse(&bytes)
            .map(Some)
            .map_err(|problem| match problem {
                Problem::Newer(format) => {
                    let mut error = StateError::damaged(
                        path,
                        format!("a newer shelfcast wrote this state (format {format}; this one reads {FORMAT})"),
                    );
                    error.trouble = Trouble::Newer;
                    "update shelfcast; nothing was changed".clone_into(&mut error.hint);
                    error
                }
                Problem::Damaged(what) => {
                    StateError::damaged(path, format!("the state's mark is damaged: {what}"))
                }
            })
    }

    /// Puts the mark on disk, file and folder.
    pub(super) fn write(&self, path: &Path) -> Result<(), StateError> {
        private::replace(path, self.text().as_bytes())
    }

    /// The mark's text: four lines, the last a digest of the others.
    pub(super) fn text(&self) -> String {
        let line = |commit: Option<Commit>| match commit {
            Some(Commit { counter, digest }) => format!("{counter} {digest:032x}"),
            None => "none".to_owned(),
        };
        let body = format!(
            "shelfcast-state {FORMAT}\ncurrent {}\nnext {}\n",
            line(self.current),
            line(self.next)
        );
        let sum = xxh3_128(body.as_bytes());
        format!("{body}sum {sum:032x}\n")
    }

    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let damaged = |what: &str| Problem::Damaged(what.to_owned());
        if bytes.is_empty() {
            return Err(damaged("it is empty"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is no text"))?;
        let mut lines = text.split_inclusive('\n');
        let mut next = || lines.next().and_then(|line| line.strip_suffix('\n'));
        let first = next().ok_or_else(|| damaged("it is cut"))?;
        let format: u32 = first
            .strip_prefix("shelfcast-state ")
            .and_then(|format| format.parse().ok())
            .ok_or_else(|| damaged("its first line is not ours"))?;
        if format > FORMAT {
            return Err(Problem::Newer(format));
        }
        let (current, announced, sum) = match (next(), next(), next(), next()) {
            (Some(current), Some(announced), Some(sum), None) => (current, announced, sum),
            _ => return Err(damaged("it is cut")),
        };
        let mark = Mark {
            current: commit(current, "current ").ok_or_else(|| damaged("a line cannot be read"))?,
            next: commit(announced, "next ").ok_or_else(|| damaged("a line cannot be read"))?,
        };
        // Written again it must be the same bytes: that holds the sum, and every space.
        if mark.text().as_bytes() != bytes || !sum.starts_with("sum ") {
            return Err(damaged("its digest does not fit"));
        }
        Ok(mark)
    }
}

fn commit(line: &str, name: &str) -> Option<Option<Commit>> {
    let value = line.strip_prefix(name)?;
    if value == "none" {
        return Some(None);
    }
    let (counter, digest) = value.split_once(' ')?;
    Some(Some(Commit {
        counter: counter.parse().ok()?,
        digest: u128::from_str_radix(digest, 16).ok()?,
    }))
}

enum Problem {
    Newer(u32),
    Damaged(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Mark {
        Mark {
            current: Some(Commit {
                counter: 17,
                digest: 0xabcd,
            }),
            next: Some(Commit {
                counter: 18,
                digest: u128::MAX,
            }),
        }
    }

    #[test]
    fn a_mark_reads_back() {
        for mark in [some(), Mark::default()] {
            let read = Mark::parse(mark.text().as_bytes());
            assert!(matches!(read, Ok(same) if same == mark));
        }
    }

    #[test]
    fn cut_at_any_byte_or_with_any_bit_flipped_it_is_damaged() {
        let whole = some().text().into_bytes();
        for length in 0..whole.len() {
            assert!(Mark::parse(&whole[..length]).is_err(), "cut at {length}");
        }
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Mark::parse(&flipped).is_err(), "bit {bit} flipped");
        }
        let mut longer = whole.clone();
        longer.push(b'\n');
        assert!(Mark::parse(&longer).is_err());
        assert!(Mark::parse(&vec![0; whole.len()]).is_err());
    }
}
