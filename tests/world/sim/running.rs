//! One run of the program in the world, its death, and what its own books must agree with.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use shelfcast::recovery;
use shelfcast::store::Account;
use shelfcast::store::pace::Clock as _;
use shelfcast::sync::connector::{self, Connector};
use shelfcast::sync::level::{Pair, What};
use shelfcast::sync::run::{self, Inputs};
use shelfcast::sync::state::{HeldPlan, LineFilter, Look as _};
use shelfcast::sync::work::{Figures, Work};

use super::super::faults::Fault;
use super::super::protocol::Protocol;
use super::super::shop::By;
use super::kill;
use super::schedule::Play;
use super::till::TillSource;
use super::wire::World;

impl Play<'_> {
    /// One run of the sync, which may die.
    pub(super) fn run(&mut self) {
        let mut before = None;
        if self.dice.permille(250) {
            // while the dead are cleared away one dies oftener
            let point = match self.dice.below(10) {
                0 => recovery::Y18,
                1 | 2 => recovery::Y19,
                _ => *self.dice.pick(&recovery::SYNC),
            };
            let passes = match self.dice.below(3) {
                0 => 0,
                1 => u32::try_from(self.dice.below(3)).unwrap_or(0),
                _ => u32::try_from(self.dice.below(10)).unwrap_or(0),
            };
            let passes = match point {
                recovery::Y18 | recovery::Y19 => 0,
                _ => passes,
            };
            kill::arm(point, passes);
            if point == recovery::Y18 {
                // there is a dead letter only where something is refused
                let faults = &mut self.shared.lock().faults;
                before = Some((faults.share, faults.allowed.clone()));
                faults.share = 700;
                faults.allowed = vec![Fault::RefuseOne, Fault::RefuseHalf];
            }
        }
        let full = self.dice.permille(100);
        let approved = match self.dice.permille(500) {
            true => self.held.take(),
            false => None,
        };
        self.sync(full, approved);
        if let Some((share, allowed)) = before {
            let faults = &mut self.shared.lock().faults;
            faults.share = share;
            faults.allowed = allowed;
        }
        if self.dice.permille(300) {
            self.connector = None;
        }
        let pause = self.dice.below(30_000);
        self.clock.pass(pause);
        self.shared.lock().advance();
    }

    /// The program dies: what it held in memory is gone.
    pub(super) fn die(&mut self, point: &'static str) {
        self.note(&format!("death at {point}"));
        self.connector = None;
        self.state.crash();
    }

    /// Runs it; whether it came to its end.
    pub(super) fn sync(&mut self, full: bool, approved: Option<HeldPlan>) -> bool {
        self.runs += 1;
        self.turn += 1;
        let before = self.lines();
        {
            let mut world = self.shared.lock();
            world.advance();
            world.note(&format!(
                "run {} begins{}",
                self.runs,
                if full { ", in full" } else { "" }
            ));
            world.writes = 0;
            world.blocked = false;
        }
        let settings = &self.settings;
        if self.connector.is_none() {
            let account = Account::with_clock(
                self.speaks
                    .channel
                    .manifest
                    .request
                    .as_ref()
                    .and_then(|request| request.pace),
                Arc::clone(&self.clock) as Arc<dyn shelfcast::store::pace::Clock>,
            );
            let url = match self.speaks.protocol {
                Protocol::Vendure => "https://store.test/admin-api",
                _ => "https://store.test",
            };
            let shop = connector::Shop {
                name: "store",
                url: Some(url),
                language: "en",
                currency: "EUR",
                country: "DE",
                settings,
            };
            let made = Connector::with(
                &self.speaks.channel,
                &shop,
                &self.speaks.secrets,
                account,
                Some(Arc::new(self.shared.clone())),
                "run",
                None,
                None,
            );
            self.connector = Some(made.expect("a connector"));
            // what one process was asked, the next does not know
            self.shared.lock().faults.asked_until = 0;
        }
        let applied = self.shared.lock().shop.applied.len();
        let mut source = TillSource {
            world: self.shared.clone(),
            manner: self.manner,
            wrong: self.wrong,
            pooled: !self.speaks.protocol.places(),
            dice: self.dice.fork(),
        };
        let sample = self.dice.permille(700).then_some(self.turn);
        let stop = AtomicBool::new(false);
        let clock = Arc::clone(&self.clock);
        let connector = self.connector.as_mut().expect("made above");
        let done = catch_unwind(AssertUnwindSafe(|| {
            kill::reached(recovery::Y1);
            let mut work = Work {
                rule: &self.rule,
                state: &mut self.state,
                store: connector,
                clock: &*clock,
                approved: approved.is_some(),
                absent: hashbrown::HashSet::new(),
                deadline: clock.now() + Duration::from_secs(600),
                stop: &stop,
                figures: Figures::default(),
            };
            let mut inputs = Inputs {
                source: &mut source,
                orders: None,
                full,
                push: true,
                approved,
                sample,
            };
            let ended = run::run(&mut work, &mut inputs);
            (ended, work.figures)
        }));
        kill::disarm();
        let whole = match done {
            Err(death) => {
                self.die(kill::point(death));
                false
            }
            Ok((Err(error), _)) => {
                self.note(&format!("the run fails: {error}"));
                false
            }
            Ok((Ok(ended), figures)) => {
                let words = format!(
                    "the run ends: {} accepted, {} open, {} in flight, halted {:?}",
                    figures.accepted, ended.open, ended.in_flight, figures.halted
                );
                self.note(&words);
                if figures.halted.is_some() {
                    // as a daemon would: the account is opened anew for the next run
                    self.connector = None;
                }
                if let Some(held) = &ended.held {
                    self.holds += 1;
                    self.check_held(held, ended.rounds, applied);
                }
                self.held = ended.held;
                true
            }
        };
        self.check(before);
        whole
    }

    /// Lines of the ledger.
    pub(super) fn lines(&self) -> usize {
        let mut count = 0;
        self.state
            .ledger(&LineFilter::default(), &mut |_| {
                count += 1;
                ControlFlow::Continue(())
            })
            .expect("a state in memory");
        count
    }

    /// Nothing of a plan that was held in the first round left.
    pub(super) fn check_held(&self, held: &HeldPlan, rounds: u32, applied: usize) {
        if rounds != 1 {
            return;
        }
        let mut world = self.shared.lock();
        let world = &mut *world;
        for (pair, before, after) in &held.items {
            let Some((item, place)) = index(world, pair) else {
                continue;
            };
            let sent = world
                .shop
                .applied
                .get(applied..)
                .unwrap_or_default()
                .iter()
                .any(|change| {
                    change.by == By::Write
                        && (change.item, change.place, change.new) == (item, place, *after)
                        && *before == Some(change.old)
                });
            if sent {
                world.oracle.broken("S9", "a level of a held plan was sent");
            }
        }
    }

    /// What the program's own books say must agree with the store's.
    pub(super) fn check(&mut self, before: usize) {
        let mut world = self.shared.lock();
        let world = &mut *world;
        let seen = world.oracle.lines;
        let mut count = 0;
        let mut fresh = Vec::new();
        self.state
            .ledger(&LineFilter::default(), &mut |line| {
                count += 1;
                if count > seen && line.what == What::Accepted {
                    fresh.push(line);
                }
                ControlFlow::Continue(())
            })
            .expect("a state in memory");
        if count < before || count < seen {
            let how = format!("the ledger had {} lines and has {count}", before.max(seen));
            world.oracle.broken("C1", how);
        }
        world.oracle.lines = count;
        for line in fresh {
            if let Some((item, place)) = index(world, &line.pair) {
                world.oracle.accepted(
                    &world.shop,
                    item,
                    place,
                    line.quantity,
                    line.version,
                    line.batch,
                );
            }
        }
        let mut on_the_way: BTreeMap<Pair, u64> = BTreeMap::new();
        for batch in self.state.batches().expect("a state in memory") {
            for item in &batch.items {
                let level = self.state.level(&item.pair).expect("a state in memory");
                if level.is_some_and(|level| level.flight == Some(batch.id))
                    && let Some(other) = on_the_way.insert(item.pair.clone(), batch.id)
                {
                    let how = format!(
                        "{} is on its way with {other} and {}",
                        item.pair.sku, batch.id
                    );
                    world.oracle.broken("S5", how);
                }
            }
        }
        if world.faults.early > 0 {
            world.oracle.broken(
                "S17",
                "a call came before the time that the store had named",
            );
        }
    }
}

/// A pair, as the store numbers it.
fn index(world: &World, pair: &Pair) -> Option<(usize, usize)> {
    let item = world
        .shop
        .items
        .iter()
        .position(|item| item.sku == pair.sku)?;
    let places = world.shop.places.len();
    let place =
        (0..places).find(|place| world.protocol.place_name(&world.shop, *place) == pair.place)?;
    Some((item, place))
}
