//! WooCommerce's REST v3: products and variations by SKU, batches of 100 with a verdict an item, no locations.

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Millis, Request};
use super::shop::{Refusal, Shop, Wish};

/// Consumer key.
pub const USER: &str = "ck_model";
/// Consumer secret.
pub const PASSWORD: &str = "cs_model";

/// Answers one request.
pub fn answer(shop: &mut Shop, request: &Request, now: Millis) -> Answer {
    let Some((_, path)) = request.path.split_once("/wp-json/wc/v3/") else {
        return refusal(404, "rest_no_route", "No route was found matching the URL.");
    };
    if request.header("authorization") != Some(&basic(USER, PASSWORD)) {
        let words = "Sorry, you cannot list resources.";
        return refusal(401, "woocommerce_rest_cannot_view", words);
    }
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let number = |text: &str| text.parse::<u64>().ok();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["products"]) => list(shop, request, None, now),
        ("GET", ["products", parent, "variations"]) => {
            list(shop, request, number(parent).or(Some(0)), now)
        }
        ("POST" | "PUT" | "PATCH", ["products", "batch"]) => batch(shop, request, None, now),
        ("POST" | "PUT" | "PATCH", ["products", parent, "variations", "batch"]) => {
            batch(shop, request, number(parent).or(Some(0)), now)
        }
        ("GET", ["products", id]) => match number(id).and_then(|id| shop.id(id)) {
            Some(at) => fields(request, Answer::json(200, &product(shop, at, now))),
            None => refusal(404, "woocommerce_rest_product_invalid_id", "Invalid ID."),
        },
        ("POST" | "PUT" | "PATCH", ["products", id]) => {
            single(shop, number(id), None, &request.json(), now)
        }
        ("POST" | "PUT" | "PATCH", ["products", parent, "variations", id]) => single(
            shop,
            number(id),
            number(parent).or(Some(0)),
            &request.json(),
            now,
        ),
        _ => refusal(404, "rest_no_route", "No route was found matching the URL."),
    }
}

/// The header of basic authentication.
pub fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    let text = format!("{user}:{password}");
    let text = base64::engine::general_purpose::STANDARD.encode(text);
    format!("Basic {text}")
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "code": code, "message": message, "data": { "status": status } });
    Answer::json(status, &body)
}

fn product(shop: &Shop, at: usize, now: Millis) -> Value {
    let item = &shop.items[at];
    let quantity = shop.told(at, 0, now).filter(|_| item.tracked);
    json!({
        "id": item.id,
        "parent_id": if item.variation { item.product } else { 0 },
        "type": if item.variation { "variation" } else { "simple" },
        "sku": item.sku,
        "status": "publish",
        "manage_stock": item.tracked,
        "stock_quantity": quantity,
        "stock_status": if quantity.unwrap_or(1) > 0 { "instock" } else { "outofstock" },
        "backorders": "no",
    })
}

/// Only the fields of `_fields`, where it is asked for.
fn fields(request: &Request, answer: Answer) -> Answer {
    let Some(wanted) = request.query("_fields") else {
        return answer;
    };
    let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
    let keep = |value: Value| match value {
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .filter(|(name, _)| wanted.contains(&name.as_str()))
                .collect::<Map<_, _>>(),
        ),
        value => value,
    };
    let body = match answer.value() {
        Value::Array(list) => Value::Array(list.into_iter().map(keep).collect()),
        value => keep(value),
    };
    Answer {
        body: body.to_string().into_bytes(),
        ..answer
    }
}

fn list(shop: &Shop, request: &Request, parent: Option<u64>, now: Millis) -> Answer {
    let size = request.number("per_page", 10);
    if size == 0 || size > 100 {
        let words = "Invalid parameter(s): per_page";
        return refusal(400, "rest_invalid_param", words);
    }
    let skus: Option<Vec<&str>> = request
        .query("sku")
        .filter(|text| !text.is_empty())
        .map(|text| text.split(',').map(str::trim).collect());
    let ids: Vec<u64> = request
        .queries("include")
        .iter()
        .flat_map(|text| text.split(','))
        .filter_map(|text| text.trim().parse().ok())
        .collect();
    // the database knows no case
    let mut found = shop.search(skus.as_deref(), false);
    found.retain(|&at| {
        let item = &shop.items[at];
        let in_parent = match parent {
            Some(parent) => item.variation && item.product == parent,
            // a search by SKU finds variations, too; a list of products does not
            None => skus.is_some() || !item.variation,
        };
        in_parent && (ids.is_empty() || ids.contains(&item.id))
    });
    let page = request.number("page", 1).max(1);
    let (start, end, next) = shop.page((page - 1) * size, size, found.len());
    let body: Vec<Value> = found[start..end]
        .iter()
        .map(|at| product(shop, *at, now))
        .collect();
    let body = shop.bend(body, || {
        json!({ "id": 1, "parent_id": 0, "type": "simple", "sku": "NOBODY-ASKED",
            "manage_stock": true, "stock_quantity": 5 })
    });
    let pages =
        found.len().div_ceil(size) + usize::from(next.is_some() && page * size >= found.len());
    let answer = Answer::json(200, &Value::Array(body))
        .with("x-wp-total", found.len().to_string())
        .with("x-wp-totalpages", pages.to_string());
    fields(request, answer)
}

/// What one update asks for: `Ok(None)` where it does not touch the level.
fn wish(
    shop: &mut Shop,
    id: Option<u64>,
    parent: Option<u64>,
    update: &Value,
) -> Result<(usize, Option<Wish>), (u16, &'static str, &'static str)> {
    let Some(at) = id.and_then(|id| shop.id(id)) else {
        return Err(match parent {
            None => (400, "woocommerce_rest_product_invalid_id", "Invalid ID."),
            Some(_) => (
                400,
                "woocommerce_rest_product_variation_invalid_id",
                "Invalid ID.",
            ),
        });
    };
    let item = &mut shop.items[at];
    match parent {
        None if item.variation => {
            let words = "To manipulate product variations you should use the /products/<product_id>/variations/<id> endpoint.";
            return Err((404, "woocommerce_rest_invalid_product_id", words));
        }
        Some(parent) if !item.variation || item.product != parent => {
            let code = "woocommerce_rest_product_variation_invalid_id";
            return Err((404, code, "Invalid ID."));
        }
        _ => {}
    }
    if let Some(managed) = update["manage_stock"].as_bool() {
        item.tracked = managed;
    }
    let given = &update["stock_quantity"];
    if given.is_null() || !item.tracked {
        return Ok((at, None));
    }
    let quantity = given
        .as_i64()
        .or_else(|| given.as_str().and_then(|text| text.parse().ok()));
    let Some(quantity) = quantity else {
        let words = "Invalid parameter(s): stock_quantity";
        return Err((400, "rest_invalid_param", words));
    };
    let wish = Wish {
        item: at,
        place: 0,
        quantity,
        compare: None,
    };
    Ok((at, Some(wish)))
}

fn single(
    shop: &mut Shop,
    id: Option<u64>,
    parent: Option<u64>,
    update: &Value,
    now: Millis,
) -> Answer {
    match update_one(shop, id, parent, update, (0, 1), now) {
        Ok(value) => Answer::json(200, &value),
        Err((status, code, message)) => refusal(status, code, message),
    }
}

fn update_one(
    shop: &mut Shop,
    id: Option<u64>,
    parent: Option<u64>,
    update: &Value,
    (nth, count): (usize, usize),
    now: Millis,
) -> Result<Value, (u16, &'static str, &'static str)> {
    let (at, wish) = wish(shop, id, parent, update)?;
    let Some(wish) = wish else {
        return Ok(product(shop, at, now));
    };
    match shop.check(&wish, nth, count) {
        // it takes levels below nothing: they are backorders
        Ok(()) | Err(Refusal::Negative) => {}
        Err(_) => {
            return Err((
                400,
                "woocommerce_rest_product_not_saved",
                "The item could not be saved.",
            ));
        }
    }
    shop.put(&wish, "", nth, count, now);
    let mut said = product(shop, at, now);
    // a lie is told in full
    said["stock_quantity"] = json!(wish.quantity);
    Ok(said)
}

fn batch(shop: &mut Shop, request: &Request, parent: Option<u64>, now: Millis) -> Answer {
    let body = request.json();
    let length = |name: &str| body[name].as_array().map_or(0, Vec::len);
    if length("create") + length("update") + length("delete") > 100 {
        let words = "Unable to accept more than 100 items for this request.";
        return refusal(413, "woocommerce_rest_request_entity_too_large", words);
    }
    if length("create") + length("delete") > 0 {
        let words = "Sorry, you are not allowed to create or delete here.";
        return refusal(403, "woocommerce_rest_cannot_create", words);
    }
    let updates = body["update"].as_array().cloned().unwrap_or_default();
    let mut said = Vec::new();
    for (nth, update) in updates.iter().enumerate() {
        let id = update["id"].as_u64();
        let done = update_one(shop, id, parent, update, (nth, updates.len()), now);
        said.push(done.unwrap_or_else(|(status, code, message)| {
            json!({ "id": update["id"], "error": {
                "code": code, "message": message, "data": { "status": status } } })
        }));
    }
    let said = shop.bend(
        said,
        || json!({ "id": 1, "sku": "NOBODY-ASKED", "stock_quantity": 5 }),
    );
    Answer::json(200, &json!({ "update": said }))
}
