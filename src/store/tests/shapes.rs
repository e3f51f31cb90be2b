//! Groups, keys, removals, captures, resolving: the shapes that channels and stores have.

use std::collections::HashMap;

use serde_json::json;

use super::super::memory::{Fault, Memory, Reply, Server};
use super::super::outcome::Outcome;
use super::super::{Connection, Found};
use super::{Bench, SIMPLE, items};
use crate::channel::manifest::request::RemoteId;

fn results(seen: &super::super::memory::Seen) -> Reply {
    let list: Vec<_> = seen.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| json!({ "id": item["id"], "status": "ok" }))
        .collect();
    Reply::json(200, &json!({ "results": list }))
}

#[test]
fn groups_go_to_their_own_address() {
    let server = Server::start(results);
    let text = SIMPLE
        .replace("batch = 4", "batch = 3\ngroup_by = \"{{item.parent}}\"")
        .replace("\"/batch\"", "\"/products/{{group}}/batch\"");
    let list: Vec<(String, Vec<u8>)> = (0..8)
        .map(|number| {
            let id = format!("v{number}");
            let parent = ["p/1", "p 2"][number % 2];
            let bytes = format!("{{\"id\":\"{id}\",\"parent\":\"{parent}\"}}");
            (id, bytes.into_bytes())
        })
        .collect();
    let sent = Bench::new(&server.address, &text).send(&list, &[]);
    assert_eq!(sent.letters(), "a".repeat(8));
    let mut paths: Vec<String> = server.seen().iter().map(|seen| seen.path.clone()).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/products/p%202/batch",
            "/products/p%202/batch",
            "/products/p%2F1/batch",
            "/products/p%2F1/batch"
        ]
    );
}

#[test]
fn a_repeated_batch_has_the_same_key_and_another_batch_another() {
    let broken = || Fault::After(Reply::json(500, &json!({})));
    let memory = Memory::start(vec![broken(), broken()]);
    let text = format!(
        "{}[idempotency]\nkey = \"{{{{uuid batch.digest}}}}\"\nheader = \"Idempotency-Key\"\n",
        SIMPLE
            .replace("idempotent = true", "url = \"/b?k={{key}}\"")
            .replace("url = \"/batch\"\n", "")
    );
    let sent = Bench::new(&memory.server.address, &text).send(&items(8), &[]);
    assert_eq!(sent.letters(), "a".repeat(8));
    let seen = memory.server.seen();
    let keys: Vec<&str> = seen
        .iter()
        .map(|seen| seen.header("idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0].len() == 36 && keys[0] == keys[1] && keys[1] == keys[2]);
    assert_ne!(keys[2], keys[3]);
    for seen in &seen {
        assert_eq!(
            seen.parameter("k").as_deref(),
            Some(seen.header("idempotency-key"))
        );
    }
}

#[test]
fn removals_in_the_batch_and_by_steps_of_their_own() {
    let memory = Memory::start(Vec::new());
    let text =
        format!("{SIMPLE}[delete]\nitem = '{{\"id\":{{{{json item.id}}}},\"gone\":true}}'\n");
    let sent = Bench::new(&memory.server.address, &text).send(&items(2), &["b\"1", "b2"]);
    assert_eq!(sent.letters(), "aaaa");
    let seen = memory.server.seen();
    assert_eq!(seen.len(), 1, "they fill one batch");
    assert_eq!(
        seen[0].json()["items"][2],
        json!({ "id": "b\"1", "gone": true })
    );
    assert!(
        sent.outcomes
            .iter()
            .filter(|outcome| outcome.removed)
            .count()
            == 2
    );

    let server = Server::start(|seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("DELETE", "/items/b%2F1") => Reply::bytes(204, Vec::new()),
        ("DELETE", "/items/gone") => Reply::json(404, &json!({})),
        ("DELETE", _) => Reply::json(409, &json!({})),
        _ => results(seen),
    });
    let text = format!(
        "{SIMPLE}[[delete.step]]\nname = \"delete\"\nmethod = \"DELETE\"\nurl = \"/items/{{{{item.id}}}}\"\nexpect = [204, 404]\n[delete.verdict]\nby = \"status\"\n"
    );
    let sent = Bench::new(&server.address, &text).send(&items(2), &["b/1", "gone", "kept"]);
    assert_eq!(sent.letters(), "aaaar");
    assert_eq!(server.count("/items"), 3);

    let memory = Memory::start(Vec::new());
    let sent = Bench::new(&memory.server.address, SIMPLE).send(&items(1), &["b1"]);
    assert_eq!(sent.letters(), "ah");
}

#[test]
fn without_a_verdict_nothing_is_known() {
    let memory = Memory::start(Vec::new());
    let text = SIMPLE.split("[verdict]").next().expect("steps");
    let sent = Bench::new(&memory.server.address, text).send(&items(2), &[]);
    assert_eq!(sent.letters(), "uu");
}

#[test]
fn an_item_too_large_harms_only_itself() {
    let memory = Memory::start(Vec::new());
    let text = SIMPLE.replace("batch = 4", "batch = { items = 4, bytes = \"80 B\" }");
    let mut list = items(3);
    list[1].1 = format!("{{\"id\":\"a0002\",\"v\":\"{}\"}}", "x".repeat(90)).into_bytes();
    let sent = Bench::new(&memory.server.address, &text).send(&list, &[]);
    assert_eq!(sent.letters(), "ara");
    assert!(matches!(sent.of("a0002"), Outcome::Rejected { code, .. } if code == "too-large"));
    for seen in memory.server.seen() {
        assert!(seen.body.len() <= 80);
    }
}

#[test]
fn a_step_that_changes_nothing_fails_without_harm() {
    // the upload is not there yet when the first step fails: nothing left, nothing unknown
    for status in [400, 500] {
        let server = Server::start(move |seen| match seen.path.as_str() {
            "/prepare" => Reply::json(status, &json!({})),
            _ => results(seen),
        });
        let text = SIMPLE.replacen(
            "[[step]]",
            "[[step]]\nname = \"prepare\"\nurl = \"/prepare\"\ntemplate = '{\"n\":{{batch.items}}}'\neffect = false\ncapture = { to = \"/to\" }\n[[step]]",
            1,
        );
        let sent = Bench::new(&server.address, &text).send(&items(2), &[]);
        assert_eq!(sent.letters(), "hh", "{status}");
        assert_eq!(server.count("/batch"), 0);
        assert_eq!(server.seen()[0].json(), json!({ "n": 2 }));
    }
}

#[test]
fn a_capture_that_is_missing_after_the_effect_leaves_it_unknown() {
    let server = Server::start(|_| Reply::json(200, &json!({ "other": 1 })));
    let text = SIMPLE.replace(
        "body = \"batch\"",
        "body = \"batch\"\ncapture = { job = \"/job\" }",
    );
    let sent = Bench::new(&server.address, &text).send(&items(2), &[]);
    assert_eq!(sent.letters(), "uu");
    assert!(sent.words().contains("`/job`"));
}

#[test]
fn an_answer_may_not_lead_inside_or_to_an_unprotected_place() {
    let server = Server::start(|_| Reply::json(200, &json!({ "to": "http://outside.example/up" })));
    let text = SIMPLE.replacen(
        "[[step]]",
        "[[step]]\nname = \"prepare\"\nurl = \"/prepare\"\neffect = false\ncapture = { to = \"/to\" }\n[[step]]",
        1,
    );
    let text = text.replace("\"/batch\"", "\"{{captures.to}}\"");
    let sent = Bench::new(&server.address, &text).send(&items(1), &[]);
    assert_eq!(sent.letters(), "h");
    assert!(sent.words().contains("unprotected"), "{}", sent.words());
}

#[test]
fn skus_become_remote_ids_once() {
    let server = Server::start(|seen| {
        let list: Vec<_> = seen.json()["skus"]
            .as_array()
            .expect("skus")
            .iter()
            .filter(|sku| *sku != "unknown")
            .flat_map(|sku| {
                let sku = sku.as_str().expect("text");
                [
                    json!({ "sku": sku, "id": sku.len(), "parent": { "id": "p" } }),
                    json!({ "sku": format!("{sku}-alike"), "id": 99 }),
                ]
            })
            .collect();
        Reply::json(200, &json!({ "data": list }))
    });
    let text = format!(
        "{SIMPLE}[resolve]\nurl = \"/find\"\ntemplate = '{{\"skus\":[{{{{#each skus}}}}{{{{#unless @first}}}},{{{{/unless}}}}{{{{json this}}}}{{{{/each}}}}]}}'\nbatch = 2\nitems = \"/data\"\nsku = \"/sku\"\nid = \"/id\"\nfields = {{ parent = \"/parent/id\" }}\n"
    );
    let bench = Bench::new(&server.address, &text);
    let store = Connection::open(&bench.sending()).expect("opened");
    let wanted = ["a", "bb", "unknown", "bb"].map(str::to_owned);
    let found = store.resolve(&wanted).expect("found");
    assert_eq!(found.len(), 3);
    assert_eq!(found["unknown"], Found::Stranger);
    assert_eq!(server.seen().len(), 2, "each SKU is asked for once");
    let known: HashMap<String, RemoteId> = found
        .into_iter()
        .filter_map(|(sku, found)| match found {
            Found::Remote(remote) => Some((sku, remote)),
            Found::Stranger | Found::Ambiguous => None,
        })
        .collect();
    assert_eq!(known["bb"].id, "2");
    assert_eq!(known["bb"].fields["parent"], "p");

    // and the engine's templates see them
    let server = Server::start(results);
    let text = SIMPLE
        .replace("batch = 4", "batch = 1")
        .replace("\"/batch\"", "\"/v/{{item.parent}}/{{item.remote_id}}\"");
    let bench = Bench::new(&server.address, &text);
    let mut sending = bench.sending();
    sending.remote = Some(&known);
    let item = super::Item {
        id: "bb".into(),
        sku: "bb".into(),
        bytes: br#"{"id":"bb"}"#.as_slice().into(),
        fields: Vec::new(),
    };
    let report = super::send(&sending, [Ok(item)], [], &mut |_| {}).expect("sent");
    assert_eq!(report.accepted, 1);
    assert_eq!(server.seen()[0].path, "/v/p/2");
}

#[test]
fn items_that_cannot_be_read_end_the_sending() {
    let memory = Memory::start(Vec::new());
    let bench = Bench::new(
        &memory.server.address,
        &SIMPLE.replace("batch = 4", "batch = 1"),
    );
    let list = items(2);
    let given = list
        .iter()
        .map(|(id, bytes)| {
            Ok(super::Item {
                id: id.as_str().into(),
                sku: "".into(),
                bytes: bytes.as_slice().into(),
                fields: Vec::new(),
            })
        })
        .chain([Err(std::io::Error::other("disk"))]);
    let mut told = 0;
    let error = super::send(&bench.sending(), given, [], &mut |_| told += 1).expect_err("ended");
    assert!(error.to_string().contains("disk"));
    assert_eq!(told, 2);
}
