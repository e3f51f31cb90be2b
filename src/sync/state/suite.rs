//! What every state must do: one suite, passed by each implementation. A new one is a [`World`] and a line in [`each_world`].

mod contract;
pub(super) mod naive;
pub(super) mod random;
mod things;
pub(super) mod worlds;

use std::fmt::Write as _;
use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::state::StateError;
use crate::sync::level::{
    Batch, BatchItem, BatchState, Known, Level, Line, Observation, Pair, Wanted, What,
};

use super::{Change, Intake, LineFilter, Look, SyncState, Which};

/// A disk of its own, and processes that come and go on it.
pub(super) trait World {
    type State: SyncState;
    type Intake: Intake;

    fn new() -> Self;
    /// A run takes the account; nobody holds it.
    fn open(&self) -> Result<Self::State, StateError>;
    /// A run takes the account over from one that still lives.
    fn take_over(&self) -> Self::State;
    /// Somebody else adds something.
    fn intake(&self) -> Self::Intake;
    /// The process of this state dies, without a last word; what it left is what `open` finds then.
    fn crash(&self, state: Self::State);
}

/// Makes a test of each check for each implementation.
macro_rules! each_world {
    ($($check:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $check() { super::$check::<crate::sync::state::suite::worlds::Memory>(); })+
        }
        mod sqlite {
            $(#[test] fn $check() { super::$check::<crate::sync::state::suite::worlds::Sqlite>(); })+
        }
    };
}

use each_world;

/// A moment, so many seconds after the first.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_microsecond(1_795_000_000_000_123 + seconds * 1_000_000).expect("a moment")
}

pub(super) fn pair(place: &str, sku: &str) -> Pair {
    Pair::new(place, sku)
}

/// A level that the store must be told of.
pub(super) fn open_level(place: &str, sku: &str, quantity: i64) -> Level {
    Level {
        wanted: Some(Wanted {
            quantity,
            version: 1,
            observed_at: 3,
        }),
        ..Level::new(pair(place, sku), "web")
    }
}

pub(super) fn known_level(place: &str, sku: &str, quantity: i64) -> Level {
    Level {
        known: Some(Known {
            quantity,
            version: 1,
            at: 4,
        }),
        ..open_level(place, sku, quantity)
    }
}

pub(super) fn row(location: &str, sku: &str, quantity: Option<i64>) -> Observation {
    Observation {
        location: location.to_owned(),
        sku: sku.to_owned(),
        quantity,
        ..Observation::default()
    }
}

pub(super) fn line(place: &str, sku: &str, version: u64, what: What) -> Line {
    Line {
        at: at(10),
        sync: "web".to_owned(),
        pair: pair(place, sku),
        version,
        quantity: 5,
        before: Some(2),
        batch: 1,
        what,
        code: "OK".to_owned(),
        message: "the store's words".to_owned(),
    }
}

pub(super) fn batch(id: u64, items: &[(&str, &str)]) -> Batch {
    Batch {
        id,
        sync: "web".to_owned(),
        key: format!("key-{id}"),
        made_at: at(20),
        key_ends: Some(at(20 + 86_400)),
        items: items
            .iter()
            .map(|(place, sku)| BatchItem {
                pair: pair(place, sku),
                version: 1,
                quantity: 5,
                compare: Some(2),
            })
            .collect(),
        state: BatchState::Prepared,
        unknown_since: None,
        attempts: 0,
    }
}

/// Keeps changes in one commit.
pub(super) fn keep(state: &mut impl SyncState, changes: &[Change<'_>]) -> u64 {
    state
        .commit(&mut |transaction| {
            let mut changes = changes.iter().cloned();
            changes.try_for_each(|change| transaction.write(change))
        })
        .expect("kept")
}

pub(super) fn levels(look: &(impl Look + ?Sized), which: Which<'_>) -> Vec<Level> {
    let mut levels = Vec::new();
    look.levels(which, &mut |level| {
        levels.push(level);
        ControlFlow::Continue(())
    })
    .expect("reads");
    levels
}

pub(super) fn ledger(look: &(impl Look + ?Sized), filter: &LineFilter<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    look.ledger(filter, &mut |line| {
        lines.push(line);
        ControlFlow::Continue(())
    })
    .expect("reads");
    lines
}

pub(super) fn digests(look: &(impl Look + ?Sized), source: &str) -> Vec<(u64, u64, u32)> {
    let mut rows = Vec::new();
    look.digests(source, &mut |key, digest, absent| {
        rows.push((key, digest, absent));
    })
    .expect("reads");
    rows.sort_unstable();
    rows
}

pub(super) fn skus(look: &(impl Look + ?Sized), source: &str) -> Vec<String> {
    let mut skus = Vec::new();
    look.skus(source, &mut |sku| skus.push(sku.to_owned()))
        .expect("reads");
    skus.sort_unstable();
    skus
}

/// The names that tests use: small, so that changes meet.
pub(super) const SOURCES: [&str; 2] = ["shop", "depot"];
pub(super) const SKUS: [&str; 5] = ["A", "B", "Ä\u{0}b", "b", "C'\"%"];
pub(super) const SYNCS: [&str; 2] = ["web", "app"];

/// All that a state says, as text, but for its tick.
pub(super) fn dump(look: &dyn Look) -> String {
    let mut text = String::new();
    let mut add = |what: String| writeln!(text, "{what}").expect("texts take all");
    let mut every = vec![
        Which::All,
        Which::Open,
        Which::InFlight,
        Which::Dead,
        Which::Aside,
    ];
    every.extend(SKUS.map(Which::Sku));
    for which in every {
        let found = levels(look, which);
        assert_eq!(look.count(which).expect("reads"), found.len() as u64);
        for level in &found {
            assert_eq!(
                look.level(&level.pair).expect("reads").as_ref(),
                Some(level)
            );
        }
        add(format!("{which:?} {found:?}"));
    }
    for source in SOURCES {
        let rows = digests(look, source);
        for (key, ..) in &rows {
            add(format!(
                "{:?}",
                look.observation(source, *key).expect("reads")
            ));
        }
        add(format!("{source} {rows:?} {:?}", skus(look, source)));
        for sku in SKUS {
            add(format!(
                "{:?}",
                look.observations(source, sku).expect("reads")
            ));
        }
        add(format!("{:?}", look.position(source).expect("reads")));
    }
    let remotes = look.remotes(&SKUS.map(str::to_owned)).expect("reads");
    let mut remotes: Vec<_> = remotes.into_iter().collect();
    remotes.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    add(format!("{remotes:?}"));
    add(format!(
        "{:?} {}",
        look.batches().expect("reads"),
        look.next_batch().expect("reads")
    ));
    let mut filters = vec![LineFilter::default()];
    for sync in SYNCS {
        filters.push(LineFilter {
            sync: Some(sync),
            since: Some(at(12)),
            ..LineFilter::default()
        });
        filters.push(LineFilter {
            sku: Some("A"),
            what: Some(What::Accepted),
            ..LineFilter::default()
        });
    }
    for filter in filters {
        add(format!("{:?}", ledger(look, &filter)));
    }
    for most in [usize::MAX, 2] {
        add(format!("{:?}", look.events(most).expect("reads")));
    }
    add(format!("{:?}", look.orders().expect("reads")));
    add(format!("{:?}", look.pauses().expect("reads")));
    add(format!("{:?}", look.held().expect("reads")));
    for sync in SYNCS {
        for most in [usize::MAX, 1] {
            add(format!("{:?}", look.runs(sync, most).expect("reads")));
        }
    }
    for name in ["n1", "n2"] {
        add(format!("{:?}", look.note(name).expect("reads")));
    }
    text
}
