//! Exact numbers from their canonical text, and back.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use super::graph::{Operation, Relation};

/// The number a text says, when it says one exactly: an optional sign, digits, an optional point and digits.
#[inline]
pub fn parse(text: &str) -> Option<Decimal> {
    match short(text.as_bytes()) {
        Some((digits, decimals)) => Some(Decimal::new(digits, decimals)),
        None => parse_any(text),
    }
}

/// All digits of `123` or `123.45` as one number, and how many stand after the point; `None` for other and longer texts.
#[inline]
fn short(text: &[u8]) -> Option<(i64, u32)> {
    if text.len() > 18 || !text.first()?.is_ascii_digit() || !text.last()?.is_ascii_digit() {
        return None;
    }
    let (mut digits, mut decimals, mut after_point) = (0i64, 0, 0);
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            digits = digits.wrapping_mul(10).wrapping_add(i64::from(digit));
            decimals += after_point;
        } else if byte == b'.' && after_point == 0 {
            after_point = 1;
        } else {
            return None;
        }
    }
    Some((digits, decimals))
}

fn parse_any(text: &str) -> Option<Decimal> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    if plain.is_empty()
        || !plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

/// Two numbers compared exactly; `None` when one of them is none.
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (short(left.as_bytes()), short(right.as_bytes())) {
        if one.1 == other.1 {
            return Some(one.0.cmp(&other.0));
        }
        let decimals = one.1.max(other.1);
        let wide = |(digits, own): (i64, u32)| i128::from(digits) * 10i128.pow(decimals - own);
        return Some(wide(one).cmp(&wide(other)));
    }
    crate::model::decimal::compare(left, right)
}

/// A number as text with exactly so many decimals, rounded half away from zero.
pub fn rounded(number: Decimal, decimals: u8) -> String {
    let mut number =
        number.round_dp_with_strategy(u32::from(decimals), RoundingStrategy::MidpointAwayFromZero);
    number.rescale(u32::from(decimals));
    number.to_string()
}

/// Whether an ordering is what a relation asks for.
pub fn holds(relation: Relation, ordering: Ordering) -> bool {
    match relation {
        Relation::Equal => ordering == Ordering::Equal,
        Relation::NotEqual => ordering != Ordering::Equal,
        Relation::Less => ordering == Ordering::Less,
        Relation::LessOrEqual => ordering != Ordering::Greater,
        Relation::Greater => ordering == Ordering::Greater,
        Relation::GreaterOrEqual => ordering != Ordering::Less,
    }
}

/// Two numbers combined; `None` on overflow and division by zero.
pub fn combine(operation: Operation, left: Decimal, right: Decimal) -> Option<Decimal> {
    match operation {
        Operation::Add => left.checked_add(right),
        Operation::Subtract => left.checked_sub(right),
        Operation::Multiply => left.checked_mul(right),
        Operation::Divide => left.checked_div(right),
        Operation::Remainder => left.checked_rem(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn short_texts_are_read_as_long_ones(text in "[0-9]{1,10}(\\.[0-9]{1,9})?|[-+0-9.,e]{0,20}") {
            if let Some((digits, decimals)) = short(text.as_bytes()) {
                let long = parse_any(&text).map(|number| number.to_string());
                prop_assert_eq!(long, Some(Decimal::new(digits, decimals).to_string()), "{}", text);
            }
        }
    }

    #[test]
    fn numbers_compare_by_what_they_say() {
        let texts = [
            "0",
            "0.0",
            "1",
            "1.0",
            "1.00",
            "0.99",
            "10",
            "9",
            "9.999999999999999",
            "-1",
            "-0",
            "007",
            "999999999999999999",
            "9999999999999999999",
            "0.000000000000000001",
            "123.45",
            "123.450",
        ];
        for left in texts {
            for right in texts {
                let exact = Decimal::from_str_exact(left)
                    .expect("a number")
                    .cmp(&Decimal::from_str_exact(right).expect("a number"));
                assert_eq!(compare(left, right), Some(exact), "{left} {right}");
            }
        }
        for wrong in ["", ".", "1.", ".5", "1.2.3", "x", "1e5", "１"] {
            assert_eq!(compare(wrong, "1"), None, "{wrong}");
        }
    }
}
