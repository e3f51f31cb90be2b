//! `gtin-restricted`: a GTIN is from a range for use inside one company.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "gtin-restricted",
    severity: Severity::Warning,
    harm: Harm::Poorer,
    title: "a GTIN is from a range for use inside one company",
    checks: "Numbers that begin with 2 or 02, 04 and the coupon ranges are given out by each shop for itself, for weighed goods and coupons.",
    why: "Elsewhere the same number means something else, so channels refuse it. It counts as absent.",
    fires: &[(
        "catalog.csv",
        r"sku,gtin
A-1,2000000000008
",
    )],
    instead: "Leave it empty and give `brand` and `mpn`, unless the maker's own number is known.",
    passes: &[(
        "catalog.csv",
        r"sku,brand,mpn
A-1,Example,B-77
",
    )],
};
