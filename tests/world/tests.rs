//! That the model itself is right: what a store promises, and what its faults really do.

use serde_json::{Value, json};

use super::exchange::{Answer, Request};
use super::faults::{End, Fault, Faults};
use super::protocol::{Kind, Protocol};
use super::shop::{By, KEY_LIFE, Shop};
use super::{magento, medusa, plain, shopify, vendure, woocommerce};

fn shop() -> Shop {
    Shop::new(
        &["HAN", "SGN"],
        &["A-1", "B 2", "C'3", "D-4", "E-5", "F-6"],
        10,
    )
}

fn graphql(path: &str, headers: &[(&str, &str)], query: &str, variables: Value) -> Request {
    let body = json!({ "query": query, "variables": variables });
    Request::new("POST", path, headers, body.to_string().as_bytes())
}

fn shopify_call(version: &str, query: &str, variables: Value) -> Request {
    let path = format!("/admin/api/{version}/graphql.json");
    graphql(
        &path,
        &[("X-Shopify-Access-Token", shopify::TOKEN)],
        query,
        variables,
    )
}

const SET: &str = "mutation S($input: InventorySetQuantitiesInput!, $k: String!) { inventorySetQuantities(input: $input) @idempotent(key: $k) { inventoryAdjustmentGroup { changes { delta item { id } } } userErrors { code field message } } }";

fn set(shop: &Shop, key: &str, wishes: &[(usize, usize, i64, Value)]) -> Request {
    let quantities: Vec<Value> = wishes
        .iter()
        .map(|(item, place, quantity, compare)| {
            json!({ "inventoryItemId": format!("gid://shopify/InventoryItem/{}", shop.items[*item].inventory),
                "locationId": format!("gid://shopify/Location/{}", shop.places[*place].id),
                "quantity": quantity, "changeFromQuantity": compare })
        })
        .collect();
    let input = json!({ "name": "available", "reason": "correction", "quantities": quantities });
    shopify_call("2026-04", SET, json!({ "input": input, "k": key }))
}

fn codes(answer: &Answer) -> Vec<String> {
    answer.value()["data"]["inventorySetQuantities"]["userErrors"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", answer.value()))
        .iter()
        .map(|error| error["code"].as_str().unwrap_or("").to_owned())
        .collect()
}

#[test]
fn a_key_gives_its_first_answer_again_while_it_lives() {
    let mut shop = shop();
    let request = set(&shop, "k1", &[(0, 0, 7, json!(10))]);
    let first = Protocol::Shopify.answer(&mut shop, &request, 0);
    assert_eq!(codes(&first), [""; 0]);
    assert_eq!(shop.level(0, 0), Some(7));
    shop.foreign(0, 0, 3, 5);
    let again = Protocol::Shopify.answer(&mut shop, &request, KEY_LIFE - 1);
    let data = |answer: &Answer| answer.value()["data"].clone();
    assert_eq!(data(&first), data(&again));
    assert_eq!(shop.level(0, 0), Some(3), "a repetition has no effect");
    // after its life it is a new request: what it compares with is not there any more
    let late = Protocol::Shopify.answer(&mut shop, &request, KEY_LIFE + 1);
    assert_eq!(codes(&late), ["CHANGE_FROM_QUANTITY_STALE"]);
}

#[test]
fn a_key_for_something_else_is_refused() {
    let mut shop = shop();
    let request = set(&shop, "k1", &[(0, 0, 7, json!(10))]);
    Protocol::Shopify.answer(&mut shop, &request, 0);
    let other = set(&shop, "k1", &[(0, 0, 8, json!(7))]);
    let answer = Protocol::Shopify.answer(&mut shop, &other, 1);
    assert_eq!(codes(&answer), ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]);
    assert_eq!(shop.level(0, 0), Some(7));
}

#[test]
fn a_batch_is_done_as_a_whole_or_not_at_all() {
    let mut shop = shop();
    let request = set(
        &shop,
        "k",
        &[
            (0, 0, 7, json!(10)),
            (1, 0, 8, json!(9)),
            (2, 1, 9, json!(null)),
        ],
    );
    let answer = Protocol::Shopify.answer(&mut shop, &request, 0);
    assert_eq!(codes(&answer), ["CHANGE_FROM_QUANTITY_STALE"]);
    let field = &answer.value()["data"]["inventorySetQuantities"]["userErrors"][0]["field"];
    assert_eq!(
        *field,
        json!(["input", "quantities", "1", "changeFromQuantity"])
    );
    assert!(shop.applied.is_empty());
    let twice = set(&shop, "k2", &[(0, 0, 7, json!(10)), (0, 0, 8, json!(10))]);
    let answer = Protocol::Shopify.answer(&mut shop, &twice, 0);
    assert_eq!(
        codes(&answer),
        ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"]
    );
    // nothing to compare with: it is taken, and the log says so
    let blind = set(&shop, "k3", &[(2, 1, 9, json!(null))]);
    assert_eq!(
        codes(&Protocol::Shopify.answer(&mut shop, &blind, 0)),
        [""; 0]
    );
    assert_eq!((shop.applied[0].compare, shop.applied[0].new), (None, 9));
}

#[test]
fn versions_differ_in_what_they_ask_for() {
    let mut shop = shop();
    let keyless = "mutation($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) { userErrors { code } } }";
    let input = |compare: &str| {
        json!({ "input": { "name": "available", "reason": "correction", "quantities": [{
            "inventoryItemId": "gid://shopify/InventoryItem/9000000",
            "locationId": "gid://shopify/Location/70001", "quantity": 4, compare: 10 }] } })
    };
    let new = shopify_call("2026-04", keyless, input("changeFromQuantity"));
    let answer = Protocol::Shopify.answer(&mut shop, &new, 0);
    assert!(
        answer.value()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("idempotent")
    );
    let mixed = shopify_call("2025-10", keyless, input("changeFromQuantity"));
    assert!(Protocol::Shopify.answer(&mut shop, &mixed, 0).value()["errors"].is_array());
    let old = shopify_call("2025-10", keyless, input("compareQuantity"));
    assert_eq!(
        codes(&Protocol::Shopify.answer(&mut shop, &old, 0)),
        [""; 0]
    );
    assert_eq!(shop.level(0, 0), Some(4));
    assert_eq!(
        codes(&Protocol::Shopify.answer(&mut shop, &old, 0)),
        ["COMPARE_QUANTITY_STALE"]
    );
    let bare = shopify_call("2025-10", keyless, input("referenceless"));
    assert!(Protocol::Shopify.answer(&mut shop, &bare, 0).value()["errors"].is_array());
}

#[test]
fn shopify_finds_skus_page_by_page_and_tells_levels() {
    let mut shop = shop();
    let query = "query($q: String!, $n: Int!, $a: String) { productVariants(first: $n, after: $a, query: $q) { nodes { id sku inventoryItem { id inventoryLevels(first: 10) { nodes { location { id } quantities(names: [\"available\"]) { quantity } } } } } pageInfo { hasNextPage endCursor } } }";
    let words = "sku:\"B 2\" OR sku:'C\\'3' OR sku:d-4 OR sku:nobody";
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let request = shopify_call("2026-04", query, json!({ "q": words, "n": 2, "a": after }));
        let value = Protocol::Shopify.answer(&mut shop, &request, 0).value();
        let list = &value["data"]["productVariants"];
        for node in list["nodes"]
            .as_array()
            .unwrap_or_else(|| panic!("{value}"))
        {
            found.push(node["sku"].as_str().unwrap().to_owned());
            let level = &node["inventoryItem"]["inventoryLevels"]["nodes"][1];
            assert_eq!(level["quantities"], json!([{ "quantity": 10 }]));
        }
        if list["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = list["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(found, ["B 2", "C'3", "D-4"]);
    let unknown = shopify_call("2026-04", "{ shop { wrong } }", json!({}));
    let value = Protocol::Shopify.answer(&mut shop, &unknown, 0).value();
    assert!(
        value["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("wrong")
    );
    shop.with_budget(12.0, 1.0);
    let request = shopify_call("2026-04", "{ shop { name } }", json!({}));
    let said = |shop: &mut Shop, now| Protocol::Shopify.answer(shop, &request, now).value();
    assert_eq!(said(&mut shop, 0)["data"]["shop"]["name"], "Model");
    assert_eq!(said(&mut shop, 0)["data"]["shop"]["name"], "Model");
    let value = said(&mut shop, 1000);
    assert_eq!(value["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(said(&mut shop, 3000)["data"]["shop"]["name"], "Model");
}

fn woo(method: &str, target: &str, body: &Value) -> Request {
    let login = woocommerce::basic(woocommerce::USER, woocommerce::PASSWORD);
    let target = format!("/wp-json/wc/v3/{target}");
    Request::new(
        method,
        &target,
        &[("Authorization", &login)],
        body.to_string().as_bytes(),
    )
}

#[test]
fn woocommerce_judges_each_item_and_keeps_variations_under_their_parent() {
    let mut shop = Shop::new(&[""], &["A", "B", "C", "D", "E"], 10);
    let mut call = |request: &Request| Protocol::WooCommerce.answer(&mut shop, request, 0);
    let found = call(&woo(
        "GET",
        "products?sku=A,D&per_page=100&_fields=id,parent_id,sku,stock_quantity",
        &Value::Null,
    ));
    assert_eq!(
        found.value()[1],
        json!({ "id": 1_000_021, "parent_id": 5_000_000, "sku": "D", "stock_quantity": 10 })
    );
    let batch = json!({ "update": [{ "id": 1_000_000, "stock_quantity": 4 }, { "id": 1_000_021, "stock_quantity": 5 }, { "id": 77, "stock_quantity": 1 }] });
    let said = call(&woo("POST", "products/batch", &batch)).value();
    assert_eq!(said["update"][0]["stock_quantity"], 4);
    assert_eq!(said["update"][1]["error"]["data"]["status"], 404);
    assert_eq!(
        said["update"][2]["error"]["code"],
        "woocommerce_rest_product_invalid_id"
    );
    let batch = json!({ "update": [{ "id": 1_000_021, "stock_quantity": 5 }] });
    call(&woo("POST", "products/5000000/variations/batch", &batch));
    let many: Vec<Value> = (0..101).map(|id| json!({ "id": id })).collect();
    let answer = call(&woo("POST", "products/batch", &json!({ "update": many })));
    assert_eq!(answer.status, 413);
    let bare = Request::new("GET", "/wp-json/wc/v3/products", &[], b"");
    assert_eq!(call(&bare).status, 401);
    assert_eq!((shop.level(0, 0), shop.level(3, 0)), (Some(4), Some(5)));
    assert_eq!(shop.applied.len(), 2);
}

#[test]
fn woocommerce_leaves_alone_what_it_does_not_count() {
    let mut shop = Shop::new(&[""], &["A"], 10);
    shop.items[0].tracked = false;
    let batch = json!({ "update": [{ "id": 1_000_000, "stock_quantity": 4 }] });
    Protocol::WooCommerce.answer(&mut shop, &woo("POST", "products/batch", &batch), 0);
    assert_eq!(shop.level(0, 0), Some(10));
    let batch =
        json!({ "update": [{ "id": 1_000_000, "manage_stock": true, "stock_quantity": 4 }] });
    Protocol::WooCommerce.answer(&mut shop, &woo("POST", "products/batch", &batch), 0);
    assert_eq!(shop.level(0, 0), Some(4));
}

const LOGIN: &str = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename ... on CurrentUser { id } ... on ErrorResult { errorCode } ... on InvalidCredentialsError { errorCode } } }";

fn vendure_login(shop: &mut Shop, now: u64) -> String {
    let names = json!({ "u": vendure::USER, "p": vendure::PASSWORD });
    let answer = Protocol::Vendure.answer(shop, &graphql("/admin-api", &[], LOGIN, names), now);
    assert_eq!(answer.value()["data"]["login"]["__typename"], "CurrentUser");
    let token = answer
        .headers
        .iter()
        .find(|(name, _)| name == "vendure-auth-token");
    format!("Bearer {}", token.expect("a token").1)
}

#[test]
fn vendure_asks_for_a_session_and_updates_in_one_transaction() {
    let mut shop = shop();
    shop.reserves = true;
    shop.session_life = 5000;
    let wrong = json!({ "u": "x", "p": "y" });
    let answer = Protocol::Vendure.answer(&mut shop, &graphql("/admin-api", &[], LOGIN, wrong), 0);
    assert_eq!(
        answer.value()["data"]["login"]["errorCode"],
        "INVALID_CREDENTIALS_ERROR"
    );
    let token = vendure_login(&mut shop, 0);
    let headers = [("Authorization", token.as_str())];
    let read = "query($o: ProductVariantListOptions) { productVariants(options: $o) { items { id sku stockLevels { stockLocationId stockOnHand stockAllocated } } totalItems } }";
    let options = json!({ "o": { "filter": { "sku": { "in": ["B 2"] } }, "take": 10 } });
    let request = graphql("/admin-api", &headers, read, options);
    shop.order(1, 0, 4, 0);
    let value = Protocol::Vendure.answer(&mut shop, &request, 0).value();
    let level = &value["data"]["productVariants"]["items"][0]["stockLevels"][0];
    assert_eq!(
        (&level["stockOnHand"], &level["stockAllocated"]),
        (&json!(10), &json!(4))
    );
    let update = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id sku } }";
    let level = |quantity: i64| json!([{ "stockLocationId": "70001", "stockOnHand": quantity }]);
    let input = json!({ "i": [{ "id": "1000007", "stockLevels": level(3) }, { "id": "9", "stockLevels": level(3) }] });
    let request = graphql("/admin-api", &headers, update, input);
    let value = Protocol::Vendure.answer(&mut shop, &request, 0).value();
    assert_eq!(value["errors"][0]["extensions"]["code"], "ENTITY_NOT_FOUND");
    assert!(shop.applied.is_empty(), "all or nothing");
    let input = json!({ "i": [{ "id": "1000007", "stockLevels": level(3) }] });
    let request = graphql("/admin-api", &headers, update, input);
    let value = Protocol::Vendure.answer(&mut shop, &request, 4999).value();
    assert_eq!(value["data"]["updateProductVariants"][0]["sku"], "B 2");
    assert_eq!(shop.level(1, 0), Some(3));
    let value = Protocol::Vendure.answer(&mut shop, &request, 5001).value();
    assert_eq!(value["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[test]
fn medusa_sets_levels_in_batches_and_one_by_one() {
    let mut shop = shop();
    let login = woocommerce::basic(medusa::KEY, "");
    let call = |shop: &mut Shop, method: &str, target: &str, body: Value| {
        let request = Request::new(
            method,
            target,
            &[("Authorization", &login)],
            body.to_string().as_bytes(),
        );
        Protocol::Medusa.answer(shop, &request, 0)
    };
    let found = call(
        &mut shop,
        "GET",
        "/admin/inventory-items?sku[]=A-1&sku%5B%5D=D-4&fields=id,sku,*location_levels&limit=50",
        Value::Null,
    );
    let value = found.value();
    assert_eq!(value["count"], 2);
    assert_eq!(
        value["inventory_items"][1]["location_levels"][0]["stocked_quantity"],
        10
    );
    let entry = |item: &str, quantity: i64| json!({ "inventory_item_id": item, "location_id": "sloc_70002", "stocked_quantity": quantity });
    let body = json!({ "update": [entry("iitem_9000000", 2), entry("iitem_1", 2)] });
    let answer = call(
        &mut shop,
        "POST",
        "/admin/inventory-items/location-levels/batch",
        body,
    );
    assert_eq!(
        (answer.status, &answer.value()["type"]),
        (404, &json!("not_found"))
    );
    assert!(shop.applied.is_empty());
    let body = json!({ "update": [entry("iitem_9000000", 2)] });
    let answer = call(
        &mut shop,
        "POST",
        "/admin/inventory-items/location-levels/batch",
        body,
    );
    assert_eq!(answer.value()["updated"][0]["stocked_quantity"], 2);
    let body = json!({ "stocked_quantity": 6 });
    call(
        &mut shop,
        "POST",
        "/admin/inventory-items/iitem_9000000/location-levels/sloc_70001",
        body,
    );
    assert_eq!(shop.items[0].levels, [Some(6), Some(2)]);
    let body = json!({ "stocked_quantity": -1 });
    let answer = call(
        &mut shop,
        "POST",
        "/admin/inventory-items/iitem_9000000/location-levels/sloc_70001",
        body,
    );
    assert_eq!(answer.value()["type"], "invalid_data");
    let request = Request::new("GET", "/admin/inventory-items", &[], b"");
    assert_eq!(Protocol::Medusa.answer(&mut shop, &request, 0).status, 401);
}

#[test]
fn magento_reads_by_criteria_and_says_nothing_of_items() {
    let mut shop = shop();
    let bearer = format!("Bearer {}", magento::TOKEN);
    let call = |shop: &mut Shop, method: &str, target: &str, body: Value| {
        let request = Request::new(
            method,
            target,
            &[("Authorization", &bearer)],
            body.to_string().as_bytes(),
        );
        Protocol::Magento.answer(shop, &request, 0)
    };
    let target = "/rest/all/V1/inventory/source-items?searchCriteria[filter_groups][0][filters][0][field]=sku&searchCriteria[filter_groups][0][filters][0][value]=A-1,D-4&searchCriteria[filter_groups][0][filters][0][condition_type]=in&searchCriteria[pageSize]=3&searchCriteria[currentPage]=";
    let page = |shop: &mut Shop, page: u32| {
        call(shop, "GET", &format!("{target}{page}"), Value::Null).value()
    };
    assert_eq!(page(&mut shop, 1)["items"].as_array().unwrap().len(), 3);
    assert_eq!(
        page(&mut shop, 2)["items"],
        json!([{ "sku": "D-4", "source_code": "SGN", "quantity": 10, "status": 1 }])
    );
    assert_eq!(
        page(&mut shop, 9),
        page(&mut shop, 2),
        "past the end it is the last page again"
    );
    let item = |sku: &str, code: &str, quantity: i64| json!({ "sku": sku, "source_code": code, "quantity": quantity, "status": 1 });
    let body = json!({ "sourceItems": [item("A-1", "HAN", 3), item("A-1", "nowhere", 3)] });
    assert_eq!(
        call(&mut shop, "POST", "/rest/V1/inventory/source-items", body).status,
        400
    );
    assert!(shop.applied.is_empty());
    let body = json!({ "sourceItems": [item("A-1", "HAN", 3), item("not sold", "HAN", 3)] });
    assert_eq!(
        call(&mut shop, "POST", "/rest/V1/inventory/source-items", body).value(),
        json!([])
    );
    assert_eq!(shop.applied.len(), 1);
}

#[test]
fn the_plain_form_has_keys_compare_and_verdicts() {
    let mut shop = shop();
    let bearer = format!("Bearer {}", plain::TOKEN);
    let headers = [
        ("authorization", bearer.as_str()),
        ("Idempotency-Key", "one"),
    ];
    let item = |sku: &str, expected: Value| json!({ "sku": sku, "location": "HAN", "quantity": 4, "expected": expected });
    let body = json!({ "levels": [item("A-1", json!(10)), item("B 2", json!(9)), item("nobody", Value::Null)] });
    let request = Request::new("POST", "/stock", &headers, body.to_string().as_bytes());
    let said = Protocol::Plain.answer(&mut shop, &request, 0).value();
    let words: Vec<&str> = said["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["ok", "refused", "refused"]);
    assert_eq!(said["results"][1]["code"], "conflict");
    assert_eq!(Protocol::Plain.answer(&mut shop, &request, 9).value(), said);
    let other = Request::new("POST", "/stock", &headers, b"{\"levels\":[]}");
    assert_eq!(Protocol::Plain.answer(&mut shop, &other, 9).status, 422);
    let read = Request::new("GET", "/stock?skus=A-1,B%202", &headers[..1], b"");
    let levels = Protocol::Plain.answer(&mut shop, &read, 9).value();
    assert_eq!(levels["levels"][0]["quantity"], 4);
    assert_eq!(levels["levels"].as_array().unwrap().len(), 4);
}

#[test]
fn kinds_of_calls_are_told_apart() {
    let shop = shop();
    assert_eq!(Protocol::Shopify.kind(&set(&shop, "k", &[])), Kind::Write);
    assert_eq!(
        Protocol::Vendure.kind(&graphql("/admin-api", &[], LOGIN, json!({}))),
        Kind::Login
    );
    assert_eq!(
        Protocol::Shopify.kind(&shopify_call("2026-04", "{ shop { name } }", json!({}))),
        Kind::Read
    );
    assert_eq!(
        Protocol::WooCommerce.kind(&woo("GET", "products", &Value::Null)),
        Kind::Read
    );
    assert_eq!(
        Protocol::Medusa.kind(&Request::new("POST", "/auth/user/emailpass", &[], b"")),
        Kind::Login
    );
}

/// One write to A-1 at HAN through one fault.
fn through(fault: Fault) -> (Shop, Faults, End) {
    let mut shop = shop();
    let mut faults = Faults::scripted(&[Some(fault)]);
    let request = set(
        &shop,
        "k",
        &[
            (0, 0, 7, json!(10)),
            (1, 0, 7, json!(10)),
            (2, 0, 7, json!(10)),
        ],
    );
    let done = faults.exchange(&mut shop, Protocol::Shopify, &request, 1000);
    assert_eq!(done.fault, Some(fault));
    (shop, faults, done.end)
}

#[test]
fn answers_are_lost_before_or_after_the_effect() {
    for (fault, done) in [
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::TimeOutBefore, false),
        (Fault::TimeOutAfter, true),
        (Fault::Unreached, false),
        (Fault::Cut, true),
        (Fault::Before500, false),
        (Fault::After500, true),
        (Fault::After503, true),
        (Fault::Html200, true),
        (Fault::Garbage200, true),
        (Fault::TooManySeconds, false),
        (Fault::Throttled, false),
        (Fault::KeyFailed, false),
        (Fault::LateLong, false),
    ] {
        let (shop, faults, _) = through(fault);
        let applied = shop.level(0, 0) == Some(7);
        assert_eq!(applied, done, "{}", fault.name());
        assert_eq!(faults.drawn.iter().sum::<u64>(), 1);
    }
}

#[test]
fn what_is_late_is_really_done_and_only_once() {
    for fault in [Fault::LateSoon, Fault::LateLong, Fault::KeyBusy] {
        let (mut shop, mut faults, end) = through(fault);
        assert!(shop.applied.is_empty(), "{}", fault.name());
        assert_eq!(fault == Fault::KeyBusy, matches!(end, End::Answer(_)));
        let due = faults.next_late().expect("it is under way");
        faults.settle(&mut shop, Protocol::Shopify, due - 1);
        assert!(shop.applied.is_empty());
        faults.settle(&mut shop, Protocol::Shopify, due);
        assert_eq!(shop.applied.len(), 3);
        assert!(
            shop.applied
                .iter()
                .all(|change| change.by == By::Late && change.at == due)
        );
        assert_eq!(faults.next_late(), None);
    }
    // with a key, twice is once; without one it is twice
    let (mut shop, mut faults, _) = through(Fault::Twice);
    faults.settle(&mut shop, Protocol::Shopify, 10_000);
    assert_eq!(shop.applied.len(), 3);
    let mut shop = Shop::new(&[""], &["A"], 10);
    let mut faults = Faults::scripted(&[Some(Fault::Twice)]);
    let batch = json!({ "update": [{ "id": 1_000_000, "stock_quantity": 4 }] });
    faults.exchange(
        &mut shop,
        Protocol::WooCommerce,
        &woo("POST", "products/batch", &batch),
        0,
    );
    shop.order(0, 0, 1, 1);
    faults.settle(&mut shop, Protocol::WooCommerce, 10_000);
    assert_eq!(shop.applied.len(), 3);
    assert_eq!(shop.level(0, 0), Some(4), "the order is overwritten");
}

#[test]
fn lies_are_told_in_full_and_not_done() {
    for fault in [Fault::LieSkipped, Fault::LieClamped] {
        let (shop, _, end) = through(fault);
        let End::Answer(answer) = end else {
            panic!("an answer")
        };
        assert_eq!(codes(&answer), [""; 0]);
        let right = (0..3)
            .filter(|item| shop.level(*item, 0) == Some(7))
            .count();
        assert_eq!(right, 2, "{}", fault.name());
    }
}

#[test]
fn lists_and_pages_are_bent() {
    let mut shop = shop();
    let bearer = format!("Bearer {}", plain::TOKEN);
    let request = Request::new("GET", "/stock", &[("authorization", &bearer)], b"");
    let mut list = |fault| {
        let mut faults = Faults::scripted(&[Some(fault)]);
        match faults.exchange(&mut shop, Protocol::Plain, &request, 0).end {
            End::Answer(answer) => answer.value()["levels"].as_array().unwrap().clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(list(Fault::Missing).len(), 11);
    assert_eq!(list(Fault::Extra).len(), 13);
    assert_eq!(list(Fault::Doubled).len(), 13);
    assert_eq!(list(Fault::Shuffled).len(), 12);
    let pages = |fault: Option<Fault>| {
        let mut shop = self::shop();
        let mut faults = Faults::none();
        let query = "query($a: String) { productVariants(first: 2, after: $a) { nodes { sku } pageInfo { hasNextPage endCursor } } }";
        let mut seen = Vec::new();
        let mut after = Value::Null;
        for turn in 0..10 {
            if turn > 0 || fault == Some(Fault::PageMissing) {
                faults.script.push_back(fault);
            }
            let request = shopify_call("2026-04", query, json!({ "a": after }));
            let End::Answer(answer) = faults
                .exchange(&mut shop, Protocol::Shopify, &request, 0)
                .end
            else {
                panic!()
            };
            let list = answer.value()["data"]["productVariants"].clone();
            seen.extend(
                list["nodes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|node| node["sku"].as_str().unwrap().to_owned()),
            );
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = list["pageInfo"]["endCursor"].clone();
        }
        seen.len()
    };
    assert_eq!(pages(None), 6);
    assert_eq!(pages(Some(Fault::PageMissing)), 2);
    assert_eq!(pages(Some(Fault::PageTwice)), 6);
    assert_eq!(pages(Some(Fault::PageEndless)), 20);
    assert!(pages(Some(Fault::PageLoop)) >= 18);
}

#[test]
fn old_reads_show_what_was() {
    let mut shop = shop();
    shop.foreign(0, 0, 3, 1000);
    shop.foreign(0, 0, 4, 2000);
    shop.mischief.behind = 1500;
    assert_eq!(shop.told(0, 0, 3000), Some(3));
    assert_eq!(shop.told(0, 0, 2000), Some(10));
    assert_eq!(shop.told(0, 0, 3600), Some(4));
}

#[test]
fn one_that_is_asked_to_wait_and_does_not_is_counted() {
    let mut shop = shop();
    let mut faults = Faults::scripted(&[Some(Fault::TooManyDate)]);
    let request = shopify_call("2026-04", "{ shop { name } }", json!({}));
    let End::Answer(answer) = faults
        .exchange(&mut shop, Protocol::Shopify, &request, 5500)
        .end
    else {
        panic!()
    };
    assert_eq!(answer.status, 429);
    let date = &answer
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after")
        .unwrap()
        .1;
    let moment = jiff::fmt::rfc2822::parse(date).expect("a date").timestamp();
    let asked = (moment.as_second() - faults.epoch) * 1000;
    assert_eq!(u64::try_from(asked).unwrap(), faults.asked_until);
    faults.exchange(
        &mut shop,
        Protocol::Shopify,
        &request,
        faults.asked_until - 1,
    );
    assert_eq!(faults.early, 1);
    let until = faults.asked_until;
    let end = faults
        .exchange(&mut shop, Protocol::Shopify, &request, until.max(9500))
        .end;
    assert!(matches!(end, End::Answer(answer) if answer.status == 200));
    assert_eq!(faults.early, 1);
}

#[test]
fn orders_never_sell_what_is_not_there() {
    let mut shop = shop();
    assert_eq!(shop.order(0, 0, 4, 0), 4);
    assert_eq!(shop.order(0, 0, 9, 0), 6);
    assert_eq!(shop.order(0, 0, 1, 0), 0);
    assert_eq!((shop.level(0, 0), shop.applied.len()), (Some(0), 2));
    shop.reserves = true;
    assert_eq!(shop.order(1, 1, 99, 0), 10);
    assert_eq!(shop.order(1, 1, 1, 0), 0);
    assert_eq!((shop.level(1, 1), shop.applied.len()), (Some(10), 2));
}

#[test]
fn the_same_seed_gives_the_same_damage_and_every_fault_is_drawn() {
    let run = |seed: u64| {
        let mut drawn = vec![0; Fault::ALL.len()];
        let mut trace = String::new();
        for protocol in [Protocol::Shopify, Protocol::Vendure] {
            let mut shop = shop();
            let mut faults = Faults::seeded(seed, 700);
            let mut now = 0;
            for turn in 0..4000_i64 {
                let request = match protocol {
                    _ if turn % 3 == 0 => {
                        set(&shop, &turn.to_string(), &[(0, 0, turn, Value::Null)])
                    }
                    _ => shopify_call("2026-04", "{ shop { name } }", json!({})),
                };
                let done = faults.exchange(&mut shop, protocol, &request, now);
                trace.push_str(&format!("{:?}{}", done.fault, done.took));
                now += done.took + 60_000;
            }
            for (sum, count) in drawn.iter_mut().zip(&faults.drawn) {
                *sum += count;
            }
        }
        (trace, drawn)
    };
    let (trace, drawn) = run(7);
    assert_eq!(trace, run(7).0);
    assert_ne!(trace, run(8).0);
    for (fault, count) in Fault::ALL.iter().zip(drawn) {
        assert!(count > 0, "{} was never drawn", fault.name());
    }
}

mod on_loopback {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::time::Duration;

    use super::super::server::{Options, WireFault, start};
    use super::*;

    fn ask(url: &str, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connects");
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a limit");
        stream.write_all(request.as_bytes()).expect("writes");
        let mut answer = Vec::new();
        // how it ends is what is tested
        drop(stream.read_to_end(&mut answer));
        answer
    }

    fn post(path: &str, body: &Value) -> String {
        let body = body.to_string();
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
            plain::TOKEN,
            body.len()
        )
    }

    #[test]
    fn a_store_answers_is_looked_at_and_misbehaves() {
        let mut options = Options::quiet(Protocol::Plain, 3);
        options.hold = Duration::from_millis(300);
        let running = start(&options).expect("a port");
        let ask_json = |request: &str| -> Value {
            // kept alive: the length says where the answer ends
            let mut stream =
                TcpStream::connect(running.url.trim_start_matches("http://")).expect("connects");
            stream.write_all(request.as_bytes()).expect("writes");
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            loop {
                let read = stream.read(&mut chunk).expect("reads");
                bytes.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((_, body)) = text.split_once("\r\n\r\n")
                    && let Ok(value) = serde_json::from_str(body)
                {
                    return value;
                }
                assert!(read > 0, "{text}");
            }
        };
        let level = json!({ "levels": [{ "sku": "SKU-00002", "location": "SGN", "quantity": 5 }] });
        assert_eq!(
            ask_json(&post("/stock", &level))["results"][0]["status"],
            "ok"
        );
        let order = json!([{ "sku": "SKU-00002", "location": "SGN", "units": 2 }]);
        assert_eq!(
            ask_json(&post("/_control/orders", &order))["sold"],
            json!([2])
        );
        let applied = ask_json("GET /_control/applied?from=0 HTTP/1.1\r\nhost: x\r\n\r\n");
        let line = &applied["applied"][1];
        assert_eq!(
            (&line["by"], &line["old"], &line["new"]),
            (&json!("order"), &json!(5), &json!(3))
        );
        let state = ask_json("GET /_control/state HTTP/1.1\r\nhost: x\r\n\r\n");
        assert_eq!(state["levels"].as_array().map(Vec::len), Some(6));

        ask_json(&post(
            "/_control/faults",
            &json!({ "script": ["reset-after", "answer-cut"] }),
        ));
        let level = json!({ "levels": [{ "sku": "SKU-00001", "location": "HAN", "quantity": 1 }] });
        assert_eq!(ask(&running.url, &post("/stock", &level)), b"");
        assert_eq!(running.with(|store| store.shop.level(0, 0)), Some(1));
        let cut = ask(&running.url, &post("/stock", &level));
        assert!(cut.starts_with(b"HTTP/1.1 200"));

        ask_json(&post("/_control/faults", &json!({ "wire": 1000 })));
        for _ in 0..40 {
            ask(&running.url, &post("/stock", &level));
        }
        running.with(|store| {
            for (fault, count) in WireFault::ALL.iter().zip(store.wire_drawn) {
                assert!(count > 0, "{}", fault.name());
            }
        });
        ask_json(&post("/_control/heal", &json!({})));
        assert_eq!(
            ask_json(&post("/stock", &level))["results"][0]["status"],
            "ok"
        );
    }

    #[test]
    fn a_rate_is_kept() {
        let mut options = Options::quiet(Protocol::Plain, 3);
        options.rate = 5.0;
        let running = start(&options).expect("a port");
        let mut refused = 0;
        for _ in 0..30 {
            let mut stream =
                TcpStream::connect(running.url.trim_start_matches("http://")).expect("connects");
            stream
                .write_all(post("/stock", &json!({ "levels": [] })).as_bytes())
                .expect("writes");
            let mut bytes = [0; 12];
            stream.read_exact(&mut bytes).expect("reads");
            refused += u32::from(bytes.ends_with(b"429"));
        }
        assert!(refused >= 20, "{refused}");
        assert_eq!(running.with(|store| store.over_rate), u64::from(refused));
    }
}
