//! Tokens that end, are refused, and must not be seen.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::super::memory::{Reply, Seen, Server};
use super::{Bench, SIMPLE, items};

fn oauth(server: &str) -> String {
    format!(
        r#"{SIMPLE}
[secrets.id]
[secrets.secret]
[secrets.refresh]
[auth]
kind = "oauth2-refresh"
url = "{server}/token"
client_id = "{{{{secrets.id}}}}"
client_secret = "{{{{secrets.secret}}}}"
refresh_token = "{{{{secrets.refresh}}}}"
"#
    )
}

fn bench(server: &Server, text: &str) -> Bench {
    let mut bench = Bench::new(&server.address, text);
    bench.secret("id", "canary-id-1");
    bench.secret("secret", "canary-secret-2");
    bench.secret("refresh", "canary-refresh-3");
    bench
}

fn accepted(seen: &Seen) -> Reply {
    let results: Vec<_> = seen.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| json!({ "id": item["id"], "status": "ok" }))
        .collect();
    Reply::json(200, &json!({ "results": results }))
}

/// Takes each token for so many calls.
fn shop(calls_a_token: u32, life: u64) -> Server {
    let state = Arc::new(Mutex::new((0_u32, 0_u32)));
    Server::start(move |seen| {
        let mut state = state.lock().expect("state");
        if seen.path == "/token" {
            assert_eq!(
                seen.parameter("grant_type").as_deref(),
                Some("refresh_token")
            );
            assert_eq!(
                seen.parameter("refresh_token").as_deref(),
                Some("canary-refresh-3")
            );
            state.0 += 1;
            state.1 = 0;
            let token = format!("canary-token-{}", state.0);
            return Reply::json(200, &json!({ "access_token": token, "expires_in": life }));
        }
        let wanted = format!("Bearer canary-token-{}", state.0);
        if seen.header("authorization") != wanted || state.1 >= calls_a_token {
            let echo = format!("bad token {}", seen.header("authorization"));
            return Reply::json(401, &json!({ "error": { "message": echo } }));
        }
        state.1 += 1;
        accepted(seen)
    })
}

#[test]
fn one_token_serves_many_calls() {
    let server = shop(1000, 3600);
    let bench = bench(&server, &oauth(&server.address));
    let sent = bench.send(&items(40), &[]);
    assert_eq!(sent.letters(), "a".repeat(40));
    assert_eq!(server.count("/token"), 1);
    assert_eq!(server.count("/batch"), 10);
    // a second sending of the same account needs no new one
    bench.send(&items(4), &[]);
    assert_eq!(server.count("/token"), 1);
}

#[test]
fn a_token_that_ends_in_mid_run_is_fetched_anew() {
    let server = shop(3, 3600);
    let sent = bench(&server, &oauth(&server.address)).send(&items(40), &[]);
    assert_eq!(sent.letters(), "a".repeat(40));
    assert_eq!(server.count("/token"), 4, "one for three calls");
    assert_eq!(server.count("/batch"), 13, "ten, and one refused for each");
}

#[test]
fn a_token_is_not_used_beyond_its_life() {
    let server = shop(1000, 100);
    let text = format!(
        "pace = {{ requests = 1, per = \"30s\" }}\n{}",
        oauth(&server.address)
    );
    let sent = bench(&server, &text).send(&items(40), &[]);
    assert_eq!(sent.letters(), "a".repeat(40));
    // 270 seconds, and half of a short life is kept free
    assert!(server.count("/token") >= 5, "{}", server.count("/token"));
    assert_eq!(server.count("/batch"), 10, "none was refused");
}

#[test]
fn credentials_that_do_not_hold_pause_the_account_without_showing_themselves() {
    let server = shop(0, 3600);
    let text = format!(
        "{}[error]\nmessage = \"/error/message\"\n",
        oauth(&server.address)
    );
    let sent = bench(&server, &text).send(&items(40), &[]);
    assert_eq!(sent.letters(), "h".repeat(40));
    assert_eq!(server.count("/batch"), 2, "once, and once with a new token");
    let words = sent.words();
    assert!(
        words.contains("does not take the credentials (401)"),
        "{words}"
    );
    assert!(words.contains("[redacted]"), "the echo is cleaned: {words}");
    assert!(!words.contains("canary"), "{words}");
}

#[test]
fn no_token_no_call() {
    let server = Server::start(|seen| {
        let said = format!("unknown client {:?}", String::from_utf8_lossy(&seen.body));
        Reply::json(
            400,
            &json!({ "error": "invalid_client", "error_description": said }),
        )
    });
    let sent = bench(&server, &oauth(&server.address)).send(&items(40), &[]);
    assert_eq!(sent.letters(), "h".repeat(40));
    assert_eq!((server.count("/token"), server.count("/batch")), (1, 0));
    let words = sent.words();
    assert!(words.contains("no token could be fetched"), "{words}");
    assert!(!words.contains("canary"), "{words}");
}

#[test]
fn kinds_of_credentials() {
    let cases = [
        (
            "kind = \"bearer\"\ntoken = \"{{secrets.id}}\"",
            "authorization",
            "Bearer canary-id-1",
        ),
        (
            "kind = \"header\"\nheader = \"x-api-key\"\ntoken = \"{{secrets.id}}:{{secrets.secret}}\"",
            "x-api-key",
            "canary-id-1:canary-secret-2",
        ),
        (
            "kind = \"basic\"\nuser = \"{{secrets.id}}\"\npassword = \"{{secrets.secret}}\"",
            "authorization",
            "Basic Y2FuYXJ5LWlkLTE6Y2FuYXJ5LXNlY3JldC0y",
        ),
        (
            "kind = \"query\"\nparameter = \"key\"\ntoken = \"{{secrets.id}}\"",
            "",
            "",
        ),
    ];
    for (auth, header, value) in cases {
        let server = Server::start(accepted);
        let bench = bench(&server, &format!("{SIMPLE}[auth]\n{auth}\n"));
        let sent = bench.send(&items(1), &[]);
        assert_eq!(sent.letters(), "a", "{auth}");
        let seen = &server.seen()[0];
        if header.is_empty() {
            assert_eq!(seen.parameter("key").as_deref(), Some("canary-id-1"));
        } else {
            assert_eq!(seen.header(header), value, "{auth}");
        }
        assert!(!sent.words().contains("canary"), "{auth}");
    }
}

#[test]
fn client_credentials_go_as_the_manifest_says() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => {
            assert_eq!(
                seen.header("authorization"),
                "Basic Y2FuYXJ5LWlkLTE6Y2FuYXJ5LXNlY3JldC0y"
            );
            assert_eq!(
                String::from_utf8_lossy(&seen.body),
                "grant_type=client_credentials&scope=offers+stock"
            );
            Reply::json(
                200,
                &json!({ "access_token": "canary-t", "expires_in": "900" }),
            )
        }
        _ => {
            assert_eq!(seen.header("wm-token"), "canary-t");
            accepted(seen)
        }
    });
    let text = format!(
        "{SIMPLE}[auth]\nkind = \"oauth2-client\"\nurl = \"{}/token\"\nclient = \"basic\"\nclient_id = \"{{{{secrets.id}}}}\"\nclient_secret = \"{{{{secrets.secret}}}}\"\nscope = \"offers stock\"\nheader = \"wm-token\"\nprefix = \"\"\n",
        server.address
    );
    assert_eq!(bench(&server, &text).send(&items(1), &[]).letters(), "a");
}

#[test]
fn a_missing_secret_is_named_before_anything_leaves() {
    let server = shop(10, 3600);
    let bench = Bench::new(&server.address, &oauth(&server.address));
    let error = bench.try_send(&items(1), &[]).expect_err("refused");
    assert!(error.to_string().contains("`id`"), "{error}");
    assert!(server.seen().is_empty());
}
