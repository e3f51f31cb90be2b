//! Shopify's Admin GraphQL, as much as inventory needs: look-ups by SKU, levels, `inventorySetQuantities`.
//!
//! By version: up to 2025-10 `compareQuantity`, from 2026-04 `changeFromQuantity` and `@idempotent`. A mutation is done as a
//! whole or not at all.

mod reading;

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Millis, Request};
use super::graphql::{self, Out};
use super::shop::{KeyTrouble, QUANTITY_MAX, Refusal, Shop, Wish};

/// What the store is opened with.
pub const TOKEN: &str = "shpat_model";

const REASONS: [&str; 17] = [
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_created",
    "movement_updated",
    "movement_received",
    "movement_canceled",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
];

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let Some(version) = version(&request.path) else {
        return Answer::json(404, &json!({ "errors": "Not Found" }));
    };
    if request.header("x-shopify-access-token") != Some(TOKEN) {
        let words = "[API] Invalid API key or access token (unrecognized login or wrong password)";
        return Answer::json(401, &json!({ "errors": words }));
    }
    if request.method != "POST" {
        return Answer::json(400, &json!({ "errors": "Bad Request" }));
    }
    let (document, variables) = match graphql::request(&request.json()) {
        Ok(read) => read,
        Err(message) => {
            return Answer::json(200, &graphql::error(&message, "GRAPHQL_PARSE_FAILED"));
        }
    };
    let cost = if document.mutation { 10.0 } else { 5.0 };
    if !shop.spend(cost, now) {
        let mut body = graphql::error("Throttled", "THROTTLED");
        body["extensions"] = throttle(shop, cost, now);
        return Answer::json(200, &body);
    }
    let mut data = Map::new();
    for field in &document.fields {
        let done = root(shop, &document, field, &variables, version, now);
        match done {
            Ok(Value::Object(object)) => data.extend(object),
            Ok(_) => {}
            Err(message) => {
                let code = if message.starts_with("Cannot query") {
                    "undefinedField"
                } else if message.contains("is required for this mutation") {
                    "BAD_REQUEST"
                } else {
                    "INVALID_VARIABLE"
                };
                return Answer::json(200, &graphql::error(&message, code));
            }
        }
    }
    let body = json!({ "data": data, "extensions": throttle(shop, cost, now) });
    Answer::json(200, &body)
}

/// One field of the operation.
fn root(
    shop: &mut Shop,
    document: &graphql::Document,
    field: &graphql::Field,
    variables: &Map<String, Value>,
    version: (u32, u32),
    now: Millis,
) -> Result<Value, String> {
    let given = graphql::arguments(&field.arguments, variables)?;
    if document.mutation {
        let key = key(field, variables)?;
        let out = set_quantities(shop, &field.name, version, key, &given, now)?;
        return graphql::select_root(field, variables, out);
    }
    let out = reading::query(shop, &field.name, &given, now)?;
    graphql::select_root(field, variables, out)
}

/// Year and month of the version in the path.
fn version(path: &str) -> Option<(u32, u32)> {
    let rest = path.split("/admin/api/").nth(1)?;
    let (version, end) = rest.split_once('/')?;
    let (year, month) = version.split_once('-')?;
    (end == "graphql.json").then_some((year.parse().ok()?, month.parse().ok()?))
}

fn throttle(shop: &Shop, cost: f64, now: Millis) -> Value {
    let (most, back) = if shop.budget.0 > 0.0 {
        shop.budget
    } else {
        (20_000.0, 1000.0)
    };
    let left = if shop.budget.0 > 0.0 {
        shop.points_left(now).floor()
    } else {
        most
    };
    json!({ "cost": {
        "requestedQueryCost": cost, "actualQueryCost": cost,
        "throttleStatus": { "maximumAvailable": most, "currentlyAvailable": left, "restoreRate": back },
    }})
}

/// The key of `@idempotent`, where it stands.
fn key(field: &graphql::Field, variables: &Map<String, Value>) -> Result<Option<String>, String> {
    let Some((_, given)) = field
        .directives
        .iter()
        .find(|(name, _)| name == "idempotent")
    else {
        return Ok(None);
    };
    let given = graphql::arguments(given, variables)?;
    match given.get("key").and_then(Value::as_str) {
        Some(key) if !key.is_empty() && key.len() <= 255 => Ok(Some(key.to_owned())),
        _ => Err("Argument 'key' on Directive 'idempotent' has an invalid value".to_owned()),
    }
}

/// The number in a global id of this kind.
fn number(gid: &Value, kind: &str) -> Option<u64> {
    let rest = gid.as_str()?.strip_prefix("gid://shopify/")?;
    let (found, number) = rest.split_once('/')?;
    (found == kind).then(|| number.split('?').next()?.parse().ok())?
}

fn set_quantities(
    shop: &mut Shop,
    name: &str,
    version: (u32, u32),
    key: Option<String>,
    given: &Map<String, Value>,
    now: Millis,
) -> Result<Out<'static>, String> {
    if name != "inventorySetQuantities" {
        return Err(format!("Cannot query field \"{name}\""));
    }
    let keyed = version >= (2026, 1);
    if version >= (2026, 4) && key.is_none() {
        return Err("The @idempotent directive is required for this mutation".to_owned());
    }
    if !keyed && key.is_some() {
        return Err("Directive @idempotent is not defined".to_owned());
    }
    let compare_name = if keyed {
        "changeFromQuantity"
    } else {
        "compareQuantity"
    };
    let input = &given.get("input").cloned().unwrap_or(Value::Null);
    let mut known = vec!["name", "reason", "referenceDocumentUri", "quantities"];
    if version < (2026, 4) {
        known.push("ignoreCompareQuantity");
    }
    only(input, &known, "InventorySetQuantitiesInput")?;
    let quantities = input["quantities"]
        .as_array()
        .ok_or("Expected value of quantities to not be null")?;
    if quantities.len() > 250 {
        return Err(format!(
            "The input array size of {} is greater than the maximum allowed of 250.",
            quantities.len()
        ));
    }
    for quantity in quantities {
        let known = ["inventoryItemId", "locationId", "quantity", compare_name];
        only(quantity, &known, "InventoryQuantityInput")?;
        let whole = quantity["quantity"].is_i64() || quantity["quantity"].is_u64();
        let compare = &quantity[compare_name];
        if !whole || !(compare.is_null() || compare.is_i64()) {
            return Err("Variable $input of type Int was provided invalid value".to_owned());
        }
        if version >= (2026, 4) && quantity.get(compare_name).is_none() {
            return Err(format!("Expected value of {compare_name} to be given"));
        }
    }
    let shape = input.to_string();
    if let Some(key) = &key {
        let refuse = |code: &str, message: &str| {
            Out::Value(json!({ "inventoryAdjustmentGroup": null, "userErrors": [
                { "code": code, "field": null, "message": message },
            ]}))
        };
        match shop.known_key(key, &shape, now) {
            Ok(Some(answer)) => return Ok(Out::Value(answer)),
            Err(()) => {
                let words = "The idempotency key was used with other parameters.";
                return Ok(refuse("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", words));
            }
            Ok(None) => {}
        }
        match shop.mischief.key {
            KeyTrouble::None => {}
            KeyTrouble::Busy => {
                let words = "A request with this key is under way.";
                return Ok(refuse("IDEMPOTENCY_CONCURRENT_REQUEST", words));
            }
            KeyTrouble::Failed => {
                let words = "An earlier request with this key failed.";
                return Ok(refuse("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", words));
            }
        }
    }
    let answer = judge(shop, input, compare_name, key.as_deref().unwrap_or(""), now);
    if let Some(key) = key {
        shop.keep_key(&key, shape, answer.clone(), now);
    }
    Ok(Out::Value(answer))
}

/// An object with no key but these.
fn only(object: &Value, known: &[&str], kind: &str) -> Result<(), String> {
    let object = object
        .as_object()
        .ok_or_else(|| format!("Expected value of {kind} to not be null"))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(format!("Field is not defined on {kind}: {stranger}")),
        None => Ok(()),
    }
}

fn judge(shop: &mut Shop, input: &Value, compare: &str, key: &str, now: Millis) -> Value {
    let mut errors = Vec::new();
    let mut error = |code: &str, field: &str, message: &str| {
        let path: Vec<&str> = field.split('.').collect();
        errors.push(json!({ "code": code, "field": path, "message": message }));
    };
    if !["available", "on_hand"].contains(&input["name"].as_str().unwrap_or("")) {
        error(
            "INVALID_NAME",
            "input.name",
            "The quantity name is invalid.",
        );
    }
    if !REASONS.contains(&input["reason"].as_str().unwrap_or("")) {
        error("INVALID_REASON", "input.reason", "The reason is invalid.");
    }
    if let Some(uri) = input["referenceDocumentUri"].as_str()
        && !uri.contains("://")
    {
        let words = "The document URI is invalid.";
        error(
            "INVALID_REFERENCE_DOCUMENT",
            "input.referenceDocumentUri",
            words,
        );
    }
    let free = input["ignoreCompareQuantity"] == true;
    let list = input["quantities"].as_array().cloned().unwrap_or_default();
    let mut wishes: Vec<Wish> = Vec::new();
    for (nth, quantity) in list.iter().enumerate() {
        let field = |name: &str| format!("input.quantities.{nth}.{name}");
        let item = number(&quantity["inventoryItemId"], "InventoryItem");
        let Some(item) = item.and_then(|id| shop.inventory(id)) else {
            let words = "The specified inventory item could not be found.";
            error("INVALID_INVENTORY_ITEM", &field("inventoryItemId"), words);
            continue;
        };
        let place = number(&quantity["locationId"], "Location");
        let Some(place) = place.and_then(|id| shop.place(id)) else {
            let words = "The specified location could not be found.";
            error("INVALID_LOCATION", &field("locationId"), words);
            continue;
        };
        let expected = quantity[compare].as_i64();
        if expected.is_none() && compare == "compareQuantity" && !free {
            let words = "The compareQuantity argument must be given.";
            error("COMPARE_QUANTITY_REQUIRED", &field(compare), words);
            continue;
        }
        if wishes
            .iter()
            .any(|wish| (wish.item, wish.place) == (item, place))
        {
            let words = "The combination of inventoryItemId and locationId must be unique.";
            let code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR";
            error(code, &field("inventoryItemId"), words);
            continue;
        }
        let wish = Wish {
            item,
            place,
            quantity: quantity["quantity"].as_i64().unwrap_or(QUANTITY_MAX + 1),
            compare: if free { None } else { expected },
        };
        match shop.check(&wish, nth, list.len()) {
            Ok(()) => {}
            Err(Refusal::NotStocked) => error(
                "ITEM_NOT_STOCKED_AT_LOCATION",
                &field("locationId"),
                "The specified inventory item is not stocked at the location.",
            ),
            Err(Refusal::Negative) => error(
                "INVALID_QUANTITY_NEGATIVE",
                &field("quantity"),
                "The quantity can't be negative.",
            ),
            Err(Refusal::TooHigh) => error(
                "INVALID_QUANTITY_TOO_HIGH",
                &field("quantity"),
                "The quantity can't be higher than 1,000,000,000.",
            ),
            Err(Refusal::Stale) => {
                let code = if compare == "compareQuantity" {
                    "COMPARE_QUANTITY_STALE"
                } else {
                    "CHANGE_FROM_QUANTITY_STALE"
                };
                let words = format!("The {compare} argument no longer matches the quantity.");
                error(code, &field(compare), &words);
            }
            Err(Refusal::Whim) => error(
                "ITEM_NOT_STOCKED_AT_LOCATION",
                &field("locationId"),
                "The specified inventory item is not stocked at the location.",
            ),
        }
        wishes.push(wish);
    }
    if !errors.is_empty() {
        return json!({ "inventoryAdjustmentGroup": null, "userErrors": errors });
    }
    let mut changes = Vec::new();
    for (nth, wish) in wishes.iter().enumerate() {
        let before = shop.level(wish.item, wish.place).unwrap_or(0);
        shop.put(wish, key, nth, wishes.len(), now);
        changes.push(json!({
            "__typename": "InventoryChange",
            "name": input["name"],
            "delta": wish.quantity - before,
            "quantityAfterChange": wish.quantity,
            "item": { "id": gid("InventoryItem", shop.items[wish.item].inventory) },
            "location": { "id": gid("Location", shop.places[wish.place].id) },
        }));
    }
    let changes = shop.bend(changes, || {
        json!({ "name": "available", "delta": 1, "quantityAfterChange": 1,
            "item": { "id": gid("InventoryItem", 1) }, "location": { "id": gid("Location", 1) } })
    });
    let group = json!({
        "id": gid("InventoryAdjustmentGroup", shop.call),
        "createdAt": "2026-11-22T10:00:00Z",
        "reason": input["reason"],
        "referenceDocumentUri": input["referenceDocumentUri"],
        "changes": changes,
    });
    json!({ "inventoryAdjustmentGroup": group, "userErrors": [] })
}

fn gid(kind: &str, number: u64) -> String {
    format!("gid://shopify/{kind}/{number}")
}
