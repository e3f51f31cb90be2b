//! Cells to counts: what a stock cell says to a sync. In: the cell's text. Out: units, or nothing, and what is wrong with it.
//!
//! Absent is not zero: zero comes from a written zero alone. What tells less than a count (`>10`, `in stock`) tells a sync
//! nothing; feeds take the lowest possible number there, since they only show it.

use crate::model::number::{NumberLocale, NumberProblem};
use crate::model::quantity::{self, Quantity, QuantityProblem};
use crate::model::value::{ELEMENT, PAIR};
use crate::program::attribute::shown;
use crate::sync::planted;

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The rule that it breaks.
    pub rule: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Trouble {
    pub(super) fn new(
        rule: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Trouble {
            rule,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Reads a count: whole units, fractions floored, below zero as written; `None` means that nothing changes.
#[inline]
pub fn count(text: &str, locale: Option<&NumberLocale>) -> (Option<i64>, Option<Trouble>) {
    match quantity::parse(text, locale) {
        Quantity::Units(units) => (Some(units), None),
        Quantity::Absent => (planted::is("empty cell as 0").then_some(0), None),
        Quantity::Problem { kept, problem } => odd(text, kept, &problem),
    }
}

/// Reads a count of which a part is one more: what is sold.
pub(super) fn ceiling(text: &str, locale: Option<&NumberLocale>) -> (Option<i64>, Option<Trouble>) {
    match quantity::parse(text, locale) {
        Quantity::Problem {
            kept,
            problem: QuantityProblem::Fraction,
        } => (kept.map(|units| units + 1), None),
        _ => count(text, locale),
    }
}

/// A cell that holds something, and no whole count.
#[cold]
fn odd(text: &str, kept: Option<i64>, problem: &QuantityProblem) -> (Option<i64>, Option<Trouble>) {
    if text.contains([ELEMENT, PAIR]) {
        let trouble = Trouble::new(
            "list-as-text",
            "the cell holds a list where one count belongs",
            "map one element in [source.fields], such as `{{first column}}`",
        );
        return (None, Some(trouble));
    }
    let units = match problem {
        QuantityProblem::Negative | QuantityProblem::Fraction => kept,
        _ => None,
    };
    let rule = match problem {
        QuantityProblem::Negative => "quantity-negative",
        QuantityProblem::Number(NumberProblem::Ambiguous { .. }) => "ambiguous-number",
        _ => "quantity-not-a-number",
    };
    let hint = match problem {
        QuantityProblem::LowerBound => {
            "export exact quantities; the level stays as it is until then"
        }
        QuantityProblem::Negative => "correct the stock; it counts as nothing until then",
        other => other.hint(),
    };
    (
        units,
        Some(Trouble::new(rule, problem.message(&shown(text)), hint)),
    )
}
