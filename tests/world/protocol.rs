//! The protocols a store may speak, each a pure function on the shop.

use super::exchange::{Answer, Millis, Request};
use super::shop::Shop;
use super::{magento, medusa, plain, shopify, vendure, woocommerce};

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
    pub const ALL: [Protocol; 6] = [
        Protocol::Shopify,
        Protocol::WooCommerce,
        Protocol::Vendure,
        Protocol::Medusa,
        Protocol::Magento,
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
        self != Protocol::WooCommerce
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
            Protocol::Plain => plain::answer(shop, request, now),
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
