//! A connection to a store that keeps levels: batches under a given key, levels read back, sessions, points, pages.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::memory::{Reply, Seen, Server};
use super::super::transport::{self, Exchange, Transport, Try, Trying};
use super::super::{Connection, Found, Item, Outcome, Reading};
use super::Bench;

/// A store in the manner of Shopify's inventory.
const LEVELS: &str = r#"
batch = 4
[[step]]
name = "set"
url = "/set"
template = '''{"key":{{json key}},"rows":[{{#each items}}{{#unless @first}},{{/unless}}{"id":{{json remote_id}},"at":{{json place}},"to":{{quantity}},"from":{{#if compare}}{{compare}}{{else}}null{{/if}} }{{/each}}]}'''
[idempotency]
key = "{{uuid batch.digest}}"
[error]
code = "/errors/0/code"
throttled = ["THROTTLED"]
unauthorized = ["FORBIDDEN"]
refused = ["NOT_FOUND"]
broken = ["FAILED"]
[verdict]
items = "/data/errors"
by = "index"
index = "/field/2"
code = "/code"
message = "/message"
atomic = true
stale = ["STALE"]
again = ["UNDER_WAY"]
lost = ["MISMATCH"]
transient = ["PREVIOUS_FAILED"]
[resolve]
url = "/find?page={{page.number}}"
template = '{"skus":[{{#each skus}}{{#unless @first}},{{/unless}}{{json this}}{{/each}}]}'
batch = 10
items = "/found"
sku = "/sku"
id = "/id"
fields = { kind = "/kind" }
unless = ["/second"]
pages = { size = 2, total = "/total" }
[read]
url = "/read?after={{page.cursor}}"
template = '{"ids":[{{#each items}}{{#unless @first}},{{/unless}}{{json remote_id}}{{/each}}]}'
batch = 10
items = "/items"
key = "/id"
levels = "/levels"
place = "/at"
quantity = "/units"
cut = "/cut"
pages = { next = "/next" }
[levels]
compare_and_set = true
key_life = "24h"
places = true
"#;

/// One level to be set: SKU, place, quantity, compare.
type Row<'r> = (&'r str, &'r str, &'r str, Option<&'r str>);

fn item<'r>((sku, place, quantity, compare): Row<'r>) -> Item<'r> {
    let mut fields = vec![
        (Cow::Borrowed("remote_id"), Cow::Owned(format!("r-{sku}"))),
        ("place".into(), place.into()),
        ("quantity".into(), quantity.into()),
    ];
    if let Some(compare) = compare {
        fields.push(("compare".into(), compare.into()));
    }
    Item {
        id: format!("{place}/{sku}").into(),
        sku: sku.into(),
        bytes: Cow::Borrowed(&[]),
        fields,
    }
}

fn open(bench: &Bench) -> Connection {
    Connection::open(&bench.sending()).expect("opened")
}

const THREE: [Row<'static>; 3] = [
    ("a", "x", "0", Some("0")),
    ("b", "x", "7", None),
    ("c", "y", "12", Some("3")),
];

fn three() -> Vec<Item<'static>> {
    THREE.into_iter().map(item).collect()
}

fn letters(outcomes: &[Outcome]) -> String {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Accepted => 'a',
            Outcome::Rejected {
                transient: true, ..
            } => 't',
            Outcome::Rejected { .. } => 'r',
            Outcome::Stale { .. } => 's',
            Outcome::Unknown { .. } => 'u',
            Outcome::Held { .. } => 'h',
        })
        .collect()
}

fn trouble(index: Option<usize>, code: &str) -> Value {
    match index {
        Some(index) => {
            json!({ "field": ["input", "rows", index.to_string(), "to"], "code": code, "message": "no" })
        }
        None => json!({ "field": null, "code": code, "message": "no" }),
    }
}

fn answered(errors: &[Value]) -> Reply {
    Reply::json(200, &json!({ "data": { "errors": errors } }))
}

/// What each of several answers makes of a batch of three, and how many calls it took.
fn pushed(replies: Vec<Reply>) -> (String, Vec<Outcome>, Vec<Seen>) {
    let mut replies = replies.into_iter();
    let server = Server::start(move |_| replies.next().unwrap_or_else(|| answered(&[])));
    let bench = Bench::new(&server.address, LEVELS);
    let outcomes = open(&bench).push("key-1", &three());
    (letters(&outcomes), outcomes, server.seen())
}

#[test]
fn a_batch_is_written_exactly_under_its_key() {
    let (letters, _, seen) = pushed(vec![answered(&[])]);
    assert_eq!(letters, "aaa");
    assert_eq!(
        seen[0].json(),
        json!({ "key": "key-1", "rows": [
            { "id": "r-a", "at": "x", "to": 0, "from": 0 },
            { "id": "r-b", "at": "x", "to": 7, "from": null },
            { "id": "r-c", "at": "y", "to": 12, "from": 3 },
        ] })
    );
    assert_eq!(seen.len(), 1);
}

#[test]
fn what_is_stale_or_refused_holds_the_rest_back() {
    let two = [trouble(Some(1), "STALE"), trouble(Some(2), "INVALID")];
    assert_eq!(pushed(vec![answered(&two)]).0, "hsr");
    assert_eq!(
        pushed(vec![answered(&[trouble(Some(0), "STALE")])]).0,
        "shh"
    );
    let beside = [trouble(Some(0), "INVALID"), trouble(Some(9), "INVALID")];
    assert_eq!(
        pushed(vec![answered(&beside)]).0,
        "rtt",
        "9 is no item of it"
    );
    assert_eq!(pushed(vec![answered(&[json!({ "field": null })])]).0, "uuu");
}

#[test]
fn an_error_of_the_whole_batch_says_what_to_do() {
    let whole = |code: &str| answered(&[trouble(None, code)]);
    assert_eq!(pushed(vec![whole("MISMATCH")]).0, "uuu");
    assert_eq!(pushed(vec![whole("PREVIOUS_FAILED")]).0, "ttt");
    // one of many names none: alone they will tell
    assert_eq!(pushed(vec![whole("INVALID_REASON")]).0, "ttt");
    let (letters, _, seen) = pushed(vec![whole("UNDER_WAY"), whole("UNDER_WAY"), answered(&[])]);
    assert_eq!(letters, "aaa");
    assert_eq!(seen.len(), 3);
    assert!(
        seen.iter().all(|again| again.body == seen[0].body),
        "the same key and bytes"
    );
    let (letters, _, seen) = pushed(vec![whole("UNDER_WAY"); 9]);
    assert_eq!((letters.as_str(), seen.len()), ("uuu", 5));
    let alone = Server::start(move |_| answered(&[trouble(None, "INVALID_REASON")]));
    let bench = Bench::new(&alone.address, LEVELS);
    let outcomes = open(&bench).push("k", &three()[..1]);
    assert_eq!(letters_of_one(&outcomes), 'r');
}

fn letters_of_one(outcomes: &[Outcome]) -> char {
    letters(outcomes).chars().next().expect("one")
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_bytes() {
    let mut cut = answered(&[]);
    cut.cut = Some(20);
    let (letters, _, seen) = pushed(vec![cut, Reply::json(502, &json!({})), answered(&[])]);
    assert_eq!((letters.as_str(), seen.len()), ("aaa", 3));
    assert!(seen.iter().all(|again| again.body == seen[0].body));
    // an answer without the list proves nothing, and is not asked for again
    let (letters, _, seen) = pushed(vec![Reply::json(200, &json!({ "data": null }))]);
    assert_eq!((letters.as_str(), seen.len()), ("uuu", 1));
}

#[test]
fn errors_inside_a_200_count_as_their_codes_say() {
    let error = |code: &str| Reply::json(200, &json!({ "errors": [{ "code": code }] }));
    let (letters, _, seen) = pushed(vec![error("NOT_FOUND")]);
    assert_eq!((letters.as_str(), seen.len()), ("ttt", 1));
    let (letters, _, seen) = pushed(vec![error("FAILED"), answered(&[])]);
    assert_eq!((letters.as_str(), seen.len()), ("aaa", 2));
    let (letters, _, seen) = pushed(vec![error("THROTTLED"), answered(&[])]);
    assert_eq!((letters.as_str(), seen.len()), ("aaa", 2));
    let (letters, _, seen) = pushed(vec![error("STRANGE")]);
    assert_eq!((letters.as_str(), seen.len()), ("uuu", 1));
}

#[test]
fn without_a_key_a_stale_answer_to_a_repeated_call_settles_nothing() {
    let text = LEVELS
        .replace("[idempotency]\nkey = \"{{uuid batch.digest}}\"\n", "")
        .replace("url = \"/set\"", "url = \"/set\"\nidempotent = true");
    let mut replies = vec![
        Reply::json(500, &json!({})),
        answered(&[trouble(Some(0), "STALE")]),
    ]
    .into_iter();
    let server = Server::start(move |_| replies.next().expect("two calls"));
    let bench = Bench::new(&server.address, &text);
    assert_eq!(letters(&open(&bench).push("k", &three())), "uhh");
}

#[test]
fn an_answer_that_shows_another_level_is_not_believed() {
    let text = LEVELS
        .split("[verdict]")
        .next()
        .expect("before it")
        .to_owned()
        + r#"
[verdict]
items = "/set"
key = "/id"
item = "/remote_id"
levels = "/levels"
place = "/at"
quantity = "/units"
[levels]
places = true
"#;
    let server = Server::start(|_| {
        Reply::json(
            200,
            &json!({ "set": [
                { "id": "r-a", "levels": [{ "at": "x", "units": 0 }, { "at": "y", "units": 5 }] },
                { "id": "r-b", "levels": [{ "at": "x", "units": "8" }] },
                { "id": "r-c", "levels": [{ "at": "x", "units": 12 }] },
            ] }),
        )
    });
    let bench = Bench::new(&server.address, &text);
    assert_eq!(letters(&open(&bench).push("k", &three())), "auu");
}

#[test]
fn skus_are_found_strange_or_ambiguous_over_pages() {
    let server = Server::start(|seen| {
        let all = [
            json!({ "sku": "a", "id": 1, "kind": "simple" }),
            json!({ "sku": "twice", "id": 2 }),
            json!({ "sku": "twice", "id": 3 }),
            json!({ "sku": "kit", "id": 4, "second": 5 }),
            json!({ "sku": "A", "id": 6 }),
        ];
        let page: usize = seen.parameter("page").expect("a page").parse().expect("n");
        let found: Vec<_> = all.iter().skip(2 * (page - 1)).take(2).collect();
        Reply::json(200, &json!({ "found": found, "total": 5 }))
    });
    let bench = Bench::new(&server.address, LEVELS);
    let wanted = ["a", "twice", "kit", "none"].map(str::to_owned);
    let found = open(&bench).resolve(&wanted).expect("found");
    let Found::Remote(remote) = &found["a"] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (remote.id.as_str(), remote.fields["kind"].as_str()),
        ("1", "simple")
    );
    assert_eq!(found["twice"], Found::Ambiguous);
    assert_eq!(found["kit"], Found::Stranger);
    assert_eq!(found["none"], Found::Stranger);
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn pages_that_do_not_add_up_are_no_answer() {
    type Pages = fn(usize) -> Value;
    let cases: [(Pages, &str); 4] = [
        (
            |_| json!({ "found": [{ "sku": "a", "id": 1 }, { "sku": "b", "id": 2 }], "total": 5 }),
            "twice",
        ),
        (
            |page| json!({ "found": [{ "sku": "a", "id": page }], "total": if page == 1 { 2 } else { 1 } }),
            "sum",
        ),
        (
            |page| json!({ "found": if page == 1 { json!([{ "sku": "a", "id": 1 }]) } else { json!([]) }, "total": 2 }),
            "sum",
        ),
        (|_| json!({ "found": {} , "total": 1 }), "no list"),
    ];
    for (pages, words) in cases {
        let server = Server::start(move |seen| {
            let page = seen.parameter("page").expect("a page").parse().expect("n");
            Reply::json(200, &pages(page))
        });
        let bench = Bench::new(&server.address, LEVELS);
        let error = open(&bench)
            .resolve(&["a".to_owned()])
            .expect_err("not whole");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn levels_are_read_pair_by_pair() {
    let server = Server::start(|seen| {
        Reply::json(
            200,
            &match seen.parameter("after").as_deref() {
                Some("") => json!({ "next": "c2", "items": [
                    { "id": "r-a", "levels": [{ "at": "x", "units": 0 }, { "at": "y", "units": "4.0000" }] },
                    { "id": "r-b", "levels": [], "cut": true },
                ] }),
                _ => json!({ "next": null, "items": [
                    { "id": "r-c", "levels": [{ "at": "x", "units": 1.5 }, { "at": "y", "units": null }] },
                    null,
                ] }),
            },
        )
    });
    let bench = Bench::new(&server.address, LEVELS);
    let rows: [Row<'_>; 7] = [
        ("a", "x", "1", None),
        ("a", "y", "1", None),
        ("a", "z", "1", None),
        ("b", "x", "1", None),
        ("c", "x", "1", None),
        ("c", "y", "1", None),
        ("d", "x", "1", None),
    ];
    let items: Vec<Item<'_>> = rows.into_iter().map(item).collect();
    let read = open(&bench).read(&items).expect("read");
    assert_eq!(read[0], Reading::Level(0));
    assert_eq!(read[1], Reading::Level(4));
    assert_eq!(read[2], Reading::NotStocked);
    assert!(matches!(&read[3], Reading::Unknown(why) if why.contains("all locations")));
    assert!(matches!(&read[4], Reading::Unknown(why) if why.contains("whole number")));
    assert_eq!(read[5], Reading::NotStocked);
    assert!(matches!(&read[6], Reading::Unknown(why) if why.contains("does not name it")));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_question_that_fails_leaves_its_levels_unknown() {
    let mut first = true;
    let server = Server::start(move |_| match std::mem::take(&mut first) {
        true => Reply::json(404, &json!({})),
        false => Reply::json(
            200,
            &json!({ "items": [{ "id": "r-b", "levels": [{ "at": "x", "units": 3 }] }] }),
        ),
    });
    let bench = Bench::new(
        &server.address,
        &LEVELS.replace(
            "batch = 10\nitems = \"/items\"",
            "batch = 1\nitems = \"/items\"",
        ),
    );
    let read = open(&bench).read(&three()[..2]).expect("read");
    assert!(matches!(&read[0], Reading::Unknown(why) if why.contains("404")));
    assert_eq!(read[1], Reading::Level(3));
}

#[test]
fn a_login_is_made_once_and_once_more_when_its_session_ends() {
    let sessions = Arc::new(Mutex::new(0));
    let count = Arc::clone(&sessions);
    let server = Server::start(move |seen| {
        let mut count = count.lock().expect("a count");
        if seen.path == "/login" {
            assert_eq!(
                seen.json(),
                json!({ "user": "u\"1", "password": "open sesame" })
            );
            *count += 1;
            return Reply::json(200, &json!({ "data": {} }))
                .header("X-Session", &format!("s{count}"));
        }
        // the first session ends after the first write
        if seen.header("authorization") == "Bearer s1" && seen.json()["key"] == "k2" {
            return Reply::json(200, &json!({ "errors": [{ "code": "FORBIDDEN" }] }));
        }
        answered(&[])
    });
    let text = format!(
        "{LEVELS}[secrets.user]\n[secrets.password]\n[auth]\nkind = \"login\"\nurl = \"/login\"\nanswer = \"header:x-session\"\ntemplate = '{{\"user\":{{{{json secrets.user}}}},\"password\":{{{{json secrets.password}}}}}}'\n"
    );
    let mut bench = Bench::new(&server.address, &text);
    bench.secret("user", "u\"1");
    bench.secret("password", "open sesame");
    let store = open(&bench);
    for key in ["k1", "k2", "k3"] {
        assert_eq!(letters(&store.push(key, &three())), "aaa", "{key}");
    }
    assert_eq!(*sessions.lock().expect("a count"), 2);
}

#[test]
fn a_login_that_gives_no_token_pauses_the_account_and_shows_no_secret() {
    let server = Server::start(|_| Reply::json(200, &json!({ "data": {} })));
    let text = format!(
        "{LEVELS}[secrets.password]\n[auth]\nkind = \"login\"\nurl = \"/login\"\nanswer = \"/token\"\ntemplate = '{{{{json secrets.password}}}}'\n"
    );
    let mut bench = Bench::new(&server.address, &text);
    bench.secret("password", "open sesame");
    let store = open(&bench);
    let outcomes = store.push("k", &three());
    assert_eq!(letters(&outcomes), "hhh");
    let words = format!("{outcomes:?}{:?}", store.account().paused());
    assert!(
        words.contains("without a token") && !words.contains("sesame"),
        "{words}"
    );
    store.account().resume();
    assert_eq!(store.account().paused(), None);
}

#[test]
fn a_login_that_is_refused_says_why() {
    let words = "The provided credentials of t0m-s3cret are invalid";
    let server = Server::start(move |_| {
        Reply::json(200, &json!({ "data": { "login": { "message": words } } }))
    });
    let text = format!(
        "{LEVELS}[secrets.password]\n[auth]\nkind = \"login\"\nurl = \"/login\"\nanswer = \"/token\"\nmessage = \"/data/login/message\"\ntemplate = '{{{{json secrets.password}}}}'\n"
    );
    let mut bench = Bench::new(&server.address, &text);
    bench.secret("password", "t0m-s3cret");
    let store = open(&bench);
    store.push("k", &three());
    let paused = store.account().paused().expect("paused");
    assert!(
        paused.ends_with("answered 200: The provided credentials of [redacted] are invalid"),
        "{paused}"
    );
}

/// A transport without a network: what it was given is kept.
#[derive(Debug, Default)]
struct Loop {
    seen: Mutex<Vec<String>>,
}

impl Transport for Loop {
    fn exchange<'a>(&'a self, exchange: &'a Exchange) -> Trying<'a> {
        let mut seen = self.seen.lock().expect("kept");
        seen.push(format!("{exchange:?}"));
        let points = json!({ "available": if seen.len() == 1 { 10 } else { 500 }, "restore": 50, "cost": 110 });
        let body = json!({ "data": { "errors": [] }, "points": points }).to_string();
        let reply = transport::Reply::new(200, body);
        Box::pin(async move { Try::Answer(reply) })
    }
}

#[test]
fn calls_wait_for_their_points_by_the_accounts_clock_over_a_given_transport() {
    let text = format!(
        "{LEVELS}[budget]\navailable = \"/points/available\"\nrestore = \"/points/restore\"\ncost = \"/points/cost\"\n"
    );
    let bench = Bench::new("https://shop.example", &text);
    let world = Arc::new(Loop::default());
    let mut sending = bench.sending();
    sending.transport = Some(Arc::clone(&world) as Arc<dyn Transport>);
    let store = Connection::open(&sending).expect("opened");
    for key in ["k1", "k2", "k3"] {
        assert_eq!(letters(&store.push(key, &three())), "aaa");
    }
    assert_eq!(world.seen.lock().expect("kept").len(), 3);
    assert_eq!(
        world.seen.lock().expect("kept")[0],
        "POST https://shop.example/set"
    );
    // 100 points are missing and 50 come back each second, with a quarter on top
    let left: Vec<f64> = bench
        .account
        .left_at()
        .iter()
        .map(|at| at.as_secs_f64())
        .collect();
    assert!((left[1] - left[0] - 2.5).abs() < 0.01, "{left:?}");
    assert!(left[2] - left[1] < 0.01, "{left:?}");
}
