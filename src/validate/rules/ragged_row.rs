//! `ragged-row`: a row has more or fewer cells than the header.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "ragged-row",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a row has more or fewer cells than the header",
    checks: "Each row of a CSV or TSV file must have as many cells as the first row has names.",
    why: "Nobody can tell which cell belongs to which column, so the row is left out whole: a price that slid into the stock column would be worse than none. Its products are missing in every feed.",
    fires: &[(
        "catalog.csv",
        r"sku,title,price
A-1,Bowl, blue,9.50
A-2,Plate,7.00
",
    )],
    instead: "Put quotes round a cell that holds the delimiter or a line break. If many rows are ragged, the source's `delimiter` or `quote` is wrong.",
    passes: &[(
        "catalog.csv",
        r#"sku,title,price
A-1,"Bowl, blue",9.50
A-2,Plate,7.00
"#,
    )],
};
