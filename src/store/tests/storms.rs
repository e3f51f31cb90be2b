//! Long runs: random trouble, a day of storms, feeds that share an account.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::memory::{Fault, Memory, Reply, Server};
use super::super::outcome::Outcome;
use super::super::pace::Clock;
use super::{Bench, SIMPLE, items, refused};

/// Numbers that are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn fault(&mut self) -> Fault {
        let reply = |status| Reply::json(status, &json!({ "results": [] }));
        let outcomes: [fn(&mut Vec<Value>); 4] = [
            |list| list.reverse(),
            |list| drop(list.pop()),
            |list| {
                list.insert(
                    0,
                    json!({ "id": "stranger", "status": "error", "code": "x" }),
                )
            },
            |list| list.push(json!({ "id": "a0001", "status": "error", "code": "x" })),
        ];
        match self.below(20) {
            0 => Fault::Before(reply(500)),
            1 => Fault::After(reply(502)),
            2 => Fault::Before(reply(429).header("Retry-After", "5")),
            3 => Fault::Before(reply(503).header("Retry-After", "2")),
            4 | 5 => Fault::Cut(self.below(200) as usize),
            6 => Fault::Before(reply(422)),
            7 => Fault::Before(reply(409)),
            8 => Fault::After(Reply::bytes(200, b"<html>".to_vec())),
            9 | 10 => Fault::Outcomes(outcomes[self.below(4) as usize]),
            11 if self.below(4) == 0 => Fault::Before(reply(403)),
            _ => Fault::None,
        }
    }
}

#[test]
fn whatever_happens_an_outcome_is_what_the_store_holds() {
    let mut seen = [0_u32; 4];
    for seed in 0..160_u64 {
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
        let once = seed % 2 == 0;
        let text = if once {
            SIMPLE.replace("idempotent = true", "idempotent = false")
        } else {
            SIMPLE.to_owned()
        };
        let text = format!("concurrency = {}\n{text}", 1 + seed % 3);
        let memory = Memory::start((0..60).map(|_| draw.fault()).collect());
        let mut all = items(18);
        refused(&mut all, &[3, 11], "bad");
        refused(&mut all, &[7], "busy");
        let sent = Bench::new(&memory.server.address, &text).send(&all, &[]);
        let writes = memory.writes();
        for outcome in &sent.outcomes {
            let written = writes.get(&outcome.id).copied().unwrap_or(0);
            let place = format!("seed {seed}, {outcome:?}, written {written} times");
            match outcome.outcome {
                Outcome::Accepted => {
                    seen[0] += 1;
                    assert!(written > 0, "{place}");
                }
                Outcome::Rejected { .. } | Outcome::Stale { .. } => {
                    seen[1] += 1;
                    assert_eq!(written, 0, "{place}");
                }
                Outcome::Unknown { .. } => seen[2] += 1,
                Outcome::Held { .. } => {
                    seen[3] += 1;
                    assert_eq!(written, 0, "{place}");
                }
            }
            assert!(!once || written <= 1, "{place}");
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn a_day_of_storms_stays_within_the_pace_and_a_tenth_of_retries() {
    // the shop takes 4 calls in any minute, and none in its storms
    let clock: Arc<Mutex<Option<Arc<dyn Clock>>>> = Arc::default();
    let shops = Arc::clone(&clock);
    let recent: Mutex<VecDeque<Duration>> = Mutex::default();
    let over = Arc::new(Mutex::new(0_u32));
    let counted = Arc::clone(&over);
    let server = Server::start(move |seen| {
        let now = shops.lock().expect("a clock").as_ref().expect("set").now();
        let mut recent = recent.lock().expect("calls");
        while recent
            .front()
            .is_some_and(|first| *first + Duration::from_secs(60) <= now)
        {
            recent.pop_front();
        }
        recent.push_back(now);
        if recent.len() > 4 {
            *counted.lock().expect("a count") += 1;
        }
        let minute = now.as_secs() / 60;
        if minute % 180 == 90 {
            let wait = 60 - now.as_secs() % 60;
            return Reply::json(429, &json!({})).header("Retry-After", &wait.to_string());
        }
        if minute % 47 == 13 && now.as_secs() % 60 < 15 {
            return Reply::json(503, &json!({}));
        }
        let id = seen.json()["items"][0]["id"].clone();
        Reply::json(200, &json!({ "results": [{ "id": id, "status": "ok" }] }))
    });
    let text = format!(
        "pace = {{ requests = 4, per = \"1m\" }}\n{}",
        SIMPLE.replace("batch = 4", "batch = 1")
    );
    let bench = Bench::new(&server.address, &text);
    *clock.lock().expect("a clock") = Some(Arc::clone(&bench.clock) as Arc<dyn Clock>);
    let needed = 4 * 60 * 24;
    let sent = bench.send(&items(needed), &[]);
    assert_eq!(sent.report.accepted, needed as u64, "{:?}", sent.report);
    assert!(bench.clock.now() >= Duration::from_secs(23 * 3600));
    assert_eq!(
        *over.lock().expect("a count"),
        0,
        "never too many in a minute"
    );
    assert!(sent.report.retries > 0);
    assert!(
        sent.report.calls * 10 <= needed as u64 * 11,
        "{:?}",
        sent.report
    );
}

#[test]
fn feeds_that_share_an_account_share_its_pace() {
    let memory = Memory::start(Vec::new());
    let text = format!(
        "pace = {{ requests = 10, per = \"1s\", burst = 3 }}\n{}",
        SIMPLE.replace("batch = 4", "batch = 1")
    );
    let first = Bench::new(&memory.server.address, &text);
    let mut second = Bench::new(&memory.server.address, &text);
    second.account = first.account.clone();
    second.clock = Arc::clone(&first.clock);
    thread::scope(|scope| {
        let other = scope.spawn(|| second.send(&items(100), &[]).letters());
        assert_eq!(first.send(&items(100), &[]).letters(), "a".repeat(100));
        assert_eq!(other.join().expect("sent"), "a".repeat(100));
    });
    let left = first.account.left_at();
    assert_eq!(left.len(), 200);
    for from in &left {
        let until = *from + Duration::from_secs(1);
        let within = left
            .iter()
            .filter(|time| **time >= *from && **time < until)
            .count();
        assert!(within <= 12, "a bucket of 3 that fills by 10 a second");
    }
}
