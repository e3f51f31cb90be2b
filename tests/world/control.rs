//! The back door of the store on loopback: tests look at it and steer it under `/_control/`.

use serde_json::{Value, json};

use super::exchange::{Answer, Request};
use super::faults::Fault;
use super::server::{Store, told};
use super::shop::By;

/// Answers a request to the back door.
///
/// - `GET state` all levels, calls and faults drawn; `GET summary` the same without levels
/// - `GET applied?from=N` each change of a level from the Nth on
/// - `POST orders` `[{sku, location, units}]` customers buy
/// - `POST foreign` `[{sku, location, quantity}]` somebody sets a level
/// - `POST faults` `{share, wire, allowed: [name], script: [name or null]}`
/// - `POST heal` nothing goes wrong any more; `POST restart` sessions are lost; `POST settle` what is late is done now
pub fn answer(store: &mut Store, request: &Request) -> Answer {
    let now = store.now();
    let body = request.json();
    let name = request.path.trim_start_matches("/_control/");
    let said = match (request.method.as_str(), name) {
        ("GET", "summary") => told(store),
        ("GET", "state") => state(store),
        ("GET", "applied") => applied(store, request.number("from", 0)),
        ("POST", "orders" | "foreign") => {
            let mut sold = Vec::new();
            for entry in body.as_array().unwrap_or(&Vec::new()) {
                let sku = entry["sku"].as_str().unwrap_or("");
                let code = entry["location"].as_str().unwrap_or("");
                let (Some(item), Some(place)) = (store.shop.sku(sku), store.shop.place_code(code))
                else {
                    return Answer::json(422, &json!({ "error": "no such sku or location" }));
                };
                if name == "foreign" {
                    let quantity = entry["quantity"].as_i64().unwrap_or(0);
                    store.shop.foreign(item, place, quantity, now);
                } else {
                    let units = entry["units"].as_i64().unwrap_or(1);
                    sold.push(store.shop.order(item, place, units, now));
                }
            }
            json!({ "sold": sold })
        }
        ("POST", "faults") => {
            let fault = |name: &Value| {
                let name = name.as_str()?;
                Fault::ALL
                    .iter()
                    .find(|known| known.name() == name)
                    .copied()
            };
            if let Some(share) = body["share"].as_u64() {
                store.faults.share = share;
            }
            if let Some(share) = body["wire"].as_u64() {
                store.wire = share;
            }
            if let Some(list) = body["allowed"].as_array() {
                store.faults.allowed = list.iter().filter_map(fault).collect();
            }
            if let Some(list) = body["script"].as_array() {
                store.faults.script = list.iter().map(fault).collect();
            }
            told(store)
        }
        ("POST", "heal") => {
            store.faults.heal();
            store.wire = 0;
            told(store)
        }
        ("POST", "restart") => {
            store.shop.restart();
            told(store)
        }
        ("POST", "settle") => {
            let protocol = store.protocol;
            store.faults.settle(&mut store.shop, protocol, u64::MAX);
            told(store)
        }
        _ => return Answer::json(404, &json!({ "error": "no such control" })),
    };
    Answer::json(200, &said)
}

fn state(store: &Store) -> Value {
    let shop = &store.shop;
    let mut levels = Vec::new();
    for item in shop.items.iter().filter(|item| !item.gone) {
        for (number, place) in shop.places.iter().enumerate() {
            levels.push(json!({ "sku": item.sku, "location": place.code,
                "location_id": place.id, "quantity": item.levels[number],
                "reserved": item.reserved[number] }));
        }
    }
    let mut all = told(store);
    all["levels"] = Value::Array(levels);
    all
}

fn applied(store: &Store, from: usize) -> Value {
    let shop = &store.shop;
    let lines = shop
        .applied
        .iter()
        .enumerate()
        .skip(from)
        .map(|(number, change)| {
            let by = match change.by {
                By::Write => "write",
                By::Late => "late",
                By::Order => "order",
                By::Foreign => "foreign",
                By::Lie => "lie",
            };
            json!({ "n": number, "at": change.at, "sku": shop.items[change.item].sku,
            "location": shop.places[change.place].code, "old": change.old, "new": change.new,
            "by": by, "call": change.call, "key": change.key, "compare": change.compare })
        });
    let lines: Vec<Value> = lines.collect();
    json!({ "applied": lines })
}
