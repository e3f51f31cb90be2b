//! Cells of an event's rows: counts, texts and times as JSON has them.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::quantity::{self, Quantity, QuantityProblem};
use crate::sync::level::Mark;
use crate::sync::serve::limits::{CLOCK_WINDOW, TEXT_BYTES};

/// Beyond this a number in JSON may have lost its last digits on the way.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A count: absent is not zero. Fractions are floored, negatives kept.
///
/// # Errors
/// What is no count: the name of the place and what is wrong.
pub(super) fn count(value: &Value, place: &str) -> Result<Option<i64>, String> {
    let wrong = || format!("`{place}` is no quantity");
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => match number.as_i64() {
            Some(units) => Ok(Some(units)),
            None => number
                .as_f64()
                .map(f64::floor)
                .filter(|units| units.abs() <= EXACT_MAX)
                .map(|units| Some(units as i64))
                .ok_or_else(wrong),
        },
        Value::String(text) => match quantity::parse(text, None) {
            Quantity::Units(units) => Ok(Some(units)),
            Quantity::Absent => Ok(None),
            Quantity::Problem {
                kept: Some(units),
                problem: QuantityProblem::Negative | QuantityProblem::Fraction,
            } => Ok(Some(units)),
            Quantity::Problem { .. } => Err(wrong()),
        },
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
    }
}

/// A SKU, a location, a tie-break: bounded, without control characters.
///
/// # Errors
/// The name of the place and what is wrong.
pub(super) fn text(value: &str, place: &str) -> Result<String, String> {
    if value.len() > TEXT_BYTES {
        return Err(format!("`{place}` has more than {TEXT_BYTES} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("`{place}` has control characters"));
    }
    Ok(value.to_owned())
}

/// The order mark of a time. `None` where it is ahead of our clock by more than clocks may differ: it would outlast all that
/// comes after it.
pub(super) fn mark_of(at: Timestamp, tie: String, now: Timestamp) -> Option<Mark> {
    let ahead = at.duration_since(now);
    if !ahead.is_negative() && ahead.unsigned_abs() > CLOCK_WINDOW {
        return None;
    }
    Some(Mark::Time {
        micros: at.as_microsecond(),
        tie,
    })
}
