//! The server's bounds: bodies, headers, slowness, connections, pace; each at its limit and one above.

use std::io::Write;
use std::time::Duration;

use super::http::{refused, server};
use super::support::*;
use crate::sync::serve::limits::Limits;
use crate::sync::serve::metrics;

#[test]
fn a_body_has_a_limit_told_or_sent() {
    let limits = Limits {
        body_bytes: 4096,
        ..Limits::default()
    };
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
            sent.push_str(&format!(
                "{:x}\r\n{}\r\n",
                part.len(),
                String::from_utf8_lossy(part)
            ));
        }
        sent.push_str("0\r\n\r\n");
        server
            .send("POST", "/stock/till", &headers, sent.as_bytes())
            .status
    };
    assert_eq!(chunked(4096), 200);
    assert_eq!(chunked(4097), 413);
    assert_eq!(refused(&server, "too_large"), 3.0);
    assert_eq!(server.shelf.events().len(), 1);
}

#[test]
fn headers_have_limits() {
    let server = server(
        "",
        Limits {
            headers: 20,
            ..Limits::default()
        },
    );
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
        (
            "POST /stock/till HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nabc",
            false,
        ),
        (
            "POST /stock/till HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n",
            true,
        ),
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
    let ended: Vec<_> = slow
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(
        ended[..2]
            .iter()
            .all(|status| matches!(status, None | Some(408))),
        "{ended:?}"
    );
    assert_eq!(ended[2..], [Some(408); 2]);
    assert_eq!(refused(&server, "slow"), 2.0);
    // A connection that is kept and says nothing more.
    let mut stream = server.connect();
    stream
        .write_all(&request("GET", "/health", &[], b"", false))
        .unwrap();
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
    let server = server(
        "",
        Limits {
            connections: 3,
            ..Limits::default()
        },
    );
    let mut kept: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = server.connect();
            stream
                .write_all(&request("GET", "/health", &[], b"", false))
                .unwrap();
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
    let server = server(
        "",
        Limits {
            per_second: 1,
            burst: 5,
            ..Limits::default()
        },
    );
    for _ in 0..50 {
        assert_eq!(server.send("POST", "/stock/till", &[], b"{}").status, 401);
    }
    let statuses: Vec<u16> = (0..9)
        .map(|number| {
            server
                .post(&one_row(&format!("evt-{number}"), "A", 1))
                .status
        })
        .collect();
    assert_eq!(statuses[..5], [200; 5]);
    assert!(statuses[5..].contains(&429), "{statuses:?}");
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(server.shelf.events().len(), taken);
    // Pages are for others.
    assert_eq!(server.get("/health").status, 200);
}
