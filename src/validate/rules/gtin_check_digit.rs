//! `gtin-check-digit`: a GTIN fails its check digit.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "gtin-check-digit",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a GTIN fails its check digit",
    checks: "The last digit of a GTIN (EAN, UPC, ISBN) follows from the others. Where it does not, a digit was mistyped.",
    why: "Channels refuse the item or show it beside another maker's product. The number counts as absent; where a channel must have it, the item is withheld.",
    fires: &[(
        "catalog.csv",
        r"sku,gtin
A-1,4006381333932
",
    )],
    instead: "Compare with the number under the barcode, or leave the cell empty.",
    passes: &[(
        "catalog.csv",
        r"sku,gtin
A-1,4006381333931
",
    )],
};
