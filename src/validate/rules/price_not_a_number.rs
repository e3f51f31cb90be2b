//! `price-not-a-number`: a price cannot be read.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "price-not-a-number",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a price cannot be read",
    checks: "A price is one amount, with or without its currency. An attribute of kind `money` must come out as one.",
    why: "Without a price the product cannot be sold: channels that require one withhold it with `no-price-in-currency`.",
    fires: &[(
        "catalog.csv",
        r"sku,price
A-1,on request
",
    )],
    instead: "Write an amount such as `12.50`, or leave the cell empty. A lower price goes into `sale_price`, another currency into a column such as `price.PLN`.",
    passes: &[(
        "catalog.csv",
        r"sku,price
A-1,12.50
",
    )],
};
