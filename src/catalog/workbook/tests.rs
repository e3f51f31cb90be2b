#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use std::io::{Cursor, Write};
use std::path::PathBuf;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

#[derive(Debug)]
struct Whole {
    columns: Vec<String>,
    records: Vec<(u64, Vec<String>)>,
    remarks: Vec<String>,
}

fn read_file(path: &Path, options: &WorkbookOptions) -> Result<Whole, SourceError> {
    let mut reader = open(path, "c.xlsx", options)?;
    let mut batch = Batch::default();
    let mut records = Vec::new();
    while reader.read_batch(&mut batch)? {
        for record in 0..batch.len() {
            let cells = (0..batch.width()).map(|column| batch.cell(record, column).to_owned());
            records.push((batch.line(record), cells.collect()));
        }
    }
    Ok(Whole {
        columns: reader.columns().to_vec(),
        records,
        remarks: reader.remarks(),
    })
}

fn read(bytes: &[u8], options: &WorkbookOptions) -> Result<Whole, SourceError> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("c.xlsx");
    std::fs::write(&path, bytes).expect("writes");
    read_file(&path, options)
}

fn sheet(name: &str) -> WorkbookOptions {
    WorkbookOptions {
        sheet: Some(name.to_owned()),
        ..WorkbookOptions::default()
    }
}

fn header(row: u32) -> WorkbookOptions {
    WorkbookOptions {
        header_row: Some(row),
        ..WorkbookOptions::default()
    }
}

/// A workbook with a hidden, an empty and a full sheet.
fn sample() -> Vec<u8> {
    let mut book = Workbook::new();
    let hidden = book.add_worksheet();
    hidden.set_name("Hidden").expect("names");
    hidden.write(0, 0, "secret").expect("writes");
    hidden.set_hidden(true);
    book.add_worksheet().set_name("Empty").expect("names");
    let full = book.add_worksheet();
    full.set_name("Retail").expect("names");
    full.set_active(true);
    for (column, name) in [
        "SKU", "EAN", " Price ", "Price", "Date", "When", "Ok", "N", "F",
    ]
    .iter()
    .enumerate()
    {
        full.write(2, column as u16, *name).expect("writes");
    }
    full.write(3, 0, "00012").expect("writes");
    full.write(3, 1, 4_006_381_333_931_f64).expect("writes");
    full.write(3, 2, 19.99).expect("writes");
    full.write(3, 3, 1e21).expect("writes");
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let when = ExcelDateTime::from_ymd(2026, 11, 22).expect("is a date");
    full.write_datetime_with_format(3, 4, &when, &date)
        .expect("writes");
    let when = when.and_hms(13, 5, 9).expect("is a time");
    let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    full.write_datetime_with_format(3, 5, &when, &format)
        .expect("writes");
    full.write(3, 6, true).expect("writes");
    full.write(3, 7, 1_000_000.0).expect("writes");
    full.write_formula(3, 8, Formula::new("1+1").set_result("2"))
        .expect("writes");
    full.write(5, 0, "สินค้า\u{1f}\nสอง").expect("writes");
    full.write_formula(5, 7, Formula::new("NA()").set_result("#N/A"))
        .expect("writes");
    full.write(5, 11, "stray").expect("writes");
    full.write(1_048_575, 16_383, "far").expect("writes");
    book.save_to_buffer().expect("saves")
}

#[test]
fn cells_come_as_exact_text_from_the_first_full_visible_sheet() {
    let whole = read(&sample(), &WorkbookOptions::default()).expect("is whole");
    assert_eq!(
        whole.columns,
        [
            "SKU",
            "EAN",
            "Price",
            "Price (2)",
            "Date",
            "When",
            "Ok",
            "N",
            "F"
        ]
    );
    assert_eq!(whole.records.len(), 2);
    assert_eq!(whole.records[0].0, 4);
    assert_eq!(
        whole.records[0].1,
        [
            "00012",
            "4006381333931",
            "19.99",
            "1000000000000000000000",
            "2026-11-22",
            "2026-11-22T13:05:09",
            "TRUE",
            "1000000",
            "2"
        ]
    );
    assert_eq!(whole.records[1].0, 6);
    assert_eq!(whole.records[1].1[0], "สินค้า\nสอง");
    let remarks = whole.remarks.join("\n");
    for says in [
        "of its 3 sheets, `Retail` is read",
        "`Price`",
        "such as #N/A, read as empty: 1",
        "in columns without a header, not read: 2, the first is L6",
        "identifiers in column `EAN`: 1",
        "identifiers in column `Price`: 1",
    ] {
        assert!(remarks.contains(says), "{says} in {remarks}");
    }
}

#[test]
fn sheet_and_header_are_settings() {
    let bytes = sample();
    let error = read(&bytes, &sheet("Retial")).expect_err("is not there");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert_eq!(
        error.hint,
        "did you mean `Retail`? its sheets are `Hidden`, `Empty`, `Retail`"
    );
    assert_eq!(
        read(&bytes, &sheet("Hidden")).expect("is whole").columns,
        ["secret"]
    );
    let empty = read(&bytes, &sheet("Empty")).expect("is whole");
    assert!(empty.columns.is_empty() && empty.records.is_empty());
    assert_eq!(read(&bytes, &header(3)).expect("is whole").records.len(), 2);
    assert_eq!(
        read(&bytes, &header(4)).expect("is whole").columns[0],
        "00012"
    );
    for row in [1, 5] {
        let error = read(&bytes, &header(row)).expect_err("is empty");
        assert_eq!(error.problem, SourceProblem::Configuration, "{error}");
    }
    let named = WorkbookOptions {
        header_row: Some(3),
        names: Some(vec!["id".to_owned(), "code".to_owned()]),
        ..WorkbookOptions::default()
    };
    let whole = read(&bytes, &named).expect("is whole");
    assert_eq!(whole.columns, ["id", "code"]);
    assert_eq!(whole.records[0].1, ["00012", "4006381333931"]);
    let all = WorkbookOptions {
        header_row: None,
        ..named
    };
    assert_eq!(read(&bytes, &all).expect("is whole").records.len(), 3);
}

#[test]
fn too_many_columns_are_refused() {
    let mut book = Workbook::new();
    let wide = book.add_worksheet();
    for column in 0..4_097 {
        wide.write(0, column, "c").expect("writes");
    }
    let bytes = book.save_to_buffer().expect("saves");
    let error = read(&bytes, &WorkbookOptions::default()).expect_err("is too wide");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert!(error.message.contains("4096 columns"), "{error}");
}

/// A zip archive of these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("starts");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("finishes").into_inner()
}

fn ods(content: &str) -> Vec<u8> {
    archive(&[
        (
            "mimetype",
            b"application/vnd.oasis.opendocument.spreadsheet",
        ),
        ("content.xml", content.as_bytes()),
    ])
}

const CONTENT: &str = r#"<?xml version="1.0"?><office:document-content>
<office:automatic-styles><style:style style:name="h"><style:table-properties table:display="false"/></style:style></office:automatic-styles>
<office:body><office:spreadsheet>
<table:table table:name="Hidden" table:style-name="h"><table:table-row><table:table-cell office:value-type="string"><text:p>no</text:p></table:table-cell></table:table-row></table:table>
<table:table table:name="Data">
<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>sku</text:p></table:table-cell><table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>price</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>day</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>ok</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>t</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string"><office:annotation><text:p>note</text:p></office:annotation><text:p>0<text:span>0</text:span>7<text:s text:c="2"/>x&amp;y</text:p><text:p>z</text:p></table:table-cell><table:table-cell office:value-type="currency" office:value="12.50"><text:p>12,50 zł</text:p></table:table-cell><table:table-cell office:value-type="float" office:value="1.5E+20"/><table:table-cell office:value-type="date" office:date-value="2026-11-22"><text:p>22.11</text:p></table:table-cell><table:table-cell office:value-type="boolean" office:boolean-value="true"/><table:table-cell office:value-type="time" office:time-value="PT09H05M00S"/></table:table-row>
<table:table-row><table:table-cell/><table:table-cell office:value-type="string" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
</table:table>
</office:spreadsheet></office:body></office:document-content>"#;

#[test]
fn open_document_cells_come_as_exact_text() {
    let whole = read(&ods(CONTENT), &WorkbookOptions::default()).expect("is whole");
    assert_eq!(
        whole.columns,
        ["sku", "price", "price (2)", "day", "ok", "t"]
    );
    assert_eq!(whole.records.len(), 2, "{whole:?}");
    assert_eq!((whole.records[0].0, whole.records[1].0), (4, 5));
    assert_eq!(
        whole.records[0].1,
        [
            "007  x&y\nz",
            "12.5",
            "150000000000000000000",
            "2026-11-22",
            "TRUE",
            "09:05:00"
        ]
    );
    let remarks = whole.remarks.join("\n");
    assert!(
        remarks.contains("of its 2 sheets, `Data` is read"),
        "{remarks}"
    );
    assert!(
        remarks.contains("such as #N/A, read as empty: 1"),
        "{remarks}"
    );
    let hidden = read(&ods(CONTENT), &sheet("Hidden")).expect("is whole");
    assert_eq!(hidden.columns, ["no"]);
    let error = read(&ods(CONTENT), &sheet("data")).expect_err("is not there");
    assert!(
        error.hint.starts_with("did you mean `Data`?"),
        "{}",
        error.hint
    );
}

#[test]
fn what_is_no_honest_workbook_is_refused() {
    let zeros = vec![b' '; 20 * 1024 * 1024];
    for (bytes, says) in [
        (b"sku,price\n1,2\n".to_vec(), "no workbook"),
        (Vec::new(), "no workbook"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest".to_vec(),
            "password, or in the old",
        ),
        (
            archive(&[("a.csv", b"sku\n")]),
            "zip archive, but no workbook",
        ),
        (archive(&[("xl/workbook.bin", b"x")]), ".xlsb"),
        (
            archive(&[
                ("xl/workbook.xml", b"<x/>"),
                ("xl/worksheets/sheet1.xml", &zeros),
            ]),
            "expands to more than 100 times",
        ),
        (
            archive(&[
                (
                    "mimetype",
                    b"application/vnd.oasis.opendocument.spreadsheet",
                ),
                ("META-INF/manifest.xml", b"<m:encryption-data/>"),
                ("content.xml", b"xx"),
            ]),
            "password",
        ),
        (archive(&[("xl/workbook.xml", b"<x/>")]), "cut or damaged"),
        (ods("<office:document-content><table:table>"), "ends while"),
    ] {
        let error = read(&bytes, &WorkbookOptions::default()).expect_err(says);
        assert_eq!(error.problem, SourceProblem::NotWhole, "{error}");
        assert!(error.message.contains(says), "{says}: {error}");
    }
    let missing = open(
        &PathBuf::from("no/such.xlsx"),
        "no/such.xlsx",
        &WorkbookOptions::default(),
    );
    assert_eq!(
        missing.err().map(|error| error.problem),
        Some(SourceProblem::Missing)
    );
}

#[test]
fn a_part_that_is_larger_than_it_says_is_refused() {
    // The declared size of the only part, in both headers, is made smaller than what it expands to.
    let mut bytes = archive(&[("content.xml", &[b'x'; 5_000])]);
    let size = 5_000_u32.to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 4)
        .filter(|&at| bytes[at..at + 4] == size)
        .collect();
    assert_eq!(places.len(), 2);
    for at in places {
        bytes[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    let error = read(&bytes, &WorkbookOptions::default()).expect_err("lies");
    assert_eq!(error.problem, SourceProblem::NotWhole, "{error}");
}

#[test]
fn a_cut_or_damaged_workbook_is_never_whole() {
    for bytes in [sample(), ods(CONTENT)] {
        for end in (0..bytes.len()).step_by(7) {
            let error = read(&bytes[..end], &WorkbookOptions::default()).expect_err("is cut");
            assert_eq!(
                error.problem,
                SourceProblem::NotWhole,
                "cut at {end}: {error}"
            );
        }
        let whole = read(&bytes, &WorkbookOptions::default()).expect("is whole");
        for at in (0..bytes.len()).step_by(11) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            // A flipped bit in an unused header field may go unseen; it never changes a value.
            if let Ok(read) = read(&damaged, &WorkbookOptions::default()) {
                assert_eq!(read.records, whole.records, "damaged at {at}");
            }
        }
    }
}

#[test]
fn reads_the_real_file() {
    let shared = std::env::var("SHELFCAST_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let path = Path::new(&shared).join("data/kasta-ua-mapping/mappings.xlsx");
    if !path.exists() {
        return skipped(&path);
    }
    let whole = read_file(&path, &WorkbookOptions::default()).expect("is whole");
    assert!(!whole.columns.is_empty());
    let hint = read_file(&path, &sheet("?"))
        .expect_err("is not there")
        .hint;
    let names: Vec<&str> = hint.split('`').skip(1).step_by(2).collect();
    assert_eq!(names.len(), 10, "{hint}");
    let count = |name: &&str| match read_file(&path, &sheet(name)) {
        Ok(whole) => whole.records.len(),
        Err(error) => panic!("{name}: {error}"),
    };
    assert!(names.iter().map(count).max() > Some(1_000));
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped(file: &Path) {
    eprintln!("skipped: no {}", file.display());
}
