//! `not-a-boolean`: a value is neither yes nor no.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "not-a-boolean",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value is neither yes nor no",
    checks: "An attribute of kind `boolean` must come out as `true` or `false` (`yes`, `no`, `1` and `0` are read too).",
    why: "The channel would refuse the item. It is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,bundle
A-1,sometimes
",
        ),
        (
            "channel.toml",
            r#"[attributes.is_bundle]
value = "{{bundle}}"
kind = "boolean"
"#,
        ),
    ],
    instead: "Write `true` or `false`, or decide it in the mapping: `{{eq bundle \"sometimes\"}}`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,bundle
A-1,yes
",
        ),
        (
            "channel.toml",
            r#"[attributes.is_bundle]
value = "{{bundle}}"
kind = "boolean"
"#,
        ),
    ],
};
