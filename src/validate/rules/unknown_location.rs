//! `unknown-location`: stock lies at a location the project does not know.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unknown-location",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "stock lies at a location the project does not know",
    checks: "Each location that stock rows name should be a [[location]] of the project, by its `code`. Where the project lists none, any will do.",
    why: "Feeds and syncs that name their locations leave such stock out, so goods that lie there are told as sold out.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Bowl
",
        ),
        (
            "stock.csv",
            r"sku,location,on_hand
A-1,mite,3
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "stock"
path = "stock.csv"
role = "stock"
basis = "on_hand"
[[location]]
code = "mitte"
"#,
        ),
    ],
    instead: "Add a [[location]] with this code, or correct the rows.",
    passes: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Bowl
",
        ),
        (
            "stock.csv",
            r"sku,location,on_hand
A-1,mitte,3
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "stock"
path = "stock.csv"
role = "stock"
basis = "on_hand"
[[location]]
code = "mitte"
"#,
        ),
    ],
};
