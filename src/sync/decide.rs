//! What the store should say: the formula, with every term.
//!
//! `clamp(floor(share x sum over its locations of max(0, on_hand - committed - safety_stock)) - online_open, minimum, maximum)`,
//! an online location at a time. A basis that already leaves terms out has them as 0. Absent is not zero: without one count
//! there is no target.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::config::project::Basis;
use crate::config::sync::{GuardLimits, Locations, OnlineOrders, Rows};

use crate::model::stock::{Offer, free};

use super::level::Observation;

/// A sync as it decides: its configuration, read and checked.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The sync's name.
    pub name: String,
    /// The stock source's name.
    pub source: String,
    /// What the state calls this sync's reading of it.
    pub reading: String,
    /// Each reading gives all rows: one row a location and SKU.
    pub read_whole: bool,
    /// What a file of the source holds.
    pub rows: Rows,
    /// Asking the source again shows what is there now; a file shows what was there when it was written.
    pub live: bool,
    /// What the source counts.
    pub basis: Basis,
    /// Who takes online orders off.
    pub online_orders: OnlineOrders,
    /// Our locations and the store's; absent where all of ours are one stock of the store.
    pub locations: Option<Locations>,
    /// Units kept back at each location, where no rule and no column says otherwise.
    pub safety_stock: i64,
    /// Units kept back by SKU, from `[[sync.keep]]`; before the column.
    pub kept: BTreeMap<String, i64>,
    /// What an online location shows; its maximum is the sync's limit or the store's.
    pub offer: Offer,
    /// What stops a run.
    pub guard: GuardLimits,
    /// Whether a SKU that two proven whole readings in a row lack counts as zero.
    pub absent_is_zero: bool,
    /// The share of levels in step that each run reads back.
    pub recheck: Decimal,
}

/// One location's part in a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Our location.
    pub location: String,
    /// What the source counts there.
    pub quantity: i64,
    /// Promised to orders.
    pub committed: i64,
    /// Kept back.
    pub safety_stock: i64,
    /// What is left, never below zero.
    pub free: i64,
}

/// A level with every term of the formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The online location.
    pub place: String,
    /// Its locations, in the source's order.
    pub parts: Vec<Part>,
    /// The sum of what is left.
    pub sum: i64,
    /// The part of it that is offered, floored.
    pub shared: i64,
    /// Online orders that the count still contains.
    pub online_open: i64,
    /// What the store should say.
    pub salable: i64,
}

impl Terms {
    /// The sum in a few words, such as `bkk-01 5 - 1 - 2 = 2; bkk-02 7; offered 7 of 9; online orders - 1`. Codes of locations
    /// are data: clean it before it is shown.
    pub fn words(&self) -> String {
        let mut said: Vec<String> = self.parts.iter().map(Part::words).collect();
        if self.shared != self.sum {
            said.push(format!("offered {} of {}", self.shared, self.sum));
        }
        if self.online_open != 0 {
            said.push(format!("online orders - {}", self.online_open));
        }
        if self.salable != self.shared.saturating_sub(self.online_open) {
            said.push(format!("shown {}", self.salable));
        }
        said.join("; ")
    }
}

impl Part {
    fn words(&self) -> String {
        let mut words = format!("{} {}", self.location, self.quantity);
        for taken in [self.committed, self.safety_stock] {
            if taken != 0 {
                words.push_str(&format!(" - {taken}"));
            }
        }
        if self.free != self.quantity {
            words.push_str(&format!(" = {}", self.free));
        }
        words
    }
}

impl Rule {
    /// The online locations of this sync, in the project's order; those of a sync without a map are one, unnamed.
    pub fn places(&self) -> Vec<String> {
        let mut places: Vec<String> = Vec::new();
        match &self.locations {
            None | Some(Locations::Pooled(_)) => places.push(String::new()),
            Some(Locations::Mapped(map)) => {
                for place in map.values() {
                    if !places.contains(place) {
                        places.push(place.clone());
                    }
                }
            }
        }
        places
    }

    /// The online location that one of ours belongs to; `None` where it takes no part.
    pub fn place(&self, location: &str) -> Option<&str> {
        match &self.locations {
            None => Some(""),
            Some(locations) => locations.place(location),
        }
    }

    /// What changes when the project does: the same text gives the same targets from the same observations.
    pub fn fingerprint(&self) -> String {
        format!(
            "{:?} {:?} {:?} {} {:?} {} {} {}",
            self.basis,
            self.online_orders,
            self.locations,
            self.safety_stock,
            self.kept,
            self.offer.share.normalize(),
            self.offer.minimum,
            self.offer.maximum
        )
    }

    /// What the store should say of one SKU at each of its locations, from all that the source says of it. `open` is the
    /// number of units in online orders that the counts still contain; it is taken off one location after the other.
    pub fn targets(&self, sku: &str, observations: &[Observation], open: i64) -> Vec<Terms> {
        let mut open = match self.online_orders {
            OnlineOrders::Subtract => open.max(0),
            OnlineOrders::Booked | OnlineOrders::StoreReserves => 0,
        };
        let mut made: Vec<Terms> = Vec::new();
        for place in self.places() {
            let parts: Vec<Part> = observations
                .iter()
                .filter(|observation| self.place(&observation.location) == Some(place.as_str()))
                .filter_map(|observation| self.part(sku, observation))
                .collect();
            if parts.is_empty() {
                continue;
            }
            let sum = parts
                .iter()
                .fold(0i64, |sum, part| sum.saturating_add(part.free));
            made.push(Terms {
                place,
                parts,
                sum,
                shared: self.offer.shared(sum),
                online_open: 0,
                salable: 0,
            });
        }
        // the last location takes what is left of the orders, so that none is forgotten
        let last = made.len().saturating_sub(1);
        for (index, terms) in made.iter_mut().enumerate() {
            terms.online_open = match index == last {
                true => open,
                false => open.min(terms.shared.max(0)),
            };
            open -= terms.online_open;
            terms.salable = self.offer.shown(terms.shared, terms.online_open);
        }
        made
    }

    fn part(&self, sku: &str, observation: &Observation) -> Option<Part> {
        let quantity = observation.quantity?;
        let counts_all = self.basis == Basis::OnHand;
        // what the store takes off itself must not be taken off twice
        let committed = match counts_all && self.online_orders != OnlineOrders::StoreReserves {
            true => observation.committed.unwrap_or(0).max(0),
            false => 0,
        };
        let safety_stock = match self.basis {
            Basis::Salable => 0,
            Basis::OnHand | Basis::Available => self
                .kept
                .get(sku)
                .copied()
                .or(observation.safety_stock)
                .unwrap_or(self.safety_stock)
                .max(0),
        };
        Some(Part {
            location: observation.location.clone(),
            quantity,
            committed,
            safety_stock,
            free: free(quantity, committed, safety_stock),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule {
            name: "web-stock".to_owned(),
            source: "stock".to_owned(),
            reading: super::super::level::reading("web-stock", "stock"),
            read_whole: true,
            rows: Rows::All,
            live: true,
            basis: Basis::OnHand,
            online_orders: OnlineOrders::Booked,
            locations: Some(Locations::Mapped(
                [("bkk-01", "L1"), ("bkk-02", "L2"), ("cnx-01", "L2")]
                    .map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))
                    .into_iter()
                    .collect(),
            )),
            safety_stock: 2,
            kept: BTreeMap::new(),
            offer: Offer {
                share: Decimal::ONE,
                minimum: 0,
                maximum: i64::MAX,
            },
            guard: GuardLimits::default(),
            absent_is_zero: false,
            recheck: Decimal::ZERO,
        }
    }

    fn row(location: &str, quantity: Option<i64>, committed: Option<i64>) -> Observation {
        Observation {
            location: location.to_owned(),
            sku: "A".to_owned(),
            quantity,
            committed,
            ..Observation::default()
        }
    }

    fn salable(rule: &Rule, rows: &[Observation], open: i64) -> Vec<(String, i64)> {
        rule.targets("A", rows, open)
            .into_iter()
            .map(|terms| (terms.place, terms.salable))
            .collect()
    }

    #[test]
    fn locations_of_one_place_are_pooled_each_after_its_own_safety_stock() {
        let rows = [
            row("bkk-01", Some(10), Some(3)),
            row("bkk-02", Some(1), None),
            row("cnx-01", Some(7), None),
            row("hkt-01", Some(99), None),
        ];
        let levels = salable(&rule(), &rows, 0);
        assert_eq!(levels, [("L1".to_owned(), 5), ("L2".to_owned(), 5)]);
    }

    #[test]
    fn absent_is_not_zero() {
        assert_eq!(salable(&rule(), &[row("bkk-01", None, Some(3))], 0), []);
        assert_eq!(
            salable(&rule(), &[row("bkk-01", Some(0), None)], 0),
            [("L1".to_owned(), 0)]
        );
    }

    #[test]
    fn a_basis_leaves_out_what_its_count_already_lacks() {
        let rows = [row("bkk-01", Some(10), Some(3))];
        let with = |basis| {
            let mut rule = rule();
            rule.basis = basis;
            salable(&rule, &rows, 0)[0].1
        };
        assert_eq!(with(Basis::OnHand), 5);
        assert_eq!(with(Basis::Available), 8);
        assert_eq!(with(Basis::Salable), 10);
    }

    #[test]
    fn online_orders_are_taken_off_by_whom_the_project_names() {
        let rows = [
            row("bkk-01", Some(10), Some(3)),
            row("bkk-02", Some(6), None),
        ];
        let mut rule = rule();
        assert_eq!(salable(&rule, &rows, 4)[0].1, 5, "booked: the till did");
        rule.online_orders = OnlineOrders::StoreReserves;
        assert_eq!(
            salable(&rule, &rows, 4)[0].1,
            8,
            "the store does, of what is there"
        );
        rule.online_orders = OnlineOrders::Subtract;
        assert_eq!(
            salable(&rule, &rows, 7),
            [("L1".to_owned(), 0), ("L2".to_owned(), 2)],
            "5 from the first, 2 from the second"
        );
        assert_eq!(salable(&rule, &rows, 70)[1].1, 0);
    }

    #[test]
    fn shares_are_floored_and_levels_stay_within_their_limits() {
        let rows = [row("bkk-01", Some(12), None)];
        let mut rule = rule();
        rule.offer.share = Decimal::new(75, 2);
        assert_eq!(salable(&rule, &rows, 0)[0].1, 7, "of 10, 7.5");
        rule.offer.maximum = 3;
        assert_eq!(salable(&rule, &rows, 0)[0].1, 3);
        rule.offer.minimum = 1;
        assert_eq!(salable(&rule, &[row("bkk-01", Some(-4), None)], 0)[0].1, 1);
    }

    #[test]
    fn a_rule_by_sku_comes_before_a_column_and_a_column_before_the_number() {
        let mut rule = rule();
        let mut one = row("bkk-01", Some(10), None);
        one.safety_stock = Some(4);
        assert_eq!(salable(&rule, &[one.clone()], 0)[0].1, 6);
        rule.kept.insert("A".to_owned(), 9);
        assert_eq!(salable(&rule, &[one], 0)[0].1, 1);
    }

    #[test]
    fn terms_read_as_the_sum_they_are() {
        let mut rule = rule();
        (rule.offer.share, rule.offer.maximum) = (Decimal::new(8, 1), 4);
        rule.online_orders = OnlineOrders::Subtract;
        let rows = [
            row("bkk-02", Some(5), Some(1)),
            row("cnx-01", Some(9), None),
        ];
        let terms = rule.targets("A", &rows, 1);
        assert_eq!(
            terms[0].words(),
            "bkk-02 5 - 1 - 2 = 2; cnx-01 9 - 2 = 7; offered 7 of 9; online orders - 1; shown 4"
        );
    }

    #[test]
    fn extreme_counts_do_not_overflow() {
        let rows = [
            row("bkk-02", Some(i64::MAX), None),
            row("cnx-01", Some(i64::MAX), Some(i64::MAX)),
        ];
        let mut rule = rule();
        rule.offer.share = Decimal::new(50, 2);
        assert_eq!(salable(&rule, &rows, i64::MAX).len(), 1);
        rule.online_orders = OnlineOrders::Subtract;
        assert_eq!(salable(&rule, &rows, i64::MAX)[0].1, 0);
        assert_eq!(
            salable(&rule, &[row("bkk-01", Some(i64::MIN), Some(i64::MAX))], 0)[0].1,
            0
        );
    }
}
