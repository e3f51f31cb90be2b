//! A store account's worker: one thread, one round at a time. In: a bell that is rung for events, for sources with news, by
//! people's orders; a timer. Out: rounds, figures, notices. After a failure it waits, longer each time, whatever rings, except
//! for a person's order; it never begins a round after the stop.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use jiff::Timestamp;

use super::health::Health;
use super::metrics::{self, Metrics};
use super::notice::Notice;
use crate::clock;

/// The first wait after a failure; it doubles.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest wait after failures.
pub const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// The longest wait while another run is at work.
pub const BUSY_MAX: Duration = Duration::from_secs(30);
/// From the start of a round to the start of the next: what comes in between shares it.
pub const GAP_MIN: Duration = Duration::from_millis(50);
/// Rounds right after each other because there was more to do; then the gap grows.
const MORE_MAX: u32 = 10;
/// The exit code of a round that broke a promise of the program's own.
const PANICKED: u8 = 101;

/// Why a round is done. Later ones outweigh earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// The daemon starts, or has read its configuration anew.
    Start,
    /// It is time.
    Timer,
    /// The last round left something to do.
    More,
    /// A source may have news.
    Source,
    /// An event is stored.
    Event,
    /// A person gave an order.
    Order,
}

/// What a round found and did, of one sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncFigures {
    /// The sync.
    pub sync: String,
    /// Levels compared.
    pub compared: u64,
    /// Levels that differed.
    pub changed: u64,
    /// Levels that the store took.
    pub accepted: u64,
    /// Levels that it refused.
    pub rejected: u64,
    /// Levels of which nobody knows.
    pub unknown: u64,
    /// Levels that a guard, a pause or an ending held.
    pub held: u64,
    /// Levels of which the store must still be told, now.
    pub pending: u64,
    /// Dead letters, now.
    pub dead: u64,
    /// Age of the oldest change that the store does not have.
    pub lag: Duration,
    /// When the last good run ended; absent where none did.
    pub last_good: Option<Timestamp>,
}

/// How a round ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundEnd {
    /// Its exit code, as of `shelfcast sync`: 0 good, 5 busy, 6 held by a guard, 7 a source is not whole, and so on.
    pub exit: u8,
    /// In a few words, for the log and the one who is told.
    pub words: String,
    /// Each sync of the account.
    pub syncs: Vec<SyncFigures>,
    /// Calls to the store in this round.
    pub calls: u64,
    /// Answers in this round that we are too fast.
    pub throttles: u64,
    /// Whether nothing leaves now: by order, or because the store refuses us.
    pub paused: bool,
    /// Whether there is more to do at once.
    pub more: bool,
    /// Sources that gave something new.
    pub heard: Vec<String>,
}

/// Rounds of a store account, by whoever knows how. A lock is taken for each round, not between them.
pub trait Rounds: Send {
    /// Does one round. Once `stop` is set, no new call leaves after one second, what is on its way is resolved or parked, and it
    /// returns within eight.
    fn round(&mut self, why: Trigger, stop: &AtomicBool) -> RoundEnd;

    /// The flag of the stop, before the first round: for what waits on its own account, such as a connection.
    fn attach(&mut self, _stop: &Arc<AtomicBool>) {}
}

/// What wakes a worker.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    why: Option<Trigger>,
    stop: bool,
}

impl Bell {
    /// Rings: a round is due. Rings before it begins are one.
    pub fn ring(&self, why: Trigger) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.why = rung.why.max(Some(why));
        self.changed.notify_all();
    }

    /// Ends all waiting, for good.
    pub fn stop(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.stop = true;
        self.changed.notify_all();
    }

    /// Waits for a reason to work: a ring, not before `held`, an order at once, or the time `due`. `None` at the stop.
    pub fn wait(&self, due: Instant, held: Instant) -> Option<Trigger> {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if rung.stop {
                return None;
            }
            let now = Instant::now();
            let until = match rung.why {
                Some(Trigger::Order) => now,
                Some(_) => held,
                None => due.max(held),
            };
            if until <= now {
                return Some(rung.why.take().unwrap_or(Trigger::Timer));
            }
            (rung, _) = self
                .changed
                .wait_timeout(rung, until - now)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// How long nothing is tried after a round that ended so, the `times`th in a row.
pub fn wait_after(exit: u8, times: u32) -> Duration {
    let doubled = BACKOFF_FIRST.saturating_mul(1 << times.saturating_sub(1).min(16));
    match exit {
        // A held plan waits for a person; what comes meanwhile is looked at as ever.
        0 | 6 => Duration::ZERO,
        5 => doubled.min(BUSY_MAX),
        _ => doubled.min(BACKOFF_MAX),
    }
}

/// What a worker works with.
pub(super) struct Desk {
    pub(super) account: String,
    pub(super) bell: Arc<Bell>,
    pub(super) every: Duration,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    pub(super) notices: Sender<Notice>,
}

/// Works until the stop.
pub(super) fn work(mut rounds: Box<dyn Rounds>, desk: &Desk) {
    rounds.attach(&desk.stop);
    let mut standing = Standing::default();
    let mut why = Trigger::Start;
    let mut timer = Instant::now();
    while !desk.stop.load(Ordering::SeqCst) {
        let started = Instant::now();
        desk.health.account(&desk.account, |account| {
            account.state = "working";
            account.next_try = None;
        });
        let end = std::panic::catch_unwind(AssertUnwindSafe(|| rounds.round(why, &desk.stop)))
            .unwrap_or_else(|_| RoundEnd {
                exit: PANICKED,
                words: "the round broke off: a fault of the program".to_owned(),
                ..RoundEnd::default()
            });
        let ended = Instant::now();
        desk.count(&end, ended - started);
        let wait = standing.after(&end, desk, ended);
        let held = (ended + wait).max(started + standing.gap);
        if matches!(why, Trigger::Start | Trigger::Timer) {
            timer = ended + desk.every;
        }
        let due = held.max(timer);
        if end.more && end.exit == 0 {
            desk.bell.ring(Trigger::More);
        }
        // A failure is tried again as soon as it may be.
        let due = if wait.is_zero() { due } else { held };
        desk.waits(&standing, due);
        match desk.bell.wait(due, held) {
            // Events that come all the time do not put off what is done from time to time.
            Some(_) if Instant::now() >= timer => why = Trigger::Timer,
            Some(next) => why = next,
            None => break,
        }
    }
    desk.health.account(&desk.account, |account| {
        account.state = "ended";
        account.next_try = None;
    });
}

/// How an account stands between rounds.
struct Standing {
    exit: u8,
    in_a_row: u32,
    failures: u32,
    more: u32,
    gap: Duration,
}

impl Default for Standing {
    fn default() -> Self {
        Standing {
            exit: 0,
            in_a_row: 0,
            failures: 0,
            more: 0,
            gap: GAP_MIN,
        }
    }
}

impl Standing {
    /// Takes a round's end in: how long nothing is tried now.
    fn after(&mut self, end: &RoundEnd, desk: &Desk, ended: Instant) -> Duration {
        let before = std::mem::replace(&mut self.exit, end.exit);
        self.in_a_row = if before == end.exit {
            self.in_a_row.saturating_add(1)
        } else {
            1
        };
        self.failures = match end.exit {
            0 => 0,
            5 => self.failures,
            _ => self.failures.saturating_add(1),
        };
        // Work that never ends is slowed down: each call costs the store something.
        self.more = if end.more {
            self.more.saturating_add(1)
        } else {
            0
        };
        self.gap = if self.more > MORE_MAX {
            BACKOFF_FIRST
        } else {
            GAP_MIN
        };
        // Failures of different kinds in turn wait as long as equal ones.
        let wait = wait_after(end.exit, self.in_a_row.max(self.failures));
        let now = clock::now();
        let (failures, exit) = (self.failures, end.exit);
        desk.health.account(&desk.account, |account| {
            account.exit = Some(exit);
            account.failures = failures;
            if exit == 0 {
                account.last_good = Some(now);
                account.good_at = Some(ended);
            }
        });
        let told = match (before, exit) {
            (before, after) if before == after => return wait,
            (_, 0) => Notice::Recovered {
                account: desk.account.clone(),
            },
            _ => Notice::Failing {
                account: desk.account.clone(),
                exit,
                words: end.words.clone(),
                next_try_in: wait,
            },
        };
        // A full queue of notices is no reason to stand still; health and metrics say the same.
        drop(desk.notices.try_send(told));
        wait
    }
}

impl Desk {
    fn waits(&self, standing: &Standing, due: Instant) {
        let in_time = due.saturating_duration_since(Instant::now());
        let next = clock::now().checked_add(in_time).ok();
        self.health.account(&self.account, |account| {
            account.state = "waiting";
            account.next_try = next;
        });
        let labels = [self.account.as_str()];
        if let Some(next) = next {
            self.metrics.set(&metrics::NEXT_TRY, &labels, seconds(next));
        }
        let failures = f64::from(standing.failures);
        self.metrics.set(&metrics::FAILURES, &labels, failures);
    }

    fn count(&self, end: &RoundEnd, took: Duration) {
        let account = self.account.as_str();
        let metrics = &self.metrics;
        metrics.add(&metrics::ROUNDS, &[account, &end.exit.to_string()], 1.0);
        metrics.add(&metrics::ROUND_SECONDS, &[account], took.as_secs_f64());
        metrics.add(&metrics::CALLS, &[account], end.calls as f64);
        metrics.add(&metrics::THROTTLES, &[account], end.throttles as f64);
        metrics.set(
            &metrics::PAUSED,
            &[account],
            f64::from(u8::from(end.paused)),
        );
        for figures in &end.syncs {
            let sync = figures.sync.as_str();
            let counted = [
                ("compared", figures.compared),
                ("changed", figures.changed),
                ("accepted", figures.accepted),
                ("rejected", figures.rejected),
                ("unknown", figures.unknown),
                ("held", figures.held),
            ];
            for (what, count) in counted {
                metrics.add(&metrics::LEVELS, &[sync, what], count as f64);
            }
            metrics.set(&metrics::PENDING, &[sync], figures.pending as f64);
            metrics.set(&metrics::DEAD_LETTERS, &[sync], figures.dead as f64);
            metrics.set(&metrics::LAG, &[sync], figures.lag.as_secs_f64());
            if let Some(last) = figures.last_good {
                metrics.set(&metrics::LAST_GOOD, &[sync], seconds(last));
            }
        }
        let now = Instant::now();
        for source in &end.heard {
            self.health.heard(source, now);
        }
    }
}

/// Seconds since 1970, to the millisecond.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}
