//! `missing-key`: a row of a joined source has no key.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "missing-key",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a row of a joined source has no key",
    checks: "Each row of a joined source needs a value in the column it is joined by, `sku` unless `join` says otherwise.",
    why: "Nobody can tell whose price or stock it is, so the row has no effect: a product may be shown without its price, or with an old one.",
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
,9.50
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
    instead: "Fill the column, or take the row out. If every row fails, the column has another name: set `join`, or map it in [source.fields].",
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
