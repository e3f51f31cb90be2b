//! `gtin-spreadsheet`: a GTIN was ruined by a spreadsheet.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "gtin-spreadsheet",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a GTIN was ruined by a spreadsheet",
    checks: "Spreadsheets take long numbers for quantities: they drop leading zeros and write `4.00638E+12`, whose last digits are gone.",
    why: "What is left is another number or none. It counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,gtin
A-1,4.00638E+12
",
    )],
    instead: "Format the column as text before the numbers are entered or the file is opened, and export again.",
    passes: &[(
        "catalog.csv",
        r"sku,gtin
A-1,4006381333931
",
    )],
};
