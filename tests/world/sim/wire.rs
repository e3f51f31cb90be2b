//! The world that the program's calls go through: the store with its faults, the tills, what happens by itself meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shelfcast::recovery;
use shelfcast::store::{Exchange, Reply, Transport, Try, transport::Trying};

use super::super::dice::Dice;
use super::super::exchange::{Millis, Request};
use super::super::faults::{End, Fault, Faults};
use super::super::protocol::{Kind, Protocol};
use super::super::shop::{By, Shop};
use super::clock::WorldClock;
use super::kill;
use super::oracle::{Heard, Oracle};
use super::till::{Pending, Row, Till};

/// Everything there is, but the program.
pub struct World {
    /// Time.
    pub clock: Arc<WorldClock>,
    /// Chance of what happens by itself.
    pub dice: Dice,
    /// What the store speaks.
    pub protocol: Protocol,
    /// The store.
    pub shop: Shop,
    /// What goes wrong on the way.
    pub faults: Faults,
    /// The stores' database.
    pub till: Till,
    /// What watches.
    pub oracle: Oracle,
    /// Orders stay open until a till books them: the program takes them off.
    pub subtracts: bool,
    /// Customers may buy while a run is under way, of a thousand calls.
    pub orders: u64,
    /// Readings of the source that went wrong, by how.
    pub wrong: BTreeMap<&'static str, u64>,
    /// Writes asked for since the run began.
    pub writes: u64,
    /// Nothing goes wrong or happens by itself any more.
    pub healed: bool,
    /// Runs that nothing disturbed.
    pub undisturbed: u64,
    /// First calls after a death.
    pub restarts: u64,
    /// Looks at whether silence is told.
    pub checked_silence: u64,
    /// When the run's first call came.
    pub first_call: Option<Millis>,
    /// The store blocked the account in this run.
    pub blocked: bool,
    /// So many of the last things that happened are kept.
    pub keep: usize,
    /// The last things that happened.
    pub trail: VecDeque<String>,
    /// Of all that happened.
    pub digest: u64,
}

/// The world, in the hands of several.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl Shared {
    /// Puts it into several hands.
    pub fn new(world: World) -> Self {
        Shared(Arc::new(Mutex::new(world)))
    }

    /// In one's own hands for a while.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// Tells what happens: it becomes part of the digest and of the last events.
    pub fn note(&mut self, what: &str) {
        for byte in what.bytes().chain([b'\n']) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.trail.len() == self.keep {
            self.trail.pop_front();
        }
        let seconds = self.clock.millis() / 1000;
        self.trail.push_back(format!("{seconds} s: {what}"));
    }

    /// Does what is due by now.
    pub fn advance(&mut self) {
        let now = self.clock.millis();
        for (at, key) in self.till.settle(now) {
            self.till.gone.remove(&key);
            self.oracle.is_back(&key);
            self.oracle.source_changed(at, &self.till, &key.1);
        }
        self.show_sales(now);
        self.faults.settle(&mut self.shop, self.protocol, now);
        self.oracle.applied(&self.shop);
    }

    /// A number that grows with everything that goes wrong or happens at the store by other hands.
    pub fn trouble(&self) -> u64 {
        let drawn: u64 = self.faults.drawn.iter().sum();
        let others = self.shop.applied.iter();
        let others = others
            .filter(|change| !matches!(change.by, By::Write))
            .count();
        let readings: u64 = self.wrong.values().sum();
        let refusing = match self.faults.is_refusing() {
            true => 1_000_000_000 + self.clock.millis(),
            false => 0,
        };
        drawn + others as u64 + readings + refusing
    }

    /// A new count of a row, visible after so long.
    pub fn count(&mut self, key: (String, String), quantity: i64, after: Millis) {
        let now = self.clock.millis();
        self.till.changes += 1;
        let row = Row {
            quantity,
            number: self.till.changes,
            // equal times are usual: the clock of the till counts seconds
            micros: i64::try_from(now / 1000).unwrap_or(0) * 1_000_000,
        };
        let at = now + after;
        self.till.pending.push(Pending { at, key, row });
        self.advance();
    }

    /// A customer buys online; the till books it at once, or the order stays open.
    pub fn order(&mut self, item: usize, place: usize, units: i64) {
        let now = self.clock.millis();
        let sold = self.shop.order(item, place, units, now);
        self.book(item, place, sold, now);
    }

    /// What was sold online is booked, or stays open.
    fn book(&mut self, item: usize, place: usize, sold: i64, now: Millis) {
        if sold == 0 {
            return;
        }
        if self.subtracts {
            self.sold_open(item, place, sold, now);
            return;
        }
        let sku = self.shop.items[item].sku.clone();
        self.note(&format!("{sold} of {sku} are sold online at place {place}"));
        self.release(&sku, place, now);
        self.take_off(&sku, place, sold, now);
        self.oracle.ordered(item, place, now);
        self.oracle.applied(&self.shop);
    }

    /// Whoever counts a row holds it: a sale is booked when they are done, which is now.
    pub(super) fn release(&mut self, sku: &str, place: usize, now: Millis) {
        let locations = self.oracle.locations(place);
        for pending in &mut self.till.pending {
            if pending.key.1 == sku && locations.contains(&pending.key.0) {
                pending.at = now;
            }
        }
        self.advance();
    }

    /// The rows of a SKU at a place have so many fewer.
    pub(super) fn take_off(&mut self, sku: &str, place: usize, units: i64, now: Millis) {
        let mut left = units;
        for location in self.oracle.locations(place) {
            let key = (location, sku.to_owned());
            let Some(row) = self.till.rows.get_mut(&key) else {
                continue;
            };
            let taken = left.min(row.quantity.max(0));
            if taken > 0 {
                self.till.changes += 1;
                row.quantity -= taken;
                row.number = self.till.changes;
                row.micros = i64::try_from(now / 1000).unwrap_or(0) * 1_000_000;
                left -= taken;
            }
        }
        self.oracle.source_changed(now, &self.till, sku);
    }

    /// One call of the program's; how it ended, and how long that took.
    fn call(&mut self, request: &Request, patience: Millis) -> (Try, Millis) {
        self.advance();
        self.oracle.took_in(&self.till, self.clock.millis());
        let now = self.clock.millis();
        self.first_call.get_or_insert(now);
        if self.dice.permille(self.orders) {
            let item = self.dice.index(self.shop.items.len());
            let place = self.dice.index(self.shop.places.len());
            self.order(item, place, 1);
        }
        let kind = self.protocol.kind(request);
        let wishes = self.protocol.wishes(&self.shop, request);
        let key = self.protocol.key(request);
        if kind == Kind::Write {
            self.writes += 1;
            self.oracle.asked(&wishes, &key);
            if self.blocked {
                self.oracle.broken(
                    "S17",
                    "a write was sent after the store had blocked the account",
                );
            }
        }
        let done = self
            .faults
            .exchange(&mut self.shop, self.protocol, request, now);
        for (item, place, sold, _) in std::mem::take(&mut self.faults.sold) {
            self.book(item, place, sold, now);
        }
        let said = match &done.end {
            End::Answer(answer) => answer.status.to_string(),
            other => format!("{other:?}").chars().take(8).collect(),
        };
        let fault = done.fault.map_or("-", Fault::name);
        let asked: Vec<String> = wishes
            .iter()
            .map(|wish| format!("{}@{}={}", wish.item, wish.place, wish.quantity))
            .collect();
        self.note(&format!("{kind:?} {} {fault}: {said}", asked.join(" ")));
        self.blocked |= done.fault == Some(Fault::Blocked);
        if self.clock.is_off() {
            // a machine whose clock is wrong cannot keep to a date
            self.faults.asked_until = 0;
        }
        let timed_out = done.took >= patience;
        let heard = match (&done.end, done.fault) {
            _ if timed_out => Heard::Nothing,
            (End::Unreached, _) => Heard::Refused,
            (End::Answer(answer), _) if (300..500).contains(&answer.status) => Heard::Refused,
            // stores that say so by their status are told apart above; the others answer 200 all the same
            (End::Answer(_), Some(Fault::Throttled | Fault::TokenExpired | Fault::Restarted))
                if matches!(self.protocol, Protocol::Shopify | Protocol::Vendure) =>
            {
                Heard::Refused
            }
            (
                End::Answer(_),
                Some(Fault::Html200 | Fault::Garbage200 | Fault::Gzip200 | Fault::Empty200),
            ) => Heard::Nothing,
            (End::Answer(answer), Some(Fault::KeyBusy)) if busy(answer) => Heard::Nothing,
            (End::Answer(answer), _) if answer.status == 200 => Heard::Answer,
            _ => Heard::Nothing,
        };
        self.oracle
            .heard(&self.shop, kind, request, &wishes, &key, heard);
        self.oracle.applied(&self.shop);
        let took = done.took.min(patience);
        let outcome = match done.end {
            _ if timed_out => Try::Broken("did not answer in time".to_owned()),
            End::Answer(answer) => Try::Answer(Reply {
                status: answer.status,
                headers: answer.headers,
                body: answer.body,
            }),
            End::Cut(answer, _) if (400..500).contains(&answer.status) => Try::Answer(Reply {
                status: answer.status,
                headers: answer.headers,
                body: Vec::new(),
            }),
            End::Cut(..) | End::Reset => Try::Broken("broke the connection off".to_owned()),
            End::TimedOut => Try::Broken("did not answer in time".to_owned()),
            End::Unreached => Try::Unreached("cannot be reached".to_owned()),
        };
        (outcome, took)
    }
}

/// Whether the store says that another request with the key is under way.
fn busy(answer: &super::super::exchange::Answer) -> bool {
    String::from_utf8_lossy(&answer.body).contains("IDEMPOTENCY_CONCURRENT_REQUEST")
}

impl Transport for Shared {
    fn exchange<'a>(&'a self, exchange: &'a Exchange) -> Trying<'a> {
        Box::pin(std::future::ready(self.once(exchange)))
    }
}

impl Shared {
    fn once(&self, exchange: &Exchange) -> Try {
        kill::reached(recovery::Y6);
        let target = match exchange.url.query() {
            Some(query) => format!("{}?{query}", exchange.url.path()),
            None => exchange.url.path().to_owned(),
        };
        let headers: Vec<(&str, &str)> = exchange
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = Request::new(exchange.method.as_str(), &target, &headers, &exchange.body);
        let patience = exchange.total.min(Duration::from_secs(120));
        let patience = Millis::try_from(patience.as_millis()).unwrap_or(30_000);
        // half a request has no effect
        kill::reached(recovery::Y7);
        let (outcome, took) = {
            let mut world = self.lock();
            if world.oracle.write_is_open(&request) {
                world.note("a write is under way");
            }
            world.call(&request, patience)
        };
        self.lock().clock.pass(took);
        // sent, and the answer is lost with the one who waited for it
        if matches!(outcome, Try::Answer(_)) {
            self.dies_unheard(&request, recovery::Y8);
            self.dies_unheard(&request, recovery::Y9);
        }
        outcome
    }

    /// Dies here, if it must, without having heard the answer.
    fn dies_unheard(&self, request: &Request, point: &'static str) {
        let death = std::panic::catch_unwind(|| kill::reached(point));
        if let Err(death) = death {
            let mut world = self.lock();
            let world = &mut *world;
            let wishes = world.protocol.wishes(&world.shop, request);
            let key = world.protocol.key(request);
            if world.protocol.kind(request) == Kind::Write {
                world.oracle.unheard(&wishes, &key);
            }
            std::panic::resume_unwind(death);
        }
    }
}
