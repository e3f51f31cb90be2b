//! `price-negative`: a price is below zero.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "price-negative",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a price is below zero",
    checks: "An amount to pay cannot be below zero.",
    why: "It is usually a discount in the wrong column. The price counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,price
A-1,-2.00
",
    )],
    instead: "Write the amount to pay; a reduced one goes into `sale_price`.",
    passes: &[(
        "catalog.csv",
        r"sku,price,sale_price
A-1,12.00,10.00
",
    )],
};
