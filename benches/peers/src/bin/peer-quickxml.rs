//! The reference feed by hand: `csv` to read, `quick-xml` to write, nothing checked. `peer-quickxml IN.csv OUT.xml`.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use peers::columns::{self as column, check_header};
use peers::{SHOP_NAME, SHOP_URL, html, two_paths};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

fn main() -> Result<(), Box<dyn Error>> {
    let (input, output) = two_paths("peer-quickxml")?;
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 16)
        .from_path(input)?;
    check_header(reader.headers()?)?;
    let file = BufWriter::with_capacity(1 << 16, File::create(output)?);
    let mut xml = Writer::new(file);
    head(&mut xml)?;
    let mut record = csv::StringRecord::new();
    let mut text = String::new();
    while reader.read_record(&mut record)? {
        item(&mut xml, &record, &mut text)?;
    }
    close(&mut xml, "channel")?;
    close(&mut xml, "rss")?;
    xml.into_inner().flush()?;
    Ok(())
}

/// What stands before the items.
fn head<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    line_end(xml)?;
    let mut rss = BytesStart::new("rss");
    rss.push_attribute(("version", "2.0"));
    rss.push_attribute(("xmlns:g", "http://base.google.com/ns/1.0"));
    xml.write_event(Event::Start(rss))?;
    line_end(xml)?;
    open(xml, "channel")?;
    element(xml, "title", SHOP_NAME)?;
    element(xml, "link", SHOP_URL)
}

/// One item of 24 attributes; `text` is scratch.
fn item<W: Write>(
    xml: &mut Writer<W>,
    row: &csv::StringRecord,
    text: &mut String,
) -> io::Result<()> {
    open(xml, "item")?;
    element(xml, "g:id", &row[column::SKU])?;
    optional(xml, "g:item_group_id", &row[column::PRODUCT_ID])?;
    element(xml, "g:title", &row[column::TITLE])?;
    text.clear();
    html::strip_into(&row[column::DESCRIPTION], text);
    element(xml, "g:description", text)?;
    element(xml, "g:link", &row[column::URL])?;
    element(xml, "g:image_link", &row[column::IMAGE])?;
    for image in row[column::IMAGES].split('|').skip(1).take(10) {
        element(xml, "g:additional_image_link", image)?;
    }
    element(xml, "g:availability", &row[column::AVAILABILITY])?;
    join(text, &row[column::PRICE], " THB", "");
    element(xml, "g:price", text)?;
    if !row[column::SALE_PRICE].is_empty() {
        join(text, &row[column::SALE_PRICE], " THB", "");
        element(xml, "g:sale_price", text)?;
        join(
            text,
            &row[column::SALE_STARTS],
            "/",
            &row[column::SALE_ENDS],
        );
        element(xml, "g:sale_price_effective_date", text)?;
    }
    optional(xml, "g:brand", &row[column::BRAND])?;
    optional(xml, "g:gtin", &row[column::GTIN])?;
    optional(xml, "g:mpn", &row[column::MPN])?;
    element(xml, "g:condition", &row[column::CONDITION])?;
    optional(
        xml,
        "g:google_product_category",
        &row[column::GOOGLE_PRODUCT_CATEGORY],
    )?;
    optional(xml, "g:product_type", &row[column::CATEGORY])?;
    optional(xml, "g:color", &row[column::COLOR])?;
    optional(xml, "g:size", &row[column::SIZE])?;
    optional(xml, "g:material", &row[column::MATERIAL])?;
    optional(xml, "g:gender", &row[column::GENDER])?;
    optional(xml, "g:age_group", &row[column::AGE_GROUP])?;
    if !row[column::WEIGHT].is_empty() {
        join(text, &row[column::WEIGHT], " g", "");
        element(xml, "g:shipping_weight", text)?;
    }
    let first_tag = row[column::TAGS].split('|').next().unwrap_or("");
    optional(xml, "g:custom_label_0", first_tag)?;
    close(xml, "item")
}

/// Replaces `text` by three pieces.
fn join(text: &mut String, a: &str, b: &str, c: &str) {
    text.clear();
    text.push_str(a);
    text.push_str(b);
    text.push_str(c);
}

/// An element, unless it would be empty.
fn optional<W: Write>(xml: &mut Writer<W>, name: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    element(xml, name, text)
}

/// An element with escaped text, on a line of its own.
fn element<W: Write>(xml: &mut Writer<W>, name: &str, text: &str) -> io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new(name)))?;
    xml.write_event(Event::Text(BytesText::new(text)))?;
    close(xml, name)
}

fn open<W: Write>(xml: &mut Writer<W>, name: &str) -> io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new(name)))?;
    line_end(xml)
}

fn close<W: Write>(xml: &mut Writer<W>, name: &str) -> io::Result<()> {
    xml.write_event(Event::End(BytesEnd::new(name)))?;
    line_end(xml)
}

fn line_end<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    xml.get_mut().write_all(b"\n")
}
