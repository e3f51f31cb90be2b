//! Projects that are wrong, and what is said of them.

use super::*;

/// A store that speaks to no real connector: the project's own.
const CONNECTOR: &str = r#"
name = "tills-stock"
title = "Tills"
group = "store-system"
countries = ["*"]
spec = { url = "https://tills.example/", read = "2026-11-22", certainty = "general knowledge" }
records = "stock"
format = "json"
absence = "nothing"

[settings.shop]
required = true
about = "which shop"

[request]
url = "https://tills.example/"
[request.secrets.token]
about = "an API token"
[request.secrets.spare]
optional = true
[[request.step]]
name = "set"
url = "/stock"
body = "batch"

[attributes.sku]
value = "{{sku}}"
"#;

const PROJECT: &str = r#"
[shop]
name = "Baan"
url = "https://baan.example"
currency = "THB"
language = "th"
country = "TH"

[[source]]
name = "stock"
path = "stock.csv"
role = "stock"
basis = "on_hand"

[[source]]
name = "orders"
path = "orders.csv"
role = "orders"

[[location]]
code = "bkk-01"
[[location]]
code = "bkk-02"

[[store]]
name = "web"
connector = "tills"
token = "env:TOKEN"
settings = { shop = "1" }

[[sync]]
name = "one"
from = "stock"
to = "web"
online_orders = "booked"
locations = { bkk-01 = "L1" }
"#;

fn errors_of(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("channels")).expect("a folder");
    crate::write::atomic::write(
        &folder.path().join("channels/tills-stock.toml"),
        CONNECTOR.as_bytes(),
    )
    .expect("writes");
    crate::write::atomic::write(&folder.path().join("shelfcast.toml"), text.as_bytes())
        .expect("writes");
    let project = Project::load(folder.path()).expect("has its form");
    let errors = check(&project).err().unwrap_or_default();
    errors
        .iter()
        .map(|error| format!("{error} ({})", error.hint))
        .collect()
}

#[test]
fn a_good_project_is_good() {
    assert_eq!(errors_of(PROJECT), Vec::<String>::new());
    let two = format!(
        "{PROJECT}\n[[sync]]\nname = \"two\"\nfrom = \"stock\"\nto = \"web\"\nonline_orders = \"subtract\"\n\
             locations = {{ bkk-02 = \"L2\" }}\n"
    );
    assert_eq!(errors_of(&two), Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_named_with_its_near_miss() {
    for (from, to, words) in [
        (
            "token = \"env",
            "tokn = \"env",
            "knows no secret `tokn` (did you mean `token`?)",
        ),
        (
            "token = \"env",
            "tokn = \"env",
            "store `web` needs the secret `token` (an API token)",
        ),
        ("env:TOKEN", "CANARY", "`token` is no reference"),
        (
            "connector = \"tills\"",
            "connector = \"till\"",
            "no connector `till` (did you mean `tills`?)",
        ),
        ("shop = \"1\"", "shopp = \"1\"", "did you mean `shop`?"),
        ("shop = \"1\"", "", "the setting `shop` is missing"),
        (
            "from = \"stock\"",
            "from = \"stok\"",
            "`stok`, which is no stock source (did you mean `stock`?)",
        ),
        ("from = \"stock\"", "from = \"orders\"", "no stock source"),
        (
            "to = \"web\"",
            "to = \"wbe\"",
            "`wbe`, which is no store (did you mean `web`?)",
        ),
        ("{ bkk-01", "{ bkk-1", "did you mean `bkk-01`?"),
        (
            "\"booked\"",
            "\"booked\"\norders = \"orders\"",
            "does not subtract them",
        ),
        (
            "\"booked\"",
            "\"subtract\"\norders = \"oders\"",
            "did you mean `orders`?",
        ),
        ("\"booked\"", "\"booked\"\nshare = \"120%\"", "is no share"),
        (
            "\"booked\"",
            "\"booked\"\nmax_age = \"2\"",
            "`max_age`: `2` is no span",
        ),
        (
            "\"booked\"",
            "\"booked\"\nsafety_stock = -1",
            "`-1` is neither",
        ),
        (
            "\"booked\"",
            "\"booked\"\nminimum = 5\nmaximum = 3",
            "above `maximum` 3",
        ),
        ("name = \"web\"", "name = \"../web\"", "it names a file"),
    ] {
        let errors = errors_of(&PROJECT.replace(from, to));
        let found = errors.iter().any(|error| error.contains(words));
        assert!(found, "{to}: {errors:?}");
        assert!(!errors.concat().contains("CANARY"));
    }
}

#[test]
fn a_connector_is_a_channel_and_back() {
    for (connector, channel) in [
        ("vendure", "vendure-stock"),
        ("google-local", "google-local-stock"),
        ("shopify-2025", "shopify-2025-stock"),
    ] {
        let store = Store {
            name: String::new(),
            connector: connector.to_owned(),
            url: None,
            currency: None,
            settings: indexmap::IndexMap::new(),
            secrets: indexmap::IndexMap::new(),
        };
        assert_eq!(super::connector(&store), channel);
        assert_eq!(connector_of(channel).as_deref(), Some(connector));
        assert!(crate::channel::built_in(&format!("channels/{channel}.toml")).is_some());
    }
    assert_eq!(connector_of("low-stock"), None);
    assert_eq!(connector_of("google-products"), None);
}

#[test]
fn two_syncs_never_write_one_place() {
    for (locations, words) in [
        ("{ bkk-02 = \"L1\" }", "place `L1` of store `web`"),
        ("[\"bkk-02\"]", ""),
    ] {
        let two = format!(
            "{PROJECT}\n[[sync]]\nname = \"two\"\nfrom = \"stock\"\nto = \"web\"\nonline_orders = \"booked\"\n\
                 locations = {locations}\n"
        );
        let errors = errors_of(&two);
        if words.is_empty() {
            assert_eq!(errors, Vec::<String>::new());
        } else {
            assert!(errors.concat().contains(words), "{errors:?}");
        }
    }
    let pooled = PROJECT.replace("{ bkk-01 = \"L1\" }", "[\"bkk-01\"]");
    let two = format!(
        "{pooled}\n[[sync]]\nname = \"two\"\nfrom = \"stock\"\nto = \"web\"\nonline_orders = \"booked\"\n"
    );
    assert!(
        errors_of(&two)
            .concat()
            .contains("both write the only stock of store `web`")
    );
}
