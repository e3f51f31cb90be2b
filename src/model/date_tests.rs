use super::*;
use proptest::prelude::prop;

fn read_in(
    text: &str,
    zone: &str,
    rules: impl Fn(&mut DateRules<'_>),
) -> Result<Moment, DateProblem> {
    let zone = TimeZone::get(zone).expect("a zone");
    let mut own = DateRules {
        zone: &zone,
        order: None,
        thai: false,
        end: false,
    };
    rules(&mut own);
    parse(text, &own)
}

fn read(text: &str) -> Result<String, DateProblem> {
    read_in(text, "Europe/Berlin", |_| {}).map(|moment| moment.to_string())
}

#[test]
fn usual_notations_are_read() {
    for (text, want) in [
        ("2026-11-22", "2026-11-22T00:00:00+01:00"),
        ("2026-07-22", "2026-07-22T00:00:00+02:00"),
        ("2026-11-22 10:30", "2026-11-22T10:30:00+01:00"),
        ("2026-11-22 10:30:15", "2026-11-22T10:30:15+01:00"),
        ("2026-11-22T10:30:15Z", "2026-11-22T10:30:15+00:00"),
        ("2026-11-22T10:30:15+07:00", "2026-11-22T10:30:15+07:00"),
        (
            "2026-11-22T10:30:15.25-0530",
            "2026-11-22T10:30:15.25-05:30",
        ),
        ("2026/11/22", "2026-11-22T00:00:00+01:00"),
        ("22.11.2026", "2026-11-22T00:00:00+01:00"),
        ("3.4.2026", "2026-04-03T00:00:00+02:00"),
        ("22/11/2026", "2026-11-22T00:00:00+01:00"),
        ("11/22/2026", "2026-11-22T00:00:00+01:00"),
        ("05/05/2026 8:05", "2026-05-05T08:05:00+02:00"),
        ("๒๐๒๖-๑๑-๒๒", "2026-11-22T00:00:00+01:00"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(want), "{text}");
        let again = instant(want).expect("canonical");
        assert_eq!(read(want).ok().and_then(|t| instant(&t)), Some(again));
    }
}

#[test]
fn problems_are_told_apart() {
    for (text, want) in [
        ("", DateProblem::Blank),
        ("soon", DateProblem::Notation),
        ("1763805600", DateProblem::Notation),
        ("22.11.26", DateProblem::Notation),
        ("2026-11-22 10", DateProblem::Notation),
        ("2026-02-31", DateProblem::NoSuchDay),
        ("2026-11-22 25:00", DateProblem::NoSuchDay),
        ("31.13.2026", DateProblem::NoSuchDay),
        (
            "03/04/2026",
            DateProblem::Ambiguous("2026-04-03".to_owned(), "2026-03-04".to_owned()),
        ),
        ("2569-11-22", DateProblem::BuddhistEra { year: 2026 }),
    ] {
        let problem = read(text).expect_err(text);
        assert_eq!(problem, want, "{text}");
        assert!(!problem.message(text).is_empty() && !problem.hint().is_empty());
    }
}

#[test]
fn a_declared_locale_orders_day_and_month() {
    for (tag, want) in [
        ("en-GB", "2026-04-03"),
        ("pl", "2026-04-03"),
        ("en-US", "2026-03-04"),
    ] {
        let moment = read_in("03/04/2026", "UTC", |rules| {
            rules.order = DateOrder::from_tag(tag)
        });
        let text = moment.expect("unambiguous").to_string();
        assert_eq!(text.split('T').next(), Some(want), "{tag}");
    }
    assert_eq!(DateOrder::from_tag("en"), None);
}

#[test]
fn buddhist_years_are_converted_in_thai_and_said_so() {
    let moment = read_in("22/11/2569", "Asia/Bangkok", |rules| rules.thai = true).expect("a date");
    assert_eq!(moment.to_string(), "2026-11-22T00:00:00+07:00");
    assert_eq!(moment.adjusted, Some(Adjustment::BuddhistEra));
}

#[test]
fn a_date_alone_ends_with_its_day() {
    let end = read_in("2026-11-30", "Asia/Bangkok", |rules| rules.end = true).expect("a date");
    assert!(end.date_only);
    assert_eq!(end.to_string(), "2026-12-01T00:00:00+07:00");
    let timed = read_in("2026-11-30 12:00", "Asia/Bangkok", |rules| rules.end = true);
    assert_eq!(
        timed.expect("a time").to_string(),
        "2026-11-30T12:00:00+07:00"
    );
    let window = Window {
        starts: None,
        ends: Some(end.at),
    };
    let at = |text: &str| instant(text).expect("a moment");
    assert!(window.contains(at("2026-11-30T23:59:59+07:00")));
    assert!(!window.contains(at("2026-12-01T00:00:00+07:00")));
    assert!(window.is_over(end.at) && !window.is_empty());
}

#[test]
fn gaps_and_folds_are_resolved_and_reported() {
    let gap = read_in("2026-03-29 02:30", "Europe/Berlin", |_| {}).expect("resolved");
    assert_eq!(
        (gap.to_string().as_str(), gap.adjusted),
        ("2026-03-29T03:30:00+02:00", Some(Adjustment::Gap))
    );
    let fold = read_in("2026-10-25 02:30", "Europe/Berlin", |_| {}).expect("resolved");
    assert_eq!(
        (fold.to_string().as_str(), fold.adjusted),
        ("2026-10-25T02:30:00+02:00", Some(Adjustment::Fold))
    );
    let written = read_in("2026-10-25T02:30:00+01:00", "Europe/Berlin", |_| {}).expect("plain");
    assert_eq!(
        (written.to_string().as_str(), written.adjusted),
        ("2026-10-25T02:30:00+01:00", None)
    );
}

proptest::proptest! {
    #[test]
    fn canonical_text_reads_back(seconds in 0i64..4_000_000_000, zone in 0usize..4) {
        let name = ["Asia/Bangkok", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu"][zone];
        let zone = TimeZone::get(name).expect("a zone");
        let at = Timestamp::from_second(seconds).expect("in range");
        let moment = Moment { at, offset: zone.to_offset(at), date_only: false, adjusted: None };
        proptest::prop_assert_eq!(read_in(&moment.to_string(), "UTC", |_| {}), Ok(moment));
    }

    #[test]
    fn the_short_way_reads_what_the_long_one_reads(
        year in 985u32..2515, month in 0u32..14, day in 0u32..33, hour in 0u32..25, minute in 0u32..62, second in 0u32..62,
        sign in "[+-]", hours in 0u32..26, minutes in prop::sample::select(vec![0u32, 15, 30, 59, 60]),
        odd in prop::option::of((0usize..25, prop::sample::select(vec![" ", "x", ":", "t", "Z", "\u{660}"]))),
    ) {
        let mut text = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{hours:02}:{minutes:02}"
        );
        if let Some((at, letter)) = odd {
            text.replace_range(at..=at, letter);
        }
        let rules = DateRules { zone: &TimeZone::UTC, order: None, thai: false, end: false };
        let long = parse_written(text.trim(), &rules);
        match canonical(&text) {
            Some(moment) => {
                proptest::prop_assert_eq!(moment.to_string(), text.clone());
                proptest::prop_assert_eq!(long, Ok(moment));
                proptest::prop_assert_eq!(text.parse::<Timestamp>().ok(), Some(moment.at));
            }
            None if (1000..2500).contains(&year) && hours < 24 => {
                proptest::prop_assert!(long.map(|moment| moment.to_string()) != Ok(text));
            }
            None => {}
        }
    }

    #[test]
    fn never_panics(text in "\\PC{0,20}", digits in "[0-9:T./ +Z-]{0,24}") {
        for text in [text, digits] {
            if let Ok(canonical) = read(&text) {
                proptest::prop_assert!(instant(&canonical).is_some(), "{}", canonical);
            }
        }
    }
}
