//! `oversized-cell`: a cell is larger than any real text.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "oversized-cell",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a cell is larger than any real text",
    checks: "A cell may hold a limited number of bytes; the message names the limit.",
    why: "Such a cell is almost always a quote that was opened and never closed, so that the rest of the file became one text. The record is left out, and the rows it swallowed with it.",
    fires: &[],
    instead: "Look at the quotes on the line that is named, and close or double the odd one: a quote inside a quoted cell is written twice.",
    passes: &[(
        "catalog.csv",
        r#"sku,title
A-1,"Shelf, 24"" wide"
"#,
    )],
};
