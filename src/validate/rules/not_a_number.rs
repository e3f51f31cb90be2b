//! `not-a-number`: a value is no number.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "not-a-number",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a value is no number",
    checks: "Columns and attributes that count or measure must hold a number: digits with a point, whole where whole units are counted.",
    why: "A cell that is no number is taken for absent; an attribute that is none withholds the item, because the channel would refuse it.",
    fires: &[(
        "catalog.csv",
        r"sku,tax_rate
A-1,reduced
",
    )],
    instead: "Write digits, or leave the cell empty. An attribute is brought into form with `{{number x}}` or `{{round x}}`.",
    passes: &[(
        "catalog.csv",
        r"sku,tax_rate
A-1,7
",
    )],
};
