//! S8: what a cell means, in every format.

use std::fmt::Write;

use super::*;
use crate::sync::planted;

/// A cell's text, what it counts, and whether that is a finding. Without a declared locale.
const TEXTS: &[(&str, Option<i64>, bool)] = &[
    // An explicit zero.
    ("0", Some(0), false),
    ("00", Some(0), false),
    ("0.0", Some(0), false),
    ("0.00", Some(0), false),
    ("0,0", Some(0), false),
    ("-0", Some(0), false),
    (" 0 ", Some(0), false),
    ("0 szt.", Some(0), false),
    ("0 pcs", Some(0), false),
    ("๐", Some(0), false),
    ("٠", Some(0), false),
    // Counts.
    ("1", Some(1), false),
    ("7", Some(7), false),
    ("12", Some(12), false),
    (" 12 ", Some(12), false),
    ("\u{a0}12\u{a0}", Some(12), false),
    ("007", Some(7), false),
    ("+5", Some(5), false),
    ("12 szt.", Some(12), false),
    ("3 ks", Some(3), false),
    ("4 Stk", Some(4), false),
    ("2 pieces", Some(2), false),
    ("9 units", Some(9), false),
    ("5 ชิ้น", Some(5), false),
    ("6 cái", Some(6), false),
    ("8 шт", Some(8), false),
    ("๑๒", Some(12), false),
    ("١٢", Some(12), false),
    ("5.00", Some(5), false),
    ("5.0", Some(5), false),
    ("5,00", Some(5), false),
    ("1 000", Some(1000), false),
    ("1\u{a0}000", Some(1000), false),
    ("1\u{202f}000", Some(1000), false),
    ("1'000", Some(1000), false),
    ("1,000,000", Some(1_000_000), false),
    ("1.000.000", Some(1_000_000), false),
    ("999999999999999", Some(999_999_999_999_999), false),
    ("123456789012345678", Some(123_456_789_012_345_678), false),
    // Below zero is kept: the formula floors it.
    ("-1", Some(-1), true),
    ("-3", Some(-3), true),
    ("-12.00", Some(-12), true),
    ("\u{2212}4", Some(-4), true),
    ("-100000", Some(-100_000), true),
    // Parts of a unit are left out.
    ("0.5", Some(0), true),
    ("1.5", Some(1), true),
    ("2.75", Some(2), true),
    ("2,75", Some(2), true),
    ("0.25", Some(0), true),
    ("9.99", Some(9), true),
    ("-0.5", Some(-1), true),
    ("-1.5", Some(-2), true),
    ("3.14159", Some(3), true),
    // Nothing.
    ("", None, false),
    (" ", None, false),
    ("-", None, false),
    ("--", None, false),
    ("\u{2013}", None, false),
    ("\u{2014}", None, false),
    ("null", None, false),
    ("NULL", None, false),
    ("Null", None, false),
    ("nil", None, false),
    ("none", None, false),
    ("None", None, false),
    ("n/a", None, false),
    ("N/A", None, false),
    ("NA", None, false),
    ("NaN", None, false),
    ("nan", None, false),
    ("\\N", None, false),
    // What no number can be meant by.
    ("#N/A", None, true),
    ("#REF!", None, true),
    ("#VALUE!", None, true),
    ("#DIV/0!", None, true),
    ("#NAME?", None, true),
    ("#NULL!", None, true),
    ("in stock", None, true),
    ("In Stock", None, true),
    ("in_stock", None, true),
    ("instock", None, true),
    ("out of stock", None, true),
    ("out_of_stock", None, true),
    ("sold out", None, true),
    ("available", None, true),
    ("preorder", None, true),
    ("backorder", None, true),
    ("yes", None, true),
    ("no", None, true),
    ("Y", None, true),
    ("N", None, true),
    ("true", None, true),
    ("false", None, true),
    ("TRUE", None, true),
    ("tak", None, true),
    ("nie", None, true),
    ("ano", None, true),
    ("ja", None, true),
    ("nein", None, true),
    ("สินค้าหมด", None, true),
    ("untracked", None, true),
    ("unlimited", None, true),
    ("∞", None, true),
    ("many", None, true),
    ("few", None, true),
    ("zero", None, true),
    ("call us", None, true),
    ("?", None, true),
    ("x", None, true),
    ("*", None, true),
    // Less than a count.
    (">10", None, true),
    ("> 10", None, true),
    (">=10", None, true),
    ("≥10", None, true),
    ("10+", None, true),
    ("10 +", None, true),
    ("100+ ks", None, true),
    ("<5", None, true),
    ("~10", None, true),
    ("5-10", None, true),
    ("5..10", None, true),
    ("10/20", None, true),
    ("5 of 10", None, true),
    // Broken or two ways to read it.
    ("1.000", None, true),
    ("1,000", None, true),
    ("12.345", None, true),
    ("1e3", None, true),
    ("1E+05", None, true),
    ("1.2.3", None, true),
    ("0x10", None, true),
    ("12a", None, true),
    ("O", None, true),
    ("1O", None, true),
    ("99999999999999999999", None, true),
    ("123456789012345678901234567890", None, true),
    ("1e400", None, true),
    ("Infinity", None, true),
    ("-inf", None, true),
    ("<b>5</b>", None, true),
    ("{}", None, true),
    ("=1+1", None, true),
    ("2026-11-22", None, true),
];

/// How a format writes rows of SKU and cell.
type Writer = fn(&Path, &[(String, &str)]);

fn delimited(path: &Path, rows: &[(String, &str)], delimiter: char) {
    let mut text = format!("sku{delimiter}on_hand\n");
    for (sku, cell) in rows {
        let cell = format!("\"{}\"", cell.replace('"', "\"\""));
        writeln!(text, "{sku}{delimiter}{cell}").expect("writes");
    }
    std::fs::write(path, text).expect("written");
}

fn json_rows(rows: &[(String, &str)]) -> Vec<String> {
    rows.iter()
        .map(|(sku, cell)| serde_json::json!({"sku": sku, "on_hand": cell}).to_string())
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(feature = "xlsx")]
fn workbook(path: &Path, rows: &[(String, &str)]) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in ["sku", "on_hand"].into_iter().enumerate() {
        let column = u16::try_from(column).expect("few");
        sheet.write_string(0, column, name).expect("written");
    }
    for (row, (sku, cell)) in rows.iter().enumerate() {
        let row = u32::try_from(row + 1).expect("few");
        sheet.write_string(row, 0, sku.as_str()).expect("written");
        sheet.write_string(row, 1, *cell).expect("written");
    }
    book.save(path).expect("saved");
}

#[cfg(feature = "xlsx")]
fn open_document(path: &Path, rows: &[(String, &str)]) {
    use std::io::Write as _;
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet><table:table table:name=\"Stock\">",
    );
    let mut row = |cells: [&str; 2]| {
        text.push_str("<table:table-row>");
        for cell in cells {
            let cell = escaped(cell);
            text.push_str(&format!(
                "<table:table-cell office:value-type=\"string\"><text:p>{cell}</text:p></table:table-cell>"
            ));
        }
        text.push_str("</table:table-row>");
    };
    row(["sku", "on_hand"]);
    for (sku, cell) in rows {
        row([sku, cell]);
    }
    text.push_str("</table:table></office:spreadsheet></office:body></office:document-content>");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).expect("made"));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        (
            "META-INF/manifest.xml",
            "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>",
        ),
        ("content.xml", text.as_str()),
    ] {
        archive.start_file(name, options).expect("started");
        archive.write_all(text.as_bytes()).expect("written");
    }
    archive.finish().expect("finished");
}

fn gzipped(path: &Path, rows: &[(String, &str)]) {
    use std::io::Write as _;
    let plain = path.with_extension("plain");
    delimited(&plain, rows, ',');
    let file = std::fs::File::create(path).expect("made");
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer
        .write_all(&std::fs::read(&plain).expect("read"))
        .expect("packed");
    packer.finish().expect("packed");
}

const FORMATS: &[(&str, &str, Writer)] = &[
    ("a.csv", "", |path, rows| delimited(path, rows, ',')),
    ("b.csv", "delimiter = \";\"", |path, rows| {
        delimited(path, rows, ';')
    }),
    ("a.tsv", "", |path, rows| delimited(path, rows, '\t')),
    ("a.csv.gz", "", gzipped),
    ("a.json", "", |path, rows| {
        let text = format!("[{}]", json_rows(rows).join(","));
        std::fs::write(path, text).expect("written");
    }),
    ("at.json", "at = \"data.stock\"", |path, rows| {
        let text = format!("{{\"data\":{{\"stock\":[{}]}}}}", json_rows(rows).join(","));
        std::fs::write(path, text).expect("written");
    }),
    ("a.ndjson", "", |path, rows| {
        std::fs::write(path, json_rows(rows).join("\n") + "\n").expect("written");
    }),
    ("a.xml", "record = \"row\"", |path, rows| {
        let mut text = String::from("<stock>");
        for (sku, cell) in rows {
            write!(
                text,
                "<row><sku>{sku}</sku><on_hand>{}</on_hand></row>",
                escaped(cell)
            )
            .expect("writes");
        }
        std::fs::write(path, text + "</stock>").expect("written");
    }),
    #[cfg(feature = "xlsx")]
    ("a.xlsx", "", workbook),
    #[cfg(feature = "xlsx")]
    ("a.ods", "", open_document),
];

fn rows() -> Vec<(String, &'static str)> {
    TEXTS
        .iter()
        .enumerate()
        .map(|(number, (text, _, _))| (format!("S{number}"), *text))
        .collect()
}

/// Holds what was told of the texts against the table.
fn compare(format: &str, told: &[Observation], read: &Read) {
    let mut wrong = Vec::new();
    for (number, (text, units, odd)) in TEXTS.iter().enumerate() {
        let sku = format!("S{number}");
        let found = told.iter().find(|observation| observation.sku == sku);
        let Some(found) = found else {
            wrong.push(format!("`{text}` is not told"));
            continue;
        };
        if found.quantity != *units {
            wrong.push(format!("`{text}` is {:?}, not {units:?}", found.quantity));
        }
        let finding = read
            .rejected
            .iter()
            .any(|finding| finding.sku.as_deref() == Some(sku.as_str()));
        if finding != *odd {
            wrong.push(format!("`{text}`: finding {finding}"));
        }
    }
    assert!(wrong.is_empty(), "{format}: {wrong:#?}");
}

#[test]
fn each_text_means_the_same_in_each_format() {
    assert!(TEXTS.len() >= 120, "{}", TEXTS.len());
    let folder = tempfile::tempdir().expect("a folder");
    for (name, keys, write) in FORMATS {
        write(&folder.path().join(name), &rows());
        let project = project(folder.path(), &stock(name, keys));
        let (told, read) = well(&mut *opened(&project), None);
        assert_eq!(read.kind, ReadKind::Snapshot, "{name}");
        assert_eq!(read.rows, TEXTS.len() as u64, "{name}");
        compare(name, &told, &read);
    }
}

#[test]
fn each_text_means_the_same_in_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = rusqlite::Connection::open(folder.path().join("stock.db")).expect("made");
    connection
        .execute_batch("PRAGMA synchronous = OFF; CREATE TABLE stock (sku TEXT, on_hand)")
        .expect("made");
    for (sku, cell) in rows() {
        connection
            .execute("INSERT INTO stock VALUES (?, ?)", [sku.as_str(), cell])
            .expect("added");
    }
    let project = project(
        folder.path(),
        "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"sqlite:stock.db\"\nquery = \"SELECT * FROM stock\"\n",
    );
    let (told, read) = well(&mut *opened(&project), None);
    compare("sqlite", &told, &read);
}

#[test]
fn numbers_of_a_format_are_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"[{"sku":"a","on_hand":0},{"sku":"b","on_hand":12},{"sku":"c","on_hand":-3},{"sku":"d","on_hand":2.5},{"sku":"e","on_hand":null},{"sku":"f"},{"sku":"g","on_hand":true},{"sku":"h","on_hand":[1,2]},{"sku":"i","on_hand":5.0},{"sku":"j","on_hand":""}]"#;
    std::fs::write(folder.path().join("a.json"), text).expect("written");
    let project = project(folder.path(), &stock("a.json", ""));
    let (told, read) = well(&mut *opened(&project), None);
    assert_eq!(
        counts(&told),
        [
            ("a", Some(0)),
            ("b", Some(12)),
            ("c", Some(-3)),
            ("d", Some(2)),
            ("e", None),
            ("f", None),
            ("g", None),
            ("h", None),
            ("i", Some(5)),
            ("j", None),
        ]
    );
    let odd: Vec<_> = read
        .rejected
        .iter()
        .map(|finding| (finding.sku.as_deref().unwrap_or(""), finding.rule))
        .collect();
    assert_eq!(
        odd,
        [
            ("c", "quantity-negative"),
            ("d", "quantity-not-a-number"),
            ("g", "quantity-not-a-number"),
            ("h", "list-as-text"),
        ]
    );
}

#[test]
fn a_locale_settles_what_may_be_thousands() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("a.csv"),
        "sku;on_hand\na;1.000\nb;1,500\nc;12\n",
    )
    .expect("written");
    for (locale, want) in [
        ("de", [Some(1000), Some(1), Some(12)]),
        ("en", [Some(1), Some(1500), Some(12)]),
    ] {
        let keys = format!("locale = \"{locale}\"");
        let project = project(folder.path(), &stock("a.csv", &keys));
        let (told, _) = well(&mut *opened(&project), None);
        let units: Vec<_> = told.iter().map(|told| told.quantity).collect();
        assert_eq!(units, want, "{locale}");
    }
}

#[test]
fn a_missing_column_is_a_mistake_of_the_project() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.csv"), "sku,onhand,available\na,5,4\n").expect("written");
    let project = project(folder.path(), &stock("a.csv", ""));
    let failure = fails(&mut *opened(&project), None);
    assert_eq!(failure.exit(), 2);
    let text = failure.to_string();
    assert!(text.contains("there is no column `on_hand`"), "{text}");
    assert!(
        failure.hint().contains("did you mean `onhand`?"),
        "{}",
        failure.hint()
    );
    assert!(failure.hint().contains("`available`"), "{}", failure.hint());
    planted::plant(Some("missing column as 0"));
    let (told, _) = well(&mut *opened(&project), None);
    planted::plant(None);
    assert_eq!(counts(&told), [("a", Some(0))], "the planted bug is one");
}

#[test]
fn the_planted_bug_of_empty_cells_would_be_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.csv"), "sku,on_hand\na,\n").expect("written");
    let project = project(folder.path(), &stock("a.csv", ""));
    let (told, _) = well(&mut *opened(&project), None);
    assert_eq!(counts(&told), [("a", None)]);
    planted::plant(Some("empty cell as 0"));
    let (told, _) = well(&mut *opened(&project), None);
    planted::plant(None);
    assert_eq!(counts(&told), [("a", Some(0))]);
}

#[test]
fn columns_are_mapped_computed_and_defaulted() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("a.csv"),
        "Art,Var,Bestand,Reserviert,Keep\n100,S,5,2,1\n100,M,,,\n",
    )
    .expect("written");
    let keys = "[source.fields]\nsku = \"{{Art}}-{{lower Var}}\"\non_hand = \"Bestand\"\ncommitted = \"Reserviert\"\nsafety_stock = \"Keep\"\n[source.defaults]\nlocation = \"main\"\ncommitted = \"0\"\n";
    let project = project(folder.path(), &stock("a.csv", keys));
    let (told, read) = well(&mut *opened(&project), None);
    let first = Observation {
        location: "main".to_owned(),
        sku: "100-s".to_owned(),
        quantity: Some(5),
        committed: Some(2),
        safety_stock: Some(1),
        mark: Mark::None,
    };
    let second = Observation {
        sku: "100-m".to_owned(),
        quantity: None,
        committed: Some(0),
        safety_stock: None,
        ..first.clone()
    };
    assert_eq!(told, [first, second]);
    assert_eq!(read.found, 0);
}

#[test]
fn the_basis_says_which_columns_count() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("a.csv"),
        "sku,on_hand,available,salable,committed,safety_stock\na,9,7,5,2,1\n",
    )
    .expect("written");
    for (basis, units, committed, safety) in [
        ("on_hand", 9, Some(2), Some(1)),
        ("available", 7, None, Some(1)),
        ("salable", 5, None, None),
    ] {
        let text =
            stock("a.csv", "").replace("basis = \"on_hand\"", &format!("basis = \"{basis}\""));
        let project = project(folder.path(), &text);
        let (told, _) = well(&mut *opened(&project), None);
        assert_eq!(told[0].quantity, Some(units), "{basis}");
        assert_eq!(told[0].committed, committed, "{basis}");
        assert_eq!(told[0].safety_stock, safety, "{basis}");
    }
}
