use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<String, GtinProblem> {
    Gtin::parse(text).map(|parsed| parsed.gtin.to_string())
}

#[test]
fn right_numbers_are_kept_as_written() {
    for text in [
        "4006381333931",
        "96385074",
        "036000291452",
        "9780306406157",
        "10012345678902",
    ] {
        assert_eq!(read(text), Ok(text.to_owned()));
    }
    let parsed = Gtin::parse(" 978-0-306-40615-7 ").expect("an ISBN-13");
    assert!(parsed.separators_removed);
    assert_eq!(parsed.gtin.as_str(), "9780306406157");
    assert_eq!(parsed.gtin.to_14(), "09780306406157");
    assert_eq!(parsed.restricted, None);
}

#[test]
fn problems_name_the_way_out() {
    for (text, message, hint) in [
        (
            "4006381333932",
            "GTIN `4006381333932` fails its check digit",
            "the last digit would be 1; correct it, or leave it empty",
        ),
        (
            "36000291452",
            "GTIN `36000291452` has lost its leading zeros",
            "it would be `036000291452`; format the column as text in the spreadsheet and export again",
        ),
        (
            "0306406152",
            "`0306406152` is an ISBN-10, not a GTIN",
            "its ISBN-13 is `9780306406157`; write that",
        ),
        (
            "306406152",
            "`306406152` is an ISBN-10, not a GTIN",
            "its ISBN-13 is `9780306406157`; write that",
        ),
        (
            "0-8044-2957-X",
            "`0-8044-2957-X` is an ISBN-10, not a GTIN",
            "its ISBN-13 is `9780804429573`; write that",
        ),
    ] {
        let problem = read(text).expect_err(text);
        assert_eq!(problem.message(text), message);
        assert_eq!(problem.hint(), hint);
    }
    for (text, want) in [
        ("", GtinProblem::Blank),
        ("-", GtinProblem::NotDigits),
        ("n/a", GtinProblem::NotDigits),
        ("12345", GtinProblem::Length(5)),
        ("36000291453", GtinProblem::Length(11)),
        ("123456789012345", GtinProblem::Length(15)),
        ("0000000000000", GtinProblem::Zeros),
        ("9.78E+12", GtinProblem::SpreadsheetDamage),
        ("9,78E+12", GtinProblem::SpreadsheetDamage),
        ("9.78043902348e+12", GtinProblem::SpreadsheetDamage),
        ("4006381333931.0", GtinProblem::SpreadsheetDamage),
    ] {
        assert_eq!(read(text), Err(want), "{text}");
    }
}

#[test]
fn restricted_ranges_are_flagged() {
    for (text, want) in [
        ("2000000000008", Some(Restriction::InStore)),
        ("0200000000004", Some(Restriction::InStore)),
        ("200000000004", Some(Restriction::InStore)),
        ("400000000008", Some(Restriction::InStore)),
        ("500000000005", Some(Restriction::Coupon)),
        ("9900000000004", Some(Restriction::Coupon)),
        ("20000011", Some(Restriction::InStore)),
        ("9770000000003", None),
        ("96385074", None),
    ] {
        let parsed = Gtin::parse(text).unwrap_or_else(|p| panic!("{text}: {p:?}"));
        assert_eq!(parsed.restricted, want, "{text}");
    }
}

proptest! {
    #[test]
    fn one_wrong_digit_is_always_found(body in 1u64..999_999_999_999, at in 0usize..13, by in 1u8..10) {
        let digits = format!("{body:012}");
        let sum: u32 = digits.bytes().rev().enumerate()
            .map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 3 } else { 1 }).sum();
        let right = format!("{digits}{}", (10 - sum % 10) % 10);
        prop_assert_eq!(read(&right), Ok(right.clone()));
        let mut wrong = right.into_bytes();
        wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
        let wrong = String::from_utf8(wrong).expect("digits");
        prop_assert!(read(&wrong).is_err());
    }

    #[test]
    fn the_short_way_reads_what_the_long_one_reads(text in "[0-9]{6,15}|[0-9 x]{8,14}|0{6,14}[0-9]", check in any::<bool>()) {
        let mut text = text;
        // Most of them with the digit that is right.
        if check && let Err(GtinProblem::CheckDigit { expected }) = Gtin::parse_written(&text) {
            text.pop();
            text.push(expected);
        }
        let long = Gtin::parse_written(&text);
        match Gtin::plain(text.as_bytes()) {
            Some(_) => prop_assert_eq!(Gtin::parse(&text), long),
            None => prop_assert!(long.is_err() || long.is_ok_and(|parsed| parsed.separators_removed || text.contains(' '))),
        }
    }

    #[test]
    fn never_panics(text in "\\PC{0,20}", digits in "[0-9xX .eE+-]{0,20}") {
        for text in [text, digits] {
            if let Err(problem) = read(&text) {
                prop_assert!(!problem.message(&text).is_empty() && !problem.hint().is_empty());
            }
        }
    }
}
