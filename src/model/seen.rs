//! Which hashes were met before: the ids of a feed, the products of a catalog. In: 128-bit hashes. Out: whether each is
//! new. A hash takes 16 to 20 bytes, of which 102 bits are its own, so that two of a million ids are taken for one less often
//! than once in 10^18 runs; while there are few, up to 32. The set grows part by part: its memory never doubles, not even
//! for a moment.

/// Parts, each a table of its own.
const PARTS: usize = 64;

/// Lines of a part when it is first used.
const LINES_MIN: usize = 4;

/// Lines up to which a part doubles, which costs less than growing by a quarter: beyond 65,000 hashes in all, memory counts.
const LINES_DOUBLED: usize = 256;

/// Hashes that a line has room for.
const KEYS: usize = 5;

/// 96 bits of a hash; the 6 highest say which part it is in.
type Key = [u32; 3];

/// Some hashes that are looked for together: what memory brings at once, so that most looks wait for it no more than once.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line {
    keys: [Key; KEYS],
    /// How many of them are there, from the first on.
    used: u32,
}

/// A set of hashes that only grows.
#[derive(Debug, Default)]
pub struct Seen {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Default)]
struct Part {
    lines: Vec<Line>,
    used: usize,
}

impl Seen {
    /// Puts a hash in; `false` when it was there already.
    #[inline]
    pub fn insert(&mut self, hash: u128) -> bool {
        if self.parts.is_empty() {
            self.parts.resize(PARTS, Part::default());
        }
        let key = [hash as u32, (hash >> 32) as u32, (hash >> 64) as u32];
        self.parts
            .get_mut(part(hash))
            .is_some_and(|part| part.insert(key))
    }

    /// Looks where hashes would be put that are put in soon: most lines are in no cache, and memory brings several at a time
    /// when they are asked for together.
    pub fn look_ahead(&self, hashes: impl Iterator<Item = u128>) {
        let lines = hashes.filter_map(|hash| {
            let lines = &self.parts.get(part(hash))?.lines;
            lines.get(own_line(hash as u32, lines.len()))
        });
        std::hint::black_box(lines.fold(0, |all, line| all ^ line.used));
    }
}

impl Part {
    #[inline]
    fn insert(&mut self, key: Key) -> bool {
        // At most four of five places are used, or more lines are full and more than one is looked at.
        if self.lines.len() * KEYS * 4 <= self.used * 5 {
            self.grow();
        }
        let mut at = own_line(key[0], self.lines.len());
        while let Some(line) = self.lines.get_mut(at) {
            let used = line.used as usize;
            if line.keys.iter().take(used).any(|known| *known == key) {
                return false;
            }
            if let Some(free) = line.keys.get_mut(used) {
                *free = key;
                line.used += 1;
                self.used += 1;
                return true;
            }
            at = next(at, self.lines.len());
        }
        unreachable!("a part has free places")
    }

    #[cold]
    fn grow(&mut self) {
        let length = self.lines.len();
        let more = match length < LINES_DOUBLED {
            true => length,
            false => length / 4,
        };
        let mut lines = vec![Line::default(); LINES_MIN.max(length + more)];
        let all = self.lines.drain(..);
        for key in all.flat_map(|line| line.keys.into_iter().take(line.used as usize)) {
            // No key is there twice: each goes into the first line with room.
            let mut at = own_line(key[0], lines.len());
            while let Some(line) = lines.get_mut(at) {
                if let Some(free) = line.keys.get_mut(line.used as usize) {
                    *free = key;
                    line.used += 1;
                    break;
                }
                at = next(at, lines.len());
            }
        }
        self.lines = lines;
    }
}

/// The number of the part that a hash is in.
#[inline]
fn part(hash: u128) -> usize {
    (hash >> (128 - PARTS.trailing_zeros())) as usize
}

/// Which of so many lines a key's first word wants it to be in.
#[inline]
fn own_line(word: u32, lines: usize) -> usize {
    ((u64::from(word) * lines as u64) >> 32) as usize
}

/// The line that is looked at where one is full.
#[inline]
fn next(line: usize, lines: usize) -> usize {
    if line + 1 == lines { 0 } else { line + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_hash_takes_twenty_bytes_at_most() {
        let mut seen = Seen::default();
        let mut hash = 1u128;
        for count in 1..200_000usize {
            hash = hash
                .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
                .wrapping_add(1);
            // A generator's low bits are poor, a hash's are not.
            assert!(seen.insert(hash ^ hash >> 64));
            let lines: usize = seen.parts.iter().map(|part| part.lines.len()).sum();
            let most = match count {
                0..20_000 => continue,
                20_000..80_000 => 33,
                _ => 21,
            };
            assert!(lines * size_of::<Line>() <= count * most, "{count}");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_set(hashes in prop::collection::vec(
            prop_oneof![0u128..200, any::<u128>(), (0u128..4).prop_map(|high| high << 64), (0u128..64).prop_map(|high| high << 122)],
            0..600,
        )) {
            let (mut seen, mut slow) = (Seen::default(), HashSet::new());
            for hash in hashes {
                // Bits that are not kept.
                let kept = hash & !(0x03ff_ffff << 96);
                prop_assert_eq!(seen.insert(hash), slow.insert(kept));
            }
        }
    }
}
