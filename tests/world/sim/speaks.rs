//! The program's own connectors, each with the protocol it speaks and the secrets it is opened with.

use std::collections::BTreeMap;

use shelfcast::channel::Channel;
use shelfcast::config::secret::Secret;

use super::super::protocol::Protocol;
use super::super::{magento, medusa, plain, shopify, vendure, woocommerce};

/// A connector, with the secrets it is opened with.
pub struct Speaks {
    /// The protocol it speaks.
    pub protocol: Protocol,
    pub(super) channel: Channel,
    pub(super) secrets: BTreeMap<String, Secret>,
}

/// The connectors that schedules are drawn from.
pub fn connectors() -> Vec<Speaks> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let with = |name: &str, protocol: Protocol, secrets: &[(&str, &str)]| {
        let channel = shelfcast::channel::load(None, name).expect("a connector");
        let secrets = secrets
            .iter()
            .map(|(name, value)| {
                let path = folder.path().join(name);
                std::fs::write(&path, value).expect("writes");
                let secret = Secret::resolve(&format!("file:{name}"), folder.path());
                ((*name).to_owned(), secret.expect("a secret"))
            })
            .collect();
        Speaks {
            protocol,
            channel,
            secrets,
        }
    };
    vec![
        with(
            "shopify-stock",
            Protocol::Shopify,
            &[("token", shopify::TOKEN)],
        ),
        with(
            "shopify-2025-stock",
            Protocol::Shopify,
            &[("token", shopify::TOKEN)],
        ),
        with(
            "woocommerce-stock",
            Protocol::WooCommerce,
            &[
                ("consumer_key", woocommerce::USER),
                ("consumer_secret", woocommerce::PASSWORD),
            ],
        ),
        with(
            "vendure-stock",
            Protocol::Vendure,
            &[("user", vendure::USER), ("password", vendure::PASSWORD)],
        ),
        with(
            "medusa-stock",
            Protocol::Medusa,
            &[("api_key", medusa::KEY)],
        ),
        with(
            "magento-stock",
            Protocol::Magento,
            &[("token", magento::TOKEN)],
        ),
        with(
            "http-json-stock",
            Protocol::Plain,
            &[("token", plain::TOKEN)],
        ),
    ]
}
