//! How often: a bucket of requests that fills at a steady pace.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A bucket. Time is handed in, so that tests need not wait.
#[derive(Debug)]
pub struct Bucket {
    per_second: f64,
    burst: f64,
    state: Mutex<(f64, Option<Instant>)>,
}

impl Bucket {
    /// A full bucket of `burst` requests that fills by `per_second`.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Bucket {
            per_second: f64::from(per_second.max(1)),
            burst,
            state: Mutex::new((burst, None)),
        }
    }

    /// Takes one, where there is one.
    pub fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (level, last) = &mut *state;
        if let Some(last) = last {
            let passed = now.saturating_duration_since(*last).as_secs_f64();
            *level = (*level + passed * self.per_second).min(self.burst);
        }
        *last = Some(now);
        let fits = *level >= 1.0;
        if fits {
            *level -= 1.0;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_the_pace() {
        let bucket = Bucket::new(10, 3);
        let start = Instant::now();
        let taken = |after: u64| bucket.take(start + Duration::from_millis(after));
        assert_eq!([taken(0), taken(0), taken(0)], [true; 3]);
        assert!(!taken(0), "one above the burst");
        assert!(taken(100) && !taken(100), "one comes back each 100 ms");
        assert!(!taken(150));
        // A long silence fills it, and no more.
        assert_eq!((0..9).filter(|_| taken(60_000)).count(), 3);
    }
}
