//! The server under attack: what it answers and what it refuses.

use std::time::Duration;

use super::support::*;
use crate::sync::serve::limits::Limits;
use crate::sync::serve::metrics;
use crate::sync::serve::plan::{Listen, Options};

pub(super) fn server(webhook: &str, limits: Limits) -> Server {
    Server::start(hook("", webhook), limits)
}

pub(super) fn refused(server: &Server, reason: &str) -> f64 {
    server
        .metrics
        .get(&metrics::EVENTS_REFUSED, &["till", reason])
}

#[test]
fn an_event_is_stored_and_then_answered() {
    let server = server("trusted = true", Limits::default());
    let answer = server.post(&one_row("evt-1", "MUG-1", 5));
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    assert!(answer.head.contains("nosniff") && answer.head.contains("no-store"));
    let events = server.shelf.events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].source.as_str(), events[0].id.as_str()),
        ("till", "evt-1")
    );
    assert_eq!(events[0].observations[0].quantity, Some(5));
    // The same again is answered the same and changes nothing.
    for _ in 0..4 {
        let again = server.post(&one_row("evt-1", "MUG-1", 5));
        assert_eq!(
            (again.status, again.body),
            (answer.status, answer.body.clone())
        );
    }
    assert_eq!(server.shelf.events().len(), 1);
    assert_eq!(server.metrics.get(&metrics::EVENTS, &["till", "rows"]), 5.0);
    // A bell was rung.
    let later = std::time::Instant::now() + Duration::from_secs(60);
    let now = std::time::Instant::now();
    let why = server.bell.wait(later, now);
    assert_eq!(why, Some(crate::sync::serve::worker::Trigger::Event));
}

#[test]
fn a_disk_that_refuses_is_no_200() {
    let server = server("", Limits::default());
    server.shelf.with(|kept| kept.refuse = true);
    let answer = server.post(&one_row("evt-1", "A", 1));
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 1"));
    assert_eq!(refused(&server, "disk"), 1.0);
    server.shelf.with(|kept| kept.refuse = false);
    assert_eq!(server.post(&one_row("evt-1", "A", 1)).status, 200);
    assert_eq!(server.shelf.events().len(), 1);
}

#[test]
fn everything_else_is_not_there() {
    let server = server("", Limits::default());
    let body = one_row("evt-1", "A", 1);
    let headers = signed(body.as_bytes(), crate::clock::now().as_second());
    let mut bodies = Vec::new();
    for (method, path) in [
        ("POST", "/stock/other"),
        ("POST", "/stock/"),
        ("POST", "/stock/till/"),
        ("POST", "/stock/TILL"),
        ("POST", "/stock/%74ill"),
        ("POST", "/stock/../till"),
        ("POST", "/stock"),
        ("POST", "/"),
        ("POST", "/metrics"),
        ("GET", "/stock/till"),
        ("PUT", "/stock/till"),
        ("DELETE", "/stock/till"),
        ("GET", "/stock/other"),
        ("GET", "/"),
        ("GET", "/favicon.ico"),
    ] {
        let answer = server.send(
            method,
            path,
            &headers,
            if method == "GET" {
                b""
            } else {
                body.as_bytes()
            },
        );
        assert_eq!(answer.status, 404, "{method} {path}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies, ["not found\n"]);
    assert!(server.shelf.events().is_empty());
    assert_eq!(
        server
            .send("POST", "/stock/till?again=1", &headers, body.as_bytes())
            .status,
        200
    );
    // What strangers made up is in no label.
    let text = server.get("/metrics").body;
    assert!(
        text.contains("source=\"\",reason=\"unknown_source\""),
        "{text}"
    );
    assert!(!text.contains("other") && !text.contains("TILL"), "{text}");
}

#[test]
fn what_is_not_signed_reaches_nothing() {
    let server = server("", Limits::default());
    let body = one_row("evt-1", "A", 1);
    let none = server.send("POST", "/stock/till", &[], body.as_bytes());
    assert_eq!(
        (none.status, none.body.as_str()),
        (401, "not signed by one of ours\n")
    );
    // The signature is looked at before the sense: what is no JSON is answered the same.
    let nonsense = server.send("POST", "/stock/till", &[], b"\xff{{{");
    assert_eq!((nonsense.status, nonsense.body), (401, none.body));
    let at = crate::clock::now().as_second();
    let mut doubled = signed(body.as_bytes(), at);
    doubled.push(doubled[1].clone());
    assert_eq!(
        server
            .send("POST", "/stock/till", &doubled, body.as_bytes())
            .status,
        401
    );
    let old = server.send(
        "POST",
        "/stock/till",
        &signed(body.as_bytes(), at - 48 * 3600),
        body.as_bytes(),
    );
    assert_eq!(old.status, 401);
    assert_eq!(refused(&server, "late"), 1.0);
    assert_eq!(refused(&server, "signature"), 3.0);
    assert!(server.shelf.events().is_empty());
    assert_eq!(server.shelf.with(|kept| kept.commits), 0);
}

#[test]
fn a_replay_within_the_window_changes_nothing() {
    let server = server("trusted = true", Limits::default());
    let body = one_row("evt-1", "A", 1);
    let at = crate::clock::now().as_second();
    let minute_ago = signed(body.as_bytes(), at - 60);
    for _ in 0..3 {
        assert_eq!(
            server
                .send("POST", "/stock/till", &minute_ago, body.as_bytes())
                .status,
            200
        );
    }
    assert_eq!(server.shelf.events().len(), 1);
}

#[test]
fn what_is_signed_and_senseless_is_told_by_its_place() {
    let server = server("trusted = true", Limits::default());
    let answer = server.post(
        "{\"id\":\"e\",\"rows\":[{\"sku\":\"SECRET-SKU\",\"sequence\":1,\"on_hand\":\"lots\"}]}",
    );
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (400, "`rows[0].on_hand` is no quantity\n")
    );
    let answer = server.post("{\"id\":\"e\",\"SECRET-KEY\":1}");
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains("SECRET"), "{}", answer.body);
    // Absurd and signed: whether it is believed is for the guard to say.
    assert_eq!(server.post(&one_row("absurd", "A", i64::MAX)).status, 200);
    assert_eq!(
        server.shelf.events()[0].observations[0].quantity,
        Some(i64::MAX)
    );
}

#[test]
fn pages_are_not_for_lured_browsers() {
    let server = server("", Limits::default());
    let by = |host: &str| {
        server
            .send("GET", "/metrics", &[("host", host.to_owned())], b"")
            .status
    };
    for host in [
        "127.0.0.1",
        "127.0.0.1:8787",
        "[::1]:8787",
        "[::1]",
        "localhost",
        "LOCALHOST:1",
        "sync.internal:8787",
    ] {
        assert_eq!(by(host), 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:8787",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
    ] {
        assert_eq!(by(host), 404, "{host}");
    }
    let none = server.send(
        "GET",
        "/health",
        &[
            ("host", "localhost".to_owned()),
            ("host", "localhost".to_owned()),
        ],
        b"",
    );
    assert_ne!(none.status, 200);
}

#[test]
fn woocommerces_ping_is_answered_and_is_nothing() {
    let server = server("form = \"woocommerce\"", Limits::default());
    assert_eq!(
        server
            .send("POST", "/stock/till", &[], b"webhook_id=12")
            .status,
        200
    );
    assert_eq!(
        server
            .send("POST", "/stock/till", &[], b"webhook_id=12&x=1")
            .status,
        401
    );
    assert!(server.shelf.events().is_empty());
    let body = b"{\"sku\":\"A\"}";
    let headers = [("x-wc-webhook-signature", base64(&digest(SECRET, &[body])))];
    assert_eq!(
        server.send("POST", "/stock/till", &headers, body).status,
        200
    );
    assert_eq!(server.shelf.events().len(), 1);
}

#[test]
fn only_this_machine_is_listened_to_unless_said() {
    let listen = Options::default().listen;
    assert_eq!(listen.address.to_string(), "127.0.0.1:8787");
    for (address, allowed) in [
        ("127.0.0.1:1", true),
        ("127.9.9.9:1", true),
        ("[::1]:1", true),
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("192.168.1.5:1", false),
        ("[::ffff:192.168.1.5]:1", false),
    ] {
        let mut listen = Listen {
            address: address.parse().unwrap(),
            beyond_loopback: false,
        };
        assert_eq!(listen.check().is_ok(), allowed, "{address}");
        listen.beyond_loopback = true;
        assert_eq!(listen.check(), Ok(()));
    }
    let error = Listen {
        address: "0.0.0.0:1".parse().unwrap(),
        beyond_loopback: false,
    }
    .check();
    assert!(error.unwrap_err().contains("TLS"));
}

#[test]
fn the_line_in_the_documentation_works() {
    let there = |program: &str| {
        std::process::Command::new(program)
            .arg("--version")
            .output()
            .is_ok()
    };
    if !there("curl") || !there("openssl") {
        return;
    }
    let page = include_str!("../../../../docs/webhooks.md");
    let line = page
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let server = server("", Limits::default());
    let line = line.replace("127.0.0.1:8787", &server.address.to_string());
    let run = std::process::Command::new("sh")
        .args(["-e", "-c", &line])
        .env("TILL_SECRET", SECRET)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&run.stdout), "ok\n");
    assert_eq!(server.shelf.events()[0].id, "try-1");
}
