//! `nul-byte`: a cell holds a NUL byte.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "nul-byte",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a cell holds a NUL byte",
    checks: "Text has no NUL bytes; a record with one is left out.",
    why: "NUL bytes come from a damaged disk, a database export cut short, or a UTF-16 file taken for UTF-8. What else is wrong with the record cannot be known.",
    fires: &[(
        "catalog.csv",
        "sku,title,price\nA-1,Bo\u{0}wl,9.50\nA-2,Plate,7.00\n",
    )],
    instead: "Export the file again. If every second byte is NUL, set `encoding = \"utf-16\"` on the source.",
    passes: &[(
        "catalog.csv",
        r"sku,title,price
A-1,Bowl,9.50
A-2,Plate,7.00
",
    )],
};
