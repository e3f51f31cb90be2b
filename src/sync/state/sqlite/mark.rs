//! The mark: a small synced file beside the database that says which commit the database holds, and its digest.
//!
//! SQLite has no page checksums, ends a damaged log silently, and an older copy looks as good as a new one. So each commit,
//! when SQLite has it on disk, is written here before it is reported as done. The file is two blocks, one for even and
//! one for odd commits: a block that is torn by a dying machine leaves the one before. A database that is the mark's
//! commit, or the one right after it (the run died between the two), is whole; anything else is damage.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::state::{StateError, Trouble, private};

use super::damaged;

/// The format this program writes.
const FORMAT: u32 = 2;
/// Bytes of a block: what disks write at once, so that tearing one does not touch the other.
const BLOCK: usize = 4096;

/// One commit of the database: its number, the sum over all its pages, and that of the commit before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Commit {
    /// Grows by one with each commit; 0 announces a database that is being made.
    pub(super) counter: u64,
    /// Of all pages.
    pub(super) digest: u128,
    /// The digest before: the database says it too.
    pub(super) previous: u128,
}

impl Commit {
    /// Its block, wholly filled.
    fn block(self) -> Vec<u8> {
        let Commit {
            counter,
            digest,
            previous,
        } = self;
        let body = format!(
            "shelfcast-sync {FORMAT}\ncounter {counter}\ndigest {digest:032x}\nprevious {previous:032x}\n"
        );
        let sum = xxh3_128(body.as_bytes());
        let mut block = format!("{body}sum {sum:032x}\n").into_bytes();
        block.resize(BLOCK, b'\n');
        block
    }

    fn slot(self) -> u64 {
        self.counter % 2
    }
}

/// The newest commit of a mark; `None` when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Commit>, StateError> {
    let wrong = |error: std::io::Error| StateError::disk(path, "read the mark", &error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mut bytes = Vec::with_capacity(2 * BLOCK + 1);
    file.take(2 * BLOCK as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    parse(&bytes).map(Some).map_err(|problem| match problem {
        Problem::Newer(format) => {
            let mut error = damaged(
                path,
                format!(
                    "a newer shelfcast wrote this state (format {format}; this one reads {FORMAT})"
                ),
            );
            error.trouble = Trouble::Newer;
            "update shelfcast; nothing was changed".clone_into(&mut error.hint);
            error
        }
        Problem::Damaged(what) => damaged(path, format!("the state's mark is damaged: {what}")),
    })
}

/// Makes the mark of a database that is being made.
pub(super) fn make(path: &Path) -> Result<(), StateError> {
    let mut bytes = Commit::default().block();
    bytes.resize(2 * BLOCK, b'\n');
    private::replace(path, &bytes)
}

/// Puts a commit into its block, on disk.
pub(super) fn put(path: &Path, commit: Commit) -> Result<(), StateError> {
    let written = (|| {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(commit.slot() * BLOCK as u64))?;
        file.write_all(&commit.block())?;
        file.sync_data()
    })();
    written.map_err(|error| StateError::disk(path, "write the mark", &error))
}

enum Problem {
    Newer(u32),
    Damaged(&'static str),
}

fn parse(bytes: &[u8]) -> Result<Commit, Problem> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let ([even, odd], []) = (blocks, rest) else {
        return Err(Problem::Damaged("it is cut, or longer than it was"));
    };
    match (whole(even, 0), whole(odd, 1)) {
        (Some(one), Some(other)) if one.counter.abs_diff(other.counter) == 1 => {
            Ok(if one.counter > other.counter {
                one
            } else {
                other
            })
        }
        (Some(_), Some(_)) => Err(Problem::Damaged("its halves are of different times")),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => Err([even, odd]
            .into_iter()
            .find_map(newer)
            .map_or(Problem::Damaged("its digests do not fit"), Problem::Newer)),
    }
}

/// The commit of a block that is as it was written: written again it is the same bytes.
fn whole(block: &[u8; BLOCK], slot: u64) -> Option<Commit> {
    let text = std::str::from_utf8(block).ok()?;
    let mut lines = text.lines();
    lines.next()?;
    let counter = lines.next()?.strip_prefix("counter ")?.parse().ok()?;
    let mut digest = |name: &str| {
        let digest = lines.next()?.strip_prefix(name)?;
        u128::from_str_radix(digest, 16).ok()
    };
    let commit = Commit {
        counter,
        digest: digest("digest ")?,
        previous: digest("previous ")?,
    };
    (commit.slot() == slot && commit.block() == block).then_some(commit)
}

fn newer(block: &[u8; BLOCK]) -> Option<u32> {
    let text = String::from_utf8_lossy(block);
    let format = text.lines().next()?.strip_prefix("shelfcast-sync ")?;
    format.parse().ok().filter(|format| *format > FORMAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counter: u64) -> Commit {
        Commit {
            counter,
            digest: u128::from(counter) << 70 | 0xabc,
            previous: u128::from(counter - 1) << 70 | 0xabc,
        }
    }

    fn both(one: u64, other: u64) -> Vec<u8> {
        [of(one).block(), of(other).block()].concat()
    }

    #[test]
    fn the_newer_block_counts() {
        assert!(matches!(parse(&both(18, 17)), Ok(commit) if commit == of(18)));
        assert!(matches!(parse(&both(18, 19)), Ok(commit) if commit == of(19)));
        let mut torn = both(18, 19);
        torn[BLOCK + 30] ^= 4;
        assert!(matches!(parse(&torn), Ok(commit) if commit == of(18)));
        for wrong in [both(17, 18), both(18, 21), both(18, 15)] {
            assert!(parse(&wrong).is_err());
        }
    }

    #[test]
    fn cut_anywhere_it_is_damaged_and_a_flip_costs_one_block_at_most() {
        let whole = both(18, 19);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "cut at {length}");
        }
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let left = if bit / 8 < BLOCK { of(19) } else { of(18) };
            assert!(
                matches!(parse(&flipped), Ok(commit) if commit == left),
                "bit {bit} flipped"
            );
        }
        assert!(parse(&vec![0; whole.len()]).is_err());
        let mut longer = whole;
        longer.push(b'\n');
        assert!(parse(&longer).is_err());
    }
}
