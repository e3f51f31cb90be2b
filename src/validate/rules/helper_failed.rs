//! `helper-failed`: a helper could not work on a value.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "helper-failed",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a helper could not work on a value",
    checks: "A helper in a mapping, such as `{{mul}}` or `{{date}}`, was given a value it cannot work on.",
    why: "What it would have made is unknown, so the item is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,pack
A-1,a dozen
",
        ),
        (
            "channel.toml",
            r#"[attributes.pieces]
value = "{{mul pack 2}}"
"#,
        ),
    ],
    instead: "Correct the value, or guard the mapping with `{{#if}}` or `{{default}}`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,pack
A-1,12
",
        ),
        (
            "channel.toml",
            r#"[attributes.pieces]
value = "{{mul pack 2}}"
"#,
        ),
    ],
};
