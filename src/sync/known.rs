//! The rows that are known of a source, in hand while a whole reading is compared with them.
//!
//! A reading most likely gives its rows in the order in which they were kept: the next row is looked for where the last one was
//! found, and in an index of all keys only where it is not there.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// How far around the place where a row is expected it is looked for, before the index is asked.
const NEAR: usize = 4;

/// A row of the source, as far as it takes to see that it says nothing new.
pub(super) struct Row {
    pub(super) key: u64,
    pub(super) digest: u64,
    pub(super) absences: u32,
    /// The reading gave it.
    pub(super) met: bool,
    /// The reading gave it, and it says something new.
    pub(super) news: bool,
}

#[derive(Default)]
pub(super) struct Known {
    pub(super) rows: Vec<Row>,
    /// Where the next row is expected.
    next: usize,
    /// Places by key; made when a row is not where it is expected.
    index: Option<HashTable<u32>>,
}

impl Known {
    /// Takes one in, of which it is known that no other has its key.
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Finds a row by its key.
    pub(super) fn find(&mut self, key: u64) -> Option<&mut Row> {
        let at = self.place(key)?;
        self.next = at + 1;
        self.rows.get_mut(at)
    }

    fn place(&mut self, key: u64) -> Option<usize> {
        let near = self.next.saturating_sub(NEAR)..self.next + NEAR;
        let ahead = self.next..near.end;
        for at in ahead.chain(near.start..self.next) {
            if self.rows.get(at).is_some_and(|row| row.key == key) {
                return Some(at);
            }
        }
        let rows = &self.rows;
        let index = self.index.get_or_insert_with(|| {
            let mut index = HashTable::with_capacity(rows.len());
            for (at, row) in (0_u32..).zip(rows) {
                index.insert_unique(row.key, at, |at| key_at(rows, *at));
            }
            index
        });
        let found = index.find(key, |at| key_at(rows, *at) == key)?;
        Some(*found as usize)
    }

    /// Finds a row by its key, or makes a new one.
    pub(super) fn find_or_add(&mut self, key: u64) -> &mut Row {
        let at = match self.place(key) {
            Some(at) => at,
            None => {
                let at = self.rows.len();
                self.rows.push(Row {
                    key,
                    digest: 0,
                    absences: 0,
                    met: false,
                    news: false,
                });
                let rows = &self.rows;
                if let Some(index) = &mut self.index
                    && let Ok(place) = u32::try_from(at)
                {
                    let same = |at: &u32| key_at(rows, *at) == key;
                    if let Entry::Vacant(free) = index.entry(key, same, |at| key_at(rows, *at)) {
                        free.insert(place);
                    }
                }
                at
            }
        };
        self.next = at + 1;
        self.rows.get_mut(at).expect("it was found or added")
    }
}

/// Keys are hashes already.
fn key_at(rows: &[Row], at: u32) -> u64 {
    rows.get(at as usize).map_or(0, |row| row.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_in_any_order_and_new_ones_once() {
        let mut known = Known::default();
        for key in 0..1000_u64 {
            known.add(Row {
                key: key * 7,
                digest: key,
                absences: 0,
                met: false,
                news: false,
            });
        }
        let digest = |known: &mut Known, key: u64| known.find(key * 7).map(|row| row.digest);
        for key in (0..1000).chain((0..1000).rev()).chain([500, 3, 998, 0]) {
            assert_eq!(digest(&mut known, key), Some(key));
        }
        assert_eq!(digest(&mut known, 1000), None);
        for turn in 0..3 {
            for key in 1000..1100 {
                let row = known.find_or_add(key * 7);
                assert_eq!(row.digest, if turn == 0 { 0 } else { key });
                row.digest = key;
            }
        }
        assert_eq!(known.rows.len(), 1100);
    }
}
