//! `rule-type`: a condition compares things that cannot be compared.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "rule-type",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a condition compares things that cannot be compared",
    checks: "In `where` and `required_if` a text that is no number cannot be compared with a number, a list is no text, and nothing is divided by zero.",
    why: "A filter that cannot be answered is not taken for a no: leaving products out silently is how shops lose them. The item is withheld and shown.",
    fires: &[
        (
            "catalog.csv",
            r"sku,stars
A-1,many
",
        ),
        (
            "shelfcast.toml",
            r#"[[feed]]
name = "best"
channel = "example"
where = "stars > 3"
"#,
        ),
    ],
    instead: "Correct the value, or guard the condition: `has(stars) && stars > 3`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,stars
A-1,4
",
        ),
        (
            "shelfcast.toml",
            r#"[[feed]]
name = "best"
channel = "example"
where = "stars > 3"
"#,
        ),
    ],
};
