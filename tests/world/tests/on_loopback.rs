//! The store over the wire: it answers, is looked at, misbehaves, and keeps its rate.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::super::plain;
use super::super::protocol::Protocol;
use super::super::server::{Options, WireFault, start};
use serde_json::{Value, json};

fn ask(url: &str, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connects");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a limit");
    stream.write_all(request.as_bytes()).expect("writes");
    let mut answer = Vec::new();
    // how it ends is what is tested
    drop(stream.read_to_end(&mut answer));
    answer
}

fn post(path: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        plain::TOKEN,
        body.len()
    )
}

#[test]
fn a_store_answers_is_looked_at_and_misbehaves() {
    let mut options = Options::quiet(Protocol::Plain, 3);
    options.hold = Duration::from_millis(300);
    let running = start(&options).expect("a port");
    let ask_json = |request: &str| -> Value {
        // kept alive: the length says where the answer ends
        let mut stream =
            TcpStream::connect(running.url.trim_start_matches("http://")).expect("connects");
        stream.write_all(request.as_bytes()).expect("writes");
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = stream.read(&mut chunk).expect("reads");
            bytes.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((_, body)) = text.split_once("\r\n\r\n")
                && let Ok(value) = serde_json::from_str(body)
            {
                return value;
            }
            assert!(read > 0, "{text}");
        }
    };
    let level = json!({ "levels": [{ "sku": "SKU-00002", "location": "SGN", "quantity": 5 }] });
    assert_eq!(
        ask_json(&post("/stock", &level))["results"][0]["status"],
        "ok"
    );
    let order = json!([{ "sku": "SKU-00002", "location": "SGN", "units": 2 }]);
    assert_eq!(
        ask_json(&post("/_control/orders", &order))["sold"],
        json!([2])
    );
    let applied = ask_json("GET /_control/applied?from=0 HTTP/1.1\r\nhost: x\r\n\r\n");
    let line = &applied["applied"][1];
    assert_eq!(
        (&line["by"], &line["old"], &line["new"]),
        (&json!("order"), &json!(5), &json!(3))
    );
    let state = ask_json("GET /_control/state HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(state["levels"].as_array().map(Vec::len), Some(6));

    ask_json(&post(
        "/_control/faults",
        &json!({ "script": ["reset-after", "answer-cut"] }),
    ));
    let level = json!({ "levels": [{ "sku": "SKU-00001", "location": "HAN", "quantity": 1 }] });
    assert_eq!(ask(&running.url, &post("/stock", &level)), b"");
    assert_eq!(running.with(|store| store.shop.level(0, 0)), Some(1));
    let cut = ask(&running.url, &post("/stock", &level));
    assert!(cut.starts_with(b"HTTP/1.1 200"));

    ask_json(&post("/_control/faults", &json!({ "wire": 1000 })));
    for _ in 0..40 {
        ask(&running.url, &post("/stock", &level));
    }
    running.with(|store| {
        for (fault, count) in WireFault::ALL.iter().zip(store.wire_drawn) {
            assert!(count > 0, "{}", fault.name());
        }
    });
    ask_json(&post("/_control/heal", &json!({})));
    assert_eq!(
        ask_json(&post("/stock", &level))["results"][0]["status"],
        "ok"
    );
}

#[test]
fn a_rate_is_kept() {
    let mut options = Options::quiet(Protocol::Plain, 3);
    options.rate = 5.0;
    let running = start(&options).expect("a port");
    let mut refused = 0;
    for _ in 0..30 {
        let mut stream =
            TcpStream::connect(running.url.trim_start_matches("http://")).expect("connects");
        stream
            .write_all(post("/stock", &json!({ "levels": [] })).as_bytes())
            .expect("writes");
        let mut bytes = [0; 12];
        stream.read_exact(&mut bytes).expect("reads");
        refused += u32::from(bytes.ends_with(b"429"));
    }
    assert!(refused >= 20, "{refused}");
    assert_eq!(running.with(|store| store.over_rate), u64::from(refused));
}
