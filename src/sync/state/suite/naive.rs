//! A state so simple that it can be seen to be right: lists, gone through from end to end.

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::channel::manifest::request::RemoteId;
use crate::state::StateError;
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position, Standing};
use crate::sync::state::{
    Event, HeldPlan, KeptOrder, LineFilter, Look, Order, Pause, RunEnd, Which,
};

/// A change that owns what it says.
#[derive(Clone, Debug)]
pub(in crate::sync::state) enum Said {
    Observed(&'static str, u64, u64, Observation),
    Absent(&'static str, u64, u32),
    Position(&'static str, Position),
    Level(Level),
    Remote(&'static str, Option<RemoteId>),
    Batch(Batch),
    BatchEnded(u64),
    Line(Line),
    Event(Event),
    EventMerged(&'static str, String),
    EventsForgotten(Timestamp),
    Order(Timestamp, Order),
    OrderDone(u64),
    Paused(Pause),
    Resumed(&'static str),
    Held(HeldPlan),
    HeldEnded(String),
    Run(RunEnd),
    Note(&'static str, String),
    LedgerCut(Timestamp),
}

#[derive(Clone, Debug, Default)]
pub(in crate::sync::state) struct Naive {
    rows: Vec<(&'static str, u64, u64, u32, Observation)>,
    positions: Vec<(&'static str, Position)>,
    levels: Vec<Level>,
    remotes: Vec<(&'static str, RemoteId)>,
    batches: Vec<Batch>,
    last_batch: u64,
    lines: Vec<Line>,
    events: Vec<(Event, bool)>,
    orders: Vec<KeptOrder>,
    last_order: u64,
    pauses: Vec<Pause>,
    held: Vec<HeldPlan>,
    runs: Vec<RunEnd>,
    notes: Vec<(&'static str, String)>,
}

impl Naive {
    pub(super) fn apply(&mut self, said: &Said) {
        match said.clone() {
            Said::Observed(source, key, digest, row) => {
                self.rows.retain(|old| (old.0, old.1) != (source, key));
                self.rows.push((source, key, digest, 0, row));
            }
            Said::Absent(source, key, times) => {
                let mut rows = self.rows.iter_mut();
                if let Some(row) = rows.find(|old| (old.0, old.1) == (source, key)) {
                    row.3 = times;
                }
            }
            Said::Position(source, position) => {
                self.positions.retain(|old| old.0 != source);
                self.positions.push((source, position));
            }
            Said::Level(level) => {
                self.levels.retain(|old| old.pair != level.pair);
                self.levels.push(level);
            }
            Said::Remote(sku, remote) => {
                self.remotes.retain(|old| old.0 != sku);
                self.remotes.extend(remote.map(|remote| (sku, remote)));
            }
            Said::Batch(batch) => {
                self.last_batch = self.last_batch.max(batch.id);
                self.batches.retain(|old| old.id != batch.id);
                self.batches.push(batch);
            }
            Said::BatchEnded(id) => self.batches.retain(|old| old.id != id),
            Said::Line(line) => self.lines.push(line),
            Said::Event(event) => {
                let is =
                    |old: &(Event, bool)| (&old.0.source, &old.0.id) == (&event.source, &event.id);
                if !self.events.iter().any(is) {
                    self.events.push((event, false));
                }
            }
            Said::EventMerged(source, id) => {
                for (event, merged) in &mut self.events {
                    *merged |= event.source == source && event.id == id;
                }
            }
            Said::EventsForgotten(before) => self
                .events
                .retain(|(event, merged)| !merged || event.at >= before),
            Said::Order(at, order) => {
                self.last_order += 1;
                self.orders.push(KeptOrder {
                    id: self.last_order,
                    at,
                    who: "ann".to_owned(),
                    order,
                });
            }
            Said::OrderDone(id) => self.orders.retain(|old| old.id != id),
            Said::Paused(pause) => {
                self.pauses.retain(|old| old.sync != pause.sync);
                self.pauses.push(pause);
            }
            Said::Resumed(sync) => self.pauses.retain(|old| old.sync != sync),
            Said::Held(plan) => {
                self.held.retain(|old| old.id != plan.id);
                self.held.push(plan);
            }
            Said::HeldEnded(id) => self.held.retain(|old| old.id != id),
            Said::Run(run) => self.runs.push(run),
            Said::Note(name, value) => {
                self.notes.retain(|old| old.0 != name);
                self.notes.push((name, value));
            }
            Said::LedgerCut(before) => {
                let all = self.lines.clone();
                let mut at = 0;
                self.lines.retain(|line| {
                    at += 1;
                    line.at >= before || all[at..].iter().all(|later| later.pair != line.pair)
                });
            }
        }
    }
}

impl Look for Naive {
    fn tick(&self) -> u64 {
        0
    }
    fn level(&self, pair: &Pair) -> Result<Option<Level>, StateError> {
        Ok(self
            .levels
            .iter()
            .find(|level| &level.pair == pair)
            .cloned())
    }
    fn levels(
        &self,
        which: Which<'_>,
        tell: &mut dyn FnMut(Level) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let mut found: Vec<&Level> = self.levels.iter().collect();
        found.retain(|level| match which {
            Which::All => true,
            Which::Open => {
                level.standing == Standing::Open
                    && level.flight.is_none()
                    && level.wanted.map(|wanted| wanted.quantity)
                        != level.known.map(|known| known.quantity)
                    && level.wanted.is_some()
            }
            Which::InFlight => level.flight.is_some(),
            Which::Dead => matches!(level.standing, Standing::Dead { .. }),
            Which::Aside => {
                level.standing == Standing::NotStocked
                    || matches!(level.standing, Standing::Stranger { .. })
            }
            Which::Sku(sku) => level.pair.sku == sku,
        });
        found.sort_by(|one, other| {
            (&one.pair.place, &one.pair.sku).cmp(&(&other.pair.place, &other.pair.sku))
        });
        for level in found {
            if tell(level.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }
    fn count(&self, which: Which<'_>) -> Result<u64, StateError> {
        let mut count = 0;
        self.levels(which, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }
    fn digests(&self, source: &str, tell: &mut dyn FnMut(u64, u64, u32)) -> Result<(), StateError> {
        for row in self.rows.iter().filter(|row| row.0 == source) {
            tell(row.1, row.2, row.3);
        }
        Ok(())
    }
    fn observations(&self, source: &str, sku: &str) -> Result<Vec<Observation>, StateError> {
        let rows = self
            .rows
            .iter()
            .filter(|row| row.0 == source && row.4.sku == sku);
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|one, other| (&one.4.location, one.1).cmp(&(&other.4.location, other.1)));
        Ok(rows.into_iter().map(|row| row.4.clone()).collect())
    }
    fn observation(&self, source: &str, key: u64) -> Result<Option<Observation>, StateError> {
        let found = self.rows.iter().find(|row| (row.0, row.1) == (source, key));
        Ok(found.map(|row| row.4.clone()))
    }
    fn skus(&self, source: &str, tell: &mut dyn FnMut(&str)) -> Result<(), StateError> {
        let mut told: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| row.0 == source) {
            if !told.contains(&row.4.sku.as_str()) {
                tell(&row.4.sku);
                told.push(&row.4.sku);
            }
        }
        Ok(())
    }
    fn position(&self, source: &str) -> Result<Option<Position>, StateError> {
        let found = self.positions.iter().find(|one| one.0 == source);
        Ok(found.map(|one| one.1.clone()))
    }
    fn remotes(&self, skus: &[String]) -> Result<HashMap<String, RemoteId>, StateError> {
        let known = self.remotes.iter();
        let known = known.filter(|one| skus.iter().any(|sku| sku == one.0));
        Ok(known.map(|one| (one.0.to_owned(), one.1.clone())).collect())
    }
    fn batches(&self) -> Result<Vec<Batch>, StateError> {
        let mut batches = self.batches.clone();
        batches.sort_by_key(|batch| batch.id);
        Ok(batches)
    }
    fn next_batch(&self) -> Result<u64, StateError> {
        Ok(self.last_batch + 1)
    }
    fn ledger(
        &self,
        filter: &LineFilter<'_>,
        tell: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        for line in &self.lines {
            let passes = (filter.sync.is_none() || filter.sync == Some(line.sync.as_str()))
                && (filter.sku.is_none() || filter.sku == Some(line.pair.sku.as_str()))
                && (filter.since.is_none() || filter.since <= Some(line.at))
                && (filter.what.is_none() || filter.what == Some(line.what));
            if passes && tell(line.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }
    fn events(&self, most: usize) -> Result<Vec<Event>, StateError> {
        let open = self.events.iter().filter(|(_, merged)| !merged);
        Ok(open.take(most).map(|(event, _)| event.clone()).collect())
    }
    fn orders(&self) -> Result<Vec<KeptOrder>, StateError> {
        Ok(self.orders.clone())
    }
    fn pauses(&self) -> Result<Vec<Pause>, StateError> {
        let mut pauses = self.pauses.clone();
        pauses.sort_by(|one, other| one.sync.cmp(&other.sync));
        Ok(pauses)
    }
    fn held(&self) -> Result<Vec<HeldPlan>, StateError> {
        Ok(self.held.iter().rev().cloned().collect())
    }
    fn runs(&self, sync: &str, most: usize) -> Result<Vec<RunEnd>, StateError> {
        let runs = self.runs.iter().rev().filter(|run| run.sync == sync);
        Ok(runs.take(most).cloned().collect())
    }
    fn note(&self, name: &str) -> Result<Option<String>, StateError> {
        let found = self.notes.iter().find(|one| one.0 == name);
        Ok(found.map(|one| one.1.clone()))
    }
}
