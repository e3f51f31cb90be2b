//! Online orders that the tills have not booked yet, as a source of orders gives them: some late, some cancelled, a reading that
//! breaks off or has a line twice, and tills that book one between the reading of the orders and that of the stock.

use std::collections::BTreeMap;

use shelfcast::catalog::{SourceError, SourceProblem};
use shelfcast::sync::run::Orders;
use shelfcast::sync::source::SourceFailure;

use super::super::dice::Dice;
use super::super::exchange::Millis;
use super::wire::{Shared, World};

/// The longest that an order is on its way from the online store to the source of orders.
const LATE_MOST: Millis = 600_000;

/// What happens to orders and to readings of them, as it is counted.
pub const HAPPENS: [&str; 7] = [
    "order-late",
    "order-booked",
    "order-cancelled",
    "order-between",
    "order-booked-between",
    "orders-cut",
    "orders-doubled",
];

/// An order that the tills have not booked.
#[derive(Clone, Debug)]
pub struct Sale {
    /// What was sold: the item at the store, and its SKU.
    pub item: usize,
    /// The SKU.
    pub sku: String,
    /// Where the store took it off.
    pub place: usize,
    /// Units.
    pub units: i64,
    /// The source of orders has it from then on.
    pub due: Millis,
    /// It has it.
    pub shown: bool,
}

/// Units that are open, by SKU, as far as the source has them.
pub fn open(sales: &[Sale]) -> BTreeMap<String, i64> {
    let mut open = BTreeMap::new();
    for sale in sales.iter().filter(|sale| sale.shown) {
        *open.entry(sale.sku.clone()).or_insert(0) += sale.units;
    }
    open
}

impl World {
    pub(super) fn happens(&mut self, what: &'static str) {
        *self.wrong.entry(what).or_default() += 1;
    }

    /// An order that stays open: the store took it off, the tills did not.
    pub(super) fn sold_open(&mut self, item: usize, place: usize, units: i64, now: Millis) {
        let sku = self.shop.items[item].sku.clone();
        let late = self.dice.permille(250);
        let due = match late {
            true => now + 1 + self.dice.below(LATE_MOST),
            false => now,
        };
        if late {
            self.happens("order-late");
        }
        self.note(&format!(
            "{units} of {sku} are ordered at place {place}, known in {} ms",
            due - now
        ));
        self.till.sales.push(Sale {
            item,
            sku: sku.clone(),
            place,
            units,
            due,
            shown: !late,
        });
        if !late {
            self.oracle.source_changed(now, &self.till, &sku);
            self.oracle.ordered(item, place, now);
        }
        self.oracle.applied(&self.shop);
    }

    /// The source of orders has what is due.
    pub(super) fn show_sales(&mut self, now: Millis) {
        for at in 0..self.till.sales.len() {
            let sale = &mut self.till.sales[at];
            if sale.shown || sale.due > now {
                continue;
            }
            sale.shown = true;
            let (due, sku) = (sale.due, sale.sku.clone());
            self.oracle.source_changed(due, &self.till, &sku);
        }
    }

    /// The tills book an open order: it leaves the source of orders in the same moment. The SKU, where there was one.
    pub(super) fn book_one(&mut self, dice: &mut Dice) -> Option<String> {
        let at = self.one_shown(dice)?;
        let sale = self.till.sales.remove(at);
        let now = self.clock.millis();
        self.note(&format!("the till books {} of {}", sale.units, sale.sku));
        self.release(&sale.sku, sale.place, now);
        self.take_off(&sale.sku, sale.place, sale.units, now);
        self.happens("order-booked");
        Some(sale.sku)
    }

    /// A customer cancels: the store has the units again.
    pub(super) fn cancel_one(&mut self, dice: &mut Dice) {
        let Some(at) = self.one_shown(dice) else {
            return;
        };
        let sale = self.till.sales.remove(at);
        let now = self.clock.millis();
        self.note(&format!("{} of {} are cancelled", sale.units, sale.sku));
        if let Some(level) = self.shop.level(sale.item, sale.place) {
            let back = level + sale.units;
            self.shop.foreign(sale.item, sale.place, back, now);
        }
        self.happens("order-cancelled");
        self.oracle.source_changed(now, &self.till, &sale.sku);
        self.oracle.applied(&self.shop);
    }

    fn one_shown(&self, dice: &mut Dice) -> Option<usize> {
        let shown = self.till.sales.iter().enumerate();
        let shown: Vec<usize> = shown
            .filter(|(_, sale)| sale.shown)
            .map(|(at, _)| at)
            .collect();
        (!shown.is_empty()).then(|| *dice.pick(&shown))
    }
}

/// One reading of the orders; what may happen before the stock is read happens too.
pub fn read(world: &Shared, wrong: u64, dice: &mut Dice) -> Result<Orders, SourceFailure> {
    let mut world = world.lock();
    let world = &mut *world;
    world.advance();
    let mut orders = open(&world.till.sales);
    let now = world.clock.millis();
    if dice.permille(wrong) {
        if dice.permille(500) {
            world.happens("orders-cut");
            world.note("the reading of the orders breaks off");
            return Err(SourceFailure::Source(SourceError::new(
                SourceProblem::NotWhole,
                "orders",
                "the connection was lost",
            )));
        }
        // what the source says twice is sold twice, until it is read again
        let skus: Vec<String> = orders.keys().cloned().collect();
        if !skus.is_empty() {
            let sku = dice.pick(&skus).clone();
            let units = orders[&sku] * 2;
            world.happens("orders-doubled");
            world.note(&format!("the source has the orders of {sku} twice"));
            world.oracle.passing(now, &world.till, &sku, units);
            orders.insert(sku, units);
        }
    }
    match dice.below(1000) {
        _ if world.healed => {}
        0..60 => {
            let item = dice.index(world.shop.items.len());
            let place = dice.index(world.shop.places.len());
            let sold = world.till.sales.len();
            world.order(item, place, 1);
            if world.till.sales.len() > sold {
                world.happens("order-between");
            }
        }
        60..160 => {
            if let Some(sku) = world.book_one(dice) {
                world.happens("order-booked-between");
                let units = orders.get(&sku).copied().unwrap_or(0);
                // for this once it counts twice: too few are offered, never too many
                world.oracle.passing(now, &world.till, &sku, units);
            }
        }
        _ => {}
    }
    world.oracle.handed.clone_from(&orders);
    Ok(orders)
}
