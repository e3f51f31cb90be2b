//! Delimited files: rows, quotes, encodings, headers, and what is no table at all.

use super::{GOOD, HEADER, shop};

/// A row of [`HEADER`] with this SKU and title.
fn row(sku: &str, title: &str) -> String {
    format!(
        "{sku},{title},Text,9.00,in_stock,https://shop.example/x,https://shop.example/x.jpg,Lumo,new,1\n"
    )
}

#[test]
fn a_column_that_a_mapping_needs_is_missing() {
    let shop = shop();
    shop.catalog(
        "catalog.csv",
        "[source.fields]\nprice = \"Retail price\"\n",
        GOOD,
    );
    shop.refuses(2, &["shelfcast.toml", "`Retail price`", "hint:"]);
}

#[test]
fn a_column_that_the_feed_cannot_do_without_is_missing() {
    let shop = shop();
    shop.test.file("catalog.csv", "title,price\nLamp,10.00\n");
    shop.refuses(
        2,
        &[
            "source `products` has no `sku`",
            "hint: map it in [source.fields]",
        ],
    );
}

#[test]
fn a_ragged_row_is_withheld_by_line() {
    let shop = shop();
    shop.test.file(
        "catalog.csv",
        format!("{GOOD}A-4,Jug,A jug,8.00\n{}", row("A-5", "Bowl")),
    );
    let feed = shop.takes(&["catalog.csv:5", "hint:"]);
    assert!(!feed.contains("A-4") && feed.contains("A-5"), "{feed}");
}

#[test]
fn a_quote_never_closed_names_where_it_opened() {
    let shop = shop();
    let mut catalog =
        format!("{GOOD}A-4,\"Jug,A jug,8.00,in_stock,https://shop.example/d,,,new,1\n");
    for number in 0..3000 {
        catalog.push_str(&row(&format!("B-{number}"), "Bowl"));
    }
    shop.test.file("catalog.csv", catalog);
    shop.refuses(7, &["catalog.csv:5", "never closed", "hint:"]);
}

#[test]
fn bytes_that_are_not_the_declared_encoding() {
    let shop = shop();
    let mut catalog = GOOD.as_bytes().to_vec();
    catalog.extend_from_slice(b"A-4,caf\xe9,A cup,8.00,in_stock,https://shop.example/d,https://shop.example/d.jpg,Lumo,new,1\n");
    shop.catalog("catalog.csv", "encoding = \"utf-8\"", catalog);
    shop.refuses(7, &["catalog.csv:5", "UTF-8", "hint:"]);
}

#[test]
fn an_encoding_that_there_is_not() {
    let shop = shop();
    shop.catalog("catalog.csv", "encoding = \"utf-9\"", GOOD);
    shop.refuses(2, &["`utf-9`", "hint:"]);
}

#[test]
fn a_file_cut_in_the_middle_of_a_record() {
    let shop = shop();
    let whole = format!("{GOOD}{}", row("A-4", "Bowl"));
    let cut = whole.len() - 30;
    shop.test
        .file("catalog.csv", whole.get(..cut).expect("ASCII"));
    shop.refuses(
        7,
        &[
            "catalog.csv:5: the file is cut: its last record has 7 of 10 cells",
            "hint: get the rest of the file",
        ],
    );
}

#[test]
fn a_file_cut_in_the_middle_of_a_letter() {
    let shop = shop();
    let mut catalog = format!("{GOOD}A-4,ชาม").into_bytes();
    catalog.pop();
    shop.test.file("catalog.csv", catalog);
    shop.refuses(7, &["catalog.csv:5", "hint:"]);
}

#[test]
fn an_html_page_where_a_table_should_be() {
    let shop = shop();
    shop.test.file("catalog.csv", "<!DOCTYPE html>\n<html><head><title>504 Gateway Time-out</title></head>\n<body><h1>504</h1></body></html>\n");
    shop.refuses(7, &["catalog.csv", "HTML", "hint:"]);
}

#[test]
fn a_header_of_five_thousand_columns() {
    let shop = shop();
    let names: Vec<String> = (0..5000).map(|number| format!("c{number}")).collect();
    shop.test.file(
        "catalog.csv",
        format!("{}\n{}\n", names.join(","), vec!["x"; 5000].join(",")),
    );
    shop.refuses(
        2,
        &[
            "catalog.csv:1: 5000 columns, over the limit of 4096",
            "hint:",
        ],
    );
}

#[test]
fn columns_of_one_name_are_told_and_the_first_counts() {
    let shop = shop();
    let catalog: String = GOOD
        .lines()
        .map(|line| {
            if line == HEADER {
                format!("{line},title\n")
            } else {
                format!("{line},Other\n")
            }
        })
        .collect();
    shop.test.file("catalog.csv", catalog);
    let feed = shop.takes(&["note: catalog.csv: repeated column names were numbered: `title (2)`"]);
    assert!(feed.contains("Lamp") && !feed.contains("Other"), "{feed}");
}

#[test]
fn an_empty_file_is_no_catalog() {
    let shop = shop();
    shop.test.file("catalog.csv", "");
    shop.refuses(7, &["catalog.csv", "empty", "hint:"]);
}

#[test]
fn a_header_alone_leaves_the_old_feed() {
    let shop = shop();
    shop.test.file("catalog.csv", format!("{HEADER}\n"));
    let outcome = shop.refuses(1, &[]);
    outcome.shows("the catalog has no records");
}

#[test]
fn a_file_of_nul_bytes() {
    let shop = shop();
    shop.test.file("catalog.csv", vec![0_u8; 4096]);
    shop.refuses(7, &["catalog.csv", "hint:"]);
}

#[test]
fn a_cell_larger_than_any_text() {
    let shop = shop();
    let cell = "x".repeat(2 * 1024 * 1024);
    shop.test.file("catalog.csv", format!("{GOOD}A-4,Jug,\"{cell}\",8.00,in_stock,https://shop.example/d,https://shop.example/d.jpg,Lumo,new,1\n{}", row("A-5", "Bowl")));
    let feed = shop.takes(&["catalog.csv:5", "hint:"]);
    assert!(!feed.contains("A-4") && feed.contains("A-5"));
}
