//! `date-adjusted`: a date was read with an adjustment.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "date-adjusted",
    severity: Severity::Warning,
    harm: Harm::Untidy,
    title: "a date was read with an adjustment",
    checks: "A time in the hour that the clocks skip or repeat, and a year of the Buddhist era, are read as the message says.",
    why: "The reading is the usual one, but it is a reading: a sale may begin an hour or 543 years from what was meant.",
    fires: &[(
        "catalog.csv",
        r"sku,price,sale_price,sale_starts
A-1,9.50,8.00,2026-03-29T02:30
",
    )],
    instead: "Write the offset, such as `2026-03-29T03:30:00+02:00`, and years of the common era.",
    passes: &[(
        "catalog.csv",
        r"sku,price,sale_price,sale_starts
A-1,9.50,8.00,2026-03-29T03:30:00+02:00
",
    )],
};
