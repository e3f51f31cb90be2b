use super::*;
use proptest::prelude::*;

fn read_with(text: &str, tag: &str) -> Result<String, NumberProblem> {
    let locale = NumberLocale::from_tag(tag);
    assert!(tag.is_empty() || locale.is_some(), "{tag}");
    parse(text, locale.as_ref()).map(Cow::into_owned)
}

#[test]
fn one_reading_needs_no_locale() {
    for (text, want) in [
        ("19.99", "19.99"),
        ("1,50", "1.50"),
        ("1234.5", "1234.5"),
        ("1234,567", "1234.567"),
        ("0,125", "0.125"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u{a0}234\u{202f}567,5", "1234567.5"),
        ("1'234.50", "1234.50"),
        ("1\u{2019}234", "1234"),
        ("1,23,456.00", "123456.00"),
        ("12,34,567", "1234567"),
        ("3.609.000", "3609000"),
        ("๑,๒๓๔.๕๐", "1234.50"),
        ("١٬٢٣٤٫٥٠", "1234.50"),
        ("007", "7"),
        ("000", "0"),
        (".5", "0.5"),
        ("12.", "12"),
        ("-12,5", "-12.5"),
        ("-0,0", "0.0"),
        ("+3", "3"),
        (" 8 ", "8"),
        ("19.989999999999998", "19.989999999999998"),
    ] {
        assert_eq!(read_with(text, "").as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn canonical_text_is_borrowed() {
    for text in ["12", "12.5", "-12.50", "0", "0.125", "1234.567"] {
        assert!(matches!(parse(text, None), Ok(Cow::Borrowed(t)) if t == text));
    }
}

#[test]
fn two_readings_need_a_locale() {
    let ambiguous = Err(NumberProblem::Ambiguous {
        grouped: "1234".to_owned(),
        decimal: "1.234".to_owned(),
    });
    for text in ["1.234", "1,234"] {
        assert_eq!(read_with(text, ""), ambiguous);
    }
    for (text, tag, want) in [
        ("1.234", "en", "1.234"),
        ("1,234", "en", "1234"),
        ("1.234", "de-DE", "1234"),
        ("1,234", "pl", "1.234"),
        ("1.234", "de_CH", "1.234"),
    ] {
        assert_eq!(read_with(text, tag).as_deref(), Ok(want), "{text} {tag}");
    }
    // A point is neither the decimal sign nor the thousands sign of Polish.
    assert_eq!(read_with("1.234", "pl"), ambiguous);
}

#[test]
fn problems_are_told_apart() {
    for (text, tag, want) in [
        ("", "", NumberProblem::Blank),
        ("call us", "", NumberProblem::Words),
        ("12 kg", "", NumberProblem::Words),
        ("10 - 20", "", NumberProblem::Several),
        ("12 50", "", NumberProblem::Several),
        ("1.2E+3", "", NumberProblem::Scientific),
        ("1.23.4", "", NumberProblem::Malformed),
        ("1.234,567,8", "", NumberProblem::Malformed),
        ("1.234 567", "", NumberProblem::Malformed),
        ("1,234.50", "de", NumberProblem::AgainstLocale),
        ("1234567890123456", "", NumberProblem::TooLong),
    ] {
        assert_eq!(read_with(text, tag), Err(want.clone()), "{text}");
        assert!(!want.message(text).is_empty() && !want.hint().is_empty());
    }
}

#[test]
fn percent_signs_are_dropped() {
    assert_eq!(parse_percent("23 %", None).as_deref(), Ok("23"));
    assert_eq!(parse_percent("0.07", None).as_deref(), Ok("0.07"));
}

/// Writes cents with a locale's signs, by integers only: the oracle.
fn write_in(cents: u64, decimal: char, group: &str, indian: bool) -> String {
    let whole = (cents / 100).to_string();
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        let left = whole.len() - i;
        let boundary = if indian {
            left >= 3 && (left - 3).is_multiple_of(2)
        } else {
            left.is_multiple_of(3)
        };
        if i > 0 && boundary {
            out.push_str(group);
        }
        out.push(c);
    }
    format!("{out}{decimal}{:02}", cents % 100)
}

proptest! {
    #[test]
    fn what_locales_write_reads_back(cents in 0u64..100_000_000_000, which in 0usize..8) {
        let (tag, decimal, group, indian) = [
            ("en", '.', ",", false), ("de", ',', ".", false), ("pl", ',', " ", false),
            ("fr", ',', "\u{202f}", false), ("cs", ',', "\u{a0}", false), ("de-CH", '.', "'", false),
            ("vi", ',', ".", false), ("hi", '.', ",", true),
        ][which];
        let text = write_in(cents, decimal, group, indian);
        let want = format!("{}.{:02}", cents / 100, cents % 100);
        prop_assert_eq!(read_with(&text, tag), Ok(want.clone()));
        // Two decimals leave no doubt, so that it reads alike without a locale.
        prop_assert_eq!(read_with(&text, ""), Ok(want));
    }

    #[test]
    fn never_panics(text in "\\PC{0,24}", digits in "[0-9.,' eE+-]{0,16}") {
        for text in [text, digits] {
            if let Ok(number) = parse(&text, None) {
                prop_assert!(crate::model::decimal::parts(&number).is_some(), "{}", number);
            }
        }
    }
}
