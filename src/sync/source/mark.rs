//! Order marks: what orders two observations of one SKU, by the source's own word.
//!
//! A whole number is a sequence, anything else a time in the source's zone. Nothing is rounded: what is finer than a
//! microsecond goes before the tie-break. A time that cannot order (it happens twice when clocks go back; it lies ahead of
//! now) is no mark: the row that is read now stands, rather than none after it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::date::{self, Adjustment, DateOrder, DateRules};
use crate::program::attribute::shown;
use crate::sync::level::Mark;

use super::cell::Trouble;

/// A mark may lie so far ahead of our clock: clocks differ.
const AHEAD: Duration = Duration::from_secs(300);

/// How the marks of a source are read.
#[derive(Clone, Debug)]
pub struct MarkRules {
    /// The zone of times without an offset.
    pub zone: TimeZone,
    /// Whether `03/04/2026` is the third of April, where it was declared.
    pub dates: Option<DateOrder>,
    /// Whether years may be of the Buddhist era.
    pub thai: bool,
    /// When the reading began.
    pub now: Timestamp,
}

impl MarkRules {
    pub(super) fn dates(&self) -> DateRules<'_> {
        DateRules {
            zone: &self.zone,
            order: self.dates,
            thai: self.thai,
            end: false,
        }
    }
}

/// Reads a mark and what parts equal ones; `Mark::None` for an empty cell, and for one that cannot order.
pub fn mark(text: &str, tie: &str, rules: &MarkRules) -> (Mark, Option<Trouble>) {
    let text = text.trim();
    if text.is_empty() {
        return (Mark::None, None);
    }
    if let Some(number) = whole_number(text) {
        return match number {
            Ok(number) => (Mark::Sequence(number), None),
            Err(()) => (
                Mark::None,
                Some(Trouble::new(
                    "not-a-number",
                    format!("`{}` is too large to order by", shown(text)),
                    "order by a number of at most 18 digits, or by a time",
                )),
            ),
        };
    }
    let moment = match date::parse(text, &rules.dates()) {
        Ok(moment) => moment,
        Err(problem) => {
            let trouble = Trouble::new(
                "date-invalid",
                problem.message(&shown(text)),
                problem.hint(),
            );
            return (Mark::None, Some(trouble));
        }
    };
    if moment.adjusted == Some(Adjustment::Fold) {
        // Either of two moments: as the first of them it would lose against what was read an hour ago.
        return (Mark::None, None);
    }
    if moment.at.duration_since(rules.now) > AHEAD.try_into().unwrap_or_default() {
        let trouble = Trouble::new(
            "date-invalid",
            format!("`{}` lies ahead of now, and orders nothing", shown(text)),
            "set the clock of who writes it, or the source's `timezone`",
        );
        return (Mark::None, Some(trouble));
    }
    let nanoseconds = moment.at.as_nanosecond();
    let micros = i64::try_from(nanoseconds.div_euclid(1_000)).unwrap_or(i64::MAX);
    let finer = nanoseconds.rem_euclid(1_000);
    let tie = match (finer, tie.trim()) {
        (0, "") => String::new(),
        (finer, tie) => format!("{finer:03}{}", padded(tie)),
    };
    (Mark::Time { micros, tie }, None)
}

/// A tie-break that is a number is as long as others, so that 9 comes before 10.
fn padded(tie: &str) -> String {
    if !tie.is_empty() && tie.len() < 20 && tie.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{tie:0>20}")
    } else {
        tie.to_owned()
    }
}

/// The number of a text that is a whole one: digits, digits with a fraction of zeros, or bytes in hexadecimal as a database
/// writes a row's version. `None` where it is none, an error where it is too large.
pub(super) fn whole_number(text: &str) -> Option<Result<i64, ()>> {
    if let Some(hex) = text.strip_prefix("\\x") {
        let hex = hex.trim_start_matches('0');
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        return Some(match hex {
            "" => Ok(0),
            hex => i64::from_str_radix(hex, 16).map_err(|_| ()),
        });
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    if digits.is_empty()
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
        || !fraction.bytes().all(|byte| byte == b'0')
    {
        return None;
    }
    Some(whole.parse().map_err(|_| ()))
}
