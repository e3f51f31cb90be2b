//! Answers that are late, lost, cut, half, or wrong.

use serde_json::{Value, json};

use super::super::memory::{Fault, Memory, Reply, Server};
use super::super::outcome::Outcome;
use super::{Bench, SIMPLE, items, refused};

/// What is done to the list of outcomes.
type Change = fn(&mut Vec<Value>);

fn answer(status: u16) -> Reply {
    Reply::json(status, &json!({ "error": "trouble" }))
}

/// The same channel, where a call may not be repeated.
fn once() -> String {
    SIMPLE.replace("idempotent = true", "idempotent = false")
}

#[test]
fn batches_go_out_whole_and_in_order() {
    let memory = Memory::start(Vec::new());
    let bench = Bench::new(&memory.server.address, SIMPLE);
    let sent = bench.send(&items(10), &[]);
    assert_eq!(sent.letters(), "a".repeat(10));
    assert_eq!((sent.report.calls, sent.report.retries), (3, 0));
    let seen = memory.server.seen();
    assert_eq!(
        seen[2].body,
        b"{\"items\":[\n{\"id\":\"a0009\",\"v\":9},\n{\"id\":\"a0010\",\"v\":10}\n]}"
    );
    assert_eq!(memory.writes().len(), 10);
    assert!(memory.writes().values().all(|count| *count == 1));
}

#[test]
fn a_failure_before_or_after_the_effect_is_repeated_where_that_does_no_harm() {
    for status in [500, 502, 503, 504, 408, 425] {
        for fault in [Fault::Before(answer(status)), Fault::After(answer(status))] {
            let memory = Memory::start(vec![fault.clone()]);
            let sent = Bench::new(&memory.server.address, SIMPLE).send(&items(3), &[]);
            assert_eq!(sent.letters(), "aaa", "{fault:?}");
            assert_eq!((sent.report.calls, sent.report.retries), (2, 1));

            let memory = Memory::start(vec![fault.clone()]);
            let sent = Bench::new(&memory.server.address, &once()).send(&items(3), &[]);
            assert_eq!(sent.letters(), "uuu", "{fault:?}");
            assert_eq!(sent.report.calls, 1, "never sent twice");
        }
    }
}

#[test]
fn an_answer_lost_at_any_byte_is_neither_success_nor_failure() {
    let whole = {
        let memory = Memory::start(Vec::new());
        Bench::new(&memory.server.address, SIMPLE).send(&items(2), &[]);
        // head and body of the answer to two items
        150
    };
    for cut in (0..whole).step_by(7).chain([1, 2, 60, 61, 62, 63]) {
        let memory = Memory::start(vec![Fault::Cut(cut)]);
        let sent = Bench::new(&memory.server.address, &once()).send(&items(2), &[]);
        let letters = sent.letters();
        assert!(
            letters == "uu" || letters == "aa",
            "cut at {cut}: {sent:#?}"
        );
        if cut < 100 {
            assert_eq!(letters, "uu", "cut at {cut}");
        }
        assert_eq!(memory.writes().get("a0001"), Some(&1), "cut at {cut}");

        let memory = Memory::start(vec![Fault::Cut(cut)]);
        let sent = Bench::new(&memory.server.address, SIMPLE).send(&items(2), &[]);
        assert_eq!(sent.letters(), "aa", "cut at {cut}");
    }
}

#[test]
fn a_page_of_words_with_200_is_unknown() {
    let page = Reply::bytes(200, b"<html>maintenance</html>".to_vec());
    let memory = Memory::start(vec![Fault::Before(page)]);
    let sent = Bench::new(&memory.server.address, SIMPLE).send(&items(2), &[]);
    assert_eq!(sent.letters(), "uu");
    assert_eq!(sent.report.calls, 1);
}

#[test]
fn each_item_has_its_own_verdict() {
    let mut half = items(4);
    refused(&mut half, &[1, 3], "bad-title");
    let memory = Memory::start(Vec::new());
    let sent = Bench::new(&memory.server.address, SIMPLE).send(&half, &[]);
    assert_eq!(sent.letters(), "arar");
    assert_eq!(
        sent.of("a0002"),
        &Outcome::Rejected {
            code: "bad-title".to_owned(),
            message: "will not do".to_owned(),
            transient: false
        }
    );
    assert_eq!(sent.report.calls, 1, "a refusal that stays is not repeated");
    let finding = sent
        .outcomes
        .iter()
        .find_map(|outcome| outcome.finding("case", "place"))
        .expect("a finding");
    assert_eq!(finding.rule, "refused-by-channel");
    assert_eq!(finding.sku.as_deref(), Some("a0002"));
    assert!(finding.message.contains("`bad-title`: will not do"));
}

#[test]
fn shuffled_missing_extra_and_doubled_outcomes() {
    let changes: [(Change, &str); 6] = [
        (|list| list.reverse(), "arar"),
        (|list| drop(list.remove(0)), "urar"),
        (
            |list| list.push(json!({ "id": "stranger", "status": "ok" })),
            "arar",
        ),
        (|list| list.push(list[0].clone()), "arar"),
        (
            |list| list.push(json!({ "id": "a0001", "status": "error", "code": "x" })),
            "urar",
        ),
        (|list| list.clear(), "uuuu"),
    ];
    for (number, (change, wanted)) in changes.into_iter().enumerate() {
        let mut half = items(4);
        refused(&mut half, &[1, 3], "bad");
        let memory = Memory::start(vec![Fault::Outcomes(change)]);
        let sent = Bench::new(&memory.server.address, SIMPLE).send(&half, &[]);
        assert_eq!(sent.letters(), wanted, "change {number}");
    }
}

#[test]
fn a_missing_item_makes_a_finding() {
    let memory = Memory::start(vec![Fault::Outcomes(|list| drop(list.remove(0)))]);
    let sent = Bench::new(&memory.server.address, SIMPLE).send(&items(2), &[]);
    let finding = sent
        .outcomes
        .iter()
        .find_map(|outcome| outcome.finding("case", "place"))
        .expect("a finding");
    assert_eq!(finding.rule, "unknown-at-channel");
    assert_eq!(finding.sku.as_deref(), Some("a0001"));
    assert!(crate::validate::rules::find(finding.rule).is_some());
}

#[test]
fn what_passes_by_itself_is_sent_again_alone_and_not_for_ever() {
    let mut some = items(4);
    refused(&mut some, &[2], "busy");
    let memory = Memory::start(Vec::new());
    let sent = Bench::new(&memory.server.address, SIMPLE).send(&some, &[]);
    assert_eq!(sent.letters(), "aara");
    assert!(matches!(
        sent.of("a0003"),
        Outcome::Rejected {
            transient: true,
            ..
        }
    ));
    let seen = memory.server.seen();
    assert_eq!(seen.len(), 4, "once, and three rounds more");
    for again in &seen[1..] {
        assert_eq!(again.json()["items"].as_array().map(Vec::len), Some(1));
    }
    assert!(memory.writes().values().all(|count| *count == 1));
}

#[test]
fn a_whole_batch_refused_is_refused_with_its_reason() {
    let reply = Reply::json(
        422,
        &json!({ "error": { "code": "SCHEMA", "message": "no such member `v`" } }),
    );
    let memory = Memory::start(vec![Fault::Before(reply)]);
    let text = format!("{SIMPLE}[error]\ncode = \"/error/code\"\nmessage = \"/error/message\"\n");
    let sent = Bench::new(&memory.server.address, &text).send(&items(6), &[]);
    assert_eq!(sent.letters(), "rrrraa");
    assert_eq!(
        sent.of("a0001"),
        &Outcome::Rejected {
            code: "SCHEMA".to_owned(),
            message: "no such member `v`".to_owned(),
            transient: false
        }
    );
}

#[test]
fn a_refusal_of_the_repeated_call_does_not_undo_the_first() {
    let faults = vec![Fault::After(answer(500)), Fault::Before(answer(409))];
    let memory = Memory::start(faults);
    let sent = Bench::new(&memory.server.address, SIMPLE).send(&items(2), &[]);
    assert_eq!(sent.letters(), "uu");
}

#[test]
fn nobody_there_is_held_and_pauses() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    let bench = Bench::new(&closed, &SIMPLE.replace("batch = 4", "batch = 1"));
    let sent = bench.send(&items(200), &[]);
    assert_eq!(sent.letters(), "h".repeat(200));
    let paused = sent.report.paused.expect("paused");
    assert!(paused.contains("5 batches in a row"), "{paused}");
    let Outcome::Held { reason } = &sent.outcomes[0].outcome else {
        panic!("{:?}", sent.outcomes[0])
    };
    assert!(
        reason.ends_with("cannot be reached: nobody answers there (connection refused)"),
        "{reason}"
    );
    assert!(sent.report.calls <= 25, "{}", sent.report.calls);
}

#[test]
fn redirects_take_no_credentials_to_another_host() {
    let trap = Server::start(|_| Reply::json(200, &json!({ "state": "done", "results": [] })));
    let to = format!("{}/trap", trap.address);
    let server = Server::start(move |seen| match seen.method.as_str() {
        "GET" => Reply::json(302, &json!({})).header("Location", &to),
        _ => Reply::json(200, &json!({ "job": "7" })),
    });
    let text = r#"
batch = 10
[secrets.token]
[auth]
kind = "bearer"
token = "{{secrets.token}}"
[[step]]
name = "write"
url = "/batch"
body = "batch"
capture = { job = "/job" }
[[step]]
name = "poll"
method = "GET"
url = "/jobs/{{captures.job}}"
[verdict]
items = "/results"
key = "/id"
"#;
    let mut bench = Bench::new(&server.address, text);
    bench.secret("token", "canary-token-5521");
    let sent = bench.send(&items(2), &[]);
    assert_eq!(sent.letters(), "uu");
    assert_eq!(
        server.seen()[1].header("authorization"),
        "Bearer canary-token-5521"
    );
    let trapped = trap.seen();
    assert_eq!(trapped.len(), 1);
    assert!(
        trapped[0]
            .headers
            .values()
            .all(|value| !value.contains("canary")),
        "{trapped:?}"
    );

    // a call that writes follows no redirect at all
    let trap = Server::start(|_| Reply::json(200, &json!({})));
    let to = trap.address.clone();
    let server = Server::start(move |_| Reply::json(307, &json!({})).header("Location", &to));
    let mut bench = Bench::new(&server.address, text);
    bench.secret("token", "canary-token-5521");
    let sent = bench.send(&items(2), &[]);
    assert_eq!(sent.letters(), "rr");
    assert!(trap.seen().is_empty());
}
