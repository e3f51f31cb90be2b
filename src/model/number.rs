//! Numbers as people write them: `1.234,50`, `1 234,50`, `1'234.50`, `1,23,456.00`, `๑๒๓`. In: a cell and, where the
//! source declares one, its locale. Out: the canonical text `-?digits[.digits]`, exact, or the problem. Text that two
//! locales read differently is never guessed.

use std::borrow::Cow;

/// How a locale writes numbers. Spaces and apostrophes group thousands in every locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberLocale {
    /// What stands before the fraction: `.` or `,`.
    pub decimal: char,
    /// What stands between thousands: `.`, `,`, a space or an apostrophe.
    pub group: char,
}

impl NumberLocale {
    /// The rules of a BCP 47 tag such as `pl`, `pt-BR`, `de-CH`, `en_IN`; `None` for a language not known here.
    pub fn from_tag(tag: &str) -> Option<NumberLocale> {
        let mut subtags = tag.split(['-', '_']);
        let language = subtags.next()?.to_ascii_lowercase();
        let region = subtags
            .find(|s| s.len() == 2 || s.len() == 3)
            .map(str::to_ascii_uppercase);
        let (decimal, group) = match (language.as_str(), region.as_deref()) {
            ("de" | "it" | "rm", Some("CH")) | ("de", Some("LI")) => ('.', '\''),
            ("en", Some("ZA")) => (',', ' '),
            ("es", Some("MX" | "US" | "PE" | "GT" | "DO" | "PA" | "SV" | "HN" | "NI" | "PR")) => {
                ('.', ',')
            }
            ("ar", Some("DZ" | "MA" | "TN" | "LY" | "MR")) => (',', '.'),
            ("pt", Some("PT" | "AO" | "MZ")) => (',', ' '),
            (
                "en" | "th" | "zh" | "ja" | "ko" | "hi" | "bn" | "ta" | "te" | "mr" | "gu" | "kn"
                | "ml" | "pa" | "ur" | "ne" | "si" | "he" | "ar" | "ms" | "fil" | "tl" | "my"
                | "sw" | "ga" | "mt",
                _,
            ) => ('.', ','),
            (
                "de" | "nl" | "it" | "es" | "id" | "vi" | "da" | "tr" | "ro" | "pt" | "el" | "hr"
                | "sr" | "sl" | "bs" | "mk" | "ca" | "gl" | "eu" | "is" | "km" | "lo" | "fo" | "az",
                _,
            ) => (',', '.'),
            (
                "fr" | "pl" | "cs" | "sk" | "sv" | "fi" | "nb" | "no" | "nn" | "ru" | "uk" | "hu"
                | "bg" | "lt" | "lv" | "et" | "be" | "kk" | "ka" | "hy" | "sq" | "ky" | "uz",
                _,
            ) => (',', ' '),
            _ => return None,
        };
        Some(NumberLocale { decimal, group })
    }
}

/// Why a text is not one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberProblem {
    /// Nothing but white space.
    Blank,
    /// No digits, or words beside them.
    Words,
    /// More than one number.
    Several,
    /// `1.2E+3`, as spreadsheets write large numbers.
    Scientific,
    /// The separators stand where no locale puts them, as in `1.23.4`.
    Malformed,
    /// Both readings are possible; the thousands reading, then the decimal one.
    Ambiguous {
        /// The separator taken for thousands.
        grouped: String,
        /// The separator taken for the decimal point.
        decimal: String,
    },
    /// Can be read in one way only, and that is not the declared locale's.
    AgainstLocale,
    /// More digits than any real amount has.
    TooLong,
}

impl NumberProblem {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        match self {
            NumberProblem::Blank => "the number is blank".to_owned(),
            NumberProblem::Words => format!("`{text}` is not a number"),
            NumberProblem::Several => format!("`{text}` holds more than one number"),
            NumberProblem::Scientific => format!("`{text}` is in scientific notation"),
            NumberProblem::Malformed => {
                format!("the separators of `{text}` fit no way of writing numbers")
            }
            NumberProblem::Ambiguous { grouped, decimal } => {
                format!("`{text}` may be {grouped} or {decimal}")
            }
            NumberProblem::AgainstLocale => {
                format!("`{text}` is not how the declared locale writes numbers")
            }
            NumberProblem::TooLong => format!("`{text}` has too many digits"),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            NumberProblem::Blank | NumberProblem::Words => {
                "write digits only, or leave the cell empty"
            }
            NumberProblem::Several => "keep one number in the cell",
            NumberProblem::Scientific => {
                "format the column as a number with all its digits, or as text, and export again"
            }
            NumberProblem::Malformed => "correct the number, such as `1234.50`",
            NumberProblem::Ambiguous { .. } => {
                "declare the source's `locale`, such as `locale = \"de\"` (1.234,50) or `locale = \"en\"` (1,234.50)"
            }
            NumberProblem::AgainstLocale => {
                "correct the source's `locale`, or the cell if it is the exception"
            }
            NumberProblem::TooLong => "correct the number: at most 15 digits before the point",
        }
    }
}

/// What may decide between thousands and decimals beside the locale: the currency's number of decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decides {
    /// Nothing.
    No,
    /// The currency has no decimals: three digits after a separator are thousands.
    Whole,
    /// The currency has three decimals and its countries write a point before them.
    PointThree,
}

/// Digits before the point.
const WHOLE_DIGITS_MAX: usize = 15;
/// Digits in all: what an exact decimal surely holds.
const DIGITS_MAX: usize = 28;
/// Digits after the point; long enough for what a float left behind, as in `19.989999999999998`.
const FRACTION_DIGITS_MAX: usize = 18;

/// True for `digits[.digits]` without needless leading zeros that no locale could read as thousands. The hot path.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut point = usize::MAX;
    for (i, byte) in bytes.iter().enumerate() {
        if byte.wrapping_sub(b'0') > 9 {
            if *byte != b'.' || point != usize::MAX {
                return false;
            }
            point = i;
        }
    }
    let (whole, fraction) = match point {
        usize::MAX => (bytes.len(), 1),
        point => (point, bytes.len() - point - 1),
    };
    let Some(first) = bytes.first() else {
        return false;
    };
    if *first == b'0' {
        return whole == 1 && fraction != 0 && fraction <= FRACTION_DIGITS_MAX;
    }
    let like_thousands = fraction == 3 && whole <= 3 && point != usize::MAX;
    whole != 0
        && whole <= WHOLE_DIGITS_MAX
        && fraction != 0
        && fraction <= FRACTION_DIGITS_MAX
        && bytes.len() <= DIGITS_MAX
        && !like_thousands
}

/// Reads a decimal number in any notation; a minus is kept. Borrowed when the text is canonical already.
pub fn parse<'t>(
    text: &'t str,
    locale: Option<&NumberLocale>,
) -> Result<Cow<'t, str>, NumberProblem> {
    let trimmed = text.trim();
    if is_plain(trimmed) {
        return Ok(Cow::Borrowed(trimmed));
    }
    if trimmed.is_empty() {
        return Err(NumberProblem::Blank);
    }
    let (negative, rest) = match trimmed.strip_prefix(['-', '\u{2212}', '\u{2013}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if negative && is_plain(rest) && trimmed.starts_with('-') && trimmed.len() == rest.len() + 1 {
        return Ok(Cow::Borrowed(trimmed));
    }
    let Body {
        before,
        body,
        after,
    } = body(rest)?;
    let leading_point = matches!(before, "." | ",");
    if !(before.is_empty() || leading_point) || !matches!(after, "" | "." | ",") {
        return Err(NumberProblem::Words);
    }
    let read = if leading_point {
        leading_fraction(body)?
    } else {
        read(body, locale, Decides::No)?
    };
    let zero = read.bytes().all(|b| matches!(b, b'0' | b'.'));
    Ok(Cow::Owned(if negative && !zero {
        format!("-{read}")
    } else {
        read
    }))
}

/// Reads a rate in percent: as [`parse`], with or without a `%` sign. Never a fraction of one: `0.23` stays `0.23`.
pub fn parse_percent<'t>(
    text: &'t str,
    locale: Option<&NumberLocale>,
) -> Result<Cow<'t, str>, NumberProblem> {
    let trimmed = text.trim();
    parse(trimmed.strip_suffix('%').unwrap_or(trimmed), locale)
}

/// A text cut at its first and after its last digit.
pub(crate) struct Body<'t> {
    /// What stands before the first digit, trimmed.
    pub(crate) before: &'t str,
    /// From the first to the last digit.
    pub(crate) body: &'t str,
    /// What stands after the last digit, trimmed.
    pub(crate) after: &'t str,
}

/// Finds the number in a text, and whether it is only one.
pub(crate) fn body(text: &str) -> Result<Body<'_>, NumberProblem> {
    let is_digit = |c: char| digit(c).is_some();
    let (Some(from), Some(to)) = (
        text.find(is_digit),
        text.char_indices()
            .rfind(|(_, c)| is_digit(*c))
            .map(|(i, c)| i + c.len_utf8()),
    ) else {
        return Err(NumberProblem::Words);
    };
    let cut = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let body = cut(from..to);
    if body.contains(|c| !is_digit(c) && separator(c).is_none()) {
        return Err(if is_scientific(body) {
            NumberProblem::Scientific
        } else {
            NumberProblem::Several
        });
    }
    Ok(Body {
        before: cut(0..from).trim(),
        body,
        after: cut(to..text.len()).trim(),
    })
}

/// `.5` and `,5`: the digits after a leading separator.
pub(crate) fn leading_fraction(body: &str) -> Result<String, NumberProblem> {
    let digits: Option<String> = body
        .chars()
        .map(|c| digit(c).and_then(|d| char::from_digit(d, 10)))
        .collect();
    match digits {
        Some(digits) if digits.len() <= FRACTION_DIGITS_MAX => Ok(format!("0.{digits}")),
        Some(_) => Err(NumberProblem::TooLong),
        None => Err(NumberProblem::Malformed),
    }
}

/// The value of a decimal digit of the scripts that catalogs are written in.
pub(crate) fn digit(c: char) -> Option<u32> {
    /// The zeros of those scripts: ASCII, Arabic, Persian, Devanagari, Bengali, Thai, Lao, Khmer, full width.
    const ZEROS: [u32; 9] = [
        0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xED0, 0x17E0, 0xFF10,
    ];
    let code = u32::from(c);
    ZEROS
        .iter()
        .map(|zero| code.wrapping_sub(*zero))
        .find(|value| *value < 10)
}

/// What a separator is read as: `.` and `,` are themselves, `'` only groups, a space too, `d` is surely a decimal point.
fn separator(c: char) -> Option<char> {
    Some(match c {
        '.' | '\u{ff0e}' => '.',
        ',' | '\u{ff0c}' | '\u{60c}' => ',',
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}' => ' ',
        '\'' | '\u{2019}' | '\u{66c}' | '`' | '\u{b4}' => '\'',
        '\u{66b}' => 'd',
        _ => return None,
    })
}

fn is_scientific(body: &str) -> bool {
    body.split_once(['e', 'E'])
        .is_some_and(|(mantissa, power)| {
            let power = power.strip_prefix(['+', '-']).unwrap_or(power);
            let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
            !power.is_empty()
                && power.bytes().all(|b| b.is_ascii_digit())
                && mantissa.chars().all(number)
        })
}

/// Reads a text of digits and separators that begins and ends with a digit.
pub(crate) fn read(
    body: &str,
    locale: Option<&NumberLocale>,
    decides: Decides,
) -> Result<String, NumberProblem> {
    let text: String = body
        .chars()
        .filter_map(|c| match digit(c) {
            Some(value) => char::from_digit(value, 10),
            None => separator(c),
        })
        .collect();
    let count = |c: char| text.matches(c).count();
    let decimal = match (count('.'), count(','), count('d')) {
        (_, _, 1) => Some('d'),
        (_, _, 2..) => return Err(NumberProblem::Malformed),
        (0, 0, 0) => None,
        (dots, 0, 0) => single(&text, '.', dots, locale, decides)?,
        (0, commas, 0) => single(&text, ',', commas, locale, decides)?,
        (_, _, 0) => {
            let last = text
                .chars()
                .rfind(|c| matches!(c, '.' | ','))
                .unwrap_or('.');
            if locale.is_some_and(|locale| locale.decimal != last) {
                return Err(NumberProblem::AgainstLocale);
            }
            Some(last)
        }
    };
    let (whole, fraction) = match decimal {
        Some(decimal) => text.split_once(decimal).unwrap_or((text.as_str(), "")),
        None => (text.as_str(), ""),
    };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberProblem::Malformed);
    }
    let whole = ungroup(whole)?;
    if whole.len() > WHOLE_DIGITS_MAX
        || fraction.len() > FRACTION_DIGITS_MAX
        || whole.len() + fraction.len() > DIGITS_MAX
    {
        return Err(NumberProblem::TooLong);
    }
    Ok(join(&whole, fraction))
}

/// Whether the only kind of separator in `text`, met `count` times, stands before the fraction.
fn single(
    text: &str,
    separator: char,
    count: usize,
    locale: Option<&NumberLocale>,
    decides: Decides,
) -> Result<Option<char>, NumberProblem> {
    if count > 1 {
        return Ok(None);
    }
    let (before, after) = text.split_once(separator).unwrap_or((text, ""));
    let thousands = after.len() == 3
        && (1..=3).contains(&before.len())
        && before.bytes().all(|b| b.is_ascii_digit())
        && !before.starts_with('0');
    if !thousands {
        return Ok(Some(separator));
    }
    let as_decimal = locale.is_some_and(|locale| locale.decimal == separator);
    let as_group = locale.is_some_and(|locale| locale.group == separator);
    match decides {
        Decides::Whole if !as_decimal => return Ok(None),
        Decides::PointThree if separator == '.' && !as_group => return Ok(Some(separator)),
        Decides::Whole => {}
        _ if as_decimal => return Ok(Some(separator)),
        _ if as_group => return Ok(None),
        _ => {}
    }
    Err(NumberProblem::Ambiguous {
        grouped: format!("{before}{after}"),
        decimal: format!("{before}.{after}"),
    })
}

/// Takes thousands separators out: groups of three, or of two before the last as in India.
fn ungroup(whole: &str) -> Result<String, NumberProblem> {
    let is_digit = |c: char| c.is_ascii_digit();
    let Some(separator) = whole.chars().find(|c| !is_digit(*c)) else {
        return Ok(whole.to_owned());
    };
    if whole.contains(|c| !is_digit(c) && c != separator) {
        return Err(NumberProblem::Malformed);
    }
    let groups: Vec<usize> = whole.split(separator).map(str::len).collect();
    let well_formed = match groups.as_slice() {
        [first, middle @ .., 3] => {
            let all = |size: usize| middle.iter().all(|len| *len == size);
            ((1..=3).contains(first) && all(3)) || ((1..=2).contains(first) && all(2))
        }
        _ => false,
    };
    match (well_formed, separator) {
        (true, _) => Ok(whole.chars().filter(|c| is_digit(*c)).collect()),
        (false, ' ') => Err(NumberProblem::Several),
        (false, _) => Err(NumberProblem::Malformed),
    }
}

fn join(whole: &str, fraction: &str) -> String {
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}

#[cfg(test)]
#[path = "number_tests.rs"]
mod tests;
