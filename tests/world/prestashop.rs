//! PrestaShop's webservice: answers in JSON, writes in XML, a row of stock for each product and each combination. A write
//! takes the whole row: what it does not name is emptied, and a row that lost its shop is found by nobody.

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Millis, Request};
use super::shop::{Refusal, Shop, Wish};
use super::woocommerce::basic;

/// Webservice key.
pub const KEY: &str = "PRESTASHOPMODELKEY0000000000000A";
/// The row of a product with combinations, their sum, has this number and the product's.
const SUM: u64 = 20_000_000;
/// What a person wrote into each row.
const LOCATION: &str = "shelf <A> & \"B\"";
/// Products that are sold out: as the shop's settings say.
const SOLD_OUT: &str = "2";

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    if request.header("authorization") != Some(&basic(KEY, "")) {
        return refusal(401, 17, "Invalid authentication key format");
    }
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "products"]) => list(shop, request, "products", products(shop)),
        ("GET", ["api", "combinations"]) => list(shop, request, "combinations", combinations(shop)),
        ("GET", ["api", "stock_availables"]) => {
            let rows = rows(shop, now);
            list(shop, request, "stock_availables", rows)
        }
        ("GET", ["api", "stock_availables", id]) => {
            let rows = rows(shop, now);
            match rows.into_iter().find(|row| {
                row["id"]
                    .as_u64()
                    .is_some_and(|known| id.parse() == Ok(known))
            }) {
                Some(row) => Answer::json(200, &json!({ "stock_available": row })),
                None => Answer::text(404, "application/json", ""),
            }
        }
        ("PUT", ["api", "stock_availables", ..]) => write(shop, request, now),
        _ => refusal(405, 25, "Method is not allowed for the resource"),
    }
}

fn refusal(status: u16, code: u16, message: &str) -> Answer {
    let errors = json!({ "errors": [{ "code": code, "message": message }] });
    Answer::json(status, &errors)
}

fn products(shop: &Shop) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for item in shop.items.iter().filter(|item| !item.gone) {
        let known = found.last().is_some_and(|last| last["id"] == item.product);
        match item.variation {
            // the reference of a product with combinations is often that of the first
            true if !known => found.push(json!({ "id": item.product, "reference": item.sku,
                "id_default_combination": item.id.to_string() })),
            true => {}
            false => found.push(json!({ "id": item.id, "reference": item.sku,
                "id_default_combination": "0" })),
        }
    }
    found
}

fn combinations(shop: &Shop) -> Vec<Value> {
    let items = shop.items.iter().filter(|it| it.variation && !it.gone);
    items
        .map(|it| json!({ "id": it.id, "id_product": it.product.to_string(), "reference": it.sku }))
        .collect()
}

/// Every row of stock: one an item, and the sum of the combinations of a product.
fn rows(shop: &Shop, now: Millis) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut sums: Map<String, Value> = Map::new();
    for (at, item) in shop.items.iter().enumerate().filter(|(_, it)| !it.gone) {
        let quantity = shop.told(at, 0, now).unwrap_or(0);
        let (product, combination) = match item.variation {
            true => (item.product, item.id),
            false => (item.id, 0),
        };
        rows.push(row(item.inventory, product, combination, quantity));
        if item.variation {
            let sum = sums.entry(product.to_string()).or_insert(json!(0));
            *sum = json!(sum.as_i64().unwrap_or(0) + quantity);
        }
    }
    for (product, sum) in sums {
        let product: u64 = product.parse().expect("a number");
        rows.push(row(SUM + product, product, 0, sum.as_i64().unwrap_or(0)));
    }
    rows
}

fn row(id: u64, product: u64, combination: u64, quantity: i64) -> Value {
    json!({ "id": id, "id_product": product.to_string(), "id_product_attribute": combination.to_string(),
        "id_shop": "1", "id_shop_group": "0", "quantity": quantity.to_string(), "depends_on_stock": "0",
        "out_of_stock": SOLD_OUT, "location": LOCATION })
}

/// The elements that `filter[…]=[a|b]` lets through, with the fields of `display=[…]`. Without any, an empty list is all that
/// comes.
fn list(shop: &Shop, request: &Request, name: &str, mut found: Vec<Value>) -> Answer {
    let inside = |text: &str| {
        let text = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        text.map(str::to_owned)
    };
    if request.query("output_format") != Some("JSON") {
        return Answer::text(200, "text/xml", "<prestashop/>");
    }
    for (field, wanted) in &request.query {
        let Some(field) = field
            .strip_prefix("filter[")
            .and_then(|it| it.strip_suffix(']'))
        else {
            continue;
        };
        let Some(wanted) = inside(wanted) else {
            return refusal(400, 33, "The filter is malformed.");
        };
        // the database knows no case
        let wanted: Vec<String> = wanted.split('|').map(str::to_lowercase).collect();
        found.retain(|element| {
            let value = match &element[field] {
                Value::String(text) => text.to_lowercase(),
                other => other.to_string(),
            };
            wanted.contains(&value)
        });
    }
    let shown = request.query("display").and_then(inside);
    let Some(shown) = shown else {
        return refusal(400, 35, "The \"display\" value is malformed");
    };
    let shown: Vec<&str> = shown.split(',').collect();
    for element in &mut found {
        if let Some(element) = element.as_object_mut() {
            element.retain(|field, _| shown.contains(&field.as_str()));
        }
    }
    let found = shop.bend(found, || {
        json!({ "id": 1, "id_product": "1", "id_product_attribute": "1", "reference": "NOBODY-ASKED",
            "id_default_combination": "0", "quantity": "5" })
    });
    match found.is_empty() {
        true => Answer::json(200, &json!([])),
        false => Answer::json(200, &json!({ name: found })),
    }
}

/// The text of an element, its entities taken back.
fn element(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let mut text = text.to_owned();
    for (entity, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, letter);
    }
    Some(text)
}

/// The row and the quantity that a write names.
pub fn named(request: &Request) -> Option<(u64, i64)> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let id = element(&body, "id")?.parse().ok()?;
    Some((id, element(&body, "quantity")?.parse().ok()?))
}

fn write(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    if !body.trim_start().starts_with("<?xml") || !body.contains("<prestashop>") {
        return refusal(500, 127, "XML error : String could not be parsed as XML");
    }
    if element(&body, "id").is_none() {
        return refusal(400, 90, "id is required when modifying a resource");
    }
    for name in [
        "id_product",
        "id_product_attribute",
        "quantity",
        "depends_on_stock",
        "out_of_stock",
    ] {
        if element(&body, name).is_none() {
            return refusal(400, 41, &format!("parameter \"{name}\" required"));
        }
    }
    let Some((id, quantity)) = named(request) else {
        return refusal(
            400,
            85,
            "Validation error: \"Property StockAvailable->quantity is not valid\"",
        );
    };
    let Some(at) = shop.inventory(id) else {
        return refusal(404, 92, "Invalid ID");
    };
    let Some(old) = rows(shop, now).into_iter().find(|row| row["id"] == id) else {
        return refusal(404, 92, "Invalid ID");
    };
    // what a write empties or changes beside the quantity is somebody's work
    for name in [
        "id_product",
        "id_product_attribute",
        "id_shop",
        "id_shop_group",
        "out_of_stock",
        "location",
    ] {
        if element(&body, name).as_deref() != old[name].as_str() {
            return refusal(418, 0, &format!("the model's own: `{name}` would be lost"));
        }
    }
    let wish = Wish {
        item: at,
        place: 0,
        quantity,
        compare: None,
    };
    match shop.check(&wish, 0, 1) {
        // it takes levels below nothing: they are backorders
        Ok(()) | Err(Refusal::Negative) => {}
        Err(_) => return refusal(400, 85, "Validation error"),
    }
    shop.put(&wish, "", 0, 1, now);
    let mut said = old;
    // a lie is told in full
    said["quantity"] = json!(quantity.to_string());
    Answer::json(200, &json!({ "stock_available": said }))
}
