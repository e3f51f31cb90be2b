//! Exact numbers from their canonical text, and back.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use super::graph::{Operation, Relation};

/// The number a text says, when it says one exactly: an optional sign, digits, an optional point and digits.
pub fn parse(text: &str) -> Option<Decimal> {
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
