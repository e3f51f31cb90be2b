//! `unknown-condition`: a condition is written in a way that is not known.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unknown-condition",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a condition is written in a way that is not known",
    checks: "`condition` is brought to one spelling from many languages' words. A word that is not among them counts as absent.",
    why: "Channels take a product without a condition for new; a used one sold as new comes back.",
    fires: &[(
        "catalog.csv",
        r"sku,condition
A-1,fine
",
    )],
    instead: "Write one of the words the hint lists, or translate the column in [source.fields] with a mapping table.",
    passes: &[(
        "catalog.csv",
        r"sku,condition
A-1,used
",
    )],
};
