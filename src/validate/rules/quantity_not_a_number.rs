//! `quantity-not-a-number`: a stock level cannot be read.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "quantity-not-a-number",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a stock level cannot be read",
    checks: "A quantity is a whole number of units. `10+`, `yes`, `0.5` and `#REF!` are none; of `10+` the lowest possible number counts, the others count as absent.",
    why: "Absent is not zero: the availability then follows from nothing, and channels that need it withhold the item.",
    fires: &[(
        "catalog.csv",
        r"sku,on_hand
A-1,yes
",
    )],
    instead: "Export numbers. A column that says yes or no is mapped to `availability` in [source.fields].",
    passes: &[(
        "catalog.csv",
        r"sku,availability
A-1,yes
",
    )],
};
