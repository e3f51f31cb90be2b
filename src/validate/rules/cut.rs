//! `cut`: a text was cut to the length the channel takes.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "cut",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a text was cut to the length the channel takes",
    checks: "A text over the channel's `max_length` is cut at the end of a word where there is one, never inside a letter, Thai included.",
    why: "What shoppers read ends early; what stood at the end (size, colour, a warning) is gone.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title
A-1,A blue bowl with a long name
",
        ),
        (
            "channel.toml",
            r#"[attributes.title]
value = "{{title}}"
max_length = { characters = 12 }
overflow = "cut"
"#,
        ),
    ],
    instead: "Write a shorter text, with what matters first, or choose where to cut with `{{truncate title 12}}` in [feed.fields].",
    passes: &[
        (
            "catalog.csv",
            r"sku,title
A-1,A blue bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.title]
value = "{{title}}"
max_length = { characters = 12 }
overflow = "cut"
"#,
        ),
    ],
};
