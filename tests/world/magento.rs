//! Magento's source items: read by search criteria, written as a list that is taken as a whole or not at all; the answer to a
//! write says nothing of items. A page past the last is the last again.

use serde_json::{Value, json};

use super::exchange::{Answer, Millis, Request};
use super::shop::{Refusal, Shop, Wish};

/// Integration token.
pub const TOKEN: &str = "magento_model";

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let Some((_, path)) = request.path.split_once("/V1/") else {
        return refusal(404, "Request does not match any route.");
    };
    let bearer = format!("Bearer {TOKEN}");
    if request.header("authorization") != Some(&bearer) {
        let body = json!({ "message": "The consumer isn't authorized to access %resources.",
            "parameters": { "resources": "Magento_InventoryApi::source" } });
        return Answer::json(401, &body);
    }
    match (request.method.as_str(), path) {
        ("GET", "inventory/source-items") => source_items(shop, request, now),
        ("GET", "products") => products(shop, request),
        ("GET", "inventory/sources") => {
            let list: Vec<Value> = shop
                .places
                .iter()
                .map(|place| json!({ "source_code": place.code, "name": place.code, "enabled": true }))
                .collect();
            let count = list.len();
            let body = json!({ "items": list, "search_criteria": {}, "total_count": count });
            Answer::json(200, &body)
        }
        ("POST", "inventory/source-items") => write(shop, &request.json(), now),
        _ => refusal(404, "Request does not match any route."),
    }
}

fn refusal(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message }))
}

/// What a search asks of a field; `searchCriteria[filter_groups][0][filters][0][field]` and so on, in both spellings.
fn filter(request: &Request, field: &str) -> Option<Vec<String>> {
    for (name, value) in &request.query {
        let Some(stem) = name.strip_suffix("[field]") else {
            continue;
        };
        if value != field {
            continue;
        }
        let own = |end: &str| request.query(&format!("{stem}{end}"));
        let value = own("[value]").unwrap_or("");
        let how = own("[condition_type]")
            .or_else(|| own("[conditionType]"))
            .unwrap_or("eq");
        return Some(match how {
            "in" => value
                .split(',')
                .map(|text| text.trim().to_owned())
                .collect(),
            _ => vec![value.to_owned()],
        });
    }
    None
}

fn number(request: &Request, names: [&str; 2], default: usize) -> usize {
    names
        .iter()
        .find_map(|name| request.query(&format!("searchCriteria[{name}]")))
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// The page that is asked for, and the total.
fn page(shop: &Shop, request: &Request, found: Vec<Value>) -> Answer {
    let count = found.len();
    let size = number(request, ["pageSize", "page_size"], count.max(1)).max(1);
    let current = number(request, ["currentPage", "current_page"], 1).max(1);
    let last = count.div_ceil(size).max(1);
    let (start, end, _) = shop.page((current.min(last) - 1) * size, size, count);
    let list = shop.bend(
        found[start..end].to_vec(),
        || json!({ "sku": "NOBODY-ASKED", "source_code": "nowhere", "quantity": 5, "status": 1 }),
    );
    let total = if shop.mischief.page == super::shop::Paging::Endless {
        count + 1_000_000
    } else {
        count
    };
    let body = json!({ "items": list, "search_criteria": {}, "total_count": total });
    Answer::json(200, &body)
}

fn products(shop: &Shop, request: &Request) -> Answer {
    let skus = filter(request, "sku");
    let named: Option<Vec<&str>> = skus
        .as_ref()
        .map(|skus| skus.iter().map(String::as_str).collect());
    let found = shop
        .search(named.as_deref(), false)
        .into_iter()
        .map(|at| &shop.items[at])
        .map(|item| json!({ "id": item.id, "sku": item.sku, "status": 1, "type_id": "simple" }))
        .collect();
    page(shop, request, found)
}

fn source_items(shop: &Shop, request: &Request, now: Millis) -> Answer {
    let skus = filter(request, "sku");
    let codes = filter(request, "source_code");
    let mut found = Vec::new();
    let named: Option<Vec<&str>> = skus
        .as_ref()
        .map(|skus| skus.iter().map(String::as_str).collect());
    for at in shop.search(named.as_deref(), false) {
        let item = &shop.items[at];
        for (number, place) in shop.places.iter().enumerate() {
            let there = codes
                .as_ref()
                .is_none_or(|codes| codes.contains(&place.code));
            if let Some(told) = shop.told(at, number, now).filter(|_| there) {
                found.push(
                    json!({ "sku": item.sku, "source_code": place.code, "quantity": told,
                    "status": i32::from(told > 0) }),
                );
            }
        }
    }
    page(shop, request, found)
}

fn write(shop: &mut Shop, body: &Value, now: Millis) -> Answer {
    let Some(list) = body["sourceItems"].as_array() else {
        return refusal(400, "\"%fieldName\" is required. Enter and try again.");
    };
    let mut wishes = Vec::new();
    for (nth, entry) in list.iter().enumerate() {
        let text = |name: &str| entry[name].as_str().unwrap_or("");
        let sku = text("sku");
        let place = shop.place_code(text("source_code"));
        let quantity = entry["quantity"].as_i64().or_else(|| {
            let text = entry["quantity"].as_str()?;
            text.parse().ok()
        });
        let (Some(place), Some(quantity), false) = (place, quantity, sku.is_empty()) else {
            return Answer::json(
                400,
                &json!({ "message": "Validation Failed", "errors": [
                { "message": "Source \"%code\" does not exist", "parameters": {} } ] }),
            );
        };
        // a row for a SKU that is not sold is stored and changes nothing
        let Some(at) = shop.sku(sku) else { continue };
        let wish = Wish {
            item: at,
            place,
            quantity,
            compare: None,
        };
        match shop.check(&wish, nth, list.len()) {
            Ok(()) | Err(Refusal::Negative | Refusal::NotStocked) => wishes.push(wish),
            Err(_) => {
                return Answer::json(400, &json!({ "message": "Could not save Source Item" }));
            }
        }
    }
    let count = wishes.len();
    for (nth, wish) in wishes.iter().enumerate() {
        shop.put(wish, "", nth, count, now);
    }
    Answer::json(200, &json!([]))
}
