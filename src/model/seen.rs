//! Which hashes were met before: the ids of a feed, the products of a catalog. In: 128-bit hashes. Out: whether each is
//! new. A hash takes 16 to 20 bytes, of which 102 bits are its own, so that two of a million ids are taken for one less often
//! than once in 10^18 runs. The set grows part by part: its memory never doubles, not even for a moment.

/// Parts, each a table of its own.
const PARTS: usize = 64;

/// Places of a part when it is first used.
const PLACES_MIN: usize = 16;

/// 96 bits of a hash; the 6 highest say which part it is in.
type Key = [u32; 3];

/// An empty place. A hash with these bits is kept under others.
const EMPTY: Key = [0; 3];

/// A set of hashes that only grows.
#[derive(Debug, Default)]
pub struct Seen {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Default)]
struct Part {
    places: Vec<Key>,
    used: usize,
}

impl Seen {
    /// Puts a hash in; `false` when it was there already.
    pub fn insert(&mut self, hash: u128) -> bool {
        if self.parts.is_empty() {
            self.parts.resize(PARTS, Part::default());
        }
        let mut key = [hash as u32, (hash >> 32) as u32, (hash >> 64) as u32];
        if key == EMPTY {
            key = [1, 0, 0];
        }
        self.parts
            .get_mut(part(hash))
            .is_some_and(|part| part.insert(key))
    }

    /// Looks where hashes would be put that are put in soon: most places are in no cache, and memory brings several at a time
    /// when they are asked for together.
    pub fn look_ahead(&self, hashes: impl Iterator<Item = u128>) {
        let places = hashes.filter_map(|hash| {
            let places = &self.parts.get(part(hash))?.places;
            places.get(own_place(hash as u32, places.len()))
        });
        std::hint::black_box(places.fold(0, |all, place| all ^ place[0]));
    }
}

impl Part {
    fn insert(&mut self, key: Key) -> bool {
        // At most three of four places are used, or looking takes long.
        if self.places.len() * 3 <= self.used * 4 {
            self.grow();
        }
        let is_new = put(&mut self.places, key);
        self.used += usize::from(is_new);
        is_new
    }

    #[cold]
    fn grow(&mut self) {
        let length = self.places.len();
        let mut places = vec![EMPTY; PLACES_MIN.max(length + length / 4)];
        for key in self.places.drain(..).filter(|key| *key != EMPTY) {
            put(&mut places, key);
        }
        self.places = places;
    }
}

/// The number of the part that a hash is in.
#[inline]
fn part(hash: u128) -> usize {
    (hash >> (128 - PARTS.trailing_zeros())) as usize
}

/// Where a key's first word wants it to be among so many places.
#[inline]
fn own_place(word: u32, places: usize) -> usize {
    ((u64::from(word) * places as u64) >> 32) as usize
}

/// Puts a key into the first free place from its own on; `false` when it is met before that.
fn put(places: &mut [Key], key: Key) -> bool {
    let own = own_place(key[0], places.len());
    let (before, from) = places.split_at_mut_checked(own).unwrap_or_default();
    for place in from.iter_mut().chain(before) {
        if *place == key {
            return false;
        }
        if *place == EMPTY {
            *place = key;
            return true;
        }
    }
    unreachable!("a part has free places")
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
            let places: usize = seen.parts.iter().map(|part| part.places.len()).sum();
            assert!(
                count < 20_000 || places * size_of::<Key>() <= count * 21,
                "{count}"
            );
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
                let kept = if kept & ((1 << 96) - 1) == 0 { kept | 1 } else { kept };
                prop_assert_eq!(seen.insert(hash), slow.insert(kept));
            }
        }
    }
}
