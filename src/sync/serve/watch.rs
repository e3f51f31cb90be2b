//! Looking whether there is news: one thread a source, or a store account's orders. A look that takes long or fails holds up
//! nobody else; after failures it waits, longer each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::health::Health;
use super::metrics::{self, Metrics};
use super::notice::Notice;
use super::worker::{Bell, Trigger};

/// The longest wait after looks that failed.
pub const FAILED_MAX: Duration = Duration::from_secs(60);
/// How soon a waiting watch sees the stop.
const SLICE: Duration = Duration::from_millis(50);

/// Says whether there may be news since it was asked last.
pub type Look = Box<dyn FnMut() -> Result<bool, String> + Send>;

/// What is looked at.
pub struct Watched {
    /// The source, or what else it is, for messages.
    pub name: String,
    /// What its news are: [`Trigger::Source`] or [`Trigger::Order`].
    pub trigger: Trigger,
    /// From one look to the next.
    pub poll: Duration,
    /// The store accounts that work on its news.
    pub accounts: Vec<String>,
    /// The look.
    pub look: Look,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched")
            .field("name", &self.name)
            .field("trigger", &self.trigger)
            .field("poll", &self.poll)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

/// What a watch works with.
pub(super) struct Post {
    pub(super) bells: Vec<Arc<Bell>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    pub(super) notices: Sender<Notice>,
}

/// Looks until the stop.
pub(super) fn work(mut watched: Watched, post: &Post) {
    let mut failures: u32 = 0;
    let mut wait = watched.poll;
    while sleep(wait, &post.stop) {
        match (watched.look)() {
            Ok(news) => {
                failures = 0;
                if news {
                    if watched.trigger == Trigger::Source {
                        post.health.heard(&watched.name, Instant::now());
                    }
                    for bell in &post.bells {
                        bell.ring(watched.trigger);
                    }
                }
                wait = watched.poll;
            }
            Err(words) => {
                failures = failures.saturating_add(1);
                if watched.trigger == Trigger::Source {
                    let labels = [watched.name.as_str()];
                    post.metrics.add(&metrics::SOURCE_FAILURES, &labels, 1.0);
                }
                if failures == 1 {
                    drop(post.notices.try_send(Notice::WatchFailed {
                        name: watched.name.clone(),
                        words,
                    }));
                }
                let doubled = watched.poll.saturating_mul(1 << failures.min(16));
                wait = doubled.min(FAILED_MAX).max(watched.poll);
            }
        }
    }
}

/// Waits; false at the stop.
fn sleep(time: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now() + time;
    loop {
        if stop.load(Ordering::SeqCst) {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(SLICE));
    }
}
