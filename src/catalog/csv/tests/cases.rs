//! Named cases: what people send, and what they are told.
#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use super::*;

fn rows(text: &str) -> Vec<Vec<String>> {
    read(text).expect("whole").records
}

fn error(bytes: &[u8]) -> SourceError {
    read_with(bytes, &comma(), 64).expect_err("not whole")
}

#[test]
fn quotes_line_breaks_and_blank_lines_read_as_the_crate_reads_them() {
    let all = read("sku,title\r\n1,\"a \"\"b\"\", c\r\nd\"\r\n\r\n2,12\" pack\n3,\"x\" y")
        .expect("whole");
    assert_eq!(all.columns, ["sku", "title"]);
    assert_eq!(
        all.records,
        [["1", "a \"b\", c\r\nd"], ["2", "12\" pack"], ["3", "x y"]]
    );
    assert_eq!(all.lines, [2, 5, 6]);
    assert!(all.rejects.is_empty());
}

#[test]
fn the_delimiter_is_found_and_said() {
    for (delimiter, shown) in [(",", "`,`"), (";", "`;`"), ("\t", "a tab"), ("|", "`|`")] {
        let text = "sku,price,note\n1,2.5,\"a,;\t|b\"\n2,3.5,c\n".replace(',', delimiter);
        let all = read(&text).expect("found");
        assert_eq!(all.columns, ["sku", "price", "note"], "{shown}");
        assert_eq!(all.records[1], ["2", "3.5", "c"]);
        let remark = format!("the delimiter is {shown}: the first 3 records have 3 cells each");
        assert_eq!(all.remarks, [remark]);
    }
    // decimal commas, in every row but the header
    let all = read("sku;price\n1;2,50\n2;3,50\n").expect("found");
    assert_eq!(all.records, [["1", "2,50"], ["2", "3,50"]]);
    // one ragged row in six
    let all = read("a;b\n1;2\n1;2\n1;2;3\n1;2\n1;2\n").expect("found");
    assert_eq!(all.rejects, [("ragged-row", 4)]);
}

#[test]
fn one_column_needs_no_delimiter() {
    let all = read("title\na, b\nc; d\n").expect("one column");
    assert_eq!(all.records, [["a, b"], ["c; d"]]);
    assert_eq!(all.remarks, ["one column: no delimiter was found"]);
    assert_eq!(rows("title\nplain\n"), [["plain"]]);
}

#[test]
fn a_delimiter_that_cannot_be_told_is_asked_for() {
    let error = read("a,b;c\n1,2;3\n").expect_err("either");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert_eq!(
        error.message,
        "the delimiter may be `,` or `;`: both give 2 columns"
    );
    assert_eq!(error.hint, "set `delimiter` in the source");
}

#[test]
fn a_sep_line_is_taken_at_its_word() {
    let all = read("sep=;\r\na;b\r\n1;2\r\n").expect("declared");
    assert_eq!(all.columns, ["a", "b"]);
    assert_eq!(
        (all.records, all.lines),
        (vec![vec!["1".to_owned(), "2".to_owned()]], vec![3])
    );
    assert_eq!(
        all.remarks,
        ["the delimiter is `;`: the first line says so"]
    );
    let all = read_with(b"sep=;\na,b\n1,2\n", &comma(), 64).expect("declared");
    assert_eq!(all.columns, ["a", "b"]);
    assert!(
        all.remarks[0].contains("the declared `,` is used"),
        "{:?}",
        all.remarks
    );
}

#[test]
fn column_names_are_trimmed_numbered_and_never_empty() {
    let all = read(" sku ,name,name,,name,name (2)\n").expect("a header alone");
    let wanted = [
        "sku", "name", "name (3)", "column 4", "name (4)", "name (2)",
    ];
    assert_eq!(all.columns, wanted);
    assert!(all.records.is_empty());
    let remark = "repeated column names were numbered: `name (3)`, `name (4)`";
    assert!(all.remarks.iter().any(|r| r == remark), "{:?}", all.remarks);
    let all = read("name,name,name\n").expect("a header alone");
    assert_eq!(all.columns, ["name", "name (2)", "name (3)"]);
}

#[test]
fn a_file_without_a_header_has_given_names_or_numbers() {
    let mut options = comma();
    options.header = false;
    let all = read_with(b"1,2\n3,4\n", &options, 64).expect("data");
    assert_eq!(all.columns, ["column 1", "column 2"]);
    assert_eq!(all.records.len(), 2);
    options.names = Some(vec!["a".to_owned(), "b".to_owned()]);
    let all = read_with(b"1,2\n", &options, 64).expect("data");
    assert_eq!(all.columns, ["a", "b"]);
    let error = read_with(b"1,2,3\n", &options, 64).expect_err("three");
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert_eq!(
        error.message,
        "2 column names are given, the first record has 3 cells"
    );
    options.header = true;
    let error = read_with(b"1,2\n", &options, 64).expect_err("both");
    assert_eq!(error.problem, SourceProblem::Configuration);
}

#[test]
fn settings_no_file_can_have_are_refused() {
    for (delimiter, quote) in [
        (b'\n', Some(b'"')),
        (b'"', Some(b'"')),
        (0xC5, None),
        (b',', Some(b'\r')),
    ] {
        let options = CsvOptions {
            delimiter: Some(delimiter),
            quote,
            ..CsvOptions::default()
        };
        let error = read_with(b"a,b\n", &options, 64).expect_err("impossible");
        assert_eq!(error.problem, SourceProblem::Configuration);
    }
}

#[test]
fn other_quotes_and_none() {
    let mut options = comma();
    options.quote = Some(b'\'');
    let all = read_with(b"a,b\n'1,''x',\"\n", &options, 64).expect("whole");
    assert_eq!(all.records, [["1,'x", "\""]]);
    options.quote = None;
    let all = read_with(b"a,b\n\"1,2\"\n12\",\"\"\n", &options, 64).expect("whole");
    assert_eq!(all.records, [["\"1", "2\""], ["12\"", "\"\""]]);
}

#[test]
fn ragged_rows_are_rejected_and_the_rest_is_read() {
    let mut reader = CsvReader::open(
        input(b"a,b,c\n1,2,3\n1,2\n4,5,6\n1,2,3,4\n,\n7,8,9\n", 64),
        &comma(),
        64,
    )
    .expect("a header");
    let mut batch = Batch::default();
    assert!(reader.read_batch(&mut batch).expect("whole"));
    assert_eq!(batch.len(), 3);
    let told: Vec<(u64, &str)> = batch
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (3, "expected 3 cells, found 2"),
            (5, "expected 3 cells, found 4")
        ]
    );
    assert!(batch.rejects.iter().all(|reject| !reject.hint.is_empty()));
    assert!(!reader.read_batch(&mut batch).expect("whole"));
    assert_eq!(
        reader.remarks(),
        ["1 rows of nothing but empty cells were skipped"]
    );
}

#[test]
fn a_row_of_very_many_cells_is_only_ragged() {
    let text = format!("a,b\n1,2\n{}x\n3,4\n", "y\"z,".repeat(20_000));
    let all = read_with(text.as_bytes(), &comma(), 4096).expect("whole");
    assert_eq!(all.rejects, [("ragged-row", 3)]);
    assert_eq!(all.records, [["1", "2"], ["3", "4"]]);
}

#[test]
fn an_open_quote_is_named_where_it_opened() {
    for fill in [1, 7, 1000] {
        let bytes = b"a,b\n1,\"x\ny\"\n2,\"never\nclosed, \"\"at all\n3,4\n";
        let error = read_with(bytes, &comma(), fill).expect_err("open");
        assert_eq!(error.problem, SourceProblem::NotWhole);
        assert_eq!(error.line, Some(4));
        assert!(
            error
                .message
                .contains("the quote that opens cell 2 here is never closed"),
            "{error}"
        );
    }
    let error = error(b"\"a,b\n1,2\n");
    assert_eq!(
        (error.problem, error.line),
        (SourceProblem::NotWhole, Some(1))
    );
}

#[test]
fn an_endless_record_is_not_whole() {
    let mut bytes = b"a,b\n1,2\n3,\"".to_vec();
    bytes.resize(RECORD_BYTES_MAX + 100, b'x');
    let error = read_with(&bytes, &comma(), BATCH_BYTES).expect_err("endless");
    assert_eq!(
        (error.problem, error.line),
        (SourceProblem::NotWhole, Some(3))
    );
    assert!(
        error.message.contains("more than 67108864 bytes"),
        "{error}"
    );
    assert!(error.message.contains("never closed"), "{error}");
}

#[test]
fn an_enormous_cell_is_rejected_alone() {
    let text = format!("a,b\n1,2\n3,\"{}\"\n5,6\n", "long\n".repeat(300_000));
    let all = read_with(text.as_bytes(), &comma(), BATCH_BYTES).expect("whole");
    assert_eq!(all.rejects, [("oversized-cell", 3)]);
    assert_eq!(all.records, [["1", "2"], ["5", "6"]]);
    assert_eq!(all.lines, [2, 300_004]);
}

#[test]
fn long_records_grow_the_buffer() {
    let long = "é\"\"".repeat(100_000);
    let text = format!("a,b\n1,\"{long}\"\n2,x\n");
    let all = read_with(text.as_bytes(), &comma(), 100).expect("whole");
    assert_eq!(all.records[0][1], long.replace("\"\"", "\""));
    assert_eq!(all.records[1], ["2", "x"]);
}

#[test]
fn nul_bytes_reject_a_record_and_holes_the_file() {
    let all = read_with(b"a,b\n1,2\n3,x\0y\n5,6\n", &comma(), 1000).expect("whole");
    assert_eq!(all.rejects, [("nul-byte", 3)]);
    assert_eq!(all.records, [["1", "2"], ["5", "6"]]);
    assert_eq!(all.lines, [2, 4]);
    let hole = error(&[b"a,b\n1,2\n3,".as_slice(), &[0; 4096], b"\n5,6\n"].concat());
    assert_eq!(
        (hole.problem, hole.line),
        (SourceProblem::NotWhole, Some(3))
    );
}

#[test]
fn bytes_that_are_not_utf8_are_named_with_line_and_column() {
    for fill in [1, 9, 1000] {
        for row in ["5,\"z\n\u{1}\",6", "5,\"z\n\u{1}\"q,6"] {
            let mut bytes = format!("a,b,c\n1,2,3\n\n{row}\n7,8,9\n").into_bytes();
            let at = bytes.iter().position(|byte| *byte == 1).expect("there");
            bytes[at] = 0xB9;
            let error = read_with(&bytes, &comma(), fill).expect_err("not UTF-8");
            assert_eq!(error.problem, SourceProblem::NotWhole);
            assert_eq!(error.line, Some(5), "{error}");
            assert_eq!(error.message, "byte 0xB9 is not UTF-8");
            if row.ends_with("\",6") {
                assert_eq!(error.column.as_deref(), Some("b"));
            }
        }
    }
    let error = read_with(b"a,b\xB9\n1,2\n", &comma(), 64).expect_err("header");
    assert_eq!((error.line, error.column.as_deref()), (Some(1), Some("2")));
    // a ragged row with a bad byte, after one that went the slow way
    let error = read_with(b"a,b\nx\"y,1\n1,2\n1,2,\xB9\n", &comma(), 1000).expect_err("ragged");
    assert_eq!(error.line, Some(4));
}

#[test]
fn a_file_cut_in_a_letter_says_so() {
    let text = "a,b\n1,ł";
    let error = error(&text.as_bytes()[..text.len() - 1]);
    assert_eq!(error.line, Some(2));
    assert!(
        error.message.contains("ends in the middle of a letter"),
        "{error}"
    );
}

#[test]
fn a_failed_reader_stays_failed() {
    let mut reader = CsvReader::open(input(b"a\n1\n\"2\n", 64), &comma(), 64).expect("a header");
    let mut batch = Batch::default();
    assert!(reader.read_batch(&mut batch).expect("one record"));
    let first = reader.read_batch(&mut batch).expect_err("open quote");
    assert!(batch.is_empty());
    assert_eq!(reader.read_batch(&mut batch), Err(first));
}

#[test]
fn empty_files_are_not_whole_and_headers_alone_are() {
    for bytes in [b"".as_slice(), b"\n", b"\r\n\r\n"] {
        assert_eq!(error(bytes).message, "the file is empty");
    }
    assert_eq!(rows("a,b"), Vec::<Vec<String>>::new());
    assert_eq!(rows("a,b\r\n"), Vec::<Vec<String>>::new());
}

#[test]
fn thousands_of_columns_are_refused_by_number() {
    let text = vec!["x"; 5000].join(",");
    let error = error(text.as_bytes());
    assert_eq!(error.problem, SourceProblem::Configuration);
    assert!(error.message.starts_with("5000 columns"), "{error}");
    let text = vec!["x"; COLUMNS_MAX].join(",");
    let all = read_with(text.as_bytes(), &comma(), 64).expect("as many as may be");
    assert_eq!(all.columns.len(), COLUMNS_MAX);
}

#[test]
fn cut_at_every_byte_it_is_refused_or_the_cut_is_at_a_records_end() {
    let text = "sku,tytuł,opis\r\n1,łódź,\"a \"\"b\"\"\r\nc, d\"\r\n2,\"x\",12\" y\n\n3,ก้า,\"\"\r4,ż,\"é\n\"\r\n";
    let whole = read_with(text.as_bytes(), &comma(), 16).expect("whole");
    assert_eq!(whole.records.len(), 4);
    for cut in 1..text.len() {
        let part = &text.as_bytes()[..cut];
        for fill in [1, 16, 1000] {
            agrees_with_crate(part, fill);
            match read_with(part, &comma(), fill) {
                Err(error) => assert_eq!(error.problem, SourceProblem::NotWhole, "at {cut}"),
                Ok(all) if all.columns != whole.columns => assert!(all.records.is_empty()),
                Ok(all) => {
                    // what was read is as in the whole file, but for the cell that was cut
                    let sure = all.records.len().saturating_sub(1);
                    assert_eq!(all.records[..sure], whole.records[..sure], "at {cut}");
                    assert!(all.rejects.len() <= 1);
                }
            }
        }
    }
}

#[test]
fn reads_of_any_size_give_the_same() {
    let text = "a,b\r\n1,\"x\"\"\ny\"\r\n2,ż\r\n";
    let whole = read_with(text.as_bytes(), &comma(), 1000).expect("whole");
    for step in 1..text.len() {
        let mut reader =
            CsvReader::open(input(text.as_bytes(), step), &comma(), 1000).expect("a header");
        let mut batch = Batch::default();
        assert!(reader.read_batch(&mut batch).expect("whole"));
        assert_eq!(batch.len(), whole.records.len());
        assert_eq!(batch.cell(0, 1), "x\"\ny");
    }
}

#[test]
fn real_catalogs_read_as_the_crate_reads_them() {
    let shared = std::env::var("SHELFCAST_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let mut read = 0;
    for (name, delimiter) in [
        ("shopify-sample/apparel.csv", b','),
        ("shopify-sample/jewelery.csv", b','),
        ("woocommerce-sample/sample_products.csv", b','),
        ("magento2-luma/products.csv", b','),
        ("flipkart-2016/flipkart_com-ecommerce_sample.csv", b','),
        ("amazon-in-2023/Amazon-Products.csv", b','),
        ("spree-sample/products.csv", b','),
        ("open-food-facts-fr/open_food_facts.csv", b'\t'),
        ("tiki-vn-2021/tiki_products.csv", b','),
        ("lazada-th-2025/lazadareport.csv", b','),
        ("ikea-sa/ikea.csv", b';'),
        ("goodbooks-10k/books.csv", b','),
        ("sunrise-inventory/inventory.csv", b','),
        ("prom-ua-import/import_products.csv", b';'),
    ] {
        let path = std::path::Path::new(&shared).join("data").join(name);
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        read += 1;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let all = read_with(bytes, &CsvOptions::default(), BATCH_BYTES).expect(name);
        let mut oracle = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(bytes);
        let width = oracle.headers().expect(name).len();
        let mut wanted = Vec::new();
        let mut ragged = 0;
        for record in oracle.records() {
            let record = record.expect(name);
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() == width {
                wanted.push(record.iter().map(str::to_owned).collect::<Vec<_>>());
            } else {
                ragged += 1;
            }
        }
        assert!(all.records == wanted, "{name} differs");
        assert_eq!(all.rejects.len(), ragged, "{name}");
    }
    // shown with --nocapture, and by a failing run
    if read == 0 {
        let mut out = std::io::stderr();
        std::io::Write::write_all(&mut out, b"skipped: no real catalogs at SHELFCAST_SHARED\n")
            .expect("stderr");
    }
}
