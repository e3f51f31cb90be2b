//! `unknown-availability`: an availability is written in a way that is not known.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unknown-availability",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "an availability is written in a way that is not known",
    checks: "`availability` is brought to one spelling from many languages' words. A word that is not among them counts as absent.",
    why: "Without it the availability follows from the quantity, and where there is none the channels that need it withhold the item.",
    fires: &[(
        "catalog.csv",
        r"sku,availability
A-1,ask us
",
    )],
    instead: "Write one of the words the hint lists, or translate the column in [source.fields] with a mapping table.",
    passes: &[(
        "catalog.csv",
        r"sku,availability
A-1,in stock
",
    )],
};
