//! `too-short`: a value is shorter than the channel takes.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "too-short",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value is shorter than the channel takes",
    checks: "An attribute with `min_length` must have that many letters at least, in the measure that the channel counts in.",
    why: "Channels refuse titles and texts that say too little. The item is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.title]
value = "{{title}}"
min_length = { characters = 10 }
"#,
        ),
    ],
    instead: "Write a longer one where it is kept, or put more together in [feed.fields], such as brand, title and colour.",
    passes: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Stoneware bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.title]
value = "{{title}}"
min_length = { characters = 10 }
"#,
        ),
    ],
};
