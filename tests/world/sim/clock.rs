//! Time that passes when somebody waits.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use shelfcast::store::pace::{Clock, Pause};

use super::super::exchange::Millis;

/// The world's clock, and the machine's idea of the time of day.
#[derive(Debug)]
pub struct WorldClock {
    millis: AtomicU64,
    /// So many seconds the machine's time of day is off.
    skew: AtomicI64,
    epoch: i64,
}

impl WorldClock {
    /// At the beginning.
    pub fn new(epoch: i64) -> Self {
        WorldClock {
            millis: AtomicU64::new(1_000_000),
            skew: AtomicI64::new(0),
            epoch,
        }
    }

    /// The world's own time.
    pub fn millis(&self) -> Millis {
        self.millis.load(Ordering::Relaxed)
    }

    /// Time passes.
    pub fn pass(&self, length: Millis) {
        self.millis.fetch_add(length, Ordering::Relaxed);
    }

    /// Whether the machine's time of day is wrong.
    pub fn is_off(&self) -> bool {
        self.skew.load(Ordering::Relaxed) != 0
    }

    /// The machine's time of day is set.
    pub fn jump(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.millis())
    }

    fn wall(&self) -> Timestamp {
        let millis = i64::try_from(self.millis()).expect("a short history");
        let skew = self.skew.load(Ordering::Relaxed);
        Timestamp::from_millisecond((self.epoch + skew) * 1000 + millis)
            .expect("a moment of this age")
    }

    fn sleep(&self, length: Duration) -> Pause {
        self.pass(
            Millis::try_from(length.as_millis())
                .unwrap_or(Millis::MAX)
                .max(1),
        );
        Box::pin(std::future::ready(()))
    }
}
