//! What differs, to the store: batches that are stored before they are sent, and one outcome a level.
//!
//! Promised: a level is on its way once at a time; a batch is repeated verbatim under its key or not at all; on stores that
//! compare, a level goes out only with a value that was known before the source was read that its target comes from; what
//! the answer does not name stays unknown.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::store::Outcome;

use super::level::{Batch, BatchItem, BatchState, Known, Level, Line, Pair, Standing, What};
use super::online::{RemoteItem, Write};
use super::planted;
use super::state::{Change, Transaction, Which};
use super::work::{ATTEMPTS_MOST, Work, is_due, later, pause_after};

/// Levels taken in hand at once.
const CHUNK: usize = 10_000;
/// A level that did not go well so often is sent in a batch of its own.
const ALONE_FROM: u32 = 2;
/// What the store does not stock is asked for again after this.
const ASIDE: std::time::Duration = std::time::Duration::from_secs(6 * 3600);

/// How urgent a change is: those that stop an oversell first, then those that bring something back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    ToZero,
    FromZero,
    Other,
}

fn urgency(level: &Level) -> Urgency {
    match (level.known, level.wanted) {
        (Some(known), Some(wanted)) if known.quantity > 0 && wanted.quantity <= 0 => {
            Urgency::ToZero
        }
        (Some(known), Some(wanted)) if known.quantity <= 0 && wanted.quantity > 0 => {
            Urgency::FromZero
        }
        _ => Urgency::Other,
    }
}

impl Work<'_> {
    /// Sends what is open; how many levels wait for the source to be read again.
    ///
    /// # Errors
    /// A state that refuses. A store that cannot be used halts the run.
    pub fn push(&mut self) -> Result<u64, StateError> {
        let mut waiting = 0;
        for urgency in [Urgency::ToZero, Urgency::FromZero, Urgency::Other] {
            waiting = 0;
            // each level is sent once a call, whatever became of it
            let mut done: HashSet<Pair> = HashSet::new();
            while !self.halted()? {
                let chunk = self.ready(urgency, &mut done, &mut waiting)?;
                if chunk.is_empty() {
                    break;
                }
                // what an atomic batch held back for another item's sake goes out again at once, without that item
                for pair in self.send(chunk)? {
                    done.remove(&pair);
                }
            }
        }
        Ok(waiting)
    }

    /// Levels that may go out now.
    fn ready(
        &mut self,
        wanted: Urgency,
        done: &mut HashSet<Pair>,
        waiting: &mut u64,
    ) -> Result<Vec<Level>, StateError> {
        let now = self.now();
        let capabilities = self.store.capabilities();
        let read_at = self
            .state
            .position(&self.rule.reading)?
            .map_or(0, |position| position.read_at);
        let fresh_at = super::observe::fresh_at(&*self.state, &self.rule.reading)?;
        let sync = self.rule.name.as_str();
        let mut chunk = Vec::new();
        *waiting = 0;
        self.state.levels(Which::Open, &mut |level| {
            let ready = level.sync == sync
                && level.flight.is_none()
                && is_due(level.not_before, now)
                && !done.contains(&level.pair);
            let (Some(target), Some(known)) = (level.wanted, level.known) else {
                return ControlFlow::Continue(());
            };
            if !ready {
                // as if all waited for one that is left alone for a while
                return match planted::is("one that waits holds others up")
                    && !done.contains(&level.pair)
                {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                };
            }
            // what we wrote ourselves leaves no order unseen; what was read may hold some that the source did not
            let observed_at = target.observed_at.max(match level.attempts {
                0 => read_at,
                _ => fresh_at,
            });
            let was_read =
                known.version == 0 && (capabilities.compare_and_set || level.attempts > 0);
            let said_nothing = known.at > target.observed_at && self.said_nothing(&level.pair);
            let old_target = was_read && (known.at > observed_at || said_nothing);
            if old_target && !planted::is("stale compare retried with the old target") {
                *waiting += 1;
                return ControlFlow::Continue(());
            }
            if urgency(&level) == wanted {
                done.insert(level.pair.clone());
                chunk.push(level);
            }
            match chunk.len() < CHUNK {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        Ok(chunk)
    }

    /// Whether the last reading of the source gave no count for a pair, at none of its locations: what was decided is then as
    /// old as the reading before.
    fn said_nothing(&self, pair: &Pair) -> bool {
        if self.absent.is_empty() {
            return false;
        }
        let Ok(rows) = self.state.observations(&self.rule.reading, &pair.sku) else {
            return true;
        };
        rows.iter()
            .filter(|row| self.rule.place(&row.location) == Some(pair.place.as_str()))
            .all(|row| {
                let key = super::rows::key(&row.location, &row.sku);
                self.absent.contains(&key)
            })
    }

    /// Sends levels, batch by batch; those that were held back because the store would not have another one of their batch.
    fn send(&mut self, mut levels: Vec<Level>) -> Result<Vec<Pair>, StateError> {
        let mut held = Vec::new();
        let mut aside = Vec::new();
        let Some(items) = self.remote_items(&mut levels, &mut aside)? else {
            return Ok(held);
        };
        if !aside.is_empty() {
            self.figures.strangers += aside.len() as u64;
            self.state.commit(&mut |made| {
                aside
                    .iter()
                    .try_for_each(|level| made.write(Change::Level(level)))
            })?;
        }
        let mut groups: BTreeMap<String, Vec<(Level, RemoteItem)>> = BTreeMap::new();
        for (level, item) in levels.into_iter().zip(items) {
            let group = self.store.group(&item);
            groups.entry(group).or_default().push((level, item));
        }
        let most = self.store.capabilities().batch.max(1);
        for group in groups.into_values() {
            // what was refused again and again goes alone: it may be what others are refused for
            let (alone, together): (Vec<_>, Vec<_>) = group
                .into_iter()
                .partition(|(level, _)| level.attempts >= ALONE_FROM);
            for batch in together.chunks(most).chain(alone.chunks(1)) {
                if self.halted()? {
                    return Ok(held);
                }
                held.append(&mut self.send_batch(batch)?);
            }
        }
        Ok(held)
    }

    fn send_batch(&mut self, members: &[(Level, RemoteItem)]) -> Result<Vec<Pair>, StateError> {
        let capabilities = self.store.capabilities();
        let now = self.now();
        let id = self.state.next_batch()?;
        let compares = capabilities.compare_and_set && !planted::is("null compare");
        let items: Vec<BatchItem> = members
            .iter()
            .filter_map(|(level, _)| {
                let wanted = level.wanted?;
                Some(BatchItem {
                    pair: level.pair.clone(),
                    version: wanted.version,
                    quantity: wanted.quantity,
                    compare: level.known.filter(|_| compares).map(|known| known.quantity),
                })
            })
            .collect();
        let mut batch = Batch {
            id,
            sync: self.rule.name.clone(),
            key: self.key(id, &items, now)?,
            made_at: now,
            key_ends: capabilities.key_life.map(|life| later(now, life * 9 / 10)),
            items,
            state: BatchState::Prepared,
            unknown_since: None,
            attempts: 1,
        };
        let sent_first = planted::is("outbox after send");
        if !sent_first {
            self.begin(&batch, members)?;
        }
        kill_point(recovery::Y5);
        let writes = writes(&batch, members);
        let outcomes = self.store.push(&batch.key, &writes);
        kill_point(recovery::Y10);
        if sent_first {
            self.begin(&batch, members)?;
        }
        self.figures.batches += 1;
        let mut levels: Vec<Level> = members.iter().map(|(level, _)| level.clone()).collect();
        for level in &mut levels {
            level.flight = Some(id);
        }
        self.finish(&mut batch, levels, outcomes)
    }

    /// The key by which the store knows a repetition. It is made once, of what no other batch has.
    fn key(&self, id: u64, items: &[BatchItem], now: Timestamp) -> Result<String, StateError> {
        if planted::is("key reused for another target")
            && let Some(first) = items.first()
        {
            return Ok(uuid(xxh3_128_with_seed(first.pair.sku.as_bytes(), 7)));
        }
        let identity = self.state.note("identity")?.unwrap_or_default();
        let text = format!("{identity} {} {id} {}", self.rule.name, now.as_nanosecond());
        Ok(uuid(xxh3_128_with_seed(text.as_bytes(), id)))
    }

    /// Stores a batch and marks its levels, before it is sent.
    fn begin(&mut self, batch: &Batch, members: &[(Level, RemoteItem)]) -> Result<(), StateError> {
        self.state.commit(&mut |made| {
            made.write(Change::Batch(batch))?;
            for (level, _) in members {
                let mut level = level.clone();
                level.flight = Some(batch.id);
                made.write(Change::Level(&level))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Keeps what became of a batch: of each level, and of the batch where some of it is unknown. Levels that are not on their
    /// way with it any more are left as they are. Gives those that were held back for another one's sake.
    pub(super) fn finish(
        &mut self,
        batch: &mut Batch,
        levels: Vec<Level>,
        outcomes: Vec<Outcome>,
    ) -> Result<Vec<Pair>, StateError> {
        let now = self.now();
        let at = self.state.tick() + 1;
        let mut by_pair: HashMap<Pair, Level> = levels
            .into_iter()
            .map(|level| (level.pair.clone(), level))
            .collect();
        let mut changed: Vec<Level> = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        let mut unknown = false;
        // the store judged one of them: nothing is wrong with those that it did not judge
        let judged = outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Rejected { .. } | Outcome::Stale { .. }));
        let mut held = Vec::new();
        let mut outcomes = outcomes.into_iter();
        for (index, item) in batch.items.iter().enumerate() {
            let outcome = outcomes.next().unwrap_or_else(|| Outcome::Unknown {
                reason: "nothing was said of it".to_owned(),
            });
            let Some(mut level) = by_pair
                .remove(&item.pair)
                .filter(|level| level.flight == Some(batch.id))
            else {
                continue;
            };
            let outcome = match outcome {
                Outcome::Rejected { .. }
                    if index == 0 && planted::is("ignore one item's error") =>
                {
                    Outcome::Accepted
                }
                Outcome::Unknown { .. } if planted::is("missing item counted as accepted") => {
                    Outcome::Accepted
                }
                outcome => outcome,
            };
            let before = level.known.map(|known| known.quantity);
            let mut line = self.line(batch, item, before, What::Accepted);
            if let Outcome::Unknown { reason } = outcome {
                unknown = true;
                self.figures.unknown += 1;
                line.what = What::Unknown;
                line.message = reason;
                lines.push(line);
                continue;
            }
            level.flight = None;
            if judged && matches!(outcome, Outcome::Held { .. }) {
                held.push(level.pair.clone());
            }
            let told = self.judge(&mut level, item, outcome, &mut line, at, now);
            changed.push(level);
            if told {
                lines.push(line);
            }
        }
        if unknown {
            batch.state = BatchState::Unknown;
            batch.unknown_since.get_or_insert(now);
        }
        let batch = &*batch;
        self.state.commit(&mut |made| {
            keep(made, batch, unknown, &changed, &lines)?;
            kill_point(recovery::Y11);
            Ok(())
        })?;
        kill_point(recovery::Y12);
        Ok(held)
    }

    /// What an outcome makes of a level; false where the ledger has nothing to tell.
    fn judge(
        &mut self,
        level: &mut Level,
        item: &BatchItem,
        outcome: Outcome,
        line: &mut Line,
        at: u64,
        now: Timestamp,
    ) -> bool {
        match outcome {
            Outcome::Accepted | Outcome::Unknown { .. } => {
                self.figures.accepted += 1;
                level.known = Some(Known {
                    quantity: item.quantity,
                    version: item.version,
                    at,
                });
                level.attempts = 0;
                level.not_before = None;
            }
            Outcome::Rejected {
                code,
                message,
                transient,
            } => {
                level.attempts += 1;
                line.code.clone_from(&code);
                line.message.clone_from(&message);
                if transient && level.attempts < ATTEMPTS_MOST {
                    self.figures.refused += 1;
                    line.what = What::Refused;
                    level.not_before = Some(pause_after(level.attempts, now));
                } else {
                    self.figures.dead += 1;
                    line.what = What::Dead;
                    kill_point(recovery::Y18);
                    level.standing = Standing::Dead {
                        code,
                        message,
                        since: now,
                    };
                }
            }
            Outcome::Stale { code, message } => {
                self.figures.stale += 1;
                line.what = What::Stale;
                line.code = code;
                line.message = message;
                level.attempts += 1;
                // it is read again, and so is the source, before anything is sent again
                level.known = match planted::is("stale compare retried with the old target") {
                    true => level.known,
                    false => None,
                };
                if let Some(wanted) = &mut level.wanted {
                    wanted.version += 1;
                }
                if level.attempts >= ATTEMPTS_MOST {
                    self.figures.dead += 1;
                    level.standing = Standing::Dead {
                        code: line.code.clone(),
                        message: "the store's level changes faster than it can be set".to_owned(),
                        since: now,
                    };
                }
            }
            Outcome::Held { .. } => return false,
        }
        true
    }

    /// A level that the store turned out not to stock.
    pub(super) fn not_stocked(&mut self, level: &mut Level, now: Timestamp) {
        self.figures.strangers += 1;
        level.standing = Standing::NotStocked;
        level.not_before = Some(later(now, ASIDE));
    }
}

/// The writes of a batch, in its order.
pub(super) fn writes(batch: &Batch, members: &[(Level, RemoteItem)]) -> Vec<Write> {
    let remotes: HashMap<&Pair, &RemoteItem> =
        members.iter().map(|(_, item)| (&item.pair, item)).collect();
    batch
        .items
        .iter()
        .filter_map(|item| {
            Some(Write {
                item: (*remotes.get(&item.pair)?).clone(),
                quantity: item.quantity,
                compare: item.compare,
            })
        })
        .collect()
}

/// Keeps what became of a batch.
pub(super) fn keep(
    made: &mut dyn Transaction,
    batch: &Batch,
    unknown: bool,
    levels: &[Level],
    lines: &[Line],
) -> Result<(), StateError> {
    for level in levels {
        made.write(Change::Level(level))?;
    }
    for line in lines {
        made.write(Change::Line(line))?;
    }
    match unknown {
        true => made.write(Change::Batch(batch)),
        false => made.write(Change::BatchEnded(batch.id)),
    }
}

/// A UUID (version 8: of our own making) out of 128 bits.
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x8 << 76) | (0x2 << 62);
    let text = format!("{bits:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
