//! What is told: counts, order, what is not believed, what is not kept.

use jiff::Timestamp;

use super::support::*;
use crate::sync::level::{Mark, Observation};
use crate::sync::planted;
use crate::sync::serve::form::{Echo, Refused, Said};

fn read(lines: &str, webhook: &str, body: &str) -> Result<Said, Refused> {
    hook(lines, webhook).read(&headers(&[]), body.as_bytes(), now())
}

fn rows(row: &str) -> Result<Vec<Observation>, Refused> {
    let body = format!("{{\"id\":\"e\",\"rows\":[{row}]}}");
    read("", "trusted = true", &body).map(|said| said.observations)
}

fn time(text: &str) -> Mark {
    Mark::Time {
        micros: text.parse::<Timestamp>().unwrap().as_microsecond(),
        tie: String::new(),
    }
}

#[test]
fn a_row_is_taken_as_it_is_where_it_is_trusted() {
    let row = r#"{"sku":" MUG-1 ","location":"WAW","on_hand":5,"committed":"2","safety_stock":1,
        "updated_at":"2026-11-20T11:00:00.000250+01:00","tie":"17"}"#;
    let expected = Observation {
        location: "WAW".to_owned(),
        sku: "MUG-1".to_owned(),
        quantity: Some(5),
        committed: Some(2),
        safety_stock: Some(1),
        mark: Mark::Time {
            micros: NOW * 1_000_000 + 250,
            tie: "17".to_owned(),
        },
    };
    assert_eq!(rows(row).unwrap(), [expected]);
    let row = r#"{"sku":"A","on_hand":-3,"sequence":9}"#;
    let got = rows(row).unwrap();
    assert_eq!(got[0].mark, Mark::Sequence(9));
    assert_eq!(got[0].quantity, Some(-3));
}

#[test]
fn without_trust_it_is_a_hint() {
    let said = read("", "", &one_row("evt-1", "MUG-1", 5)).unwrap();
    assert_eq!(said.id, "evt-1");
    assert!(said.observations.is_empty());
    let event = hook("", "")
        .event_for(&said, &Echo::default(), now())
        .unwrap();
    assert_eq!((event.source.as_str(), event.at), ("till", now()));
    assert!(event.observations.is_empty());
}

#[test]
fn what_says_no_order_or_no_count_only_has_the_source_read() {
    for row in [
        r#"{"sku":"A","on_hand":5}"#,
        r#"{"sku":"A","updated_at":"2026-11-20T10:00:00Z"}"#,
        r#"{"sku":"A","on_hand":null,"sequence":1}"#,
        r#"{"sku":"A","on_hand":"","sequence":1}"#,
        r#"{"sku":"A","on_hand":"n/a","sequence":1}"#,
        // One that is complete beside one that is not.
        r#"{"sku":"A","on_hand":1,"sequence":1},{"sku":"B","sequence":2}"#,
        // A mark far ahead would outlast all that comes after it.
        r#"{"sku":"A","on_hand":5,"updated_at":"2026-11-20T10:05:01Z"}"#,
        r#"{"sku":"A","on_hand":5,"updated_at":"9999-01-01T00:00:00Z"}"#,
        "",
    ] {
        assert_eq!(rows(row).unwrap(), [], "{row}");
    }
    let just = r#"{"sku":"A","on_hand":5,"updated_at":"2026-11-20T10:05:00Z"}"#;
    assert_eq!(rows(just).unwrap()[0].mark, time("2026-11-20T10:05:00Z"));
}

#[test]
fn absent_is_not_zero() {
    for (cell, units) in [
        ("0", Some(0)),
        ("\"0\"", Some(0)),
        ("7", Some(7)),
        ("7.0", Some(7)),
        ("7.9", Some(7)),
        ("-0.5", Some(-1)),
        ("\"7.9\"", Some(7)),
        ("\"-1.5\"", Some(-2)),
        ("\"-2\"", Some(-2)),
        ("\" 12 \"", Some(12)),
        ("1e3", Some(1000)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
    ] {
        let got = rows(&format!(
            "{{\"sku\":\"A\",\"sequence\":1,\"on_hand\":{cell}}}"
        ))
        .unwrap();
        assert_eq!(got[0].quantity, units, "{cell}");
    }
    for cell in ["null", "\"\"", "\"-\"", "\"null\"", "\"N/A\"", "\" \""] {
        let got = rows(&format!(
            "{{\"sku\":\"A\",\"sequence\":1,\"on_hand\":{cell}}}"
        ))
        .unwrap();
        assert_eq!(got, [], "{cell}");
    }
    for cell in [
        "true",
        "false",
        "[]",
        "[5]",
        "{}",
        "\"yes\"",
        "\"in stock\"",
        "\"#N/A\"",
        "\"10+\"",
        "\"1,000\"",
        "\"x\"",
        "9223372036854775808",
        "1e30",
        "-1e30",
        "\"99999999999999999999\"",
    ] {
        let got = rows(&format!(
            "{{\"sku\":\"A\",\"sequence\":1,\"on_hand\":{cell}}}"
        ));
        let Err(Refused::Unreadable(why)) = got else {
            panic!("{cell}: {got:?}");
        };
        assert_eq!(why, "`rows[0].on_hand` is no quantity", "{cell}");
    }
}

#[test]
fn the_count_is_of_the_sources_basis() {
    let body = |name: &str| {
        format!("{{\"id\":\"e\",\"rows\":[{{\"sku\":\"A\",\"sequence\":1,\"{name}\":4}}]}}")
    };
    for basis in ["on_hand", "available", "salable"] {
        for name in ["on_hand", "available", "salable"] {
            let lines = format!("basis = \"{basis}\"");
            let got = read(&lines, "trusted = true", &body(name));
            if basis == name {
                assert_eq!(got.unwrap().observations[0].quantity, Some(4));
            } else {
                assert!(matches!(got, Err(Refused::Unreadable(_))), "{basis} {name}");
            }
        }
    }
    let committed = r#"{"id":"e","rows":[{"sku":"A","sequence":1,"available":4,"committed":1}]}"#;
    let got = read("basis = \"available\"", "trusted = true", committed);
    assert!(matches!(got, Err(Refused::Unreadable(_))));
}

#[test]
fn bodies_that_cannot_be_read_are_refused_by_their_place() {
    let long = "x".repeat(257);
    let bodies = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{\"id\":1}".to_owned(),
        "{\"id\":\"\"}".to_owned(),
        format!("{{\"id\":\"{long}\"}}"),
        "{\"id\":\"e\",\"rows\":{}}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\" \"}]}".to_owned(),
        format!("{{\"id\":\"e\",\"rows\":[{{\"sku\":\"{long}\"}}]}}"),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\\u0000b\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\\u001b[31m\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"location\":\"x\\ny\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"onhand\":1}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"sku\":\"b\"}]}".to_owned(),
        "{\"id\":\"e\",\"id\":\"f\"}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"updated_at\":\"yesterday\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"updated_at\":\"2026-11-20T10:00:00\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"sequence\":1,\"updated_at\":\"2026-11-20T10:00:00Z\"}]}".to_owned(),
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"a\",\"sequence\":1.5}]}".to_owned(),
        "{\"id\":\"e\"} {}".to_owned(),
        "\u{feff}{\"id\":\"e\"}".to_owned(),
        format!("{{\"id\":\"e\",\"rows\":[{{\"sku\":{}\"a\"{}}}]}}", "[".repeat(5000), "]".repeat(5000)),
    ];
    for body in &bodies {
        for webhook in ["", "trusted = true"] {
            assert!(
                matches!(read("", webhook, body), Err(Refused::Unreadable(_))),
                "{body}"
            );
        }
    }
    let not_text = [b"{\"id\":\"\xff\"}".as_slice(), b"\xff\xfe{\0}\0"];
    for body in not_text {
        let got = hook("", "").read(&headers(&[]), body, now());
        assert!(matches!(got, Err(Refused::Unreadable(_))));
    }
}

#[test]
fn ids_are_kept_short_and_plain() {
    let id = |id: &str| {
        read("", "", &serde_json::json!({"id": id}).to_string())
            .unwrap()
            .id
    };
    assert_eq!(id("a-1.b:2_C"), "a-1.b:2_C");
    for odd in [
        "Anna Kowalska, 5 Long Street",
        "<script>",
        "'; drop table events; --",
        &"x".repeat(200),
    ] {
        let kept = id(odd);
        assert_eq!(kept.len(), 32, "{kept}");
        assert_eq!(kept, id(odd));
    }
    assert_ne!(id("<a>"), id("<b>"));
}

#[test]
fn shopify_only_has_the_source_read() {
    let body = r#"{"inventory_item_id":1,"location_id":2,"available":6,"updated_at":"2026-11-20T10:00:00Z"}"#;
    let hook = hook("", "form = \"shopify\"");
    let read = |id: &str, body: &str| {
        hook.read(
            &headers(&[("x-shopify-event-id", id)]),
            body.as_bytes(),
            now(),
        )
        .unwrap()
    };
    let said = read("e-1", body);
    assert!(said.observations.is_empty());
    assert_eq!(said.places, ["2"]);
    assert_eq!(said.id, read("e-1", body).id, "a repetition");
    assert_ne!(said.id, read("e-2", body).id, "the same count again, later");
    assert_ne!(
        said.id,
        read("e-1", &body.replace('6', "7")).id,
        "not signed: not believed alone"
    );
    // An order that was sent here by mistake: nothing of it is kept.
    let order = r#"{"id":1,"email":"anna@example.org","customer":{"name":"Anna"}}"#;
    let said = read("e-3", order);
    let event = hook.event_for(&said, &Echo::default(), now()).unwrap();
    assert!(!format!("{event:?}").to_lowercase().contains("anna"));
}

#[test]
fn woocommerce_has_a_count_where_the_product_has_one() {
    let product = |change: &str, to: &str| {
        r#"{"id":93,"type":"simple","sku":"MUG-1","manage_stock":true,"stock_quantity":7,"date_modified_gmt":"2026-11-20T10:00:00"}"#
            .replace(change, to)
    };
    let read = |body: &str| {
        read("", "form = \"woocommerce\"\ntrusted = true", body)
            .unwrap()
            .observations
    };
    let expected = Observation {
        sku: "MUG-1".to_owned(),
        quantity: Some(7),
        mark: time("2026-11-20T10:00:00Z"),
        ..Observation::default()
    };
    assert_eq!(read(&product("", "")), [expected]);
    for (change, to) in [
        ("\"manage_stock\":true", "\"manage_stock\":false"),
        ("\"manage_stock\":true", "\"manage_stock\":\"parent\""),
        ("\"stock_quantity\":7", "\"stock_quantity\":null"),
        ("\"simple\"", "\"variable\""),
        ("\"MUG-1\"", "\"\""),
        ("2026-11-20T10:00:00", "soon"),
        ("2026-11-20T10:00:00", "2027-11-20T10:00:00"),
        ("date_modified_gmt", "date"),
    ] {
        assert_eq!(read(&product(change, to)), [], "{change} {to}");
    }
    let hook = hook("", "form = \"woocommerce\"");
    assert!(hook.is_ping(&headers(&[]), b"webhook_id=12"));
    assert!(!hook.is_ping(
        &headers(&[("x-wc-webhook-signature", "x")]),
        b"webhook_id=12"
    ));
    for body in ["", "webhook_id=", "webhook_id=1&x=2", "webhook_id=1a", "{}"] {
        assert!(!hook.is_ping(&headers(&[]), body.as_bytes()), "{body}");
    }
    assert!(!super::support::hook("", "").is_ping(&headers(&[]), b"webhook_id=12"));
}

#[test]
fn the_planted_bug_takes_the_order_away() {
    let hook = hook("", "trusted = true");
    let said = hook
        .read(&headers(&[]), one_row("e", "A", 5).as_bytes(), now())
        .unwrap();
    let mark = |said: &Said| {
        hook.event_for(said, &Echo::default(), now())
            .unwrap()
            .observations[0]
            .mark
            .clone()
    };
    assert_eq!(mark(&said), time("2026-11-20T10:00:00Z"));
    planted::plant(Some("event order by arrival"));
    assert_eq!(mark(&said), Mark::None);
    planted::plant(None);
}
