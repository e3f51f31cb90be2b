//! What Shopify answers to queries: variants and inventory items by SKU, their levels, page by page.

use serde_json::{Map, Value, json};

use super::super::exchange::Millis;
use super::super::graphql::Out;
use super::super::shop::Shop;
use super::{gid, number};

pub(super) fn query<'a>(
    shop: &'a Shop,
    name: &str,
    given: &Map<String, Value>,
    now: Millis,
) -> Result<Out<'a>, String> {
    let none = Ok(Out::Value(Value::Null));
    match name {
        "productVariants" | "inventoryItems" => {
            let words = skus(given.get("query").and_then(Value::as_str).unwrap_or(""));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let found = shop.search((!words.is_empty()).then_some(&words), false);
            let variants = name == "productVariants";
            connection(shop, &found, given, move |at| {
                if variants {
                    variant(shop, at, now)
                } else {
                    inventory_item(shop, at, now)
                }
            })
        }
        "inventoryItem" => match given.get("id").and_then(|id| number(id, "InventoryItem")) {
            Some(id) => Ok(shop
                .inventory(id)
                .map_or(Out::Value(Value::Null), |at| inventory_item(shop, at, now))),
            None => none,
        },
        "nodes" => {
            let ids = given.get("ids").and_then(Value::as_array);
            let ids = ids.ok_or("Expected value of ids to not be null")?;
            if ids.len() > 250 {
                return Err(
                    "The input array size is greater than the maximum allowed of 250.".into(),
                );
            }
            let found = ids.iter().map(|id| {
                if let Some(number) = number(id, "InventoryItem") {
                    return shop
                        .inventory(number)
                        .map(|at| inventory_item(shop, at, now));
                }
                let number = number(id, "ProductVariant")?;
                shop.id(number).map(|at| variant(shop, at, now))
            });
            Ok(Out::List(
                found
                    .map(|out| out.unwrap_or(Out::Value(Value::Null)))
                    .collect(),
            ))
        }
        "locations" => {
            let found: Vec<usize> = (0..shop.places.len()).collect();
            connection(shop, &found, given, |at| {
                let place = &shop.places[at];
                Out::Value(
                    json!({ "__typename": "Location", "id": gid("Location", place.id),
                    "name": place.code, "isActive": true }),
                )
            })
        }
        "shop" => Ok(Out::Value(
            json!({ "name": "Model", "myshopifyDomain": "model.invalid" }),
        )),
        other => Err(format!("Cannot query field \"{other}\"")),
    }
}

/// The SKUs of a search: `sku:A OR sku:"B C"`.
fn skus(query: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in query.split("sku:").skip(1) {
        let part = part.trim_start();
        let mut chars = part.chars();
        let end = match chars.next() {
            Some(quote @ ('"' | '\'')) => Some(quote),
            _ => {
                chars = part.chars();
                None
            }
        };
        let mut sku = String::new();
        while let Some(c) = chars.next() {
            match (c, end) {
                ('\\', _) => sku.extend(chars.next()),
                (c, Some(quote)) if c == quote => break,
                (c, None) if c.is_whitespace() || c == ')' => break,
                (c, _) => sku.push(c),
            }
        }
        found.push(sku);
    }
    found
}

/// A page of a list, in Shopify's form.
fn connection<'a>(
    shop: &'a Shop,
    found: &[usize],
    given: &Map<String, Value>,
    node: impl Fn(usize) -> Out<'a> + 'a,
) -> Result<Out<'a>, String> {
    let size = given.get("first").and_then(Value::as_u64);
    let size = size.ok_or("you must provide one of first or last")?;
    if size > 250 {
        return Err("first cannot exceed 250".to_owned());
    }
    let size = usize::try_from(size).unwrap_or(250);
    let from = given.get("after").and_then(Value::as_str).unwrap_or("");
    let from = from.strip_prefix("cursor-").and_then(|at| at.parse().ok());
    let from = from.unwrap_or(0);
    let (start, end, next) = shop.page(from, size, found.len());
    let page: Vec<usize> = found[start..end].to_vec();
    let cursor = next.unwrap_or(end);
    let info = json!({ "hasNextPage": next.is_some(), "hasPreviousPage": start > 0,
        "startCursor": format!("cursor-{start}"), "endCursor": format!("cursor-{cursor}") });
    let node = std::rc::Rc::new(node);
    Ok(Out::Node(Box::new(move |name, _| {
        let node = std::rc::Rc::clone(&node);
        match name {
            "nodes" => Some(Out::List(page.iter().map(|at| node(*at)).collect())),
            "edges" => Some(Out::List(
                page.iter()
                    .map(|&at| {
                        let node = std::rc::Rc::clone(&node);
                        Out::Node(Box::new(
                            move |name: &str, _: &Map<String, Value>| match name {
                                "node" => Some(node(at)),
                                "cursor" => Some(Out::Value(json!(format!("cursor-{at}")))),
                                _ => None,
                            },
                        ))
                    })
                    .collect(),
            )),
            "pageInfo" => Some(Out::Value(info.clone())),
            _ => None,
        }
    })))
}

fn variant(shop: &Shop, at: usize, now: Millis) -> Out<'_> {
    let item = &shop.items[at];
    Out::Node(Box::new(move |name, _| {
        Some(match name {
            "__typename" => Out::Value(json!("ProductVariant")),
            "id" => Out::Value(json!(gid("ProductVariant", item.id))),
            "sku" => Out::Value(json!(item.sku)),
            "product" => Out::Value(json!({ "id": gid("Product", item.product) })),
            "inventoryItem" => inventory_item(shop, at, now),
            "inventoryQuantity" => {
                let sum = (0..shop.places.len()).filter_map(|place| shop.told(at, place, now));
                Out::Value(json!(sum.sum::<i64>()))
            }
            _ => return None,
        })
    }))
}

fn inventory_item(shop: &Shop, at: usize, now: Millis) -> Out<'_> {
    let item = &shop.items[at];
    Out::Node(Box::new(move |name, given| {
        Some(match name {
            "__typename" => Out::Value(json!("InventoryItem")),
            "id" => Out::Value(json!(gid("InventoryItem", item.inventory))),
            "sku" => Out::Value(json!(item.sku)),
            "tracked" => Out::Value(json!(item.tracked)),
            "variant" => {
                Out::Value(json!({ "id": gid("ProductVariant", item.id), "sku": item.sku }))
            }
            "inventoryLevels" => {
                let stocked: Vec<usize> = (0..shop.places.len())
                    .filter(|&place| item.levels[place].is_some())
                    .collect();
                connection(shop, &stocked, given, move |place| {
                    level(shop, at, place, now)
                })
                .ok()?
            }
            "inventoryLevel" => given
                .get("locationId")
                .and_then(|id| shop.place(number(id, "Location")?))
                .filter(|place| item.levels[*place].is_some())
                .map_or(Out::Value(Value::Null), |place| level(shop, at, place, now)),
            _ => return None,
        })
    }))
}

fn level(shop: &Shop, at: usize, place: usize, now: Millis) -> Out<'_> {
    let quantity = shop.told(at, place, now).unwrap_or(0);
    let item = &shop.items[at];
    let there = &shop.places[place];
    Out::Node(Box::new(move |name, given| {
        Some(match name {
            "__typename" => Out::Value(json!("InventoryLevel")),
            "id" => {
                let id = gid("InventoryLevel", there.id);
                Out::Value(json!(format!("{id}?inventory_item_id={}", item.inventory)))
            }
            "location" => {
                Out::Value(json!({ "id": gid("Location", there.id), "name": there.code }))
            }
            "item" => {
                Out::Value(json!({ "id": gid("InventoryItem", item.inventory), "sku": item.sku }))
            }
            "quantities" => Out::Value(
                given
                    .get("names")?
                    .as_array()?
                    .iter()
                    .map(|name| json!({ "name": name, "quantity": quantity }))
                    .collect(),
            ),
            _ => return None,
        })
    }))
}
