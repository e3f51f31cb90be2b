//! Values that cannot be taken: the item is withheld or the cell counts as absent, and the place is named.

use super::{GOOD, project, shop};

#[test]
fn an_id_twice_is_taken_once() {
    let shop = shop();
    shop.test.file("catalog.csv", format!("{GOOD}A-2,Other,Text,9.00,in_stock,https://shop.example/x,https://shop.example/x.jpg,Lumo,new,1\n"));
    let feed = shop.takes(&["duplicate-id", "`A-2`", "catalog.csv:5", "hint:"]);
    assert_eq!(feed.matches("<g:id>A-2</g:id>").count(), 1);
    assert!(!feed.contains("Other"), "the first counts");
}

#[test]
fn a_price_that_is_a_sentence() {
    let shop = shop();
    shop.test
        .file("catalog.csv", GOOD.replace("10.00", "call us"));
    let feed = shop.takes(&[
        "`call us`",
        "catalog.csv:2",
        "column `price`",
        "SKU `A-1`",
        "hint:",
    ]);
    assert!(!feed.contains("A-1") && feed.contains("A-2"), "{feed}");
}

#[test]
fn money_that_can_be_read_two_ways_is_not_guessed() {
    let shop = shop();
    shop.test
        .file("catalog.csv", GOOD.replace("10.00", "1.234"));
    let feed = shop.takes(&[
        "`1.234`",
        "catalog.csv:2",
        "column `price`",
        "SKU `A-1`",
        "hint:",
    ]);
    assert!(!feed.contains("A-1"), "{feed}");
}

#[test]
fn stock_below_zero_is_told() {
    let shop = shop();
    shop.test.file(
        "catalog.csv",
        GOOD.replace(",in_stock,", ",,")
            .replace(",Lumo,new,4", ",Lumo,new,-4"),
    );
    let feed = shop.takes(&[
        "`-4`",
        "catalog.csv:3",
        "column `on_hand`",
        "SKU `A-2`",
        "hint:",
    ]);
    assert!(feed.contains("A-1"), "{feed}");
    assert!(!feed.contains("-4"), "a negative count reaches no channel");
}

#[test]
fn a_filter_that_leaves_nothing_leaves_the_old_feed() {
    let shop = shop();
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "where = \"price > 1000\""),
    );
    shop.refuses(1, &[])
        .shows("the filter leaves nothing of 3 records");
}

#[test]
fn everything_withheld_leaves_the_old_feed() {
    let shop = shop();
    shop.test.file(
        "catalog.csv",
        GOOD.replace("https://shop.example/", "call us "),
    );
    shop.refuses(1, &["hint:"])
        .shows("all 3 records are withheld");
}

#[test]
fn more_withheld_than_allowed_leaves_the_old_feed() {
    let shop = shop();
    shop.test
        .file(
            "shelfcast.toml",
            project("catalog.csv", "", "")
                .replace("max_withheld = \"100%\"", "max_withheld = \"20%\""),
        )
        .file("catalog.csv", GOOD.replace("10.00", "call us"));
    shop.refuses(1, &["`call us`"])
        .shows("1 of 3 records are withheld, 33.3%, and `max_withheld` is 20%");
    shop.test.file(
        "shelfcast.toml",
        project("catalog.csv", "", "").replace("max_withheld = \"100%\"", "max_withheld = \"34%\""),
    );
    assert!(!shop.takes(&[]).contains("A-1"));
}

#[test]
fn warnings_can_be_denied() {
    let shop = shop();
    shop.test
        .file("catalog.csv", GOOD.replace(",Lumo,new,4", ",Lumo,new,-4"));
    shop.test.run(["build"]).exits(0);
    shop.test.run(["build", "--deny", "warnings"]).exits(1);
}

/// Rows of four products, by product id and size.
fn sizes(order: &[(&str, &str)]) -> String {
    let mut catalog = String::from(
        "sku,product_id,title,description,price,availability,url,images,brand,condition,size,options\n",
    );
    for (product, size) in order {
        catalog.push_str(&format!(
            "{product}-{size},{product},Shirt {product},Text,9.00,in_stock,https://shop.example/{product}?s={size},https://shop.example/{product}.jpg,Lumo,new,{size},Size: {size}\n"
        ));
    }
    catalog
}

#[test]
fn rows_of_a_product_that_stand_apart_come_together() {
    let together = [
        ("P", "S"),
        ("P", "M"),
        ("P", "L"),
        ("Q", "S"),
        ("Q", "M"),
        ("R", "S"),
        ("T", "S"),
        ("T", "M"),
    ];
    let apart = [
        ("P", "S"),
        ("Q", "S"),
        ("P", "M"),
        ("T", "S"),
        ("R", "S"),
        ("Q", "M"),
        ("T", "M"),
        ("P", "L"),
    ];
    let shop = shop();
    let toml = project("catalog.csv", "", "")
        + "[[feed]]\nname = \"site\"\nchannel = \"schema-org\"\nmax_withheld = \"100%\"\n";
    shop.test
        .file("shelfcast.toml", toml)
        .file("catalog.csv", sizes(&together));
    shop.test.build().exits(0);
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = (
        sorted(shop.test.text("out/site.jsonl")),
        shop.test.text("out/google.xml"),
    );
    assert_eq!(expected.0.len(), 4, "{:?}", expected.0);
    shop.test.file("catalog.csv", sizes(&apart));
    shop.test.build().exits(0);
    assert_eq!(sorted(shop.test.text("out/site.jsonl")), expected.0);
    let items = |feed: &str| {
        let mut items: Vec<String> = feed
            .split("<item>")
            .skip(1)
            .map(|item| item.split("</item>").next().unwrap_or("").to_owned())
            .collect();
        items.sort();
        items
    };
    assert_eq!(items(&shop.test.text("out/google.xml")), items(&expected.1));
}
