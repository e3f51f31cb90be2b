//! `bad-record`: a record cannot be read.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "bad-record",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a record cannot be read",
    checks: "A line of NDJSON must be one whole JSON object, an element of a JSON list must be an object, and a database's text must be UTF-8.",
    why: "The record is left out, and its products are missing in every feed.",
    fires: &[(
        "catalog.ndjson",
        r#"{"sku": "A-1", "title": "Bowl"}
{"sku": "A-2", "title": "Plate"
{"sku": "A-3", "title": "Cup"}
"#,
    )],
    instead: "Correct the record where it is made. If every line fails, the file is another format: set `format` on the source.",
    passes: &[(
        "catalog.ndjson",
        r#"{"sku": "A-1", "title": "Bowl"}
{"sku": "A-2", "title": "Plate"}
{"sku": "A-3", "title": "Cup"}
"#,
    )],
};
