//! The built-in connectors over a scripted transport: what they write, byte for byte where that matters, and what they make of
//! the answers that each store's description gives.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::channel::Channel;

use super::super::transport::{Exchange, Reply, Transport, Try, Trying};
use super::super::{Connection, Found, Item, Outcome, Reading};
use super::Bench;

type Answering = Box<dyn FnMut(&Exchange) -> Reply + Send>;

/// A store that answers as a function says; every call is kept.
pub(super) struct Script {
    answering: Mutex<Answering>,
    seen: Mutex<Vec<Exchange>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Transport for Script {
    fn exchange<'a>(&'a self, exchange: &'a Exchange) -> Trying<'a> {
        self.seen.lock().expect("kept").push(exchange.clone());
        let reply = (self.answering.lock().expect("a script"))(exchange);
        Box::pin(async move { Try::Answer(reply) })
    }
}

impl Script {
    pub(super) fn json(&self, index: usize) -> Value {
        let seen = self.seen.lock().expect("kept");
        serde_json::from_slice(&seen[index].body).expect("a JSON body")
    }

    pub(super) fn call(&self, index: usize) -> String {
        let seen = self.seen.lock().expect("kept");
        format!("{} {}", seen[index].method.as_str(), seen[index].url)
    }

    /// The body of a call, as it was sent.
    pub(super) fn body(&self, index: usize) -> String {
        let seen = self.seen.lock().expect("kept");
        String::from_utf8(seen[index].body.clone()).expect("text")
    }

    /// How many calls there were.
    pub(super) fn calls(&self) -> usize {
        self.seen.lock().expect("kept").len()
    }

    pub(super) fn header(&self, index: usize, name: &str) -> Option<String> {
        let seen = self.seen.lock().expect("kept");
        let mut headers = seen[index].headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    }
}

/// A connector opened on a script.
pub(super) fn open(
    connector: &str,
    settings: &[(&str, &str)],
    secrets: &[(&str, &str)],
    answering: impl FnMut(&Exchange) -> Reply + Send + 'static,
) -> (Connection, Arc<Script>) {
    let Channel { manifest, .. } =
        crate::channel::load(None, &format!("{connector}-stock")).expect("a connector");
    let given = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), toml::Value::String((*value).to_owned())))
        .collect();
    let request = manifest.request.clone().expect("a connector");
    let own = request.url.is_some();
    let mut bench = Bench::of("https://shop.example", request);
    bench.settings = super::super::request::settings(&manifest, &given);
    for (name, value) in secrets {
        bench.secret(name, value);
    }
    let script = Arc::new(Script {
        answering: Mutex::new(Box::new(answering)),
        seen: Mutex::default(),
    });
    let mut sending = bench.sending();
    if own {
        sending.url = None;
    }
    sending.transport = Some(Arc::clone(&script) as Arc<dyn Transport>);
    (Connection::open(&sending).expect("opened"), script)
}

pub(super) fn item<'i>(sku: &'i str, fields: &[(&'i str, &'i str)]) -> Item<'i> {
    Item {
        id: Cow::Borrowed(sku),
        sku: Cow::Borrowed(sku),
        bytes: Cow::Borrowed(&[]),
        fields: fields
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value)))
            .collect(),
    }
}

pub(super) fn json(value: &Value) -> Reply {
    Reply::new(200, value.to_string())
}

fn refused(outcome: &Outcome, wanted: &str) {
    let Outcome::Rejected { code, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(code, wanted);
}

#[test]
fn shopify_sets_with_key_and_compare_value() {
    let answer = json!({ "data": { "inventorySetQuantities": { "inventoryAdjustmentGroup": null, "userErrors": [
        { "code": "CHANGE_FROM_QUANTITY_STALE", "field": ["input", "quantities", "1", "changeFromQuantity"], "message": "stale" },
    ] } }, "extensions": { "cost": { "requestedQueryCost": 10, "throttleStatus": { "currentlyAvailable": 990, "restoreRate": 50 } } } });
    let (store, script) = open(
        "shopify",
        &[("shop", "example")],
        &[("token", "shpat_1")],
        move |_| json(&answer),
    );
    let fields = |id, quantity, compare| {
        [
            ("remote_id", id),
            ("place", "gid://shopify/Location/2"),
            ("quantity", quantity),
            ("compare", compare),
        ]
    };
    let outcomes = store.push(
        "3f0a",
        &[
            item("A", &fields("gid://shopify/InventoryItem/1", "0", "0")),
            item("B", &fields("gid://shopify/InventoryItem/2", "7", "9")),
            item("C", &fields("gid://shopify/InventoryItem/3", "1", "2")[..3]),
        ],
    );
    assert!(matches!(outcomes[0], Outcome::Held { .. }), "{outcomes:?}");
    assert!(
        matches!(&outcomes[1], Outcome::Stale { code, .. } if code == "CHANGE_FROM_QUANTITY_STALE")
    );
    assert!(matches!(outcomes[2], Outcome::Held { .. }));
    assert_eq!(
        script.call(0),
        "POST https://example.myshopify.com/admin/api/2026-04/graphql.json"
    );
    assert_eq!(
        script.header(0, "x-shopify-access-token").as_deref(),
        Some("shpat_1")
    );
    let body = script.json(0);
    assert!(
        body["query"]
            .as_str()
            .expect("a query")
            .contains("@idempotent(key: $key)")
    );
    assert_eq!(body["variables"]["key"], "3f0a");
    assert_eq!(
        body["variables"]["input"]["quantities"],
        json!([
            { "inventoryItemId": "gid://shopify/InventoryItem/1", "locationId": "gid://shopify/Location/2", "quantity": 0, "changeFromQuantity": 0 },
            { "inventoryItemId": "gid://shopify/InventoryItem/2", "locationId": "gid://shopify/Location/2", "quantity": 7, "changeFromQuantity": 9 },
            { "inventoryItemId": "gid://shopify/InventoryItem/3", "locationId": "gid://shopify/Location/2", "quantity": 1, "changeFromQuantity": null },
        ])
    );
}

#[test]
fn shopify_finds_items_and_reads_levels() {
    let (store, script) = open(
        "shopify",
        &[("shop", "example")],
        &[("token", "shpat_1")],
        |exchange| {
            let body: Value = serde_json::from_slice(&exchange.body).expect("JSON");
            json(&match body["variables"].get("ids") {
                Some(_) => json!({ "data": { "nodes": [
                { "id": "i1", "inventoryLevel": { "quantities": [{ "quantity": 4 }] } },
                { "id": "i2", "inventoryLevel": null },
                null,
            ] } }),
                None if body["variables"]["after"].is_null() => {
                    json!({ "data": { "productVariants": {
                "nodes": [{ "sku": "A", "inventoryItem": { "id": "i1" } }, { "sku": "a", "inventoryItem": { "id": "i9" } }],
                "pageInfo": { "hasNextPage": true, "endCursor": "c1" } } } })
                }
                None => json!({ "data": { "productVariants": { "nodes": [
                { "sku": "B\"", "inventoryItem": { "id": "i2" } }, { "sku": "B\"", "inventoryItem": { "id": "i3" } } ],
                "pageInfo": { "hasNextPage": false, "endCursor": "c2" } } } }),
            })
        },
    );
    let found = store
        .resolve(&["A", "B\"", "C"].map(str::to_owned))
        .expect("found");
    assert!(matches!(&found["A"], Found::Remote(remote) if remote.id == "i1"));
    assert_eq!(found["B\""], Found::Ambiguous);
    assert_eq!(found["C"], Found::Stranger);
    assert_eq!(
        script.json(0)["variables"]["query"],
        "sku:\"A\" OR sku:\"B\"\" OR sku:\"C\""
    );
    assert_eq!(script.json(1)["variables"]["after"], "c1");
    let at = |id| [("remote_id", id), ("place", "l1")];
    let read = store
        .read(&[
            item("A", &at("i1")),
            item("B", &at("i2")),
            item("C", &at("i3")),
        ])
        .expect("read");
    assert_eq!(read[..2], [Reading::Level(4), Reading::NotStocked]);
    assert!(matches!(read[2], Reading::Unknown(_)));
    assert_eq!(script.json(2)["variables"]["place"], "l1");
}

#[test]
fn woocommerce_writes_products_and_variations_each_to_their_address() {
    let (store, script) = open(
        "woocommerce",
        &[],
        &[("consumer_key", "ck_1"), ("consumer_secret", "cs_1")],
        |exchange| {
            if exchange.url.path() == "/wp-json/wc/v3/products" {
                let mut reply = json(&json!([
                    { "id": 7, "sku": "A", "parent_id": 0, "type": "simple", "stock_quantity": 3 },
                    { "id": 8, "sku": "B", "parent_id": 5, "type": "variation", "stock_quantity": null },
                ]));
                reply
                    .headers
                    .push(("X-WP-Total".to_owned(), "2".to_owned()));
                return reply;
            }
            json(&json!({ "update": [
            { "id": 7, "stock_quantity": 2 },
            { "id": 9, "error": { "code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": { "status": 400 } } },
            { "id": 10, "stock_quantity": null },
        ] }))
        },
    );
    let found = store
        .resolve(&["A".to_owned(), "B".to_owned()])
        .expect("found");
    let Found::Remote(variation) = &found["B"] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (variation.id.as_str(), variation.fields["parent"].as_str()),
        ("8", "5")
    );
    let fields = |id, parent| [("remote_id", id), ("parent", parent), ("quantity", "2")];
    let simple = [
        item("A", &fields("7", "0")),
        item("N", &fields("9", "0")),
        item("O", &fields("10", "0")),
    ];
    let variation = [item("B", &fields("8", "5"))];
    assert_ne!(store.group(&simple[0]), store.group(&variation[0]));
    let outcomes = store.push("k", &simple);
    assert_eq!(outcomes[0], Outcome::Accepted);
    refused(&outcomes[1], "woocommerce_rest_product_invalid_id");
    // its stock is not managed there: nothing was set
    assert!(matches!(outcomes[2], Outcome::Unknown { .. }));
    store.push("k2", &variation);
    assert_eq!(
        script.call(1),
        "POST https://shop.example/wp-json/wc/v3/products/batch"
    );
    assert_eq!(
        script.call(2),
        "POST https://shop.example/wp-json/wc/v3/products/5/variations/batch"
    );
    assert_eq!(
        script.json(2),
        json!({ "update": [{ "id": 8, "stock_quantity": 2 }] })
    );
    assert_eq!(
        script.header(1, "authorization").as_deref(),
        Some("Basic Y2tfMTpjc18x")
    );
    let read = store
        .read(&[
            item("A", &[("remote_id", "7")]),
            item("B", &[("remote_id", "8")]),
        ])
        .expect("read");
    assert_eq!(read, [Reading::Level(3), Reading::NotStocked]);
}

#[test]
fn magento_sets_source_items_and_keeps_zero_out_of_stock() {
    let (store, script) = open(
        "magento",
        &[],
        &[("token", "t0ken")],
        |exchange| match exchange.url.query() {
            None => json(&json!([])),
            Some(_) => json(
                &json!({ "items": [{ "sku": "A", "source_code": "hh", "quantity": 4, "status": 1 }], "total_count": 1 }),
            ),
        },
    );
    let at = |quantity, place| [("remote_id", "A"), ("place", place), ("quantity", quantity)];
    let items = [item("A", &at("0", "hh")), item("A", &at("3", "b"))];
    assert_eq!(
        store.push("k", &items),
        [Outcome::Accepted, Outcome::Accepted]
    );
    assert_eq!(
        script.call(0),
        "POST https://shop.example/rest/all/V1/inventory/source-items"
    );
    assert_eq!(
        script.json(0),
        json!({ "sourceItems": [
            { "sku": "A", "source_code": "hh", "quantity": 0, "status": 0 },
            { "sku": "A", "source_code": "b", "quantity": 3, "status": 1 },
        ] })
    );
    assert_eq!(
        store.read(&items).expect("read"),
        [Reading::Level(4), Reading::NotStocked]
    );
    let (store, _) = open("magento", &[], &[("token", "t0ken")], |_| {
        Reply::new(400, json!({ "message": "no %1" }).to_string())
    });
    let alone = store.push("k", &items[..1]);
    assert!(
        matches!(&alone[0], Outcome::Rejected { transient: false, message, .. } if message == "no %1")
    );
}

#[test]
fn http_json_is_an_example_that_works() {
    let (store, script) = open(
        "http-json",
        &[],
        &[("token", "t0ken")],
        |exchange| match exchange.url.query() {
            None => json(&json!({ "results": [
            { "sku": "A", "location": "x", "status": "ok" },
            { "sku": "A", "location": "y", "status": "error", "code": "conflict", "message": "has 5" },
            { "sku": "B", "location": "x", "status": "error", "code": "busy" },
        ] })),
            Some(_) => json(
                &json!({ "levels": [{ "sku": "A", "location": "x", "quantity": 2 }], "total": 1 }),
            ),
        },
    );
    let at = |place| [("place", place), ("quantity", "2"), ("compare", "1")];
    let items = [
        item("A", &at("x")),
        item("A", &at("y")),
        item("B", &at("x")),
        item("C", &at("x")),
    ];
    let outcomes = store.push("key-9", &items);
    assert_eq!(outcomes[0], Outcome::Accepted);
    assert!(matches!(&outcomes[1], Outcome::Stale { message, .. } if message == "has 5"));
    assert!(matches!(
        outcomes[2],
        Outcome::Rejected {
            transient: true,
            ..
        }
    ));
    assert!(matches!(outcomes[3], Outcome::Unknown { .. }));
    assert_eq!(
        script.header(0, "idempotency-key").as_deref(),
        Some("key-9")
    );
    assert_eq!(script.call(0), "POST https://shop.example/stock");
    let read = store.read(&items[..2]).expect("read");
    assert_eq!(read, [Reading::Level(2), Reading::NotStocked]);
    assert_eq!(
        script.call(1),
        "GET https://shop.example/stock?skus=A,A&offset=0"
    );
}

#[test]
fn bigcommerce_adjusts_one_location_at_a_time() {
    let (store, script) = open(
        "bigcommerce",
        &[("store_hash", "h4sh")],
        &[("token", "t0ken")],
        |exchange| match exchange.method.as_str() {
            "PUT" => json(&json!({ "transaction_id": "t1" })),
            _ => json(
                &json!({ "data": [{ "identity": { "sku": "A" }, "locations": [{ "location_id": 1, "total_inventory_onhand": 6 }] }],
            "meta": { "pagination": { "total": 1 } } }),
            ),
        },
    );
    let items = [
        item("A", &[("place", "1"), ("quantity", "6")]),
        item("B", &[("place", "1"), ("quantity", "0")]),
    ];
    assert_eq!(
        store.push("k", &items),
        [Outcome::Accepted, Outcome::Accepted]
    );
    assert_eq!(
        script.call(0),
        "PUT https://api.bigcommerce.com/stores/h4sh/v3/inventory/adjustments/absolute"
    );
    assert_eq!(script.header(0, "x-auth-token").as_deref(), Some("t0ken"));
    assert_eq!(
        script.json(0)["items"][1],
        json!({ "location_id": 1, "sku": "B", "quantity": 0 })
    );
    assert_ne!(
        store.group(&items[0]),
        store.group(&item("A", &[("place", "2")]))
    );
    let read = store.read(&items).expect("read");
    assert_eq!(read[0], Reading::Level(6));
    assert!(matches!(read[1], Reading::Unknown(_)));
}

#[test]
fn square_counts_by_hand_under_a_key() {
    let (store, script) = open(
        "square",
        &[],
        &[("token", "t0ken")],
        |exchange| match exchange.url.path() {
            "/v2/catalog/search" => {
                json(&json!({ "objects": [{ "id": "V1", "item_variation_data": { "sku": "A" } }] }))
            }
            "/v2/inventory/counts/batch-retrieve" => json(&json!({})),
            _ => json(
                &json!({ "counts": [{ "catalog_object_id": "V1", "location_id": "L", "state": "IN_STOCK", "quantity": "7" }] }),
            ),
        },
    );
    let found = store
        .resolve(&["A".to_owned(), "B".to_owned()])
        .expect("found");
    assert!(matches!(&found["A"], Found::Remote(remote) if remote.id == "V1"));
    assert_eq!(found["B"], Found::Stranger);
    let items = [item(
        "A",
        &[("remote_id", "V1"), ("place", "L"), ("quantity", "7")],
    )];
    assert_eq!(store.push("key-5", &items), [Outcome::Accepted]);
    let body = script.json(1);
    assert_eq!(body["idempotency_key"], "key-5");
    assert_eq!(
        body["changes"][0]["physical_count"],
        json!({ "catalog_object_id": "V1", "state": "IN_STOCK", "location_id": "L", "quantity": "7", "occurred_at": "2026-11-22T10:00:00Z" })
    );
    assert_eq!(store.read(&items).expect("read"), [Reading::NotStocked]);
    let (store, _) = open("square", &[], &[("token", "t0ken")], |_| {
        Reply::new(400, json!({ "errors": [{ "category": "INVALID_REQUEST_ERROR", "code": "IDEMPOTENCY_KEY_REUSED" }] }).to_string())
    });
    assert!(matches!(
        store.push("key-5", &items)[0],
        Outcome::Unknown { .. }
    ));
}

#[test]
fn google_takes_local_inventory_one_at_a_time() {
    let (store, script) = open(
        "google-local",
        &[("account", "12"), ("language", "en"), ("feed_label", "US")],
        &[
            ("client_id", "id1234"),
            ("client_secret", "secret12"),
            ("refresh_token", "refresh1"),
        ],
        |exchange| match (exchange.url.host_str(), exchange.method.as_str()) {
            (Some("oauth2.googleapis.com"), _) => {
                json(&json!({ "access_token": "tok-1", "expires_in": 3600 }))
            }
            (_, "GET") => json(
                &json!({ "localInventories": [{ "storeCode": "HAN-01", "localInventoryAttributes": { "quantity": "7" } }] }),
            ),
            _ => json(
                &json!({ "storeCode": "HAN-01", "localInventoryAttributes": { "availability": "OUT_OF_STOCK", "quantity": "0" } }),
            ),
        },
    );
    let at = |place, quantity| [("place", place), ("quantity", quantity)];
    assert_eq!(
        store.push("k", &[item("sku/1", &at("HAN-01", "0"))]),
        [Outcome::Accepted]
    );
    assert_eq!(
        script.call(1),
        "POST https://merchantapi.googleapis.com/inventories/v1/accounts/12/products/ZW5-VVN-c2t1LzE/localInventories:insert"
    );
    assert_eq!(
        script.json(1),
        json!({ "storeCode": "HAN-01", "localInventoryAttributes": { "availability": "OUT_OF_STOCK", "quantity": "0" } })
    );
    let read = store
        .read(&[
            item("sku/1", &at("HAN-01", "1")),
            item("sku/1", &at("HAN-02", "1")),
        ])
        .expect("read");
    assert_eq!(read, [Reading::Level(7), Reading::NotStocked]);
}

#[test]
fn vendure_and_medusa_believe_only_what_the_answer_shows() {
    let (store, script) = open(
        "vendure",
        &[],
        &[("user", "admin"), ("password", "p4ssword")],
        |exchange| {
            let body: Value = serde_json::from_slice(&exchange.body).expect("JSON");
            if body["query"].as_str().expect("a query").contains("login") {
                let mut reply =
                    json(&json!({ "data": { "login": { "__typename": "CurrentUser" } } }));
                reply
                    .headers
                    .push(("vendure-auth-token".to_owned(), "sess-1".to_owned()));
                return reply;
            }
            json(&json!({ "data": { "updateProductVariants": [
            { "id": "1", "stockLevels": [{ "stockLocationId": "2", "stockOnHand": 5 }, { "stockLocationId": "3", "stockOnHand": 9 }] },
        ] } }))
        },
    );
    let at = |place, quantity| [("remote_id", "1"), ("place", place), ("quantity", quantity)];
    let outcomes = store.push(
        "k",
        &[
            item("A", &at("2", "5")),
            item("A", &at("3", "8")),
            item("A", &at("4", "1")),
        ],
    );
    assert_eq!(outcomes[0], Outcome::Accepted);
    assert!(matches!(outcomes[1], Outcome::Unknown { .. }));
    assert!(matches!(outcomes[2], Outcome::Unknown { .. }));
    assert_eq!(
        script.header(1, "authorization").as_deref(),
        Some("Bearer sess-1")
    );
    assert_eq!(
        script.header(1, "vendure-token"),
        None,
        "an empty header is left out"
    );

    let (store, script) = open(
        "medusa",
        &[],
        &[("api_key", "sk_1")],
        |exchange| match exchange.url.path() {
            "/admin/product-variants" => json(&json!({ "count": 2, "variants": [
            { "sku": "A", "inventory_items": [{ "inventory_item_id": "ii1" }] },
            { "sku": "KIT", "inventory_items": [{ "inventory_item_id": "ii1" }, { "inventory_item_id": "ii2" }] },
        ] })),
            _ => Reply::new(
                404,
                json!({ "type": "not_found", "message": "Item ii2 is not stocked at location l" })
                    .to_string(),
            ),
        },
    );
    let found = store
        .resolve(&["A".to_owned(), "KIT".to_owned()])
        .expect("found");
    assert!(matches!(&found["A"], Found::Remote(remote) if remote.id == "ii1"));
    assert_eq!(found["KIT"], Found::Stranger);
    assert_eq!(
        script.call(0),
        "GET https://shop.example/admin/product-variants?limit=100&offset=0&fields=id,sku,inventory_items.inventory_item_id&sku[]=A&sku[]=KIT"
    );
    let outcomes = store.push("k", &[item("A", &at("l", "5")), item("B", &at("l", "8"))]);
    refused(&outcomes[0], "not_found");
    assert!(matches!(
        outcomes[0],
        Outcome::Rejected {
            transient: true,
            ..
        }
    ));
}
