//! The part that all small vocabularies share (availability, condition, gender, age group): how a word is made
//! comparable, and what is said about an unknown one.

use unicode_normalization::UnicodeNormalization;

/// A word that a vocabulary does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// What was looked for, such as `availability`.
    pub noun: &'static str,
    /// The canonical words.
    pub known: &'static [&'static str],
}

impl UnknownWord {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        format!("`{text}` is no {} known here", self.noun)
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        let known: Vec<String> = self.known.iter().map(|word| format!("`{word}`")).collect();
        format!("write one of {}", known.join(", "))
    }
}

/// A word as vocabularies compare it: lower case, composed, schema.org addresses cut to their last part, without white
/// space, `_`, `-` and closing punctuation.
pub(crate) fn key(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let tail = match lower.split_once("schema.org/") {
        Some((_, tail)) => tail.trim_end_matches('/'),
        None => lower.strip_prefix("schema:").unwrap_or(&lower),
    };
    tail.trim_end_matches(['.', '!', '?'])
        .nfc()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{2010}'..='\u{2015}'))
        .collect()
}
