//! What a feed calls salable is what the web shop is told: one formula, whatever its terms.

use super::shop::Shop;
use super::{HEAD, SYNC, project};

/// A catalog, and a feed of what is salable by SKU.
const FEED: &str = r#"
[[source]]
name = "products"
path = "products.csv"

[[feed]]
name = "levels"
channel = "levels"
"#;

const LEVELS: &str = r#"
name = "levels"
title = "Levels (JSONL)"
group = "store-system"
countries = ["*"]
spec = { url = "https://jsonlines.org/", read = "2026-11-22", certainty = "general knowledge" }
records = "variants"
format = "ndjson"
prices = "gross"
absence = "nothing"

[attributes.sku]
value = "{{sku}}"
required = true
unique = true

[attributes.salable]
value = "{{salable}}"
kind = "integer"
"#;

/// SKUs of a shop whose rows have every kind of trouble: units promised, negative counts, fractions, rows counted twice, a
/// place that takes no part, a place that pools two.
const STOCK: &str = "\
sku,location,on_hand,committed,held,updated
ชาม-01,siam,40,3,,1
ชาม-01,bangna,7,0,,1
ชาม-01,airport,900,0,,1
ชาม-02,siam,10,12,1,1
ชาม-02,chiangmai,33,1,4,1
Đèn-03,bangna,21,0,,1
Đèn-03,chiangmai,22,0,,1
Đèn-03,siam,-5,0,,1
Lampa-04,siam,300,0,,1
Lampa-04,bangna,0,0,,1
Lampa-05,siam,2,0,0,1
";

const PRODUCTS: &str = "\
sku,title,category,price
ชาม-01,ชาม,Kitchen,100
ชาม-02,ชาม,Kitchen,100
Đèn-03,Đèn bàn,Lamps,100
Lampa-04,Lampa,Lamps > Table,100
Lampa-05,Lampa,Kitchen,100
";

/// The feed's number and the sum of what the store was told, by SKU.
fn both(terms: &str) -> Vec<(String, i64, i64)> {
    let shop = Shop::open();
    let test = project(shop.url());
    let sync = SYNC
        .replace("URL", shop.url())
        .replace(
            "locations = { siam = \"L1\", bangna = \"L2\" }",
            "locations = { siam = \"L1\", bangna = \"L2\", chiangmai = \"L2\" }",
        )
        .replace("safety_stock = 2\n", "")
        + terms;
    let places = "[[location]]\ncode = \"chiangmai\"\n[[location]]\ncode = \"airport\"\n";
    // The catalog is the first source.
    let (shop_table, sources) = HEAD.split_at(HEAD.find("[[source]]").expect("a source"));
    test.file(
        "shelfcast.toml",
        format!("{shop_table}{FEED}{sources}{places}{sync}"),
    )
    .file("channels/levels.toml", LEVELS)
    .file("products.csv", PRODUCTS)
    .file("stock.csv", STOCK);
    {
        let mut inside = shop.inside();
        inside.levels.clear();
        for row in STOCK.lines().skip(1) {
            let mut cells = row.split(',');
            let (sku, location) = (cells.next().expect("SKU"), cells.next().expect("location"));
            let place = match location {
                "siam" => "L1",
                "bangna" | "chiangmai" => "L2",
                _ => continue,
            };
            inside
                .levels
                .insert((sku.to_owned(), place.to_owned()), 9_999);
        }
    }
    test.run(["build", "levels"]).exits(0);
    let guard = "\n[sync.guard]\nchanged = \"off\"\nto_zero = \"off\"\nunits = \"off\"\n";
    let written = test.text("shelfcast.toml") + guard;
    test.file("shelfcast.toml", written);
    test.run(["sync"]).exits(0);
    let inside = shop.inside();
    test.text("out/levels.jsonl")
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let sku = line["sku"].as_str().expect("a SKU").to_owned();
            let fed = line["salable"].as_i64().expect("units");
            let told = inside
                .levels
                .iter()
                .filter(|((known, _), _)| *known == sku)
                .map(|(_, units)| units)
                .sum();
            (sku, fed, told)
        })
        .collect()
}

fn agree(terms: &str, expected: [i64; 5]) {
    let found = both(terms);
    for (sku, fed, told) in &found {
        assert_eq!(fed, told, "{sku} under `{terms}`: {found:?}");
    }
    let fed: Vec<i64> = found.iter().map(|(_, fed, _)| *fed).collect();
    assert_eq!(fed, expected, "under `{terms}`");
}

#[test]
fn a_feed_and_the_web_shop_say_the_same() {
    agree("safety_stock = 2", [40, 30, 39, 298, 0]);
    agree("safety_stock = \"held\"", [44, 28, 43, 300, 2]);
}

#[test]
fn what_a_rule_keeps_back_a_feed_keeps_back_too() {
    let rule = "safety_stock = \"held\"\n[[sync.keep]]\nwhere = \"'Lamps' in category || brand == 'x'\"\nunits = 20";
    agree(rule, [44, 28, 3, 280, 2]);
}

#[test]
fn shares_and_limits_are_those_of_each_place() {
    agree("share = \"50%\"\nmaximum = 18", [21, 16, 18, 18, 1]);
    agree("minimum = 3", [44, 35, 46, 303, 3]);
}
