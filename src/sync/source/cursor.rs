//! Cursors: from which value on a database is asked for changes, and which value is kept for the next time.
//!
//! The lower bound is inclusive, and goes back by a margin: rows that others wrote earlier and committed later, or with a
//! clock that is behind, are read again with many that are known; repeats change nothing. What is kept is a value exactly as
//! the database wrote it, of a row that was read, and never one that lies ahead of the database's own clock. Rows of
//! transactions that stay open for longer than the margin are only found by a whole reading (`--full`).

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::catalog::{SourceError, SourceProblem};
use crate::sync::planted;

use super::mark::whole_number;

/// How far a time's cursor goes back, unless the source says otherwise.
pub const MARGIN: Duration = Duration::from_secs(60);

/// How far a number's cursor goes back, unless the source says otherwise.
pub const MARGIN_NUMBERS: i64 = 1_000;

/// Around a change of the clocks, times without an offset may come twice: cursors go back by this much more.
const AROUND_CHANGE: SignedDuration = SignedDuration::from_hours(3);

/// A number that would be a time within so many seconds of now is taken for seconds since 1970, or parts of them.
const EPOCH_NEAR: u64 = 10 * 366 * 86_400;

/// How far a cursor goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Margin {
    /// As is usual for its kind.
    #[default]
    Usual,
    /// So long, for times and for numbers that count seconds or parts of them.
    Time(Duration),
    /// So many, for numbers.
    Numbers(i64),
}

/// The lower bound of a reading: `cursor operator text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lower {
    /// `>=`.
    pub operator: &'static str,
    /// The value: digits, or a time, made of digits and `- : T` and a space alone.
    pub text: String,
    /// Whether it is a text in SQL.
    pub quoted: bool,
}

/// A cursor's value, so that two of them can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Number(i64),
    /// A time with its offset.
    Instant(Timestamp, Offset),
    /// A time without one: its order is the clock's.
    Clock(DateTime),
}

impl Value {
    /// Reads a number or a time that begins with its year, as databases write them; others do not sort.
    fn of(text: &str) -> Option<Value> {
        if let Some(number) = whole_number(text) {
            return number.ok().map(Value::Number);
        }
        let bytes = text.as_bytes();
        let dashes = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
        if !dashes || !text.is_ascii() {
            return None;
        }
        // Ten digits of a fraction and more are cut: a lower bound is lower then.
        let text = &shortened(text);
        let (date, clock) = text.split_at_checked(10)?;
        let iso = match clock.get(1..) {
            None | Some("") => format!("{date}T00:00:00"),
            Some(clock) => format!("{date}T{clock}"),
        };
        if let Ok(at) = iso.parse::<Timestamp>() {
            let zone = iso.get(19..).and_then(|rest| rest.find(['+', '-']));
            let offset = zone
                .and_then(|at| iso.get(19 + at..))
                .and_then(offset)
                .unwrap_or(Offset::UTC);
            return Some(Value::Instant(at, offset));
        }
        iso.parse::<DateTime>().ok().map(Value::Clock)
    }

    /// What it is compared by among values of its kind.
    fn order(self) -> i128 {
        match self {
            Value::Number(number) => i128::from(number),
            Value::Instant(at, _) => at.as_nanosecond(),
            Value::Clock(clock) => clock_nanoseconds(clock),
        }
    }

    fn is_like(self, other: Value) -> bool {
        matches!(
            (self, other),
            (Value::Number(_), Value::Number(_))
                | (Value::Instant(..), Value::Instant(..))
                | (Value::Clock(_), Value::Clock(_))
        )
    }

    /// When it was, where it says so.
    fn instant(self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        match self {
            Value::Instant(at, _) => Some(at),
            Value::Clock(clock) => zone.to_ambiguous_timestamp(clock).compatible().ok(),
            Value::Number(number) => {
                let unit = epoch_unit(number, now)?;
                Timestamp::from_second(number / unit).ok()
            }
        }
    }
}

/// Cuts a fraction of a second to nine digits.
fn shortened(text: &str) -> String {
    let Some(point) = text.find('.') else {
        return text.to_owned();
    };
    let (before, after) = text.split_at_checked(point + 1).unwrap_or((text, ""));
    let digits = after
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(after.len());
    let (fraction, zone) = after.split_at_checked(digits).unwrap_or((after, ""));
    let fraction = fraction.get(..9).unwrap_or(fraction);
    format!("{before}{fraction}{zone}")
}

/// `+07:00`, `-0330`, `+07`.
fn offset(text: &str) -> Option<Offset> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Ok(0), str::parse).ok()?;
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if text.starts_with('-') {
        -seconds
    } else {
        seconds
    })
    .ok()
}

fn clock_nanoseconds(clock: DateTime) -> i128 {
    Offset::UTC
        .to_timestamp(clock)
        .map_or(0, |at| at.as_nanosecond())
}

/// How many of it make a second, where a number can be taken for a time.
fn epoch_unit(number: i64, now: Timestamp) -> Option<i64> {
    [1, 1_000, 1_000_000, 1_000_000_000]
        .into_iter()
        .find(|unit| (number / unit).abs_diff(now.as_second()) < EPOCH_NEAR)
}

/// The lower bound for a kept value; `None` where it is none that sorts.
pub fn lower(kept: &str, margin: Margin, zone: &TimeZone, now: Timestamp) -> Option<Lower> {
    let operator = if planted::is("cursor > instead of >=") {
        ">"
    } else {
        ">="
    };
    let span = match margin {
        Margin::Time(span) => span,
        Margin::Usual | Margin::Numbers(_) => MARGIN,
    };
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let (clock, offset) = match Value::of(kept)? {
        Value::Number(number) => {
            let seconds = i64::try_from(span.as_nanos().div_euclid(1_000_000_000) + 1);
            let as_time = epoch_unit(number, now)
                .and_then(|unit| Some(seconds.ok()?.saturating_mul(unit)))
                .unwrap_or(0);
            let back = match margin {
                Margin::Numbers(numbers) => numbers,
                Margin::Usual => MARGIN_NUMBERS.max(as_time),
                Margin::Time(span) if span.is_zero() => 0,
                Margin::Time(_) => as_time,
            };
            return Some(Lower {
                operator,
                text: number.saturating_sub(back.max(0)).to_string(),
                quoted: false,
            });
        }
        Value::Instant(at, offset) => (offset.to_datetime(at), Some(offset)),
        Value::Clock(clock) => (clock, None),
    };
    let mut back = span;
    if offset.is_none()
        && let Ok(at) = zone.to_ambiguous_timestamp(clock).compatible()
    {
        let around = [at.checked_sub(AROUND_CHANGE), at.checked_add(AROUND_CHANGE)];
        if let [Ok(before), Ok(after)] = around
            && zone.to_offset(before) != zone.to_offset(after)
        {
            back = back.saturating_add(AROUND_CHANGE);
        }
    }
    let clock = clock.saturating_sub(back);
    // Whole seconds and no zone: as a text this stands before every time that it is not above.
    let separator = if kept.get(10..11) == Some("T") {
        "T"
    } else {
        " "
    };
    let date = clock.date();
    let text = match kept.len() {
        ..=10 => date.to_string(),
        // A time without seconds, as it is kept.
        11..=16 => format!("{date}{separator}{:02}:{:02}", clock.hour(), clock.minute()),
        _ => format!(
            "{date}{separator}{:02}:{:02}:{:02}",
            clock.hour(),
            clock.minute(),
            clock.second()
        ),
    };
    Some(Lower {
        operator,
        text,
        quoted: true,
    })
}

/// What is kept of a reading while its rows go by.
#[derive(Clone, Debug)]
pub struct Progress {
    column: String,
    zone: TimeZone,
    /// Our clock, until a row tells the database's.
    bound: Timestamp,
    bounded: bool,
    /// Rows come in the cursor's order.
    ordered: bool,
    last: Option<Value>,
    kept: Option<(Value, String)>,
    rows: u64,
}

impl Progress {
    /// Nothing read yet. `column` is for messages; `ordered` says that rows come in the cursor's order.
    pub fn new(column: &str, zone: &TimeZone, now: Timestamp, ordered: bool) -> Self {
        Progress {
            column: column.to_owned(),
            zone: zone.clone(),
            bound: now,
            bounded: false,
            ordered,
            last: None,
            kept: None,
            rows: 0,
        }
    }

    /// A row goes by; `now` is the database's clock when the reading began, where it is told.
    ///
    /// # Errors
    /// A value that does not sort: neither a whole number nor a time that begins with its year, or one that the database
    /// sorts otherwise.
    pub fn row(&mut self, text: &str, now: &str) -> Result<(), SourceError> {
        if !self.bounded {
            self.bounded = true;
            if let Some(Value::Clock(clock)) = Value::of(now)
                && let Ok(now) = Offset::UTC.to_timestamp(clock)
            {
                self.bound = now;
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        let Some(value) = Value::of(text) else {
            return Err(self.wrong(
                format!("`{}` is no value to go on from", crate::program::attribute::shown(text)),
                "a cursor is a column of whole numbers that only grow, or of times such as `2026-11-22 13:05:09`",
            ));
        };
        // Texts with and without a fraction sort otherwise within a second; the bound is a whole one.
        let slack = match value {
            Value::Number(_) => 0,
            _ => 999_999_999,
        };
        if self.last.is_some_and(|last| {
            !last.is_like(value) || (self.ordered && last.order() > value.order() + slack)
        }) {
            return Err(self.wrong(
                format!(
                    "the database sorts `{}` otherwise than as the number or time that it is",
                    crate::program::attribute::shown(text)
                ),
                "give the cursor a number or time type, in one form and one zone: CAST it in the query",
            ));
        }
        self.rows += 1;
        if self.last.is_none_or(|last| last.order() < value.order()) {
            self.last = Some(value);
        }
        let ahead = value
            .instant(&self.zone, self.bound)
            .is_some_and(|at| at > self.bound);
        let newer = self
            .kept
            .as_ref()
            .is_none_or(|(kept, _)| kept.order() < value.order());
        if newer && !ahead {
            match &mut self.kept {
                Some((kept, kept_text)) => {
                    *kept = value;
                    kept_text.clear();
                    kept_text.push_str(text);
                }
                None => self.kept = Some((value, text.to_owned())),
            }
        }
        Ok(())
    }

    fn wrong(&self, message: String, hint: &str) -> SourceError {
        SourceError::new(SourceProblem::Configuration, "the source's cursor", message)
            .in_column(&self.column)
            .hint(hint)
    }

    /// Rows that had a value.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What is kept for the next reading: the greatest value read that does not lie ahead, or what was kept before.
    pub fn keep(&self, before: &str) -> String {
        let Some((value, text)) = &self.kept else {
            return before.to_owned();
        };
        let newer = Value::of(before)
            .is_none_or(|before| !before.is_like(*value) || before.order() < value.order());
        let kept = if newer { text } else { before };
        if planted::is("cursor rounded up") {
            return rounded_up(kept);
        }
        kept.to_owned()
    }
}

/// The planted bug: the next whole second, or the next ten.
fn rounded_up(kept: &str) -> String {
    match Value::of(kept) {
        Some(Value::Number(number)) => (number / 10 * 10 + 10).to_string(),
        Some(Value::Instant(at, _)) => at
            .checked_add(SignedDuration::from_secs(1))
            .map_or_else(|_| kept.to_owned(), |at| at.to_string()),
        Some(Value::Clock(clock)) => clock
            .saturating_add(SignedDuration::from_secs(1))
            .to_string(),
        None => kept.to_owned(),
    }
}
