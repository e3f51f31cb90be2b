//! Many events, hostile texts, personal data, restarts, ids that are forgotten in time.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::support::*;
use crate::sync::serve::form::Echo;
use crate::sync::serve::keep::{COMMIT_MAX, IDS_KEPT, Keeper};
use crate::sync::serve::limits::Limits;
use crate::sync::serve::metrics;

#[test]
fn a_burst_of_10_000_events_is_stored_and_shares_commits() {
    const EVENTS: usize = 10_000;
    const SENDERS: usize = 64;
    let server = Server::start(hook("", "trusted = true"), Limits::default());
    // A disk of about 300 syncs a second.
    server
        .shelf
        .with(|kept| kept.delay = Duration::from_millis(3));
    let next = AtomicUsize::new(0);
    let at = crate::clock::now().as_second();
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let mut stream = server.connect();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= EVENTS {
                        break;
                    }
                    let body = one_row(&format!("evt-{number}"), &format!("SKU-{number}"), 1);
                    let headers = signed(body.as_bytes(), at);
                    let bytes = request("POST", "/stock/till", &headers, body.as_bytes(), false);
                    stream.write_all(&bytes).unwrap();
                    assert_eq!(answer(&mut stream).unwrap().status, 200);
                }
            });
        }
    });
    let mut ids: Vec<_> = server
        .shelf
        .events()
        .into_iter()
        .map(|event| event.id)
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), EVENTS);
    let commits = server.shelf.with(|kept| kept.commits);
    // Each commit had several; alone they would have needed as many commits as there are events.
    assert!(commits < EVENTS / 8, "{commits} commits");
    let text = server.get("/metrics").body;
    assert!(
        text.contains("shelfcast_sync_events_total{source=\"till\",what=\"rows\"} 10000"),
        "{text}"
    );
    assert!(!text.contains("SKU-"), "no SKU in figures");
}

#[test]
fn a_commit_is_bounded_and_so_is_the_queue() {
    let shelf = Shelf::default();
    shelf.with(|kept| kept.delay = Duration::from_secs(1));
    let (keeper, thread) = Keeper::start(
        "web",
        Box::new(shelf.clone()),
        COMMIT_MAX + 500,
        Box::new(|_| {}),
    )
    .unwrap();
    let hook = hook("", "");
    let event = |number: usize| {
        let said = hook
            .read(
                &headers(&[]),
                one_row(&number.to_string(), "A", 1).as_bytes(),
                now(),
            )
            .unwrap();
        hook.event_for(&said, &Echo::default(), now()).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let events: Vec<_> = (0..3 * COMMIT_MAX).map(event).collect();
    // All but those in the first commit and those in the queue are turned away.
    let answers: Vec<_> = events.into_iter().map(|event| keeper.keep(event)).collect();
    let kept = runtime.block_on(async {
        let mut kept = 0;
        for answer in answers {
            kept += usize::from(answer.await.is_ok());
        }
        kept
    });
    assert!((COMMIT_MAX + 500..3 * COMMIT_MAX).contains(&kept), "{kept}");
    assert_eq!(shelf.events().len(), kept);
    assert!(shelf.with(|kept| kept.commits) >= 2);
    drop(keeper);
    thread.join().unwrap();
    assert_eq!(
        shelf.with(|kept| kept.forgets),
        1,
        "old ids are forgotten at the start"
    );
    assert!(IDS_KEPT >= Duration::from_secs(7 * 86_400));
}

const PAYLOADS: [&str; 50] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "<body onload=alert(1)>",
    "<a href=\"data:text/html,<script>1</script>\">x</a>",
    "<math><mtext></mtext></math>",
    "<style>@import'//evil.example'</style>",
    "';alert(1)//",
    "\\';alert(1)//",
    "</script><script>alert(1)</script>",
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{%raw%}{{x}}",
    "{{constructor.constructor('return 1')()}}",
    "'; DROP TABLE events; --",
    "1' OR '1'='1",
    "1; SELECT pg_sleep(10)",
    "\" OR \"\"=\"",
    "') UNION SELECT 1,2,3 --",
    "$(touch /tmp/x)",
    "`touch /tmp/x`",
    "| touch /tmp/x",
    "; touch /tmp/x;",
    "&& touch /tmp/x",
    "../../../etc/passwd",
    "..\\..\\windows\\system32",
    "/etc/passwd",
    "file:///etc/passwd",
    "C:\\boot.ini",
    "CON",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(1)",
    "-2+3+cmd|' /C calc'!A0",
    "\u{202e}txt.exe",
    "a\u{200b}b",
    "\u{feff}sku",
    "\u{1F600}",
    "%00",
    "%0d%0aSet-Cookie: a=b",
    "a\r\nSet-Cookie: a=b",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "nul\u{0}byte",
    "tab\there",
];

#[test]
fn hostile_texts_are_texts() {
    let server = Server::start(hook("", "trusted = true"), Limits::default());
    let mut stored = 0;
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let body = serde_json::json!({
            "id": format!("{number}-{payload}"),
            "rows": [{"sku": payload, "location": payload, "on_hand": 1, "sequence": number}],
        });
        let answer = server.post(&body.to_string());
        let control = payload.chars().any(char::is_control);
        assert_eq!(
            answer.status,
            if control { 400 } else { 200 },
            "{payload:?}"
        );
        // What is answered says nothing of what was sent.
        for part in ["script", "alert", "cookie", "touch", "passwd", "\u{1b}"] {
            assert!(
                !answer.body.to_lowercase().contains(part) && !answer.head.contains(part),
                "{}",
                answer.body
            );
        }
        if !control {
            stored += 1;
            let event = server.shelf.events().pop().unwrap();
            assert_eq!(event.observations[0].sku, payload.trim());
        }
    }
    assert_eq!(server.shelf.events().len(), stored);
    for path in ["/metrics", "/health"] {
        let page = server.get(path).body;
        assert!(
            !page.contains("script") && !page.contains("alert"),
            "{page}"
        );
    }
}

#[test]
fn personal_data_is_not_kept() {
    const CANARIES: [&str; 3] = ["Canary Kowalska", "canary@example.org", "5 Canary Street"];
    let order = serde_json::json!({
        "id": 1, "email": CANARIES[1], "sku": "A", "manage_stock": true, "stock_quantity": 3,
        "date_modified_gmt": "2026-11-20T10:00:00",
        "billing": {"name": CANARIES[0], "address_1": CANARIES[2]},
        "event_id": "evt-1",
    })
    .to_string();
    let url = "https://sync.example/stock/till";
    for (webhook, header, parts) in [
        (
            "form = \"shopify\"".to_owned(),
            "x-shopify-hmac-sha256",
            vec![order.as_bytes()],
        ),
        (
            "form = \"woocommerce\"\ntrusted = true".to_owned(),
            "x-wc-webhook-signature",
            vec![order.as_bytes()],
        ),
        (
            format!("form = \"square\"\nurl = \"{url}\""),
            "x-square-hmacsha256-signature",
            vec![url.as_bytes(), order.as_bytes()],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events");
        let server = Server::with(
            hook("", &webhook),
            Limits::default(),
            Shelf::at(&file),
            Echo::default(),
        );
        let headers = [(header, base64(&digest(SECRET, &parts)))];
        assert_eq!(
            server
                .send("POST", "/stock/till", &headers, order.as_bytes())
                .status,
            200,
            "{webhook}"
        );
        let kept = format!(
            "{:?} {}",
            server.shelf.events(),
            std::fs::read_to_string(&file).unwrap()
        );
        for canary in CANARIES {
            assert!(!kept.contains(canary), "{webhook}: {kept}");
        }
    }
}

#[test]
fn a_replay_after_a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events");
    let body = one_row("evt-1", "A", 1);
    for round in 0..3 {
        let server = Server::with(
            hook("", ""),
            Limits::default(),
            Shelf::at(&file),
            Echo::default(),
        );
        assert_eq!(server.post(&body).status, 200);
        assert_eq!(server.shelf.events().len(), usize::from(round == 0));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "evt-1\n");
}

#[test]
fn an_echo_is_answered_like_any_other_and_wakes_nobody() {
    let echo = Echo {
        places: ["2".to_owned()].into(),
        ..Echo::default()
    };
    let server = Server::with(
        hook("", "form = \"shopify\""),
        Limits::default(),
        Shelf::default(),
        echo,
    );
    let send = |place: u32| {
        let body = format!("{{\"inventory_item_id\":1,\"location_id\":{place},\"available\":6}}");
        let headers = [(
            "x-shopify-hmac-sha256",
            base64(&digest(SECRET, &[body.as_bytes()])),
        )];
        let answer = server.send("POST", "/stock/till", &headers, body.as_bytes());
        (answer.status, answer.body)
    };
    assert_eq!(send(2), send(3));
    assert_eq!(server.shelf.events().len(), 1);
    assert_eq!(server.metrics.get(&metrics::EVENTS, &["till", "echo"]), 1.0);
    assert_eq!(server.metrics.get(&metrics::EVENTS, &["till", "hint"]), 1.0);
}

#[test]
fn once_it_stops_nothing_is_taken() {
    let server = Server::start(hook("", ""), Limits::default());
    server.outside.stop();
    let answer = server.post(&one_row("evt-1", "A", 1));
    assert_eq!(answer.status, 503);
    assert!(server.shelf.events().is_empty());
}
