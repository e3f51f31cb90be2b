//! The order of a sorted feed: what `sort` names, as bytes that compare as their items do.
//!
//! Numbers and money compare as exact numbers, text by its letters whatever their case and marks, Thai by its consonants as
//! in a dictionary; texts that differ in case or marks alone keep one order too. What is absent comes last either way.

use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

use crate::model::value::Value;

use super::decimal;
use super::graph::NodeId;

/// One key of the order.
#[derive(Clone, Copy, Debug)]
pub struct OrderKey {
    /// What is compared.
    pub value: NodeId,
    /// Whether it is compared as a number.
    pub number: bool,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// What stands for a value that is there, and for one that is not.
const PRESENT: u8 = 1;
const ABSENT: u8 = 2;

/// Adds a value to a key.
pub fn encode(value: Value<'_>, number: bool, descending: bool, key: &mut Vec<u8>) {
    let joined;
    let text = match value {
        Value::Absent => {
            key.push(ABSENT);
            return;
        }
        Value::Text(text) => text,
        Value::Bool(yes) => {
            if yes {
                "1"
            } else {
                "0"
            }
        }
        Value::List(list) => {
            joined = list.iter().collect::<Vec<_>>().join(" ");
            &joined
        }
    };
    key.push(PRESENT);
    let start = key.len();
    match number.then(|| amount(text)).flatten() {
        Some(amount) => encode_number(amount, key),
        None => encode_text(text, key),
    }
    if descending {
        key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}

/// The number that a text begins with: `12.50` and `12.50 EUR` alike.
fn amount(text: &str) -> Option<Decimal> {
    decimal::parse(text.split_whitespace().next()?)
}

/// Sign, how many digits stand before the point, the digits: compared from left to right that is the number's order.
fn encode_number(number: Decimal, key: &mut Vec<u8>) {
    let number = number.normalize();
    if number.is_zero() {
        // Between what negative and positive numbers begin with.
        key.push(1);
        return;
    }
    let digits = number.mantissa().unsigned_abs().to_string();
    let before = digits.len() as i64 - i64::from(number.scale());
    let start = key.len();
    key.push(2);
    // From -28 to 29: never 0, so that no number is the beginning of another.
    key.push((before + 64) as u8);
    key.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    key.push(0);
    if number.is_sign_negative() {
        key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
        if let Some(first) = key.get_mut(start) {
            *first = 0;
        }
    }
}

/// The letters, then the text itself, each ended by a zero.
fn encode_text(text: &str, key: &mut Vec<u8>) {
    let mut letters: Vec<char> = Vec::with_capacity(text.len());
    for letter in text.nfd().flat_map(char::to_lowercase) {
        match letter {
            '\u{300}'..='\u{36f}' => {}
            'ł' => letters.push('l'),
            'đ' => letters.push('d'),
            'ø' => letters.push('o'),
            'ß' => letters.extend(['s', 's']),
            'æ' => letters.extend(['a', 'e']),
            'œ' => letters.extend(['o', 'e']),
            // A Thai vowel that is written before its consonant is spoken, and sorted, after it.
            'ก'..='ฮ'
                if letters
                    .last()
                    .is_some_and(|last| ('เ'..='ไ').contains(last)) =>
            {
                let at = letters.len() - 1;
                letters.insert(at, letter);
            }
            // Tone marks and the like weigh less than letters.
            '\u{e47}'..='\u{e4e}' => {}
            letter => letters.push(letter),
        }
    }
    let mut buffer = [0; 4];
    for letter in letters.into_iter().filter(|letter| *letter != '\0') {
        key.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
    }
    key.push(0);
    key.extend(text.bytes().filter(|&byte| byte != 0));
    key.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, number: bool, descending: bool) -> Vec<u8> {
        let mut key = Vec::new();
        let value = if text.is_empty() {
            Value::Absent
        } else {
            Value::Text(text)
        };
        encode(value, number, descending, &mut key);
        key
    }

    fn ordered(texts: &[&str], number: bool) {
        for pair in texts.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            assert!(
                key(first, number, false) < key(second, number, false),
                "{first} < {second}"
            );
            if !second.is_empty() {
                assert!(
                    key(first, number, true) > key(second, number, true),
                    "{first} > {second} the other way round"
                );
            }
        }
    }

    #[test]
    fn numbers_compare_as_numbers() {
        ordered(
            &[
                "-100",
                "-99.5",
                "-1",
                "-0.5",
                "-0.25",
                "0",
                "0.00001",
                "0.09",
                "0.5",
                "0.51",
                "1",
                "1.5",
                "2",
                "9 EUR",
                "10",
                "10.01 EUR",
                "99",
                "100",
                "123456789.000001",
                "",
            ],
            true,
        );
        assert_eq!(key("1.50", true, false), key("1.5 EUR", true, false));
        assert_eq!(key("0", true, false), key("0.000", true, false));
    }

    #[test]
    fn texts_compare_by_their_letters() {
        ordered(
            &[
                "Apfel",
                "apfel",
                "Äpfel",
                "Äpfel 2",
                "apfel Zimt",
                "birne",
                "Łapka",
                "lektura",
                "Tee",
                "tee",
                "กก",
                "เก",
                "แก",
                "ขา",
                "เขา",
                "",
            ],
            false,
        );
    }

    #[test]
    fn what_is_absent_is_last_either_way() {
        for number in [false, true] {
            assert!(key("", number, false) > key("zzz", number, false));
            assert!(key("", number, true) > key("1", number, true));
        }
    }

    #[test]
    fn keys_side_by_side_do_not_run_together() {
        let both = |first: &str, second: &str| {
            let mut both = key(first, false, false);
            both.extend(key(second, false, false));
            both
        };
        assert!(both("a", "z") < both("ab", "a"));
        assert!(both("a", "z") < both("a\u{1}", "a"));
    }
}
