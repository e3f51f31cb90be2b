//! Events on disk before their senders are answered. In: events, one by one, from many requests. Out: to each, whether it is
//! stored. All that wait while the disk is busy share the next commit.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::clock;
use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::sync::state::{Change, Event, SyncState};

/// Events of one commit, at most.
pub const COMMIT_MAX: usize = 1_000;

/// How long ids of merged events are remembered: longer than any sender we know tries again (48 hours), by far.
pub const IDS_KEPT: Duration = Duration::from_secs(8 * 86_400);

/// How often ids are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(6 * 3600);

/// What the outside needs of a store account's state. Its own connection: a round may be at work at the same time.
pub trait EventStore: Send {
    /// Stores events, on disk, or none of them. One whose source and id are known changes nothing.
    ///
    /// # Errors
    /// A disk that refuses.
    fn store(&mut self, events: &[Event]) -> Result<(), StateError>;

    /// Forgets ids of merged events older than `before`.
    ///
    /// # Errors
    /// A disk that refuses.
    fn forget(&mut self, before: Timestamp) -> Result<(), StateError>;
}

/// A state as the outside needs it.
#[derive(Debug)]
pub struct StateEvents<S>(pub S);

impl<S: SyncState + Send> EventStore for StateEvents<S> {
    fn store(&mut self, events: &[Event]) -> Result<(), StateError> {
        self.0
            .commit(&mut |transaction| {
                events
                    .iter()
                    .try_for_each(|event| transaction.write(Change::Event(event)))
            })
            .map(drop)
    }

    fn forget(&mut self, before: Timestamp) -> Result<(), StateError> {
        self.0
            .commit(&mut |transaction| transaction.write(Change::EventsForgotten(before)))
            .map(drop)
    }
}

/// Why an event is not stored; its sender tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Too many wait.
    Full,
    /// The disk refused, or the daemon ends.
    Failed,
}

struct Waiting {
    event: Event,
    answer: oneshot::Sender<Result<(), NotKept>>,
}

/// Where events are handed in. It may be cloned; the thread ends with the last clone.
#[derive(Clone)]
pub struct Keeper {
    queue: Sender<Waiting>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl Keeper {
    /// Starts the thread of a store account. `refuses` is told after each try whether the disk refuses.
    ///
    /// # Errors
    /// A system that gives no thread.
    pub fn start(
        account: &str,
        store: Box<dyn EventStore>,
        waiting: usize,
        refuses: Box<dyn Fn(bool) + Send>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, events) = bounded(waiting.max(1));
        let thread = std::thread::Builder::new()
            .name(format!("events of {account}"))
            .spawn(move || work(store, &events, &refuses))?;
        Ok((Keeper { queue }, thread))
    }

    /// Stores one event: it is handed in at once, and the answer comes when it is on disk.
    ///
    /// # Errors
    /// [`NotKept`]: it is not known to be on disk.
    pub fn keep(&self, event: Event) -> impl Future<Output = Result<(), NotKept>> + Send + use<> {
        kill_point(recovery::Y16);
        let (answer, stored) = oneshot::channel();
        let waiting = self
            .queue
            .try_send(Waiting { event, answer })
            .map_err(|error| match error {
                TrySendError::Full(_) => NotKept::Full,
                TrySendError::Disconnected(_) => NotKept::Failed,
            });
        async move {
            waiting?;
            stored.await.unwrap_or(Err(NotKept::Failed))
        }
    }
}

fn work(mut store: Box<dyn EventStore>, events: &Receiver<Waiting>, refuses: &dyn Fn(bool)) {
    let mut forget_at = Instant::now();
    let mut batch = Vec::new();
    let mut answers = Vec::new();
    loop {
        // First: events that come all the time do not put it off.
        if Instant::now() >= forget_at {
            forget_at = Instant::now() + FORGET_EVERY;
            if let Ok(before) = clock::now().checked_sub(IDS_KEPT) {
                // A disk that refuses here shows at the next event; old ids do no harm.
                refuses(store.forget(before).is_err());
            }
        }
        match events.recv_timeout(forget_at.saturating_duration_since(Instant::now())) {
            Ok(first) => {
                batch.push(first.event);
                answers.push(first.answer);
            }
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while batch.len() < COMMIT_MAX {
            let Ok(next) = events.try_recv() else { break };
            batch.push(next.event);
            answers.push(next.answer);
        }
        let stored = store.store(&batch).map_err(|_| NotKept::Failed);
        kill_point(recovery::Y17);
        refuses(stored.is_err());
        batch.clear();
        for answer in answers.drain(..) {
            // A sender that went away knows nothing; it comes again, and its event is known.
            drop(answer.send(stored.clone()));
        }
    }
}
