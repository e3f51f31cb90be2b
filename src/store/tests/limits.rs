//! Pace, Retry-After, pauses, time-outs, deadlines.

use std::time::Duration;

use serde_json::json;

use super::super::account::{RETRIES_FREE, THROTTLES_MAX};
use super::super::memory::{Fault, Memory, Reply, Server, start};
use super::super::pace::Clock;
use super::{Bench, SIMPLE, items};

fn busy(retry_after: Option<&str>) -> Fault {
    let reply = Reply::json(429, &json!({}));
    Fault::Before(match retry_after {
        Some(value) => reply.header("Retry-After", value),
        None => reply,
    })
}

/// The most calls in any window of this length.
fn most(times: &[Duration], window: Duration) -> usize {
    times
        .iter()
        .map(|from| {
            let within = |time: &&Duration| **time >= *from && **time < *from + window;
            times.iter().filter(within).count()
        })
        .max()
        .unwrap_or(0)
}

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    let date = (start() + jiff::SignedDuration::from_secs(90))
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let cases = [
        (Some("30"), 30),
        (Some(date.as_str()), 90),
        // nothing that can be used: never at once
        (None, 1),
        (Some("0"), 1),
        (Some("soon"), 1),
        (Some("Sun, 22 Nov 2026 09:00:00 GMT"), 1),
    ];
    for (value, least) in cases {
        let memory = Memory::start(vec![busy(value)]);
        let bench = Bench::new(&memory.server.address, SIMPLE);
        let sent = bench.send(&items(2), &[]);
        assert_eq!(sent.letters(), "aa", "{value:?}");
        assert_eq!(
            (sent.report.calls, sent.report.retries),
            (2, 1),
            "{value:?}"
        );
        let left = bench.account.left_at();
        let waited = left[1] - left[0];
        assert!(
            waited >= Duration::from_secs(least),
            "{value:?}: {waited:?}"
        );
        assert!(
            waited <= Duration::from_secs(least + 5),
            "{value:?}: {waited:?}"
        );
    }
}

#[test]
fn every_worker_waits_when_one_is_told_to() {
    let faults = (0..6).map(|turn| {
        if turn == 2 {
            busy(Some("60"))
        } else {
            Fault::None
        }
    });
    let memory = Memory::start(faults.collect());
    let text = format!(
        "concurrency = 4\n{}",
        SIMPLE.replace("batch = 4", "batch = 1")
    );
    let bench = Bench::new(&memory.server.address, &text);
    let sent = bench.send(&items(20), &[]);
    assert_eq!(sent.letters(), "a".repeat(20));
    assert_eq!(sent.report.calls, 21);
    let left = bench.account.left_at();
    // calls on their way when it was said cannot be taken back; none left within the pause
    let within = left
        .iter()
        .filter(|time| **time > Duration::ZERO && **time < Duration::from_secs(60))
        .count();
    assert_eq!(within, 0, "{left:?}");
}

#[test]
fn too_many_throttles_pause_the_account_and_the_rest_is_held() {
    let memory = Memory::start(vec![busy(Some("1")); 1000]);
    let bench = Bench::new(&memory.server.address, SIMPLE);
    let sent = bench.send(&items(40), &[]);
    assert_eq!(sent.letters(), "h".repeat(40));
    assert_eq!(sent.report.calls, u64::from(THROTTLES_MAX));
    let paused = sent.report.paused.expect("said");
    assert!(paused.contains("too many"), "{paused}");
    // the account stays paused for whoever shares it
    let again = bench.send(&items(1), &[]);
    assert_eq!((again.letters().as_str(), again.report.calls), ("h", 0));
}

#[test]
fn a_long_wait_is_not_waited_for() {
    let memory = Memory::start(vec![busy(Some("86400"))]);
    let bench = Bench::new(&memory.server.address, SIMPLE);
    let sent = bench.send(&items(8), &[]);
    assert_eq!(sent.letters(), "h".repeat(8));
    assert_eq!(sent.report.calls, 1);
    assert!(sent.report.paused.expect("said").contains("86400 seconds"));
    assert!(bench.clock.now() < Duration::from_secs(60));
}

#[test]
fn a_block_pauses_at_once() {
    for status in [403, 402] {
        let memory = Memory::start(vec![Fault::Before(Reply::json(status, &json!({})))]);
        let bench = Bench::new(&memory.server.address, SIMPLE);
        let sent = bench.send(&items(40), &[]);
        assert_eq!(sent.letters(), "h".repeat(40));
        assert_eq!(sent.report.calls, 1);
        let paused = sent.report.paused.expect("said");
        assert!(paused.contains(&format!("({status})")), "{paused}");
    }
}

#[test]
fn no_window_is_above_the_pace_with_storms_and_workers() {
    let faults = (0..400).map(|turn| match turn % 40 {
        7 => busy(Some("3")),
        19 => Fault::Before(Reply::json(500, &json!({}))),
        _ => Fault::None,
    });
    let memory = Memory::start(faults.collect());
    let text = format!(
        "concurrency = 4\npace = {{ requests = 5, per = \"1s\" }}\n{}",
        SIMPLE.replace("batch = 4", "batch = 1")
    );
    let bench = Bench::new(&memory.server.address, &text);
    let sent = bench.send(&items(300), &[]);
    assert_eq!(sent.letters(), "a".repeat(300));
    let left = bench.account.left_at();
    assert_eq!(left.len() as u64, sent.report.calls);
    assert!(most(&left, Duration::from_secs(1)) <= 5);
    assert!(most(&left, Duration::from_secs(60)) <= 300);
    let needed = 300;
    assert_eq!(sent.report.calls, needed + sent.report.retries);
    assert!(sent.report.retries <= RETRIES_FREE + needed / 10);
}

#[test]
fn retries_have_a_budget_in_all() {
    // every second call fails
    let faults = (0..4000).map(|turn| match turn % 2 {
        0 => Fault::Before(Reply::json(500, &json!({}))),
        _ => Fault::None,
    });
    let memory = Memory::start(faults.collect());
    let bench = Bench::new(
        &memory.server.address,
        &SIMPLE.replace("batch = 4", "batch = 1"),
    );
    let sent = bench.send(&items(400), &[]);
    let (calls, retries) = (sent.report.calls, sent.report.retries);
    assert!(
        retries <= RETRIES_FREE + calls / 10 + 1,
        "{retries} of {calls}"
    );
    assert!(sent.report.unknown + sent.report.held > 0);
    assert!(sent.report.accepted >= RETRIES_FREE);
}

#[test]
fn an_endless_polling_ends() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => Reply::json(200, &json!({ "state": "IN_PROGRESS" })),
        _ => Reply::json(200, &json!({ "job": 7 })),
    });
    let text = r#"
batch = 10
[[step]]
name = "write"
url = "/jobs"
body = "batch"
capture = { job = "/job" }
[[step]]
name = "poll"
method = "GET"
url = "/jobs/{{captures.job}}"
[step.until]
state = "/state"
done = ["DONE"]
failed = ["CANCELLED"]
every = "10s"
longest = "1m"
within = "10m"
[verdict]
items = "/results"
key = "/id"
"#;
    let bench = Bench::new(&server.address, text);
    let sent = bench.send(&items(2), &[]);
    assert_eq!(sent.letters(), "uu");
    assert!(sent.words().contains("`IN_PROGRESS`"), "{}", sent.words());
    assert_eq!(server.seen()[1].path, "/jobs/7");
    let polls = server.seen().len() - 1;
    // 10, 20, 40, 60, 60, … seconds
    assert!((9..=13).contains(&polls), "{polls}");
    assert!(bench.clock.now() <= Duration::from_secs(11 * 60));
}

#[test]
fn a_polled_job_that_was_cancelled_did_nothing() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => Reply::json(200, &json!({ "state": "CANCELLED" })),
        _ => Reply::json(200, &json!({ "job": 7 })),
    });
    let text = "batch = 10\n[[step]]\nname = \"write\"\nurl = \"/jobs\"\nbody = \"batch\"\n[[step]]\nname = \"poll\"\nmethod = \"GET\"\nurl = \"/jobs\"\n[step.until]\nstate = \"/state\"\ndone = [\"DONE\"]\nfailed = [\"CANCELLED\"]\nevery = \"1s\"\nwithin = \"1m\"\n[verdict]\nitems = \"/r\"\n";
    let sent = Bench::new(&server.address, text).send(&items(2), &[]);
    assert_eq!(sent.letters(), "rr");
}

#[test]
fn silence_and_drips_end_by_time_outs() {
    let text = format!(
        "{}[timeouts]\nconnect = \"1s\"\nidle = \"150ms\"\ntotal = \"400ms\"\n",
        SIMPLE.replace("idempotent = true", "idempotent = false")
    );
    for silent in [true, false] {
        let mut reply = Reply::json(200, &json!({}));
        reply.silent = silent;
        reply.drip = !silent;
        let memory = Memory::start(vec![Fault::After(reply)]);
        let sent = Bench::new(&memory.server.address, &text).send(&items(2), &[]);
        assert_eq!(sent.letters(), "uu");
        assert!(sent.words().contains("in time"), "{}", sent.words());
        assert_eq!(sent.report.calls, 1);
    }
}

#[test]
fn after_the_deadline_nothing_leaves() {
    let memory = Memory::start(Vec::new());
    let text = format!("pace = {{ requests = 1, per = \"10s\" }}\n{SIMPLE}");
    let mut bench = Bench::new(&memory.server.address, &text);
    bench.deadline = Some(Duration::from_secs(35));
    let sent = bench.send(&items(40), &[]);
    assert_eq!(
        sent.letters(),
        format!("{}{}", "a".repeat(16), "h".repeat(24))
    );
    assert_eq!(sent.report.calls, 4);
    assert!(sent.words().contains("deadline"));
}

#[test]
fn an_interrupted_run_sends_nothing_more() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    let memory = Memory::start(Vec::new());
    let bench = Bench::new(&memory.server.address, SIMPLE);
    let stop = Arc::new(AtomicBool::new(true));
    let mut sending = bench.sending();
    sending.stop = Some(stop);
    let all = items(8);
    let given = all.iter().map(|(id, bytes)| {
        Ok(super::Item {
            id: id.as_str().into(),
            sku: id.as_str().into(),
            bytes: bytes.as_slice().into(),
            fields: Vec::new(),
        })
    });
    let report = super::send(&sending, given, [], &mut |_| {}).expect("begun");
    assert_eq!((report.held, report.calls), (8, 0));
    assert!(memory.server.seen().is_empty());
}

#[test]
fn an_interruption_ends_long_waits_and_calls_on_their_way() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let stop = Arc::new(AtomicBool::new(false));
    // the first answer asks for ten minutes, and the run is interrupted meanwhile
    let set = Arc::clone(&stop);
    let server = Server::start(move |_| {
        set.store(true, Ordering::Relaxed);
        Reply::json(429, &json!({})).header("Retry-After", "600")
    });
    let bench = Bench::new(&server.address, SIMPLE);
    let mut sending = bench.sending();
    sending.stop = Some(stop);
    let all = items(8);
    let given = all.iter().map(|(id, bytes)| {
        Ok(super::Item {
            id: id.as_str().into(),
            sku: id.as_str().into(),
            bytes: bytes.as_slice().into(),
            fields: Vec::new(),
        })
    });
    let report = super::send(&sending, given, [], &mut |_| {}).expect("begun");
    assert_eq!((report.held, report.calls), (8, 1));
    assert!(bench.clock.now() < Duration::from_secs(600));
}
