//! Text from data, made fit to be shown: clipped, counted, joined.

use std::borrow::Cow;

use crate::term::visible;

/// How many characters of a value are shown.
const VALUE_CHARACTERS: usize = 80;
/// How many characters of a message are shown.
const MESSAGE_CHARACTERS: usize = 500;

/// A value as it is shown: on one line, nothing that steers a terminal, its first 80 characters.
pub fn value(text: &str) -> String {
    clip(&visible(text), VALUE_CHARACTERS).into_owned()
}

/// A message as it is shown: on one line, nothing that steers a terminal, what it quotes clipped to 80 characters each.
pub fn message(text: &str) -> String {
    let text = visible(text);
    if text.chars().nth(VALUE_CHARACTERS).is_none() {
        return text.into_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for (number, part) in text.split('`').enumerate() {
        if number > 0 {
            shown.push('`');
        }
        let quoted = number % 2 == 1;
        shown.push_str(&if quoted {
            clip(part, VALUE_CHARACTERS)
        } else {
            Cow::Borrowed(part)
        });
    }
    clip(&shown, MESSAGE_CHARACTERS).into_owned()
}

fn clip(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or(text))),
    }
}

/// `1 SKU`, `2 SKUs`, `1,234 SKUs`.
pub fn count(number: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        thousands(number),
        if number == 1 { "" } else { "s" }
    )
}

/// `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `feed a`, `feeds a and b`, `feeds a, b, c and 4 more`: names in backticks, the first few of them.
pub fn several(noun: &str, names: &[String], most: usize) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(most)
        .map(|name| format!("`{}`", value(name)))
        .collect();
    match (names.len(), shown.split_last()) {
        (_, None) => String::new(),
        (1, Some((last, _))) => format!("{noun} {last}"),
        (all, _) if all > most => format!("{noun}s {} and {} more", shown.join(", "), all - most),
        (_, Some((last, before))) => format!("{noun}s {} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_quotes_are_clipped_and_what_is_said_of_them_stays() {
        let long = "x".repeat(300);
        let shown = message(&format!("`{long}` is no number, and `{long}` none either"));
        let kept = "x".repeat(80);
        assert_eq!(
            shown,
            format!("`{kept}…` is no number, and `{kept}…` none either")
        );
        let unquoted = message(&"ก".repeat(2000));
        assert_eq!(unquoted.chars().count(), 501);
        assert_eq!(
            message("`a` is\nshort\u{1b}[2J"),
            "`a` is\\nshort\\u{1b}[2J"
        );
    }

    #[test]
    fn numbers_and_names_read_well() {
        assert_eq!(count(1, "SKU"), "1 SKU");
        assert_eq!(count(1_234_567, "SKU"), "1,234,567 SKUs");
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        assert_eq!(several("feed", &names[..1], 3), "feed `a`");
        assert_eq!(several("feed", &names[..3], 3), "feeds `a`, `b` and `c`");
        assert_eq!(several("feed", &names, 2), "feeds `a`, `b` and 2 more");
    }
}
