//! How fast calls may go: one bucket an account, and one for each step that has a pace of its own.
//!
//! Comes in: the manifest's `pace`, and what the other side says (`Retry-After`). Promised: between any two moments `t`
//! apart at most `burst + t / interval` calls leave, whoever makes them; none leaves before the moment the other side named.
//! Time is asked of a [`Clock`], so that tests need not wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::channel::manifest::request::Pace;

/// A pause that can be waited for.
pub type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What time it is, and waiting.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Time since some fixed moment; it never goes back.
    fn now(&self) -> Duration;
    /// The time of day, for dates in answers.
    fn wall(&self) -> Timestamp;
    /// Ends after so long.
    fn sleep(&self, length: Duration) -> Pause;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> Timestamp {
        crate::clock::now()
    }

    fn sleep(&self, length: Duration) -> Pause {
        Box::pin(tokio::time::sleep(length))
    }
}

/// A bucket that fills evenly.
#[derive(Clone, Debug)]
pub struct Bucket {
    interval: Duration,
    burst: u32,
    /// When the bucket would be full again, were nothing taken any more.
    full_at: Duration,
    /// Nothing leaves before this.
    not_before: Duration,
}

impl Bucket {
    /// A full bucket; without a pace it only keeps to what the other side says.
    pub fn new(pace: Option<Pace>) -> Self {
        let interval = pace.map_or(Duration::ZERO, |pace| {
            let requests = u128::from(pace.requests.max(1));
            let nanos = pace.per.0.as_nanos().div_ceil(requests);
            Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        });
        Bucket {
            interval,
            burst: pace.and_then(|pace| pace.burst).unwrap_or(1).max(1),
            full_at: Duration::ZERO,
            not_before: Duration::ZERO,
        }
    }

    /// The moment at which the next call may leave.
    pub fn earliest(&self, now: Duration) -> Duration {
        let ahead = self.interval.saturating_mul(self.burst - 1);
        now.max(self.full_at.saturating_sub(ahead))
            .max(self.not_before)
    }

    /// Takes a call out that leaves at a moment.
    pub fn take_at(&mut self, at: Duration) {
        self.full_at = self.full_at.max(at).saturating_add(self.interval);
    }

    /// Lets nothing leave before a moment.
    pub fn hold_until(&mut self, moment: Duration) {
        self.not_before = self.not_before.max(moment);
    }
}

/// How long the other side asks to be left alone: seconds, or a date. `None` for a value that is neither, or lies in the past.
pub fn retry_after(value: &str, wall: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return (seconds > 0).then(|| Duration::from_secs(seconds.min(366 * 86_400)));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    let seconds = date.as_second().saturating_sub(wall.as_second());
    u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(|seconds| Duration::from_secs(seconds.min(366 * 86_400)))
}

/// The pause before the nth try of a call (from 1): it doubles from `first` to a minute.
pub fn backoff(first: Duration, tries: u32) -> Duration {
    first
        .saturating_mul(1 << tries.saturating_sub(1).min(10))
        .min(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::manifest::request::Span;

    fn pace(requests: u32, per: u64, burst: Option<u32>) -> Option<Pace> {
        Some(Pace {
            requests,
            per: Span(Duration::from_secs(per)),
            burst,
        })
    }

    /// Takes the next call out; the moment it leaves.
    fn take(bucket: &mut Bucket, now: Duration) -> Duration {
        let at = bucket.earliest(now);
        bucket.take_at(at);
        at
    }

    /// The most calls in any window of this length.
    fn most(times: &[Duration], window: Duration) -> usize {
        times
            .iter()
            .map(|from| {
                times
                    .iter()
                    .filter(|time| **time >= *from && **time < *from + window)
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn no_window_holds_more_than_the_pace() {
        for (requests, per) in [(5, 1), (1, 45), (60, 60), (7, 3)] {
            let mut bucket = Bucket::new(pace(requests, per, None));
            let mut now = Duration::ZERO;
            let mut times = Vec::new();
            for turn in 0..500_u64 {
                let at = take(&mut bucket, now);
                assert!(at >= now);
                times.push(at);
                // the caller is now slow, now quick, and sometimes quiet for long
                now = at + Duration::from_millis(turn * 37 % 400);
                if turn % 100 == 99 {
                    now += Duration::from_secs(1000);
                }
            }
            let window = Duration::from_secs(per);
            assert!(
                most(&times, window) <= requests as usize,
                "{requests}/{per}"
            );
        }
    }

    #[test]
    fn a_burst_goes_at_once_and_is_paid_back() {
        let mut bucket = Bucket::new(pace(1, 2, Some(15)));
        let times: Vec<Duration> = (0..20).map(|_| take(&mut bucket, Duration::ZERO)).collect();
        assert_eq!(times[14], Duration::ZERO);
        assert_eq!(times[15], Duration::from_secs(2));
        assert_eq!(times[19], Duration::from_secs(10));
        // full again after as long as it took to empty, and no fuller
        let later = Duration::from_secs(1000);
        let times: Vec<Duration> = (0..16).map(|_| take(&mut bucket, later)).collect();
        assert_eq!(times[14], later);
        assert_eq!(times[15], later + Duration::from_secs(2));
    }

    #[test]
    fn what_the_other_side_names_holds_for_all() {
        let mut bucket = Bucket::new(None);
        assert_eq!(
            take(&mut bucket, Duration::from_secs(1)),
            Duration::from_secs(1)
        );
        bucket.hold_until(Duration::from_secs(30));
        bucket.hold_until(Duration::from_secs(10));
        assert_eq!(
            take(&mut bucket, Duration::from_secs(2)),
            Duration::from_secs(30)
        );
        assert_eq!(
            take(&mut bucket, Duration::from_secs(40)),
            Duration::from_secs(40)
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wall: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let seconds = |text| retry_after(text, wall).map(|length| length.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 7 "), Some(7));
        assert_eq!(seconds("Sun, 22 Nov 2026 10:01:30 GMT"), Some(90));
        for nothing in [
            "0",
            "-5",
            "",
            "soon",
            "Sun, 22 Nov 2026 09:00:00 GMT",
            "1.5",
        ] {
            assert_eq!(seconds(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let first = Duration::from_secs(1);
        assert_eq!(backoff(first, 1), first);
        assert_eq!(backoff(first, 3), Duration::from_secs(4));
        assert_eq!(backoff(first, 40), Duration::from_secs(60));
    }
}
