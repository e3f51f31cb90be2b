//! A map that can go back: to where a commit began, or to what was last on disk.

use std::collections::BTreeMap;

/// A map and what it takes to undo its last changes.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    map: BTreeMap<K, V>,
    /// What stood there before, oldest first.
    undo: Vec<(K, Option<V>)>,
    /// How many of them are older than the present commit.
    begun: usize,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Kept {
            map: BTreeMap::new(),
            undo: Vec::new(),
            begun: 0,
        }
    }
}

impl<K: Ord + Clone, V> Kept<K, V> {
    /// What it holds.
    pub(super) fn map(&self) -> &BTreeMap<K, V> {
        &self.map
    }

    /// Puts a value in its place, or takes it out.
    pub(super) fn set(&mut self, key: K, value: Option<V>) {
        let before = match value {
            Some(value) => self.map.insert(key.clone(), value),
            None => self.map.remove(&key),
        };
        self.undo.push((key, before));
    }

    /// A commit begins.
    pub(super) fn begin(&mut self) {
        self.begun = self.undo.len();
    }

    /// The commit is given up.
    pub(super) fn give_up(&mut self) {
        self.back_to(self.begun);
    }

    /// All of it is on disk.
    pub(super) fn synced(&mut self) {
        self.undo.clear();
        self.begun = 0;
    }

    /// What is not on disk is lost.
    pub(super) fn crash(&mut self) {
        self.back_to(0);
        self.begun = 0;
    }

    fn back_to(&mut self, length: usize) {
        while self.undo.len() > length {
            match self.undo.pop() {
                Some((key, Some(before))) => {
                    self.map.insert(key, before);
                }
                Some((key, None)) => {
                    self.map.remove(&key);
                }
                None => {}
            }
        }
    }
}
