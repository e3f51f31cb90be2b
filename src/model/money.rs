//! Money: a price cell in any notation in, an exact canonical amount (`digits[.digits]`) and the currency that the cell
//! itself names out; and the way back, an amount written for a feed. Never a float, never a guess.

use std::borrow::Cow;
use std::fmt;

use super::currency::{self, Place};
use super::decimal;
use super::number::{self, Body, Decides, NumberLocale, NumberProblem};

pub use super::currency::exponent;

/// What is known about the column that the cell stands in.
#[derive(Clone, Copy, Debug)]
pub struct MoneyRules<'r> {
    /// How its source writes numbers, where declared.
    pub locale: Option<&'r NumberLocale>,
    /// The currency expected, ISO 4217.
    pub currency: &'r str,
}

/// A price cell that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'t> {
    /// The amount as `digits[.digits]`, decimals as written; borrowed when the cell was canonical.
    pub amount: Cow<'t, str>,
    /// The currency that the cell names, ISO 4217. A sign that several share (`$`, `kr`) counts as the expected one
    /// where that shares it. `None` for a bare number.
    pub currency: Option<&'static str>,
}

impl Parsed<'_> {
    /// True for `0`, `0.00`.
    pub fn is_zero(&self) -> bool {
        self.amount.bytes().all(|b| matches!(b, b'0' | b'.'))
    }
}

/// Why a cell holds no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoneyProblem {
    /// Nothing but white space.
    Blank,
    /// Words: `call us`, `free`, `N/A`, `from 12.00`.
    Words,
    /// Below zero.
    Negative,
    /// Two currencies in one cell.
    Currencies(&'static str, &'static str),
    /// The number itself cannot be read.
    Number(NumberProblem),
}

impl MoneyProblem {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        match self {
            MoneyProblem::Blank => "the price is blank".to_owned(),
            MoneyProblem::Words => format!("`{text}` is not a price"),
            MoneyProblem::Negative => format!("the price `{text}` is below zero"),
            MoneyProblem::Currencies(a, b) => format!("`{text}` names two currencies, {a} and {b}"),
            MoneyProblem::Number(NumberProblem::Several) => {
                format!("`{text}` holds more than one price")
            }
            MoneyProblem::Number(problem) => problem.message(text),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            MoneyProblem::Blank => "give the product a price",
            MoneyProblem::Words => "write an amount such as `12.50`, or leave the cell empty",
            MoneyProblem::Negative => {
                "correct the price; a discount belongs into `sale_price` as an amount to pay"
            }
            MoneyProblem::Currencies(..) => {
                "keep one; prices in another currency go into a column of their own, such as `price.PLN`"
            }
            MoneyProblem::Number(NumberProblem::Several) => {
                "keep one price in the cell; a lower one goes into `sale_price`"
            }
            MoneyProblem::Number(problem) => problem.hint(),
        }
    }
}

impl From<NumberProblem> for MoneyProblem {
    fn from(problem: NumberProblem) -> Self {
        match problem {
            NumberProblem::Blank => MoneyProblem::Blank,
            NumberProblem::Words => MoneyProblem::Words,
            other => MoneyProblem::Number(other),
        }
    }
}

/// Reads a price cell. `1.234` and `1,234` without a declared locale are ambiguous unless the currency decides.
#[inline]
pub fn parse<'t>(text: &'t str, rules: &MoneyRules<'_>) -> Result<Parsed<'t>, MoneyProblem> {
    let trimmed = text.trim_ascii();
    if number::is_plain(trimmed) {
        return Ok(Parsed {
            amount: Cow::Borrowed(trimmed),
            currency: None,
        });
    }
    parse_written(trimmed.trim(), rules)
}

/// The slow path: signs, words, separators.
fn parse_written<'t>(text: &'t str, rules: &MoneyRules<'_>) -> Result<Parsed<'t>, MoneyProblem> {
    if text.is_empty() {
        return Err(MoneyProblem::Blank);
    }
    let Body {
        before,
        body,
        after,
    } = number::body(text)?;
    let beside = Beside::of(before, after, rules.currency)?;
    let currency = beside.currency.unwrap_or(rules.currency);
    let decides = match exponent(currency) {
        0 => Decides::Whole,
        _ if currency::writes_three_decimals(currency) => Decides::PointThree,
        _ => Decides::No,
    };
    let amount = if beside.leading_point {
        Cow::Owned(number::leading_fraction(body)?)
    } else if number::is_plain(body) {
        Cow::Borrowed(body)
    } else {
        let locale = beside.whole.as_ref().or(rules.locale);
        Cow::Owned(number::read(body, locale, decides)?)
    };
    let parsed = Parsed {
        amount,
        currency: beside.currency,
    };
    if beside.negative && !parsed.is_zero() {
        return Err(MoneyProblem::Negative);
    }
    Ok(parsed)
}

/// What stands beside the number.
struct Beside {
    negative: bool,
    /// The number begins with a decimal point, as in `.99`.
    leading_point: bool,
    /// The number ends with a decimal sign, as in `1.299,--`: the other sign groups.
    whole: Option<NumberLocale>,
    currency: Option<&'static str>,
}

impl Beside {
    fn of(before: &str, after: &str, expected: &str) -> Result<Beside, MoneyProblem> {
        let minus = |c: char| matches!(c, '-' | '\u{2212}' | '\u{2013}' | '\u{2014}');
        let mut negative = false;
        let mut before = before;
        let mut after = after;
        if let (Some(b), Some(a)) = (before.strip_prefix('('), after.strip_suffix(')')) {
            (negative, before, after) = (true, b.trim(), a.trim());
        }
        // `12,-` and `12.--` are whole amounts in German, Danish and Dutch.
        let mut whole = None;
        if let Some(rest) = after.strip_prefix(['.', ',']) {
            whole = Some(match after.starts_with('.') {
                true => NumberLocale {
                    decimal: '.',
                    group: ',',
                },
                false => NumberLocale {
                    decimal: ',',
                    group: '.',
                },
            });
            after = rest.trim_start_matches(minus).trim_start();
        } else if let Some(rest) = after.strip_suffix(minus) {
            (negative, after) = (true, rest.trim_end());
        }
        if let Some(rest) = before.strip_prefix(minus) {
            (negative, before) = (true, rest.trim_start());
        } else if let Some(rest) = before.strip_suffix(minus) {
            (negative, before) = (true, rest.trim_end());
        }
        before = before.trim_matches('+').trim();
        // The dot of `Rs.` belongs to the word, the one of `$.99` to the number.
        let abbreviated = before
            .strip_suffix('.')
            .is_some_and(|word| word.ends_with(char::is_alphabetic));
        let mut leading_point = false;
        if !abbreviated && let Some(rest) = before.strip_suffix(['.', ',']) {
            (leading_point, before) = (true, rest.trim_end());
        }
        Ok(Beside {
            negative,
            leading_point,
            whole,
            currency: currency_of(before, after, expected)?,
        })
    }
}

/// The currency named before, after or on both sides.
fn currency_of(
    before: &str,
    after: &str,
    expected: &str,
) -> Result<Option<&'static str>, MoneyProblem> {
    let mut found: Option<Candidates> = None;
    for word in before.split_whitespace().chain(after.split_whitespace()) {
        let next = Candidates::of(word).ok_or(MoneyProblem::Words)?;
        found = Some(match found {
            None => next,
            // `$12 CAD`: what both may mean.
            Some(first) if next.contains(first.likeliest()) => first,
            Some(first) if first.contains(next.likeliest()) => next,
            Some(first) => {
                return Err(MoneyProblem::Currencies(
                    first.likeliest(),
                    next.likeliest(),
                ));
            }
        });
    }
    Ok(found.map(|candidates| candidates.expected_or_likeliest(expected)))
}

/// What a word beside an amount may mean.
#[derive(Clone, Copy)]
enum Candidates {
    Code(&'static str),
    Sign(&'static [&'static str]),
}

impl Candidates {
    fn of(word: &str) -> Option<Candidates> {
        if let [_, ..] = currency::named(word) {
            return Some(Candidates::Sign(currency::named(word)));
        }
        currency::code(word).map(Candidates::Code)
    }

    fn contains(&self, code: &str) -> bool {
        match self {
            Candidates::Code(own) => *own == code,
            Candidates::Sign(all) => all.contains(&code),
        }
    }

    fn likeliest(&self) -> &'static str {
        match self {
            Candidates::Code(own) => own,
            Candidates::Sign(all) => all.first().copied().unwrap_or_default(),
        }
    }

    fn expected_or_likeliest(&self, expected: &str) -> &'static str {
        match self {
            Candidates::Sign(all) => all.iter().find(|code| **code == expected).copied(),
            Candidates::Code(_) => None,
        }
        .unwrap_or(self.likeliest())
    }
}

/// Where a written amount shows its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CurrencyStyle {
    /// `2612.00 THB`
    #[default]
    Code,
    /// `2612.00`
    None,
    /// `฿2612.00`, `12,50 zł`; the code where a currency has no sign of its own.
    Symbol,
}

/// How an amount is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoneyStyle<'s> {
    /// Where the currency stands.
    pub currency: CurrencyStyle,
    /// What stands before the decimals.
    pub decimal: &'s str,
    /// What stands between thousands; empty for nothing.
    pub group: &'s str,
    /// In minor units (`261200`): no decimals, no separator.
    pub minor: bool,
}

impl Default for MoneyStyle<'_> {
    fn default() -> Self {
        MoneyStyle {
            currency: CurrencyStyle::Code,
            decimal: ".",
            group: "",
            minor: false,
        }
    }
}

/// An amount that is no canonical number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAmount;

/// Writes a canonical amount with its currency's decimals, rounded half away from zero on its digits.
pub fn format(
    amount: &str,
    code: &str,
    style: &MoneyStyle<'_>,
    out: &mut impl fmt::Write,
) -> Result<(), NotAnAmount> {
    let places = usize::from(exponent(code));
    let given = decimal::parts(amount).ok_or(NotAnAmount)?;
    // Most amounts have the right number of decimals already.
    let exact =
        given.fraction.len() == places && (given.whole == "0" || !given.whole.starts_with('0'));
    if exact && *style == MoneyStyle::default() {
        // Writing to text does not fail.
        return out
            .write_str(amount)
            .and_then(|()| out.write_char(' '))
            .and_then(|()| out.write_str(code))
            .map_err(|_| NotAnAmount);
    }
    let rounded = match exact {
        true => Cow::Borrowed(amount),
        false => Cow::Owned(decimal::round(amount, places).ok_or(NotAnAmount)?),
    };
    let parts = decimal::parts(&rounded).ok_or(NotAnAmount)?;
    let sign = match style.currency {
        CurrencyStyle::Symbol => currency::sign(code),
        _ => None,
    };
    let before = sign.is_some_and(|(_, place)| match place {
        Place::Before => true,
        Place::After => false,
        Place::ByDecimal => style.decimal == ".",
    });
    let write = |out: &mut dyn fmt::Write| -> fmt::Result {
        if parts.negative {
            out.write_char('-')?;
        }
        if let (true, Some((sign, _))) = (before, sign) {
            out.write_str(sign)?;
        }
        if style.minor {
            let digits = [parts.whole, parts.fraction].concat();
            out.write_str(match digits.trim_start_matches('0') {
                "" => "0",
                digits => digits,
            })?;
        } else {
            write_grouped(parts.whole, style.group, out)?;
            if !parts.fraction.is_empty() {
                out.write_str(style.decimal)?;
                out.write_str(parts.fraction)?;
            }
        }
        match (style.currency, sign) {
            (CurrencyStyle::None, _) => Ok(()),
            (_, Some(_)) if before => Ok(()),
            (_, Some((sign, _))) => write!(out, " {sign}"),
            (_, None) => write!(out, " {code}"),
        }
    };
    // Writing to text does not fail.
    write(out).map_err(|_| NotAnAmount)
}

/// Writes digits in groups of three.
pub(crate) fn write_grouped(digits: &str, group: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    if group.is_empty() {
        return out.write_str(digits);
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.write_str(group)?;
        }
        out.write_char(digit)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
