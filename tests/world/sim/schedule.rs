//! One schedule: a world out of a seed, up to 200 steps, then healing.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rust_decimal::Decimal;
use shelfcast::config::gate::Limit;
use shelfcast::config::project::Basis;
use shelfcast::config::sync::{GuardLimits, Locations, OnlineOrders, Rows};
use shelfcast::model::stock::Offer;
use shelfcast::recovery;
use shelfcast::store::pace::Clock as _;
use shelfcast::sync::connector::Connector;
use shelfcast::sync::decide::Rule;
use shelfcast::sync::state::memory::{MemoryDisk, MemoryState};
use shelfcast::sync::state::{Event, HeldPlan, Intake as _, Order};

use super::super::dice::Dice;
use super::super::exchange::Millis;
use super::super::faults::{Fault, Faults};
use super::super::shop::Shop;
use super::clock::WorldClock;
use super::kill::{self, Kill};
use super::oracle::Oracle;
use super::running::Seen;
use super::speaks::Speaks;
use super::till::{COMMIT_MOST, Manner, Row, Till};
use super::watch::Watch;
use super::wire::{Shared, World};

pub(super) const SYNC: &str = "shop";
const SOURCE: &str = "till";
/// Most steps of a schedule.
const STEPS_MOST: u64 = 200;

/// Faults that only writes can have; they are drawn oftener, since reads are many.
const OF_WRITES: [Fault; 13] = [
    Fault::LateSoon,
    Fault::LateLong,
    Fault::Twice,
    Fault::RefuseOne,
    Fault::RefuseHalf,
    Fault::RefuseAllButOne,
    Fault::LieSkipped,
    Fault::LieClamped,
    Fault::KeyBusy,
    Fault::KeyFailed,
    Fault::KeyFailed,
    Fault::Conflict,
    Fault::Locked,
];

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
    /// How often L2, L4 and L5 could be checked.
    pub checked: [u64; 3],
}

/// Everything of one schedule.
pub(super) struct Play<'c> {
    pub(super) speaks: &'c Speaks,
    pub(super) shared: Shared,
    pub(super) clock: Arc<WorldClock>,
    pub(super) dice: Dice,
    pub(super) disk: MemoryDisk,
    pub(super) state: MemoryState,
    pub(super) connector: Option<Connector>,
    pub(super) rule: Rule,
    pub(super) manner: Manner,
    /// Readings that go wrong, of a thousand.
    pub(super) wrong: u64,
    /// Counts that were never used.
    pub(super) fresh: Vec<i64>,
    pub(super) locations: Vec<String>,
    pub(super) held: Option<HeldPlan>,
    pub(super) turn: u64,
    pub(super) runs: u64,
    pub(super) holds: u64,
    pub(super) events: u64,
    /// Events that were sent and may be sent again.
    pub(super) outside: Vec<Event>,
    pub(super) settings: indexmap::IndexMap<String, toml::Value>,
    /// Rows may be taken out of the tills.
    removes: bool,
    /// The tills' readings have an end mark.
    pub(super) proves: bool,
    /// Whether somebody would notice.
    pub(super) watch: Watch,
    /// The program died, and has not run since.
    pub(super) restarted: bool,
    /// Lines of the ledger that were looked at.
    pub(super) ledger: Vec<Seen>,
}

/// Plays one; so many of its last events are told.
pub fn play(connectors: &[Speaks], seed: u64, keep: usize) -> Report {
    kill::take();
    recovery::watch(Some(kill::reached));
    let mut play = Play::new(connectors, seed);
    play.shared.lock().keep = keep;
    play.steps();
    if !play.is_broken() {
        play.heal();
    }
    kill::disarm();
    recovery::watch(None);
    let world = play.shared.lock();
    let mut wrong = world.wrong.clone();
    wrong.insert("store-clamps", world.shop.capped);
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
        wrong,
        runs: play.runs,
        applied: world.shop.applied.len() as u64,
        held: play.holds,
        checked: [world.undisturbed, world.checked_silence, world.restarts],
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
        if dice.permille(150) {
            let pair = (dice.index(shop.items.len()), dice.index(places.len()));
            let cap = i64::try_from(dice.range(10, 20_000)).unwrap_or(10);
            shop.caps.insert(pair, cap);
        }
        let by_place: Vec<Vec<String>> = if protocol.places() {
            locations.iter().map(|one| vec![one.clone()]).collect()
        } else {
            vec![locations.clone()]
        };
        let safety = i64::try_from(dice.below(3)).unwrap_or(0);
        let epoch = 1_795_341_600;
        let clock = Arc::new(WorldClock::new(epoch));
        let mut oracle = Oracle::new(protocol, &shop, by_place, safety);
        let share = *dice.pick(&[0, 20, 60, 150, 400]);
        let mut faults = Faults::seeded(dice.next(), share);
        faults.epoch = epoch;
        if dice.permille(300) {
            // one kind of trouble, often
            let writes = dice.permille(400);
            let one = *dice.pick(if writes { &OF_WRITES } else { Fault::ALL });
            faults.allowed = vec![one];
            faults.share = 300;
        }
        let subtracts = dice.permille(300);
        let manner = *dice.pick(&[Manner::Whole, Manner::Numbered, Manner::Changes]);
        let removes = dice.permille(350);
        let zeroes = removes && dice.permille(700);
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
            reading: shelfcast::sync::level::reading(SYNC, SOURCE),
            read_whole: true,
            rows: Rows::All,
            live: true,
            basis: Basis::OnHand,
            online_orders: match subtracts {
                true => OnlineOrders::Subtract,
                false => OnlineOrders::Booked,
            },
            locations: Some(if protocol.places() {
                Locations::Mapped(mapped())
            } else {
                Locations::Pooled(locations.clone())
            }),
            safety_stock: safety,
            kept: BTreeMap::new(),
            offer: Offer {
                share: Decimal::ONE,
                minimum: 0,
                maximum: 1_000_000,
            },
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
            absent_is_zero: zeroes,
            recheck: Decimal::new(*dice.pick(&[0, 1, 50, 100]), 2),
        };
        let mut rule = rule;
        rule.read_whole = manner != Manner::Changes;
        oracle.zeroes = zeroes && manner != Manner::Changes;
        let orders = *dice.pick(&[0, 0, 30, 150]);
        let world = World {
            clock: Arc::clone(&clock),
            dice: dice.fork(),
            protocol,
            shop,
            faults,
            till: Till::default(),
            oracle,
            subtracts,
            checked_silence: 0,
            healed: false,
            undisturbed: 0,
            restarts: 0,
            first_call: None,
            orders,
            wrong: BTreeMap::new(),
            writes: 0,
            blocked: false,
            keep: 20,
            trail: std::collections::VecDeque::new(),
            digest: 0xcbf2_9ce4_8422_2325,
        };
        let disk = MemoryDisk::new();
        let state = disk.open();
        let dice_proves = dice.permille(850);
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
            removes,
            proves: dice_proves,
            watch: Watch::new(),
            restarted: false,
            ledger: Vec::new(),
        };
        play.settings
            .insert("shop".to_owned(), toml::Value::String("model".to_owned()));
        play.opening();
        let name = &speaks.channel.manifest.name;
        play.note(&format!(
            "a world with {name}, {manner:?}, subtracts {subtracts}, removes {removes}, zeroes {zeroes}"
        ));
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

    pub(super) fn is_broken(&self) -> bool {
        self.shared.lock().oracle.violation.is_some()
    }

    pub(super) fn note(&self, what: &str) {
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
                0..=25 => self.count(),
                26..=27 => self.take_out(),
                28..=29 => self.deal_with_order(),
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
            let rows = world.till.rows.keys().chain(world.till.gone.keys());
            let keys: Vec<(String, String)> = rows.cloned().collect();
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

    /// A row is taken out of the tills: one that the program knows as it is. Nobody orders what is not there any more.
    fn take_out(&mut self) {
        if !self.removes {
            return;
        }
        let mut world = self.shared.lock();
        let world = &mut *world;
        world.advance();
        let till = &mut world.till;
        let known = till.rows.iter().filter(|(key, row)| {
            till.known.get(key) == Some(&row.number)
                && !till.pending.iter().any(|pending| pending.key == **key)
        });
        let known: Vec<(String, String)> = known.map(|(key, _)| key.clone()).collect();
        if known.is_empty() {
            return;
        }
        let key = self.dice.pick(&known);
        let row = till.rows.remove(key).expect("it is there");
        till.gone.insert(key.clone(), row);
        world.happens("row-taken-out");
        world.note(&format!("{}/{} is taken out", key.0, key.1));
    }

    /// An open order is booked or cancelled.
    fn deal_with_order(&mut self) {
        let mut world = self.shared.lock();
        world.advance();
        match self.dice.below(3) {
            0 => world.cancel_one(&mut self.dice),
            _ => drop(world.book_one(&mut self.dice)),
        }
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
            if keys.is_empty() {
                return;
            }
            let key = self.dice.pick(&keys);
            let observation = world.till.observation(key, self.manner);
            self.events += 1;
            Event {
                source: self.rule.reading.clone(),
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
            18 => match self.dice.below(4) {
                // lines of the ledger grow older than they are kept
                0 => 401 * 24 * 3_600_000,
                _ => 8 * 24 * 3_600_000,
            },
            _ => 6 * 3_600_000 + 1,
        };
        self.clock.pass(length);
        {
            let mut world = self.shared.lock();
            world.note(&format!("{} s pass", length / 1000));
            world.advance();
        }
        self.look_around();
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
}
