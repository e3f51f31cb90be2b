//! `gtin-invalid`: a GTIN is not a number of 8, 12, 13 or 14 digits.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "gtin-invalid",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a GTIN is not a number of 8, 12, 13 or 14 digits",
    checks: "A GTIN has 8, 12, 13 or 14 digits, not all zeros. Spaces and hyphens between them are taken out.",
    why: "Channels refuse it. The number counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,gtin
A-1,N/A 123
",
    )],
    instead: "Write the number under the barcode. The maker's own part number belongs into `mpn`, the shop's into `sku`.",
    passes: &[(
        "catalog.csv",
        r"sku,gtin,mpn
A-1,,N/A 123
",
    )],
};
