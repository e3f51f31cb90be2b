//! A joined source in memory: its batches as they were read, and an index from key to rows.

use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::Batch;

/// A row of a table, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId(pub u32);

#[derive(Clone, Copy)]
struct Place {
    batch: u32,
    row: u32,
    next: u32,
}

struct Key {
    hash: u64,
    text: (u32, u32),
    first: u32,
    last: u32,
}

const NONE: u32 = u32::MAX;

/// A joined source: rows by key, in the order they were read.
#[derive(Default)]
pub struct Table {
    /// The source's name in the project.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    batches: Vec<Batch>,
    places: Vec<Place>,
    texts: String,
    keys: HashTable<u32>,
    entries: Vec<Key>,
    met: Vec<AtomicBool>,
}

impl Table {
    /// An empty table of a source.
    pub fn new(name: &str, columns: Vec<String>) -> Self {
        Table {
            name: name.to_owned(),
            columns,
            ..Table::default()
        }
    }

    /// Adds a batch; `key` gives each row's key (`None`: the row has none and is left out). Calls `repeated` with the row
    /// and the first row of that key when the key was there before.
    pub fn add<'k>(
        &mut self,
        batch: Batch,
        keys: impl Iterator<Item = Option<&'k str>>,
        mut repeated: impl FnMut(&Batch, usize, &str),
    ) {
        let number = u32::try_from(self.batches.len()).expect("fewer than 4 billion batches");
        for (row, key) in keys.enumerate() {
            let Some(key) = key else { continue };
            let place = u32::try_from(self.places.len()).expect("fewer than 4 billion rows");
            self.places.push(Place {
                batch: number,
                row: u32::try_from(row).expect("a batch is small"),
                next: NONE,
            });
            let hash = xxh3_64(key.as_bytes());
            let (entries, texts) = (&self.entries, &self.texts);
            let found = self.keys.find(hash, |&entry| {
                let known = &entries[entry as usize];
                known.hash == hash && text_of(texts, known.text) == key
            });
            if let Some(&entry) = found {
                let last = self.entries[entry as usize].last;
                self.places[last as usize].next = place;
                self.entries[entry as usize].last = place;
                repeated(&batch, row, key);
            } else {
                let start = u32::try_from(self.texts.len()).expect("keys take less than 4 GiB");
                self.texts.push_str(key);
                let end = u32::try_from(self.texts.len()).expect("keys take less than 4 GiB");
                let entry = u32::try_from(self.entries.len()).expect("fewer than 4 billion keys");
                self.entries.push(Key {
                    hash,
                    text: (start, end),
                    first: place,
                    last: place,
                });
                self.met.push(AtomicBool::new(false));
                let entries = &self.entries;
                self.keys
                    .insert_unique(hash, entry, |&entry| entries[entry as usize].hash);
            }
        }
        self.batches.push(batch);
    }

    /// The first row of a key.
    pub fn find(&self, key: &str) -> Option<RowId> {
        let hash = xxh3_64(key.as_bytes());
        let entry = *self.keys.find(hash, |&entry| {
            let known = &self.entries[entry as usize];
            known.hash == hash && text_of(&self.texts, known.text) == key
        })?;
        // Shared by the workers; only ever set, and read after they ended.
        self.met[entry as usize].store(true, Ordering::Relaxed);
        Some(RowId(self.entries[entry as usize].first))
    }

    /// The next row of the same key.
    pub fn next(&self, row: RowId) -> Option<RowId> {
        let next = self.places[row.0 as usize].next;
        (next != NONE).then_some(RowId(next))
    }

    /// Where a row lies: its batch, and its number in it.
    pub fn row(&self, row: RowId) -> (&Batch, usize) {
        let place = self.places[row.0 as usize];
        (&self.batches[place.batch as usize], place.row as usize)
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = RowId> + '_ {
        (0..u32::try_from(self.places.len()).unwrap_or(NONE)).map(RowId)
    }

    /// The keys that no record asked for, with their first row.
    pub fn unmet(&self) -> impl Iterator<Item = (&str, RowId)> + '_ {
        self.entries
            .iter()
            .zip(&self.met)
            .filter(|(_, met)| !met.load(Ordering::Relaxed))
            .map(|(key, _)| (text_of(&self.texts, key.text), RowId(key.first)))
    }

    /// Number of keys and of rows.
    pub fn counts(&self) -> (usize, usize) {
        (self.entries.len(), self.places.len())
    }

    /// What the table holds in memory, in bytes.
    pub fn size_bytes(&self) -> usize {
        let batches: usize = self
            .batches
            .iter()
            .map(|batch| batch.text_len() + batch.len() * (batch.width() * 8 + 8))
            .sum();
        batches
            + self.places.capacity() * size_of::<Place>()
            + self.entries.capacity() * (size_of::<Key>() + 1)
            + self.keys.capacity() * 5
            + self.texts.capacity()
    }
}

fn text_of(texts: &str, (start, end): (u32, u32)) -> &str {
    texts.get(start as usize..end as usize).unwrap_or("")
}
