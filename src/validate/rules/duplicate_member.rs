//! `duplicate-member`: a JSON object names the same member twice.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "duplicate-member",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a JSON object names the same member twice",
    checks: "Within one object of a JSON or NDJSON source each member stands once.",
    why: "Readers disagree on which of the two counts. With two prices, one of them is wrong, so the record is left out.",
    fires: &[(
        "catalog.ndjson",
        r#"{"sku": "A-1", "price": 9.50}
{"sku": "A-2", "price": 7.00, "price": 8.00}
"#,
    )],
    instead: "Leave one of them, or make the values one list.",
    passes: &[(
        "catalog.ndjson",
        r#"{"sku": "A-1", "price": 9.50}
{"sku": "A-2", "price": 7.00}
"#,
    )],
};
