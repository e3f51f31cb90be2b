//! A store, a till and a clock in memory, and a sync between them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::catalog::{SourceError, SourceProblem};
use crate::channel::manifest::request::RemoteId;
use crate::config::project::Basis;
use crate::config::sync::{GuardLimits, Locations, OnlineOrders, Rows};
use crate::model::stock::Offer;
use crate::state::StateError;
use crate::store::Outcome;
use crate::store::pace::{Clock, Pause};
use crate::sync::decide::Rule;
use crate::sync::level::{Level, Line, Mark, Observation, Pair, Position, What};
use crate::sync::online::{
    Capabilities, Found, OnlineStore, Reading, RemoteItem, StoreError, Write,
};
use crate::sync::run::{Ended, Inputs, RunError, run};
use crate::sync::source::{Read, ReadKind, SourceFailure, StockSource};
use crate::sync::state::memory::{MemoryDisk, MemoryState};
use crate::sync::state::{LineFilter, Look};
use crate::sync::work::{Figures, Work};

/// A clock that only tests move.
#[derive(Clone, Debug)]
pub(super) struct Still(Arc<Mutex<Duration>>);

impl Still {
    pub(super) fn pass(&self, length: Duration) {
        *self.0.lock().expect("whole") += length;
    }
}

impl Clock for Still {
    fn now(&self) -> Duration {
        *self.0.lock().expect("whole")
    }

    fn wall(&self) -> Timestamp {
        let begin: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        crate::sync::work::later(begin, self.now())
    }

    fn sleep(&self, length: Duration) -> Pause {
        self.pass(length);
        Box::pin(std::future::ready(()))
    }
}

/// What happens to the next batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It is applied, and the answer is lost.
    LostAfter,
    /// It never arrives, and nobody can tell.
    LostBefore,
    /// Nothing leaves.
    Held,
}

#[derive(Default)]
pub(super) struct Shop {
    pub(super) levels: BTreeMap<Pair, i64>,
    pub(super) keys: HashMap<String, Vec<Outcome>>,
    pub(super) applied: Vec<(Pair, i64)>,
    pub(super) reads: usize,
    pub(super) fates: VecDeque<Fate>,
    /// The store makes this of what is above it, and says yes.
    pub(super) most: Option<i64>,
    /// A batch is done as a whole or not at all.
    pub(super) atomic: bool,
    /// SKUs that are refused for good.
    pub(super) poison: Vec<String>,
    /// An order that comes in just before the next batch is applied.
    pub(super) order: Option<(Pair, i64)>,
}

#[derive(Clone)]
pub(super) struct Store {
    pub(super) shop: Rc<RefCell<Shop>>,
    pub(super) capabilities: Capabilities,
}

impl Store {
    pub(super) fn new(compare_and_set: bool, keys: bool) -> Self {
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

    pub(super) fn stock(&self, levels: &[(&str, i64)]) {
        for (sku, units) in levels {
            let pair = Pair::new("L1", *sku);
            self.shop.borrow_mut().levels.insert(pair, *units);
        }
    }

    pub(super) fn level(&self, sku: &str) -> i64 {
        self.shop.borrow().levels[&Pair::new("L1", sku)]
    }

    pub(super) fn writes(&self) -> usize {
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
        let is_stale = |write: &Write| {
            let now = shop.levels[&write.item.pair];
            write.compare.is_some_and(|compare| compare != now)
        };
        if shop.atomic && writes.iter().any(is_stale) {
            let judged = writes.iter().map(|write| match is_stale(write) {
                true => Outcome::Stale {
                    code: "STALE".to_owned(),
                    message: String::new(),
                },
                false => Outcome::Held {
                    reason: "refused for another one's sake".to_owned(),
                },
            });
            return judged.collect();
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
                    let most = shop.most.unwrap_or(i64::MAX);
                    shop.levels.insert(pair.clone(), write.quantity.min(most));
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
pub(super) struct Till {
    pub(super) rows: BTreeMap<String, Option<i64>>,
    pub(super) broken: bool,
    pub(super) proven: bool,
    pub(super) mark: Mark,
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
                mark: self.mark.clone(),
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

pub(super) struct World {
    pub(super) rule: Rule,
    pub(super) state: MemoryState,
    pub(super) store: Store,
    pub(super) till: Till,
    pub(super) clock: Still,
}

impl World {
    pub(super) fn new(store: Store) -> Self {
        let off = crate::config::gate::Limit(None);
        World {
            rule: Rule {
                name: "web-stock".to_owned(),
                source: "stock".to_owned(),
                reading: crate::sync::level::reading("web-stock", "stock"),
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
                offer: Offer {
                    share: Decimal::ONE,
                    minimum: 0,
                    maximum: 1_000_000,
                },
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

    pub(super) fn counts(&mut self, rows: &[(&str, i64)]) {
        for (sku, units) in rows {
            self.till.rows.insert((*sku).to_owned(), Some(*units));
        }
    }

    pub(super) fn try_run(
        &mut self,
        full: bool,
        approve: Option<&str>,
    ) -> Result<(Ended, Figures), RunError> {
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

    pub(super) fn run(&mut self) -> (Ended, Figures) {
        self.try_run(false, None).expect("it runs")
    }

    pub(super) fn lines(&self, what: What) -> Vec<Line> {
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

    pub(super) fn level(&self, sku: &str) -> Level {
        let level = self.state.level(&Pair::new("L1", sku)).expect("read");
        level.expect("there")
    }
}
