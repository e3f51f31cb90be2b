//! The server under attack: what it answers, what it refuses, what it bounds.

use std::io::Write;
use std::time::Duration;

use super::support::*;
use crate::sync::serve::daemon::{Listen, Options};
use crate::sync::serve::limits::Limits;
use crate::sync::serve::metrics;

fn server(webhook: &str, limits: Limits) -> Server {
    Server::start(hook("", webhook), limits)
}

fn refused(server: &Server, reason: &str) -> f64 {
    server.metrics.get(&metrics::EVENTS_REFUSED, &["till", reason])
}

#[test]
fn an_event_is_stored_and_then_answered() {
    let server = server("trusted = true", Limits::default());
    let answer = server.post(&one_row("evt-1", "MUG-1", 5));
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    assert!(answer.head.contains("nosniff") && answer.head.contains("no-store"));
    let events = server.shelf.events();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].source.as_str(), events[0].id.as_str()), ("till", "evt-1"));
    assert_eq!(events[0].observations[0].quantity, Some(5));
    // The same again is answered the same and changes nothing.
    for _ in 0..4 {
        let again = server.post(&one_row("evt-1", "MUG-1", 5));
        assert_eq!((again.status, again.body), (answer.status, answer.body.clone()));
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
        let answer = server.send(method, path, &headers, if method == "GET" { b"" } else { body.as_bytes() });
        assert_eq!(answer.status, 404, "{method} {path}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies, ["not found\n"]);
    assert!(server.shelf.events().is_empty());
    assert_eq!(server.send("POST", "/stock/till?again=1", &headers, body.as_bytes()).status, 200);
    // What strangers made up is in no label.
    let text = server.get("/metrics").body;
    assert!(text.contains("source=\"\",reason=\"unknown_source\""), "{text}");
    assert!(!text.contains("other") && !text.contains("TILL"), "{text}");
}

#[test]
fn what_is_not_signed_reaches_nothing() {
    let server = server("", Limits::default());
    let body = one_row("evt-1", "A", 1);
    let none = server.send("POST", "/stock/till", &[], body.as_bytes());
    assert_eq!((none.status, none.body.as_str()), (401, "not signed by one of ours\n"));
    // The signature is looked at before the sense: what is no JSON is answered the same.
    let nonsense = server.send("POST", "/stock/till", &[], b"\xff{{{");
    assert_eq!((nonsense.status, nonsense.body), (401, none.body));
    let at = crate::clock::now().as_second();
    let mut doubled = signed(body.as_bytes(), at);
    doubled.push(doubled[1].clone());
    assert_eq!(server.send("POST", "/stock/till", &doubled, body.as_bytes()).status, 401);
    let old = server.send("POST", "/stock/till", &signed(body.as_bytes(), at - 48 * 3600), body.as_bytes());
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
        assert_eq!(server.send("POST", "/stock/till", &minute_ago, body.as_bytes()).status, 200);
    }
    assert_eq!(server.shelf.events().len(), 1);
}

#[test]
fn what_is_signed_and_senseless_is_told_by_its_place() {
    let server = server("trusted = true", Limits::default());
    let answer = server.post("{\"id\":\"e\",\"rows\":[{\"sku\":\"SECRET-SKU\",\"sequence\":1,\"on_hand\":\"lots\"}]}");
    assert_eq!((answer.status, answer.body.as_str()), (400, "`rows[0].on_hand` is no quantity\n"));
    let answer = server.post("{\"id\":\"e\",\"SECRET-KEY\":1}");
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains("SECRET"), "{}", answer.body);
    // Absurd and signed: whether it is believed is for the guard to say.
    assert_eq!(server.post(&one_row("absurd", "A", i64::MAX)).status, 200);
    assert_eq!(server.shelf.events()[0].observations[0].quantity, Some(i64::MAX));
}

#[test]
fn a_body_has_a_limit_told_or_sent() {
    let limits = Limits { body_bytes: 4096, ..Limits::default() };
    let server = server("", limits);
    let padded = |length: usize| {
        let body = one_row("evt-1", "A", 1);
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(server.post(&padded(4096)).status, 200);
    // One more is refused by what is told, before anything of it is sent and whoever signed it.
    let mut stream = server.connect();
    stream
        .write_all(b"POST /stock/till HTTP/1.1\r\nhost: a\r\ncontent-length: 4097\r\n\r\n")
        .unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 413);
    let mut stream = server.connect();
    stream
        .write_all(b"POST /stock/till HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999\r\nexpect: 100-continue\r\n\r\n")
        .unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 413);
    // Not told, only sent.
    let chunked = |length: usize| {
        let body = padded(length);
        let mut headers = signed(body.as_bytes(), crate::clock::now().as_second());
        headers.push(("transfer-encoding", "chunked".to_owned()));
        let mut sent = String::new();
        for part in body.as_bytes().chunks(1000) {
            sent.push_str(&format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)));
        }
        sent.push_str("0\r\n\r\n");
        server.send("POST", "/stock/till", &headers, sent.as_bytes()).status
    };
    assert_eq!(chunked(4096), 200);
    assert_eq!(chunked(4097), 413);
    assert_eq!(refused(&server, "too_large"), 3.0);
    assert_eq!(server.shelf.events().len(), 1);
}

#[test]
fn headers_have_limits() {
    let server = server("", Limits { headers: 20, ..Limits::default() });
    let many = |count: usize| {
        // Host and one that closes the connection are there already.
        let headers: Vec<_> = (0..count - 2).map(|_| ("x-more", "1".to_owned())).collect();
        server.send("GET", "/health", &headers, b"").status
    };
    assert_eq!(many(20), 200);
    assert_eq!(many(21), 431);
    let long = |length: usize| {
        let headers = [("x-long", "x".repeat(length))];
        server.send("GET", "/health", &headers, b"").status
    };
    assert_eq!(long(8 * 1024), 200);
    assert_eq!(long(17 * 1024), 431);
}

#[test]
fn who_is_slow_is_cut_off_and_holds_up_nobody() {
    let limits = Limits {
        head_time: Duration::from_millis(300),
        body_idle: Duration::from_millis(300),
        request_time: Duration::from_millis(900),
        ..Limits::default()
    };
    let server = server("", limits);
    let address = server.address;
    let slow: Vec<_> = [
        // Nothing; a head that never ends; a body that stops; one that trickles.
        ("", false),
        ("POST /stock/till HTTP/1.1\r\nx: ", true),
        ("POST /stock/till HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nabc", false),
        ("POST /stock/till HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n", true),
    ]
    .into_iter()
    .map(|(start, trickles)| {
        std::thread::spawn(move || {
            let mut stream = connect(address);
            stream.write_all(start.as_bytes()).unwrap();
            // Far more than a test's time in all: only the server can end this.
            for _ in 0..600 {
                if !trickles || stream.write_all(b"a").is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
                let mut byte = [0];
                if !matches!(stream.peek_now(&mut byte), Peeked::Nothing) {
                    break;
                }
            }
            answer(&mut stream).map(|answer| answer.status)
        })
    })
    .collect();
    assert_eq!(server.post(&one_row("evt-1", "A", 1)).status, 200);
    let ended: Vec<_> = slow.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(ended[..2].iter().all(|status| matches!(status, None | Some(408))), "{ended:?}");
    assert_eq!(ended[2..], [Some(408); 2]);
    assert_eq!(refused(&server, "slow"), 2.0);
    // A connection that is kept and says nothing more.
    let mut stream = server.connect();
    stream.write_all(&request("GET", "/health", &[], b"", false)).unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 200);
    assert!(answer(&mut stream).is_none(), "closed by the server");
}

enum Peeked {
    Nothing,
    Something,
}

trait PeekNow {
    fn peek_now(&mut self, byte: &mut [u8]) -> Peeked;
}

impl PeekNow for std::net::TcpStream {
    fn peek_now(&mut self, byte: &mut [u8]) -> Peeked {
        self.set_nonblocking(true).unwrap();
        let peeked = self.peek(byte);
        self.set_nonblocking(false).unwrap();
        match peeked {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Peeked::Nothing,
            _ => Peeked::Something,
        }
    }
}

#[test]
fn connections_have_a_limit() {
    let server = server("", Limits { connections: 3, ..Limits::default() });
    let mut kept: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&request("GET", "/health", &[], b"", false)).unwrap();
            assert_eq!(answer(&mut stream).unwrap().status, 200);
            stream
        })
        .collect();
    let mut fourth = server.connect();
    drop(fourth.write_all(&request("GET", "/health", &[], b"", false)));
    assert!(answer(&mut fourth).is_none());
    assert_eq!(server.metrics.get(&metrics::CONNECTIONS_REFUSED, &[]), 1.0);
    drop(kept.pop());
    // One went: there is room again, as soon as the server has seen it.
    let again = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        let mut stream = server.connect();
        drop(stream.write_all(&request("GET", "/health", &[], b"", true)));
        answer(&mut stream).is_some_and(|answer| answer.status == 200)
    });
    assert!(again);
}

#[test]
fn a_source_has_a_pace_and_only_what_is_signed_uses_it_up() {
    let server = server("", Limits { per_second: 1, burst: 5, ..Limits::default() });
    for _ in 0..50 {
        assert_eq!(server.send("POST", "/stock/till", &[], b"{}").status, 401);
    }
    let statuses: Vec<u16> = (0..9)
        .map(|number| server.post(&one_row(&format!("evt-{number}"), "A", 1)).status)
        .collect();
    assert_eq!(statuses[..5], [200; 5]);
    assert!(statuses[5..].contains(&429), "{statuses:?}");
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(server.shelf.events().len(), taken);
    // Pages are for others.
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn pages_are_not_for_lured_browsers() {
    let server = server("", Limits::default());
    let by = |host: &str| server.send("GET", "/metrics", &[("host", host.to_owned())], b"").status;
    for host in ["127.0.0.1", "127.0.0.1:8787", "[::1]:8787", "[::1]", "localhost", "LOCALHOST:1", "sync.internal:8787"] {
        assert_eq!(by(host), 200, "{host}");
    }
    for host in ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "localhost.evil.example", ""] {
        assert_eq!(by(host), 404, "{host}");
    }
    let none = server.send("GET", "/health", &[("host", "localhost".to_owned()), ("host", "localhost".to_owned())], b"");
    assert_ne!(none.status, 200);
}

#[test]
fn woocommerces_ping_is_answered_and_is_nothing() {
    let server = server("form = \"woocommerce\"", Limits::default());
    assert_eq!(server.send("POST", "/stock/till", &[], b"webhook_id=12").status, 200);
    assert_eq!(server.send("POST", "/stock/till", &[], b"webhook_id=12&x=1").status, 401);
    assert!(server.shelf.events().is_empty());
    let body = b"{\"sku\":\"A\"}";
    let headers = [("x-wc-webhook-signature", base64(&digest(SECRET, &[body])))];
    assert_eq!(server.send("POST", "/stock/till", &headers, body).status, 200);
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
        let mut listen = Listen { address: address.parse().unwrap(), beyond_loopback: false };
        assert_eq!(listen.check().is_ok(), allowed, "{address}");
        listen.beyond_loopback = true;
        assert_eq!(listen.check(), Ok(()));
    }
    let error = Listen { address: "0.0.0.0:1".parse().unwrap(), beyond_loopback: false }.check();
    assert!(error.unwrap_err().contains("TLS"));
}
