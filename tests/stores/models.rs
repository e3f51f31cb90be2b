//! Every protocol that the tests' own store speaks, admitted by the contract suite alone, through `connector test`.

use crate::harness::FeedTest;
use crate::world::protocol::Protocol;
use crate::world::server::{Options, Running, start};
use crate::world::{magento, medusa, plain, prestashop, shopify, vendure, woocommerce};

fn secrets(protocol: Protocol) -> Vec<(&'static str, &'static str)> {
    match protocol {
        Protocol::Shopify => vec![("token", shopify::TOKEN)],
        Protocol::WooCommerce => vec![
            ("consumer_key", woocommerce::USER),
            ("consumer_secret", woocommerce::PASSWORD),
        ],
        Protocol::Vendure => vec![("user", vendure::USER), ("password", vendure::PASSWORD)],
        Protocol::Medusa => vec![("api_key", medusa::KEY)],
        Protocol::Magento => vec![("token", magento::TOKEN)],
        Protocol::PrestaShop => vec![("key", prestashop::KEY)],
        Protocol::Plain => vec![("token", plain::TOKEN)],
    }
}

/// `connector test` at a store: the arguments, with the secrets in files of the project.
fn arguments(test: &FeedTest, protocol: Protocol, running: &Running, skus: &[&str]) -> Vec<String> {
    let path = match protocol {
        Protocol::Vendure => "/admin-api",
        Protocol::PrestaShop => "/api",
        _ => "",
    };
    let place = running.with(|store| protocol.place_name(&store.shop, 0));
    let mut arguments = vec![
        "connector".to_owned(),
        "test".to_owned(),
        protocol.name().to_owned(),
        "--url".to_owned(),
        format!("{}{path}", running.url),
    ];
    for sku in skus {
        arguments.extend(["--sku".to_owned(), (*sku).to_owned()]);
    }
    if !place.is_empty() {
        arguments.extend(["--place".to_owned(), place]);
    }
    for (name, value) in secrets(protocol) {
        test.file(name, value);
        arguments.extend(["--secret".to_owned(), format!("{name}=file:{name}")]);
    }
    if protocol == Protocol::Shopify {
        arguments.extend(["--setting".to_owned(), "shop=model".to_owned()]);
    }
    arguments
}

#[test]
fn every_protocol_is_admitted_by_the_contract_suite() {
    // each waits for the pace of its connector most of the time
    std::thread::scope(|scope| {
        for protocol in Protocol::ALL {
            scope.spawn(move || is_admitted(protocol));
        }
    });
}

fn is_admitted(protocol: Protocol) {
    let name = protocol.name();
    let running = start(&Options::quiet(protocol, 8)).expect("a port");
    let levels = || -> Vec<Vec<Option<i64>>> {
        running.with(|store| {
            let items = store.shop.items.iter();
            items.map(|item| item.levels.clone()).collect()
        })
    };
    let test = FeedTest::empty();
    // the fourth and the fifth are variations of one product
    let skus = ["SKU-00001", "SKU-00003", "SKU-00004", "SKU-00005"];
    let before = levels();
    test.run(arguments(&test, protocol, &running, &skus))
        .exits(0)
        .shows(&format!("connector `{name}` is admitted"));
    assert_eq!(before, levels(), "{name}: levels are put back");
    let written = running.with(|store| store.shop.applied.len());
    assert!(written > 2, "{name}: {written} writes");
}
