//! The sum over a database's pages, from the bytes of its file and of SQLite's log alone.
//!
//! Of the log counts what SQLite itself would take when it opens it anew: pages under the log's salts, each with the sum of
//! all before it, up to the last that ends a commit.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::sync::state::sqlite::beside::Beside;

const PAGE: usize = 4096;

/// The database's pages as one commit leaves them.
#[derive(Clone, Default)]
struct Seen {
    count: u32,
    logged: BTreeMap<u32, usize>,
}

/// The sum as of the last commit, and as of the one before it where the log still has that.
pub(super) fn sums(database: &Path, log: &Path) -> std::io::Result<(u128, Option<u128>)> {
    let pages = whole(database)?;
    let log = match whole(log) {
        Ok(log) => log,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut last = Seen {
        count: u32::try_from(pages.len() / PAGE).unwrap_or(u32::MAX),
        logged: BTreeMap::new(),
    };
    let (mut before, mut next) = (None, last.clone());
    for (number, at, after) in frames(&log) {
        next.logged.insert(number, at);
        if after > 0 {
            next.count = after;
            before = Some(std::mem::replace(&mut last, next.clone()));
        }
    }
    let sum = |seen: &Seen| {
        let mut sum: u128 = 0;
        for number in (1..=seen.count).filter(|number| *number != 262_145) {
            let page = match seen.logged.get(&number) {
                Some(at) => log.get(*at..*at + PAGE),
                None => pages.chunks_exact(PAGE).nth(number as usize - 1),
            };
            let page = page.unwrap_or(&[0; PAGE]);
            sum = sum.wrapping_add(xxh3_128_with_seed(page, number.into()));
        }
        sum
    };
    Ok((sum(&last), before.as_ref().map(sum)))
}

fn whole(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Beside::open(path)?.from(0).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Number, place in the log and, where it ends a commit, the database's size, of each page.
fn frames(log: &[u8]) -> Vec<(u32, usize, u32)> {
    let mut found = Vec::new();
    let Some((head, frames)) = log.split_at_checked(32) else {
        return found;
    };
    let number = |bytes: &[u8], at: usize| -> u32 {
        let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    let big = number(head, 0) == 0x377f_0683;
    let add = |(mut one, mut other): (u32, u32), bytes: &[u8]| {
        for pair in bytes.as_chunks::<8>().0 {
            let [a, b, c, d, e, f, g, h] = *pair;
            let words = [[a, b, c, d], [e, f, g, h]];
            let [first, second] = words.map(|word| match big {
                true => u32::from_be_bytes(word),
                false => u32::from_le_bytes(word),
            });
            one = one.wrapping_add(first).wrapping_add(other);
            other = other.wrapping_add(second).wrapping_add(one);
        }
        (one, other)
    };
    let mut sums = add((0, 0), head.get(..24).unwrap_or_default());
    if sums != (number(head, 24), number(head, 28)) {
        return found;
    }
    for (turn, frame) in frames.chunks_exact(24 + PAGE).enumerate() {
        let (said, page) = frame.split_at(24);
        sums = add(add(sums, said.get(..8).unwrap_or_default()), page);
        let whole =
            said.get(8..16) == head.get(16..24) && sums == (number(said, 16), number(said, 20));
        if !whole {
            break;
        }
        let at = 32 + turn * (24 + PAGE) + 24;
        found.push((number(said, 0), at, number(said, 4)));
    }
    found
}
