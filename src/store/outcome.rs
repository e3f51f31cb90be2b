//! What became of one item, and the finding it makes.

use crate::validate::finding::{Finding, Severity};

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer says that it was taken.
    Accepted,
    /// The answer says that it was not.
    Rejected {
        /// The other side's code, or the HTTP status.
        code: String,
        /// The other side's words, cleaned and cut.
        message: String,
        /// The refusal passes by itself: a later run may succeed.
        transient: bool,
    },
    /// The other side has another level than the one compared with: nothing was changed.
    Stale {
        /// The other side's code.
        code: String,
        /// The other side's words, cleaned and cut.
        message: String,
    },
    /// It may have been taken: nobody knows until it is read or sent again.
    Unknown {
        /// Why nobody knows.
        reason: String,
    },
    /// It never left this machine, or left nothing there: the next run sends it.
    Held {
        /// Why it was held back.
        reason: String,
    },
}

/// One item and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemOutcome {
    /// Its id at the channel.
    pub id: String,
    /// Its SKU; empty where it has none.
    pub sku: String,
    /// True when it was to be taken out.
    pub removed: bool,
    /// What became of it.
    pub outcome: Outcome,
}

impl ItemOutcome {
    /// The finding on the SKU; none for what was taken or held back.
    pub fn finding(&self, feed: &str, address: &str) -> Option<Finding> {
        let what = if self.removed {
            "the removal of this item"
        } else {
            "this item"
        };
        let rule = match &self.outcome {
            Outcome::Rejected { .. } | Outcome::Stale { .. } => "refused-by-channel",
            Outcome::Unknown { .. } => "unknown-at-channel",
            Outcome::Accepted | Outcome::Held { .. } => return None,
        };
        let (severity, message, hint) = match &self.outcome {
            Outcome::Rejected {
                code,
                message,
                transient,
            } => {
                let words = match (code.is_empty(), message.is_empty()) {
                    (_, true) => format!("`{code}`"),
                    (true, false) => message.clone(),
                    (false, false) => format!("`{code}`: {message}"),
                };
                let hint = if *transient {
                    "the refusal passes: the next run sends it again"
                } else {
                    "correct what it names, and publish again"
                };
                let message = format!("the channel refused {what}: {words}");
                (Severity::Error, message, hint)
            }
            Outcome::Stale { code, message } => (
                Severity::Warning,
                format!("the channel has another level of {what} than we knew: `{code}` {message}"),
                "the next run compares again",
            ),
            Outcome::Unknown { reason } | Outcome::Held { reason } => (
                Severity::Warning,
                format!("nobody knows whether the channel took {what}: {reason}"),
                "the next run sends it again; where it matters at once, look at the channel",
            ),
            Outcome::Accepted => return None,
        };
        Some(Finding {
            rule,
            severity,
            feed: Some(feed.to_owned()),
            sku: (!self.sku.is_empty()).then(|| self.sku.clone()),
            source: address.to_owned(),
            line: 0,
            column: String::new(),
            message,
            hint: hint.to_owned(),
        })
    }
}
