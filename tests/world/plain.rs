//! The plain form of one's own store: `GET /stock?skus=A,B&offset=0` and `POST /stock` with a verdict an item, a key in the
//! `Idempotency-Key` header, and `expected` to compare with.

use serde_json::{Value, json};

use super::exchange::{Answer, Millis, Request};
use super::shop::{Refusal, Shop, Wish};

/// Bearer token.
pub const TOKEN: &str = "plain_model";

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    if request.header("authorization") != Some(&bearer) {
        return Answer::json(401, &json!({ "error": "unauthorized" }));
    }
    if !request.path.ends_with("/stock") {
        return Answer::json(404, &json!({ "error": "not_found" }));
    }
    match request.method.as_str() {
        "GET" => read(shop, request, now),
        "POST" | "PUT" | "PATCH" => write(shop, request, now),
        _ => Answer::json(405, &json!({ "error": "method_not_allowed" })),
    }
}

fn read(shop: &Shop, request: &Request, now: Millis) -> Answer {
    let skus: Vec<&str> = request
        .queries("skus")
        .iter()
        .flat_map(|text| text.split(','))
        .collect();
    let place = request.query("location").filter(|code| !code.is_empty());
    let mut list = Vec::new();
    for at in shop.search((!skus.is_empty()).then_some(&skus), true) {
        let item = &shop.items[at];
        for (number, there) in shop.places.iter().enumerate() {
            if place.is_some_and(|code| code != there.code) {
                continue;
            }
            if let Some(told) = shop.told(at, number, now) {
                list.push(json!({ "id": item.id, "sku": item.sku, "location": there.code, "quantity": told }));
            }
        }
    }
    let total = list.len();
    let (start, end, next) = shop.page(request.number("offset", 0), 200, total);
    let endless = shop.mischief.page == super::shop::Paging::Endless && next.is_some();
    let list = shop.bend(
        list[start..end].to_vec(),
        || json!({ "id": 1, "sku": "NOBODY-ASKED", "location": "nowhere", "quantity": 5 }),
    );
    let total = if endless { total + 1_000_000 } else { total };
    Answer::json(200, &json!({ "levels": list, "total": total }))
}

fn write(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let body = request.json();
    let Some(list) = body["levels"].as_array() else {
        return Answer::json(400, &json!({ "error": "no `levels`" }));
    };
    let key = request.header("idempotency-key").unwrap_or("").to_owned();
    let shape = body.to_string();
    if !key.is_empty() {
        match shop.known_key(&key, &shape, now) {
            Ok(Some(answer)) => return Answer::json(200, &answer),
            Ok(None) => {}
            Err(()) => return Answer::json(422, &json!({ "error": "key_mismatch" })),
        }
    }
    let mut said = Vec::new();
    for (nth, entry) in list.iter().enumerate() {
        let sku = entry["sku"].as_str().unwrap_or("");
        let code = entry["location"].as_str().unwrap_or("");
        let status = judge(shop, entry, (sku, code), &key, (nth, list.len()), now);
        let (status, code_said) = match status {
            Ok(()) => ("ok", Value::Null),
            Err(code) => ("refused", json!(code)),
        };
        let level = shop.sku(sku).and_then(|at| {
            let place = place(shop, code)?;
            shop.level(at, place)
        });
        said.push(
            json!({ "sku": sku, "location": code, "status": status, "code": code_said,
            "message": code_said, "quantity": level }),
        );
    }
    let said = shop.bend(
        said,
        || json!({ "sku": "NOBODY-ASKED", "location": "nowhere", "status": "ok" }),
    );
    let answer = json!({ "results": said });
    if !key.is_empty() {
        shop.keep_key(&key, shape, answer.clone(), now);
    }
    Answer::json(200, &answer)
}

fn place(shop: &Shop, code: &str) -> Option<usize> {
    if code.is_empty() && shop.places.len() == 1 {
        return Some(0);
    }
    shop.place_code(code)
}

fn judge(
    shop: &mut Shop,
    entry: &Value,
    (sku, code): (&str, &str),
    key: &str,
    (nth, count): (usize, usize),
    now: Millis,
) -> Result<(), &'static str> {
    let item = shop.sku(sku).ok_or("unknown_sku")?;
    let place = place(shop, code).ok_or("unknown_location")?;
    let wish = Wish {
        item,
        place,
        quantity: entry["quantity"].as_i64().ok_or("invalid_quantity")?,
        compare: entry["expected"].as_i64(),
    };
    shop.check(&wish, nth, count)
        .map_err(|refusal| match refusal {
            Refusal::Stale => "conflict",
            Refusal::NotStocked => "not_stocked",
            Refusal::Whim => "busy",
            Refusal::Negative | Refusal::TooHigh => "invalid_quantity",
        })?;
    shop.put(&wish, key, nth, count, now);
    Ok(())
}
