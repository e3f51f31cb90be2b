//! `unknown-age-group`: an age group is written in a way that is not known.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unknown-age-group",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "an age group is written in a way that is not known",
    checks: "`age_group` is brought to one spelling from many languages' words. A word that is not among them counts as absent.",
    why: "Clothes without it are left out of filtered searches, and some channels refuse them.",
    fires: &[(
        "catalog.csv",
        r"sku,age_group
A-1,grown
",
    )],
    instead: "Write one of the words the hint lists, or translate the column in [source.fields] with a mapping table.",
    passes: &[(
        "catalog.csv",
        r"sku,age_group
A-1,adult
",
    )],
};
