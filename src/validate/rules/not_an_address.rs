//! `not-an-address`: a value is no web address.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "not-an-address",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value is no web address",
    checks: "An attribute of kind `url` or `image-url` must be an absolute http or https address. Spaces and letters in its path are encoded; a missing host is not invented.",
    why: "A link that leads nowhere loses the click that was paid for, and an image that cannot be fetched withholds the product at most channels.",
    fires: &[
        (
            "catalog.csv",
            r"sku,url
A-1,/p/bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.link]
value = "{{url}}"
kind = "url"
"#,
        ),
    ],
    instead: "Give the whole address, or put the shop's before the path in [feed.fields]: `{{shop.url}}{{url}}`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,url
A-1,https://shop.example/p/bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.link]
value = "{{url}}"
kind = "url"
"#,
        ),
    ],
};
