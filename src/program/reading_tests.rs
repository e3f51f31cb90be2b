use super::*;
use proptest::prelude::*;

fn reading(kind: Kind, separator: Option<&str>, unit: Option<&str>) -> Reading {
    Reading {
        column: "x".to_owned(),
        shown: "x".to_owned(),
        kind,
        numbers: None,
        dates: None,
        currency: "THB".to_owned(),
        zone: TimeZone::UTC,
        thai: false,
        unit: unit.and_then(measure::unit),
        separator: separator.map(str::to_owned),
    }
}

fn elements(text: &str, separator: Option<&str>) -> Vec<String> {
    let arena = Bump::new();
    let (value, trouble) = read(
        &reading(Kind::List, separator, None),
        Value::Text(text),
        &arena,
    );
    assert!(trouble.is_none());
    value.elements().map(str::to_owned).collect()
}

#[test]
fn an_empty_separator_separates_nothing() {
    assert_eq!(elements("a|b", Some("")), ["a|b"]);
}

#[test]
fn usual_cells_are_borrowed() {
    let arena = Bump::new();
    for (kind, text, want) in [
        (
            Kind::Start,
            "2026-11-22T10:00:00+07:00",
            "2026-11-22T10:00:00+07:00",
        ),
        (Kind::Gtin, "4006381333931", "4006381333931"),
        (Kind::Money, "2612.00", "2612.00"),
        (Kind::Weight, "1.5", "1500 g"),
        (Kind::Weight, "1,5 kg", "1500 g"),
    ] {
        let reading = reading(kind, None, Some("kg"));
        let (value, trouble) = read(&reading, Value::Text(text), &arena);
        assert!(trouble.is_none(), "{text}");
        let read = value.as_text().expect("a text");
        assert_eq!(read, want);
        assert_eq!(read.as_ptr() == text.as_ptr(), want == text, "{text}");
    }
}

proptest! {
    #[test]
    fn lists_are_split_and_trimmed(text in "[ab\u{e01}|,>\t \u{a0}\u{2003}]{0,30}", separator in prop_oneof![
        Just(None), Just(Some("|")), Just(Some(",")), Just(Some("||")), Just(Some(" > ")), Just(Some("\u{e01}"))
    ]) {
        let want: Vec<&str> = text
            .split(separator.unwrap_or("|"))
            .map(str::trim)
            .filter(|element| !element.is_empty())
            .collect();
        prop_assert_eq!(elements(&text, separator), want);
    }
}
