//! `duplicate-id`: two items have the same identifier.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "duplicate-id",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "two items have the same identifier",
    checks: "An attribute that the channel declares `unique` may have each value once in a feed. The first item is taken, the others are withheld.",
    why: "Channels keep one of the two and do not say which: prices and stock then belong to the wrong product.",
    fires: &[(
        "catalog.csv",
        r"sku,title
A-1,Bowl
A-1,Plate
",
    )],
    instead: "Give each variant a number of its own, or take one row out.",
    passes: &[(
        "catalog.csv",
        r"sku,title
A-1,Bowl
A-2,Plate
",
    )],
};
