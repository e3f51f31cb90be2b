//! Counting what differs, one pair of items at a time, and keeping the worst.

use rust_decimal::Decimal;

use crate::model::availability::Availability;
use crate::program::decimal;
use crate::write::items::{ItemBody, ItemRecord};

use super::changes::{Counts, ItemChange, ListedItem, PriceMove, StockMove, Upcoming};
use super::sample::Sample;
use super::worst::Worst;
use super::{CompareOptions, FIELDS_SAMPLED_MAX, LISTED_MAX};

/// Where an item's bytes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) part: u32,
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Place {
    fn of(record: &ItemRecord<'_>) -> Self {
        Place {
            part: record.part,
            offset: record.offset,
            length: record.length,
        }
    }
}

/// Where a changed item stood and stands, and its number among the changed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Places {
    pub(super) old: Place,
    pub(super) new: Place,
    pub(super) number: u64,
}

/// What is counted and kept.
pub(super) struct Tally<'o> {
    options: &'o CompareOptions,
    pub(super) counts: Counts,
    pub(super) added: Worst<ListedItem>,
    pub(super) removed: Worst<ListedItem>,
    /// Price moves, going out of stock, stock moves, others.
    pub(super) changed: [Worst<(Places, ItemChange)>; 4],
    pub(super) sample: Sample<Places>,
    pub(super) upcoming: Worst<Upcoming>,
}

impl<'o> Tally<'o> {
    pub(super) fn new(options: &'o CompareOptions) -> Self {
        Tally {
            options,
            counts: Counts::default(),
            added: Worst::new(LISTED_MAX),
            removed: Worst::new(LISTED_MAX),
            changed: std::array::from_fn(|_| Worst::new(LISTED_MAX)),
            sample: Sample::new(FIELDS_SAMPLED_MAX),
            upcoming: Worst::new(LISTED_MAX),
        }
    }

    /// An item that is in both.
    pub(super) fn pair(&mut self, old: &ItemRecord<'_>, new: &ItemRecord<'_>) {
        let (before, now) = (&old.body, &new.body);
        self.present(now);
        let was_buyable = buyable(before);
        let going_out = was_buyable == Some(true) && buyable(now) == Some(false);
        self.counts.buyable += u64::from(was_buyable == Some(true));
        let same_currency = before.currency == now.currency;
        let same_price = before.price == now.price;
        if before.hash == now.hash {
            self.counts.unchanged += 1;
            self.counts.priced += u64::from(same_currency && amount(before).is_some());
            return;
        }
        let prices = match (same_currency, amount(before)) {
            (true, Some(old)) if same_price => Some((old, old)),
            (true, Some(old)) => amount(now).map(|new| (old, new)),
            _ => None,
        };
        self.counts.priced += u64::from(prices.is_some());
        let number = self.counts.changed;
        self.counts.changed += 1;
        self.counts.currency_changes +=
            u64::from(!same_currency && before.price.is_some() && now.price.is_some());
        self.counts.going_out += u64::from(going_out);
        let stock = match (before.quantity, now.quantity) {
            (Some(old), Some(new)) if old != new => Some(StockMove { old, new }),
            _ => None,
        };
        self.counts.stock_moves += u64::from(stock.is_some());
        let price = prices
            .filter(|(old, new)| old != new)
            .map(|(old, new)| price_move(old, new, now.quantity.or(before.quantity)));
        if let Some(price) = &price {
            self.counts.price_moves += 1;
            self.counts.price_moves_far += u64::from(is_far(price, self.options.price_by));
            self.counts.at_stake = self
                .counts
                .at_stake
                .saturating_add(price.at_stake.unwrap_or_default());
        }
        let places = Places {
            old: Place::of(old),
            new: Place::of(new),
            number,
        };
        self.sample.offer(places);
        let units = |count: i64| Decimal::from(count.unsigned_abs());
        let worth =
            |count: Decimal| count.saturating_mul(amount(now).unwrap_or(Decimal::ONE).abs());
        let (kind, harm) = match (&price, &stock) {
            // Where the stock is unknown, one unit stands for it.
            (Some(price), _) => (0, price.at_stake.unwrap_or(distance(price.old, price.new))),
            (None, _) if going_out => (1, worth(units(before.quantity.unwrap_or(1)))),
            (None, Some(stock)) => (2, worth(units(stock.new.saturating_sub(stock.old)))),
            (None, None) => (3, Decimal::ZERO),
        };
        if let Some(worst) = self.changed.get_mut(kind) {
            worst.offer(harm, || {
                let change = ItemChange {
                    id: now.id.to_owned(),
                    sku: now.sku.to_owned(),
                    title: now.title.to_owned(),
                    currency: now.currency.to_owned(),
                    price,
                    stock,
                    availability_before: before.availability,
                    availability: now.availability,
                    going_out,
                    fields: Vec::new(),
                    fields_more: 0,
                };
                (places, change)
            });
        }
    }

    /// An item that was not there before.
    pub(super) fn added(&mut self, record: &ItemRecord<'_>, id_changed: bool) {
        self.present(&record.body);
        self.counts.added += 1;
        self.added
            .offer(value(&record.body), || listed(&record.body, id_changed));
    }

    /// An item that is no longer there.
    pub(super) fn removed(&mut self, record: &ItemRecord<'_>, id_changed: bool) {
        self.counts.removed += 1;
        self.counts.ids_changed += u64::from(id_changed);
        self.removed
            .offer(value(&record.body), || listed(&record.body, id_changed));
    }

    /// What is counted of each item of the new version.
    fn present(&mut self, item: &ItemBody<'_>) {
        if let Some(price) = item.price {
            self.counts.with_price += 1;
            // Looked at as text first: nearly all prices begin with a digit that is no zero.
            let maybe = price.starts_with(['0', '-', '.']);
            let zero = maybe && amount(item).is_some_and(|price| price <= Decimal::ZERO);
            self.counts.zero_prices += u64::from(zero);
        }
        if let Some(then) = item.upcoming
            && then.at >= self.options.now
            && then.at.saturating_sub(self.options.now) <= self.options.ahead_seconds
        {
            // The next first: the later, the less harm.
            let harm = Decimal::from(self.options.now) - Decimal::from(then.at);
            self.upcoming.offer(harm, || Upcoming {
                id: item.id.to_owned(),
                sku: item.sku.to_owned(),
                title: item.title.to_owned(),
                at: then.at,
                price: item.price.map(str::to_owned),
                then: then.price.to_owned(),
                currency: item.currency.to_owned(),
            });
        }
    }
}

fn amount(item: &ItemBody<'_>) -> Option<Decimal> {
    item.price.and_then(decimal::parse)
}

/// Whether an item can be bought; none where nothing says so.
fn buyable(item: &ItemBody<'_>) -> Option<bool> {
    match (item.availability, item.quantity) {
        (Some(availability), _) => Some(availability != Availability::OutOfStock),
        (None, Some(units)) => Some(units > 0),
        (None, None) => None,
    }
}

/// Price times stock: what an item is worth to the shop.
fn value(item: &ItemBody<'_>) -> Decimal {
    let units = item
        .quantity
        .unwrap_or(i64::from(buyable(item) != Some(false)))
        .max(0);
    amount(item)
        .unwrap_or_default()
        .saturating_mul(Decimal::from(units))
}

fn price_move(old: Decimal, new: Decimal, units: Option<i64>) -> PriceMove {
    let by = distance(old, new);
    PriceMove {
        old,
        new,
        share: new.saturating_sub(old).checked_div(old),
        at_stake: units.map(|units| by.saturating_mul(Decimal::from(units.max(0)))),
    }
}

/// How far apart two prices are.
fn distance(old: Decimal, new: Decimal) -> Decimal {
    new.saturating_sub(old).abs()
}

/// Whether a price moves by more than that share of the old one; from zero any move is far.
pub(super) fn is_far(price: &PriceMove, by: Decimal) -> bool {
    distance(price.old, price.new) > price.old.abs().saturating_mul(by)
}

fn listed(item: &ItemBody<'_>, id_changed: bool) -> ListedItem {
    ListedItem {
        id: item.id.to_owned(),
        sku: item.sku.to_owned(),
        title: item.title.to_owned(),
        price: item.price.map(str::to_owned),
        currency: item.currency.to_owned(),
        availability: item.availability,
        quantity: item.quantity,
        id_changed,
    }
}
