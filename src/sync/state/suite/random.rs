//! Random lists of changes, with commits given up and crashes between: each implementation says what the naive one says.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::channel::manifest::request::RemoteId;
use crate::state::{StateError, Trouble};
use crate::sync::level::{BatchState, Mark, Position, Standing};
use crate::sync::state::{Event, HeldPlan, Intake, Order, Pause, RunEnd, Transaction};

use super::naive::{Naive, Said};
use super::worlds::{Memory, Sqlite};
use super::*;

/// Draws from one number.
pub(in crate::sync::state) struct Draw(pub(in crate::sync::state) u64);

impl Draw {
    /// A number below.
    pub(in crate::sync::state) fn below(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).expect("small")]
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        (self.below(3) > 0).then_some(value)
    }

    fn quantity(&mut self) -> i64 {
        i64::try_from(self.below(4)).expect("small") - 1
    }

    fn at(&mut self) -> Timestamp {
        at(i64::try_from(self.below(30)).expect("small"))
    }

    fn pair(&mut self) -> Pair {
        pair(self.one(&["", "p", "q"]), self.one(&SKUS))
    }

    fn row(&mut self) -> Observation {
        let quantity = self.quantity();
        let mut row = row(self.one(&["", "l"]), self.one(&SKUS), self.maybe(quantity));
        row.committed = self.maybe(1);
        row.mark = match self.below(3) {
            0 => Mark::None,
            1 => Mark::Sequence(self.quantity()),
            _ => Mark::Time {
                micros: self.quantity(),
                tie: self.one(&["", "t"]).to_owned(),
            },
        };
        row
    }

    fn level(&mut self) -> Level {
        let (wanted, known) = (self.quantity(), self.quantity());
        let mut level = known_level("", "", 0);
        level.pair = self.pair();
        level.sync = self.one(&SYNCS).to_owned();
        level.wanted = level.wanted.map(|old| Wanted {
            quantity: wanted,
            ..old
        });
        level.wanted = level.wanted.filter(|_| self.below(4) > 0);
        level.known = level.known.map(|old| Known {
            quantity: known,
            ..old
        });
        level.known = level.known.filter(|_| self.below(4) > 0);
        level.flight = (self.below(4) == 0).then_some(1);
        level.attempts = u32::try_from(self.below(3)).expect("small");
        let since = self.at();
        level.not_before = self.maybe(since);
        level.standing = match self.below(6) {
            0 => Standing::Stranger {
                reason: "r".to_owned(),
            },
            1 => Standing::NotStocked,
            2 => Standing::Dead {
                code: "c".to_owned(),
                message: String::new(),
                since,
            },
            _ => Standing::Open,
        };
        level
    }

    fn batch(&mut self) -> Batch {
        let mut batch = batch(1 + self.below(5), &[("p", "A")]);
        if self.below(2) == 0 {
            batch.state = BatchState::Unknown;
            batch.unknown_since = Some(self.at());
            batch.key_ends = None;
        }
        batch
    }

    fn event(&mut self) -> Event {
        Event {
            source: self.one(&SOURCES).to_owned(),
            id: self.below(4).to_string(),
            at: self.at(),
            observations: (0..self.below(3)).map(|_| self.row()).collect(),
        }
    }

    fn order(&mut self) -> Order {
        match self.below(2) {
            0 => Order::Retry { pair: self.pair() },
            _ => Order::Resume {
                sync: self.one(&SYNCS).to_owned(),
            },
        }
    }

    /// Any change.
    pub(in crate::sync::state) fn change(&mut self) -> Said {
        let what = [
            What::Accepted,
            What::InStep,
            What::Superseded,
            What::Unknown,
        ];
        match self.below(26) {
            0..4 => Said::Observed(self.one(&SOURCES), self.below(6), self.below(3), self.row()),
            4 => Said::Absent(self.one(&SOURCES), self.below(6), 2),
            5 => Said::Position(
                self.one(&SOURCES),
                Position {
                    read_at: self.below(9),
                    time: self.at(),
                    files: vec![(self.below(9).to_string(), "d".to_owned())],
                    ..Position::default()
                },
            ),
            6..10 => Said::Level(self.level()),
            10 => {
                let remote = RemoteId {
                    id: self.below(9).to_string(),
                    ..RemoteId::default()
                };
                Said::Remote(self.one(&SKUS), self.maybe(remote))
            }
            11 => Said::Batch(self.batch()),
            12 => Said::BatchEnded(1 + self.below(5)),
            13..16 => {
                let mut line = line("", "", self.below(9), self.one(&what));
                line.pair = self.pair();
                line.at = self.at();
                line.sync = self.one(&SYNCS).to_owned();
                Said::Line(line)
            }
            16 => Said::Event(self.event()),
            17 => Said::EventMerged(self.one(&SOURCES), self.below(4).to_string()),
            18 => Said::EventsForgotten(self.at()),
            19 => Said::Order(self.at(), self.order()),
            20 => Said::OrderDone(1 + self.below(6)),
            21 => match self.below(3) {
                0 => Said::Resumed(self.one(&SYNCS)),
                _ => Said::Paused(Pause {
                    sync: self.one(&SYNCS).to_owned(),
                    at: self.at(),
                    who: "ann".to_owned(),
                    reason: self.below(9).to_string(),
                }),
            },
            22 => match self.below(3) {
                0 => Said::HeldEnded(self.below(3).to_string()),
                _ => Said::Held(HeldPlan {
                    id: self.below(3).to_string(),
                    sync: self.one(&SYNCS).to_owned(),
                    at: self.at(),
                    reasons: vec!["r".to_owned()],
                    items: vec![(self.pair(), None, self.quantity())],
                }),
            },
            23 => Said::Run(RunEnd {
                sync: self.one(&SYNCS).to_owned(),
                at: self.at(),
                compared: self.below(99),
                ..RunEnd::default()
            }),
            24 => Said::Note(self.one(&["n1", "n2"]), self.below(9).to_string()),
            _ => Said::LedgerCut(self.at()),
        }
    }
}

/// Writes a change into a commit.
pub(in crate::sync::state) fn write(
    transaction: &mut dyn Transaction,
    said: &Said,
) -> Result<(), StateError> {
    transaction.write(match said {
        Said::Observed(source, key, digest, observation) => Change::Observed {
            source,
            key: *key,
            digest: *digest,
            observation,
        },
        Said::Absent(source, key, times) => Change::Absent {
            source,
            key: *key,
            times: *times,
        },
        Said::Position(source, position) => Change::Position { source, position },
        Said::Level(level) => Change::Level(level),
        Said::Remote(sku, remote) => Change::Remote {
            sku,
            remote: remote.as_ref(),
        },
        Said::Batch(batch) => Change::Batch(batch),
        Said::BatchEnded(id) => Change::BatchEnded(*id),
        Said::Line(line) => Change::Line(line),
        Said::Event(event) => Change::Event(event),
        Said::EventMerged(source, id) => Change::EventMerged { source, id },
        Said::EventsForgotten(before) => Change::EventsForgotten(*before),
        Said::Order(at, order) => Change::Order {
            at: *at,
            who: "ann",
            order,
        },
        Said::OrderDone(id) => Change::OrderDone(*id),
        Said::Paused(pause) => Change::Paused(pause),
        Said::Resumed(sync) => Change::Resumed(sync),
        Said::Held(plan) => Change::Held(plan),
        Said::HeldEnded(id) => Change::HeldEnded(id),
        Said::Run(run) => Change::Run(run),
        Said::Note(name, value) => Change::Note { name, value },
        Said::LedgerCut(before) => Change::LedgerCut(*before),
    })
}

/// Goes through commits, each drawn from a number with so many changes, and compares after each.
fn same_as_naive<W: World>(commits: &[(u64, u64)]) {
    let world = W::new();
    let mut naive = Naive::default();
    let mut state = Some(world.open().expect("opens"));
    for (seed, changes) in commits {
        let mut draw = Draw(*seed);
        let mut held = state.take().expect("one is open");
        let mut after = naive.clone();
        let said: Vec<Said> = (0..*changes).map(|_| draw.change()).collect();
        let gives_up = draw.below(5) == 0;
        let result = held.commit(&mut |transaction| {
            after = naive.clone();
            for change in &said {
                write(transaction, change)?;
                after.apply(change);
            }
            assert_eq!(dump(transaction), dump(&after), "{said:?}");
            if gives_up {
                return Err(StateError::new(Trouble::Unknown, "given up", ""));
            }
            Ok(())
        });
        assert_eq!(result.is_err(), gives_up, "{result:?}");
        if !gives_up {
            naive = after;
        }
        assert_eq!(dump(&held), dump(&naive), "{said:?}");
        if draw.below(4) == 0 {
            let (when, order) = (draw.at(), draw.order());
            world.intake().order(when, "ann", &order).expect("kept");
            naive.apply(&Said::Order(when, order));
        }
        match draw.below(6) {
            0 => {
                world.crash(held);
                state = Some(world.open().expect("opens after a crash"));
            }
            1 => {
                drop(held);
                state = Some(world.open().expect("opens again"));
            }
            _ => state = Some(held),
        }
        let now = dump(state.as_ref().expect("one is open"));
        assert_eq!(now, dump(&naive), "{said:?}");
    }
}

fn commits(most: usize) -> impl Strategy<Value = Vec<(u64, u64)>> {
    vec((any::<u64>(), 0..12_u64), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn memory_is_as_the_naive_one(commits in commits(30)) {
        same_as_naive::<Memory>(&commits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn sqlite_is_as_the_naive_one(commits in commits(16)) {
        same_as_naive::<Sqlite>(&commits);
    }
}
