//! A model of an online store: what it sells, how much it has where, and the log of everything that changed that.
//!
//! Goes in: writes, orders, changes by other hands, and a clock that is handed in. Promised: the log holds every change of a
//! level in the order in which it happened; a key gives its first answer again for as long as it lives; a compare value is
//! compared and the level set in one step. It shares no code with the product.

pub use super::mischief::{Bend, KeyTrouble, Lie, Mischief, Paging, Refuse};
use std::collections::HashMap;

use serde_json::Value;

use super::dice::Dice;
use super::exchange::Millis;

/// How long an idempotency key is remembered.
pub const KEY_LIFE: Millis = 24 * 3600 * 1000;
/// The most any level may be.
pub const QUANTITY_MAX: i64 = 1_000_000_000;

/// A thing with a SKU.
#[derive(Clone, Debug)]
pub struct Item {
    /// The merchant's number.
    pub sku: String,
    /// The variant's number here.
    pub id: u64,
    /// The product's number; items of one product share it.
    pub product: u64,
    /// The number of its inventory record.
    pub inventory: u64,
    /// A variation of a product with several; else a simple product.
    pub variation: bool,
    /// The store counts it.
    pub tracked: bool,
    /// Taken out of the assortment.
    pub gone: bool,
    /// Each location has a level, or none where it is not stocked.
    pub levels: Vec<Option<i64>>,
    /// What open orders hold, by location.
    pub reserved: Vec<i64>,
}

/// A place with stock.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its number here.
    pub id: u64,
    /// Its code or name.
    pub code: String,
}

/// Who changed a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A request, when it came.
    Write,
    /// A request that took effect after its sender had given up.
    Late,
    /// A customer.
    Order,
    /// Somebody in the store's back office.
    Foreign,
    /// A request that was answered with more than was done.
    Lie,
}

/// One change of one level.
#[derive(Clone, Debug)]
pub struct Applied {
    /// When.
    pub at: Millis,
    /// Which item.
    pub item: usize,
    /// Which place.
    pub place: usize,
    /// Before.
    pub old: i64,
    /// After.
    pub new: i64,
    /// By whom.
    pub by: By,
    /// The number of the call that asked for it.
    pub call: u64,
    /// The key it came under; empty without one.
    pub key: String,
    /// What was to be there before; none for an unconditional write.
    pub compare: Option<i64>,
}

/// A level somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which item.
    pub item: usize,
    /// Which place.
    pub place: usize,
    /// How many there shall be.
    pub quantity: i64,
    /// What must be there now.
    pub compare: Option<i64>,
}

/// Why a wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The item is not stocked there.
    NotStocked,
    /// Below nothing.
    Negative,
    /// Above [`QUANTITY_MAX`].
    TooHigh,
    /// Something else is there.
    Stale,
    /// A fault wants it so.
    Whim,
}

/// What a key was used for.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The input, spelt out.
    pub shape: String,
    /// The first answer.
    pub answer: Value,
    /// Forgotten then.
    pub until: Millis,
}

/// The store.
#[derive(Clone, Debug, Default)]
pub struct Shop {
    /// What it sells.
    pub items: Vec<Item>,
    /// Where stock is.
    pub places: Vec<Place>,
    /// Everything that changed a level.
    pub applied: Vec<Applied>,
    /// Keys and what they were used for.
    pub keys: HashMap<String, Kept>,
    /// Tokens and when they end.
    pub sessions: HashMap<String, Millis>,
    /// How long a session lasts.
    pub session_life: Millis,
    /// Tokens handed out so far.
    pub logins: u64,
    /// Orders reserve and leave the level alone.
    pub reserves: bool,
    /// Levels that an answer said were set, and were not: item, place, quantity.
    pub lied: Vec<(usize, usize, i64)>,
    /// The store makes this of what is above it, and says yes: item, place.
    pub caps: HashMap<(usize, usize), i64>,
    /// How often that happened.
    pub capped: u64,
    /// When each key was seen first.
    pub key_seen: HashMap<String, Millis>,
    /// Requests under a key that was older than it lives.
    pub keys_outlived: u64,
    /// Requests under a key that was used for something else.
    pub keys_mixed: u64,
    /// The number of the call that is being answered.
    pub call: u64,
    /// The call takes effect after its sender gave up.
    pub late: bool,
    /// What is wrong with this answer.
    pub mischief: Mischief,
    /// What is left of the budget of calls, in points, when it was looked at last, and when.
    pub points: (f64, Millis),
    /// Most points, and how many come back a second; 0 for no limit.
    pub budget: (f64, f64),
    by_sku: HashMap<String, usize>,
    by_lower: HashMap<String, Vec<usize>>,
    by_id: HashMap<u64, usize>,
    by_inventory: HashMap<u64, usize>,
}

impl Shop {
    /// A store with these places and SKUs: each item is stocked everywhere with `opening`. Every third product has three
    /// variations.
    pub fn new(places: &[&str], skus: &[&str], opening: i64) -> Self {
        let mut shop = Shop {
            session_life: 3_600_000,
            ..Shop::default()
        };
        for (number, code) in (1..).zip(places) {
            shop.places.push(Place {
                id: 70_000 + number,
                code: (*code).to_owned(),
            });
        }
        for sku in skus {
            shop.add(sku, opening);
        }
        shop
    }

    /// One SKU more.
    pub fn add(&mut self, sku: &str, opening: i64) {
        let at = self.items.len();
        let number = at as u64;
        let variation = number % 6 >= 3;
        let item = Item {
            sku: sku.to_owned(),
            id: 1_000_000 + number * 7,
            product: if variation {
                5_000_000 + number / 6
            } else {
                1_000_000 + number * 7
            },
            inventory: 9_000_000 + number * 3,
            variation,
            tracked: true,
            gone: false,
            levels: vec![Some(opening); self.places.len()],
            reserved: vec![0; self.places.len()],
        };
        self.by_sku.insert(sku.to_owned(), at);
        let lower = sku.to_ascii_lowercase();
        self.by_lower.entry(lower).or_default().push(at);
        self.by_id.insert(item.id, at);
        self.by_inventory.insert(item.inventory, at);
        self.items.push(item);
    }

    /// The item with this SKU, if it is still sold.
    pub fn sku(&self, sku: &str) -> Option<usize> {
        let at = *self.by_sku.get(sku)?;
        (!self.items[at].gone).then_some(at)
    }

    /// What a search for these SKUs finds, in the order of the items; all, where no SKU is named. Searches that know no case
    /// find look-alikes.
    pub fn search(&self, skus: Option<&[&str]>, case: bool) -> Vec<usize> {
        let mut found: Vec<usize> = match skus {
            None => (0..self.items.len()).collect(),
            Some(skus) if case => skus
                .iter()
                .filter_map(|sku| self.by_sku.get(*sku).copied())
                .collect(),
            Some(skus) => skus
                .iter()
                .filter_map(|sku| self.by_lower.get(&sku.to_ascii_lowercase()))
                .flatten()
                .copied()
                .collect(),
        };
        found.retain(|at| !self.items[*at].gone);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The item with this number.
    pub fn id(&self, id: u64) -> Option<usize> {
        let at = *self.by_id.get(&id)?;
        (!self.items[at].gone).then_some(at)
    }

    /// The item with this inventory record.
    pub fn inventory(&self, id: u64) -> Option<usize> {
        let at = *self.by_inventory.get(&id)?;
        (!self.items[at].gone).then_some(at)
    }

    /// The place with this number.
    pub fn place(&self, id: u64) -> Option<usize> {
        self.places.iter().position(|place| place.id == id)
    }

    /// The place with this code.
    pub fn place_code(&self, code: &str) -> Option<usize> {
        self.places.iter().position(|place| place.code == code)
    }

    /// What is there.
    pub fn level(&self, item: usize, place: usize) -> Option<i64> {
        self.items[item].levels[place]
    }

    /// What the store tells: what is there, or in an answer that is behind, what was.
    pub fn told(&self, item: usize, place: usize, now: Millis) -> Option<i64> {
        let mut level = self.level(item, place)?;
        if self.mischief.behind > 0 {
            let then = now.saturating_sub(self.mischief.behind);
            for change in self.applied.iter().rev() {
                if change.at <= then {
                    break;
                }
                if (change.item, change.place) == (item, place) {
                    level = change.old;
                }
            }
        }
        Some(level)
    }

    /// Whether the wish can be done, by the rules or by the fault. `nth` of `count` in its batch.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, wish: &Wish, nth: usize, count: usize) -> Result<(), Refusal> {
        let Some(level) = self.level(wish.item, wish.place) else {
            return Err(Refusal::NotStocked);
        };
        if wish.quantity < 0 {
            return Err(Refusal::Negative);
        }
        if wish.quantity > QUANTITY_MAX {
            return Err(Refusal::TooHigh);
        }
        if wish.compare.is_some_and(|compare| compare != level) {
            return Err(Refusal::Stale);
        }
        let victim = self.victim(count);
        let whim = match self.mischief.refuse {
            Refuse::None => false,
            Refuse::One => nth == victim,
            Refuse::Half => nth % 2 == 1 || count == 1,
            Refuse::AllButOne => nth != 0,
        };
        if whim {
            return Err(Refusal::Whim);
        }
        Ok(())
    }

    /// The one of so many whom a fault hits.
    fn victim(&self, count: usize) -> usize {
        usize::try_from(self.mischief.seed % count.max(1) as u64).unwrap_or(0)
    }

    /// Does it: `nth` of `count` in its batch. A fault may make it a lie.
    pub fn put(&mut self, wish: &Wish, key: &str, nth: usize, count: usize, now: Millis) {
        let mut quantity = wish.quantity;
        let mut by = if self.late { By::Late } else { By::Write };
        let hit = nth == self.victim(count);
        match self.mischief.lie {
            Lie::None => {}
            _ if !hit => {}
            // of an item that is missing in the answer nothing is said
            Lie::Skipped if self.mischief.list == Bend::Missing => return,
            Lie::Skipped => {
                self.lied.push((wish.item, wish.place, quantity));
                return;
            }
            Lie::Clamped => {
                self.lied.push((wish.item, wish.place, quantity));
                quantity = quantity.min(quantity / 2 + 1);
                by = By::Lie;
            }
        }
        if let Some(cap) = self.caps.get(&(wish.item, wish.place)).copied()
            && quantity > cap
        {
            self.lied.push((wish.item, wish.place, wish.quantity));
            (quantity, by) = (cap, By::Lie);
            self.capped += 1;
        }
        self.set(wish.item, wish.place, quantity, by, key, wish.compare, now);
    }

    #[expect(clippy::too_many_arguments, reason = "they are the line of the log")]
    fn set(
        &mut self,
        item: usize,
        place: usize,
        new: i64,
        by: By,
        key: &str,
        compare: Option<i64>,
        now: Millis,
    ) {
        let old = self.items[item].levels[place].unwrap_or(0);
        self.items[item].levels[place] = Some(new);
        self.applied.push(Applied {
            at: now,
            item,
            place,
            old,
            new,
            by,
            call: self.call,
            key: key.to_owned(),
            compare,
        });
    }

    /// A customer buys: no more than there is. How many were sold.
    pub fn order(&mut self, item: usize, place: usize, wanted: i64, now: Millis) -> i64 {
        let Some(level) = self.level(item, place) else {
            return 0;
        };
        let reserved = self.items[item].reserved[place];
        let sold = wanted.min(level - reserved).max(0);
        if sold == 0 {
            return 0;
        }
        if self.reserves {
            self.items[item].reserved[place] += sold;
        } else {
            self.set(item, place, level - sold, By::Order, "", None, now);
        }
        sold
    }

    /// Somebody sets a level by hand.
    pub fn foreign(&mut self, item: usize, place: usize, quantity: i64, now: Millis) {
        self.set(item, place, quantity, By::Foreign, "", None, now);
    }

    /// The answer a key had, if it had one and still lives: `Err` when it was used for something else.
    ///
    /// # Errors
    /// The key was used for another input.
    pub fn known_key(&mut self, key: &str, shape: &str, now: Millis) -> Result<Option<Value>, ()> {
        let first = *self.key_seen.entry(key.to_owned()).or_insert(now);
        if now - first >= KEY_LIFE && !self.late {
            self.keys_outlived += 1;
        }
        let mixed = self
            .keys
            .get(key)
            .is_some_and(|kept| kept.until > now && kept.shape != shape);
        self.keys_mixed += u64::from(mixed);
        match self.keys.get(key) {
            Some(kept) if kept.until > now => {
                if kept.shape == shape {
                    Ok(Some(kept.answer.clone()))
                } else {
                    Err(())
                }
            }
            _ => Ok(None),
        }
    }

    /// Remembers what a key was used for.
    pub fn keep_key(&mut self, key: &str, shape: String, answer: Value, now: Millis) {
        let until = now + KEY_LIFE;
        self.keys.insert(
            key.to_owned(),
            Kept {
                shape,
                answer,
                until,
            },
        );
    }

    /// A new session's token.
    pub fn login(&mut self, now: Millis) -> String {
        self.logins += 1;
        let token = format!("session-{}", self.logins);
        self.sessions.insert(token.clone(), now + self.session_life);
        token
    }

    /// Whether a session lasts.
    pub fn session(&self, token: &str, now: Millis) -> bool {
        self.sessions.get(token).is_some_and(|ends| *ends > now)
    }

    /// The store is started anew: what it only held in memory is gone.
    pub fn restart(&mut self) {
        self.sessions.clear();
    }

    /// Takes points out of the budget; false when there are too few.
    pub fn spend(&mut self, points: f64, now: Millis) -> bool {
        let (most, back) = self.budget;
        if most <= 0.0 {
            return true;
        }
        let left = self.points_left(now);
        if left < points {
            self.points = (left, now);
            return false;
        }
        self.points = (left - points, now);
        back > 0.0
    }

    /// Points at hand.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a test")]
    pub fn points_left(&self, now: Millis) -> f64 {
        let (most, back) = self.budget;
        let passed = now.saturating_sub(self.points.1) as f64 / 1000.0;
        (self.points.0 + passed * back).min(most)
    }

    /// Sets the budget, full.
    pub fn with_budget(&mut self, most: f64, back: f64) {
        self.budget = (most, back);
        self.points = (most, 0);
    }

    /// A list as this answer gives it; `extra` makes an element nobody asked for.
    pub fn bend(&self, mut list: Vec<Value>, extra: impl FnOnce() -> Value) -> Vec<Value> {
        let mut dice = Dice::new(self.mischief.seed);
        match self.mischief.list {
            Bend::None => {}
            Bend::Shuffled => dice.shuffle(&mut list),
            Bend::Missing if list.is_empty() => {}
            Bend::Missing => {
                let at = self.victim(list.len());
                list.remove(at);
            }
            Bend::Extra => {
                let at = dice.index(list.len() + 1);
                list.insert(at, extra());
            }
            Bend::Doubled if list.is_empty() => {}
            Bend::Doubled => {
                let again = dice.pick(&list).clone();
                let at = dice.index(list.len() + 1);
                list.insert(at, again);
            }
        }
        list
    }

    /// Which elements a page has, from where to where, and where the next begins, if there is one.
    pub fn page(&self, from: usize, size: usize, count: usize) -> (usize, usize, Option<usize>) {
        let size = size.max(1);
        let more = |next: usize| (next < count).then_some(next);
        match self.mischief.page {
            // the second page is the first again
            Paging::Twice if from > 0 => {
                let start = from - from.min(size);
                (start, (start + size).min(count), more(from + size))
            }
            Paging::Missing => {
                let start = (from + size).min(count);
                (start, (start + size).min(count), more(start + size))
            }
            Paging::Loop => (from.min(count), (from + size).min(count), Some(0)),
            Paging::Endless => {
                let next = if from + size < count {
                    from + size
                } else {
                    from
                };
                (from.min(count), (from + size).min(count), Some(next))
            }
            _ => (from.min(count), (from + size).min(count), more(from + size)),
        }
    }
}
