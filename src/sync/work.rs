//! What the parts of a run share: the sync's rule, its state, its store, and how far it may go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hashbrown::HashSet;
use jiff::{SignedDuration, Timestamp};

use crate::state::StateError;
use crate::store::pace::Clock;

use super::decide::Rule;
use super::level::{Batch, BatchItem, Level, Line, What};
use super::online::{OnlineStore, StoreError};
use super::state::{Order, SyncState};

/// Sendings and settlings of one intent before a person has to decide.
pub const ATTEMPTS_MOST: u32 = 5;
/// The longest pause between two sendings of a refused level.
const PAUSE_MOST: Duration = Duration::from_secs(15 * 60);

/// The code of lines of a run that a person let pass.
pub const APPROVED: &str = "approved";

/// What the parts of a run share.
pub struct Work<'a> {
    /// The sync's rule.
    pub rule: &'a Rule,
    /// The store account's state.
    pub state: &'a mut dyn SyncState,
    /// The store.
    pub store: &'a mut dyn OnlineStore,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Rows, by key, of which the last reading of the source said nothing.
    pub absent: HashSet<u64>,
    /// Whether a person let a held plan pass: its zeros are not weighed again by the runs of the next hour.
    pub approved: bool,
    /// Nothing new is begun after this, by the clock.
    pub deadline: Duration,
    /// Set from outside when the run shall end.
    pub stop: &'a AtomicBool,
    /// What happened.
    pub figures: Figures,
}

/// What happened in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Levels the store took.
    pub accepted: u64,
    /// Levels that were in step when they were read for the first time, or that settled themselves.
    pub in_step: u64,
    /// Refusals that pass; those levels go out again.
    pub refused: u64,
    /// Levels that became dead letters.
    pub dead: u64,
    /// Levels of which nobody knows.
    pub unknown: u64,
    /// Levels that the store had otherwise than we thought; they wait for the source to be read again.
    pub stale: u64,
    /// SKUs that the store does not know, or not there.
    pub strangers: u64,
    /// Levels that could not be read.
    pub unread: u64,
    /// Levels that somebody else changed at the store.
    pub foreign: u64,
    /// Levels that the store had taken and does not have.
    pub lost: u64,
    /// Levels that were read back in full and are older than wanted because the store refused the newer one.
    pub still_refused: u64,
    /// Levels of which the store takes what is sent and makes another number.
    pub clamped: u64,
    /// Batches sent.
    pub batches: u64,
    /// Why nothing leaves any more, where that is so.
    pub halted: Option<Halt>,
}

/// Why a run sends no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The run was interrupted.
    Stopped,
    /// Its deadline is over.
    Deadline,
    /// A person paused the sync.
    Paused(String),
    /// The store cannot be used.
    Store(StoreError),
}

impl Work<'_> {
    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Why nothing new should be begun; remembered.
    pub fn halted(&mut self) -> Result<bool, StateError> {
        if self.figures.halted.is_some() {
            return Ok(true);
        }
        let halt = if self.stop.load(Ordering::Relaxed) {
            Some(Halt::Stopped)
        } else if self.clock.now() >= self.deadline {
            Some(Halt::Deadline)
        } else if let Some(reason) = self.pause_asked()? {
            Some(Halt::Paused(reason))
        } else {
            self.store
                .paused()
                .map(|reason| Halt::Store(StoreError::Failed(reason)))
        };
        self.figures.halted = halt;
        Ok(self.figures.halted.is_some())
    }

    /// A pause that a person asked for, carried out or not yet.
    pub fn pause_asked(&self) -> Result<Option<String>, StateError> {
        let name = &self.rule.name;
        let kept = self.state.pauses()?;
        let mut reason = kept
            .into_iter()
            .find(|pause| pause.sync == *name)
            .map(|pause| pause.reason);
        for kept in self.state.orders()? {
            match kept.order {
                Order::Pause { sync, reason: why } if sync == *name => reason = Some(why),
                Order::Resume { sync } if sync == *name => reason = None,
                _ => {}
            }
        }
        Ok(reason)
    }

    /// A line of the ledger about an item of a batch.
    pub fn line(&self, batch: &Batch, item: &BatchItem, before: Option<i64>, what: What) -> Line {
        Line {
            at: self.now(),
            sync: self.rule.name.clone(),
            pair: item.pair.clone(),
            version: item.version,
            quantity: item.quantity,
            before,
            batch: batch.id,
            what,
            code: match self.approved {
                true => APPROVED.to_owned(),
                false => String::new(),
            },
            message: String::new(),
        }
    }

    /// A line of the ledger about a pair that was read.
    pub fn read_line(&self, level: &Level, quantity: i64, what: What) -> Line {
        Line {
            at: self.now(),
            sync: self.rule.name.clone(),
            pair: level.pair.clone(),
            version: level.known.map_or(0, |known| known.version),
            quantity,
            before: level.known.map(|known| known.quantity),
            batch: 0,
            what,
            code: String::new(),
            message: String::new(),
        }
    }
}

/// The longest that a level is left alone: what the store does not know is looked up again after this.
const ALONE_MOST: SignedDuration = SignedDuration::from_hours(6);

/// Whether a level need not be left alone any more. A clock that went back must not leave it alone for ever.
pub fn is_due(not_before: Option<Timestamp>, now: Timestamp) -> bool {
    not_before.is_none_or(|then| then <= now || then.duration_since(now) > ALONE_MOST)
}

/// When a refused level may go out again.
pub fn pause_after(attempts: u32, now: Timestamp) -> Timestamp {
    let seconds = 2u64.saturating_pow(attempts.clamp(1, 20));
    let pause = Duration::from_secs(seconds).min(PAUSE_MOST);
    later(now, pause)
}

/// A moment so much later.
pub fn later(now: Timestamp, length: Duration) -> Timestamp {
    SignedDuration::try_from(length)
        .ok()
        .and_then(|length| now.checked_add(length).ok())
        .unwrap_or(now)
}
