//! `refused-by-channel`: the channel answered that it does not take an item.

use super::{Harm, Rule};
use crate::validate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    name: "refused-by-channel",
    severity: Severity::Error,
    harm: Harm::Lost,
    title: "the channel answered that it does not take an item",
    checks: "Channels that take requests answer item by item. This is an item, or the removal of one, that was sent and refused, with the channel's own code and words.",
    why: "The channel keeps what it had of this product, or has nothing of it. Nothing else of the feed is held up by it.",
    fires: &[],
    instead: "The message is the channel's: correct what it names in the catalog or the mapping. The item is sent again when it has changed, or by the next full publication.",
    passes: &[],
};
