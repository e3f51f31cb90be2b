//! What all calls to one account share: the budget, the token, the pause. Feeds, stores and threads that use the same
//! credentials hold clones of one [`Account`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::channel::manifest::request::Pace;

use super::auth::Token;
use super::pace::{Bucket, Clock, SystemClock};

/// So many throttled calls in a row pause an account.
pub const THROTTLES_MAX: u32 = 5;
/// So many batches in a row that nobody answers for pause an account.
pub const FAILURES_MAX: u32 = 5;
/// Retries an account has in any case, beside a tenth of its calls.
pub const RETRIES_FREE: u64 = 20;
/// Longest pause that is waited for within a run; a longer one pauses the account.
pub const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// One account at one channel.
#[derive(Clone, Debug)]
pub struct Account {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    token: tokio::sync::Mutex<Option<Token>>,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    steps: HashMap<String, Bucket>,
    points: Option<Points>,
    /// What a call of each name was reckoned at.
    costs: HashMap<String, f64>,
    paused: Option<String>,
    throttles: u32,
    throttled: u64,
    failures: u32,
    calls: u64,
    retries: u64,
    #[cfg(test)]
    left_at: Vec<Duration>,
}

/// Points that the other side has left for us, as it said last.
#[derive(Clone, Copy, Debug)]
struct Points {
    available: f64,
    restore: f64,
    at: Duration,
}

/// What an answer says of the points that calls cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reckoned {
    /// Points left.
    pub(super) available: f64,
    /// Points that come back each second.
    pub(super) restore: f64,
    /// What the call was reckoned at.
    pub(super) cost: Option<f64>,
}

impl State {
    /// The moment that suits the account's bucket, the step's, and the points that are left.
    fn earliest(&mut self, name: &str, pace: Option<Pace>, now: Duration) -> Duration {
        let mut at = self.bucket.earliest(now);
        if let Some(pace) = pace {
            at = self
                .steps
                .entry(name.to_owned())
                .or_insert_with(|| Bucket::new(Some(pace)))
                .earliest(at);
        }
        let Some(points) = self.points else { return at };
        let missing = self.costs.get(name).copied().unwrap_or_default() - points.available;
        if missing <= 0.0 || points.restore <= 0.0 {
            return at;
        }
        // a quarter more than reckoned, for what goes on beside us
        let seconds = (missing / points.restore * 1.25).min(WAIT_MAX.as_secs_f64());
        at.max(points.at.saturating_add(Duration::from_secs_f64(seconds)))
    }

    fn leave(&mut self, name: &str, now: Duration) {
        self.bucket.take_at(now);
        if let Some(bucket) = self.steps.get_mut(name) {
            bucket.take_at(now);
        }
        let cost = self.costs.get(name).copied().unwrap_or_default();
        if let Some(points) = &mut self.points {
            let passed = now.saturating_sub(points.at).as_secs_f64();
            points.available += passed * points.restore - cost;
            points.at = now;
        }
        self.calls += 1;
        #[cfg(test)]
        self.left_at.push(now);
    }
}

impl Account {
    /// An account with the manifest's pace, by the machine's clock.
    pub fn new(pace: Option<Pace>) -> Self {
        Account::with_clock(pace, Arc::new(SystemClock::default()))
    }

    /// The same by another clock.
    pub fn with_clock(pace: Option<Pace>, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            bucket: Bucket::new(pace),
            steps: HashMap::new(),
            points: None,
            costs: HashMap::new(),
            paused: None,
            throttles: 0,
            throttled: 0,
            failures: 0,
            calls: 0,
            retries: 0,
            #[cfg(test)]
            left_at: Vec::new(),
        };
        Account {
            shared: Arc::new(Shared {
                clock,
                state: Mutex::new(state),
                token: tokio::sync::Mutex::new(None),
            }),
        }
    }

    /// Why nothing leaves any more, where that is so.
    pub fn paused(&self) -> Option<String> {
        self.state().paused.clone()
    }

    /// Lets calls leave again, as if nothing had been paused.
    pub fn resume(&self) {
        let mut state = self.state();
        state.paused = None;
        state.throttles = 0;
        state.failures = 0;
    }

    /// Answers so far that we are too fast.
    pub fn throttles(&self) -> u64 {
        self.state().throttled
    }

    /// Calls made so far, and how many of them repeated another.
    pub fn calls(&self) -> (u64, u64) {
        let state = self.state();
        (state.calls, state.retries)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    pub(super) fn token(&self) -> &tokio::sync::Mutex<Option<Token>> {
        &self.shared.token
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nothing leave any more; the first reason counts.
    pub(super) fn pause(&self, reason: &str) {
        self.state().paused.get_or_insert_with(|| reason.to_owned());
    }

    /// Waits so long, or until `over` says that the run is; it is asked every second.
    pub(super) async fn rest(&self, length: Duration, over: &(dyn Fn() -> Option<String> + Sync)) {
        let mut left = length;
        while !left.is_zero() && over().is_none() {
            let slice = left.min(Duration::from_secs(1));
            self.clock().sleep(slice).await;
            left -= slice;
        }
    }

    /// Waits for the next call's turn.
    ///
    /// # Errors
    /// Why it will not come: paused, over, or later than `until`.
    pub(super) async fn turn(
        &self,
        name: &str,
        pace: Option<Pace>,
        until: Option<Duration>,
        over: &(dyn Fn() -> Option<String> + Sync),
    ) -> Result<(), String> {
        let clock = self.clock();
        loop {
            if let Some(reason) = over() {
                return Err(reason);
            }
            let pause = {
                let mut state = self.state();
                if let Some(reason) = &state.paused {
                    return Err(reason.clone());
                }
                // what counts is when a call leaves, not when it was meant to: who wakes late asks again
                let now = clock.now();
                let at = state.earliest(name, pace, now);
                if until.is_some_and(|until| at >= until) {
                    return Err("the run's deadline comes before its turn".to_owned());
                }
                if at <= now {
                    state.leave(name, now);
                    return Ok(());
                }
                at - now
            };
            self.rest(pause, over).await;
        }
    }

    /// The other side said that these are too many calls: nothing leaves for so long.
    pub(super) fn throttled(&self, wait: Duration) {
        let now = self.clock().now();
        let mut state = self.state();
        state.throttles += 1;
        state.throttled += 1;
        let seconds = wait.as_secs();
        if state.throttles >= THROTTLES_MAX {
            let count = state.throttles;
            state.paused.get_or_insert_with(|| {
                format!(
                    "the account is paused: {count} calls in a row were too many for the channel"
                )
            });
        } else if wait > WAIT_MAX {
            state.paused.get_or_insert_with(|| {
                format!(
                    "the account is paused: the channel asks to be left alone for {seconds} seconds"
                )
            });
        }
        state.bucket.hold_until(now.saturating_add(wait));
    }

    /// Lets nothing leave for so long, without counting it as a throttle.
    pub(super) fn hold(&self, wait: Duration) {
        let now = self.clock().now();
        self.state().bucket.hold_until(now.saturating_add(wait));
    }

    /// How long nothing may leave.
    pub(super) fn waits(&self) -> Duration {
        let now = self.clock().now();
        self.state().bucket.earliest(now).saturating_sub(now)
    }

    /// Takes over what an answer to a call of this name says of the points that are left.
    pub(super) fn reckoned(&self, name: &str, said: Reckoned) {
        let now = self.clock().now();
        let mut state = self.state();
        state.points = Some(Points {
            available: said.available,
            restore: said.restore,
            at: now,
        });
        if let Some(cost) = said.cost.filter(|cost| cost.is_finite() && *cost >= 0.0) {
            state.costs.insert(name.to_owned(), cost);
        }
    }

    /// A call was answered as it should be.
    pub(super) fn answered(&self) {
        self.state().throttles = 0;
    }

    /// A batch came to its end, or nobody answered for it.
    pub(super) fn batch_ended(&self, well: bool, address: &str) {
        let mut state = self.state();
        state.failures = if well { 0 } else { state.failures + 1 };
        let count = state.failures;
        if count >= FAILURES_MAX {
            state.paused.get_or_insert_with(|| {
                format!("the account is paused: {count} batches in a row failed at {address}")
            });
        }
    }

    /// Takes a retry out of the budget; false when there is none left.
    pub(super) fn retry(&self) -> bool {
        let mut state = self.state();
        let allowed = state.retries < RETRIES_FREE + state.calls / 10;
        if allowed {
            state.retries += 1;
        }
        allowed
    }

    /// When calls left, by the clock.
    #[cfg(test)]
    pub(super) fn left_at(&self) -> Vec<Duration> {
        self.state().left_at.clone()
    }
}
