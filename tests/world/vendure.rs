//! Vendure's Admin GraphQL: `login` and its session, variants by SKU with levels by stock location, `updateProductVariants`
//! in one transaction. Orders allocate; the level stays.

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Millis, Request};
use super::graphql::{self, Field, Out};
use super::shop::{Shop, Wish};

/// Administrator.
pub const USER: &str = "superadmin";
/// Their password.
pub const PASSWORD: &str = "superadmin";

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    if !request.path.trim_end_matches('/').ends_with("/admin-api") || request.method != "POST" {
        return Answer::text(404, "text/html; charset=utf-8", "<pre>Cannot GET</pre>");
    }
    let (document, variables) = match graphql::request(&request.json()) {
        Ok(read) => read,
        Err(message) => {
            let body = graphql::error(&message, "GRAPHQL_VALIDATION_FAILED");
            return Answer::json(400, &body);
        }
    };
    let token = request
        .header("authorization")
        .and_then(|text| text.strip_prefix("Bearer "))
        .unwrap_or("");
    let inside = shop.session(token, now);
    let mut data = Map::new();
    let mut session = None;
    for field in &document.fields {
        let done = graphql::arguments(&field.arguments, &variables).and_then(|given| {
            let out = match (document.mutation, field.name.as_str()) {
                (true, "login") => login(shop, &Value::Object(given), &mut session, now),
                (true, "authenticate") => login(shop, &given["input"]["native"], &mut session, now),
                _ if !inside => {
                    return Err(
                        "FORBIDDEN You are not currently authorized to perform this action".into(),
                    );
                }
                (true, "updateProductVariants") => update(shop, &given["input"], now)?,
                (true, "updateProductVariant") => {
                    let list = json!([given["input"]]);
                    match update(shop, &list, now)? {
                        Out::Value(Value::Array(mut list)) if !list.is_empty() => {
                            Out::Value(list.remove(0))
                        }
                        _ => Out::Value(Value::Null),
                    }
                }
                (false, name) => query(shop, name, &given, now)?,
                (true, name) => return Err(format!("Cannot query field \"{name}\"")),
            };
            graphql::select_root(field, &variables, out)
        });
        match done {
            Ok(Value::Object(object)) => data.extend(object),
            Ok(_) => {}
            Err(message) => return refusal(&message, field),
        }
    }
    let mut answer = Answer::json(200, &json!({ "data": data }));
    if let Some(token) = session {
        answer = answer.with("vendure-auth-token", token);
    }
    answer
}

/// An error of the whole document: what its transaction did is taken back.
fn refusal(message: &str, field: &Field) -> Answer {
    if message.starts_with("Cannot query") {
        let body = graphql::error(message, "GRAPHQL_VALIDATION_FAILED");
        return Answer::json(400, &body);
    }
    let (code, message) = match message.split_once(' ') {
        Some((code @ ("FORBIDDEN" | "ENTITY_NOT_FOUND" | "USER_INPUT_ERROR"), rest)) => {
            (code, rest)
        }
        _ => ("USER_INPUT_ERROR", message),
    };
    let body = json!({
        "errors": [{ "message": message, "path": [field.alias],
            "extensions": { "code": code } }],
        "data": null,
    });
    Answer::json(200, &body)
}

fn login(
    shop: &mut Shop,
    given: &Value,
    session: &mut Option<String>,
    now: Millis,
) -> Out<'static> {
    if given["username"] != USER || given["password"] != PASSWORD {
        return Out::Value(json!({ "__typename": "InvalidCredentialsError",
            "errorCode": "INVALID_CREDENTIALS_ERROR",
            "message": "The provided credentials are invalid" }));
    }
    *session = Some(shop.login(now));
    Out::Value(
        json!({ "__typename": "CurrentUser", "id": "1", "identifier": USER, "channels": [] }),
    )
}

fn variant(shop: &Shop, at: usize, now: Millis) -> Value {
    let item = &shop.items[at];
    let levels: Vec<Value> = shop
        .places
        .iter()
        .enumerate()
        .filter_map(|(number, place)| {
            let told = shop.told(at, number, now)?;
            Some(json!({
                "__typename": "StockLevel",
                "id": format!("{}{}", item.id, number),
                "stockLocationId": place.id.to_string(),
                "stockLocation": { "id": place.id.to_string(), "name": place.code },
                "stockOnHand": told,
                "stockAllocated": item.reserved[number],
            }))
        })
        .collect();
    let sum: i64 = levels
        .iter()
        .filter_map(|level| level["stockOnHand"].as_i64())
        .sum();
    json!({
        "__typename": "ProductVariant",
        "id": item.id.to_string(),
        "productId": item.product.to_string(),
        "product": { "id": item.product.to_string() },
        "sku": item.sku,
        "name": item.sku,
        "enabled": true,
        "trackInventory": if item.tracked { "TRUE" } else { "FALSE" },
        "outOfStockThreshold": 0,
        "stockOnHand": sum,
        "stockLevels": levels,
    })
}

fn query(
    shop: &Shop,
    name: &str,
    given: &Map<String, Value>,
    now: Millis,
) -> Result<Out<'static>, String> {
    match name {
        "productVariants" => {
            let options = &given.get("options").cloned().unwrap_or(Value::Null);
            let filter = &options["filter"];
            if let Some(stranger) = filter
                .as_object()
                .and_then(|filter| filter.keys().find(|key| *key != "sku" && *key != "id"))
            {
                return Err(format!("Cannot query field \"{stranger}\""));
            }
            let wanted = |name: &str| -> Option<Vec<String>> {
                let by = &filter[name];
                if let Some(list) = by["in"].as_array() {
                    return Some(
                        list.iter()
                            .filter_map(|text| text.as_str().map(str::to_owned))
                            .collect(),
                    );
                }
                by["eq"].as_str().map(|text| vec![text.to_owned()])
            };
            let (skus, ids) = (wanted("sku"), wanted("id"));
            let named: Option<Vec<&str>> = skus
                .as_ref()
                .map(|skus| skus.iter().map(String::as_str).collect());
            let mut found = shop.search(named.as_deref(), true);
            if let Some(ids) = ids {
                found.retain(|at| ids.contains(&shop.items[*at].id.to_string()));
            }
            let number = |name: &str| {
                let number = options[name].as_u64()?;
                usize::try_from(number).ok()
            };
            let take = number("take").unwrap_or(1000);
            if take > 1000 {
                return Err("USER_INPUT_ERROR Cannot take more than 1000 results".to_owned());
            }
            let (start, end, _) = shop.page(number("skip").unwrap_or(0), take, found.len());
            let list = found[start..end].iter().map(|at| variant(shop, *at, now));
            let list = shop.bend(list.collect(), extra);
            Ok(Out::Value(
                json!({ "items": list, "totalItems": found.len() }),
            ))
        }
        "productVariant" => {
            let id = given.get("id").and_then(number);
            Ok(Out::Value(
                id.and_then(|id| shop.id(id))
                    .map_or(Value::Null, |at| variant(shop, at, now)),
            ))
        }
        "stockLocations" => {
            let list: Vec<Value> = shop
                .places
                .iter()
                .map(|place| json!({ "id": place.id.to_string(), "name": place.code }))
                .collect();
            Ok(Out::Value(
                json!({ "items": list, "totalItems": list.len() }),
            ))
        }
        "me" => Ok(Out::Value(json!({ "id": "1", "identifier": USER }))),
        other => Err(format!("Cannot query field \"{other}\"")),
    }
}

fn extra() -> Value {
    json!({ "__typename": "ProductVariant", "id": "1", "productId": "1", "product": { "id": "1" },
        "sku": "NOBODY-ASKED", "name": "", "enabled": true, "trackInventory": "TRUE",
        "outOfStockThreshold": 0, "stockOnHand": 5, "stockLevels": [] })
}

fn number(id: &Value) -> Option<u64> {
    match id {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

fn update(shop: &mut Shop, input: &Value, now: Millis) -> Result<Out<'static>, String> {
    let list = input
        .as_array()
        .ok_or("USER_INPUT_ERROR input must be a list")?;
    let mut wishes = Vec::new();
    let mut touched = Vec::new();
    for (nth, entry) in list.iter().enumerate() {
        let known = [
            "id",
            "stockOnHand",
            "stockLevels",
            "enabled",
            "trackInventory",
            "sku",
            "price",
            "prices",
            "outOfStockThreshold",
            "useGlobalOutOfStockThreshold",
        ];
        let stranger = entry
            .as_object()
            .and_then(|entry| entry.keys().find(|key| !known.contains(&key.as_str())));
        if let Some(stranger) = stranger {
            return Err(format!("Cannot query field \"{stranger}\""));
        }
        let shown = entry["id"].to_string();
        let at = number(&entry["id"])
            .and_then(|id| shop.id(id))
            .ok_or_else(|| {
                format!("ENTITY_NOT_FOUND No ProductVariant with the id {shown} could be found")
            })?;
        touched.push(at);
        let mut wish = |place: usize, quantity: &Value| -> Result<(), String> {
            let quantity = quantity
                .as_i64()
                .filter(|quantity| i32::try_from(*quantity).is_ok())
                .ok_or("USER_INPUT_ERROR Int cannot represent this value")?;
            let wish = Wish {
                item: at,
                place,
                quantity,
                compare: None,
            };
            match shop.check(&wish, nth, list.len()) {
                Err(super::shop::Refusal::Whim) => {
                    Err("USER_INPUT_ERROR The variant cannot be updated".to_owned())
                }
                _ => {
                    wishes.push(wish);
                    Ok(())
                }
            }
        };
        if !entry["stockOnHand"].is_null() {
            wish(0, &entry["stockOnHand"])?;
        }
        for level in entry["stockLevels"].as_array().unwrap_or(&Vec::new()) {
            let id = number(&level["stockLocationId"]);
            let place = id.and_then(|id| shop.place(id)).ok_or_else(|| {
                let shown = level["stockLocationId"].to_string();
                format!("ENTITY_NOT_FOUND No StockLocation with the id {shown} could be found")
            })?;
            wish(place, &level["stockOnHand"])?;
        }
    }
    let count = wishes.len();
    for (nth, wish) in wishes.iter().enumerate() {
        shop.put(wish, "", nth, count, now);
    }
    let said: Vec<Value> = touched
        .iter()
        .map(|at| {
            let mut said = variant(shop, *at, now);
            // a lie is told in full
            for wish in wishes.iter().filter(|wish| wish.item == *at) {
                let id = shop.places[wish.place].id.to_string();
                for level in said["stockLevels"].as_array_mut().into_iter().flatten() {
                    if level["stockLocationId"] == id.as_str() {
                        level["stockOnHand"] = json!(wish.quantity);
                    }
                }
            }
            said
        })
        .collect();
    Ok(Out::Value(Value::Array(shop.bend(said, extra))))
}
