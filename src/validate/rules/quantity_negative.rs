//! `quantity-negative`: a stock level is below zero.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "quantity-negative",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a stock level is below zero",
    checks: "Units on hand cannot be fewer than none.",
    why: "More was sold than was there, or a delivery was not booked. Sums over locations take the figure as it stands, so that other shops' units are not sold twice.",
    fires: &[(
        "catalog.csv",
        r"sku,on_hand
A-1,-2
",
    )],
    instead: "Count and correct the stock.",
    passes: &[(
        "catalog.csv",
        r"sku,on_hand
A-1,0
",
    )],
};
