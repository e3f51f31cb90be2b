//! `untranslated`: a text is shown in a fallback language.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "untranslated",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "a text is shown in a fallback language",
    checks: "A column has no text in the feed's language, and one of its `fallback` languages was taken.",
    why: "Shoppers read a language they did not ask for, and some channels refuse the item for it.",
    fires: &[
        (
            "catalog.csv",
            r"sku,title,title.pl
A-1,Bowl,
",
        ),
        (
            "shelfcast.toml",
            r#"[[feed]]
name = "poland"
channel = "example"
language = "pl"
fallback = ["en"]
"#,
        ),
    ],
    instead: "Translate it: a column such as `title.pl`, or a joined source with `language = \"pl\"`. Without `fallback` the text is absent instead.",
    passes: &[
        (
            "catalog.csv",
            r"sku,title,title.pl
A-1,Bowl,Miska
",
        ),
        (
            "shelfcast.toml",
            r#"[[feed]]
name = "poland"
channel = "example"
language = "pl"
fallback = ["en"]
"#,
        ),
    ],
};
