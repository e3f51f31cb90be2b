//! `date-invalid`: a date cannot be read.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "date-invalid",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a date cannot be read",
    checks: "Dates are read as `YYYY-MM-DD`, with or without a time and its offset, and in the notations of the source's `locale`. `03/04/2026` without one may be two days, and is not guessed.",
    why: "A sale whose dates cannot be read begins or ends at the wrong moment, so the date counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,price,sale_price,sale_starts
A-1,9.50,8.00,03/04/2026
",
    )],
    instead: "Declare the source's `locale` with its region, such as `en-GB`, or write `YYYY-MM-DD`.",
    passes: &[(
        "catalog.csv",
        r"sku,price,sale_price,sale_starts
A-1,9.50,8.00,2026-04-03
",
    )],
};
