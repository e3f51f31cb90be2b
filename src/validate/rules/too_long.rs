//! `too-long`: a value is longer than the channel takes.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "too-long",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value is longer than the channel takes",
    checks: "An attribute with `max_length` and `overflow = \"withhold\"` must fit it, in the measure that the channel counts in.",
    why: "An identifier or address cut short is another identifier. The item is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,part
A-1,ABCDEFGH-0001
",
        ),
        (
            "channel.toml",
            r#"[attributes.mpn]
value = "{{part}}"
max_length = { characters = 10 }
overflow = "withhold"
"#,
        ),
    ],
    instead: "Shorten it where it is kept. Where cutting does no harm, cut it in [feed.fields] with `{{truncate part 10}}`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,part
A-1,ABCD-0001
",
        ),
        (
            "channel.toml",
            r#"[attributes.mpn]
value = "{{part}}"
max_length = { characters = 10 }
overflow = "withhold"
"#,
        ),
    ],
};
