//! GTINs: the numbers under barcodes (EAN, UPC, ISBN-13, ITF-14). In: a cell. Out: a [`Gtin`], which exists only when its
//! length and check digit are right, with what else is to be said about it, or the problem.

use std::fmt;

/// A GTIN of 8, 12, 13 or 14 digits with a right check digit, not all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin {
    digits: [u8; 14],
    len: u8,
}

/// A GTIN that was read, and what is odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The number.
    pub gtin: Gtin,
    /// Spaces or dashes were removed.
    pub separators_removed: bool,
    /// The number range is not for goods in open trade.
    pub restricted: Option<Restriction>,
}

/// Number ranges that identify nothing outside one shop or country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// Prefixes 02, 04, 20 to 29, in GTIN-8 also 0 and 2: numbers that a company gives for itself.
    InStore,
    /// Prefixes 05, 98, 99: coupons and refund slips.
    Coupon,
}

impl Restriction {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(self, text: &str) -> String {
        match self {
            Restriction::InStore => {
                format!("GTIN `{text}` is from a range for use inside one company")
            }
            Restriction::Coupon => format!("GTIN `{text}` is from the range of coupons"),
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        "leave it empty and give `brand` and `mpn`, unless the maker's own number is known"
    }
}

/// Why a cell holds no GTIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GtinProblem {
    /// Nothing but white space.
    Blank,
    /// Something else than digits.
    NotDigits,
    /// So many digits, and no GTIN has as many.
    Length(usize),
    /// The length is wrong, but with its leading zeros back the check digit is right: a spreadsheet dropped them.
    LostZeros(Gtin),
    /// The last digit is wrong.
    CheckDigit {
        /// What it would be.
        expected: char,
    },
    /// Zeros only.
    Zeros,
    /// An ISBN-10, which has an ISBN-13 of another check digit.
    Isbn10(Gtin),
    /// Ruined by a spreadsheet: `9.78E+12`, `4006381333931.0`.
    SpreadsheetDamage,
}

impl GtinProblem {
    /// What is wrong with `text`: lower case, no full stop.
    pub fn message(&self, text: &str) -> String {
        match self {
            GtinProblem::Blank => "the GTIN is blank".to_owned(),
            GtinProblem::NotDigits => format!("GTIN `{text}` is not a number"),
            GtinProblem::Length(len) => {
                format!("GTIN `{text}` has {len} digits, not 8, 12, 13 or 14")
            }
            GtinProblem::LostZeros(_) => format!("GTIN `{text}` has lost its leading zeros"),
            GtinProblem::CheckDigit { .. } => format!("GTIN `{text}` fails its check digit"),
            GtinProblem::Zeros => format!("GTIN `{text}` is all zeros"),
            GtinProblem::Isbn10(_) => format!("`{text}` is an ISBN-10, not a GTIN"),
            GtinProblem::SpreadsheetDamage => format!("GTIN `{text}` was ruined by a spreadsheet"),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            GtinProblem::CheckDigit { expected } => {
                format!("the last digit would be {expected}; correct it, or leave it empty")
            }
            GtinProblem::LostZeros(gtin) => format!(
                "it would be `{gtin}`; format the column as text in the spreadsheet and export again"
            ),
            GtinProblem::Isbn10(gtin) => format!("its ISBN-13 is `{gtin}`; write that"),
            GtinProblem::SpreadsheetDamage => {
                "format the column as text in the spreadsheet, enter the numbers again and export"
                    .to_owned()
            }
            GtinProblem::Blank
            | GtinProblem::NotDigits
            | GtinProblem::Length(_)
            | GtinProblem::Zeros => {
                "write the number under the barcode, or leave it empty".to_owned()
            }
        }
    }
}

impl Gtin {
    /// Reads a cell. White space around it, and spaces and dashes inside, do not matter.
    pub fn parse(text: &str) -> Result<Parsed, GtinProblem> {
        match Gtin::plain(text.as_bytes()) {
            Some(gtin) => Ok(Parsed {
                gtin,
                separators_removed: false,
                restricted: gtin.restricted(),
            }),
            None => Gtin::parse_written(text),
        }
    }

    /// A right number without anything beside its digits.
    #[inline]
    fn plain(text: &[u8]) -> Option<Gtin> {
        match text.len() {
            8 => Gtin::of_digits::<8>(text.try_into().ok()?),
            12 => Gtin::of_digits::<12>(text.try_into().ok()?),
            13 => Gtin::of_digits::<13>(text.try_into().ok()?),
            14 => Gtin::of_digits::<14>(text.try_into().ok()?),
            _ => None,
        }
    }

    #[inline]
    fn of_digits<const LENGTH: usize>(text: &[u8; LENGTH]) -> Option<Gtin> {
        let mut digits = [0u8; 14];
        let (mut sum, mut any, mut all_digits, mut at) = (0u32, 0, true, 0);
        // By index, so that the compiler unrolls it.
        while at < LENGTH {
            let digit = text[at].wrapping_sub(b'0');
            digits[at] = text[at];
            all_digits &= digit <= 9;
            any |= digit;
            // The check digit itself has weight 1, the one before it 3.
            let weight = if (LENGTH - at).is_multiple_of(2) {
                3
            } else {
                1
            };
            sum = sum.wrapping_add(u32::from(digit).wrapping_mul(weight));
            at += 1;
        }
        (all_digits && any != 0 && sum % 10 == 0).then_some(Gtin {
            digits,
            len: LENGTH as u8,
        })
    }

    /// The same of a text with separators, or of one that is no GTIN.
    fn parse_written(text: &str) -> Result<Parsed, GtinProblem> {
        let trimmed = text.trim();
        let mut digits = [0u8; 14];
        let mut len = 0;
        let mut separators_removed = false;
        for c in trimmed.chars() {
            match c {
                '0'..='9' => {
                    if let Some(slot) = digits.get_mut(len) {
                        *slot = c as u8;
                    }
                    len += 1;
                }
                ' ' | '-' | '\u{a0}' | '\u{2010}'..='\u{2013}' => separators_removed = true,
                _ => return Err(other_text(trimmed)),
            }
        }
        let gtin = match len {
            0 if trimmed.is_empty() => return Err(GtinProblem::Blank),
            0 => return Err(GtinProblem::NotDigits),
            8 | 12 | 13 | 14 => Gtin {
                digits,
                len: len as u8,
            },
            // A spreadsheet takes the leading zeros from an ISBN-10 too.
            7 | 9 | 10 | 11 => {
                let bare: String = trimmed.chars().filter(char::is_ascii_digit).collect();
                return Err(match from_isbn10(&format!("{bare:0>10}")) {
                    Some(isbn) => GtinProblem::Isbn10(isbn),
                    None => too_short(&digits, len),
                });
            }
            len => return Err(GtinProblem::Length(len)),
        };
        if gtin.as_bytes().iter().all(|b| *b == b'0') {
            return Err(GtinProblem::Zeros);
        }
        let expected = gtin.expected_check_digit();
        if gtin.as_bytes().last() != Some(&expected) {
            return Err(GtinProblem::CheckDigit {
                expected: char::from(expected),
            });
        }
        Ok(Parsed {
            gtin,
            separators_removed,
            restricted: gtin.restricted(),
        })
    }

    /// The digits, 8, 12, 13 or 14 of them.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("a GTIN is made of ASCII digits")
    }

    /// The digits, filled up with zeros to 14.
    pub fn to_14(&self) -> String {
        format!("{:0>14}", self.as_str())
    }

    fn as_bytes(&self) -> &[u8] {
        self.digits.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Weights 3 and 1 from the right, so that leading zeros change nothing.
    fn expected_check_digit(&self) -> u8 {
        let sum: u32 = self
            .as_bytes()
            .iter()
            .rev()
            .skip(1)
            .zip([3, 1].into_iter().cycle())
            .map(|(byte, weight)| u32::from(byte - b'0') * weight)
            .sum();
        b'0' + ((10 - sum % 10) % 10) as u8
    }

    fn restricted(&self) -> Option<Restriction> {
        let bytes = self.as_bytes();
        // The two digits that a GTIN-13 begins with; a GTIN-14 has a packaging digit before them.
        let prefix = match bytes {
            [b'0' | b'2', ..] if bytes.len() == 8 => return Some(Restriction::InStore),
            [..] if bytes.len() == 8 => return None,
            [first, ..] if bytes.len() == 12 => [b'0', *first],
            [first, second, ..] if bytes.len() == 13 => [*first, *second],
            [_, first, second, ..] => [*first, *second],
            _ => return None,
        };
        match &prefix {
            b"02" | b"04" | [b'2', _] => Some(Restriction::InStore),
            b"05" | b"98" | b"99" => Some(Restriction::Coupon),
            _ => None,
        }
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gtin({})", self.as_str())
    }
}

/// The ISBN-13 of an ISBN-10 whose check digit (0 to 9 or X) is right; dashes and spaces do not matter.
pub fn from_isbn10(text: &str) -> Option<Gtin> {
    let mut digits = [0u8; 14];
    for (slot, prefix) in digits.iter_mut().zip(b"978") {
        *slot = *prefix;
    }
    let mut count = 0;
    let mut sum = 0;
    for c in text.trim().chars().filter(|c| !matches!(c, ' ' | '-')) {
        let value = match c {
            'X' | 'x' if count == 9 => 10,
            c => c.to_digit(10)?,
        };
        sum += value * 10u32.checked_sub(count)?;
        // Its last digit gives way to another.
        if count < 9 {
            *digits.get_mut(3 + count as usize)? = c as u8;
        }
        count += 1;
    }
    if count != 10 || sum % 11 != 0 {
        return None;
    }
    let mut gtin = Gtin { digits, len: 13 };
    *gtin.digits.get_mut(12)? = gtin.expected_check_digit();
    Some(gtin)
}

/// What a number of 7, 9, 10 or 11 digits is missing.
fn too_short(digits: &[u8; 14], len: usize) -> GtinProblem {
    let padded_len = match len {
        7 => 8,
        9 => return GtinProblem::Length(len),
        _ => 12,
    };
    let mut padded = Gtin {
        digits: [b'0'; 14],
        len: padded_len as u8,
    };
    for (slot, digit) in padded
        .digits
        .iter_mut()
        .skip(padded_len - len)
        .zip(digits.iter().take(len))
    {
        *slot = *digit;
    }
    let right = padded.as_bytes().last() == Some(&padded.expected_check_digit());
    if right && padded.as_bytes().iter().any(|b| *b != b'0') {
        GtinProblem::LostZeros(padded)
    } else {
        GtinProblem::Length(len)
    }
}

/// What a text with other characters than digits and separators is.
fn other_text(text: &str) -> GtinProblem {
    if let Some(isbn) = from_isbn10(text) {
        return GtinProblem::Isbn10(isbn);
    }
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let scientific = text
        .split_once(['e', 'E'])
        .is_some_and(|(mantissa, power)| {
            !mantissa.is_empty()
                && mantissa.chars().all(number)
                && digits(power.strip_prefix(['+', '-']).unwrap_or(power))
        });
    let decimal = text.split_once(['.', ',']).is_some_and(|(whole, zeros)| {
        digits(whole) && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0')
    });
    if scientific || decimal {
        GtinProblem::SpreadsheetDamage
    } else {
        GtinProblem::NotDigits
    }
}

#[cfg(test)]
#[path = "gtin_tests.rs"]
mod tests;
