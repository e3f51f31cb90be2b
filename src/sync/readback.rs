//! Reading the store back: a sample each run, all of it with `--full`. A 200 is not proof.
//!
//! Comes in: levels that are in step as far as we know. Goes out: those that are not, with what happened to them, by the ledger
//! and the level that was read:
//!
//! - *lost write*: it is what it was before our last write, which the store took;
//! - *clamped*: the store took a level and says another one, and says that same one after it took the level once more; or it
//!   was clamped at that number before, and the level lies on the same side of it. It is set aside as a dead letter, since
//!   sending it again would never end;
//! - *refused*: the store said no to what is wanted, and says what it said before;
//! - *foreign edit*: anything else.
//!
//! What was read becomes the known level; whether that is out of step is then decided like everything else, after the source was
//! read again.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::state::StateError;

use super::level::{Known, Level, Line, Standing, What};
use super::online::Reading;
use super::planted;
use super::state::{Change, LineFilter, Which};
use super::work::Work;

/// Levels read between two commits.
const CHUNK: usize = 2_000;
/// Most levels of a sample.
const SAMPLE_MOST: usize = 500;
/// Stores may show an old level for so long after a write.
const SETTLES: Duration = Duration::from_secs(90);
/// The code of a dead letter of which the store makes another number.
const CLAMPED: &str = "clamped";

/// What the ledger tells of a pair.
#[derive(Default)]
struct Past {
    /// What the store took last.
    taken: Option<Line>,
    /// What it took before, and what was read between the two that it had not taken.
    repaired: Option<(Line, Line)>,
    /// What was read since that the store had not taken.
    drift: Option<Line>,
    /// The version that it refused last.
    refused: Option<u64>,
}

impl Past {
    fn add(&mut self, line: Line) {
        match line.what {
            What::Accepted => {
                let before = self.taken.take();
                self.repaired = before.zip(self.drift.take());
                self.taken = Some(line);
            }
            What::Lost | What::Foreign | What::Clamped => self.drift = Some(line),
            What::Refused | What::Dead => self.refused = Some(line.version),
            _ => {}
        }
    }

    /// Whether the store makes this number of what it takes: it did so before.
    fn is_clamped(&self, taken: &Line, quantity: i64) -> bool {
        let Some((before, drift)) = &self.repaired else {
            return false;
        };
        let same_intent = before.version == taken.version && before.quantity == taken.quantity;
        let same_side = (before.quantity > quantity) == (taken.quantity > quantity);
        drift.quantity == quantity
            && (same_intent || drift.what == What::Clamped && same_side)
            && !planted::is("repair a clamp for ever")
    }
}

impl Work<'_> {
    /// Reads all levels of the sync back; how many were not what we knew.
    ///
    /// # Errors
    /// A state that refuses. A store that cannot be used halts the run.
    pub fn read_back_all(&mut self) -> Result<u64, StateError> {
        let mut drifted = 0;
        let mut after: Option<super::level::Pair> = None;
        while !self.halted()? {
            let mut chunk: Vec<Level> = Vec::new();
            let sync = self.rule.name.as_str();
            self.state.levels(Which::All, &mut |level| {
                let passed = after.as_ref().is_some_and(|after| level.pair <= *after);
                if !passed && level.sync == sync && can_be_compared(&level) {
                    chunk.push(level);
                }
                match chunk.len() < CHUNK {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            let Some(last) = chunk.last() else { break };
            after = Some(last.pair.clone());
            drifted += self.read_back(chunk, true)?;
        }
        Ok(drifted)
    }

    /// Reads back what is due, and a sample of the rest; how many were not what we knew.
    ///
    /// # Errors
    /// A state that refuses. A store that cannot be used halts the run.
    pub fn read_back_sample(&mut self, turn: u64) -> Result<u64, StateError> {
        if self.halted()? {
            return Ok(0);
        }
        let mut chunk = self.due_rechecks()?;
        let levels = self.state.count(Which::All)?;
        let share = self.rule.recheck.clamp(Decimal::ZERO, Decimal::ONE);
        let most = (share * Decimal::from(levels))
            .ceil()
            .to_usize()
            .unwrap_or(0)
            .min(SAMPLE_MOST);
        if most > 0 {
            // another part each turn, so that all come round
            let parts = levels.div_ceil(most as u64).max(1);
            let part = turn % parts;
            let sync = self.rule.name.as_str();
            let mut sample: Vec<Level> = Vec::new();
            self.state.levels(Which::All, &mut |level| {
                let key = super::rows::key(&level.pair.place, &level.pair.sku);
                let ours = level.sync == sync && can_be_read(&level) && !level.is_open();
                if ours && key % parts == part {
                    sample.push(level);
                }
                match sample.len() < SAMPLE_MOST {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            chunk.extend(sample);
        }
        chunk.sort_by(|one, other| one.pair.cmp(&other.pair));
        chunk.dedup_by(|one, other| one.pair == other.pair);
        if chunk.is_empty() {
            return Ok(0);
        }
        self.read_back(chunk, false)
    }

    /// Reads levels; how many were not what we knew. With `full` those are counted, too, that are what we knew and not what is
    /// wanted.
    fn read_back(&mut self, mut levels: Vec<Level>, full: bool) -> Result<u64, StateError> {
        let now = self.now();
        let mut aside = Vec::new();
        let Some(items) = self.remote_items(&mut levels, &mut aside)? else {
            return Ok(0);
        };
        let readings = match self.store.read(&items) {
            Ok(readings) => readings,
            Err(error) => {
                self.halt::<()>(error)?;
                return Ok(0);
            }
        };
        let at = self.state.tick() + 1;
        let mut changed: Vec<Level> = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        for (mut level, reading) in levels.into_iter().zip(readings) {
            let Some(known) = level.known else { continue };
            match reading {
                Reading::Level(quantity) if quantity == known.quantity => {
                    if full {
                        self.still_out_of_step(&level)?;
                    }
                }
                Reading::Level(quantity) => {
                    let Some(what) = self.drift(&level, quantity, now)? else {
                        continue;
                    };
                    let mut line = self.read_line(&level, quantity, what);
                    if what == What::Clamped {
                        line.message =
                            format!("the store took {} and says {quantity}", known.quantity);
                        level.standing = Standing::Dead {
                            code: CLAMPED.to_owned(),
                            message: line.message.clone(),
                            since: now,
                        };
                    } else if level
                        .wanted
                        .is_some_and(|wanted| wanted.quantity == quantity)
                    {
                        // whatever was set aside: the store says what is wanted
                        level.standing = Standing::Open;
                    }
                    lines.push(line);
                    level.known = Some(Known {
                        quantity,
                        version: 0,
                        at,
                    });
                    // somebody else was there: the source has to say something newer first
                    level.attempts = level.attempts.max(1);
                    changed.push(level);
                }
                Reading::NotStocked => {
                    self.not_stocked(&mut level, now);
                    changed.push(level);
                }
                Reading::Unknown(_) => self.figures.unread += 1,
            }
        }
        let drifted = lines.len() as u64;
        self.figures.strangers += aside.len() as u64;
        changed.append(&mut aside);
        if changed.is_empty() {
            return Ok(0);
        }
        self.state.commit(&mut |made| {
            changed
                .iter()
                .try_for_each(|level| made.write(Change::Level(level)))?;
            lines
                .iter()
                .try_for_each(|line| made.write(Change::Line(line)))
        })?;
        Ok(drifted)
    }

    /// What the ledger tells of a pair.
    fn past(&self, level: &Level) -> Result<Past, StateError> {
        let mut past = Past::default();
        let filter = LineFilter {
            sku: Some(&level.pair.sku),
            ..LineFilter::default()
        };
        self.state.ledger(&filter, &mut |line| {
            if line.pair == level.pair {
                past.add(line);
            }
            ControlFlow::Continue(())
        })?;
        Ok(past)
    }

    /// Counts a level that is as we know it and not as it should be, where that is the store's will.
    fn still_out_of_step(&mut self, level: &Level) -> Result<(), StateError> {
        let Some(wanted) = level.wanted else {
            return Ok(());
        };
        if level
            .known
            .is_some_and(|known| known.quantity == wanted.quantity)
        {
            return Ok(());
        }
        match &level.standing {
            Standing::Dead { code, .. } if code == CLAMPED => self.figures.clamped += 1,
            Standing::Dead { .. } => self.figures.still_refused += 1,
            _ => {
                let refused = self.past(level)?.refused == Some(wanted.version);
                self.figures.still_refused += u64::from(refused);
            }
        }
        Ok(())
    }

    /// What happened to a level that is not what we knew; `None` while the store may only be slow to show it.
    fn drift(
        &mut self,
        level: &Level,
        quantity: i64,
        now: Timestamp,
    ) -> Result<Option<What>, StateError> {
        let past = self.past(level)?;
        let Some(taken) = &past.taken else {
            self.figures.foreign += 1;
            return Ok(Some(What::Foreign));
        };
        let since = now.duration_since(taken.at);
        if !since.is_negative() && since.unsigned_abs() < SETTLES {
            return Ok(None);
        }
        let ours = level.known.is_some_and(|known| known.version != 0);
        Ok(Some(if ours && past.is_clamped(taken, quantity) {
            self.figures.clamped += 1;
            self.figures.dead += 1;
            What::Clamped
        } else if taken.before == Some(quantity) {
            // what it was before our last write
            self.figures.lost += 1;
            What::Lost
        } else {
            self.figures.foreign += 1;
            What::Foreign
        }))
    }
}

/// Levels of which both sides can be known: dead letters, too.
fn can_be_compared(level: &Level) -> bool {
    let dead = matches!(level.standing, Standing::Dead { .. });
    level.flight.is_none() && level.known.is_some() && (dead || level.standing == Standing::Open)
}

fn can_be_read(level: &Level) -> bool {
    level.flight.is_none() && level.known.is_some() && level.standing == Standing::Open
}
