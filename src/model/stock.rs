//! The arithmetic of stock that feeds and syncs share: counts in, what may be sold out. Whole units, never below zero before
//! the limits, and no sum wraps around.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Units free at one of our locations: `max(0, quantity - committed - kept)`; what is promised or kept back counts from 0 on.
pub fn free(quantity: i64, committed: i64, kept: i64) -> i64 {
    quantity
        .saturating_sub(committed.max(0))
        .saturating_sub(kept.max(0))
        .max(0)
}

/// How much of what is free an online location shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The part that is offered, from 0 to 1.
    pub share: Decimal,
    /// Never fewer than this.
    pub minimum: i64,
    /// Never more than this; the minimum counts where it is above.
    pub maximum: i64,
}

impl Offer {
    /// The whole units of `sum` that are offered: `floor(share x sum)`.
    pub fn shared(&self, sum: i64) -> i64 {
        if self.share == Decimal::ONE {
            return sum;
        }
        self.share
            .checked_mul(Decimal::from(sum))
            .and_then(|part| part.floor().to_i64())
            .unwrap_or(sum)
            .clamp(0, sum.max(0))
    }

    /// What is shown: `clamp(shared - open, minimum, maximum)`, with `open` units in online orders that the counts still
    /// contain.
    pub fn shown(&self, shared: i64, open: i64) -> i64 {
        shared
            .saturating_sub(open)
            .clamp(self.minimum, self.maximum.max(self.minimum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_twice_or_below_zero() {
        assert_eq!(free(10, 3, 2), 5);
        assert_eq!(free(3, 3, 2), 0);
        assert_eq!(free(-4, 0, 0), 0);
        assert_eq!(free(5, -3, -2), 5);
        assert_eq!(free(i64::MIN, i64::MAX, i64::MAX), 0);
    }

    #[test]
    fn a_part_is_floored_and_limits_hold() {
        let offer = Offer {
            share: Decimal::new(8, 1),
            minimum: 0,
            maximum: 50,
        };
        assert_eq!(offer.shared(9), 7);
        assert_eq!(offer.shared(-9), 0);
        assert_eq!(offer.shown(7, 2), 5);
        assert_eq!(offer.shown(7, 20), 0);
        assert_eq!(offer.shown(700, 20), 50);
        let odd = Offer {
            minimum: 5,
            maximum: 1,
            ..offer
        };
        assert_eq!(
            odd.shown(0, 0),
            5,
            "the minimum is said to be never undercut"
        );
    }
}
