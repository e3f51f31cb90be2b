//! `no-price-in-currency`: there is no price in the feed's currency.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "no-price-in-currency",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "there is no price in the feed's currency",
    checks: "A required amount of money came out empty: the record has no price in the currency that the feed is in.",
    why: "Nothing is converted behind your back: a rate of today in a feed of tomorrow is a wrong price. The item is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,price
A-1,9.50
",
        ),
        (
            "channel.toml",
            r#"[attributes.price]
value = "{{money price}}"
kind = "money"
required = true
"#,
        ),
        (
            "shelfcast.toml",
            r#"[[feed]]
name = "poland"
channel = "example"
currency = "PLN"
"#,
        ),
    ],
    instead: "Give the price in that currency: a column `price.PLN`, or a joined source with `currency = \"PLN\"`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,price,price.PLN
A-1,9.50,41.90
",
        ),
        (
            "channel.toml",
            r#"[attributes.price]
value = "{{money price}}"
kind = "money"
required = true
"#,
        ),
        (
            "shelfcast.toml",
            r#"[[feed]]
name = "poland"
channel = "example"
currency = "PLN"
"#,
        ),
    ],
};
