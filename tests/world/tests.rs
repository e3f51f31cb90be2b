//! That the model itself is right: what a store promises, and what its faults really do.

use serde_json::{Value, json};

mod damage;
mod on_loopback;
mod prestashop;

use super::exchange::{Answer, Request};
use super::protocol::{Kind, Protocol};
use super::shop::{KEY_LIFE, Shop};
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
