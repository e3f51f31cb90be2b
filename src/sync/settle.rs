//! What a run left unknown: settled by the batch's own key while the store knows it, else by reading.
//!
//! Promised: an unknown write is neither success nor failure until the store says so; a batch is repeated verbatim; after
//! its key's end it is never sent again. On stores that may still apply a lost request, a level is read once the quiet time is
//! over, and once more later.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;

use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::store::Outcome;

use super::level::{Batch, BatchState, Known, Level, Line, Pair, What};
use super::online::{Reading, RemoteItem};
use super::planted;
use super::push::writes;
use super::state::{Change, Which};
use super::work::{ATTEMPTS_MOST, Work, later};

/// A lost request may be applied so much later; then the pair is read once more.
const LATE_MOST: Duration = Duration::from_secs(15 * 60);

impl Work<'_> {
    /// Settles batches that earlier runs, or this one, left unknown; how many stay.
    ///
    /// # Errors
    /// A state that refuses. A store that cannot be used halts the run.
    pub fn settle(&mut self) -> Result<u64, StateError> {
        let mut left = 0;
        for batch in self.state.batches()? {
            if batch.sync != self.rule.name {
                continue;
            }
            kill_point(recovery::Y19);
            if self.halted()? || !self.settle_batch(batch)? {
                left += 1;
            }
        }
        Ok(left)
    }

    /// Settles one batch as far as it goes; true when nothing of it is open any more.
    fn settle_batch(&mut self, mut batch: Batch) -> Result<bool, StateError> {
        let now = self.now();
        let mut levels: Vec<Level> = Vec::new();
        for item in &batch.items {
            if let Some(level) = self.state.level(&item.pair)?
                && level.flight == Some(batch.id)
            {
                levels.push(level);
            }
        }
        if levels.is_empty() {
            self.state
                .commit(&mut |made| made.write(Change::BatchEnded(batch.id)))?;
            return Ok(true);
        }
        let keyed = self.store.capabilities().key_life.is_some();
        let repeats = batch.attempts < ATTEMPTS_MOST;
        let holds = batch.key_holds(now) || (keyed && planted::is("resend after key expiry"));
        if holds && repeats {
            return self.repeat(&mut batch, levels);
        }
        if batch.state == BatchState::Prepared {
            // nobody knows whether it left: from now on it is watched
            batch.state = BatchState::Unknown;
            batch.unknown_since = Some(now);
            let watched = &batch;
            self.state
                .commit(&mut |made| made.write(Change::Batch(watched)))?;
        }
        if batch.unknown_since.is_some_and(|since| since > now) {
            // the clock went back: the wait begins anew
            batch.unknown_since = Some(now);
            let watched = &batch;
            self.state
                .commit(&mut |made| made.write(Change::Batch(watched)))?;
        }
        if !batch.is_quiet(now, self.store.capabilities().quiet) {
            if planted::is("wait for the quiet time") {
                drop(self.clock.sleep(self.store.capabilities().quiet));
            }
            return Ok(false);
        }
        self.settle_by_reading(&batch, levels)
    }

    /// The same bytes under the same key.
    fn repeat(&mut self, batch: &mut Batch, levels: Vec<Level>) -> Result<bool, StateError> {
        let skus: Vec<String> = batch
            .items
            .iter()
            .map(|item| item.pair.sku.clone())
            .collect();
        let remotes = self.state.remotes(&skus)?;
        let members: Vec<(Level, RemoteItem)> = batch
            .items
            .iter()
            .filter_map(|item| {
                let remote = remotes.get(&item.pair.sku)?.clone();
                let pair = item.pair.clone();
                Some((
                    Level::new(pair.clone(), &batch.sync),
                    RemoteItem { pair, remote },
                ))
            })
            .collect();
        if members.len() < batch.items.len() {
            // it can no longer be said in the same bytes
            return self.settle_by_reading(batch, levels);
        }
        batch.attempts += 1;
        if planted::is("new key on retry") {
            batch.key = format!("{}-{}", batch.key, batch.attempts);
        }
        let counted = &*batch;
        self.state
            .commit(&mut |made| made.write(Change::Batch(counted)))?;
        let writes = writes(batch, &members);
        let outcomes = self.store.push(&batch.key, &writes);
        // a repetition that the store would not hear of says nothing of what was sent before it
        let judged = outcomes.iter().any(is_verdict);
        let outcomes = match judged {
            true => outcomes,
            false => outcomes.into_iter().map(of_repetition).collect(),
        };
        self.figures.batches += 1;
        if !judged && self.store.paused().is_some() {
            // nobody heard it: a store that is shut does not use its tries up
            batch.attempts -= 1;
        }
        let before = self.figures.unknown;
        self.finish(batch, levels, outcomes)?;
        Ok(self.figures.unknown == before)
    }

    /// Reads what the store has, and takes that for the answer.
    fn settle_by_reading(&mut self, batch: &Batch, levels: Vec<Level>) -> Result<bool, StateError> {
        let now = self.now();
        let mut levels = levels;
        let mut aside = Vec::new();
        let Some(items) = self.remote_items(&mut levels, &mut aside)? else {
            return Ok(false);
        };
        let readings = match self.store.read(&items) {
            Ok(readings) => readings,
            Err(error) => {
                self.halt::<()>(error)?;
                return Ok(false);
            }
        };
        let at = self.state.tick() + 1;
        let mut changed: Vec<Level> = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        let mut open = false;
        for (mut level, reading) in levels.into_iter().zip(readings) {
            let Some(item) = batch.items.iter().find(|item| item.pair == level.pair) else {
                continue;
            };
            let before = level.known.map(|known| known.quantity);
            let mut line = self.line(batch, item, before, What::Accepted);
            match reading {
                Reading::Level(quantity) => {
                    level.flight = None;
                    let there = quantity == item.quantity;
                    // as it was when it was sent: nobody else was there
                    let untouched = item.compare.or(before) == Some(quantity);
                    if there || !untouched {
                        level.known = Some(Known {
                            quantity,
                            version: if there { item.version } else { 0 },
                            at,
                        });
                    }
                    if there {
                        self.figures.accepted += 1;
                        level.attempts = 0;
                        "nobody answered; reading shows it".clone_into(&mut line.message);
                    } else {
                        line.what = What::NotApplied;
                        line.message = format!("reading shows {quantity}");
                        level.attempts += 1;
                        if let Some(wanted) = &mut level.wanted
                            && wanted.version == item.version
                        {
                            wanted.version += 1;
                        }
                    }
                }
                Reading::NotStocked => {
                    level.flight = None;
                    self.not_stocked(&mut level, now);
                    line.what = What::NotApplied;
                    "the store does not stock it there".clone_into(&mut line.message);
                }
                Reading::Unknown(_) => {
                    open = true;
                    self.figures.unread += 1;
                    continue;
                }
            }
            lines.push(line);
            changed.push(level);
        }
        for level in &mut aside {
            level.flight = None;
        }
        self.figures.strangers += aside.len() as u64;
        changed.append(&mut aside);
        let watched: Vec<Pair> = changed.iter().map(|level| level.pair.clone()).collect();
        let recheck = self.with_rechecks(watched, later(now, LATE_MOST))?;
        let name = recheck_note(&self.rule.name);
        self.state.commit(&mut |made| {
            super::push::keep(made, batch, open, &changed, &lines)?;
            made.write(Change::Note {
                name: &name,
                value: &recheck,
            })
        })?;
        Ok(!open)
    }

    /// The pairs to be read once more, with new ones, as they are kept.
    fn with_rechecks(&self, pairs: Vec<Pair>, due: Timestamp) -> Result<String, StateError> {
        let mut kept = self.rechecks()?;
        for pair in pairs {
            kept.insert(pair, due.as_second());
        }
        Ok(shown(&kept))
    }

    /// Pairs to be read once more, and when, in seconds since 1970.
    fn rechecks(&self) -> Result<BTreeMap<Pair, i64>, StateError> {
        let text = self.state.note(&recheck_note(&self.rule.name))?;
        let list: Vec<(String, String, i64)> = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Ok(list
            .into_iter()
            .map(|(place, sku, due)| (Pair { place, sku }, due))
            .collect())
    }

    /// Pairs that are due to be read once more; the others stay kept.
    pub(super) fn due_rechecks(&mut self) -> Result<Vec<Level>, StateError> {
        let now = self.now().as_second();
        let mut kept = self.rechecks()?;
        // a clock that went back must not put it off for ever
        let most = i64::try_from(LATE_MOST.as_secs()).unwrap_or(i64::MAX);
        let due: Vec<Pair> = kept
            .iter()
            .filter(|(_, due)| **due <= now || **due > now.saturating_add(most))
            .map(|(pair, _)| pair.clone())
            .collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut levels = Vec::new();
        for pair in due {
            kept.remove(&pair);
            levels.extend(
                self.state
                    .level(&pair)?
                    .filter(|level| level.flight.is_none()),
            );
        }
        let (name, text) = (recheck_note(&self.rule.name), shown(&kept));
        self.state.commit(&mut |made| {
            made.write(Change::Note {
                name: &name,
                value: &text,
            })
        })?;
        Ok(levels)
    }

    /// Levels of this sync that are on their way.
    pub(super) fn in_flight(&self) -> Result<u64, StateError> {
        let mut count = 0;
        let sync = &self.rule.name;
        self.state.levels(Which::InFlight, &mut |level| {
            count += u64::from(level.sync == *sync);
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }
}

/// Whether the store itself judged the level: a refusal of the whole call has an HTTP status for its code.
fn is_verdict(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted | Outcome::Stale { .. } => true,
        Outcome::Rejected { code, .. } => {
            code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit())
        }
        Outcome::Held { .. } | Outcome::Unknown { .. } => false,
    }
}

/// What the outcome of a repetition says of the batch, where the store judged none of its levels.
fn of_repetition(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Held { reason } => Outcome::Unknown { reason },
        Outcome::Rejected { code, message, .. } => Outcome::Unknown {
            reason: format!("its repetition was refused: `{code}` {message}"),
        },
        outcome => outcome,
    }
}

fn recheck_note(sync: &str) -> String {
    format!("recheck:{sync}")
}

fn shown(kept: &BTreeMap<Pair, i64>) -> String {
    let list: Vec<(&str, &str, i64)> = kept
        .iter()
        .map(|(pair, due)| (pair.place.as_str(), pair.sku.as_str(), *due))
        .collect();
    serde_json::to_string(&list).unwrap_or_default()
}
