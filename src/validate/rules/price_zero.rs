//! `price-zero`: a price is nothing.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "price-zero",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a price is nothing",
    checks: "A price of 0 is taken for a price that is not there.",
    why: "It is nearly always a price nobody has entered yet; shown as it stands, somebody orders for nothing.",
    fires: &[(
        "catalog.csv",
        r"sku,price
A-1,0.00
",
    )],
    instead: "Enter the price, or leave the cell empty until there is one.",
    passes: &[(
        "catalog.csv",
        r"sku,price
A-1,9.50
",
    )],
};
