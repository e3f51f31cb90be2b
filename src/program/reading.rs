//! Cells to values: how a column's text is read as what the column holds.

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;
use jiff::tz::TimeZone;

use crate::catalog::columns::Kind;
use crate::model::date::{self, DateOrder, DateRules};
use crate::model::gtin::{Gtin, GtinProblem};
use crate::model::measure::{self, Unit};
use crate::model::money::{self, MoneyProblem, MoneyRules};
use crate::model::number::{self, NumberLocale, NumberProblem};
use crate::model::quantity::{self, Quantity, QuantityProblem};
use crate::model::value::{ELEMENT, PAIR, Value};
use crate::model::words::UnknownWord;
use crate::model::{age_group, availability, condition, gender};

use super::attribute::shown;
use super::evaluate::{Trouble, trim};

/// How one column of one source is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Our column, for messages.
    pub column: String,
    /// The source's own name for it.
    pub shown: String,
    /// What its cells hold.
    pub kind: Kind,
    /// How numbers are written, where it was declared.
    pub numbers: Option<NumberLocale>,
    /// Whether `03/04/2026` is the third of April, where it was declared.
    pub dates: Option<DateOrder>,
    /// The currency of bare amounts, ISO 4217.
    pub currency: String,
    /// The zone of moments without an offset.
    pub zone: TimeZone,
    /// Whether years may be of the Buddhist era.
    pub thai: bool,
    /// Unit of bare weights and lengths.
    pub unit: Option<Unit>,
    /// What separates the elements of a list in a cell, where it was declared.
    pub separator: Option<String>,
}

/// Reads a value, never absent; what is wrong with it comes beside what could be made of it.
pub fn read<'a>(
    reading: &Reading,
    value: Value<'a>,
    arena: &'a Bump,
) -> (Value<'a>, Option<Trouble>) {
    match reading.kind {
        Kind::List => return (list(reading, value, arena, "|"), None),
        Kind::Levels => return (list(reading, value, arena, ">"), None),
        Kind::Pairs => return (pairs(reading, value, arena), None),
        _ => {}
    }
    let Some(text) = value.as_text() else {
        let trouble = Trouble {
            rule: "list-as-text",
            message: format!("`{}` holds a list where one value belongs", reading.column),
            hint: "map one element: `{{first column}}`".to_owned(),
        };
        return (Value::Absent, Some(trouble));
    };
    let text = trim(text);
    if text.is_empty() {
        return (Value::Absent, None);
    }
    // Our own words need no reading.
    if let Some(word) = canonical(reading.kind).iter().find(|word| **word == text) {
        return (Value::Text(word), None);
    }
    match reading.kind {
        Kind::Money => money(reading, text, arena),
        Kind::Decimal => match number::parse_percent(text, reading.numbers.as_ref()) {
            Ok(number) => (text_of(number, arena), None),
            Err(problem) => (
                Value::Absent,
                trouble(
                    "not-a-number",
                    problem.message(&shown(text)),
                    problem.hint(),
                ),
            ),
        },
        Kind::Quantity => quantity(reading, text, arena),
        Kind::Gtin => gtin(text, arena),
        Kind::Availability => word(
            text,
            availability::parse(text).map(|word| word.as_str()),
            "unknown-availability",
        ),
        Kind::Condition => word(
            text,
            condition::parse(text).map(|word| word.as_str()),
            "unknown-condition",
        ),
        Kind::Gender => word(
            text,
            gender::parse(text).map(|word| word.as_str()),
            "unknown-gender",
        ),
        Kind::AgeGroup => word(
            text,
            age_group::parse(text).map(|word| word.as_str()),
            "unknown-age-group",
        ),
        Kind::Start | Kind::End => moment(reading, text, arena),
        Kind::Weight | Kind::Length => measured(reading, text, arena),
        Kind::Text | Kind::Identifier | Kind::List | Kind::Levels | Kind::Pairs => {
            (Value::Text(text), None)
        }
    }
}

/// The words of the small vocabularies as we write them.
fn canonical(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Availability => &["in_stock", "out_of_stock", "preorder", "backorder"],
        Kind::Condition => &["new", "refurbished", "used"],
        Kind::Gender => &["male", "female", "unisex"],
        Kind::AgeGroup => &["newborn", "infant", "toddler", "kids", "adult"],
        _ => &[],
    }
}

fn trouble(rule: &'static str, message: String, hint: impl Into<String>) -> Option<Trouble> {
    Some(Trouble {
        rule,
        message,
        hint: hint.into(),
    })
}

fn text_of<'a>(text: std::borrow::Cow<'a, str>, arena: &'a Bump) -> Value<'a> {
    match text {
        std::borrow::Cow::Borrowed(text) => Value::text(text),
        std::borrow::Cow::Owned(text) => Value::text(arena.alloc_str(&text)),
    }
}

fn money<'a>(reading: &Reading, text: &'a str, arena: &'a Bump) -> (Value<'a>, Option<Trouble>) {
    let rules = MoneyRules {
        locale: reading.numbers.as_ref(),
        currency: &reading.currency,
    };
    match money::parse(text, &rules) {
        Ok(parsed) => match parsed.currency {
            Some(named) if !named.eq_ignore_ascii_case(&reading.currency) => (
                Value::Absent,
                trouble(
                    "currency-mismatch",
                    format!(
                        "`{}` is in {named}, and the column's amounts are in {}",
                        shown(text),
                        reading.currency
                    ),
                    format!(
                        "set `currency = \"{named}\"` on the source, or map the column to `{}.{named}`",
                        reading.column
                    ),
                ),
            ),
            _ if parsed.is_zero() && reading.column.starts_with("price") => (
                Value::Absent,
                trouble(
                    "price-zero",
                    format!("the price is `{text}`, and nothing is sold for nothing"),
                    "give it a price; no price is made from 0",
                ),
            ),
            _ => (text_of(parsed.amount, arena), None),
        },
        Err(problem) => {
            let rule = match &problem {
                MoneyProblem::Number(NumberProblem::Ambiguous { .. }) => "ambiguous-number",
                MoneyProblem::Negative => "price-negative",
                _ => "price-not-a-number",
            };
            (
                Value::Absent,
                trouble(rule, problem.message(&shown(text)), problem.hint()),
            )
        }
    }
}

fn quantity<'a>(reading: &Reading, text: &'a str, arena: &'a Bump) -> (Value<'a>, Option<Trouble>) {
    // Whole digits need no reading: the usual cell.
    if text.len() <= 15
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'))
    {
        return (Value::Text(text), None);
    }
    let units = |units: i64| Value::Text(arena.alloc_str(&units.to_string()));
    match quantity::parse(text, reading.numbers.as_ref()) {
        Quantity::Units(count) => (units(count), None),
        Quantity::Absent => (Value::Absent, None),
        Quantity::Problem { kept, problem } => {
            let rule = match problem {
                QuantityProblem::Negative => "quantity-negative",
                QuantityProblem::Number(NumberProblem::Ambiguous { .. }) => "ambiguous-number",
                _ => "quantity-not-a-number",
            };
            (
                kept.map_or(Value::Absent, units),
                trouble(rule, problem.message(&shown(text)), problem.hint()),
            )
        }
    }
}

fn gtin<'a>(text: &'a str, arena: &'a Bump) -> (Value<'a>, Option<Trouble>) {
    match Gtin::parse(text) {
        Ok(parsed) => {
            let value = if parsed.separators_removed {
                Value::Text(arena.alloc_str(parsed.gtin.as_str()))
            } else {
                Value::Text(text)
            };
            let odd = parsed.restricted.and_then(|kind| {
                trouble("gtin-restricted", kind.message(&shown(text)), kind.hint())
            });
            // A number for use inside one company identifies nothing at a channel.
            (if odd.is_some() { Value::Absent } else { value }, odd)
        }
        Err(GtinProblem::Blank) => (Value::Absent, None),
        Err(problem) => (
            Value::Absent,
            trouble(
                gtin_rule(&problem),
                problem.message(&shown(text)),
                problem.hint(),
            ),
        ),
    }
}

/// The rule that a number which is no GTIN breaks.
pub(super) fn gtin_rule(problem: &GtinProblem) -> &'static str {
    match problem {
        GtinProblem::SpreadsheetDamage | GtinProblem::LostZeros(_) => "gtin-spreadsheet",
        GtinProblem::CheckDigit { .. } => "gtin-check-digit",
        _ => "gtin-invalid",
    }
}

fn word<'a>(
    text: &str,
    read: Result<&'static str, UnknownWord>,
    rule: &'static str,
) -> (Value<'a>, Option<Trouble>) {
    match read {
        Ok(word) => (Value::Text(word), None),
        Err(problem) => (
            Value::Absent,
            trouble(rule, problem.message(&shown(text)), problem.hint()),
        ),
    }
}

fn moment<'a>(reading: &Reading, text: &'a str, arena: &'a Bump) -> (Value<'a>, Option<Trouble>) {
    let rules = DateRules {
        zone: &reading.zone,
        order: reading.dates,
        thai: reading.thai,
        end: reading.kind == Kind::End,
    };
    if date::is_canonical(text) {
        return (Value::Text(text), None);
    }
    match date::parse(text, &rules) {
        Ok(moment) => {
            let written = moment.to_string();
            let value = if written == text {
                Value::Text(text)
            } else {
                Value::text(arena.alloc_str(&written))
            };
            (
                value,
                moment.adjusted.and_then(|adjusted| {
                    trouble(
                        "date-adjusted",
                        adjusted.message(&shown(text)),
                        adjusted.hint(),
                    )
                }),
            )
        }
        Err(problem) => (
            Value::Absent,
            trouble(
                "date-invalid",
                problem.message(&shown(text)),
                problem.hint(),
            ),
        ),
    }
}

fn measured<'a>(reading: &Reading, text: &'a str, arena: &'a Bump) -> (Value<'a>, Option<Trouble>) {
    let Some(unit) = reading.unit else {
        return (Value::Text(text), None);
    };
    if let Some(bare) = measure::Bare::of(text, unit) {
        let mut written = ArenaString::with_capacity_in(text.len() + 16, arena);
        if bare.write(&mut written).is_ok() {
            return (Value::Text(written.into_bump_str()), None);
        }
    }
    match measure::parse(text, unit, reading.numbers.as_ref()) {
        Ok(measured) => {
            let written = measured.to_string();
            (
                if written == text {
                    Value::Text(text)
                } else {
                    Value::text(arena.alloc_str(&written))
                },
                None,
            )
        }
        Err(problem) => (
            Value::Absent,
            trouble(
                "measure-invalid",
                problem.message(&shown(text)),
                problem.hint(),
            ),
        ),
    }
}

/// A list from one cell: elements as they came, or the text split.
fn list<'a>(reading: &Reading, value: Value<'a>, arena: &'a Bump, usual: &str) -> Value<'a> {
    let Value::Text(text) = value else {
        return value;
    };
    let separator = reading.separator.as_deref().unwrap_or(usual).as_bytes();
    let find = |rest: &str| match separator {
        [] => None,
        [one] => memchr::memchr(*one, rest.as_bytes()),
        more => memchr::memmem::find(rest.as_bytes(), more),
    };
    let Some(mut end) = find(text) else {
        return Value::list(trim(text));
    };
    let mut encoded = ArenaString::with_capacity_in(text.len(), arena);
    let mut rest = text;
    loop {
        let element = trim(rest.get(..end).unwrap_or(""));
        if !element.is_empty() {
            if !encoded.is_empty() {
                encoded.push(ELEMENT);
            }
            encoded.push_str(element);
        }
        rest = match rest.get(end + separator.len()..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => return Value::list(encoded.into_bump_str()),
        };
        end = find(rest).unwrap_or(rest.len());
    }
}

/// Names and values from one cell: `Colour: red; Size: M`. With a declared separator a piece without a name goes on the
/// value before it: `care=wash, dry,size=M`.
fn pairs<'a>(reading: &Reading, value: Value<'a>, arena: &'a Bump) -> Value<'a> {
    let Value::Text(text) = value else {
        return value;
    };
    let mut encoded = ArenaString::new_in(arena);
    let declared = reading.separator.as_deref();
    let mut add = |element: &str| {
        let split = element
            .split_once(PAIR)
            .or_else(|| element.split_once([':', '=']));
        let (name, value) = match (split, declared) {
            (None, Some(separator)) if !encoded.is_empty() => {
                encoded.push_str(separator);
                encoded.push_str(element);
                return;
            }
            (split, _) => split.unwrap_or((element, "")),
        };
        if !encoded.is_empty() {
            encoded.push(ELEMENT);
        }
        encoded.push_str(name.trim());
        encoded.push(PAIR);
        encoded.push_str(value.trim());
    };
    match declared {
        Some(separator) => text
            .split(separator)
            .map(str::trim)
            .filter(|element| !element.is_empty())
            .for_each(&mut add),
        None => text
            .split(['|', ';', '\n'])
            .map(str::trim)
            .filter(|element| !element.is_empty())
            .for_each(&mut add),
    }
    Value::list(encoded.into_bump_str())
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
