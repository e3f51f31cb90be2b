//! `duplicate-file`: two items would be written to one file.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "duplicate-file",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "two items would be written to one file",
    checks: "With `document = \"item\"` the names that the channel's `file` makes differ, also on a disk that knows no upper and lower case. The first item is taken, the others are withheld.",
    why: "One page would overwrite the other, and nobody would miss it.",
    // Files are the channel's to name: tests/cli/documents.rs shows both.
    fires: &[],
    instead: "Put into `file` what tells the two apart, such as `{{slug id}}`.",
    passes: &[],
};
