//! What must hold, by the oracle's own books: what was ever right for each pair, what the store applied, what was asked and
//! never heard of. It shares no code with the program.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::exchange::{Millis, Request};
use super::super::protocol::{Kind, Protocol};
use super::super::shop::{By, Shop, Wish};
use super::till::Till;

/// What a client heard of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The store's own answer.
    Answer,
    /// That nothing was done.
    Refused,
    /// Nothing that tells.
    Nothing,
}

/// A write of which nobody knows what became.
#[derive(Clone, Debug)]
struct Open {
    key: String,
    quantity: i64,
}

/// The books.
#[derive(Debug)]
pub struct Oracle {
    protocol: Protocol,
    skus: Vec<String>,
    /// Our locations by place.
    locations: Vec<Vec<String>>,
    /// Units kept back at each location.
    pub safety: i64,
    /// What was right for each pair, since when: item, place.
    right: BTreeMap<(usize, usize), Vec<(Millis, i64)>>,
    /// What the tills had in all, for each pair, before anything was kept back or taken off.
    raw: HashMap<(usize, usize), HashSet<i64>>,
    /// The project was changed.
    rule_changed: bool,
    /// The most units that were in open orders at once.
    open_most: i64,
    /// The open orders, as they were read last.
    pub handed: BTreeMap<String, i64>,
    /// Whether a row that two proven readings in a row lack counts as zero.
    pub zeroes: bool,
    /// Proven readings in a row that lacked a row.
    lacking: BTreeMap<(String, String), u32>,
    /// Rows that a proven reading lacks which the program has not surely taken in.
    lacks: Option<Vec<(String, String)>>,
    /// A reading of the source had gaps: what it did not give stays as it was, whatever else changed meanwhile.
    pub gaps: bool,
    /// The last order at each pair.
    orders: HashMap<(usize, usize), Millis>,
    /// Levels that the store had at any time.
    ever: HashMap<(usize, usize), HashSet<i64>>,
    /// The newest version that was written to each pair.
    written: HashMap<(usize, usize), usize>,
    /// Lines of the store's log that were looked at.
    seen: usize,
    open: HashMap<(usize, usize), Open>,
    /// Requests by what they say.
    sent: HashMap<u64, u32>,
    accepted: BTreeSet<(usize, usize, u64, u64)>,
    /// What was broken first: the promise, and how.
    pub violation: Option<(&'static str, String)>,
    /// Calls allowed for the same write.
    pub sends_most: u32,
}

impl Oracle {
    /// Books of a store with these SKUs and places.
    pub fn new(protocol: Protocol, shop: &Shop, locations: Vec<Vec<String>>, safety: i64) -> Self {
        let mut ever: HashMap<(usize, usize), HashSet<i64>> = HashMap::new();
        for (item, thing) in shop.items.iter().enumerate() {
            for (place, level) in thing.levels.iter().enumerate() {
                ever.entry((item, place)).or_default().extend(*level);
            }
        }
        Oracle {
            protocol,
            skus: shop.items.iter().map(|item| item.sku.clone()).collect(),
            locations,
            safety,
            right: BTreeMap::new(),
            raw: HashMap::new(),
            rule_changed: false,
            open_most: 0,
            handed: BTreeMap::new(),
            zeroes: false,
            lacking: BTreeMap::new(),
            lacks: None,
            gaps: false,
            orders: HashMap::new(),
            ever,
            written: HashMap::new(),
            seen: 0,
            open: HashMap::new(),
            sent: HashMap::new(),
            accepted: BTreeSet::new(),
            violation: None,
            sends_most: 12,
        }
    }

    /// Something does not hold.
    pub fn broken(&mut self, promise: &'static str, how: impl Into<String>) {
        if self.violation.is_none() {
            self.violation = Some((promise, how.into()));
        }
    }

    /// Our locations of a place.
    pub fn locations(&self, place: usize) -> Vec<String> {
        self.locations[place].clone()
    }

    /// What a till's row counts, and whether anybody can read that: what is gone counts as it was, or as zero where the project
    /// says so and two proven readings in a row lacked it.
    fn row(&self, till: &Till, location: &str, item: usize) -> Option<(i64, bool)> {
        let key = (location.to_owned(), self.skus[item].clone());
        if let Some(row) = till.rows.get(&key) {
            return Some((row.quantity, true));
        }
        let row = till.gone.get(&key)?;
        match self.zeroes && self.lacking.get(&key).is_some_and(|times| *times >= 2) {
            true => Some((0, true)),
            false => Some((row.quantity, false)),
        }
    }

    /// What the store should say of an item at each place, by the formula; none where no till counts it. Open orders are taken off
    /// one place after the other; the last one takes what is left.
    fn targets(&self, till: &Till, item: usize, open: i64) -> Vec<Option<i64>> {
        let mut shared: Vec<Option<i64>> = Vec::new();
        for locations in &self.locations {
            let rows = locations.iter();
            let rows: Vec<i64> = rows
                .filter_map(|location| self.row(till, location, item))
                .map(|(quantity, _)| (quantity - self.safety).max(0))
                .collect();
            shared.push((!rows.is_empty()).then(|| rows.iter().sum()));
        }
        let last = shared.iter().rposition(Option::is_some);
        let mut open = open;
        for (place, level) in shared.iter_mut().enumerate() {
            let Some(level) = level else { continue };
            let off = match Some(place) == last {
                true => open,
                false => open.min(*level),
            };
            open -= off;
            *level = (*level - off).max(0);
        }
        shared
    }

    fn open_units(till: &Till, sku: &str) -> i64 {
        let sales = till.sales.iter().filter(|sale| sale.shown);
        sales
            .filter(|sale| sale.sku == sku)
            .map(|sale| sale.units)
            .sum()
    }

    /// The tills or the orders say something else of a SKU.
    pub fn source_changed(&mut self, at: Millis, till: &Till, sku: &str) {
        self.is_right(at, till, sku, Self::open_units(till, sku));
    }

    /// For one reading so many units are in open orders, and then they are not.
    pub fn passing(&mut self, at: Millis, till: &Till, sku: &str, open: i64) {
        self.is_right(at, till, sku, open);
        self.source_changed(at, till, sku);
    }

    fn is_right(&mut self, at: Millis, till: &Till, sku: &str, open: i64) {
        let Some(item) = self.skus.iter().position(|known| known == sku) else {
            return;
        };
        self.open_most = self.open_most.max(open);
        for (place, value) in self.targets(till, item, open).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let rows = self.locations[place].iter();
            let rows = rows.filter_map(|location| self.row(till, location, item));
            let all: i64 = rows.map(|(quantity, _)| quantity).sum();
            self.raw.entry((item, place)).or_default().insert(all);
            let right = self.right.entry((item, place)).or_default();
            if right.last().is_none_or(|(_, last)| *last != value) {
                right.push((at, value));
            }
        }
    }

    /// A reading of the source was given whole. What it lacks counts once the program has surely taken it in.
    pub fn read(&mut self, till: &Till, proven: bool, now: Millis) {
        self.took_in(till, now);
        self.lacks = proven.then(|| till.gone.keys().cloned().collect());
    }

    /// The program died before it could take the last reading in.
    pub fn read_in_vain(&mut self) {
        self.lacks = None;
    }

    /// The program has surely taken in what it read.
    pub fn took_in(&mut self, till: &Till, now: Millis) {
        let Some(lacks) = self.lacks.take() else {
            return;
        };
        for key in lacks {
            if !till.gone.contains_key(&key) {
                continue;
            }
            *self.lacking.entry(key.clone()).or_default() += 1;
            let open = self.handed.get(&key.1).copied().unwrap_or(0);
            self.passing(now, till, &key.1, open);
        }
    }

    /// A row is there again.
    pub fn is_back(&mut self, key: &(String, String)) {
        self.lacking.remove(key);
    }

    /// Whether no reading can say anything of a pair: its rows are gone, and that means nothing yet.
    pub fn is_unsaid(&self, till: &Till, item: usize, place: usize) -> bool {
        self.locations[place].iter().all(|location| {
            let row = self.row(till, location, item);
            row.is_none_or(|(_, said)| !said)
        })
    }

    /// The project decides otherwise.
    pub fn rule_changed(&mut self, at: Millis, till: &Till, safety: i64) {
        self.safety = safety;
        self.rule_changed = true;
        for sku in self.skus.clone() {
            self.source_changed(at, till, &sku);
        }
    }

    /// Somebody bought.
    pub fn ordered(&mut self, item: usize, place: usize, at: Millis) {
        // where the till had nothing left to take off, what was right before is right still
        let right = self
            .right
            .get(&(item, place))
            .and_then(|right| right.last());
        if right.is_some_and(|(since, _)| *since == at) {
            self.orders.insert((item, place), at);
        }
    }

    /// What the program asks for, before it is done.
    pub fn asked(&mut self, wishes: &[Wish], key: &str) {
        for wish in wishes {
            let pair = (wish.item, wish.place);
            let name = self.name(pair);
            if self.protocol.compares() && wish.compare.is_none() {
                self.broken(
                    "S14",
                    format!("{name} is set to {} and nothing is compared", wish.quantity),
                );
            }
            if wish.quantity < 0 {
                self.broken("S18", format!("{name} is set to {}", wish.quantity));
            }
            if let Some(open) = self.open.get(&pair) {
                let same = match key.is_empty() {
                    true => open.quantity == wish.quantity,
                    false => open.key == key,
                };
                if !same {
                    let how = format!(
                        "{name} is set to {} while nobody knows what became of {}",
                        wish.quantity, open.quantity
                    );
                    self.broken("S5", how);
                }
            }
        }
    }

    /// What the program heard of a call.
    pub fn heard(
        &mut self,
        shop: &Shop,
        kind: Kind,
        request: &Request,
        wishes: &[Wish],
        key: &str,
        heard: Heard,
    ) {
        if kind == Kind::Write && heard != Heard::Refused {
            self.count(request);
        }
        match (kind, heard) {
            (Kind::Login, _) | (_, Heard::Refused) | (Kind::Read, Heard::Nothing) => {}
            (Kind::Write, Heard::Nothing) => self.unheard(wishes, key),
            (Kind::Write, Heard::Answer) => {
                for wish in wishes {
                    self.open.remove(&(wish.item, wish.place));
                }
            }
            // whoever read it knows
            (Kind::Read, Heard::Answer) => {
                let mut text = String::from_utf8_lossy(&request.body).into_owned();
                for (_, value) in &request.query {
                    text.push(' ');
                    text.push_str(value);
                }
                self.open.retain(|(item, _), _| {
                    let item = &shop.items[*item];
                    !(text.contains(&item.sku)
                        || text.contains(&item.id.to_string())
                        || text.contains(&item.inventory.to_string()))
                });
            }
        }
        if shop.keys_mixed > 0 {
            self.broken("S4", "a key was used for something else");
        }
        if shop.keys_outlived > 0 {
            self.broken("S4", "a request was sent again when its key was forgotten");
        }
    }

    /// A write that a store dealt with, or may have: not those that it would not hear of.
    fn count(&mut self, request: &Request) {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in &request.body {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
        let sent = self.sent.entry(hash).or_default();
        *sent += 1;
        let sent = *sent;
        if sent > self.sends_most {
            self.broken("L3", format!("the same write was sent {sent} times"));
        }
    }

    /// Nobody knows what became of these.
    pub fn unheard(&mut self, wishes: &[Wish], key: &str) {
        for wish in wishes {
            self.open.insert(
                (wish.item, wish.place),
                Open {
                    key: key.to_owned(),
                    quantity: wish.quantity,
                },
            );
        }
    }

    fn name(&self, (item, place): (usize, usize)) -> String {
        format!("{} at place {place}", self.skus[item])
    }

    /// Looks at what the store applied since.
    pub fn applied(&mut self, shop: &Shop) {
        for change in shop.applied.get(self.seen..).unwrap_or_default() {
            let pair = (change.item, change.place);
            let ever = self.ever.entry(pair).or_default();
            ever.insert(change.new);
            if !matches!(change.by, By::Write | By::Late) {
                continue;
            }
            let name = self.name(pair);
            let Some(right) = self.right.get(&pair) else {
                self.broken(
                    "S19",
                    format!("{name} is set to {} and no till counts it", change.new),
                );
                continue;
            };
            let from = self.written.get(&pair).copied().unwrap_or(0);
            let version = (0..right.len()).rev().find(|at| right[*at].1 == change.new);
            let Some(version) = version else {
                let raw = self.raw.get(&pair);
                let old_count = (0..4 + self.open_most)
                    .any(|kept| raw.is_some_and(|raw| raw.contains(&(change.new + kept))));
                if self.gaps && old_count {
                    continue;
                }
                let how = format!("{name} is set to {}, which was never right", change.new);
                self.broken("S1", how);
                continue;
            };
            let since = right[version].0;
            // without a compare value, what was given up may come late: it is found and repaired
            let may_be_old = change.by == By::Late && !self.protocol.compares();
            // a row that a reading did not give, by a rule that is new
            let raw = self.raw.get(&pair);
            let rests =
                |off: i64| raw.is_some_and(|raw| raw.contains(&(change.new + self.safety + off)));
            let may_be_old =
                may_be_old || self.gaps && self.rule_changed && (0..=self.open_most).any(rests);
            if version < from && !may_be_old {
                let how = format!("{name} is set to {} after {}", change.new, right[from].1);
                self.broken("S3", how);
            }
            if !may_be_old {
                self.written.insert(pair, version.max(from));
            }
            let sold = self.orders.get(&pair).copied().unwrap_or(0);
            if self.protocol.compares() && !self.gaps && since < sold && sold < change.at {
                let how = format!(
                    "{name} is set to {}, which was right before the last order",
                    change.new
                );
                self.broken("S14", how);
            }
        }
        self.seen = shop.applied.len();
    }

    /// Looks at a line of the ledger that says that the store took a level.
    pub fn accepted(
        &mut self,
        shop: &Shop,
        item: usize,
        place: usize,
        quantity: i64,
        version: u64,
        batch: u64,
    ) {
        let name = self.name((item, place));
        let there = self
            .ever
            .get(&(item, place))
            .is_some_and(|ever| ever.contains(&quantity));
        let lied = shop.lied.contains(&(item, place, quantity));
        if !there && !lied {
            let how = format!(
                "the ledger says that the store took {quantity} for {name}, and it never did"
            );
            self.broken("S6", how);
        }
        if !self.accepted.insert((item, place, version, batch)) {
            let how = format!("the ledger has version {version} of {name} twice");
            self.broken("S15", how);
        }
    }

    /// Whether a write in this request is still open; only told.
    pub fn write_is_open(&self, request: &Request) -> bool {
        !self.open.is_empty() && self.protocol.kind(request) == Kind::Write
    }

    /// Pairs that are not in step: what they should say, and do.
    pub fn out_of_step(&self, shop: &Shop, till: &Till) -> Vec<String> {
        let mut out = Vec::new();
        for (item, thing) in shop.items.iter().enumerate() {
            let open = Self::open_units(till, &self.skus[item]);
            for (place, target) in self.targets(till, item, open).into_iter().enumerate() {
                let Some(target) = target.filter(|_| !self.is_unsaid(till, item, place)) else {
                    continue;
                };
                let cap = shop.caps.get(&(item, place)).copied();
                let target = target.min(cap.unwrap_or(i64::MAX));
                if let Some(level) = thing.levels[place]
                    && level != target
                {
                    let name = self.name((item, place));
                    out.push(format!("{name} is {level} and should be {target}"));
                }
            }
        }
        out
    }
}
