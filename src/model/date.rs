//! Dates and times: a cell in any usual notation in, an instant with its offset out (`2026-11-22T10:00:00+07:00`). The
//! time zone always comes from the caller. A date alone is its first moment, and as an end its last: windows are
//! half-open, so that such an end is the first moment of the next day.

mod canonical;

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use canonical::{Fields, canonical};

/// Which of two numbers before the year is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `22/11/2026`
    DayFirst,
    /// `11/22/2026`
    MonthFirst,
}

impl DateOrder {
    /// The order of a declared locale; `None` where the tag leaves it open (English without a region).
    pub fn from_tag(tag: &str) -> Option<DateOrder> {
        let language = super::language::parse(tag)?;
        let region = language.region.map(str::to_ascii_uppercase);
        match (
            language.base.to_ascii_lowercase().as_str(),
            region.as_deref(),
        ) {
            ("en", None) => None,
            (_, Some("US" | "PH")) => Some(DateOrder::MonthFirst),
            _ => Some(DateOrder::DayFirst),
        }
    }
}

/// What is known about the column that the cell stands in.
#[derive(Clone, Copy, Debug)]
pub struct DateRules<'r> {
    /// The zone of times without an offset.
    pub zone: &'r TimeZone,
    /// Whether `03/04/2026` is the third of April, where declared.
    pub order: Option<DateOrder>,
    /// The source is Thai: years 2500 to 2700 are of the Buddhist era, 543 ahead, and are converted.
    pub thai: bool,
    /// The cell ends a window: a date alone counts to the end of its day.
    pub end: bool,
}

/// An instant as a cell gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// The offset in force, or the one written.
    pub offset: Offset,
    /// Only a date was written.
    pub date_only: bool,
    /// What was done to get there, to be reported.
    pub adjusted: Option<Adjustment>,
}

/// What was done to a date that could not be taken as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// The clock skipped this time; it was moved on by the length of the gap.
    Gap,
    /// The clock showed this time twice; the first was taken.
    Fold,
    /// A year of the Buddhist era was converted.
    BuddhistEra,
}

impl Adjustment {
    /// What was done with `text`: lower case, no full stop.
    pub fn message(self, text: &str) -> String {
        match self {
            Adjustment::Gap => {
                format!(
                    "the time `{text}` does not exist, the clocks go forward there; the time after the gap counts"
                )
            }
            Adjustment::Fold => {
                format!(
                    "the time `{text}` happens twice, the clocks go back there; the first counts"
                )
            }
            Adjustment::BuddhistEra => {
                format!("the year of `{text}` was read as one of the Buddhist era")
            }
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Adjustment::Gap | Adjustment::Fold => {
                "write the offset, such as `2026-10-25T02:30:00+02:00`"
            }
            Adjustment::BuddhistEra => {
                "write the year of the common era, 543 less, to be independent of this"
            }
        }
    }
}

/// Why a cell holds no date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateProblem {
    /// Nothing but white space.
    Blank,
    /// No notation that is known here.
    Notation,
    /// No such day or time, such as 31 February.
    NoSuchDay,
    /// Day and month may be swapped; both readings as `YYYY-MM-DD`, the day first and the month first.
    Ambiguous(String, String),
    /// The year is one of the Buddhist era and the source is not Thai.
    BuddhistEra {
        /// The year of the common era.
        year: i16,
    },
}

impl DateProblem {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        match self {
            DateProblem::Blank => "the date is blank".to_owned(),
            DateProblem::Notation => format!("`{text}` is not a date in a known notation"),
            DateProblem::NoSuchDay => format!("there is no such day or time as `{text}`"),
            DateProblem::Ambiguous(a, b) => format!("`{text}` may be {a} or {b}"),
            DateProblem::BuddhistEra { .. } => {
                format!("the year of `{text}` looks like one of the Buddhist era")
            }
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            DateProblem::Blank | DateProblem::Notation | DateProblem::NoSuchDay => {
                "write `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS+HH:MM`".to_owned()
            }
            DateProblem::Ambiguous(..) => {
                "declare the source's `locale` with its region, such as `en-GB`, or write `YYYY-MM-DD`".to_owned()
            }
            DateProblem::BuddhistEra { year } => {
                format!("write {year}, or declare the source's language as `th`")
            }
        }
    }
}

impl fmt::Display for Moment {
    /// The canonical text: RFC 3339 with an offset, fractions of a second only where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.display_with_offset(self.offset).fmt(f)
    }
}

/// Reads a date, or a date and time: RFC 3339, `YYYY-MM-DD[ HH:MM[:SS]]`, `DD.MM.YYYY`, `DD/MM/YYYY` and `MM/DD/YYYY`.
pub fn parse(text: &str, rules: &DateRules<'_>) -> Result<Moment, DateProblem> {
    match canonical(text) {
        Some(moment) => Ok(moment),
        None => parse_written(text.trim(), rules),
    }
}

/// The same of a text without white space around it, in any notation.
fn parse_written(text: &str, rules: &DateRules<'_>) -> Result<Moment, DateProblem> {
    if text.is_empty() {
        return Err(DateProblem::Blank);
    }
    let (date_text, time_text) = match text.find(['T', 't', ' ', '\u{a0}']) {
        Some(at) => {
            let (date, time) = text.split_at_checked(at).unwrap_or((text, ""));
            (date, time.trim_start_matches(['T', 't', ' ', '\u{a0}']))
        }
        None => (text, ""),
    };
    let written = Written::of(date_text)?;
    let (date, buddhist) = written.resolve(rules)?;
    let (time, offset) = read_time(time_text)?;
    let mut adjusted = buddhist.then_some(Adjustment::BuddhistEra);
    let date_only = time.is_none();
    let civil = match time {
        Some(time) => date.to_datetime(time),
        None => day_bound(date, rules.end)?,
    };
    let at = match offset {
        Some(offset) => offset
            .to_timestamp(civil)
            .map_err(|_| DateProblem::NoSuchDay)?,
        None => {
            let ambiguous = rules.zone.to_ambiguous_timestamp(civil);
            let gap_or_fold = match ambiguous.offset() {
                jiff::tz::AmbiguousOffset::Gap { .. } => Some(Adjustment::Gap),
                jiff::tz::AmbiguousOffset::Fold { .. } => Some(Adjustment::Fold),
                jiff::tz::AmbiguousOffset::Unambiguous { .. } => None,
            };
            // That midnight is skipped or doubled is no matter of a date alone.
            if !date_only {
                adjusted = gap_or_fold.or(adjusted);
            }
            ambiguous.compatible().map_err(|_| DateProblem::NoSuchDay)?
        }
    };
    let offset = offset.unwrap_or_else(|| rules.zone.to_offset(at));
    Ok(Moment {
        at,
        offset,
        date_only,
        adjusted,
    })
}

/// Reads a canonical text, as [`Moment`] writes it.
pub fn instant(text: &str) -> Option<Timestamp> {
    match canonical(text) {
        Some(moment) => Some(moment.at),
        None => text.parse().ok(),
    }
}

/// True for a text that [`Moment`] writes back as it stands. Others may be dates too.
pub fn is_canonical(text: &str) -> bool {
    Fields::of(text).is_some()
}

/// The first moment of a day, or of the day after.
fn day_bound(date: Date, end: bool) -> Result<DateTime, DateProblem> {
    let date = if end {
        date.checked_add(1.day())
            .map_err(|_| DateProblem::NoSuchDay)?
    } else {
        date
    };
    Ok(date.to_datetime(Time::midnight()))
}

/// A date's three numbers in the order they were written.
struct Written {
    first: i16,
    second: i16,
    third: i16,
    separator: char,
    year_first: bool,
}

impl Written {
    fn of(text: &str) -> Result<Written, DateProblem> {
        let separator = text
            .chars()
            .find(|c| matches!(c, '-' | '.' | '/'))
            .ok_or(DateProblem::Notation)?;
        let mut numbers = text.trim_end_matches('.').split(separator);
        let (Some(a), Some(b), Some(c), None) = (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) else {
            return Err(DateProblem::Notation);
        };
        let number = |text: &str| -> Result<i16, DateProblem> {
            let digits: Option<String> = text
                .chars()
                .map(|c| super::number::digit(c).and_then(|d| char::from_digit(d, 10)))
                .collect();
            digits
                .filter(|d| matches!(d.len(), 1 | 2 | 4))
                .and_then(|d| d.parse().ok())
                .ok_or(DateProblem::Notation)
        };
        let lengths = [a, b, c].map(|part| part.chars().count());
        let year_first = match lengths {
            [4, 1 | 2, 1 | 2] => true,
            [1 | 2, 1 | 2, 4] => false,
            _ => return Err(DateProblem::Notation),
        };
        Ok(Written {
            first: number(a)?,
            second: number(b)?,
            third: number(c)?,
            separator,
            year_first,
        })
    }

    /// The date, and whether its year was one of the Buddhist era.
    fn resolve(&self, rules: &DateRules<'_>) -> Result<(Date, bool), DateProblem> {
        let year = if self.year_first {
            self.first
        } else {
            self.third
        };
        let buddhist = (2500..=2700).contains(&year);
        if buddhist && !rules.thai {
            return Err(DateProblem::BuddhistEra { year: year - 543 });
        }
        let year = if buddhist { year - 543 } else { year };
        let date = |day: i16, month: i16| {
            let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
            Date::new(year, month, day).ok()
        };
        let found = if self.year_first {
            date(self.third, self.second)
        } else {
            let day_first = date(self.first, self.second);
            let month_first = date(self.second, self.first);
            // Only slashes are written in both orders.
            match (self.separator, rules.order, day_first, month_first) {
                ('/', None, Some(a), Some(b)) if a != b => {
                    return Err(DateProblem::Ambiguous(a.to_string(), b.to_string()));
                }
                ('/', None, a, b) => a.or(b),
                ('/', Some(DateOrder::MonthFirst), _, month_first) => month_first,
                (_, _, day_first, _) => day_first,
            }
        };
        found
            .map(|date| (date, buddhist))
            .ok_or(DateProblem::NoSuchDay)
    }
}

/// `HH:MM[:SS[.fraction]]` with an optional `Z` or `±HH[:]MM`; both absent for an empty text.
fn read_time(text: &str) -> Result<(Option<Time>, Option<Offset>), DateProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok((None, None));
    }
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, Some(Offset::UTC))
    } else if let Some(at) = text.rfind(['+', '-', '\u{2212}']) {
        let (clock, offset) = text.split_at_checked(at).unwrap_or((text, ""));
        (clock, Some(read_offset(offset)?))
    } else {
        (text, None)
    };
    let clock = clock.trim_end();
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut numbers = whole.split(':');
    let mut next =
        || -> Result<Option<i8>, DateProblem> { numbers.next().map(two_digits).transpose() };
    let (Some(hour), Some(minute), second) = (next()?, next()?, next()?.unwrap_or(0)) else {
        return Err(DateProblem::Notation);
    };
    if numbers.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DateProblem::Notation);
    }
    let nanoseconds: i32 = format!("{fraction:0<9}")
        .get(..9)
        .and_then(|digits| digits.parse().ok())
        .ok_or(DateProblem::Notation)?;
    // A leap second is the second before it.
    let time = Time::new(
        hour,
        minute,
        second.min(if second == 60 { 59 } else { second }),
        nanoseconds,
    )
    .map_err(|_| DateProblem::NoSuchDay)?;
    Ok((Some(time), offset))
}

fn two_digits(text: &str) -> Result<i8, DateProblem> {
    if !matches!(text.len(), 1 | 2) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DateProblem::Notation);
    }
    text.parse().map_err(|_| DateProblem::Notation)
}

/// `+07:00`, `+0700`, `+07`.
fn read_offset(text: &str) -> Result<Offset, DateProblem> {
    let negative = !text.starts_with('+');
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at_checked(2).unwrap_or(("", "")),
        _ => return Err(DateProblem::Notation),
    };
    let (hours, minutes) = (
        i32::from(two_digits(hours)?),
        i32::from(two_digits(minutes)?),
    );
    let seconds = (hours * 60 + minutes) * 60;
    if minutes > 59 {
        return Err(DateProblem::NoSuchDay);
    }
    Offset::from_seconds(if negative { -seconds } else { seconds })
        .map_err(|_| DateProblem::NoSuchDay)
}

/// From a first moment until before a last one; an open end never begins or never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Window {
    /// The first moment inside.
    pub starts: Option<Timestamp>,
    /// The first moment after it.
    pub ends: Option<Timestamp>,
}

impl Window {
    /// True when the moment lies inside.
    pub fn contains(&self, now: Timestamp) -> bool {
        self.starts.is_none_or(|starts| starts <= now) && !self.is_over(now)
    }

    /// True when the moment lies after its end.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    /// True when it ends before or as it begins.
    pub fn is_empty(&self) -> bool {
        matches!((self.starts, self.ends), (Some(starts), Some(ends)) if ends <= starts)
    }
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
