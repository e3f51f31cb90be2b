//! `unknown-at-channel`: no answer says whether the channel took an item.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "unknown-at-channel",
    severity: Severity::Warning,
    harm: Harm::Wrong,
    title: "no answer says whether the channel took an item",
    checks: "An item was sent, and then the answer was lost, came too late, could not be read, or did not name the item. A call that does no harm twice has been repeated before this is said.",
    why: "The channel may show the old state or the new one. It is never counted as published.",
    fires: &[],
    instead: "Run again: what is unknown is sent again. If it stays so, look at the channel's own page for this product, and at its status page.",
    passes: &[],
};
