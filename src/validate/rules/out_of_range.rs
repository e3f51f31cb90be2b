//! `out-of-range`: a number is less or more than the channel takes.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "out-of-range",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a number is less or more than the channel takes",
    checks: "An attribute with `range` must be a number from the first to the second, money included.",
    why: "The channel would refuse the price or quantity, and the item with it. It is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title,quantity
A-1,Bowl,1200
",
        ),
        (
            "channel.toml",
            r#"[attributes.amount]
value = "{{quantity}}"
kind = "integer"
range = [0, 999]
"#,
        ),
    ],
    instead: "Correct it where it is kept; or offer less in [feed.fields], or leave such items out with `where`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,title,quantity
A-1,Bowl,999
",
        ),
        (
            "channel.toml",
            r#"[attributes.amount]
value = "{{quantity}}"
kind = "integer"
range = [0, 999]
"#,
        ),
    ],
};
