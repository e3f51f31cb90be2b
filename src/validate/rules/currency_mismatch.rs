//! `currency-mismatch`: a price is in another currency than its column.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "currency-mismatch",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a price is in another currency than its column",
    checks: "An amount that names a currency must name the one its column is in: the source's `currency`, or the suffix as in `price.PLN`.",
    why: "Nothing is converted. Taken as it stands, 12 dollars would become 12 euros, so the price counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,price
A-1,12.00 USD
",
    )],
    instead: "Set `currency` on the source, or keep the amounts of each currency in a column of their own.",
    passes: &[(
        "catalog.csv",
        r"sku,price,price.USD
A-1,11.00,12.00 USD
",
    )],
};
