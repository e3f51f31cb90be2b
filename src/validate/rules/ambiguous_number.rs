//! `ambiguous-number`: a number may be read two ways.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "ambiguous-number",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a number may be read two ways",
    checks: "`1.500` is one and a half in one country and fifteen hundred in another. Where neither the source's `locale` nor the number itself decides, it is not guessed.",
    why: "A price wrong by a factor of a thousand is the most expensive mistake a feed can make. The value counts as absent until it is clear.",
    fires: &[(
        "catalog.csv",
        r"sku,price
A-1,1.500
",
    )],
    instead: "Declare how the source writes numbers, once, with `locale`, or export plain digits with a point.",
    passes: &[
        (
            "catalog.csv",
            r"sku,price
A-1,1.500
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "products"
path = "catalog.csv"
locale = "de"
"#,
        ),
    ],
};
