//! What the state in memory holds, and how it is looked at.

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::channel::manifest::request::RemoteId;
use crate::state::StateError;
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position, Standing};
use crate::sync::state::{Event, HeldPlan, KeptOrder, LineFilter, Look, Pause, RunEnd, Which};

use super::kept::Kept;

/// A source's row.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) digest: u64,
    pub(super) absent: u32,
    pub(super) observation: Observation,
}

/// An event, or what is left of a merged one.
#[derive(Debug)]
pub(super) struct KeptEvent {
    pub(super) number: u64,
    pub(super) at: Timestamp,
    /// `None` when it is merged.
    pub(super) open: Option<Event>,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) numbers: Kept<&'static str, u64>,
    pub(super) levels: Kept<Pair, Level>,
    /// By source and key.
    pub(super) seen: Kept<(String, u64), Seen>,
    /// Source, SKU, location and key.
    pub(super) by_sku: Kept<(String, String, String, u64), ()>,
    pub(super) positions: Kept<String, Position>,
    pub(super) remotes: Kept<String, RemoteId>,
    pub(super) batches: Kept<u64, Batch>,
    pub(super) ledger: Kept<u64, Line>,
    pub(super) events: Kept<(String, String), KeptEvent>,
    pub(super) orders: Kept<u64, KeptOrder>,
    pub(super) pauses: Kept<String, Pause>,
    pub(super) held: Kept<String, (u64, HeldPlan)>,
    pub(super) runs: Kept<u64, RunEnd>,
    pub(super) notes: Kept<String, String>,
}

/// Does the same with each map.
macro_rules! each {
    ($disk:expr, $do:ident) => {{
        $disk.numbers.$do();
        $disk.levels.$do();
        $disk.seen.$do();
        $disk.by_sku.$do();
        $disk.positions.$do();
        $disk.remotes.$do();
        $disk.batches.$do();
        $disk.ledger.$do();
        $disk.events.$do();
        $disk.orders.$do();
        $disk.pauses.$do();
        $disk.held.$do();
        $disk.runs.$do();
        $disk.notes.$do();
    }};
}

impl Disk {
    pub(super) fn begin(&mut self) {
        each!(self, begin);
    }

    pub(super) fn give_up(&mut self) {
        each!(self, give_up);
    }

    pub(super) fn synced(&mut self) {
        each!(self, synced);
    }

    pub(super) fn crash(&mut self) {
        each!(self, crash);
    }

    /// A number by its name; 0 before it was set.
    pub(super) fn number(&self, name: &'static str) -> u64 {
        self.numbers.map().get(name).copied().unwrap_or(0)
    }

    /// The next number of that name.
    pub(super) fn next(&mut self, name: &'static str) -> u64 {
        let next = self.number(name) + 1;
        self.numbers.set(name, Some(next));
        next
    }
}

/// Whether a level belongs to what is asked for.
pub(super) fn belongs(level: &Level, which: Which<'_>) -> bool {
    match which {
        Which::All => true,
        Which::Open => level.flight.is_none() && level.is_open(),
        Which::InFlight => level.flight.is_some(),
        Which::Dead => matches!(level.standing, Standing::Dead { .. }),
        Which::Aside => matches!(
            level.standing,
            Standing::Stranger { .. } | Standing::NotStocked
        ),
        Which::Sku(sku) => level.pair.sku == sku,
    }
}

/// Whether a line belongs to what is asked for.
fn told(line: &Line, filter: &LineFilter<'_>) -> bool {
    filter.sync.is_none_or(|sync| line.sync == sync)
        && filter.sku.is_none_or(|sku| line.pair.sku == sku)
        && filter.since.is_none_or(|since| line.at >= since)
        && filter.what.is_none_or(|what| line.what == what)
}

impl Look for Disk {
    fn tick(&self) -> u64 {
        self.number("tick")
    }

    fn level(&self, pair: &Pair) -> Result<Option<Level>, StateError> {
        Ok(self.levels.map().get(pair).cloned())
    }

    fn levels(
        &self,
        which: Which<'_>,
        tell: &mut dyn FnMut(Level) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let levels = self.levels.map().values();
        for level in levels.filter(|level| belongs(level, which)) {
            if tell(level.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, which: Which<'_>) -> Result<u64, StateError> {
        let levels = self.levels.map().values();
        Ok(levels.filter(|level| belongs(level, which)).count() as u64)
    }

    fn digests(&self, source: &str, tell: &mut dyn FnMut(u64, u64, u32)) -> Result<(), StateError> {
        let rows = self.seen.map().range((source.to_owned(), 0)..);
        for ((_, key), seen) in rows.take_while(|((of, _), _)| of == source) {
            tell(*key, seen.digest, seen.absent);
        }
        Ok(())
    }

    fn observations(&self, source: &str, sku: &str) -> Result<Vec<Observation>, StateError> {
        let first = (source.to_owned(), sku.to_owned(), String::new(), 0);
        let rows = self.by_sku.map().range(first..);
        let rows = rows.take_while(|((of, what, _, _), ())| of == source && what == sku);
        Ok(rows
            .filter_map(|((_, _, _, key), ())| self.seen.map().get(&(source.to_owned(), *key)))
            .map(|seen| seen.observation.clone())
            .collect())
    }

    fn observation(&self, source: &str, key: u64) -> Result<Option<Observation>, StateError> {
        let seen = self.seen.map().get(&(source.to_owned(), key));
        Ok(seen.map(|seen| seen.observation.clone()))
    }

    fn skus(&self, source: &str, tell: &mut dyn FnMut(&str)) -> Result<(), StateError> {
        let first = (source.to_owned(), String::new(), String::new(), 0);
        let mut last: Option<&str> = None;
        for ((of, sku, _, _), ()) in self.by_sku.map().range(first..) {
            if of != source {
                break;
            }
            if last != Some(sku) {
                tell(sku);
                last = Some(sku);
            }
        }
        Ok(())
    }

    fn position(&self, source: &str) -> Result<Option<Position>, StateError> {
        Ok(self.positions.map().get(source).cloned())
    }

    fn remotes(&self, skus: &[String]) -> Result<HashMap<String, RemoteId>, StateError> {
        let known = |sku: &String| {
            let remote = self.remotes.map().get(sku)?;
            Some((sku.clone(), remote.clone()))
        };
        Ok(skus.iter().filter_map(known).collect())
    }

    fn batches(&self) -> Result<Vec<Batch>, StateError> {
        Ok(self.batches.map().values().cloned().collect())
    }

    fn next_batch(&self) -> Result<u64, StateError> {
        Ok(self.number("batch") + 1)
    }

    fn ledger(
        &self,
        filter: &LineFilter<'_>,
        tell: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        for line in self.ledger.map().values().filter(|line| told(line, filter)) {
            if tell(line.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn events(&self, most: usize) -> Result<Vec<Event>, StateError> {
        let mut open: Vec<(u64, &Event)> = self
            .events
            .map()
            .values()
            .filter_map(|kept| Some((kept.number, kept.open.as_ref()?)))
            .collect();
        open.sort_unstable_by_key(|(number, _)| *number);
        let oldest = open.into_iter().take(most);
        Ok(oldest.map(|(_, event)| event.clone()).collect())
    }

    fn orders(&self) -> Result<Vec<KeptOrder>, StateError> {
        Ok(self.orders.map().values().cloned().collect())
    }

    fn pauses(&self) -> Result<Vec<Pause>, StateError> {
        Ok(self.pauses.map().values().cloned().collect())
    }

    fn held(&self) -> Result<Vec<HeldPlan>, StateError> {
        let mut held: Vec<&(u64, HeldPlan)> = self.held.map().values().collect();
        held.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        Ok(held.into_iter().map(|(_, plan)| plan.clone()).collect())
    }

    fn runs(&self, sync: &str, most: usize) -> Result<Vec<RunEnd>, StateError> {
        let newest = self.runs.map().values().rev();
        let runs = newest.filter(|run| run.sync == sync).take(most);
        Ok(runs.cloned().collect())
    }

    fn note(&self, name: &str) -> Result<Option<String>, StateError> {
        Ok(self.notes.map().get(name).cloned())
    }
}
