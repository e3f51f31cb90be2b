//! The protocols a store may speak, each a pure function on the shop.

use serde_json::Value;

use super::exchange::{Answer, Millis, Request};
use super::shop::{Shop, Wish};
use super::{magento, medusa, plain, prestashop, shopify, vendure, woocommerce};

/// A way to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Admin GraphQL; the version stands in the path.
    Shopify,
    /// REST v3.
    WooCommerce,
    /// Admin GraphQL.
    Vendure,
    /// REST.
    Medusa,
    /// Source items.
    Magento,
    /// The webservice.
    PrestaShop,
    /// One's own.
    Plain,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A token.
    Login,
    /// It changes nothing.
    Read,
    /// It sets levels.
    Write,
}

impl Protocol {
    /// All.
    pub const ALL: [Protocol; 7] = [
        Protocol::Shopify,
        Protocol::WooCommerce,
        Protocol::Vendure,
        Protocol::Medusa,
        Protocol::Magento,
        Protocol::PrestaShop,
        Protocol::Plain,
    ];

    /// As it is named on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Shopify => "shopify",
            Protocol::WooCommerce => "woocommerce",
            Protocol::Vendure => "vendure",
            Protocol::Medusa => "medusa",
            Protocol::Magento => "magento",
            Protocol::PrestaShop => "prestashop",
            Protocol::Plain => "http-json",
        }
    }

    /// By its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether it sets a level only where another still stands.
    pub fn compares(self) -> bool {
        matches!(self, Protocol::Shopify | Protocol::Plain)
    }

    /// Whether it knows locations.
    pub fn places(self) -> bool {
        !matches!(self, Protocol::WooCommerce | Protocol::PrestaShop)
    }

    /// Answers a request.
    pub fn answer(self, shop: &mut Shop, request: &Request, now: Millis) -> Answer {
        shop.call += 1;
        match self {
            Protocol::Shopify => shopify::answer(shop, request, now),
            Protocol::WooCommerce => woocommerce::answer(shop, request, now),
            Protocol::Vendure => vendure::answer(shop, request, now),
            Protocol::Medusa => medusa::answer(shop, request, now),
            Protocol::Magento => magento::answer(shop, request, now),
            Protocol::PrestaShop => prestashop::answer(shop, request, now),
            Protocol::Plain => plain::answer(shop, request, now),
        }
    }

    /// The store's name of a place, as a client configures it.
    pub fn place_name(self, shop: &Shop, place: usize) -> String {
        let place = &shop.places[place];
        match self {
            Protocol::Shopify => format!("gid://shopify/Location/{}", place.id),
            Protocol::WooCommerce | Protocol::PrestaShop => String::new(),
            Protocol::Vendure => place.id.to_string(),
            Protocol::Medusa => format!("sloc_{}", place.id),
            Protocol::Magento | Protocol::Plain => place.code.clone(),
        }
    }

    /// The levels that a request asks for; those of unknown things are left out.
    pub fn wishes(self, shop: &Shop, request: &Request) -> Vec<Wish> {
        let body = request.json();
        let number = |id: &Value| -> Option<u64> {
            match id {
                Value::Number(number) => number.as_u64(),
                Value::String(text) => text.rsplit(['/', '_']).next()?.parse().ok(),
                _ => None,
            }
        };
        let list = |at: &str| {
            let list = body.pointer(at).and_then(Value::as_array);
            list.cloned().unwrap_or_default()
        };
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let inventory = |id: &Value| number(id).and_then(|id| shop.inventory(id));
        let variant = |id: &Value| number(id).and_then(|id| shop.id(id));
        let place = |id: &Value| number(id).and_then(|id| shop.place(id));
        let mut wishes = Vec::new();
        let mut add =
            |item: Option<usize>, place: Option<usize>, quantity: &Value, compare: &Value| {
                if let (Some(item), Some(place), Some(quantity)) = (item, place, quantity.as_i64())
                {
                    let compare = compare.as_i64();
                    wishes.push(Wish {
                        item,
                        place,
                        quantity,
                        compare,
                    });
                }
            };
        let none = Value::Null;
        match self {
            Protocol::Shopify => {
                for entry in list("/variables/input/quantities") {
                    let compare = match &entry["changeFromQuantity"] {
                        Value::Null => &entry["compareQuantity"],
                        compare => compare,
                    };
                    let item = inventory(&entry["inventoryItemId"]);
                    add(
                        item,
                        place(&entry["locationId"]),
                        &entry["quantity"],
                        compare,
                    );
                }
            }
            Protocol::WooCommerce => {
                for entry in list("/update") {
                    add(
                        variant(&entry["id"]),
                        Some(0),
                        &entry["stock_quantity"],
                        &none,
                    );
                }
            }
            Protocol::Vendure => {
                for entry in list("/variables/input") {
                    let item = variant(&entry["id"]);
                    for level in entry["stockLevels"].as_array().unwrap_or(&Vec::new()) {
                        add(
                            item,
                            place(&level["stockLocationId"]),
                            &level["stockOnHand"],
                            &none,
                        );
                    }
                }
            }
            Protocol::Medusa => {
                for entry in list("/update") {
                    let item = inventory(&entry["inventory_item_id"]);
                    add(
                        item,
                        place(&entry["location_id"]),
                        &entry["stocked_quantity"],
                        &none,
                    );
                }
            }
            Protocol::Magento => {
                for entry in list("/sourceItems") {
                    let place = shop.place_code(&text(&entry["source_code"]));
                    add(
                        shop.sku(&text(&entry["sku"])),
                        place,
                        &entry["quantity"],
                        &none,
                    );
                }
            }
            Protocol::PrestaShop => {
                if let Some((row, quantity)) = prestashop::named(request) {
                    add(shop.inventory(row), Some(0), &quantity.into(), &none);
                }
            }
            Protocol::Plain => {
                for entry in list("/levels") {
                    let place = shop.place_code(&text(&entry["location"]));
                    let item = shop.sku(&text(&entry["sku"]));
                    add(item, place, &entry["quantity"], &entry["expected"]);
                }
            }
        }
        wishes
    }

    /// The key of a write; empty where it has none.
    pub fn key(self, request: &Request) -> String {
        match self {
            Protocol::Shopify => {
                let body = request.json();
                let text = body["query"].as_str().unwrap_or("");
                let name = text
                    .split_once("@idempotent(key: $")
                    .and_then(|(_, rest)| rest.split(')').next());
                let key = name.map(|name| &body["variables"][name]);
                key.and_then(Value::as_str).unwrap_or("").to_owned()
            }
            Protocol::Plain => request.header("idempotency-key").unwrap_or("").to_owned(),
            _ => String::new(),
        }
    }

    /// What a request is for.
    pub fn kind(self, request: &Request) -> Kind {
        match self {
            Protocol::Shopify | Protocol::Vendure => {
                let text = request.json();
                let text = text["query"].as_str().unwrap_or("").trim_start();
                if !text.starts_with("mutation") {
                    Kind::Read
                } else if text.contains("login(") || text.contains("authenticate(") {
                    Kind::Login
                } else {
                    Kind::Write
                }
            }
            Protocol::Medusa if request.path.contains("/auth/") => Kind::Login,
            _ if request.method == "GET" => Kind::Read,
            _ => Kind::Write,
        }
    }
}
