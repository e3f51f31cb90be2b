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
    /// What the tills had in all, for each pair, before anything was kept back.
    raw: HashMap<(usize, usize), HashSet<i64>>,
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
    /// Lines of the ledger that were looked at.
    pub lines: usize,
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
            gaps: false,
            orders: HashMap::new(),
            ever,
            written: HashMap::new(),
            seen: 0,
            open: HashMap::new(),
            sent: HashMap::new(),
            lines: 0,
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

    /// What the store should say of a pair, by the formula; none where no till counts it.
    fn target(&self, till: &Till, item: usize, place: usize) -> Option<i64> {
        let rows: Vec<i64> = self.locations[place]
            .iter()
            .filter_map(|location| till.rows.get(&(location.clone(), self.skus[item].clone())))
            .map(|row| (row.quantity - self.safety).max(0))
            .collect();
        (!rows.is_empty()).then(|| rows.iter().sum())
    }

    /// The tills say something else of a SKU.
    pub fn source_changed(&mut self, at: Millis, till: &Till, sku: &str) {
        let Some(item) = self.skus.iter().position(|known| known == sku) else {
            return;
        };
        for place in 0..self.locations.len() {
            if let Some(value) = self.target(till, item, place) {
                let raw = self.raw.entry((item, place)).or_default();
                raw.insert(value + self.safety);
                let right = self.right.entry((item, place)).or_default();
                if right.last().is_none_or(|(_, last)| *last != value) {
                    right.push((at, value));
                }
            }
        }
    }

    /// The project decides otherwise.
    pub fn rule_changed(&mut self, at: Millis, till: &Till, safety: i64) {
        self.safety = safety;
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
                let old_count =
                    (0..4).any(|kept| raw.is_some_and(|raw| raw.contains(&(change.new + kept))));
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
            for place in 0..self.locations.len() {
                let Some(target) = self.target(till, item, place) else {
                    continue;
                };
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
