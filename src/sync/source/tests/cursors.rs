//! From which value on a database is asked, and what is kept.

use jiff::tz::TimeZone;

use super::super::cursor::{Lower, Margin, Progress, lower};
use super::super::mark::{MarkRules, mark};
use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("known")
}

fn now() -> Timestamp {
    "2026-11-22T18:00:00Z".parse().expect("a time")
}

fn bound(kept: &str, margin: Margin) -> Option<String> {
    let lower = lower(kept, margin, &berlin(), now())?;
    assert_eq!(lower.operator, ">=");
    let text = lower.text;
    Some(if lower.quoted {
        format!("'{text}'")
    } else {
        text
    })
}

#[test]
fn the_lower_bound_goes_back_by_the_margin() {
    for (kept, margin, want) in [
        ("5000", Margin::Usual, "4000"),
        ("5000", Margin::Numbers(0), "5000"),
        ("5000", Margin::Numbers(10), "4990"),
        (
            "-9223372036854775808",
            Margin::Usual,
            "-9223372036854775808",
        ),
        ("\\x00000000000007d1", Margin::Numbers(1), "2000"),
        // Seconds and milliseconds since 1970: a minute and a second.
        ("1795370000", Margin::Usual, "1795369000"),
        ("1795370000000", Margin::Usual, "1795369939000"),
        (
            "2026-11-22 13:05:09",
            Margin::Usual,
            "'2026-11-22 13:04:09'",
        ),
        (
            "2026-11-22T13:05:09.123456Z",
            Margin::Usual,
            "'2026-11-22T13:04:09'",
        ),
        (
            "2026-11-22T00:00:30+07:00",
            Margin::Usual,
            "'2026-11-21T23:59:30'",
        ),
        (
            "2026-11-22T13:05:09.999999999999Z",
            Margin::Time(Duration::ZERO),
            "'2026-11-22T13:05:09'",
        ),
        ("2026-11-22", Margin::Usual, "'2026-11-21'"),
        ("2026-11-22 13:05", Margin::Usual, "'2026-11-22 13:04'"),
        (
            "2026-03-01 00:00:10",
            Margin::Time(Duration::from_secs(3600)),
            "'2026-02-28 23:00:10'",
        ),
        // Clocks went back at 3:00 on the 25th of October: what lies around it may come twice.
        (
            "2026-10-25 02:59:59",
            Margin::Usual,
            "'2026-10-24 23:58:59'",
        ),
        (
            "2026-10-25T02:59:59Z",
            Margin::Usual,
            "'2026-10-25T02:58:59'",
        ),
    ] {
        assert_eq!(
            bound(kept, margin).as_deref(),
            Some(want),
            "{kept} {margin:?}"
        );
    }
    for kept in [
        "",
        "abc",
        "22.11.2026 13:05",
        "2026/11/22",
        "12:30",
        "99999999999999999999",
    ] {
        assert_eq!(bound(kept, Margin::Usual), None, "{kept}");
    }
}

#[test]
fn a_bound_never_stands_behind_its_value_as_text() {
    for kept in [
        "2026-11-22 13:05:09",
        "2026-11-22 13:05:09.5",
        "2026-11-22T13:05:09.000001Z",
        "2026-11-22T13:05:09+07:00",
        "2026-11-22T13:05Z",
        "2026-11-22",
    ] {
        let lower = lower(kept, Margin::Time(Duration::ZERO), &TimeZone::UTC, now());
        let Lower { text, .. } = lower.expect("a bound");
        assert!(text.as_str() <= kept, "`{text}` is behind `{kept}`");
    }
}

fn kept(rows: &[&str], before: &str) -> String {
    let mut progress = Progress::new("updated_at", &TimeZone::UTC, now(), true);
    for row in rows {
        progress.row(row, "2026-11-22 18:00:00").expect("sorts");
    }
    progress.keep(before)
}

#[test]
fn what_is_kept_is_a_value_as_it_was_written_and_never_ahead() {
    assert_eq!(
        kept(
            &["2026-11-22T13:05:09.1Z", "2026-11-22T13:05:09.123456Z"],
            ""
        ),
        "2026-11-22T13:05:09.123456Z"
    );
    assert_eq!(kept(&["1", "2", "0012"], ""), "0012");
    // A writer whose clock is two hours ahead does not carry the others' rows away.
    assert_eq!(
        kept(&["2026-11-22T17:59:59Z", "2026-11-22T20:00:00Z"], ""),
        "2026-11-22T17:59:59Z"
    );
    assert_eq!(kept(&["2026-11-22T20:00:00Z"], ""), "");
    assert_eq!(
        kept(&["2026-11-22T20:00:00Z"], "2026-11-22T10:00:00Z"),
        "2026-11-22T10:00:00Z"
    );
    // Rows of the margin alone take nothing back.
    assert_eq!(
        kept(&["2026-11-22T09:59:30Z"], "2026-11-22T10:00:00Z"),
        "2026-11-22T10:00:00Z"
    );
    assert_eq!(kept(&[], "17"), "17");
    assert_eq!(kept(&["", ""], "17"), "17");
}

#[test]
fn values_that_sort_otherwise_than_they_count_are_refused() {
    for rows in [
        ["10", "9"],
        ["2026-11-22T10:00:00+07:00", "2026-11-22T11:00:00+09:00"],
        ["2026-11-22 10:00:00", "2026-11-22T09:00:00"],
        ["2026-11-22 10:00:00", "2026-11-22T11:00:00Z"],
        ["17", "2026-11-22"],
    ] {
        let mut progress = Progress::new("updated_at", &TimeZone::UTC, now(), true);
        progress.row(rows[0], "").expect("the first sorts");
        let error = progress.row(rows[1], "").expect_err("does not");
        assert_eq!(error.problem, SourceProblem::Configuration, "{error}");
        assert_eq!(error.column.as_deref(), Some("updated_at"));
    }
    let mut progress = Progress::new("updated_at", &TimeZone::UTC, now(), true);
    assert!(progress.row("22.11.2026", "").is_err());
}

fn marked(text: &str, tie: &str) -> Mark {
    let rules = MarkRules {
        zone: berlin(),
        dates: None,
        thai: false,
        now: now(),
    };
    mark(text, tie, &rules).0
}

#[test]
fn marks_lose_no_precision() {
    assert_eq!(marked("", ""), Mark::None);
    assert_eq!(marked("17", ""), Mark::Sequence(17));
    assert_eq!(marked("17.00", ""), Mark::Sequence(17));
    assert_eq!(marked("\\x00000000000007D1", ""), Mark::Sequence(2001));
    assert_eq!(marked("9223372036854775807", ""), Mark::Sequence(i64::MAX));
    assert_eq!(marked("9223372036854775808", ""), Mark::None);
    let time = |micros: i64, tie: &str| Mark::Time {
        micros,
        tie: tie.to_owned(),
    };
    assert_eq!(marked("1970-01-01T00:00:01Z", ""), time(1_000_000, ""));
    assert_eq!(
        marked("1970-01-01T01:00:01", ""),
        time(1_000_000, ""),
        "the shop's zone"
    );
    assert_eq!(
        marked("1970-01-01T00:00:01.000001999Z", ""),
        time(1_000_001, "999")
    );
    let in_order = [
        marked("2026-11-22T13:05:09.1234560Z", "zz"),
        marked("2026-11-22T13:05:09.123456001Z", "a"),
        marked("2026-11-22T13:05:09.123456001Z", "b"),
        marked("2026-11-22T13:05:09.123456999Z", "a"),
        marked("2026-11-22T13:05:09.123457Z", ""),
    ];
    for pair in in_order.windows(2) {
        assert!(pair[1].may_replace(&pair[0]), "{pair:?}");
        assert!(!pair[0].may_replace(&pair[1]), "{pair:?}");
    }
    // Numbers part by value.
    assert!(
        !marked("2026-11-22T13:05:09Z", "9").may_replace(&marked("2026-11-22T13:05:09Z", "10"))
    );
}

#[test]
fn times_that_cannot_order_are_no_marks() {
    // Twice on that day; never again after the clocks went back.
    assert_eq!(marked("2026-10-25 02:30:00", ""), Mark::None);
    assert_ne!(marked("2026-10-25T02:30:00+02:00", ""), Mark::None);
    // A till whose clock stands in 2030 must not keep later rows out.
    assert_eq!(marked("2030-01-01T00:00:00Z", ""), Mark::None);
    assert_ne!(
        marked("2026-11-22T18:04:00Z", ""),
        Mark::None,
        "clocks differ a little"
    );
    for text in ["yesterday", "03/04/2026", "12:30", "1795370000.5"] {
        assert_eq!(marked(text, ""), Mark::None, "{text}");
    }
}
