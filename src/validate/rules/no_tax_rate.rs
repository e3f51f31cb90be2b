//! `no-tax-rate`: a price cannot go from net to gross without its tax rate.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "no-tax-rate",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a price cannot go from net to gross without its tax rate",
    checks: "Where a source's prices are net and a channel's gross, or the other way, the price is converted by the record's `tax_rate`.",
    why: "A price without its tax would be a price that nobody can charge. The item is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,price
A-1,9.50
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "products"
path = "catalog.csv"
prices = "net"
"#,
        ),
    ],
    instead: "Fill the column `tax_rate` (in percent), or set it for the whole source in [source.defaults].",
    passes: &[
        (
            "catalog.csv",
            r"sku,price,tax_rate
A-1,9.50,7
",
        ),
        (
            "shelfcast.toml",
            r#"[[source]]
name = "products"
path = "catalog.csv"
prices = "net"
"#,
        ),
    ],
};
