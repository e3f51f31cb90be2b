//! `wrong-form`: a value does not look as the channel wants it.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "wrong-form",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a value does not look as the channel wants it",
    checks: "An attribute with `pattern` must fit that regular expression.",
    why: "The channel would refuse the value, and the item with it. It is withheld.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title
A 1,Bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.id]
value = "{{sku}}"
pattern = "^[A-Z0-9-]+$"
"#,
        ),
    ],
    instead: "Correct it where it is kept, or mend it in [feed.fields], such as `{{replace sku \" \" \"-\"}}`.",
    passes: &[
        (
            "catalog.csv",
            r"sku,title
A-1,Bowl
",
        ),
        (
            "channel.toml",
            r#"[attributes.id]
value = "{{sku}}"
pattern = "^[A-Z0-9-]+$"
"#,
        ),
    ],
};
