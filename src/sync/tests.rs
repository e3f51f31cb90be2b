//! Runs as a shop owner would see them, against a store, a source and a state in memory.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::catalog::{SourceError, SourceProblem};
use crate::channel::manifest::request::RemoteId;
use crate::config::project::Basis;
use crate::config::sync::{GuardLimits, Locations, OnlineOrders, Rows};
use crate::state::StateError;
use crate::store::Outcome;
use crate::store::pace::{Clock, Pause};

use super::decide::Rule;
use super::level::{Level, Line, Observation, Pair, Position, Standing, What};
use super::online::{Capabilities, Found, OnlineStore, Reading, RemoteItem, StoreError, Write};
use super::run::{Ended, Inputs, RunError, run};
use super::source::{Read, ReadKind, SourceFailure, StockSource};
use super::state::memory::{MemoryDisk, MemoryState};
use super::state::{Change, LineFilter, Look, Order, SyncState, Which};
use super::work::{Figures, Halt, Work};

/// A clock that only tests move.
#[derive(Clone, Debug)]
struct Still(Arc<Mutex<Duration>>);

impl Still {
    fn pass(&self, length: Duration) {
        *self.0.lock().expect("whole") += length;
    }
}

impl Clock for Still {
    fn now(&self) -> Duration {
        *self.0.lock().expect("whole")
    }

    fn wall(&self) -> Timestamp {
        let begin: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        super::work::later(begin, self.now())
    }

    fn sleep(&self, length: Duration) -> Pause {
        self.pass(length);
        Box::pin(std::future::ready(()))
    }
}

/// What happens to the next batch.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It is applied, and the answer is lost.
    LostAfter,
    /// It never arrives, and nobody can tell.
    LostBefore,
    /// Nothing leaves.
    Held,
}

#[derive(Default)]
struct Shop {
    levels: BTreeMap<Pair, i64>,
    keys: HashMap<String, Vec<Outcome>>,
    applied: Vec<(Pair, i64)>,
    reads: usize,
    fates: VecDeque<Fate>,
    /// SKUs that are refused for good.
    poison: Vec<String>,
    /// An order that comes in just before the next batch is applied.
    order: Option<(Pair, i64)>,
}

#[derive(Clone)]
struct Store {
    shop: Rc<RefCell<Shop>>,
    capabilities: Capabilities,
}

impl Store {
    fn new(compare_and_set: bool, keys: bool) -> Self {
        Store {
            shop: Rc::default(),
            capabilities: Capabilities {
                compare_and_set,
                key_life: keys.then_some(Duration::from_secs(24 * 3600)),
                quiet: Duration::from_secs(60),
                places: true,
                batch: 3,
                maximum: 1_000_000,
            },
        }
    }

    fn stock(&self, levels: &[(&str, i64)]) {
        for (sku, units) in levels {
            let pair = Pair::new("L1", *sku);
            self.shop.borrow_mut().levels.insert(pair, *units);
        }
    }

    fn level(&self, sku: &str) -> i64 {
        self.shop.borrow().levels[&Pair::new("L1", sku)]
    }

    fn writes(&self) -> usize {
        self.shop.borrow().applied.len()
    }
}

impl OnlineStore for Store {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn paused(&self) -> Option<String> {
        None
    }

    fn resolve(&mut self, skus: &[String]) -> Result<HashMap<String, Found>, StoreError> {
        let shop = self.shop.borrow();
        Ok(skus
            .iter()
            .map(|sku| {
                let known = shop.levels.keys().any(|pair| pair.sku == *sku);
                let found = match known {
                    true => Found::Remote(RemoteId {
                        id: format!("id-{sku}"),
                        ..RemoteId::default()
                    }),
                    false => Found::Stranger,
                };
                (sku.clone(), found)
            })
            .collect())
    }

    fn read(&mut self, items: &[RemoteItem]) -> Result<Vec<Reading>, StoreError> {
        let mut shop = self.shop.borrow_mut();
        shop.reads += items.len();
        Ok(items
            .iter()
            .map(|item| match shop.levels.get(&item.pair) {
                Some(units) => Reading::Level(*units),
                None => Reading::NotStocked,
            })
            .collect())
    }

    fn group(&self, _: &RemoteItem) -> String {
        String::new()
    }

    fn push(&mut self, key: &str, writes: &[Write]) -> Vec<Outcome> {
        let mut shop = self.shop.borrow_mut();
        let unknown = || Outcome::Unknown {
            reason: "no answer".to_owned(),
        };
        let fate = shop.fates.pop_front();
        match fate {
            Some(Fate::Held) => {
                let held = Outcome::Held {
                    reason: "held".to_owned(),
                };
                return vec![held; writes.len()];
            }
            Some(Fate::LostBefore) => return vec![unknown(); writes.len()],
            Some(Fate::LostAfter) | None => {}
        }
        if let Some((pair, units)) = shop.order.take() {
            *shop.levels.get_mut(&pair).expect("stocked") -= units;
        }
        let keyed = self.capabilities.key_life.is_some();
        let answer = match shop.keys.get(key).filter(|_| keyed) {
            Some(answer) => answer.clone(),
            None => writes
                .iter()
                .map(|write| {
                    let pair = &write.item.pair;
                    if shop.poison.contains(&pair.sku) {
                        return Outcome::Rejected {
                            code: "INVALID".to_owned(),
                            message: "not for sale".to_owned(),
                            transient: false,
                        };
                    }
                    let now = shop.levels[pair];
                    let differs = write.compare.is_some_and(|compare| compare != now);
                    if self.capabilities.compare_and_set && (write.compare.is_none() || differs) {
                        return Outcome::Stale {
                            code: "STALE".to_owned(),
                            message: format!("it is {now}"),
                        };
                    }
                    shop.levels.insert(pair.clone(), write.quantity);
                    shop.applied.push((pair.clone(), write.quantity));
                    Outcome::Accepted
                })
                .collect(),
        };
        shop.keys.insert(key.to_owned(), answer.clone());
        match fate {
            Some(Fate::LostAfter) => vec![unknown(); writes.len()],
            _ => answer,
        }
    }
}

/// Rows that are read whole, each time anew.
#[derive(Default)]
struct Till {
    rows: BTreeMap<String, Option<i64>>,
    broken: bool,
    proven: bool,
}

impl StockSource for Till {
    fn read(
        &mut self,
        _: Option<&Position>,
        tell: &mut dyn FnMut(&Observation) -> Result<(), StateError>,
    ) -> Result<Read, SourceFailure> {
        for (sku, quantity) in &self.rows {
            tell(&Observation {
                location: "bkk-01".to_owned(),
                sku: sku.clone(),
                quantity: *quantity,
                ..Observation::default()
            })
            .map_err(SourceFailure::State)?;
        }
        if self.broken {
            return Err(SourceFailure::Source(SourceError::new(
                SourceProblem::NotWhole,
                "stock.csv".to_owned(),
                "the file is cut".to_owned(),
            )));
        }
        Ok(Read {
            position: Position {
                rows: self.rows.len() as u64,
                proven: self.proven,
                ..Position::default()
            },
            kind: ReadKind::Snapshot,
            rows: self.rows.len() as u64,
            rejected: Vec::new(),
            found: 0,
            more: false,
            remarks: Vec::new(),
        })
    }
}

struct World {
    rule: Rule,
    state: MemoryState,
    store: Store,
    till: Till,
    clock: Still,
}

impl World {
    fn new(store: Store) -> Self {
        let off = crate::config::gate::Limit(None);
        World {
            rule: Rule {
                name: "web-stock".to_owned(),
                source: "stock".to_owned(),
                reading: super::level::reading("web-stock", "stock"),
                read_whole: true,
                rows: Rows::All,
                live: true,
                basis: Basis::OnHand,
                online_orders: OnlineOrders::Booked,
                locations: Some(Locations::Mapped(
                    [("bkk-01".to_owned(), "L1".to_owned())]
                        .into_iter()
                        .collect(),
                )),
                safety_stock: 0,
                kept: BTreeMap::new(),
                share: Decimal::ONE,
                minimum: 0,
                maximum: 1_000_000,
                guard: GuardLimits {
                    to_zero: off,
                    changed: off,
                    units: off,
                    vanished: off,
                    at_least: 5,
                },
                absent_is_zero: false,
                recheck: Decimal::ZERO,
            },
            state: MemoryDisk::new().open(),
            store,
            till: Till::default(),
            clock: Still(Arc::default()),
        }
    }

    fn counts(&mut self, rows: &[(&str, i64)]) {
        for (sku, units) in rows {
            self.till.rows.insert((*sku).to_owned(), Some(*units));
        }
    }

    fn try_run(&mut self, full: bool, approve: Option<&str>) -> Result<(Ended, Figures), RunError> {
        let stop = AtomicBool::new(false);
        let approved = approve.map(|id| {
            let held = self.state.held().expect("read");
            held.into_iter().find(|plan| plan.id == id).expect("held")
        });
        let mut work = Work {
            rule: &self.rule,
            state: &mut self.state,
            store: &mut self.store,
            clock: &self.clock,
            approved: approved.is_some(),
            absent: hashbrown::HashSet::new(),
            deadline: Duration::MAX,
            stop: &stop,
            figures: Figures::default(),
        };
        let mut inputs = Inputs {
            source: &mut self.till,
            orders: None,
            full,
            push: true,
            approved,
            sample: Some(0),
        };
        let ended = run(&mut work, &mut inputs)?;
        Ok((ended, work.figures))
    }

    fn run(&mut self) -> (Ended, Figures) {
        self.try_run(false, None).expect("it runs")
    }

    fn lines(&self, what: What) -> Vec<Line> {
        let mut lines = Vec::new();
        let filter = LineFilter {
            what: Some(what),
            ..LineFilter::default()
        };
        self.state
            .ledger(&filter, &mut |line| {
                lines.push(line);
                std::ops::ControlFlow::Continue(())
            })
            .expect("read");
        lines
    }

    fn level(&self, sku: &str) -> Level {
        let level = self.state.level(&Pair::new("L1", sku)).expect("read");
        level.expect("there")
    }
}

fn three() -> World {
    let store = Store::new(true, true);
    store.stock(&[("A", 1), ("B", 2), ("C", 3), ("D", 4)]);
    let mut world = World::new(store);
    world.counts(&[("A", 10), ("B", 2), ("C", 0), ("D", 5), ("X", 7)]);
    world
}

#[test]
fn a_first_run_reads_the_store_and_sends_what_differs() {
    let mut world = three();
    let (ended, figures) = world.run();
    assert_eq!(
        (figures.accepted, figures.in_step, figures.strangers),
        (3, 1, 1),
        "{ended:?}"
    );
    let levels = ["A", "B", "C", "D"].map(|sku| world.store.level(sku));
    assert_eq!(levels, [10, 2, 0, 5]);
    assert_eq!(
        world.store.shop.borrow().applied[0].0.sku,
        "C",
        "what is sold out first"
    );
    assert_eq!((ended.open, ended.in_flight), (0, 0));
    assert_eq!(world.lines(What::Accepted).len(), 3);
    assert!(matches!(
        world.level("X").standing,
        Standing::Stranger { .. }
    ));
}

#[test]
fn a_second_run_sends_only_what_changed() {
    let mut world = three();
    world.run();
    let writes = world.store.writes();
    let (_, figures) = world.run();
    assert_eq!((figures.batches, world.store.writes()), (0, writes));
    world.counts(&[("D", 4)]);
    let (_, figures) = world.run();
    assert_eq!((figures.accepted, world.store.level("D")), (1, 4));
}

#[test]
fn an_order_is_never_overwritten() {
    let mut world = three();
    world.run();
    // the till sells one; before that is pushed, two are ordered online, and the till books them at once
    world.counts(&[("D", 4)]);
    world.store.shop.borrow_mut().order = Some((Pair::new("L1", "D"), 2));
    let (_, figures) = world.run();
    assert_eq!(figures.stale, 1);
    world.counts(&[("D", 2)]);
    world.run();
    assert_eq!(world.store.level("D"), 2);
    assert_eq!(world.lines(What::Stale).len(), 1);
}

#[test]
fn a_lost_answer_is_settled_by_its_key() {
    let mut world = three();
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .push_back(Fate::LostAfter);
    let (ended, figures) = world.run();
    assert!(figures.unknown > 0 && ended.in_flight > 0);
    let writes = world.store.writes();
    let (ended, _) = world.run();
    assert_eq!((ended.open, ended.in_flight), (0, 0));
    assert_eq!(world.store.writes(), writes, "applied once");
    assert_eq!(world.lines(What::Accepted).len(), 3);
}

#[test]
fn after_its_key_ended_it_is_settled_by_reading() {
    for fate in [Fate::LostAfter, Fate::LostBefore] {
        let mut world = three();
        world.store.shop.borrow_mut().fates.push_back(fate);
        world.run();
        world.clock.pass(Duration::from_secs(25 * 3600));
        world.run();
        let (ended, _) = world.run();
        assert_eq!((ended.open, ended.in_flight), (0, 0), "{fate:?}");
        assert_eq!(
            ["A", "C", "D"].map(|sku| world.store.level(sku)),
            [10, 0, 5]
        );
    }
}

#[test]
fn without_keys_a_level_waits_for_the_quiet_time() {
    let store = Store::new(false, false);
    store.stock(&[("A", 1)]);
    let mut world = World::new(store);
    world.counts(&[("A", 10)]);
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .push_back(Fate::LostBefore);
    world.run();
    world.counts(&[("A", 9)]);
    let (ended, _) = world.run();
    assert_eq!(
        (ended.in_flight, world.store.writes()),
        (1, 0),
        "one open write"
    );
    world.clock.pass(Duration::from_secs(61));
    world.run();
    assert_eq!(world.store.level("A"), 9);
    assert_eq!(world.lines(What::NotApplied).len(), 1);
}

#[test]
fn a_crash_between_storing_and_sending_loses_nothing() {
    let mut world = three();
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .push_back(Fate::LostBefore);
    world.run();
    world.state.crash();
    let (ended, _) = world.run();
    assert_eq!((ended.open, ended.in_flight), (0, 0));
    assert_eq!(world.store.level("A"), 10);
}

#[test]
fn an_emptied_shop_is_held_until_a_person_approves() {
    let mut world = three();
    world.rule.guard = GuardLimits {
        at_least: 2,
        ..GuardLimits::default()
    };
    world.rule.guard.changed = crate::config::gate::Limit(None);
    world.rule.guard.units = crate::config::gate::Limit(None);
    let (ended, _) = world.run();
    assert_eq!(ended.held, None);
    let writes = world.store.writes();
    world.counts(&[("A", 0), ("B", 0), ("D", 0)]);
    let (ended, _) = world.run();
    let held = ended.held.expect("held");
    assert_eq!(ended.plan.trips[0].guard, "to_zero");
    assert_eq!(world.store.writes(), writes, "nothing leaves");
    let (ended, _) = world.run();
    assert_eq!(ended.held.expect("still").id, held.id);
    let (ended, _) = world.try_run(false, Some(&held.id)).expect("it runs");
    assert_eq!((ended.held, world.store.level("A")), (None, 0));
    assert_eq!(world.state.held().expect("read"), []);
    world.counts(&[("A", 1)]);
    let (ended, _) = world.run();
    assert_eq!(ended.held, None, "what was approved is not weighed again");
}

#[test]
fn a_source_that_is_not_whole_has_no_effect() {
    let mut world = three();
    world.run();
    let tick = world.state.tick();
    world.counts(&[("A", 0)]);
    world.till.broken = true;
    assert!(matches!(
        world.try_run(false, None),
        Err(RunError::Source(_))
    ));
    assert_eq!((world.state.tick(), world.store.level("A")), (tick, 10));
    world.till.broken = false;
    world.run();
    assert_eq!(world.store.level("A"), 0);
}

#[test]
fn absent_is_not_zero_unless_the_project_says_so_and_two_proven_readings_agree() {
    let mut world = three();
    world.run();
    world.till.rows.remove("A");
    world.till.rows.insert("D".to_owned(), None);
    world.run();
    world.run();
    assert_eq!((world.store.level("A"), world.store.level("D")), (10, 5));
    world.rule.absent_is_zero = true;
    world.run();
    world.run();
    assert_eq!(
        world.store.level("A"),
        10,
        "nothing proves that the reading was whole"
    );
    world.till.proven = true;
    world.run();
    assert_eq!(world.store.level("A"), 10, "once is not enough");
    world.run();
    assert_eq!((world.store.level("A"), world.store.level("D")), (0, 5));
}

#[test]
fn poison_is_set_aside_and_can_be_tried_again() {
    let mut world = three();
    world.store.shop.borrow_mut().poison.push("A".to_owned());
    let (_, figures) = world.run();
    assert_eq!((figures.accepted, figures.dead), (2, 1));
    let (_, figures) = world.run();
    assert_eq!(
        figures.batches, 0,
        "a dead letter is not sent again by itself"
    );
    assert!(matches!(world.level("A").standing, Standing::Dead { .. }));
    world.store.shop.borrow_mut().poison.clear();
    let retry = Order::Retry {
        pair: Pair::new("L1", "A"),
    };
    let now = world.clock.wall();
    world
        .state
        .commit(&mut |made| {
            made.write(Change::Order {
                at: now,
                who: "ann",
                order: &retry,
            })
        })
        .expect("kept");
    world.run();
    assert_eq!(world.store.level("A"), 10);
    assert_eq!(world.state.count(Which::Dead).expect("read"), 0);
    assert_eq!(world.state.orders().expect("read"), []);
}

#[test]
fn what_is_paused_sends_nothing() {
    let mut world = three();
    let now = world.clock.wall();
    let order = |order: Order, world: &mut World| {
        world
            .state
            .commit(&mut |made| {
                made.write(Change::Order {
                    at: now,
                    who: "ann",
                    order: &order,
                })
            })
            .expect("kept");
    };
    let sync = || "web-stock".to_owned();
    let reason = "stocktaking".to_owned();
    order(
        Order::Pause {
            sync: sync(),
            reason,
        },
        &mut world,
    );
    let (_, figures) = world.run();
    assert_eq!(figures.halted, Some(Halt::Paused("stocktaking".to_owned())));
    assert_eq!(world.store.writes(), 0);
    order(Order::Resume { sync: sync() }, &mut world);
    world.run();
    assert_eq!(world.store.level("A"), 10);
}

#[test]
fn a_full_run_finds_what_others_changed_and_puts_it_right() {
    let mut world = three();
    world.run();
    world.clock.pass(Duration::from_secs(3600));
    world.store.stock(&[("A", 77)]);
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!((figures.foreign, world.store.level("A")), (1, 10));
    world.clock.pass(Duration::from_secs(3600));
    world.store.stock(&[("D", 4)]);
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!(
        (figures.lost, world.store.level("D")),
        (1, 5),
        "it was 4 before we wrote"
    );
}

#[test]
fn what_did_not_leave_goes_out_with_the_next_run() {
    let mut world = three();
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .extend([Fate::Held, Fate::Held, Fate::Held]);
    world.run();
    world.run();
    assert_eq!(world.store.level("A"), 10);
    assert_eq!(world.lines(What::Unknown), []);
}
