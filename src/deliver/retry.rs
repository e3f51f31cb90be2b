//! Trying again, bounded in count and time: waits grow, are scattered so that many runs do not come together, and are never
//! shorter than what the other side asked for. Durations are those of a clock that never jumps.

use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use super::{Capabilities, DeliveryError, Destination, Naming, Proof, Recovery, Remote, Upload};

/// When a run must have ended.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline so far from now.
    pub fn after(time: Duration) -> Self {
        let now = Instant::now();
        // a span that no clock can hold is a day
        Deadline(
            now.checked_add(time)
                .unwrap_or_else(|| now + Duration::from_secs(86_400)),
        )
    }

    /// The time that is left; nothing once it is over.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// True once nothing is left.
    pub fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }

    /// The time span, or what is left when that is less.
    pub fn within(&self, time: Duration) -> Duration {
        time.min(self.remaining())
    }

    /// Goes on while time is left.
    ///
    /// # Errors
    /// [`DeliveryError::out_of_time`] once it is over.
    pub fn check(&self, address: &str) -> Result<(), DeliveryError> {
        if self.is_over() {
            return Err(DeliveryError::out_of_time(address));
        }
        Ok(())
    }
}

/// How often and how patiently a call is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The tries in all, 1 at least.
    pub tries: u32,
    /// The wait after the first, before it is scattered; it doubles from there.
    pub first: Duration,
    /// The longest wait that is not asked for.
    pub longest: Duration,
}

impl RetryPolicy {
    /// So many tries; waits of half a second to 30.
    pub fn new(tries: u32) -> Self {
        RetryPolicy {
            tries: tries.max(1),
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
        }
    }

    /// What a place asks for.
    ///
    /// # Errors
    /// As [`crate::config::destination::To::tries`].
    pub fn of(to: &crate::config::destination::To) -> Result<Self, crate::config::ConfigError> {
        to.tries().map(RetryPolicy::new)
    }

    /// The wait after a try (counted from 1), between half and all of what it has grown to. `scatter` is any number.
    fn wait(&self, tried: u32, scatter: u64) -> Duration {
        let grown = self
            .first
            .saturating_mul(
                1_u32
                    .checked_shl(tried.saturating_sub(1))
                    .unwrap_or(u32::MAX),
            )
            .min(self.longest);
        let half = grown / 2;
        let thousandths = u32::try_from(scatter % 1001).unwrap_or(0);
        half + half * thousandths / 1000
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy::new(crate::config::destination::RETRIES)
    }
}

/// A destination that is tried again.
pub struct Retrying<'d> {
    inner: &'d mut dyn Destination,
    policy: RetryPolicy,
    sleep: fn(Duration),
}

impl<'d> Retrying<'d> {
    /// Around another.
    pub fn new(inner: &'d mut dyn Destination, policy: RetryPolicy) -> Self {
        Retrying {
            inner,
            policy,
            sleep: std::thread::sleep,
        }
    }

    fn run<T>(
        &mut self,
        deadline: &Deadline,
        mut call: impl FnMut(&mut dyn Destination) -> Result<T, DeliveryError>,
    ) -> Result<T, DeliveryError> {
        let mut tried = 0;
        loop {
            deadline.check(self.inner.address())?;
            tried += 1;
            let error = match call(self.inner) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let Recovery::Retry { after } = error.recovery else {
                return Err(error);
            };
            if tried >= self.policy.tries {
                return Err(tried_in_vain(error, tried));
            }
            let own = self.policy.wait(tried, random());
            let wait = after.map_or(own, |asked| asked.max(own));
            if wait >= deadline.remaining() {
                return Err(no_time_to_wait(error, after));
            }
            (self.sleep)(wait);
        }
    }
}

fn tried_in_vain(mut error: DeliveryError, tried: u32) -> DeliveryError {
    if tried > 1 {
        error.message = format!("{}; tried {tried} times", error.message);
    }
    error
}

fn no_time_to_wait(mut error: DeliveryError, asked: Option<Duration>) -> DeliveryError {
    let why = match asked {
        Some(asked) => format!(
            "it asks to be left alone for {} s, and the run ends before",
            asked.as_secs()
        ),
        None => "there is no time to try again".to_owned(),
    };
    error.message = format!("{}; {why}", error.message);
    error
}

/// A number that differs from run to run: nothing in a feed depends on it.
pub(super) fn random() -> u64 {
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

impl Destination for Retrying<'_> {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn naming(&self) -> &Naming {
        self.inner.naming()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn put(&mut self, upload: &Upload<'_>, deadline: &Deadline) -> Result<Proof, DeliveryError> {
        self.run(deadline, |inner| inner.put(upload, deadline))
    }

    fn stands(&mut self, name: &str, deadline: &Deadline) -> Result<Option<Remote>, DeliveryError> {
        self.run(deadline, |inner| inner.stands(name, deadline))
    }

    fn remove(&mut self, name: &str, deadline: &Deadline) -> Result<(), DeliveryError> {
        self.run(deadline, |inner| inner.remove(name, deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::{Fault, Memory};
    use super::*;
    use std::cell::RefCell;

    thread_local! {
        static WAITS: RefCell<Vec<Duration>> = const { RefCell::new(Vec::new()) };
    }

    /// Removes `a` from a place with these faults: how it ended, and the waits on the way.
    fn waits(
        faults: &[Fault],
        policy: RetryPolicy,
        deadline: Duration,
    ) -> (Result<(), DeliveryError>, Vec<Duration>) {
        WAITS.with_borrow_mut(Vec::clear);
        let memory = Memory::new();
        memory.fail_with(faults.iter().cloned());
        let mut place = memory.open();
        let mut retrying = Retrying::new(&mut place, policy);
        retrying.sleep = |wait| WAITS.with_borrow_mut(|waits| waits.push(wait));
        let end = retrying.remove("a", &Deadline::after(deadline));
        (end, WAITS.take())
    }

    const HOUR: Duration = Duration::from_secs(3600);
    const BUSY: Fault = Fault::Busy(None);

    #[test]
    fn waits_grow_are_scattered_and_end() {
        let policy = RetryPolicy::new(12);
        for tried in 1..100 {
            for scatter in [0, 500, 1000, u64::MAX] {
                let wait = policy.wait(tried, scatter);
                assert!(
                    wait >= policy.first / 2 && wait <= policy.longest,
                    "{tried}"
                );
            }
        }
        assert_eq!(policy.wait(1, 1000), policy.first);
        assert_eq!(policy.wait(3, 0), policy.first * 2);
        assert_eq!(policy.wait(60, 1000), policy.longest);
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_stays_is_not() {
        let (end, waits_) = waits(&[BUSY, BUSY], RetryPolicy::new(3), HOUR);
        assert_eq!((end, waits_.len()), (Ok(()), 2));
        let (end, waits_) = waits(&[BUSY, BUSY, BUSY], RetryPolicy::new(3), HOUR);
        let error = end.expect_err("busy");
        assert!(error.message.ends_with("; tried 3 times"), "{error}");
        assert_eq!(waits_.len(), 2);
        let (end, waits_) = waits(&[Fault::Refuse], RetryPolicy::new(3), HOUR);
        assert_eq!(end.expect_err("refused").recovery, Recovery::Abort);
        assert_eq!(waits_.len(), 0);
    }

    #[test]
    fn the_wait_that_is_asked_for_is_kept_unless_the_run_ends_before() {
        let asked = Fault::Busy(Some(Duration::from_secs(100)));
        let (end, waits_) = waits(std::slice::from_ref(&asked), RetryPolicy::new(3), HOUR);
        assert_eq!((end, waits_), (Ok(()), vec![Duration::from_secs(100)]));
        let (end, waits_) = waits(&[asked], RetryPolicy::new(3), Duration::from_secs(50));
        let error = end.expect_err("too long");
        assert!(error.message.contains("left alone for 100 s"), "{error}");
        assert!(waits_.is_empty());
        let (end, _) = waits(&[], RetryPolicy::new(3), Duration::ZERO);
        assert!(end.expect_err("over").message.contains("deadline"));
    }
}
