//! One schedule: a world out of a seed, up to 200 steps, then healing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rust_decimal::Decimal;
use shelfcast::channel::Channel;
use shelfcast::config::gate::Limit;
use shelfcast::config::project::Basis;
use shelfcast::config::secret::Secret;
use shelfcast::config::sync::{GuardLimits, Locations, OnlineOrders};
use shelfcast::recovery;
use shelfcast::store::Account;
use shelfcast::store::pace::Clock as _;
use shelfcast::sync::connector::{self, Connector};
use shelfcast::sync::decide::Rule;
use shelfcast::sync::level::{Pair, What};
use shelfcast::sync::run::{self, Inputs};
use shelfcast::sync::state::memory::{MemoryDisk, MemoryState};
use shelfcast::sync::state::{Event, HeldPlan, Intake as _, LineFilter, Look as _, Order, Which};
use shelfcast::sync::work::{Figures, Work};

use super::super::dice::Dice;
use super::super::exchange::Millis;
use super::super::faults::{Fault, Faults};
use super::super::protocol::Protocol;
use super::super::shop::Shop;
use super::super::{magento, medusa, plain, shopify, vendure, woocommerce};
use super::clock::WorldClock;
use super::kill::{self, Kill};
use super::oracle::Oracle;
use super::till::{COMMIT_MOST, Manner, Row, Till, TillSource};
use super::wire::{Shared, World};

const SYNC: &str = "shop";
const SOURCE: &str = "till";
/// Most steps of a schedule.
const STEPS_MOST: u64 = 200;

/// A connector, with the secrets it is opened with.
pub struct Speaks {
    /// The protocol it speaks.
    pub protocol: Protocol,
    channel: Channel,
    secrets: BTreeMap<String, Secret>,
}

/// The connectors that schedules are drawn from.
pub fn connectors() -> Vec<Speaks> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let with = |name: &str, protocol: Protocol, secrets: &[(&str, &str)]| {
        let channel = shelfcast::channel::load(None, name).expect("a connector");
        let secrets = secrets
            .iter()
            .map(|(name, value)| {
                let path = folder.path().join(name);
                std::fs::write(&path, value).expect("writes");
                let secret = Secret::resolve(&format!("file:{name}"), folder.path());
                ((*name).to_owned(), secret.expect("a secret"))
            })
            .collect();
        Speaks {
            protocol,
            channel,
            secrets,
        }
    };
    vec![
        with(
            "shopify-stock",
            Protocol::Shopify,
            &[("token", shopify::TOKEN)],
        ),
        with(
            "shopify-stock-2025",
            Protocol::Shopify,
            &[("token", shopify::TOKEN)],
        ),
        with(
            "woocommerce-stock",
            Protocol::WooCommerce,
            &[
                ("consumer_key", woocommerce::USER),
                ("consumer_secret", woocommerce::PASSWORD),
            ],
        ),
        with(
            "vendure-stock",
            Protocol::Vendure,
            &[("user", vendure::USER), ("password", vendure::PASSWORD)],
        ),
        with(
            "medusa-stock",
            Protocol::Medusa,
            &[("api_key", medusa::KEY)],
        ),
        with(
            "magento-stock",
            Protocol::Magento,
            &[("token", magento::TOKEN)],
        ),
        with(
            "http-json-stock",
            Protocol::Plain,
            &[("token", plain::TOKEN)],
        ),
    ]
}

/// How a schedule ended.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Of all that happened.
    pub digest: u64,
    /// The promise that was broken, how, and the last events.
    pub violation: Option<(&'static str, String, Vec<String>)>,
    /// How often each fault was drawn, as in [`Fault::ALL`].
    pub faults: Vec<u64>,
    /// Kill points reached and died at.
    pub kill: Kill,
    /// Readings of the source that went wrong.
    pub wrong: BTreeMap<&'static str, u64>,
    /// Runs of the sync.
    pub runs: u64,
    /// Writes that the store applied.
    pub applied: u64,
    /// Runs that a guard held.
    pub held: u64,
}

/// Everything of one schedule.
struct Play<'c> {
    speaks: &'c Speaks,
    shared: Shared,
    clock: Arc<WorldClock>,
    dice: Dice,
    disk: MemoryDisk,
    state: MemoryState,
    connector: Option<Connector>,
    rule: Rule,
    manner: Manner,
    /// Readings that go wrong, of a thousand.
    wrong: u64,
    /// Counts that were never used.
    fresh: Vec<i64>,
    locations: Vec<String>,
    held: Option<HeldPlan>,
    turn: u64,
    runs: u64,
    holds: u64,
    events: u64,
    /// Events that were sent and may be sent again.
    outside: Vec<Event>,
    settings: indexmap::IndexMap<String, toml::Value>,
}

/// Plays one.
pub fn play(connectors: &[Speaks], seed: u64) -> Report {
    kill::take();
    recovery::watch(Some(kill::reached));
    let mut play = Play::new(connectors, seed);
    play.steps();
    if !play.is_broken() {
        play.heal();
    }
    kill::disarm();
    recovery::watch(None);
    let world = play.shared.lock();
    let violation = world.oracle.violation.clone().map(|(promise, how)| {
        let trail = world.trail.iter().cloned().collect();
        (promise, how, trail)
    });
    Report {
        seed,
        digest: world.digest,
        violation,
        faults: world.faults.drawn.clone(),
        kill: kill::take(),
        wrong: world.wrong.clone(),
        runs: play.runs,
        applied: world.shop.applied.len() as u64,
        held: play.holds,
    }
}

impl<'c> Play<'c> {
    fn new(connectors: &'c [Speaks], seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let speaks = dice.pick(connectors);
        let protocol = speaks.protocol;
        let count = dice.range(2, 9);
        let skus: Vec<String> = (0..count)
            .map(|number| format!("SKU-{}{number}", ["A", "b", "Ü"][dice.index(3)]))
            .collect();
        let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
        let places: Vec<&str> = if protocol.places() {
            vec!["HAN", "SGN"]
        } else {
            vec![""]
        };
        let mut shop = Shop::new(&places, &skus, 0);
        let locations: Vec<String> = vec!["L1".to_owned(), "L2".to_owned()];
        let mut fresh: Vec<i64> = (1..3000).map(|number| number * 16).collect();
        dice.shuffle(&mut fresh);
        for item in 0..shop.items.len() {
            for place in 0..places.len() {
                let quantity = fresh.pop().expect("enough");
                shop.foreign(item, place, quantity, 0);
            }
        }
        let by_place: Vec<Vec<String>> = if protocol.places() {
            locations.iter().map(|one| vec![one.clone()]).collect()
        } else {
            vec![locations.clone()]
        };
        let safety = i64::try_from(dice.below(3)).unwrap_or(0);
        let epoch = 1_795_341_600;
        let clock = Arc::new(WorldClock::new(epoch));
        let oracle = Oracle::new(protocol, &shop, by_place, safety);
        let share = *dice.pick(&[0, 20, 60, 150, 400]);
        let mut faults = Faults::seeded(dice.next(), share);
        faults.epoch = epoch;
        if dice.permille(300) {
            // one kind of trouble, often
            let one = *dice.pick(Fault::ALL);
            faults.allowed = vec![one];
            faults.share = 300;
        }
        let guarded = dice.permille(200);
        let off = Limit(None);
        let mapped = || {
            (0..2)
                .map(|place| (locations[place].clone(), protocol.place_name(&shop, place)))
                .collect()
        };
        let rule = Rule {
            name: SYNC.to_owned(),
            source: SOURCE.to_owned(),
            read_whole: true,
            live: true,
            basis: Basis::OnHand,
            online_orders: OnlineOrders::Booked,
            locations: Some(if protocol.places() {
                Locations::Mapped(mapped())
            } else {
                Locations::Pooled(locations.clone())
            }),
            safety_stock: safety,
            kept: BTreeMap::new(),
            share: Decimal::ONE,
            minimum: 0,
            maximum: 1_000_000,
            guard: match guarded {
                true => GuardLimits::default(),
                false => GuardLimits {
                    to_zero: off,
                    changed: off,
                    units: off,
                    vanished: off,
                    at_least: 5,
                },
            },
            absent_is_zero: false,
            recheck: Decimal::new(*dice.pick(&[0, 1, 50, 100]), 2),
        };
        let manner = *dice.pick(&[Manner::Whole, Manner::Numbered, Manner::Changes]);
        let mut rule = rule;
        rule.read_whole = manner != Manner::Changes;
        let orders = *dice.pick(&[0, 0, 30, 150]);
        let world = World {
            clock: Arc::clone(&clock),
            dice: dice.fork(),
            protocol,
            shop,
            faults,
            till: Till::default(),
            oracle,
            orders,
            wrong: BTreeMap::new(),
            writes: 0,
            blocked: false,
            trail: std::collections::VecDeque::new(),
            digest: 0xcbf2_9ce4_8422_2325,
        };
        let disk = MemoryDisk::new();
        let state = disk.open();
        let mut play = Play {
            speaks,
            shared: Shared::new(world),
            clock,
            wrong: *dice.pick(&[0, 50, 200]),
            dice,
            disk,
            state,
            connector: None,
            rule,
            manner,
            fresh,
            locations,
            held: None,
            turn: 0,
            runs: 0,
            holds: 0,
            events: 0,
            outside: Vec::new(),
            settings: indexmap::IndexMap::new(),
        };
        play.settings
            .insert("shop".to_owned(), toml::Value::String("model".to_owned()));
        play.opening();
        play
    }

    /// The tills count everything once; some SKUs the store does not know.
    fn opening(&mut self) {
        let mut world = self.shared.lock();
        let mut skus: Vec<String> = world
            .shop
            .items
            .iter()
            .map(|item| item.sku.clone())
            .collect();
        skus.push("NOT-ONLINE".to_owned());
        let now = self.clock.millis();
        for sku in &skus {
            for location in &self.locations {
                let quantity = self.fresh.pop().expect("enough");
                world.till.changes += 1;
                let number = world.till.changes;
                let key = (location.clone(), sku.clone());
                let micros = i64::try_from(now / 1000).unwrap_or(0) * 1_000_000;
                world.till.rows.insert(
                    key,
                    Row {
                        quantity,
                        number,
                        micros,
                    },
                );
            }
        }
        let world = &mut *world;
        for sku in &skus {
            world.oracle.source_changed(now, &world.till, sku);
        }
    }

    fn is_broken(&self) -> bool {
        self.shared.lock().oracle.violation.is_some()
    }

    fn note(&self, what: &str) {
        self.shared.lock().note(what);
    }

    fn steps(&mut self) {
        // most are short, some are long
        let most = match self.dice.below(100) {
            0..=79 => 25,
            80..=97 => 70,
            _ => STEPS_MOST,
        };
        for _ in 0..self.dice.range(4, most) {
            match self.dice.below(100) {
                0..=29 => self.count(),
                30..=37 => self.buy(),
                38..=39 => self.foreign(),
                40..=49 => self.event(),
                50..=57 => self.pass(),
                58 => self.jump(),
                59 => self.decide_otherwise(),
                60 => self.person(),
                _ => self.run(),
            }
            if self.is_broken() {
                return;
            }
        }
    }

    /// Somebody counts, sells or receives at a till.
    fn count(&mut self) {
        let rows = self.dice.range(1, 4);
        for _ in 0..rows {
            let zero = self.dice.permille(120);
            let quantity = match zero {
                true => 0,
                false => self.fresh.pop().unwrap_or(16),
            };
            let after = match self.dice.below(4) {
                0 => self.dice.below(COMMIT_MOST),
                _ => 0,
            };
            let mut world = self.shared.lock();
            let keys: Vec<(String, String)> = world.till.rows.keys().cloned().collect();
            let key = self.dice.pick(&keys).clone();
            if world.till.pending.iter().any(|pending| pending.key == key) {
                continue;
            }
            world.note(&format!(
                "{}/{} is counted: {quantity}, in {after} ms",
                key.0, key.1
            ));
            world.count(key, quantity, after);
        }
        let pause = self.dice.below(3000);
        self.clock.pass(pause);
    }

    fn pair(&mut self) -> (usize, usize) {
        let world = self.shared.lock();
        (
            self.dice.index(world.shop.items.len()),
            self.dice.index(world.shop.places.len()),
        )
    }

    fn buy(&mut self) {
        let (item, place) = self.pair();
        let mut world = self.shared.lock();
        world.advance();
        world.order(
            item,
            place,
            i64::try_from(self.dice.range(1, 3)).unwrap_or(1),
        );
    }

    /// Somebody sets a level in the store's back office.
    fn foreign(&mut self) {
        let (item, place) = self.pair();
        let quantity = self.fresh.pop().unwrap_or(16) + 7;
        let now = self.clock.millis();
        let mut world = self.shared.lock();
        let world = &mut *world;
        world.advance();
        world.shop.foreign(item, place, quantity, now);
        world.note(&format!("somebody sets {item}@{place} to {quantity}"));
        world.oracle.applied(&world.shop);
    }

    /// Something is pushed to us: once, again, late, or only a hint.
    fn event(&mut self) {
        let again = !self.outside.is_empty() && self.dice.permille(400);
        let event = if again {
            self.dice.pick(&self.outside).clone()
        } else {
            let world = self.shared.lock();
            let keys: Vec<(String, String)> = world.till.rows.keys().cloned().collect();
            let key = self.dice.pick(&keys);
            let observation = world.till.observation(key, self.manner);
            self.events += 1;
            Event {
                source: SOURCE.to_owned(),
                id: format!("event-{}", self.events),
                at: self.clock.wall(),
                observations: observation.into_iter().collect(),
            }
        };
        if !again {
            self.outside.push(event.clone());
            if self.dice.permille(200) {
                // it is under way for a while
                return;
            }
        }
        self.note(&format!("{} arrives", event.id));
        if self.dice.permille(100) {
            let point = *self.dice.pick(&[recovery::Y16, recovery::Y17]);
            kill::arm(point, 0);
        }
        let mut intake = self.disk.intake();
        let done = catch_unwind(AssertUnwindSafe(|| {
            kill::reached(recovery::Y16);
            intake
                .events(std::slice::from_ref(&event))
                .expect("a state in memory");
            kill::reached(recovery::Y17);
        }));
        kill::disarm();
        if let Err(death) = done {
            self.die(kill::point(death));
        }
    }

    fn pass(&mut self) {
        let length: Millis = match self.dice.below(20) {
            0..=9 => self.dice.below(60_000),
            10..=15 => self.dice.below(1_200_000),
            16 => 23 * 3_600_000,
            17 => 25 * 3_600_000,
            18 => 8 * 24 * 3_600_000,
            _ => 6 * 3_600_000 + 1,
        };
        self.clock.pass(length);
        let mut world = self.shared.lock();
        world.note(&format!("{} s pass", length / 1000));
        world.advance();
    }

    /// The machine's clock is set.
    fn jump(&mut self) {
        let skew = *self.dice.pick(&[-3600, 3600, 31_536_000, -86_400, 0, 0]);
        self.clock.jump(skew);
        self.note(&format!("the clock is {skew} s off"));
    }

    fn decide_otherwise(&mut self) {
        let safety = i64::try_from(self.dice.below(4)).unwrap_or(0);
        self.rule.safety_stock = safety;
        let now = self.clock.millis();
        let mut world = self.shared.lock();
        let world = &mut *world;
        world.note(&format!("{safety} are kept back from now on"));
        world.advance();
        world.oracle.rule_changed(now, &world.till, safety);
    }

    /// A person pauses, resumes, or has dead letters tried again.
    fn person(&mut self) {
        let order = match self.dice.below(3) {
            0 => Order::Pause {
                sync: SYNC.to_owned(),
                reason: "stocktaking".to_owned(),
            },
            _ => Order::Resume {
                sync: SYNC.to_owned(),
            },
        };
        self.note(&format!("a person asks: {order:?}"));
        let now = self.clock.wall();
        let mut intake = self.disk.intake();
        intake
            .order(now, "test", &order)
            .expect("a state in memory");
    }

    /// One run of the sync, which may die.
    fn run(&mut self) {
        if self.dice.permille(250) {
            let point = *self.dice.pick(&recovery::SYNC);
            let passes = match self.dice.below(3) {
                0 => 0,
                1 => u32::try_from(self.dice.below(3)).unwrap_or(0),
                _ => u32::try_from(self.dice.below(10)).unwrap_or(0),
            };
            kill::arm(point, passes);
        }
        let full = self.dice.permille(100);
        let approved = match self.dice.permille(500) {
            true => self.held.take(),
            false => None,
        };
        self.sync(full, approved);
        if self.dice.permille(300) {
            self.connector = None;
        }
        let pause = self.dice.below(30_000);
        self.clock.pass(pause);
        self.shared.lock().advance();
    }

    /// The program dies: what it held in memory is gone.
    fn die(&mut self, point: &'static str) {
        self.note(&format!("death at {point}"));
        self.connector = None;
        self.state.crash();
    }

    /// Runs it; whether it came to its end.
    fn sync(&mut self, full: bool, approved: Option<HeldPlan>) -> bool {
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
                turn: self.turn,
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
    fn lines(&self) -> usize {
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
    fn check_held(&self, held: &HeldPlan, rounds: u32, applied: usize) {
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
                    change.by == super::super::shop::By::Write
                        && (change.item, change.place, change.new) == (item, place, *after)
                        && *before == Some(change.old)
                });
            if sent {
                world.oracle.broken("S9", "a level of a held plan was sent");
            }
        }
    }

    /// What the program's own books say must agree with the store's.
    fn check(&mut self, before: usize) {
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

    /// Nothing goes wrong any more: all must be in step within the bound, and then be silent.
    fn heal(&mut self) {
        self.wrong = 0;
        self.connector = None;
        {
            let mut world = self.shared.lock();
            world.note("everything heals");
            world.faults.heal();
            world.orders = 0;
        }
        self.clock.jump(0);
        let now = self.clock.wall();
        let mut intake = self.disk.intake();
        let resume = Order::Resume {
            sync: SYNC.to_owned(),
        };
        intake
            .order(now, "test", &resume)
            .expect("a state in memory");
        let waits: [Millis; 12] = [
            60_000, 180_000, 1_000_000, 1_000_000, 60_000, 22_000_000, 60_000, 1_000_000, 200_000,
            4_000_000, 22_000_000, 60_000,
        ];
        for (turn, wait) in waits.iter().enumerate() {
            self.clock.pass(*wait);
            self.shared.lock().advance();
            self.retry_dead();
            let held = self.held.take();
            self.sync(turn >= 2, held);
            if self.is_broken() {
                return;
            }
            let world = self.shared.lock();
            let late = world.faults.next_late().is_some();
            if !late
                && turn > 3
                && world
                    .oracle
                    .out_of_step(&world.shop, &world.till)
                    .is_empty()
            {
                break;
            }
        }
        {
            let mut world = self.shared.lock();
            let out = world.oracle.out_of_step(&world.shop, &world.till);
            if !out.is_empty() {
                world.oracle.broken("L1", out.join("; "));
                return;
            }
        }
        // and now it is quiet
        self.clock.pass(2_000_000);
        self.sync(true, None);
        let mut world = self.shared.lock();
        if world.writes > 0 {
            world
                .oracle
                .broken("S11", "it still writes when all is in step");
        }
    }

    /// A person has each dead letter tried again.
    fn retry_dead(&mut self) {
        let mut dead = Vec::new();
        self.state
            .levels(Which::Dead, &mut |level| {
                dead.push(level.pair);
                ControlFlow::Continue(())
            })
            .expect("a state in memory");
        let now = self.clock.wall();
        let mut intake = self.disk.intake();
        for pair in dead {
            intake
                .order(now, "test", &Order::Retry { pair })
                .expect("a state in memory");
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
