//! `list-as-text`: a list stands where one value belongs.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "list-as-text",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a list stands where one value belongs",
    checks: "A list column, such as `images` or `tags`, cannot be an attribute or part of a text as it is.",
    why: "No channel understands a list printed into one value, and the one that would take it would show it to shoppers.",
    fires: &[
        (
            "catalog.csv",
            r"sku,images
A-1,https://shop.example/1.jpg|https://shop.example/2.jpg
",
        ),
        (
            "channel.toml",
            r#"[attributes.picture]
value = "{{images}}"
"#,
        ),
    ],
    instead: "Take one element with `{{first images}}`, join them with `{{join images \", \"}}`, or make the attribute a list with `list = \"images\"`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,images
A-1,https://shop.example/1.jpg|https://shop.example/2.jpg
",
        ),
        (
            "channel.toml",
            r#"[attributes.picture]
value = "{{first images}}"
"#,
        ),
    ],
};
