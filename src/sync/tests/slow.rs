//! A source that is slow: nobody waits for the state meanwhile, and what came meanwhile is merged by its order.

use std::time::Duration;

use crate::state::StateError;
use crate::sync::level::{Mark, Observation, Pair, Position};
use crate::sync::observe::observe;
use crate::sync::source::{Read, ReadKind, SourceFailure, StockSource};
use crate::sync::state::memory::MemoryDisk;
use crate::sync::state::sqlite::{SqliteIntake, SqliteState};
use crate::sync::state::{Event, Intake, Look, SyncState};

use super::shop::{Store, World};

/// Rows, with something that happens while they are read.
struct Slow<'m> {
    rows: Vec<Observation>,
    meanwhile: Box<dyn FnMut() + Send + 'm>,
}

impl StockSource for Slow<'_> {
    fn read(
        &mut self,
        _: Option<&Position>,
        tell: &mut dyn FnMut(&Observation) -> Result<(), StateError>,
    ) -> Result<Read, SourceFailure> {
        for (number, row) in self.rows.iter().enumerate() {
            tell(row).map_err(SourceFailure::State)?;
            if number == 0 {
                (self.meanwhile)();
            }
        }
        Ok(Read {
            position: Position::default(),
            kind: ReadKind::Snapshot,
            rows: self.rows.len() as u64,
            rejected: Vec::new(),
            found: 0,
            more: false,
            remarks: Vec::new(),
        })
    }
}

fn row(sku: &str, quantity: i64, sequence: i64) -> Observation {
    Observation {
        location: "bkk-01".to_owned(),
        sku: sku.to_owned(),
        quantity: Some(quantity),
        mark: Mark::Sequence(sequence),
        ..Observation::default()
    }
}

/// An event is kept in the middle of a reading; it would wait for ever if the reading held the state.
fn check(state: &mut dyn SyncState, mut intake: impl Intake) {
    let world = World::new(Store::new(true, true));
    let rule = &world.rule;
    let at = jiff::Timestamp::UNIX_EPOCH;
    let event = |id: &str, rows: &[Observation]| Event {
        source: rule.reading.clone(),
        id: id.to_owned(),
        at,
        observations: rows.to_vec(),
    };
    let wanted = |state: &dyn SyncState, sku: &str| {
        let level = state.level(&Pair::new("L1", sku)).expect("reads");
        level.and_then(|level| level.wanted).expect("is wanted")
    };
    // before the reading: newer than it for one row, older for the other
    let early = event("early", &[row("A", 3, 9), row("B", 4, 2), row("E", 6, 1)]);
    assert_eq!(intake.events(&[early]), Ok(1));
    let late = event("late", &[row("A", 2, 10), row("C", 1, 1)]);
    let began = state.tick();
    let mut slow = Slow {
        rows: vec![row("A", 10, 8), row("B", 20, 8), row("C", 30, 8)],
        meanwhile: Box::new(|| assert_eq!(intake.events(std::slice::from_ref(&late)), Ok(1))),
    };
    let observed = observe(rule, state, &mut slow, None, false, at).expect("reads");
    drop(slow);
    assert_eq!(
        (observed.events, observed.older, observed.changed),
        (1, 1, 5)
    );
    assert_eq!(
        (observed.tick, observed.known, observed.vanished.len()),
        (began, 4, 1)
    );
    let quantities = ["A", "B", "C", "E"].map(|sku| wanted(state, sku).quantity);
    assert_eq!(quantities, [3, 20, 30, 6]);
    assert_eq!(
        wanted(state, "B").observed_at,
        began,
        "as of the reading's begin"
    );
    // what came meanwhile waits for the next round, and counts by its order there
    assert_eq!(state.events(9).expect("reads").len(), 1);
    let mut same = Slow {
        rows: vec![row("A", 10, 8), row("B", 20, 8), row("C", 30, 8)],
        meanwhile: Box::new(|| ()),
    };
    let observed = observe(rule, state, &mut same, None, false, at).expect("reads");
    assert_eq!(
        (observed.events, observed.older, observed.changed),
        (1, 2, 1)
    );
    let quantities = ["A", "B", "C"].map(|sku| wanted(state, sku).quantity);
    assert_eq!(quantities, [2, 20, 30]);
    assert!(state.events(9).expect("reads").is_empty());
}

#[test]
fn a_reading_in_memory_holds_nobody_up() {
    let disk = MemoryDisk::new();
    check(&mut disk.open(), disk.intake());
}

#[test]
fn a_reading_beside_a_database_holds_nobody_up() {
    let project = tempfile::tempdir().expect("a folder");
    let at = jiff::Timestamp::UNIX_EPOCH;
    let state = SqliteState::open(project.path(), "main", Duration::ZERO, at);
    let mut state = state.map_err(StateError::from).expect("opens");
    let intake = SqliteIntake::open(project.path(), "main").expect("opens");
    check(&mut state, intake);
}

#[test]
fn a_row_twice_in_a_reading_counts_by_its_order() {
    let world = World::new(Store::new(true, true));
    let mut state = MemoryDisk::new().open();
    let at = jiff::Timestamp::UNIX_EPOCH;
    let mut read = |rows: &[Observation]| {
        let mut source = Slow {
            rows: rows.to_vec(),
            meanwhile: Box::new(|| ()),
        };
        observe(&world.rule, &mut state, &mut source, None, false, at).expect("reads");
        let level = state.level(&Pair::new("L1", "A")).expect("reads");
        level
            .and_then(|level| level.wanted)
            .map(|wanted| wanted.quantity)
    };
    assert_eq!(
        read(&[row("A", 1, 1), row("A", 2, 2), row("B", 1, 1)]),
        Some(2)
    );
    // what was known comes again after what is new: it is older
    assert_eq!(read(&[row("A", 3, 3), row("A", 2, 2)]), Some(3));
    // and of two with equal marks the last stands
    assert_eq!(read(&[row("A", 5, 3), row("A", 3, 3)]), Some(3));
}
