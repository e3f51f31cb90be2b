//! The changes that are more than a row put in its place.

use std::collections::HashSet;
use std::ops::ControlFlow;

use jiff::Timestamp;
use rusqlite::params;
use rusqlite::types::ValueRef;
use xxhash_rust::xxh3::xxh3_128;

use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::sync::level::{Batch, Level, Line, Observation, Standing};
use crate::sync::state::{Event, HeldPlan, Order, RUNS_KEPT, RunEnd};

use super::super::columns::{Columns, int, json, micros, optional, text};
use super::super::rows;
use super::super::schema::Table;
use super::{Does, Writing};

/// A level counts with at most so many units in the totals, so that no sum overflows.
const UNITS_MOST: u64 = 1_000_000_000_000;

impl Writing<'_> {
    pub(super) fn observed(
        &mut self,
        source: &str,
        key: u64,
        digest: u64,
        of: &Observation,
    ) -> Result<(), StateError> {
        let number = self.source(source)?;
        let source = ValueRef::Integer(number);
        let (mark, tie) = rows::of_mark(&of.mark);
        let counts = [
            optional(of.quantity),
            optional(of.committed),
            optional(of.safety_stock),
            mark,
            tie,
        ];
        let names = [text(&of.location), text(&of.sku)];
        let known = self.known(number, key)?;
        if let Some((id, location, sku)) = &known
            && *location == of.location
            && *sku == of.sku
        {
            let [quantity, committed, safety_stock, mark, tie] = counts;
            let values = [
                source,
                ValueRef::Integer(*id),
                int(key),
                int(digest),
                quantity,
                committed,
                safety_stock,
                mark,
                tie,
            ];
            return self.run(Table::Observations, Does::Say, &values).map(drop);
        }
        let id = match known {
            Some((id, ..)) => id,
            None => self.next_row(number)?,
        };
        let [location, sku] = names;
        let [quantity, committed, safety_stock, mark, tie] = counts;
        self.put(
            Table::Observations,
            &[
                source,
                ValueRef::Integer(id),
                int(key),
                int(digest),
                int(0),
                location,
                sku,
                quantity,
                committed,
                safety_stock,
                mark,
                tie,
            ],
        )
    }

    /// The number of a source's row and its names, by its key.
    fn known(&self, source: i64, key: u64) -> Result<Option<(i64, String, String)>, StateError> {
        let mut found = None;
        self.rows.each(
            "SELECT id, location, sku FROM observations INDEXED BY observations_key WHERE source = ? AND key = ?",
            params![source, key.cast_signed()],
            |mut row| Ok((row.signed()?, row.text()?, row.text()?)),
            |one| {
                found = Some(one);
                ControlFlow::Break(())
            },
        )?;
        Ok(found)
    }

    pub(super) fn absent(&mut self, source: &str, key: u64, times: u32) -> Result<(), StateError> {
        let Some(source) = self.rows.source(source)? else {
            return Ok(());
        };
        let values = [ValueRef::Integer(source), int(key), int(times.into())];
        self.run(Table::Observations, Does::Absent, &values)
            .map(drop)
    }

    pub(super) fn level(&mut self, level: &Level) -> Result<(), StateError> {
        if matches!(level.standing, Standing::Dead { .. }) {
            self.kinds.dead = true;
        } else {
            self.kinds.wanted = true;
        }
        self.count(level)?;
        let standing = rows::standing(&level.standing);
        self.put(Table::Levels, &rows::of_level(level, standing.as_deref()))
    }

    /// Keeps the totals up: what a level adds to them, in place of what it added before.
    fn count(&mut self, level: &Level) -> Result<(), StateError> {
        let mut before = None;
        self.rows.each(
            "SELECT sync, known_quantity FROM levels WHERE place = ? AND sku = ?",
            params![level.pair.place, level.pair.sku],
            |mut row| Ok((row.text()?, row.optional()?)),
            |one| {
                before = Some(one);
                ControlFlow::Break(())
            },
        )?;
        let before = before.and_then(|(sync, known)| known.map(|known| (sync, known)));
        let after = level
            .known
            .map(|known| (level.sync.clone(), known.quantity));
        if before == after {
            return Ok(());
        }
        for (sign, counted) in [(-1, before), (1, after)] {
            if let Some((sync, quantity)) = counted {
                let units = i64::try_from(quantity.unsigned_abs().min(UNITS_MOST)).unwrap_or(0);
                let values = [
                    text(&sync),
                    text(&level.pair.place),
                    ValueRef::Integer(sign),
                    ValueRef::Integer(sign * i64::from(quantity > 0)),
                    ValueRef::Integer(sign * units),
                ];
                self.run(Table::Totals, Does::Count, &values)?;
            }
        }
        Ok(())
    }

    pub(super) fn line(&mut self, line: &Line) -> Result<(), StateError> {
        self.kinds.line = true;
        let query = "SELECT id FROM ledger ORDER BY id DESC LIMIT 1";
        let id = self.next_of(Table::Ledger, query)?;
        let what = json(&line.what);
        self.put(Table::Ledger, &rows::of_line(id, line, &what))
    }

    pub(super) fn event(&mut self, event: &Event) -> Result<(), StateError> {
        let query = "SELECT number FROM events WHERE source = ? AND id = ?";
        let known: Option<i64> = self.rows.value(query, params![event.source, event.id])?;
        if known.is_some() {
            return Ok(());
        }
        let number = self.next_number("event")?;
        let observations = json(&event.observations);
        let values = [
            text(&event.source),
            text(&event.id),
            int(number),
            micros(event.at),
            int(0),
            text(&observations),
        ];
        self.put(Table::Events, &values)
    }

    pub(super) fn merged(&mut self, source: &str, id: &str) -> Result<(), StateError> {
        let query = "SELECT number, at FROM events WHERE source = ? AND id = ?";
        let mut found = None;
        let columns = |mut row: Columns<'_, '_>| Ok((row.signed()?, row.signed()?));
        self.rows.each(query, params![source, id], columns, |one| {
            found = Some(one);
            ControlFlow::Break(())
        })?;
        let Some((number, at)) = found else {
            return Ok(());
        };
        // Its words have done what they are for.
        let values = [
            text(source),
            text(id),
            ValueRef::Integer(number),
            ValueRef::Integer(at),
            int(1),
            text("[]"),
        ];
        self.put(Table::Events, &values)
    }

    pub(super) fn forget_events(&mut self, before: Timestamp) -> Result<(), StateError> {
        let mut old: Vec<(String, String)> = Vec::new();
        self.rows.each(
            "SELECT source, id FROM events WHERE merged = 1 AND at < ?",
            params![before.as_microsecond()],
            |mut row| Ok((row.text()?, row.text()?)),
            |one| {
                old.push(one);
                ControlFlow::Continue(())
            },
        )?;
        let mut old = old.iter();
        old.try_for_each(|(source, id)| self.remove(Table::Events, &[text(source), text(id)]))
    }

    pub(super) fn held(&mut self, plan: &HeldPlan) -> Result<(), StateError> {
        let query = "SELECT ifnull(max(number), 0) FROM held";
        let number = self.next_of(Table::Held, query)?;
        let (reasons, items) = (json(&plan.reasons), json(&plan.items));
        let values = [
            text(&plan.id),
            ValueRef::Integer(number),
            text(&plan.sync),
            micros(plan.at),
            text(&reasons),
            text(&items),
        ];
        self.put(Table::Held, &values)
    }

    pub(super) fn ran(&mut self, run: &RunEnd) -> Result<(), StateError> {
        let query = "SELECT number FROM runs ORDER BY number DESC LIMIT 1";
        let number = self.next_of(Table::Runs, query)?;
        let values = [
            ValueRef::Integer(number),
            text(&run.sync),
            micros(run.at),
            int(run.exit.into()),
            text(&run.words),
            int(run.compared),
            int(run.changed),
            int(run.accepted),
        ];
        self.put(Table::Runs, &values)?;
        let kept = i64::try_from(RUNS_KEPT).unwrap_or(i64::MAX);
        let old = self.numbers(
            "SELECT number FROM runs WHERE sync = ? ORDER BY number DESC LIMIT -1 OFFSET ?",
            params![run.sync, kept],
        )?;
        let mut old = old.into_iter();
        old.try_for_each(|number| self.remove(Table::Runs, &[ValueRef::Integer(number)]))
    }

    fn numbers(&self, query: &str, params: impl rusqlite::Params) -> Result<Vec<i64>, StateError> {
        let mut numbers = Vec::new();
        self.rows.each(
            query,
            params,
            |mut row| row.signed(),
            |number| {
                numbers.push(number);
                ControlFlow::Continue(())
            },
        )?;
        Ok(numbers)
    }

    pub(super) fn cut(&mut self, before: Timestamp) -> Result<(), StateError> {
        kill_point(recovery::Y14);
        self.kinds.cut = true;
        let before = before.as_microsecond();
        let mut last: HashSet<u128> = HashSet::new();
        let mut old = Vec::new();
        self.rows.each(
            "SELECT id, at, place, sku FROM ledger ORDER BY id DESC",
            params![],
            |mut row| {
                let (id, at) = (row.signed()?, row.signed()?);
                let pair = format!("{}\u{0}{}", row.str()?, row.str()?);
                Ok((id, at, xxh3_128(pair.as_bytes())))
            },
            |(id, at, pair)| {
                if !last.insert(pair) && at < before {
                    old.push(id);
                }
                ControlFlow::Continue(())
            },
        )?;
        if old.is_empty() {
            return Ok(());
        }
        for id in old {
            self.remove(Table::Ledger, &[ValueRef::Integer(id)])?;
        }
        self.set_number("cut", 1)
    }

    pub(super) fn order(
        &mut self,
        at: Timestamp,
        who: &str,
        order: &Order,
    ) -> Result<(), StateError> {
        let id = self.next_number("order")?;
        let said = json(order);
        self.put(
            Table::Orders,
            &[int(id), micros(at), text(who), text(&said)],
        )
    }

    pub(super) fn batch(&mut self, batch: &Batch) -> Result<(), StateError> {
        if batch.id > self.rows.number("batch")? {
            self.set_number("batch", batch.id)?;
        }
        let items = json(&batch.items);
        self.put(Table::Batches, &rows::of_batch(batch, &items))
    }
}
