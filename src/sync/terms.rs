//! The terms of the formula for one pair, as they were read and what came of them: what `explain`, `stock` and plans show.
//!
//! `salable = clamp(floor(share x sum over locations of max(0, on_hand - committed - safety_stock)) - online_open, minimum,
//! maximum)`. The terms are a record of the computation, made by what decides; they decide nothing.

use rust_decimal::Decimal;

use crate::config::project::Basis;

use super::level::Mark;

/// Where a number comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source's name.
    pub source: String,
    /// Its file or database, as messages name it; empty where the state alone knows the number.
    pub place: String,
    /// The row, from 1 with the header; 0 where it is not known.
    pub line: u64,
    /// The column; empty where it is not known.
    pub column: String,
}

/// One of our locations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocationTerm {
    /// Our code for it.
    pub location: String,
    /// The count of the source's basis, as it was read; absent where no row or no number was given.
    pub quantity: Option<i64>,
    /// Units promised to orders; 0 where the basis has them off already.
    pub committed: i64,
    /// Units kept back.
    pub safety_stock: i64,
    /// Who says so: `safety_stock`, `column x`, `keep 2`; empty where nothing is kept back.
    pub safety_from: String,
    /// What it adds: never below 0.
    pub part: i64,
    /// What orders the observation.
    pub mark: Mark,
    /// Where it was read.
    pub origin: Origin,
}

/// The terms of one pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// What the source counts.
    pub basis: Basis,
    /// Our locations that the place takes from, in the project's order.
    pub locations: Vec<LocationTerm>,
    /// The sum of their parts.
    pub sum: i64,
    /// The part that is offered; 1 is all.
    pub share: Decimal,
    /// The sum times the share, floored.
    pub shared: i64,
    /// Units of open online orders that are taken off.
    pub online_open: i64,
    /// Never fewer than this; 0 where the sync says nothing.
    pub minimum: i64,
    /// Never more than this; the sync's or the store's.
    pub maximum: i64,
    /// What the store should say; absent while no location gives a number.
    pub salable: Option<i64>,
}

impl Terms {
    /// The sum in a few words, such as `bkk-01 5 - 1 - 2 = 2; bkk-02 7; x 80% = 7; online - 1; = 6`. Codes of locations
    /// are data: clean it before it is shown.
    pub fn words(&self) -> String {
        let mut said: Vec<String> = self.locations.iter().map(LocationTerm::words).collect();
        if self.share != Decimal::ONE {
            let percent = (self.share * Decimal::ONE_HUNDRED).normalize();
            said.push(format!("x {percent}% = {}", self.shared));
        }
        if self.online_open != 0 {
            said.push(format!("online orders - {}", self.online_open));
        }
        let before = self.shared.saturating_sub(self.online_open);
        if before > self.maximum {
            said.push(format!("at most {}", self.maximum));
        } else if before < self.minimum {
            said.push(format!("at least {}", self.minimum));
        }
        said.join("; ")
    }
}

impl LocationTerm {
    fn words(&self) -> String {
        let Some(quantity) = self.quantity else {
            return format!("{} -", self.location);
        };
        let mut words = format!("{} {quantity}", self.location);
        for taken in [self.committed, self.safety_stock] {
            if taken != 0 {
                words.push_str(&format!(" - {taken}"));
            }
        }
        if self.part != quantity {
            words.push_str(&format!(" = {}", self.part));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_read_as_the_sum_they_are() {
        let location = |code: &str, quantity, committed, safety_stock, part| LocationTerm {
            location: code.to_owned(),
            quantity,
            committed,
            safety_stock,
            part,
            ..LocationTerm::default()
        };
        let mut terms = Terms {
            basis: Basis::OnHand,
            locations: vec![
                location("bkk-01", Some(5), 1, 2, 2),
                location("bkk-02", Some(7), 0, 0, 7),
                location("cnx", None, 0, 0, 0),
            ],
            sum: 9,
            share: Decimal::new(8, 1),
            shared: 7,
            online_open: 1,
            minimum: 0,
            maximum: 5,
            salable: Some(5),
        };
        assert_eq!(
            terms.words(),
            "bkk-01 5 - 1 - 2 = 2; bkk-02 7; cnx -; x 80% = 7; online orders - 1; at most 5"
        );
        terms.locations = vec![location("bkk-01", Some(-2), 0, 0, 0)];
        (terms.share, terms.shared, terms.online_open) = (Decimal::ONE, 0, 0);
        assert_eq!(terms.words(), "bkk-01 -2 = 0");
    }
}
