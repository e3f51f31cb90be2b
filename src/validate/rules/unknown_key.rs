//! `unknown-key`: a row of a joined source belongs to no product.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unknown-key",
    severity: Severity::Warning,
    harm: Harm::Untidy,
    title: "a row of a joined source belongs to no product",
    checks: "Each key of a joined source should be met in the master source.",
    why: "The row has no effect. A few are left-overs of products that went; many mean that the two systems write the SKU differently, and then prices or stock are missing.",
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
A-2,9.50
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
    instead: "Correct the key, add the product, or take the row out. Where only the spelling differs, bring both to one in [source.fields].",
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
