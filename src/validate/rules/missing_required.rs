//! `missing-required`: a value that the channel must have is missing.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "missing-required",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value that the channel must have is missing",
    checks: "An attribute that the channel requires, always or under its `required_if`, came out empty.",
    why: "The channel would refuse the item, and some refuse the whole file. It is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title
A-1,
",
        ),
        (
            "channel.toml",
            r#"[attributes.title]
value = "{{title}}"
required = true
"#,
        ),
    ],
    instead: "Fill the column the attribute is made from, or give it another mapping in [feed.fields]. `shelfcast explain --sku` shows where the value was lost.",
    passes: &[
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
required = true
"#,
        ),
    ],
};
