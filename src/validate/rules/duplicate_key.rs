//! `duplicate-key`: a key stands twice in a source of one row a key.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "duplicate-key",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a key stands twice in a source of one row a key",
    checks: "A joined source without a role has one row a key. The first row counts, the others are ignored.",
    why: "Two rows usually mean two answers, an old price and a new one, and the first is not always the right one.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Bowl
",
        ),
        (
            "prices.csv",
            r"sku,price
A-1,9.50
A-1,8.00
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "prices"
path = "prices.csv"
join = "sku"
"#,
        ),
    ],
    instead: "Keep one row a key. Stock with many rows a SKU is declared with `role = \"stock\"`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Bowl
",
        ),
        (
            "prices.csv",
            r"sku,price
A-1,9.50
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "prices"
path = "prices.csv"
join = "sku"
"#,
        ),
    ],
};
