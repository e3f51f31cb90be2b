//! The built-in request channels against servers that answer as their documentation says. The items are those of the
//! golden cases; the manifests are the built-in ones.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::channel;
use crate::channel::manifest::Manifest;

use super::super::memory::{Reply, Seen, Server};
use super::super::outcome::Outcome;
use super::{Bench, Sent};

/// A built-in channel with the settings of its examples, its tokens fetched from the test's server.
fn bench(name: &str, server: &Server) -> Bench {
    let Manifest {
        request,
        settings,
        format,
        ..
    } = channel::load(None, name).expect("a channel").manifest;
    let mut request = request.expect("a request channel");
    if request.auth.kind.fetches_tokens() {
        request.auth.url = Some(format!("{}/auth/token", server.address));
    }
    let secrets: Vec<String> = request.secrets.keys().cloned().collect();
    let mut bench = Bench::of(&server.address, request);
    bench.format = format;
    // a line an item has nothing around it; the other cases say what they have
    bench.head.clear();
    bench.tail.clear();
    bench.settings = settings
        .iter()
        .map(|(name, setting)| {
            let value = setting.example.as_ref().or(setting.default.as_ref());
            let value = value.map(|value| serde_json::to_value(value).expect("a value"));
            (name.clone(), value.unwrap_or(Value::Null))
        })
        .collect();
    for name in secrets {
        bench.secret(&name, &format!("canary-{name}"));
    }
    bench
}

/// Every call must carry this; tokens are handed out.
fn authorized(seen: &Seen, header: &str, value: &str) -> Option<Reply> {
    if seen.path == "/auth/token" {
        return Some(Reply::json(
            200,
            &json!({ "access_token": "canary-access", "token_type": "bearer", "expires_in": 3600 }),
        ));
    }
    (seen.header(header) != value).then(|| Reply::json(401, &json!({})))
}

fn quiet(sent: &Sent) {
    let words = sent.words();
    assert!(!words.contains("canary"), "{words}");
}

/// The items of a golden case by their first bytes, with what stands around them.
fn cut(document: &str, begins: &str, id: impl Fn(&Value) -> String) -> Case {
    let mut head = String::new();
    let mut items: Vec<String> = Vec::new();
    let mut tail = String::new();
    for line in document.split_inclusive('\n') {
        if line.trim_start_matches(',').starts_with(begins) {
            items.push(line.to_owned());
        } else if line.starts_with("]}") {
            tail.push_str(line);
        } else if let Some(item) = items.last_mut() {
            item.push_str(line);
        } else {
            head.push_str(line);
        }
    }
    let items = items
        .into_iter()
        .map(|text| {
            let bare = text.trim().trim_start_matches(',');
            let value =
                serde_json::from_str(bare).unwrap_or_else(|error| panic!("{error}: {text}"));
            (id(&value), text.into_bytes())
        })
        .collect();
    Case {
        head: head.into_bytes(),
        items,
        tail: tail.into_bytes(),
    }
}

struct Case {
    head: Vec<u8>,
    items: Vec<(String, Vec<u8>)>,
    tail: Vec<u8>,
}

fn lines(document: &str) -> Vec<(String, Vec<u8>)> {
    document
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).expect("a line of JSON");
            let id = value["offerId"].as_str().expect("an id").to_owned();
            (id, format!("{line}\n").into_bytes())
        })
        .collect()
}

const GOOGLE: &str = include_str!("../../../tests/golden/google-merchant-api/plain/expected.jsonl");
const META: &str = include_str!("../../../tests/golden/meta-items-batch/plain/expected.json");
const AMAZON: &str = include_str!("../../../tests/golden/amazon-listings/plain/expected.json");

#[test]
fn google_takes_an_item_a_call() {
    let server = Server::start(|seen| {
        if let Some(reply) = authorized(seen, "authorization", "Bearer canary-access") {
            return reply;
        }
        assert_eq!(
            seen.parameter("dataSource").as_deref(),
            Some("accounts/1234567/dataSources/7654321")
        );
        if seen.method == "DELETE" {
            let name = seen
                .path
                .strip_prefix("/products/v1/accounts/1234567/productInputs/")
                .expect("a name");
            return match name {
                // en~DE~OLD/1
                "ZW5-REV-T0xELzE" => Reply::json(200, &json!({})),
                // en~DE~GONE
                "ZW5-REV-R09ORQ" => Reply::json(
                    404,
                    &json!({ "error": { "code": 404, "status": "NOT_FOUND", "message": "no such product input" } }),
                ),
                other => panic!("an unknown name: {other}"),
            };
        }
        assert_eq!(
            seen.path,
            "/products/v1/accounts/1234567/productInputs:insert"
        );
        let input = seen.json();
        if input["offerId"] == "LMP-FLR-02" {
            return Reply::json(
                400,
                &json!({ "error": { "code": 400, "status": "INVALID_ARGUMENT", "message": "[gtins] the GTIN is restricted" } }),
            );
        }
        let name = format!("accounts/1234567/productInputs/en~DE~{}", input["offerId"]);
        Reply::json(
            200,
            &json!({ "name": name, "offerId": input["offerId"], "feedLabel": "DE", "contentLanguage": "en" }),
        )
    });
    let bench = bench("google-merchant-api", &server);
    let items = lines(GOOGLE);
    let sent = bench.send(&items, &["OLD/1", "GONE"]);
    assert_eq!(sent.report.accepted, items.len() as u64 + 1, "{sent:#?}");
    assert_eq!(
        sent.of("LMP-FLR-02"),
        &Outcome::Rejected {
            code: "INVALID_ARGUMENT".to_owned(),
            message: "[gtins] the GTIN is restricted".to_owned(),
            transient: false
        }
    );
    assert_eq!(
        sent.report.calls,
        items.len() as u64 + 2,
        "no more than needed"
    );
    let insert = server
        .seen()
        .into_iter()
        .find(|seen| seen.path.ends_with(":insert"))
        .expect("one");
    let value: Value = serde_json::from_slice(&insert.body).expect("one JSON value");
    assert_eq!(value["productAttributes"]["price"]["currencyCode"], "EUR");
    quiet(&sent);
}

#[test]
fn google_that_answers_about_another_item_is_not_believed() {
    let server = Server::start(|seen| {
        authorized(seen, "authorization", "Bearer canary-access").unwrap_or_else(|| {
            Reply::json(
                200,
                &json!({ "name": "accounts/1/productInputs/x", "offerId": "OTHER" }),
            )
        })
    });
    let sent = bench("google-merchant-api", &server).send(&lines(GOOGLE), &[]);
    assert_eq!(sent.letters(), "uuuu");
}

#[test]
fn google_over_its_quota_waits_and_goes_on() {
    let turns = Arc::new(Mutex::new(0));
    let server = Server::start(move |seen| {
        if let Some(reply) = authorized(seen, "authorization", "Bearer canary-access") {
            return reply;
        }
        let mut turns = turns.lock().expect("turns");
        *turns += 1;
        if *turns == 2 {
            return Reply::json(
                429,
                &json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota" } }),
            );
        }
        Reply::json(200, &json!({ "offerId": seen.json()["offerId"] }))
    });
    let sent = bench("google-merchant-api", &server).send(&lines(GOOGLE), &[]);
    assert_eq!(sent.letters(), "aaaa");
    assert_eq!((sent.report.calls, sent.report.retries), (5, 1));
}

fn meta_case() -> Case {
    cut(META, "{\"method\"", |item| {
        item["data"]["id"].as_str().expect("an id").to_owned()
    })
}

/// Answers as the Graph API does; `status` is what the second and later questions after the batch are told.
fn meta(validation: Value, status: Value) -> (Server, Bench, Case) {
    let questions = Arc::new(Mutex::new(0));
    let server = Server::start(move |seen| {
        if let Some(reply) = authorized(seen, "authorization", "Bearer canary-token") {
            return reply;
        }
        if seen.method == "POST" {
            assert_eq!(seen.path, "/v24.0/123456789012345/items_batch");
            let body = seen.json();
            assert_eq!(body["item_type"], "PRODUCT_ITEM");
            return Reply::json(
                200,
                &json!({ "handles": ["AczHandle-1"], "validation_status": validation }),
            );
        }
        assert_eq!(
            seen.path,
            "/v24.0/123456789012345/check_batch_request_status"
        );
        assert_eq!(seen.parameter("handle").as_deref(), Some("AczHandle-1"));
        let mut questions = questions.lock().expect("questions");
        *questions += 1;
        let data = if *questions == 1 {
            json!({ "handle": "AczHandle-1", "status": "in_progress" })
        } else {
            status.clone()
        };
        Reply::json(200, &json!({ "data": [data] }))
    });
    let case = meta_case();
    let mut bench = bench("meta-items-batch", &server);
    bench.head.clone_from(&case.head);
    bench.tail.clone_from(&case.tail);
    (server, bench, case)
}

#[test]
fn meta_is_asked_until_it_has_finished() {
    let status = json!({
        "handle": "AczHandle-1", "status": "finished", "errors_total_count": 1,
        "errors": [{ "line": 3, "id": "LMP-FLR-02", "message": "the image cannot be fetched" }],
    });
    let validation = json!([
        { "retailer_id": "MUG-STO-01", "errors": [], "warnings": [{ "message": "title in capitals" }] },
        { "retailer_id": "TEA-GRN-100", "errors": [{ "message": "no such category" }] },
    ]);
    let (server, bench, case) = meta(validation, status);
    let sent = bench.send(&case.items, &["OLD-1"]);
    assert_eq!(sent.report.accepted, 3, "{sent:#?}");
    assert!(
        matches!(sent.of("LMP-FLR-02"), Outcome::Rejected { message, .. } if message == "the image cannot be fetched")
    );
    assert!(
        matches!(sent.of("TEA-GRN-100"), Outcome::Rejected { message, .. } if message == "no such category")
    );
    assert_eq!(sent.of("OLD-1"), &Outcome::Accepted);
    assert_eq!(sent.report.calls, 3, "one batch, two questions");
    let body = server.seen()[0].json();
    let requests = body["requests"].as_array().expect("requests");
    assert_eq!(requests.len(), 5);
    assert_eq!(
        requests[4],
        json!({ "method": "DELETE", "data": { "id": "OLD-1" } })
    );
    quiet(&sent);
}

#[test]
fn meta_that_lists_fewer_errors_than_it_counts_proves_nothing() {
    let status = json!({
        "status": "finished", "errors_total_count": 2,
        "errors": [{ "id": "LMP-FLR-02", "message": "no" }],
    });
    let (_server, bench, case) = meta(json!([]), status);
    let sent = bench.send(&case.items, &[]);
    assert_eq!((sent.report.rejected, sent.report.unknown), (1, 3));
}

#[test]
fn meta_throttles_and_ends_tokens_with_400() {
    for (code, calls, words) in [
        (80014, 5, "too many"),
        (190, 1, "does not take the credentials"),
        (200, 1, "blocks it"),
    ] {
        let server = Server::start(move |_| {
            Reply::json(
                400,
                &json!({ "error": { "code": code, "message": "(#code) no", "type": "OAuthException" } }),
            )
        });
        let case = meta_case();
        let mut bench = bench("meta-items-batch", &server);
        bench.head = case.head;
        bench.tail = case.tail;
        let sent = bench.send(&case.items, &[]);
        assert_eq!(sent.letters(), "hhhh", "{code}");
        assert_eq!(sent.report.calls, calls, "{code}");
        let paused = sent.report.paused.as_deref().expect("paused");
        assert!(paused.contains(words), "{paused}");
        quiet(&sent);
    }
}

/// Answers as the Feeds API does.
struct Amazon {
    /// How the feed ends.
    state: &'static str,
    /// What the report says of the messages.
    report: fn(&Value) -> Value,
    packed: bool,
    /// The answer to the feed's creation is lost.
    lost: bool,
}

fn amazon(how: Amazon) -> (Server, Server, Bench, Case) {
    let uploaded: Arc<Mutex<Option<Value>>> = Arc::default();
    let kept = Arc::clone(&uploaded);
    // where documents lie: another host, which must not see the credentials
    let store = Server::start(move |seen| {
        for (name, value) in &seen.headers {
            assert!(!value.contains("canary"), "{name} gives credentials away");
        }
        assert_eq!(seen.parameter("X-Amz-Signature").as_deref(), Some("s1g&n"));
        match (seen.method.as_str(), seen.path.as_str()) {
            ("PUT", "/in/1") => {
                assert_eq!(
                    seen.header("content-type"),
                    "application/json; charset=UTF-8"
                );
                *kept.lock().expect("kept") = Some(seen.json());
                Reply::bytes(200, Vec::new())
            }
            ("GET", "/out/1") => {
                let report = (how.report)(kept.lock().expect("kept").as_ref().expect("uploaded"));
                let mut bytes = report.to_string().into_bytes();
                if how.packed {
                    let mut packer =
                        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                    packer.write_all(&bytes).expect("packed");
                    bytes = packer.finish().expect("packed");
                }
                Reply::bytes(200, bytes)
            }
            other => panic!("{other:?}"),
        }
    });
    let place = store.address.clone();
    let polls = Arc::new(Mutex::new(0));
    let server = Server::start(move |seen| {
        if let Some(reply) = authorized(seen, "x-amz-access-token", "canary-access") {
            return reply;
        }
        match (seen.method.as_str(), seen.path.as_str()) {
            ("POST", "/feeds/2021-06-30/documents") => {
                assert_eq!(
                    seen.json(),
                    json!({ "contentType": "application/json; charset=UTF-8" })
                );
                let url = format!("{place}/in/1?X-Amz-Signature=s1g%26n");
                Reply::json(201, &json!({ "feedDocumentId": "doc-in", "url": url }))
            }
            ("POST", "/feeds/2021-06-30/feeds") => {
                assert_eq!(
                    seen.json(),
                    json!({ "feedType": "JSON_LISTINGS_FEED", "marketplaceIds": ["A1PA6795UKMFR9"], "inputFeedDocumentId": "doc-in" })
                );
                let mut reply = Reply::json(202, &json!({ "feedId": "4711" }));
                reply.cut = how.lost.then_some(40);
                reply
            }
            ("GET", "/feeds/2021-06-30/feeds/4711") => {
                let mut polls = polls.lock().expect("polls");
                *polls += 1;
                Reply::json(
                    200,
                    &match *polls {
                        1 => json!({ "processingStatus": "IN_QUEUE" }),
                        2 => json!({ "processingStatus": "IN_PROGRESS" }),
                        _ => {
                            json!({ "processingStatus": how.state, "resultFeedDocumentId": "doc-out" })
                        }
                    },
                )
            }
            ("GET", "/feeds/2021-06-30/documents/doc-out") => {
                let url = format!("{place}/out/1?X-Amz-Signature=s1g%26n");
                Reply::json(
                    200,
                    &json!({ "feedDocumentId": "doc-out", "url": url, "compressionAlgorithm": "GZIP" }),
                )
            }
            other => panic!("{other:?}"),
        }
    });
    let case = cut(AMAZON, "{\"messageId\"", |item| {
        item["sku"].as_str().expect("a SKU").to_owned()
    });
    let mut bench = bench("amazon-listings", &server);
    bench.head.clone_from(&case.head);
    bench.tail.clone_from(&case.tail);
    (server, store, bench, case)
}

/// The second message is refused, the first has a warning.
fn second_refused(feed: &Value) -> Value {
    let messages = feed["messages"].as_array().expect("messages");
    for (index, message) in messages.iter().enumerate() {
        assert_eq!(message["messageId"], json!(index + 1), "numbered anew");
    }
    json!({
        "header": { "sellerId": "A1EXAMPLE", "version": "2.0", "feedId": "4711" },
        "issues": [
            { "messageId": 2, "code": "90220", "severity": "ERROR", "message": "'brand' is required", "attributeNames": ["brand"] },
            { "messageId": 1, "code": "18027", "severity": "WARNING", "message": "image small" },
        ],
        "summary": {
            "errors": 1, "warnings": 1, "messagesProcessed": messages.len(),
            "messagesAccepted": messages.len() - 1, "messagesInvalid": 1,
        },
    })
}

#[test]
fn amazon_from_document_to_report() {
    for packed in [true, false] {
        let (server, store, bench, mut case) = amazon(Amazon {
            state: "DONE",
            report: second_refused,
            packed,
            lost: false,
        });
        // as a delta: the first item did not change, and the numbers in the feed no longer begin at 1
        let first = case.items.remove(0);
        let sent = bench.send(&case.items, &[first.0.as_str()]);
        let second = case.items[1].0.clone();
        assert_eq!(sent.report.rejected, 1, "{sent:#?}");
        assert_eq!(sent.report.accepted, case.items.len() as u64);
        assert_eq!(
            sent.of(&second),
            &Outcome::Rejected {
                code: "90220".to_owned(),
                message: "'brand' is required".to_owned(),
                transient: false
            }
        );
        let feed = store.seen()[0].json();
        let messages = feed["messages"].as_array().expect("messages");
        assert_eq!(
            messages.last(),
            Some(
                &json!({ "messageId": messages.len(), "sku": first.0, "operationType": "DELETE" })
            )
        );
        assert_eq!(feed["header"]["sellerId"], "A1EXAMPLE");
        // document, upload, feed, three polls, result, report
        assert_eq!(sent.report.calls, 8);
        assert_eq!(server.count("/auth/token"), 1);
        quiet(&sent);
    }
}

#[test]
fn amazon_keeps_the_text_of_prices() {
    let (_server, store, bench, case) = amazon(Amazon {
        state: "DONE",
        report: second_refused,
        packed: false,
        lost: false,
    });
    bench.send(&case.items, &[]);
    let body = String::from_utf8(store.seen()[0].body.clone()).expect("text");
    for price in ["39.90", "120.00"] {
        let text = format!("\"value_with_tax\":{price}");
        assert!(AMAZON.contains(&text) && body.contains(&text), "{body}");
    }
}

#[test]
fn amazon_feeds_that_end_badly() {
    for (state, letter) in [("CANCELLED", 'r'), ("FATAL", 'u')] {
        let (_server, _store, bench, case) = amazon(Amazon {
            state,
            report: second_refused,
            packed: false,
            lost: false,
        });
        let sent = bench.send(&case.items, &[]);
        assert!(
            sent.letters().chars().all(|found| found == letter),
            "{state}: {sent:#?}"
        );
    }
}

#[test]
fn amazon_reports_that_do_not_add_up_prove_nothing() {
    let (_server, _store, bench, case) = amazon(Amazon {
        state: "DONE",
        report: |feed| {
            let mut report = second_refused(feed);
            report["summary"]["messagesProcessed"] = json!(1);
            report
        },
        packed: true,
        lost: false,
    });
    let sent = bench.send(&case.items, &[]);
    assert_eq!(
        sent.report.accepted, 1,
        "only the one with a warning is named"
    );
    assert_eq!(sent.report.rejected, 1);
    assert_eq!(sent.report.unknown, case.items.len() as u64 - 2);
}

#[test]
fn amazon_is_never_given_the_same_feed_twice() {
    let (server, _store, bench, case) = amazon(Amazon {
        state: "DONE",
        report: second_refused,
        packed: false,
        lost: true,
    });
    let sent = bench.send(&case.items, &[]);
    assert_eq!(sent.report.unknown, case.items.len() as u64);
    let feeds = server
        .seen()
        .iter()
        .filter(|seen| seen.path.ends_with("/feeds"))
        .count();
    assert_eq!(feeds, 1);
}
