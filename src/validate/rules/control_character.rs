//! `control-character`: a text held control characters.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "control-character",
    severity: Severity::Warning,
    harm: Harm::Untidy,
    title: "a text held control characters",
    checks: "Control characters other than tab and line break exist in no feed format. They are dropped and counted.",
    why: "They come from copied documents and broken exports; often a letter is missing beside them.",
    fires: &[("catalog.csv", "sku,title\nA-1,Bo\u{7}wl\n")],
    instead: "Clean the text where it is kept.",
    passes: &[(
        "catalog.csv",
        r"sku,title
A-1,Bowl
",
    )],
};
