//! The state in memory, for tests and the simulated world: the same promises, and a crash at will.
//!
//! A [`MemoryDisk`] is what outlives a process; [`MemoryDisk::open`] is a run that takes the account, and makes what runs
//! before it still hold stale. [`MemoryDisk::crash`] leaves what was on disk: all commits that have returned, and
//! nothing of one that has not. The planted bug `skip sync` leaves commits unsynced: a crash then takes them back.

mod disk;
mod kept;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use crate::channel::manifest::request::RemoteId;
use crate::recovery::{self, kill_point};
use crate::state::{StateError, Trouble};
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position};
use crate::sync::planted;

use super::delegate::look_through;
use super::{
    Change, Event, HeldPlan, Intake, KeptOrder, LineFilter, Order, Pause, RUNS_KEPT, RunEnd,
    SyncState, Transaction, Which,
};
use disk::{Disk, KeptEvent, Seen};

/// What outlives a process. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<RwLock<Disk>>);

/// A run's state on a [`MemoryDisk`].
#[derive(Debug)]
pub struct MemoryState {
    disk: MemoryDisk,
    fence: u64,
}

impl MemoryDisk {
    /// An empty one.
    pub fn new() -> Self {
        MemoryDisk::default()
    }

    /// A run takes the account: runs that still hold it are stale from now on.
    pub fn open(&self) -> MemoryState {
        let mut disk = self.write();
        disk.begin();
        disk.next("tick");
        let fence = disk.next("fence");
        disk.synced();
        drop(disk);
        MemoryState {
            disk: self.clone(),
            fence,
        }
    }

    /// What others may add meanwhile.
    pub fn intake(&self) -> MemoryIntake {
        MemoryIntake { disk: self.clone() }
    }

    /// The process dies: what is on disk is left.
    pub fn crash(&self) {
        self.write().crash();
    }

    fn read(&self) -> RwLockReadGuard<'_, Disk> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Disk> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// One commit; `fence` is the run's number, where it is a run's.
    fn commit(
        &self,
        fence: Option<u64>,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<u64, StateError> {
        let mut disk = self.write();
        let newest = disk.number("fence");
        if let Some(fence) = fence.filter(|fence| *fence != newest) {
            return Err(stale(fence, newest));
        }
        disk.begin();
        let mut writing = Writing {
            disk: &mut disk,
            position: false,
            cut: false,
        };
        if let Err(error) = work(&mut writing) {
            disk.give_up();
            return Err(error);
        }
        let Writing { position, cut, .. } = writing;
        if position {
            kill_point(recovery::Y13);
        }
        let tick = disk.next("tick");
        if !planted::is("skip sync") {
            disk.synced();
        }
        if cut {
            kill_point(recovery::Y15);
        }
        Ok(tick)
    }
}

/// What a run is told whose lock was taken over.
pub(super) fn stale(fence: u64, newest: u64) -> StateError {
    StateError::new(
        Trouble::Stale,
        format!(
            "another run took over the store account: this one holds lock number {fence}, and the newest is {newest}"
        ),
        "nothing of this commit was kept; run again",
    )
}

impl MemoryState {
    /// A state on a disk of its own.
    pub fn new() -> Self {
        MemoryDisk::new().open()
    }

    /// Its disk.
    pub fn disk(&self) -> &MemoryDisk {
        &self.disk
    }

    /// The process dies and the next run takes the account: this is its state.
    pub fn crash(&mut self) {
        self.disk.crash();
        *self = self.disk.open();
    }
}

impl Default for MemoryState {
    fn default() -> Self {
        MemoryState::new()
    }
}

look_through!([] MemoryState, self => self.disk.read());

impl SyncState for MemoryState {
    fn commit(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StateError>,
    ) -> Result<u64, StateError> {
        self.disk.commit(Some(self.fence), work)
    }
}

/// What others may add meanwhile.
#[derive(Clone, Debug)]
pub struct MemoryIntake {
    disk: MemoryDisk,
}

impl Intake for MemoryIntake {
    fn events(&mut self, events: &[Event]) -> Result<u64, StateError> {
        let before = self.disk.read().number("event");
        self.disk.commit(None, &mut |transaction| {
            let mut events = events.iter();
            events.try_for_each(|event| transaction.write(Change::Event(event)))
        })?;
        Ok(self.disk.read().number("event") - before)
    }

    fn order(&mut self, at: Timestamp, who: &str, order: &Order) -> Result<(), StateError> {
        let order =
            |transaction: &mut dyn Transaction| transaction.write(Change::Order { at, who, order });
        self.disk.commit(None, &mut { order }).map(drop)
    }
}

/// A commit being made.
struct Writing<'d> {
    disk: &'d mut Disk,
    /// A source's position is among it.
    position: bool,
    /// The ledger is cut.
    cut: bool,
}

look_through!([<'d>] Writing<'d>, self => self.disk);

impl Transaction for Writing<'_> {
    fn write(&mut self, change: Change<'_>) -> Result<(), StateError> {
        let disk = &mut *self.disk;
        match change {
            Change::Observed {
                source,
                key,
                digest,
                observation,
            } => observed(disk, source, key, digest, observation),
            Change::Absent { source, key, times } => {
                let place = (source.to_owned(), key);
                if let Some(seen) = disk.seen.map().get(&place) {
                    let seen = Seen {
                        digest: seen.digest,
                        absent: times,
                        observation: seen.observation.clone(),
                    };
                    disk.seen.set(place, Some(seen));
                }
            }
            Change::Position { source, position } => {
                self.position = true;
                disk.positions
                    .set(source.to_owned(), Some(position.clone()));
            }
            Change::Level(level) => disk.levels.set(level.pair.clone(), Some(level.clone())),
            Change::Remote { sku, remote } => disk.remotes.set(sku.to_owned(), remote.cloned()),
            Change::Batch(batch) => {
                let last = disk.number("batch").max(batch.id);
                disk.numbers.set("batch", Some(last));
                disk.batches.set(batch.id, Some(batch.clone()));
            }
            Change::BatchEnded(id) => disk.batches.set(id, None),
            Change::Line(line) => {
                let number = disk.next("line");
                disk.ledger.set(number, Some(line.clone()));
            }
            Change::Event(event) => {
                let place = (event.source.clone(), event.id.clone());
                if !disk.events.map().contains_key(&place) {
                    let kept = KeptEvent {
                        number: disk.next("event"),
                        at: event.at,
                        open: Some(event.clone()),
                    };
                    disk.events.set(place, Some(kept));
                }
            }
            Change::EventMerged { source, id } => {
                let place = (source.to_owned(), id.to_owned());
                if let Some(&KeptEvent { number, at, .. }) = disk.events.map().get(&place) {
                    let open = None;
                    disk.events.set(place, Some(KeptEvent { number, at, open }));
                }
            }
            Change::EventsForgotten(before) => {
                let events = disk.events.map().iter();
                let old = events.filter(|(_, kept)| kept.open.is_none() && kept.at < before);
                let old: Vec<_> = old.map(|(place, _)| place.clone()).collect();
                for place in old {
                    disk.events.set(place, None);
                }
            }
            Change::Order { at, who, order } => {
                let id = disk.next("order");
                let kept = KeptOrder {
                    id,
                    at,
                    who: who.to_owned(),
                    order: order.clone(),
                };
                disk.orders.set(id, Some(kept));
            }
            Change::OrderDone(id) => disk.orders.set(id, None),
            Change::Paused(pause) => disk.pauses.set(pause.sync.clone(), Some(pause.clone())),
            Change::Resumed(sync) => disk.pauses.set(sync.to_owned(), None),
            Change::Held(plan) => {
                let number = disk.next("held");
                disk.held.set(plan.id.clone(), Some((number, plan.clone())));
            }
            Change::HeldEnded(id) => disk.held.set(id.to_owned(), None),
            Change::Run(run) => ran(disk, run),
            Change::Note { name, value } => {
                disk.notes.set(name.to_owned(), Some(value.to_owned()));
            }
            Change::LedgerCut(before) => {
                kill_point(recovery::Y14);
                self.cut = true;
                cut(disk, before);
            }
        }
        Ok(())
    }
}

fn observed(disk: &mut Disk, source: &str, key: u64, digest: u64, observation: &Observation) {
    let place = (source.to_owned(), key);
    let by_sku = |of: &Observation| (source.to_owned(), of.sku.clone(), of.location.clone(), key);
    if let Some(before) = disk.seen.map().get(&place) {
        let before = by_sku(&before.observation);
        disk.by_sku.set(before, None);
    }
    disk.by_sku.set(by_sku(observation), Some(()));
    let seen = Seen {
        digest,
        absent: 0,
        observation: observation.clone(),
    };
    disk.seen.set(place, Some(seen));
}

fn ran(disk: &mut Disk, run: &RunEnd) {
    let number = disk.next("run");
    disk.runs.set(number, Some(run.clone()));
    let of_sync = disk.runs.map().iter().rev();
    let of_sync = of_sync.filter(|(_, kept)| kept.sync == run.sync);
    let old: Vec<u64> = of_sync.skip(RUNS_KEPT).map(|(number, _)| *number).collect();
    for number in old {
        disk.runs.set(number, None);
    }
}

fn cut(disk: &mut Disk, before: Timestamp) {
    let mut last = HashSet::new();
    let mut old = Vec::new();
    for (number, line) in disk.ledger.map().iter().rev() {
        if !last.insert(&line.pair) && line.at < before {
            old.push(*number);
        }
    }
    for number in old {
        disk.ledger.set(number, None);
    }
}
