//! `file-name`: the file of an item would have a name that is none.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "file-name",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "the file of an item would have a name that is none",
    checks: "With `document = \"item\"` each item has a file of its own. Its name, made by the channel's `file`, is one step: no slash, nothing hidden, no letters that disks or addresses refuse, 200 bytes at most.",
    why: "A name made from data must not lead out of its folder, and must be one on every disk and server. The item is withheld.",
    // Files are the channel's to name: tests/cli/documents.rs shows both.
    fires: &[],
    instead: "Make the name of letters and digits: `file = \"{{slug title}}-{{slug id}}.html\"`.",
    passes: &[],
};
