//! Quantities: whole numbers of units. In: a stock cell as shops export it. Out: the units, nothing (absent is not
//! zero), or a problem, with the number kept where one is surely meant.

use super::number::{self, NumberLocale, NumberProblem};

/// What a stock cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// So many units, 0 or more.
    Units(i64),
    /// Nothing: blank, `-`, `null`, `n/a`.
    Absent,
    /// Something is wrong.
    Problem {
        /// The number to go on with where the cell surely means it (`-3`, `10+`), the whole units of `2.5`.
        kept: Option<i64>,
        /// What is wrong.
        problem: QuantityProblem,
    },
}

/// What is wrong with a stock cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuantityProblem {
    /// Below zero, as backorders and miscounts leave it.
    Negative,
    /// At least so many: `>10`, `10+`.
    LowerBound,
    /// Availability rather than a number: `in stock`, `yes`.
    Availability,
    /// Part of a unit: `0.5`.
    Fraction,
    /// An error value of a spreadsheet: `#N/A`, `#REF!`.
    SpreadsheetError,
    /// Not a number that can be read.
    Number(NumberProblem),
}

impl QuantityProblem {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        match self {
            QuantityProblem::Negative => format!("the quantity `{text}` is below zero"),
            QuantityProblem::LowerBound => {
                format!("`{text}` says at least how many, not how many")
            }
            QuantityProblem::Availability => format!("`{text}` is an availability, not a quantity"),
            QuantityProblem::Fraction => format!("the quantity `{text}` is not a whole number"),
            QuantityProblem::SpreadsheetError => format!("`{text}` is a spreadsheet's error value"),
            QuantityProblem::Number(problem) => problem.message(text),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            QuantityProblem::Negative => "correct the stock; it counts as it stands until then",
            QuantityProblem::LowerBound => {
                "export exact quantities; until then the lowest possible number counts"
            }
            QuantityProblem::Availability => {
                "map this column to `availability` in `[source.fields]`, or export numbers"
            }
            QuantityProblem::Fraction => {
                "quantities count whole units, and the part of one is left out; what is sold by weight or length needs a unit of sale"
            }
            QuantityProblem::SpreadsheetError => "repair the formula and export again",
            QuantityProblem::Number(problem) => problem.hint(),
        }
    }
}

/// Reads a stock cell. `1.000` and `1,000` without a declared locale may be 1 or 1000: a problem.
#[inline]
pub fn parse(text: &str, locale: Option<&NumberLocale>) -> Quantity {
    let trimmed = text.trim_ascii();
    let bytes = trimmed.as_bytes();
    // Up to 18 digits cannot overflow.
    if (1..=18).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit) {
        let units = bytes
            .iter()
            .fold(0i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
        return Quantity::Units(units);
    }
    parse_written(trimmed.trim(), locale)
}

fn parse_written(text: &str, locale: Option<&NumberLocale>) -> Quantity {
    let problem = |problem| Quantity::Problem {
        kept: None,
        problem,
    };
    let lower = text.to_lowercase();
    match lower.as_str() {
        "" | "-" | "--" | "\u{2013}" | "\u{2014}" | "null" | "nil" | "none" | "n/a" | "na"
        | "nan" | "\\n" => return Quantity::Absent,
        "yes" | "no" | "true" | "false" | "y" | "n" | "tak" | "nie" | "ano" | "ne" | "ja"
        | "nein" | "oui" | "non" | "si" | "sí" | "так" | "ні" => {
            return problem(QuantityProblem::Availability);
        }
        error if error.starts_with('#') => return problem(QuantityProblem::SpreadsheetError),
        _ => {}
    }
    let has_digits = text.contains(|letter: char| letter.is_numeric());
    if !has_digits && super::availability::parse(text).is_ok() {
        return problem(QuantityProblem::Availability);
    }
    let bound = lower
        .strip_prefix('>')
        .map(|rest| rest.strip_prefix('=').unwrap_or(rest))
        .or_else(|| lower.strip_prefix('\u{2265}'))
        .or_else(|| lower.strip_suffix('+'));
    let digits = without_unit(bound.unwrap_or(&lower)).trim();
    let number = match number::parse(digits, locale) {
        Ok(number) => number,
        Err(why) => return problem(QuantityProblem::Number(why)),
    };
    let Some(units) = whole(&number) else {
        return Quantity::Problem {
            kept: floor(&number).filter(|_| bound.is_none()),
            problem: QuantityProblem::Fraction,
        };
    };
    match bound {
        Some(_) => Quantity::Problem {
            kept: Some(units),
            problem: QuantityProblem::LowerBound,
        },
        None if units < 0 => Quantity::Problem {
            kept: Some(units),
            problem: QuantityProblem::Negative,
        },
        None => Quantity::Units(units),
    }
}

/// Drops a word for pieces.
fn without_unit(text: &str) -> &str {
    const PIECES: &[&str] = &[
        "pieces",
        "pcs",
        "pc",
        "units",
        "unit",
        "sztuk",
        "szt",
        "stück",
        "stk",
        "st",
        "ks",
        "шт",
        "ud",
        "uds",
        "pz",
        "pièces",
        "ชิ้น",
        "cái",
        "chiếc",
    ];
    let word = text.trim_end_matches('.').trim_end();
    PIECES
        .iter()
        .find_map(|piece| word.strip_suffix(piece))
        .map_or(text, str::trim_end)
}

/// `5` and `5.00`, not `5.5`.
fn whole(number: &str) -> Option<i64> {
    let (digits, fraction) = number.split_once('.').unwrap_or((number, ""));
    fraction
        .bytes()
        .all(|b| b == b'0')
        .then(|| digits.parse().ok())
        .flatten()
}

/// The whole units of a number with a fraction: 2 of `2.5`, -3 of `-2.5`.
fn floor(number: &str) -> Option<i64> {
    let (digits, _) = number.split_once('.')?;
    let units: i64 = digits.parse().ok()?;
    units.checked_sub(i64::from(digits.starts_with('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(units: i64, problem: QuantityProblem) -> Quantity {
        Quantity::Problem {
            kept: Some(units),
            problem,
        }
    }

    fn lost(problem: QuantityProblem) -> Quantity {
        Quantity::Problem {
            kept: None,
            problem,
        }
    }

    #[test]
    fn reads_stock_cells() {
        for (text, want) in [
            ("0", Quantity::Units(0)),
            (" 12 ", Quantity::Units(12)),
            ("0.0", Quantity::Units(0)),
            ("5.00", Quantity::Units(5)),
            ("5,0", Quantity::Units(5)),
            ("1 000", Quantity::Units(1000)),
            ("1.000.000", Quantity::Units(1_000_000)),
            ("12 szt.", Quantity::Units(12)),
            ("3 ks", Quantity::Units(3)),
            ("๑๒", Quantity::Units(12)),
            ("", Quantity::Absent),
            ("-", Quantity::Absent),
            ("NULL", Quantity::Absent),
            ("n/a", Quantity::Absent),
            (">10", kept(10, QuantityProblem::LowerBound)),
            ("10+", kept(10, QuantityProblem::LowerBound)),
            ("> 10 ks", kept(10, QuantityProblem::LowerBound)),
            ("-3", kept(-3, QuantityProblem::Negative)),
            ("0.5", kept(0, QuantityProblem::Fraction)),
            ("2,5 szt", kept(2, QuantityProblem::Fraction)),
            ("-0.5", kept(-1, QuantityProblem::Fraction)),
            ("-2.5", kept(-3, QuantityProblem::Fraction)),
            (">2.5", lost(QuantityProblem::Fraction)),
            ("in stock", lost(QuantityProblem::Availability)),
            ("yes", lost(QuantityProblem::Availability)),
            ("สินค้าหมด", lost(QuantityProblem::Availability)),
            ("#N/A", lost(QuantityProblem::SpreadsheetError)),
            ("many", lost(QuantityProblem::Number(NumberProblem::Words))),
            (
                "5-10",
                lost(QuantityProblem::Number(NumberProblem::Several)),
            ),
            (
                "1e3",
                lost(QuantityProblem::Number(NumberProblem::Scientific)),
            ),
            (
                "99999999999999999999",
                lost(QuantityProblem::Number(NumberProblem::TooLong)),
            ),
        ] {
            assert_eq!(parse(text, None), want, "{text}");
        }
    }

    #[test]
    fn a_locale_settles_thousands() {
        for text in ["1.000", "1,000"] {
            assert!(matches!(
                parse(text, None),
                Quantity::Problem {
                    kept: None,
                    problem: QuantityProblem::Number(NumberProblem::Ambiguous { .. })
                }
            ));
        }
        let [de, en] = ["de", "en"].map(|tag| NumberLocale::from_tag(tag).expect("known"));
        assert_eq!(parse("1.000", Some(&de)), Quantity::Units(1000));
        assert_eq!(parse("1,000", Some(&en)), Quantity::Units(1000));
        assert_eq!(parse("1.000", Some(&en)), Quantity::Units(1));
    }
}
