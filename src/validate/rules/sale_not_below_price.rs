//! `sale-not-below-price`: a sale price is not below the price.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "sale-not-below-price",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a sale price is not below the price",
    checks: "`sale_price` must be lower than `price` in the same currency. One that is not is left out, and the price stands alone.",
    why: "A sale that saves nothing is refused by channels, and in many countries by law.",
    fires: &[(
        "catalog.csv",
        r"sku,price,sale_price
A-1,9.50,12.00
",
    )],
    instead: "Correct one of the two. After a sale the cell is best left empty.",
    passes: &[(
        "catalog.csv",
        r"sku,price,sale_price
A-1,12.00,9.50
",
    )],
};
