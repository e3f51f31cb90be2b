//! A page of words in place of an answer: the login page of a store, the error page of what stands before it. Whatever status
//! it comes with, it is success for no connector.

use serde_json::json;

use super::super::Outcome;
use super::super::transport::Reply;
use super::connectors::{item, open};

/// Names of settings and secrets of all connectors; each takes its own.
const GIVEN: &[(&str, &str)] = &[
    ("shop", "example"),
    ("store_hash", "h4sh"),
    ("account", "123"),
    ("language", "en"),
    ("feed_label", "TH"),
];

/// What a store answers to every call, and what it answers to a login first.
fn told(connector: &str, body: &str) -> Outcome {
    let channel = crate::channel::load(None, &format!("{connector}-stock")).expect("a connector");
    let request = channel.manifest.request.expect("a connector");
    let secrets: Vec<(&str, &str)> = request
        .secrets
        .keys()
        .map(|name| (name.as_str(), "s3cret-s3cret"))
        .collect();
    let settings: Vec<(&str, &str)> = GIVEN
        .iter()
        .copied()
        .filter(|(name, _)| channel.manifest.settings.contains_key(*name))
        .collect();
    let body = body.to_owned();
    let login = json!({ "access_token": "t0ken", "expires_in": 3600 }).to_string();
    let (store, _) = open(connector, &settings, &secrets, move |exchange| {
        let text = String::from_utf8_lossy(&exchange.body);
        let first = text.contains("login(") || exchange.url.path().ends_with("/token");
        let looks = exchange.method.as_str() == "GET";
        let mut reply = match (first, looks) {
            (true, _) => Reply::new(200, login.clone()),
            // what is looked at before the write is there
            (_, true) => Reply::new(
                200,
                json!({ "stock_available": { "id": 1, "id_product": "1", "id_product_attribute": "0",
                    "id_shop": "1", "id_shop_group": "0", "depends_on_stock": "0", "out_of_stock": "2" } })
                .to_string(),
            ),
            _ => Reply::new(200, body.clone()),
        };
        let token = ("vendure-auth-token".to_owned(), "t0ken".to_owned());
        reply.headers.push(token);
        reply
    });
    let mut fields = vec![
        ("remote_id", "1"),
        ("place", "1"),
        ("quantity", "3"),
        ("compare", "2"),
    ];
    if request.resolve.is_some() {
        fields.push(("parent", "0"));
    }
    store.push("k", &[item("A", &fields)]).remove(0)
}

/// All connectors that can be used.
fn connectors() -> Vec<String> {
    crate::channel::built_in_names()
        .into_iter()
        .filter(|name| {
            let channel = crate::channel::load(None, name).expect("a channel");
            let request = channel.manifest.request;
            request.is_some_and(|request| request.levels.is_some())
        })
        .map(|name| name.trim_end_matches("-stock").to_owned())
        .collect()
}

#[test]
fn a_page_of_words_is_success_for_no_connector() {
    let connectors = connectors();
    assert!(connectors.len() >= 11, "{connectors:?}");
    for connector in &connectors {
        for body in [
            "<!doctype html><title>Log in</title>",
            "",
            "OK",
            "[",
            "null",
            "\"ok\"",
            "{}",
            "true",
        ] {
            let outcome = told(connector, body);
            assert!(
                matches!(outcome, Outcome::Unknown { .. }),
                "{connector} takes `{body}` for {outcome:?}"
            );
        }
    }
}
