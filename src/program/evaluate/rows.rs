//! Values from other rows than the one in hand: of joined sources, of the product, of its variants.

use bumpalo::collections::String as ArenaString;

use crate::model::value::{ELEMENT, Value};
use crate::program::arithmetic;
use crate::program::graph::{Graph, NodeId};
use crate::program::table::RowId;

use super::{Evaluator, Outcome, Place};

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn joined_row(&self, table: u32, key: NodeId) -> Option<RowId> {
        let find = || {
            self.text(key)
                .and_then(|key| self.tables.joined[table as usize].find(key))
        };
        if self.place.get().elsewhere {
            return find();
        }
        let kept = &self.joined[table as usize];
        if kept.get().0 != self.stamp.get() {
            kept.set((self.stamp.get(), find()));
        }
        kept.get().1
    }

    /// Asks each joined source for the record, so that rows no record asks for can be told.
    pub fn touch(&self, keys: &[(u32, NodeId)]) {
        for &(table, key) in keys {
            self.joined_row(table, key);
        }
    }

    /// The graph it runs.
    pub(in crate::program) fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// The file and line of the row that values are read from just now.
    pub fn place(&self) -> (u32, u64) {
        let place = self.place.get();
        (place.batch.file_of(place.row), place.batch.line(place.row))
    }

    /// Runs something on a joined row.
    pub(in crate::program) fn with_joined<T>(
        &self,
        table: u32,
        row: RowId,
        run: impl FnOnce() -> T,
    ) -> T {
        let (batch, row) = self.tables.joined[table as usize].row(row);
        let before = self.place.replace(Place {
            elsewhere: true,
            joined: true,
            ..Place::new(batch, row)
        });
        let result = run();
        self.place.set(before);
        result
    }

    pub(in crate::program) fn at_joined(
        &self,
        table: u32,
        row: RowId,
        value: NodeId,
    ) -> Outcome<'a> {
        self.with_joined(table, row, || self.value(value))
    }

    pub(super) fn at_row(&self, row: usize, value: NodeId) -> Outcome<'a> {
        let before = self.place.get();
        self.place.set(Place::new(before.batch, row).elsewhere());
        let outcome = self.value(value);
        self.place.set(before);
        outcome
    }

    #[inline(never)]
    pub(super) fn stock_sum(
        &self,
        table: u32,
        key: NodeId,
        quantity: NodeId,
        location: NodeId,
        set: Option<u32>,
    ) -> Outcome<'a> {
        let codes = set.map(|set| self.graph.location_sets[set as usize].as_slice());
        let here = self
            .location
            .get()
            .map(|location| self.tables.locations[location as usize].code.as_str());
        let mut sum: Option<i64> = None;
        let mut row = self.joined_row(table, key);
        while let Some(at) = row {
            let code = self.at_joined(table, at, location)?.as_text().unwrap_or("");
            let wanted = match (here, codes) {
                (Some(here), _) => here == code,
                (None, Some(codes)) => codes.iter().any(|wanted| wanted == code || wanted == "*"),
                (None, None) => true,
            };
            if wanted && let Some(units) = arithmetic::units(self.at_joined(table, at, quantity)?) {
                sum = Some(sum.unwrap_or(0).saturating_add(units));
            }
            row = self.tables.joined[table as usize].next(at);
        }
        Ok(sum.map_or(Value::Absent, |sum| {
            Value::Text(self.arena.alloc_str(&sum.to_string()))
        }))
    }

    #[inline(never)]
    pub(super) fn location_key(&self, key: &str) -> Value<'a> {
        let Some(location) = self.location.get() else {
            return Value::Absent;
        };
        Value::text(self.tables.locations[location as usize].key(key))
    }

    /// The value of the product's row, where the row in hand has none of its own; kept by the number of the node that asks.
    pub(super) fn inherited(&self, id: NodeId, own: NodeId, siblings: bool) -> Outcome<'a> {
        let (product, place) = (self.product.get(), self.place.get());
        if place.elsewhere || place.row == product.row || !(siblings || product.apart) {
            return Ok(Value::Absent);
        }
        let kept = &self.kept[id.0 as usize];
        if self.graph.is_steady(id)
            && let Some(outcome) = kept.get(self.stamp.get())
        {
            return outcome;
        }
        let outcome = self.at_row(product.row, own);
        kept.set(self.stamp.get(), outcome);
        outcome
    }

    #[inline(never)]
    pub(super) fn gather(&self, own: NodeId) -> Outcome<'a> {
        let product = self.product.get();
        if product.end <= product.start + 1 {
            return self.value(own);
        }
        self.over_rows(product.start..product.end, own)
    }

    /// The elements of a value over rows of the batch, each once.
    #[inline(never)]
    pub(super) fn over_rows(&self, rows: impl Iterator<Item = usize>, own: NodeId) -> Outcome<'a> {
        // Most often all rows say the same: then nothing is put together.
        let mut first: Option<&'a str> = None;
        let mut seen: Vec<&'a str> = Vec::new();
        for row in rows {
            for element in self.at_row(row, own)?.elements() {
                match first {
                    None => first = Some(element),
                    Some(first) if first == element => {}
                    Some(_) if !seen.contains(&element) => seen.push(element),
                    Some(_) => {}
                }
            }
        }
        let Some(first) = first else {
            return Ok(Value::Absent);
        };
        if seen.is_empty() {
            return Ok(Value::list(first));
        }
        seen.insert(0, first);
        Ok(self.list_of(&seen))
    }

    #[inline(never)]
    pub(super) fn list_of(&self, elements: &[&str]) -> Value<'a> {
        let mut text = ArenaString::new_in(self.arena);
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                text.push(ELEMENT);
            }
            text.push_str(element);
        }
        Value::list(text.into_bump_str())
    }
}
