//! Items put together into batches: so many, so many bytes, and one group each. Bounded: a batch leaves when it is full, and
//! the largest leaves when too many items wait in all.

use indexmap::IndexMap;

use crate::channel::manifest::request::Batch as Bounds;

/// Most items that wait in unfinished batches.
const WAITING_MAX: usize = 10_000;

/// One item on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) sku: String,
    /// What stands in the document; empty for a removal by steps of its own.
    pub(super) bytes: Vec<u8>,
    pub(super) removed: bool,
    /// Further names for templates.
    pub(super) fields: Vec<(String, String)>,
}

impl Entry {
    /// A further name's value; the last where there are several.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter().rev();
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Items that go out together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) group: String,
    pub(super) entries: Vec<Entry>,
    bytes: usize,
}

/// Makes batches.
#[derive(Debug)]
pub(super) struct Batcher {
    items_max: usize,
    bytes_max: usize,
    /// Bytes of an empty document, and those each item costs beside its own.
    around: usize,
    between: usize,
    open: IndexMap<String, Batch>,
    waiting: usize,
}

impl Batcher {
    pub(super) fn new(bounds: Bounds, around: usize, between: usize) -> Self {
        Batcher {
            items_max: usize::try_from(bounds.items.max(1)).unwrap_or(usize::MAX),
            bytes_max: bounds
                .bytes
                .and_then(|bytes| usize::try_from(bytes.0).ok())
                .unwrap_or(usize::MAX),
            around,
            between,
            open: IndexMap::new(),
            waiting: 0,
        }
    }

    /// Takes an item in; the batches that are full now.
    ///
    /// # Errors
    /// The item and why no batch can hold it.
    pub(super) fn push(
        &mut self,
        group: String,
        entry: Entry,
    ) -> Result<Vec<Batch>, Box<(Entry, String)>> {
        let bytes = entry.bytes.len() + self.between;
        if self.around + bytes > self.bytes_max {
            let reason = format!(
                "the item has {} bytes, and a whole batch takes {}",
                entry.bytes.len(),
                self.bytes_max
            );
            return Err(Box::new((entry, reason)));
        }
        let mut full = Vec::new();
        let batch = self.open.entry(group.clone()).or_insert_with(|| Batch {
            group: group.clone(),
            bytes: self.around,
            entries: Vec::new(),
        });
        // the same item twice in one batch could not be told apart in its answer
        let twice = self.items_max > 1 && batch.entries.iter().any(|known| known.id == entry.id);
        if batch.bytes + bytes > self.bytes_max || twice {
            let next = Batch {
                group,
                bytes: self.around,
                entries: Vec::new(),
            };
            let left = std::mem::replace(batch, next);
            self.waiting -= left.entries.len();
            full.push(left);
        }
        batch.bytes += bytes;
        batch.entries.push(entry);
        self.waiting += 1;
        if batch.entries.len() >= self.items_max {
            let group = batch.group.clone();
            full.extend(self.take(&group));
        } else if self.waiting > WAITING_MAX {
            let largest = self
                .open
                .values()
                .max_by_key(|batch| batch.entries.len())
                .map(|batch| batch.group.clone());
            full.extend(largest.and_then(|group| self.take(&group)));
        }
        Ok(full)
    }

    fn take(&mut self, group: &str) -> Option<Batch> {
        let batch = self.open.swap_remove(group)?;
        self.waiting -= batch.entries.len();
        Some(batch)
    }

    /// What is left.
    pub(super) fn rest(&mut self) -> Vec<Batch> {
        self.waiting = 0;
        std::mem::take(&mut self.open)
            .into_values()
            .filter(|batch| !batch.entries.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::manifest::request::Size;

    fn entry(id: usize, bytes: usize) -> Entry {
        Entry {
            id: id.to_string(),
            sku: id.to_string(),
            bytes: vec![b'x'; bytes],
            removed: false,
            fields: Vec::new(),
        }
    }

    fn sizes(
        bounds: Bounds,
        items: impl Iterator<Item = (usize, usize, &'static str)>,
    ) -> Vec<usize> {
        let mut batcher = Batcher::new(bounds, 10, 2);
        let mut made = Vec::new();
        for (id, bytes, group) in items {
            made.extend(
                batcher
                    .push(group.to_owned(), entry(id, bytes))
                    .expect("small enough"),
            );
        }
        made.extend(batcher.rest());
        for batch in &made {
            let bytes: usize = batch
                .entries
                .iter()
                .map(|entry| entry.bytes.len() + 2)
                .sum();
            assert!(
                bounds
                    .bytes
                    .is_none_or(|most| (bytes + 10) as u64 <= most.0)
            );
        }
        made.iter().map(|batch| batch.entries.len()).collect()
    }

    #[test]
    fn batches_keep_to_items_bytes_and_groups() {
        let items = |items, bytes: Option<u64>| Bounds {
            items,
            bytes: bytes.map(Size),
        };
        let ten = || (0..10).map(|id| (id, 8, ""));
        assert_eq!(sizes(items(4, None), ten()), [4, 4, 2]);
        assert_eq!(sizes(items(1, None), ten()), [1; 10]);
        assert_eq!(sizes(items(100, Some(40)), ten()), [3, 3, 3, 1]);
        let grouped = (0..9).map(|id| (id, 8, ["a", "b", "c"][id % 3]));
        assert_eq!(sizes(items(2, None), grouped), [2, 2, 2, 1, 1, 1]);
    }

    #[test]
    fn the_same_item_twice_goes_in_two_batches() {
        let bounds = Bounds {
            items: 10,
            bytes: None,
        };
        let twice = [(1, 5, ""), (2, 5, ""), (1, 5, "")].into_iter();
        assert_eq!(sizes(bounds, twice), [2, 1]);
    }

    #[test]
    fn an_item_that_no_batch_can_hold_is_given_back() {
        let bounds = Bounds {
            items: 10,
            bytes: Some(Size(30)),
        };
        let mut batcher = Batcher::new(bounds, 10, 2);
        let given = batcher
            .push(String::new(), entry(1, 19))
            .expect_err("too large");
        assert_eq!(given.0.id, "1");
        assert!(batcher.rest().is_empty());
    }

    #[test]
    fn many_groups_do_not_pile_up() {
        let bounds = Bounds {
            items: 100,
            bytes: None,
        };
        let mut batcher = Batcher::new(bounds, 0, 0);
        let mut sent = 0;
        for id in 0..30_000 {
            let made = batcher
                .push((id / 2).to_string(), entry(id, 1))
                .expect("small");
            sent += made.iter().map(|batch| batch.entries.len()).sum::<usize>();
            assert!(batcher.waiting <= WAITING_MAX + 1);
        }
        sent += batcher
            .rest()
            .iter()
            .map(|batch| batch.entries.len())
            .sum::<usize>();
        assert_eq!(sent, 30_000);
    }
}
