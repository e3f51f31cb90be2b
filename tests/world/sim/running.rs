//! One run of the program in the world, its death, and what its own books must agree with.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shelfcast::config::sync::OnlineOrders;
use shelfcast::recovery;
use shelfcast::store::Account;
use shelfcast::store::pace::Clock as _;
use shelfcast::sync::connector::{self, Connector};
use shelfcast::sync::level::{Line, Pair, What};
use shelfcast::sync::run::{self, Ended, Inputs, RunError};
use shelfcast::sync::session;
use shelfcast::sync::state::{HeldPlan, LineFilter, Look as _, RunEnd, Which};
use shelfcast::sync::work::{Figures, Work};

use super::super::exchange::Millis;
use super::super::faults::Fault;
use super::super::protocol::Protocol;
use super::super::shop::By;
use super::kill;
use super::sales;
use super::schedule::{Play, SYNC};
use super::till::TillSource;
use super::wire::World;

/// From the start to the first call after a death.
const RESTART_MOST: Millis = 2_000;

impl Play<'_> {
    /// One run of the sync, which may die.
    pub(super) fn run(&mut self) {
        let mut before = None;
        if self.dice.permille(250) {
            // while the dead are cleared away one dies oftener
            let point = match self.dice.below(10) {
                0 => recovery::Y18,
                1 | 2 => recovery::Y19,
                // once a day
                3 if self.dice.permille(300) => *self.dice.pick(&[recovery::Y14, recovery::Y15]),
                _ => *self.dice.pick(&recovery::SYNC),
            };
            let passes = match self.dice.below(3) {
                0 => 0,
                1 => u32::try_from(self.dice.below(3)).unwrap_or(0),
                _ => u32::try_from(self.dice.below(10)).unwrap_or(0),
            };
            let passes = match point {
                recovery::Y14 | recovery::Y15 | recovery::Y18 | recovery::Y19 => 0,
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
        let in_the_end = [recovery::Y14, recovery::Y15].contains(&point);
        self.watch.died(self.clock.millis(), in_the_end);
        if [recovery::Y2, recovery::Y3, recovery::Y4, recovery::Y13].contains(&point) {
            self.shared.lock().oracle.read_in_vain();
        }
        self.restarted = true;
        self.connector = None;
        self.state.crash();
    }

    /// Runs it; whether it came to its end.
    pub(super) fn sync(&mut self, full: bool, approved: Option<HeldPlan>) -> bool {
        self.runs += 1;
        self.turn += 1;
        let quiet = {
            let mut world = self.shared.lock();
            world.advance();
            world.first_call = None;
            world.till.given.clear();
            world.note(&format!(
                "run {} begins{}",
                self.runs,
                if full { ", in full" } else { "" }
            ));
            world.writes = 0;
            world.blocked = false;
            world.trouble()
        };
        let begun = self.clock.millis();
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
            proves: self.proves,
            pooled: !self.speaks.protocol.places(),
            dice: self.dice.fork(),
        };
        let (sold, mut chance) = (self.shared.clone(), self.dice.fork());
        let wrong = self.wrong;
        let mut orders = move || sales::read(&sold, wrong, &mut chance);
        let subtracts = self.rule.online_orders == OnlineOrders::Subtract;
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
                orders: match subtracts {
                    true => Some(&mut orders),
                    false => None,
                },
                full,
                push: true,
                approved,
                sample,
            };
            let ended = run::run(&mut work, &mut inputs);
            let figures = std::mem::take(&mut work.figures);
            let end = RunEnd {
                sync: SYNC.to_owned(),
                at: clock.wall(),
                exit: exit(&ended, &figures),
                ..RunEnd::default()
            };
            session::remember(&mut self.state, &end).expect("a state in memory");
            (ended, figures, end)
        }));
        kill::disarm();
        let whole = match done {
            Err(death) => {
                self.die(kill::point(death));
                false
            }
            Ok((Err(error), _, end)) => {
                self.note(&format!("the run fails: {error}"));
                self.watch.ended(end.at, end.exit);
                self.shared.lock().oracle.read_in_vain();
                false
            }
            Ok((Ok(ended), figures, end)) => {
                self.watch.ended(end.at, end.exit);
                let observed = ended.observed.as_ref();
                if observed.is_some_and(|observed| observed.changed > 0 || observed.events > 0) {
                    self.watch.heard(self.clock.millis());
                }
                let words = format!(
                    "the run ends: {} accepted, {} open, {} in flight, halted {:?}",
                    figures.accepted, ended.open, ended.in_flight, figures.halted
                );
                self.note(&words);
                {
                    let mut world = self.shared.lock();
                    let world = &mut *world;
                    world.oracle.took_in(&world.till, self.clock.millis());
                    let given = std::mem::take(&mut world.till.given);
                    world.till.known.extend(given);
                }
                let undisturbed = quiet == self.shared.lock().trouble()
                    && figures.halted.is_none()
                    && ended.held.is_none();
                if undisturbed {
                    self.check_nobody_waits_for_another();
                }
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
        self.check_first_call(begun);
        self.check();
        whole
    }

    /// L2: in a run that nothing disturbed, a level waits only for a reason of its own; whatever is wrong with others does
    /// not hold it up.
    fn check_nobody_waits_for_another(&self) {
        let now = self.clock.wall();
        let mut waiting = None;
        self.state
            .levels(Which::Open, &mut |level| {
                // it is left alone for a while, or the store had another level than was thought
                let rests = level.attempts > 0 || level.not_before.is_some_and(|then| then > now);
                let mut world = self.shared.lock();
                let world = &mut *world;
                if let Some((item, place)) = index(world, &level.pair)
                    && !rests
                    && !world.oracle.is_unsaid(&world.till, item, place)
                {
                    waiting = Some(level);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })
            .expect("a state in memory");
        let mut world = self.shared.lock();
        world.undisturbed += 1;
        if let Some(level) = waiting {
            let how = format!("nothing went wrong, and {level:?} still waits");
            world.oracle.broken("L2", how);
        }
    }

    /// L5: after a death the next run's first call comes at once: nothing is waited for or read through first.
    fn check_first_call(&mut self, begun: Millis) {
        if !std::mem::take(&mut self.restarted) {
            return;
        }
        let mut world = self.shared.lock();
        let Some(first) = world.first_call else {
            return;
        };
        world.restarts += 1;
        if first > begun + RESTART_MOST {
            let how = format!("the first call came {} ms after the start", first - begun);
            world.oracle.broken("L5", how);
        }
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
    pub(super) fn check(&mut self) {
        let mut world = self.shared.lock();
        let world = &mut *world;
        let mut seen = std::mem::take(&mut self.ledger).into_iter();
        let mut fresh = Vec::new();
        let now = self.clock.wall();
        self.state
            .ledger(&LineFilter::default(), &mut |line| {
                let known = Seen::of(&line);
                // lines may be cut when they are old and not the last of their pair
                let lost = loop {
                    match seen.next() {
                        None => {
                            if line.what == What::Accepted {
                                fresh.push(line);
                            }
                            break None;
                        }
                        Some(next) if next == known => break None,
                        Some(next) if next.is_old(now) => {}
                        Some(next) => break Some(next),
                    }
                };
                if let Some(lost) = lost {
                    let how = format!("the ledger lost the line {lost:?}");
                    world.oracle.broken("C1", how);
                }
                self.ledger.push(known);
                ControlFlow::Continue(())
            })
            .expect("a state in memory");
        if seen.next().is_some() {
            world.oracle.broken("C1", "the ledger lost its last lines");
        }
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

/// A line of the ledger that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    at: Timestamp,
    version: u64,
    quantity: i64,
    batch: u64,
    what: What,
    pair: u64,
}

impl Seen {
    fn of(line: &Line) -> Self {
        let mut pair = 0xcbf2_9ce4_8422_2325_u64;
        for byte in line
            .pair
            .place
            .bytes()
            .chain([0])
            .chain(line.pair.sku.bytes())
        {
            pair = (pair ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        Seen {
            at: line.at,
            version: line.version,
            quantity: line.quantity,
            batch: line.batch,
            what: line.what,
            pair,
        }
    }

    /// Older than lines are kept, with room for a clock that was off when it was written.
    fn is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > SignedDuration::from_hours(24 * 30)
    }
}

/// The exit code that the run's end is kept with: 0 where nothing is left.
fn exit(ended: &Result<Ended, RunError>, figures: &Figures) -> u8 {
    match ended {
        Err(_) => 7,
        Ok(ended) if ended.held.is_some() => 6,
        Ok(ended) => {
            let left = ended.open + ended.in_flight + figures.refused + figures.dead;
            if left > 0 || figures.unread > 0 || figures.halted.is_some() {
                3
            } else {
                0
            }
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
