//! Medusa v2: inventory items by SKU, location levels, one by one or in batches that are done as a whole or not at all.

use serde_json::{Value, json};

use super::exchange::{Answer, Millis, Request};
use super::shop::{Refusal, Shop, Wish};
use super::woocommerce::basic;

/// Secret API key.
pub const KEY: &str = "sk_model";
/// Administrator.
pub const USER: &str = "admin@example.com";
/// Their password.
pub const PASSWORD: &str = "supersecret";

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let path = request.path.trim_matches('/').to_owned();
    let method = request.method.as_str();
    if path.ends_with("auth/user/emailpass") {
        let given = request.json();
        if given["email"] != USER || given["password"] != PASSWORD {
            return refusal(401, "unauthorized", "Invalid email or password");
        }
        return Answer::json(200, &json!({ "token": shop.login(now) }));
    }
    let allowed = request.header("authorization").is_some_and(|text| {
        text == basic(KEY, "")
            || text.strip_prefix("Basic ") == Some(KEY)
            || text
                .strip_prefix("Bearer ")
                .is_some_and(|token| shop.session(token, now))
    });
    if !allowed {
        return Answer::json(401, &json!({ "message": "Unauthorized" }));
    }
    let Some((_, rest)) = format!("/{path}")
        .split_once("/admin/")
        .map(|(before, rest)| (before.to_owned(), rest.to_owned()))
    else {
        return Answer::text(404, "text/html", "<pre>Cannot GET</pre>");
    };
    let parts: Vec<&str> = rest.split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["inventory-items"]) => items(shop, request, now),
        ("GET", ["product-variants"]) => variants(shop, request),
        ("GET", ["stock-locations"]) => {
            let list: Vec<Value> = shop
                .places
                .iter()
                .map(|place| json!({ "id": place_id(place.id), "name": place.code }))
                .collect();
            let count = list.len();
            let body = json!({ "stock_locations": list, "count": count, "offset": 0, "limit": 50 });
            Answer::json(200, &body)
        }
        ("POST", ["inventory-items", "location-levels", "batch"]) => {
            batch(shop, &request.json(), None, now)
        }
        ("POST", ["inventory-items", item, "location-levels", "batch"]) => {
            batch(shop, &request.json(), Some(item), now)
        }
        ("GET", ["inventory-items", item, "location-levels"]) => {
            let Some(at) = item_at(shop, item) else {
                return not_found(item);
            };
            let list = levels(shop, at, now);
            let count = list.len();
            let body =
                json!({ "inventory_levels": list, "count": count, "offset": 0, "limit": 20 });
            Answer::json(200, &body)
        }
        ("POST", ["inventory-items", item, "location-levels", place]) => {
            let Some(at) = item_at(shop, item) else {
                return not_found(item);
            };
            let mut update = request.json();
            update["inventory_item_id"] = json!(item);
            update["location_id"] = json!(place);
            let done = write(shop, &[update], now);
            match done {
                Ok(_) => {
                    let mut body = one(shop, at, now);
                    body["location_levels"] = Value::Array(levels(shop, at, now));
                    Answer::json(200, &json!({ "inventory_item": body }))
                }
                Err(answer) => answer,
            }
        }
        ("GET", ["inventory-items", item]) => match item_at(shop, item) {
            Some(at) => {
                let mut body = one(shop, at, now);
                body["location_levels"] = Value::Array(levels(shop, at, now));
                Answer::json(200, &json!({ "inventory_item": body }))
            }
            None => not_found(item),
        },
        _ => Answer::text(404, "text/html", "<pre>Cannot GET</pre>"),
    }
}

fn refusal(status: u16, kind: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "type": kind, "message": message }))
}

fn not_found(id: &str) -> Answer {
    refusal(
        404,
        "not_found",
        &format!("Inventory item id not found: {id}"),
    )
}

fn item_id(number: u64) -> String {
    format!("iitem_{number}")
}

fn place_id(number: u64) -> String {
    format!("sloc_{number}")
}

fn item_at(shop: &Shop, id: &str) -> Option<usize> {
    shop.inventory(id.strip_prefix("iitem_")?.parse().ok()?)
}

fn place_at(shop: &Shop, id: &str) -> Option<usize> {
    shop.place(id.strip_prefix("sloc_")?.parse().ok()?)
}

fn level(shop: &Shop, at: usize, place: usize, quantity: i64) -> Value {
    let item = &shop.items[at];
    json!({
        "id": format!("ilev_{}_{}", item.inventory, shop.places[place].id),
        "inventory_item_id": item_id(item.inventory),
        "location_id": place_id(shop.places[place].id),
        "stocked_quantity": quantity,
        "reserved_quantity": item.reserved[place],
        "incoming_quantity": 0,
        "available_quantity": quantity - item.reserved[place],
    })
}

fn levels(shop: &Shop, at: usize, now: Millis) -> Vec<Value> {
    (0..shop.places.len())
        .filter_map(|place| Some(level(shop, at, place, shop.told(at, place, now)?)))
        .collect()
}

fn one(shop: &Shop, at: usize, now: Millis) -> Value {
    let item = &shop.items[at];
    let told: i64 = (0..shop.places.len())
        .filter_map(|place| shop.told(at, place, now))
        .sum();
    json!({ "id": item_id(item.inventory), "sku": item.sku, "title": item.sku,
        "requires_shipping": true, "stocked_quantity": told })
}

fn items(shop: &Shop, request: &Request, now: Millis) -> Answer {
    let skus = request.queries("sku");
    let ids = request.queries("id");
    let mut found = shop.search((!skus.is_empty()).then_some(&skus), true);
    if !ids.is_empty() {
        found.retain(|at| ids.contains(&item_id(shop.items[*at].inventory).as_str()));
    }
    let limit = request.number("limit", 20);
    let offset = request.number("offset", 0);
    let (start, end, _) = shop.page(offset, limit, found.len());
    let wanted = request.query("fields").unwrap_or("");
    let with_levels = wanted.contains("location_levels");
    let list = found[start..end].iter().map(|at| {
        let mut body = one(shop, *at, now);
        if with_levels {
            body["location_levels"] = Value::Array(levels(shop, *at, now));
        }
        body
    });
    let list = shop.bend(
        list.collect(),
        || json!({ "id": "iitem_1", "sku": "NOBODY-ASKED", "location_levels": [] }),
    );
    let body =
        json!({ "inventory_items": list, "count": found.len(), "offset": offset, "limit": limit });
    Answer::json(200, &body)
}

/// Variants with the inventory items they are made of: one each.
fn variants(shop: &Shop, request: &Request) -> Answer {
    let skus = request.queries("sku");
    let found = shop.search((!skus.is_empty()).then_some(&skus), true);
    let limit = request.number("limit", 20);
    let offset = request.number("offset", 0);
    let (start, end, _) = shop.page(offset, limit, found.len());
    let list = found[start..end].iter().map(|at| {
        let item = &shop.items[*at];
        json!({ "id": format!("variant_{}", item.id), "sku": item.sku,
            "inventory_items": [{ "inventory_item_id": item_id(item.inventory) }] })
    });
    let list = shop.bend(list.collect(), || {
        json!({ "id": "variant_1", "sku": "NOBODY-ASKED",
            "inventory_items": [{ "inventory_item_id": "iitem_1" }] })
    });
    let body = json!({ "variants": list, "count": found.len(), "offset": offset, "limit": limit });
    Answer::json(200, &body)
}

/// Sets levels, all or none; what each is now.
fn write(shop: &mut Shop, updates: &[Value], now: Millis) -> Result<Vec<Value>, Answer> {
    let mut wishes = Vec::new();
    for (nth, update) in updates.iter().enumerate() {
        let text = |name: &str| update[name].as_str().unwrap_or("").to_owned();
        let (item, place) = (text("inventory_item_id"), text("location_id"));
        let Some(at) = item_at(shop, &item) else {
            return Err(not_found(&item));
        };
        let place_number = place_at(shop, &place);
        let Some(quantity) = update["stocked_quantity"].as_i64() else {
            return Err(refusal(
                400,
                "invalid_data",
                "Invalid request: Expected type: 'number' for field 'stocked_quantity'",
            ));
        };
        let missing = format!("Item {item} is not stocked at location {place}");
        let Some(place) = place_number else {
            return Err(refusal(404, "not_found", &missing));
        };
        let wish = Wish {
            item: at,
            place,
            quantity,
            compare: None,
        };
        match shop.check(&wish, nth, updates.len()) {
            Ok(()) => wishes.push(wish),
            Err(Refusal::NotStocked | Refusal::Whim) => {
                return Err(refusal(404, "not_found", &missing));
            }
            Err(_) => {
                return Err(refusal(
                    400,
                    "invalid_data",
                    "Invalid request: Value for field 'stocked_quantity' too small, expected at least: '0'",
                ));
            }
        }
    }
    let count = wishes.len();
    let mut said = Vec::new();
    for (nth, wish) in wishes.iter().enumerate() {
        shop.put(wish, "", nth, count, now);
        said.push(level(shop, wish.item, wish.place, wish.quantity));
    }
    Ok(said)
}

fn batch(shop: &mut Shop, body: &Value, item: Option<&str>, now: Millis) -> Answer {
    if body.to_string().len() > 2_000_000 {
        return Answer::text(413, "text/html", "<pre>PayloadTooLargeError</pre>");
    }
    let list = |name: &str| -> Vec<Value> {
        let mut list = body[name].as_array().cloned().unwrap_or_default();
        for entry in &mut list {
            if let Some(item) = item {
                entry["inventory_item_id"] = json!(item);
            }
        }
        list
    };
    if !list("create").is_empty() || !list("delete").is_empty() {
        return refusal(400, "invalid_data", "The level exists already");
    }
    match write(shop, &list("update"), now) {
        Ok(said) => {
            let said = shop.bend(said, || {
                json!({ "id": "ilev_1", "inventory_item_id": "iitem_1",
                "location_id": "sloc_1", "stocked_quantity": 5 })
            });
            Answer::json(
                200,
                &json!({ "created": [], "updated": said, "deleted": [] }),
            )
        }
        Err(answer) => answer,
    }
}
