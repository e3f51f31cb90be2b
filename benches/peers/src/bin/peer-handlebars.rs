//! The reference feed by the `handlebars` crate: `csv` to read, a `serde_json` map an item, the reference template's body
//! rendered once an item, nothing checked. `peer-handlebars IN.csv OUT.xml`.
//!
//! It is the quickest use of the crate we know: body parsed once, rendered straight into the output buffer, and the map
//! handed over as a context (`render_to_write` would copy it once more).

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use handlebars::{Context, Handlebars};
use peers::columns::{self as column, check_header};
use peers::{SHOP_NAME, SHOP_URL, html, two_paths};
use serde_json::{Map, Value, json};

/// The very template that the program uses.
const TEMPLATE: &str = include_str!("../../../reference/templates/reference-rss.hbs");

fn main() -> Result<(), Box<dyn Error>> {
    let (input, output) = two_paths("peer-handlebars")?;
    let (head, rest) = TEMPLATE
        .split_once("{{#each items}}\n")
        .ok_or("the reference template has no loop over items")?;
    let (body, tail) = rest
        .rsplit_once("{{/each}}\n")
        .ok_or("the reference template's loop has no end")?;
    let mut handlebars = Handlebars::new();
    handlebars.register_escape_fn(|text| quick_xml::escape::escape(text).into_owned());
    handlebars.register_template_string("item", body)?;

    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 16)
        .from_path(input)?;
    check_header(reader.headers()?)?;
    let mut out = BufWriter::with_capacity(1 << 16, File::create(output)?);
    let shop = json!({"shop": {"name": SHOP_NAME, "url": SHOP_URL}});
    handlebars.render_template_to_write(head, &shop, &mut out)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let context = Context::from(Value::Object(item(&record)));
        handlebars.render_with_context_to_write("item", &context, &mut out)?;
    }
    out.write_all(tail.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The 24 attributes of an item; absent ones are left out.
fn item(row: &csv::StringRecord) -> Map<String, Value> {
    let mut item = Map::new();
    let mut put = |name: &str, text: &str| {
        if !text.is_empty() {
            item.insert(name.to_owned(), Value::from(text));
        }
    };
    put("id", &row[column::SKU]);
    put("item_group_id", &row[column::PRODUCT_ID]);
    put("title", &row[column::TITLE]);
    let mut text = String::new();
    html::strip_into(&row[column::DESCRIPTION], &mut text);
    put("description", &text);
    put("link", &row[column::URL]);
    put("image_link", &row[column::IMAGE]);
    put("availability", &row[column::AVAILABILITY]);
    put("price", &format!("{} THB", &row[column::PRICE]));
    if !row[column::SALE_PRICE].is_empty() {
        put("sale_price", &format!("{} THB", &row[column::SALE_PRICE]));
        put(
            "sale_price_effective_date",
            &format!("{}/{}", &row[column::SALE_STARTS], &row[column::SALE_ENDS]),
        );
    }
    put("brand", &row[column::BRAND]);
    put("gtin", &row[column::GTIN]);
    put("mpn", &row[column::MPN]);
    put("condition", &row[column::CONDITION]);
    put(
        "google_product_category",
        &row[column::GOOGLE_PRODUCT_CATEGORY],
    );
    put("product_type", &row[column::CATEGORY]);
    put("color", &row[column::COLOR]);
    put("size", &row[column::SIZE]);
    put("material", &row[column::MATERIAL]);
    put("gender", &row[column::GENDER]);
    put("age_group", &row[column::AGE_GROUP]);
    if !row[column::WEIGHT].is_empty() {
        put("shipping_weight", &format!("{} g", &row[column::WEIGHT]));
    }
    put(
        "custom_label_0",
        row[column::TAGS].split('|').next().unwrap_or(""),
    );
    let additional: Vec<Value> = row[column::IMAGES]
        .split('|')
        .skip(1)
        .take(10)
        .map(Value::from)
        .collect();
    item.insert("additional_image_link".to_owned(), Value::Array(additional));
    item
}
