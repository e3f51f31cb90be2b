//! `template-failed`: a part of a template could not be rendered.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "template-failed",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "a part of a template could not be rendered",
    checks: "Parts of a template that the engine does not compute itself are rendered by the Handlebars library; this is its refusal.",
    why: "What it would have written is unknown, so the item is withheld.",
    fires: &[],
    instead: "The message says what is wrong, and where. `shelfcast channel lint` finds most of these before a build.",
    passes: &[],
};
