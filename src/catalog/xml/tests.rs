#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use std::io::Read;

use super::*;
use crate::catalog::SourceProblem;

fn opener(bytes: &[u8]) -> Opener {
    let bytes = bytes.to_vec();
    Box::new(move || Ok(Box::new(std::io::Cursor::new(bytes.clone())) as Box<dyn Read + Send>))
}

#[derive(Debug)]
struct Whole {
    columns: Vec<String>,
    records: Vec<(u64, Vec<String>)>,
    remarks: Vec<String>,
}

impl Whole {
    fn cell(&self, record: usize, column: &str) -> &str {
        let place = self.columns.iter().position(|name| name == column);
        let place = place.unwrap_or_else(|| panic!("no column {column} in {:?}", self.columns));
        &self.records[record].1[place]
    }
}

fn read(bytes: &[u8], record: Option<&str>) -> Result<Whole, SourceError> {
    let options = XmlOptions {
        record: record.map(str::to_owned),
    };
    let mut reader = open(opener(bytes), "c.xml", &options)?;
    let mut whole = Whole {
        columns: reader.columns().to_vec(),
        records: Vec::new(),
        remarks: reader.remarks(),
    };
    let mut batch = Batch::default();
    while reader.read_batch(&mut batch)? {
        for record in 0..batch.len() {
            let cells = (0..batch.width()).map(|column| batch.cell(record, column).to_owned());
            whole.records.push((batch.line(record), cells.collect()));
        }
    }
    Ok(whole)
}

fn xml(text: &str) -> Whole {
    read(text.as_bytes(), None).expect("is whole")
}

fn wrong(text: &str) -> SourceError {
    read(text.as_bytes(), Some("item")).expect_err("is wrong")
}

const FEED: &str = r#"<?xml version="1.0" encoding="windows-1250"?>
<!DOCTYPE rss SYSTEM "shops.dtd">
<rss xmlns:g="urn:x"><channel><title>Shop</title>
<item id="7" lang='pl'>
  <g:id> A&amp;1 </g:id><title>x&lt;y&#32;&#x0E01;&gt;<![CDATA[ & <b>]]>&quot;&apos;</title>
  <imgs><main url="m&amp;1"/><i url="1"/><i url="2"/></imgs>
  <price currency="PLN">12,50</price>
  <tag>a</tag><tag></tag><tag>b<!-- c -->c</tag>
  <attrs><a name="Colour">red</a><a name="Size">M</a></attrs>
  <PARAM><PARAM_NAME>Fit</PARAM_NAME><VAL>slim</VAL><VAL>wide</VAL></PARAM>
  <param name="w" unit="kg">2</param><set name="k" value="v"/>
  <desc>Hello <b class="x">big</b> &amp; <br/>world</desc><empty/>
</item>
<item id="8"><title>two</title></item>
</channel></rss>
"#;

#[test]
fn values_become_columns_by_path() {
    let whole = xml(FEED);
    assert_eq!(whole.records.len(), 2);
    for (column, value) in [
        ("@id", "7"),
        ("@lang", "pl"),
        ("g:id", "A&1"),
        ("title", "x<y \u{e01}> & <b>\"'"),
        ("imgs/main@url", "m&1"),
        ("imgs/i@url", "1\u{1f}2"),
        ("price", "12,50"),
        ("price@currency", "PLN"),
        ("tag", "a\u{1f}bc"),
        ("attrs/a", "Colour\u{1e}red\u{1f}Size\u{1e}M"),
        ("PARAM", "Fit\u{1e}slim\u{1f}Fit\u{1e}wide"),
        ("param", "w\u{1e}2"),
        ("param@unit", "kg"),
        ("set", "k\u{1e}v"),
        ("desc", "Hello <b class=\"x\">big</b> &amp; <br>world"),
        ("empty", ""),
    ] {
        assert_eq!(whole.cell(0, column), value, "{column}");
    }
    assert_eq!(whole.columns.len(), 16, "{:?}", whole.columns);
    assert_eq!(whole.cell(1, "title"), "two");
    assert_eq!(whole.cell(1, "tag"), "");
    assert_eq!(whole.records[0].0, 4);
    assert_eq!(whole.records[1].0, 14);
    assert_eq!(
        whole.remarks,
        ["the records are the 2 elements `rss/channel/item`; set `record` to choose others"]
    );
}

#[test]
fn every_form_of_text_is_read_whole() {
    for (written, read) in [
        ("x&amp;y", "x&y"),
        ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
        ("&#65;&#x42;&#xe01;", "AB\u{e01}"),
        ("a<![CDATA[&amp;]]>b", "a&amp;b"),
        ("a<!-- - -->b<?pi x?>c", "abc"),
        ("\r\n a\r\nb \n", "a\nb"),
        ("&#31;a&#30;", "a"),
        ("&#160;", "\u{a0}"),
    ] {
        let whole = xml(&format!("<r><item><t>{written}</t></item></r>"));
        assert_eq!(whole.cell(0, "t"), read.trim(), "{written}");
    }
    for (written, read) in [
        ("x&amp;y", "x&y"),
        ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
        ("&#65;&#x42;&#xe01;", "AB\u{e01}"),
        (" a\n\tb ", "a  b"),
        ("&#31;a", "a"),
    ] {
        let whole = xml(&format!("<r><item><t a=\"{written}\"/></item></r>"));
        assert_eq!(whole.cell(0, "t@a"), read, "{written}");
    }
}

#[test]
fn records_by_local_prefixed_name_or_path() {
    let text = "<r xmlns:x='u'><x:item><a>1</a></x:item><b><item><a>2</a></item></b><SHOPITEM>t</SHOPITEM></r>";
    for (record, expected) in [
        ("item", vec!["1", "2"]),
        ("x:item", vec!["1"]),
        ("b/item", vec!["2"]),
        ("/r/x:item", vec!["1"]),
    ] {
        let whole = read(text.as_bytes(), Some(record)).expect("is there");
        let cells: Vec<_> = whole
            .records
            .iter()
            .map(|(_, cells)| cells[0].as_str())
            .collect();
        assert_eq!(cells, expected, "{record}");
    }
    let leaf = read(text.as_bytes(), Some("SHOPITEM")).expect("is there");
    assert_eq!(leaf.cell(0, "SHOPITEM"), "t");
    let error = read(text.as_bytes(), Some("shopitm")).expect_err("is not there");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert!(error.hint.contains("such as `SHOPITEM`"), "{}", error.hint);
}

#[test]
fn the_record_element_is_found() {
    for (text, record) in [
        ("<c><p><x>1</x><x>2</x></p><p><x>1</x></p></c>", "c/p"),
        (
            "<s><I><P><n>1</n></P><P><n>1</n></P></I><I><P><n>3</n></P></I></s>",
            "s/I",
        ),
        (
            "<c><head><k><v/></k><k><v/></k></head><offers><offer><u/></offer></offers></c>",
            "c/offers/offer",
        ),
    ] {
        let whole = xml(text);
        assert!(
            whole.remarks[0].contains(&format!("`{record}`")),
            "{:?}",
            whole.remarks
        );
    }
    let error = read(b"<a><b>1</b></a>", None).expect_err("has none");
    assert_eq!(error.problem, SourceProblem::Configuration);
}

#[test]
fn what_is_not_whole_says_where() {
    let deep = format!("<r>{}{}</r>", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let many: String = (0..300).map(|n| format!(" a{n}=\"\"")).collect();
    for (text, line, says) in [
        ("<r>\n<item>&nbsp;</item></r>", 2, "unknown entity `&nbsp;`"),
        ("<r><item a='&nbsp;'/></r>", 1, "unknown entity"),
        ("<r><item a='x & y'/></r>", 1, "`&` in an attribute"),
        ("<r><item>x & y</item></r>", 1, "entity"),
        ("<r><item>&#0;</item></r>", 1, "no character"),
        ("<r><item>&#xd800;</item></r>", 1, "no character"),
        (
            "<!DOCTYPE r [\n<!ENTITY a \"b\">\n]>\n<r><item>&a;</item></r>",
            3,
            "DOCTYPE",
        ),
        ("<r><item>\n</r>", 2, "expected `</item>`"),
        ("<r><item/></r>\n<r/>", 2, "second root"),
        ("<r><item/></r>\nx", 2, "outside the root"),
        ("<r><item/></r><?xml version='1.0'?><r/>", 1, "declaration"),
        ("x<r><item/></r>", 1, "outside the root"),
        ("<r>\n<item>", 2, "ends while `<item>` from line 2 is open"),
        ("<r><item a=1/></r>", 1, "attribute"),
        ("<r><item a='1' a='2'/></r>", 1, "attribute"),
        ("<r><item a='<'/></r>", 1, "`<` in an attribute"),
        (
            "<r><item>a < b</item></r>",
            1,
            "not followed by an element's name",
        ),
        (
            "<!DOCTYPE html>\n<html><body>x</body></html>",
            1,
            "HTML page",
        ),
        ("<html><item/></html>", 1, "HTML page"),
        ("", 1, "no element"),
        ("  \n", 2, "no element"),
        (deep.as_str(), 1, "deeper than 64"),
        (
            &format!("<r><item{many}/></r>"),
            1,
            "more than 256 attributes",
        ),
    ] {
        let error = wrong(text);
        assert_eq!(error.problem, SourceProblem::NotWhole, "{text}");
        assert!(error.message.contains(says), "{text}: {error}");
        assert_eq!(error.line, Some(line), "{text}: {error}");
    }
    let bytes = read(b"<r><item>\xff</item></r>", Some("item")).expect_err("is no UTF-8");
    assert!(bytes.message.contains("UTF-8"), "{bytes}");
}

#[test]
fn an_endless_text_is_refused() {
    let text = format!(
        "<r><item>{}</item></r>",
        "x".repeat(counted::PIECE_BYTES_MAX + 200_000)
    );
    let error = wrong(&text);
    assert!(error.message.contains("longer than 16 MiB"), "{error}");
}

#[test]
fn a_cut_file_is_never_whole() {
    let bytes = FEED.trim_end().as_bytes();
    for end in 0..bytes.len() {
        let error = read(&bytes[..end], Some("item")).expect_err("is cut");
        assert_eq!(
            error.problem,
            SourceProblem::NotWhole,
            "cut at {end}: {error}"
        );
    }
}

#[test]
fn changed_bytes_never_panic_and_never_add_records() {
    let letters = b"<>/&;\"'=![]- \nax1\xc4";
    let mut state = 11_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut wholes = 0;
    for _ in 0..4_000 {
        let mut bytes = FEED.as_bytes().to_vec();
        let place = next() % bytes.len();
        match next() % 3 {
            0 => bytes[place] = letters[next() % letters.len()],
            1 => bytes.insert(place, letters[next() % letters.len()]),
            _ => drop(bytes.remove(place)),
        }
        match read(&bytes, Some("item")) {
            Ok(whole) => {
                wholes += 1;
                assert!(whole.records.len() <= 2);
            }
            Err(error) => assert!(!error.message.is_empty() && error.path == "c.xml"),
        }
    }
    assert!(
        wholes > 500,
        "most changes inside texts are harmless: {wholes}"
    );
}

#[test]
fn reads_the_real_feeds() {
    let shared = std::env::var("SHELFCAST_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    for (file, record, count, column, first) in [
        ("feeds/ceneo/kompre.xml", "offers/o", 81, "@id", "6730"),
        (
            "feeds/yml/islandgift_ru.xml",
            "yml_catalog/shop/offers/offer",
            102,
            "",
            "",
        ),
        (
            "feeds/google/importpc_cz.xml",
            "rss/channel/item",
            1_255,
            "",
            "",
        ),
        (
            "feeds/google/sparkling_en_gb.xml",
            "rss/channel/item",
            73,
            "",
            "",
        ),
        (
            "feeds/heureka/orris_heureka.xml",
            "SHOP/SHOPITEM",
            75,
            "ITEM_ID",
            "49915334295890",
        ),
        (
            "feeds/heureka/mhujer_example.xml",
            "SHOP/SHOPITEM",
            18,
            "PRODUCT",
            "Nokia 5800 XpressMusic",
        ),
        ("feeds/zbozi/mhujer_example.xml", "SHOP/SHOPITEM", 5, "", ""),
        (
            "feeds/shoppingflux/full.xml",
            "catalog/products/product",
            2,
            "reference",
            "AB123",
        ),
        (
            "feeds/bmecat/new_catalog_12.xml",
            "BMECAT/T_NEW_CATALOG/ARTICLE",
            1,
            "",
            "",
        ),
        (
            "feeds/bmecat/new_catalog_2005.xml",
            "BMECAT/T_NEW_CATALOG/PRODUCT",
            1,
            "",
            "",
        ),
        (
            "woocommerce-sample/sample_products.xml",
            "rss/channel/item",
            47,
            "",
            "",
        ),
    ] {
        let path = std::path::Path::new(&shared).join("data").join(file);
        let Ok(bytes) = std::fs::read(&path) else {
            skipped(&path);
            continue;
        };
        let whole = read(&bytes, None).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(
            whole.remarks[0].contains(&format!("`{record}`")),
            "{file}: {:?}",
            whole.remarks
        );
        assert_eq!(whole.records.len(), count, "{file}");
        if !column.is_empty() {
            assert_eq!(whole.cell(0, column), first, "{file}");
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped(file: &std::path::Path) {
    eprintln!("skipped: no {}", file.display());
}
