//! Whether a computed text is of an attribute's kind, and what it says: amounts, whole numbers, yes and no.

use rust_decimal::Decimal;

use crate::program::decimal;

/// An amount as `{{money}}` writes it: digits with a point or comma, and a code, sign or nothing.
pub(super) fn is_money(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && !text.starts_with('-')
}

/// The number in an amount as channels write it: `12.50 EUR`, `€12,50`, `1250`.
pub(super) fn amount(text: &str) -> Option<Decimal> {
    let mut digits: String = text
        .chars()
        .filter(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | '-'))
        .collect();
    if digits.contains('.') {
        digits.retain(|letter| letter != ',');
    }
    decimal::parse(digits.replace(',', ".").trim_end_matches('.'))
}

/// The whole number that a text is, without `.0` or `.00`.
pub(super) fn whole(text: &str) -> Option<&str> {
    let text = text
        .strip_suffix(".0")
        .or_else(|| text.strip_suffix(".00"))
        .unwrap_or(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// What a text answers: true or false.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}
