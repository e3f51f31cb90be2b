//! Our own writing that comes back is no news.

use super::support::*;
use crate::sync::planted;
use crate::sync::serve::form::Echo;

fn echo(places: &[&str], locations: &[&str], host: Option<&str>) -> Echo {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Echo {
        places: owned(places),
        locations: owned(locations),
        host: host.map(str::to_owned),
    }
}

#[test]
fn shopifys_event_of_a_place_we_write_to_is_none() {
    let hook = hook("", "form = \"shopify\"");
    let own = echo(&["gid://shopify/Location/2"], &["WAW"], None);
    let news = |location: &str| {
        let body =
            format!("{{\"inventory_item_id\":1,\"location_id\":{location},\"available\":6}}");
        let said = hook.read(&headers(&[]), body.as_bytes(), now()).unwrap();
        hook.event_for(&said, &own, now()).is_some()
    };
    assert!(!news("2"));
    assert!(!news("\"gid://shopify/Location/2\""));
    assert!(news("3"));
    assert!(news("22"));
    assert!(news("null"));
    planted::plant(Some("echo treated as news"));
    assert!(news("2"));
    planted::plant(None);
}

#[test]
fn in_our_own_form_a_location_of_ours_is_ours_whatever_the_store_calls_its_places() {
    let hook = hook("", "trusted = true");
    let news = |locations: &[&str], own: &Echo| {
        let rows: Vec<_> = locations
            .iter()
            .map(|location| serde_json::json!({"sku": "A", "location": location, "on_hand": 1, "sequence": 1}))
            .collect();
        let body = serde_json::json!({"id": "e", "rows": rows}).to_string();
        let said = hook.read(&headers(&[]), body.as_bytes(), now()).unwrap();
        hook.event_for(&said, own, now()).map(|event| {
            let codes = event.observations.iter().map(|row| row.location.clone());
            codes.collect::<Vec<_>>()
        })
    };
    let own = echo(&["web-1", "WAW"], &["WAW", "KRK"], None);
    assert_eq!(news(&["WAW"], &own), Some(vec!["WAW".to_owned()]));
    assert_eq!(news(&["web-1"], &own), None);
    assert_eq!(news(&["KRK", "web-1"], &own), Some(vec!["KRK".to_owned()]));
    assert_eq!(
        news(&[""], &own),
        Some(vec![String::new()]),
        "no location is no echo"
    );
    assert_eq!(news(&[], &own), Some(vec![]), "a hint");
}

#[test]
fn woocommerces_event_of_the_store_itself_is_none() {
    let hook = hook("", "form = \"woocommerce\"");
    let own = echo(&[], &[], Some("shop.example"));
    let news = |sender: &str| {
        let said = hook
            .read(
                &headers(&[("x-wc-webhook-source", sender)]),
                b"{\"sku\":\"A\"}",
                now(),
            )
            .unwrap();
        hook.event_for(&said, &own, now()).is_some()
    };
    assert!(!news("https://shop.example/"));
    assert!(!news("https://Shop.Example"));
    assert!(news("https://till.example/"));
    assert!(news("https://shop.example.org/"));
}

#[test]
fn squares_event_is_an_echo_where_all_its_places_are() {
    let hook = hook(
        "",
        "form = \"square\"\nurl = \"https://sync.example/stock/till\"",
    );
    let own = echo(&["L1", "L2"], &["WAW"], None);
    let news = |places: &str| {
        let body = format!(
            "{{\"event_id\":\"e\",\"data\":{{\"object\":{{\"inventory_counts\":[{places}]}}}}}}"
        );
        let said = hook.read(&headers(&[]), body.as_bytes(), now()).unwrap();
        hook.event_for(&said, &own, now()).is_some()
    };
    let place = |id: &str| format!("{{\"location_id\":\"{id}\"}}");
    assert!(!news(&place("L1")));
    assert!(!news(&[place("L1"), place("L2")].join(",")));
    assert!(news(&[place("L1"), place("L3")].join(",")));
    assert!(news(&[place("L1"), "{}".to_owned()].join(",")));
    assert!(news(""));
}
