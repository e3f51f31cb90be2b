//! What stopped a delivery, and whether trying again may help.

use std::time::Duration;

/// Whether the same call may work later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It may; `after` is how long the other side asked to be left alone.
    Retry {
        /// The shortest wait, where the other side named one.
        after: Option<Duration>,
    },
    /// It will not, until a person changes something.
    Abort,
}

/// A delivery that did not work. Nothing in it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// The address as it is shown.
    pub address: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Whether trying again may help.
    pub recovery: Recovery,
}

impl DeliveryError {
    /// A failure that may pass.
    pub fn retry(
        address: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        DeliveryError {
            address: address.into(),
            message: message.into(),
            hint: hint.into(),
            recovery: Recovery::Retry { after: None },
        }
    }

    /// A failure that stays.
    pub fn abort(
        address: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        DeliveryError {
            recovery: Recovery::Abort,
            ..DeliveryError::retry(address, message, hint)
        }
    }

    /// The same with the shortest wait that the other side named.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.recovery = Recovery::Retry { after: Some(wait) };
        self
    }

    /// A run that is out of time.
    pub fn out_of_time(address: impl Into<String>) -> Self {
        DeliveryError::abort(
            address,
            "the delivery did not end before its deadline",
            "run again, with a later `--deadline` where the place is slow",
        )
    }

    /// Something else stands at the place than was sent.
    pub fn not_what_was_sent(address: impl Into<String>, name: &str, how: &str) -> Self {
        DeliveryError::retry(
            address,
            format!("`{name}` did not arrive whole: {how}"),
            "run again; when it stays so, something between here and there changes files",
        )
    }
}

impl std::fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot deliver to `{}`: {}", self.address, self.message)
    }
}

impl std::error::Error for DeliveryError {}

/// What another machine said, fit to be shown: 200 characters at most, no control characters, none of the secrets.
pub fn quoted(text: &str, secrets: &[&str]) -> String {
    const LONGEST: usize = 200;
    let mut text = text.to_owned();
    let mut secrets: Vec<&str> = secrets
        .iter()
        .copied()
        .filter(|secret| !secret.is_empty())
        .collect();
    // the longest first: one may be a part of another
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        text = text.replace(secret, "[redacted]");
    }
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text: String = words
        .join(" ")
        .chars()
        .filter(|&letter| !is_unseen(letter))
        .collect();
    let mut shown: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Letters that change how the text around them is shown.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_short_and_clean() {
        assert_eq!(quoted("a\r\n\u{1b}[31mb\tc\u{202E}", &[]), "a [31mb c");
        assert_eq!(quoted(&"ż".repeat(300), &[]).chars().count(), 201);
        assert_eq!(
            quoted("Bearer abc-def and abc", &["abc", "abc-def", ""]),
            "Bearer [redacted] and [redacted]"
        );
        // a secret at the cut does not show its beginning
        let text = format!("{}CANARY-SECRET", "x".repeat(195));
        assert!(!quoted(&text, &["CANARY-SECRET"]).contains("CAN"));
    }
}
