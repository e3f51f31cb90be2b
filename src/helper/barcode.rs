//! `barcode`: a GTIN goes in, the bars a till scans come out as inline SVG (EAN-13, EAN-8, UPC-A).
//!
//! Promises: bars only for a number whose length and check digit are right, so that no label prints a code that scans as
//! something else; anything else gives nothing. The markup is well formed and holds nothing of the input but digits.

use std::fmt::Write;

use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// The helper.
pub static BARCODE: Helper = Helper {
    name: "barcode",
    summary: "a GTIN as bars: inline SVG of EAN-13, EAN-8 or UPC-A",
    usage: "{{barcode gtin}}",
    page: PAGE,
    arity: (1, 1),
    named: &[],
    raw: true,
    call,
};

const PAGE: &str = "\
Draws a GTIN as the bars that tills scan, with its digits below, as inline SVG for HTML; printed as it is, in two braces or
three.

- `gtin`: 8 digits give EAN-8, 12 UPC-A, 13 EAN-13; 14 digits that begin with 0 are drawn as the EAN-13 they hold. What is
  absent, has another length or fails its check digit gives nothing: let the attribute be `kind = \"gtin\"`, so that a
  finding names the number.

The drawing has no size of its own: its width is the number of modules with both quiet zones (113 for EAN-13 and UPC-A, 81
for EAN-8), its height 44. Print it at least 30 mm (EAN-8: 22 mm) wide, black on white.

- `{{barcode \"5901234123450\"}}` gives ``
";

/// Bars of a digit in the left half with odd parity, 7 modules from the highest bit; the other two sets follow from it.
const LEFT_ODD: [u8; 10] = [
    0b000_1101, 0b001_1001, 0b001_0011, 0b011_1101, 0b010_0011, 0b011_0001, 0b010_1111, 0b011_1011,
    0b011_0111, 0b000_1011,
];

/// Which of the six left digits of an EAN-13 have even parity, from the highest of 6 bits: this is how its first digit,
/// which has no bars, is told.
const EVEN: [u8; 10] = [
    0b00_0000, 0b00_1011, 0b00_1101, 0b00_1110, 0b01_0011, 0b01_1001, 0b01_1100, 0b01_0101,
    0b01_0110, 0b01_1010,
];

/// Lowest edge of the bars, of the longer guard bars, and of the drawing, in modules.
const BAR_BOTTOM: u32 = 35;
const GUARD_BOTTOM: u32 = 39;
const HEIGHT: u32 = 44;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbology {
    Ean8,
    UpcA,
    Ean13,
}

impl Symbology {
    fn name(self) -> &'static str {
        match self {
            Symbology::Ean8 => "EAN-8",
            Symbology::UpcA => "UPC-A",
            Symbology::Ean13 => "EAN-13",
        }
    }

    /// Modules that stay white left and right of the bars.
    fn quiet(self) -> (u32, u32) {
        match self {
            Symbology::Ean8 => (7, 7),
            Symbology::UpcA => (9, 9),
            Symbology::Ean13 => (11, 7),
        }
    }

    /// Whether a bar that begins at this module is longer than the others.
    fn is_guard(self, module: u32) -> bool {
        match self {
            Symbology::Ean8 => module < 3 || (31..36).contains(&module) || module >= 64,
            // the first and the last digit of a UPC-A stand outside the text and are as long as the guards
            Symbology::UpcA => module < 10 || (45..50).contains(&module) || module >= 85,
            Symbology::Ean13 => module < 3 || (45..50).contains(&module) || module >= 92,
        }
    }

    /// Parts of the printed digits: from which digit, how many, at which module, how many modules wide.
    fn captions(self) -> &'static [(usize, usize, u32, u32)] {
        match self {
            Symbology::Ean8 => &[(0, 4, 11, 26), (4, 4, 44, 26)],
            Symbology::UpcA => &[
                (0, 1, 2, 5),
                (1, 5, 20, 33),
                (6, 5, 60, 33),
                (11, 1, 106, 5),
            ],
            Symbology::Ean13 => &[(0, 1, 3, 6), (1, 6, 15, 40), (7, 6, 62, 40)],
        }
    }
}

fn call<'a>(
    arguments: &Arguments<'_, 'a>,
    context: &HelperContext<'a>,
) -> Result<Value<'a>, HelperError> {
    let Some(text) = arguments.get(0).as_text() else {
        return Err(HelperError("`barcode` takes one GTIN, not a list".into()));
    };
    Ok(match symbol(text) {
        Some((symbology, digits)) => context.text(&svg(symbology, &digits)),
        None => Value::Absent,
    })
}

/// What can be drawn of a text: its digits without the zero that pads a GTIN-14.
fn symbol(text: &str) -> Option<(Symbology, Vec<u8>)> {
    let digits: Vec<u8> = text
        .bytes()
        .map(|byte| byte.is_ascii_digit().then(|| byte - b'0'))
        .collect::<Option<_>>()?;
    let (digits, symbology) = match (digits.len(), digits.first()) {
        (8, _) => (digits, Symbology::Ean8),
        (12, _) => (digits, Symbology::UpcA),
        (13, _) => (digits, Symbology::Ean13),
        (14, Some(0)) => (digits.into_iter().skip(1).collect(), Symbology::Ean13),
        _ => return None,
    };
    has_right_check_digit(&digits).then_some((symbology, digits))
}

fn has_right_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// The modules from left guard to right guard, true is black.
fn modules(symbology: Symbology, digits: &[u8]) -> Vec<bool> {
    let (first, bars): (u8, &[u8]) = match (symbology, digits) {
        (Symbology::Ean13, [first, bars @ ..]) => (*first, bars),
        _ => (0, digits),
    };
    let parity = EVEN.get(usize::from(first)).copied().unwrap_or(0);
    let (left, right) = bars.split_at(bars.len() / 2);
    let mut out = vec![true, false, true];
    for (place, digit) in left.iter().enumerate() {
        let odd = LEFT_ODD.get(usize::from(*digit)).copied().unwrap_or(0);
        let is_even = parity & (0b10_0000 >> place) != 0;
        // even parity is the right-hand set, which is the inverse, read backwards
        let code = if is_even {
            (!odd & 0x7f).reverse_bits() >> 1
        } else {
            odd
        };
        push_bits(&mut out, code);
    }
    out.extend([false, true, false, true, false]);
    for digit in right {
        let odd = LEFT_ODD.get(usize::from(*digit)).copied().unwrap_or(0);
        push_bits(&mut out, !odd & 0x7f);
    }
    out.extend([true, false, true]);
    out
}

fn push_bits(out: &mut Vec<bool>, code: u8) {
    out.extend((0..7).rev().map(|bit| code >> bit & 1 == 1));
}

fn svg(symbology: Symbology, digits: &[u8]) -> String {
    const WRITTEN: &str = "writing to a String cannot fail";
    let modules = modules(symbology, digits);
    let (before, after) = symbology.quiet();
    let width = before + modules.len() as u32 + after;
    let number: String = digits
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    let mut out = String::with_capacity(1600);
    write!(
        out,
        r#"<svg viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{} {number}"><path d=""#,
        symbology.name()
    )
    .expect(WRITTEN);
    let mut at = 0;
    for run in modules.chunk_by(|left, right| left == right) {
        let wide = run.len() as u32;
        if run.first() == Some(&true) {
            let bottom = if symbology.is_guard(at) {
                GUARD_BOTTOM
            } else {
                BAR_BOTTOM
            };
            write!(out, "M{} 0h{wide}v{bottom}h-{wide}z", before + at).expect(WRITTEN);
        }
        at += wide;
    }
    out.push_str(r#"" shape-rendering="crispEdges"/><g font-family="monospace" font-size="9">"#);
    for (from, count, x, wide) in symbology.captions() {
        let part: String = number.chars().skip(*from).take(*count).collect();
        write!(
            out,
            r#"<text x="{x}" y="43" textLength="{wide}" lengthAdjust="spacingAndGlyphs">{part}</text>"#
        )
        .expect(WRITTEN);
    }
    out.push_str("</g></svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> String {
        let (symbology, digits) = symbol(text).expect("drawable");
        modules(symbology, &digits)
            .into_iter()
            .map(|black| if black { '1' } else { '0' })
            .collect()
    }

    #[test]
    fn known_ean_13() {
        assert_eq!(
            pattern("5901234123457"),
            "10100010110100111011001100100110111101001110101010110011011011001000010101110010011101000100101"
        );
    }

    #[test]
    fn known_ean_8() {
        assert_eq!(
            pattern("96385074"),
            "1010001011010111101111010110111010101001110111001010001001011100101"
        );
    }

    #[test]
    fn known_upc_a() {
        assert_eq!(
            pattern("123456789999"),
            "10100110010010011011110101000110110001010111101010100010010010001110100111010011101001110100101"
        );
        // a UPC-A is the EAN-13 with a zero before it
        assert_eq!(pattern("0123456789999"), pattern("123456789999"));
    }

    /// Reads the modules back by the printed tables of the standard, written out here independently of the code.
    fn read_back(pattern: &str) -> String {
        const L: [&str; 10] = [
            "0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011",
            "0110111", "0001011",
        ];
        const G: [&str; 10] = [
            "0100111", "0110011", "0011011", "0100001", "0011101", "0111001", "0000101", "0010001",
            "0001001", "0010111",
        ];
        const R: [&str; 10] = [
            "1110010", "1100110", "1101100", "1000010", "1011100", "1001110", "1010000", "1000100",
            "1001000", "1110100",
        ];
        const FIRST: [&str; 10] = [
            "LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG",
            "LGLGGL", "LGGLGL",
        ];
        let seven = |n: usize| pattern.get(n..n + 7).expect("seven modules");
        let (mut sets, mut left) = (String::new(), String::new());
        for place in 0..6 {
            let code = seven(3 + 7 * place);
            let (set, digit) = match (
                L.iter().position(|c| *c == code),
                G.iter().position(|c| *c == code),
            ) {
                (Some(digit), None) => ('L', digit),
                (None, Some(digit)) => ('G', digit),
                other => panic!("{code} at {place}: {other:?}"),
            };
            sets.push(set);
            left.push_str(&digit.to_string());
        }
        let first = FIRST
            .iter()
            .position(|set| *set == sets)
            .expect("a first digit");
        let right: String = (0..6)
            .map(|place| {
                R.iter()
                    .position(|c| *c == seven(50 + 7 * place))
                    .expect("a right digit")
                    .to_string()
            })
            .collect();
        format!("{first}{left}{right}")
    }

    #[test]
    fn every_first_digit_reads_back() {
        for text in [
            "0614141000036",
            "1234567890128",
            "2000000000008",
            "3012345678902",
            "4006381333931",
            "5901234123457",
            "6901234567892",
            "7612345678900",
            "8712345678906",
            "9506000134352",
        ] {
            assert_eq!(read_back(&pattern(text)), text);
        }
    }

    #[test]
    fn only_what_scans_is_drawn() {
        assert_eq!(
            symbol("09506000134352").map(|s| s.0),
            Some(Symbology::Ean13)
        );
        for text in [
            "",
            "5901234123450",
            "19506000134359",
            "590123412345X",
            "0000000000000",
            "123",
            "9783161484100 ",
        ] {
            assert_eq!(symbol(text), None, "{text}");
        }
    }

    #[test]
    fn drawing_is_wide_enough_and_says_its_digits() {
        let (symbology, digits) = symbol("5901234123457").expect("drawable");
        let drawing = svg(symbology, &digits);
        assert!(drawing.starts_with(
            r#"<svg viewBox="0 0 113 44" role="img" aria-label="EAN-13 5901234123457">"#
        ));
        assert!(drawing.contains(">901234</text>") && drawing.ends_with("</g></svg>"));
        // left guard, centre and right guard reach lower than the digits' bars
        assert!(drawing.contains("M11 0h1v39h-1z") && drawing.contains("M103 0h1v39h-1z"));
        let (symbology, digits) = symbol("96385074").expect("drawable");
        assert!(svg(symbology, &digits).contains(r#"viewBox="0 0 81 44""#));
    }

    #[test]
    fn called_as_a_helper() {
        let arena = bumpalo::Bump::new();
        let tables = std::collections::BTreeMap::new();
        let unmatched = std::cell::RefCell::default();
        let context = HelperContext {
            arena: &arena,
            currency: "EUR",
            language: "en",
            timezone: "UTC",
            weight_unit: "g",
            length_unit: "cm",
            tables: &tables,
            unmatched: &unmatched,
        };
        let run = |value| {
            (BARCODE.call)(
                &Arguments {
                    positional: &[value],
                    named: &[],
                },
                &context,
            )
        };
        let drawn = run(Value::Text("96385074")).expect("drawn");
        assert!(drawn.as_text().expect("text").contains("EAN-8 96385074"));
        assert_eq!(run(Value::Text("96385075")), Ok(Value::Absent));
        assert_eq!(run(Value::Absent), Ok(Value::Absent));
        assert!(run(Value::list("96385074\u{1f}1")).is_err());
    }
}
