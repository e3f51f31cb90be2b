//! `measure-invalid`: a weight or length cannot be read.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "measure-invalid",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a weight or length cannot be read",
    checks: "A measure is a number, with a unit or in the unit that `units` declares for bare numbers, and not below zero.",
    why: "Shipping costs follow from weights. The measure counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,weight
A-1,2 bags
",
    )],
    instead: "Write a number with a unit such as `500 g`; the hint lists the units.",
    passes: &[(
        "catalog.csv",
        r"sku,weight
A-1,500 g
",
    )],
};
