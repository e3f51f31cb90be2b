//! XML and JSON that are not what they should be, and letters that XML forbids.

use super::{GOOD, HEADER, shop};

/// The good catalog as XML, with something before the root and something in the first title.
fn xml(before: &str, title: &str) -> String {
    let mut document = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{before}<products>\n");
    for line in GOOD.lines().skip(1) {
        document.push_str("<product>");
        for (name, cell) in HEADER.split(',').zip(line.split(',')) {
            let cell = if cell == "Lamp" { title } else { cell };
            document.push_str(&format!("<{name}>{cell}</{name}>"));
        }
        document.push_str("</product>\n");
    }
    document + "</products>\n"
}

fn json_lines() -> Vec<String> {
    let line = |line: &str| {
        let members: serde_json::Map<String, serde_json::Value> = HEADER
            .split(',')
            .map(str::to_owned)
            .zip(line.split(',').map(Into::into))
            .collect();
        serde_json::Value::Object(members).to_string()
    };
    GOOD.lines().skip(1).map(line).collect()
}

#[test]
fn xml_and_json_give_the_feed_that_csv_gives() {
    let shop = shop();
    let plain = shop.test.text("out/google.xml");
    shop.catalog("catalog.xml", "", xml("", "Lamp"));
    assert_eq!(shop.takes(&[]), plain);
    shop.catalog("catalog.ndjson", "", json_lines().join("\n"));
    assert_eq!(shop.takes(&[]), plain);
    shop.catalog(
        "catalog.json",
        "",
        format!("[{}]", json_lines().join(",\n")),
    );
    assert_eq!(shop.takes(&[]), plain);
}

#[test]
fn a_doctype_with_entities_is_refused() {
    let shop = shop();
    let doctype = "<!DOCTYPE products [<!ENTITY lamp SYSTEM \"file:///etc/passwd\">]>\n";
    shop.catalog("catalog.xml", "", xml(doctype, "&lamp;"));
    shop.refuses(7, &["catalog.xml:2", "DOCTYPE", "hint:"]);
}

#[test]
fn entities_that_multiply_are_refused() {
    let shop = shop();
    let doctype = "<!DOCTYPE products [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>\n";
    shop.catalog("catalog.xml", "", xml(doctype, "&c;"));
    shop.refuses(7, &["catalog.xml:2", "hint:"]);
}

#[test]
fn an_entity_that_nobody_declared() {
    let shop = shop();
    shop.catalog("catalog.xml", "", xml("", "L&unknown;mp"));
    shop.refuses(7, &["catalog.xml:3", "unknown entity `&unknown;`", "hint:"]);
}

#[test]
fn ten_thousand_levels() {
    let shop = shop();
    let deep = format!("{}x{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    shop.catalog("catalog.xml", "", xml("", &deep));
    shop.refuses(7, &["catalog.xml:3", "hint:"]);
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    shop.catalog(
        "catalog.json",
        "",
        format!("[{{\"sku\":\"A-1\",\"title\":{deep}}}]"),
    );
    shop.refuses(7, &["catalog.json:1", "hint:"]);
}

#[test]
fn xml_cut_in_the_middle_of_a_record() {
    let shop = shop();
    let whole = xml("", "Lamp");
    shop.catalog(
        "catalog.xml",
        "",
        whole.get(..whole.len() - 60).expect("ASCII"),
    );
    shop.refuses(7, &["catalog.xml:5", "hint:"]);
}

#[test]
fn nan_in_json_is_refused_with_its_place() {
    let shop = shop();
    shop.catalog(
        "catalog.json",
        "",
        "[\n{\"sku\":\"A-1\",\"price\":1.5},\n{\"sku\":\"A-2\",\"price\":NaN}\n]",
    );
    shop.refuses(7, &["catalog.json:3", "NaN", "hint:"]);
}

#[test]
fn json_cut_in_the_middle_of_a_record() {
    let shop = shop();
    let whole = format!("[{}]", json_lines().join(",\n"));
    shop.catalog(
        "catalog.json",
        "",
        whole.get(..whole.len() - 40).expect("ASCII"),
    );
    shop.refuses(7, &["catalog.json:3", "hint:"]);
    let lines = json_lines().join("\n");
    shop.catalog(
        "catalog.ndjson",
        "",
        lines.get(..lines.len() - 40).expect("ASCII"),
    );
    shop.refuses(7, &["catalog.ndjson:3", "hint:"]);
}

#[test]
fn letters_that_xml_forbids_are_dropped_and_told() {
    let shop = shop();
    shop.test.file(
        "catalog.csv",
        GOOD.replace("Lamp", "La\u{1}m\u{b}p\u{fffe}"),
    );
    let feed = shop.takes(&["catalog.csv:2", "SKU `A-1`"]);
    assert!(feed.contains("<g:title>Lamp</g:title>"), "{feed}");
}
