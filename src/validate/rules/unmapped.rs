//! `unmapped`: a value has no row in a mapping table.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unmapped",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a value has no row in a mapping table",
    checks: "`{{map}}` looks a value up by its longest matching beginning. Values that match nothing are listed, each once, with how often it was asked for.",
    why: "The attribute is empty. Items without the channel's category are shown less, or not at all.",
    fires: &[
        (
            "catalog.csv",
            r"sku,category
A-1,Garden > Pots
",
        ),
        (
            "mappings/categories.csv",
            r"ours,theirs
Kitchen,668
",
        ),
        (
            "channel.toml",
            r#"[attributes.category]
value = "{{map 'mappings/categories.csv' category}}"
"#,
        ),
    ],
    instead: "Add a row with the value, or with the beginning that it shares with others.",
    passes: &[
        (
            "catalog.csv",
            r"sku,category
A-1,Kitchen > Bowls
",
        ),
        (
            "mappings/categories.csv",
            r"ours,theirs
Kitchen,668
",
        ),
        (
            "channel.toml",
            r#"[attributes.category]
value = "{{map 'mappings/categories.csv' category}}"
"#,
        ),
    ],
};
