//! `not-allowed`: a value is not among those the channel knows.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "not-allowed",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value is not among those the channel knows",
    checks: "An attribute with `one_of` must come out as one of those words, after the channel's own `map`.",
    why: "The channel would refuse the item. It is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,energy
A-1,A+++
",
        ),
        (
            "channel.toml",
            r#"[attributes.energy_class]
value = "{{energy}}"
one_of = ["A", "B", "C"]
"#,
        ),
    ],
    instead: "Correct the value, or translate it in [feed.fields] with a mapping table: `{{map \"mappings/energy.csv\" energy}}`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,energy
A-1,A
",
        ),
        (
            "channel.toml",
            r#"[attributes.energy_class]
value = "{{energy}}"
one_of = ["A", "B", "C"]
"#,
        ),
    ],
};
