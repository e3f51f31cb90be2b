//! `[[store]]` and `[[sync]]`: an online store, and what keeps its stock in step.

use indexmap::{IndexMap, IndexSet};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::stock::Offer;
use crate::program::decimal;

use super::gate::Limit;

/// An online store. Keys beside those named here are the secrets that its connector asks for, by reference.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Store {
    /// Its name.
    pub name: String,
    /// The connector: the channel `NAME-stock`, built in or in the project's `channels/`.
    pub connector: String,
    /// Where it is.
    pub url: Option<String>,
    /// Its currency, for connectors that write one; the shop's by default.
    pub currency: Option<String>,
    /// What the connector needs beside secrets.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, serde_json::Value>")]
    pub settings: IndexMap<String, toml::Value>,
    /// Secrets by name: `env:NAME` or `file:PATH`.
    #[serde(flatten)]
    pub secrets: IndexMap<String, String>,
}

/// Who takes online orders off the count.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum OnlineOrders {
    /// The till books them at once: the count is already without them.
    Booked,
    /// They are read from a source with `role = "orders"` and taken off here.
    Subtract,
    /// The online store takes them off itself: it is sent what is there.
    StoreReserves,
}

/// What keeps an online store's stock in step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Its name.
    pub name: String,
    /// The stock source.
    pub from: String,
    /// The store.
    pub to: String,
    /// Who takes online orders off the count.
    pub online_orders: OnlineOrders,
    /// With `online_orders = "subtract"`, the source of orders; the only one with `role = "orders"` by default.
    pub orders: Option<String>,
    /// Units kept back at each location: a number, or a column's name.
    #[schemars(with = "Option<serde_json::Value>")]
    pub safety_stock: Option<toml::Value>,
    /// Units kept back by rule; the first that fits counts.
    #[serde(default)]
    pub keep: Vec<Keep>,
    /// The part of the stock that is offered, such as `80%`.
    pub share: Option<String>,
    /// Never fewer than this.
    pub minimum: Option<i64>,
    /// Never more than this.
    pub maximum: Option<i64>,
    /// Our locations to the store's, or those that are pooled into a store that has one stock.
    pub locations: Option<Locations>,
    /// What stops a run.
    #[serde(default)]
    pub guard: GuardLimits,
    /// The share of levels in step that each run reads back, besides what it sent; `1%` by default.
    pub recheck: Option<String>,
    /// The oldest a good run may be before `status` says so, such as `2h`; no limit by default.
    pub max_age: Option<String>,
    /// The longest a run may take, such as `10m`, the default.
    pub deadline: Option<String>,
}

impl Sync {
    /// What an online location shows, where the store takes no more than `most` units.
    pub fn offer(&self, most: i64) -> Offer {
        Offer {
            share: self
                .share
                .as_deref()
                .and_then(share)
                .unwrap_or(Decimal::ONE),
            minimum: self.minimum.unwrap_or(0).max(0),
            maximum: self.maximum.unwrap_or(i64::MAX).min(most),
        }
    }
}

/// Our locations and the store's.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(untagged)]
pub enum Locations {
    /// Ours = the store's. Several of ours may be pooled into one of the store's.
    Mapped(IndexMap<String, String>),
    /// Those that are pooled into a store that has one stock.
    Pooled(Vec<String>),
}

impl Locations {
    /// The store's name of one of ours; `None` where it does not take part.
    pub fn place(&self, location: &str) -> Option<&str> {
        match self {
            Locations::Mapped(map) => map.get(location).map(String::as_str),
            Locations::Pooled(list) => list.iter().any(|code| code == location).then_some(""),
        }
    }

    /// Our locations, in the order in which they are written, each with the number of the store's that it belongs to, counted
    /// from 0 as they are first named.
    pub fn numbered(&self) -> Vec<(String, usize)> {
        match self {
            Locations::Mapped(map) => {
                let places: IndexSet<&String> = map.values().collect();
                let number = |place| places.get_index_of(place).unwrap_or(0);
                map.iter()
                    .map(|(ours, place)| (ours.clone(), number(place)))
                    .collect()
            }
            Locations::Pooled(list) => list.iter().map(|code| (code.clone(), 0)).collect(),
        }
    }
}

/// `80%` or `0.8` as a part of one, from 0 to 1; `None` for what is no such part.
pub fn share(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let part = match text.strip_suffix('%') {
        Some(number) => decimal::parse(number.trim())?.checked_div(Decimal::ONE_HUNDRED)?,
        None => decimal::parse(text)?,
    };
    (Decimal::ZERO..=Decimal::ONE)
        .contains(&part)
        .then_some(part)
}

/// Units kept back by rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// For which products: CEL over catalog columns.
    #[serde(rename = "where")]
    pub filter: String,
    /// How many units.
    pub units: i64,
}

/// What stops a run of a sync: shares of the levels of a place and of all, tripped by more than they say, or `"off"`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct GuardLimits {
    /// Levels that would go to zero, of those above zero. Those of the last hour count with it.
    pub to_zero: Limit,
    /// Levels that would change, of all.
    pub changed: Limit,
    /// Units that would come or go, of all units.
    pub units: Limit,
    /// SKUs that the source no longer gives, of those it gave.
    pub vanished: Limit,
    /// Fewer levels than this trip nothing.
    pub at_least: u64,
}

impl Default for GuardLimits {
    fn default() -> Self {
        let percent = |percent: i64| Limit(Some(Decimal::new(percent, 2)));
        GuardLimits {
            to_zero: percent(10),
            changed: percent(50),
            units: percent(50),
            vanished: percent(10),
            at_least: 5,
        }
    }
}

/// Where changes are pushed to us, for a daemon: `POST /stock/SOURCE`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Whose form it has.
    #[serde(default)]
    pub form: WebhookForm,
    /// The secrets that may sign it, by reference: several while they are changed.
    pub secret: Vec<super::destination::SecretRef>,
    /// The address under which the sender knows us; Square signs it.
    pub url: Option<String>,
    /// Whether its numbers are taken as they are. Otherwise an event only has the source read, at once.
    #[serde(default)]
    pub trusted: bool,
}

/// Whose form a webhook has.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum WebhookForm {
    /// Ours: `docs/webhooks.md`.
    #[default]
    Generic,
    /// Shopify's `inventory_levels/update`.
    Shopify,
    /// WooCommerce's `product.updated`.
    Woocommerce,
    /// Square's `inventory.count.updated`.
    Square,
}

/// What a stock file holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Rows {
    /// All rows: those that are missing are gone.
    #[default]
    All,
    /// Only what changed.
    Changes,
}
