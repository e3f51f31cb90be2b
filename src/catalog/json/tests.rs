#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use std::io::Read;

use super::*;

fn opener(bytes: &[u8]) -> Opener {
    let bytes = bytes.to_vec();
    Box::new(move || Ok(Box::new(std::io::Cursor::new(bytes.clone())) as Box<dyn Read + Send>))
}

/// Every record as (line, cells), and the rejects.
#[derive(Debug)]
struct Whole {
    columns: Vec<String>,
    records: Vec<(u64, Vec<String>)>,
    rejects: Vec<Reject>,
    remarks: Vec<String>,
}

impl Whole {
    fn cell(&self, record: usize, column: &str) -> &str {
        let place = self.columns.iter().position(|name| name == column);
        let place = place.unwrap_or_else(|| panic!("no column {column} in {:?}", self.columns));
        &self.records[record].1[place]
    }
}

fn read(bytes: &[u8], at: Option<&str>, lines: bool) -> Result<Whole, SourceError> {
    let options = JsonOptions {
        at: at.map(str::to_owned),
        lines,
    };
    let mut reader = open(opener(bytes), "c.json", &options)?;
    let columns = reader.columns().to_vec();
    let mut batch = Batch::default();
    let mut whole = Whole {
        columns,
        records: Vec::new(),
        rejects: Vec::new(),
        remarks: reader.remarks(),
    };
    while reader.read_batch(&mut batch)? {
        for record in 0..batch.len() {
            let cells = (0..batch.width()).map(|column| batch.cell(record, column).to_owned());
            whole.records.push((batch.line(record), cells.collect()));
        }
        whole.rejects.append(&mut batch.rejects);
    }
    Ok(whole)
}

fn json(text: &str) -> Whole {
    read(text.as_bytes(), None, false).expect("is whole")
}

fn wrong(text: &str) -> SourceError {
    read(text.as_bytes(), None, false).expect_err("is wrong")
}

#[test]
fn flattens_objects_and_keeps_numbers_exact() {
    let whole = json(
        r#"[
 {"sku": "A", "price": {"amount": 0.10, "currency": "THB"}, "big": 12345678901234567890, "e": 1e400,
  "yes": true, "none": null, "empty": ""},
 {"sku": "B\u0e01\ud83d\ude00\n", "x": -0}
]"#,
    );
    assert_eq!(
        whole.columns,
        [
            "sku",
            "price.amount",
            "price.currency",
            "big",
            "e",
            "yes",
            "none",
            "empty",
            "x"
        ]
    );
    assert_eq!(whole.cell(0, "price.amount"), "0.10");
    assert_eq!(whole.cell(0, "big"), "12345678901234567890");
    assert_eq!(whole.cell(0, "e"), "1e400");
    assert_eq!(whole.cell(0, "yes"), "true");
    assert_eq!(whole.cell(0, "none"), "");
    assert_eq!(whole.cell(1, "sku"), "B\u{e01}\u{1f600}\n");
    assert_eq!(whole.cell(1, "x"), "-0");
    assert_eq!(whole.records[0].0, 2);
    assert_eq!(whole.records[1].0, 4);
}

#[test]
fn lists_become_list_cells_pairs_and_indexed_columns() {
    let whole = json(
        r#"[{"tags":["a\u001f","","b"],"options":[{"name":"Size","value":"M"},{"value":2,"name":"Fit"}],
 "images":[{"src":"1","alt":null},{"src":"2","alt":"two"}], "grid":[["x","y"],["z"]], "a.b":1, "a":{"b":2}}]"#,
    );
    assert_eq!(whole.cell(0, "tags"), "a\u{1f}b");
    assert_eq!(whole.cell(0, "options"), "Size\u{1e}M\u{1f}Fit\u{1e}2");
    assert_eq!(whole.cell(0, "images.0.src"), "1");
    assert_eq!(whole.cell(0, "images.1.alt"), "two");
    assert_eq!(whole.cell(0, "images[].src"), "1\u{1f}2");
    assert_eq!(whole.cell(0, "grid.0"), "x\u{1f}y");
    assert_eq!(whole.cell(0, "grid.1"), "z");
    assert_eq!((whole.cell(0, "a.b"), whole.cell(0, "a.b (2)")), ("1", "2"));
}

#[test]
fn long_lists_of_objects_are_bounded_and_said() {
    let images: Vec<String> = (0..20).map(|n| format!("{{\"src\":{n}}}")).collect();
    let whole = json(&format!("[{{\"images\":[{}]}}]", images.join(",")));
    assert_eq!(whole.cell(0, "images.15.src"), "15");
    assert!(!whole.columns.iter().any(|name| name == "images.16.src"));
    assert_eq!(whole.cell(0, "images[].src").split('\u{1f}').count(), 20);
    assert_eq!(whole.remarks.len(), 1);
}

#[test]
fn finds_the_array_by_path_or_alone() {
    let text = r#"{"meta":{"n":1,"list":[1,2]},"data":{"items":[{"sku":"A"}]},"after":[[{}]]}"#;
    for at in [
        Some("data.items"),
        Some("/data/items"),
        Some("$.data.items[*]"),
        None,
    ] {
        let whole = read(text.as_bytes(), at, false).expect("is found");
        assert_eq!(whole.cell(0, "sku"), "A");
        assert_eq!(whole.remarks.len(), usize::from(at.is_none()));
    }
    let index = read(br#"[[],[{"sku":"B"}]]"#, Some("/1"), false).expect("is found");
    assert_eq!(index.cell(0, "sku"), "B");
    for (at, says) in [
        ("data.itms", "`data` has no member `itms`"),
        ("meta", "`meta` is an object"),
        ("x", "the document has no member `x`"),
    ] {
        let error = read(text.as_bytes(), Some(at), false).expect_err("is not there");
        assert_eq!(error.problem, SourceProblem::Configuration);
        assert!(error.message.contains(says), "{error}");
    }
    let two = wrong(r#"{"a":[{}],"b.c":[{}]}"#);
    assert_eq!(two.hint, "set `at` to one of `a`, `/b.c`");
    assert_eq!(wrong(r#"{"a":1}"#).problem, SourceProblem::Configuration);
    let twice = read(br#"{"a":[{}],"b":{"a":1},"a":[{}]}"#, Some("a"), false);
    assert!(
        twice
            .expect_err("twice")
            .message
            .contains("`a` stands twice")
    );
}

#[test]
fn what_is_no_json_is_not_whole_and_says_where() {
    for (text, line, says) in [
        ("[{\"a\":NaN}]", 1, "`NaN`"),
        ("[{\"a\":nan}]", 1, "`NaN`"),
        ("[{\"a\":-Infinity}]", 1, "`Infinity`"),
        ("[\n// x\n{}]", 2, "comments"),
        ("[{\"a\":1},\n]", 2, "after a comma"),
        ("[{\"a\":1,}]", 1, "after a comma"),
        ("[{'a':1}]", 1, "single quotes"),
        ("[{\"a\":01}]", 1, "begin with 0"),
        ("[{\"a\":1.}]", 1, "unexpected `}`"),
        ("[{\"a\":+1}]", 1, "unexpected `+`"),
        ("[{\"a\":\"x\ny\"}]", 1, "control character 0x0a"),
        ("[{\"a\":\"\\ud800\"}]", 1, "surrogate"),
        ("[{\"a\":\"\\q\"}]", 1, "escape"),
        ("[{\"a\" 1}]", 1, "unexpected `1`"),
        ("[{}}", 1, "closes nothing"),
        ("[{}] x", 1, "follows the end"),
        ("[{}]\n[{}]", 2, "follows the end"),
        ("<!DOCTYPE html><html>", 1, "HTML"),
        ("", 1, "ends before"),
        ("[{\"a\":tru}]", 1, "unexpected `}`"),
    ] {
        let error = wrong(text);
        assert_eq!(error.problem, SourceProblem::NotWhole, "{text}");
        assert_eq!(error.line, Some(line), "{text}: {error}");
        assert!(error.message.contains(says), "{text}: {error}");
    }
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    assert!(wrong(&deep).message.contains("deeper than 128"));
    let bytes = read(b"[{\"a\":\"\xff\"}]", None, false).expect_err("is no UTF-8");
    assert!(bytes.message.contains("UTF-8"));
    let marked = read(b"\xef\xbb\xbf[{\"a\":1}]", None, false).expect("is whole");
    assert_eq!(marked.cell(0, "a"), "1");
}

#[test]
fn bad_records_are_rejected_one_by_one() {
    let whole = json("[{\"a\":1},\n{\"a\":1,\"b\":{\"c\":1,\"c\":2}},\n7,\n{\"a\":2}]");
    assert_eq!(whole.records.len(), 2);
    assert_eq!(whole.columns, ["a"]);
    let rules: Vec<_> = whole.rejects.iter().map(|r| (r.rule, r.line)).collect();
    assert_eq!(rules, [("duplicate-member", 2), ("bad-record", 3)]);
    assert!(whole.rejects[0].message.contains("`c`"));
}

#[test]
fn ndjson_reads_line_by_line() {
    let text = "\u{feff}{\"a\":1}\r\n\n{\"a\":}\n[1]\n{\"b\":2} {}\n{\"b\":3}";
    let whole = read(text.as_bytes(), None, true).expect("is whole");
    assert_eq!(whole.columns, ["a", "b"]);
    assert_eq!(whole.records.len(), 2);
    assert_eq!(whole.records[1].0, 6);
    let lines: Vec<_> = whole.rejects.iter().map(|r| (r.rule, r.line)).collect();
    assert_eq!(
        lines,
        [("bad-record", 3), ("bad-record", 4), ("bad-record", 5)]
    );
    assert!(
        whole.rejects[0].message.contains("character 6"),
        "{whole:?}"
    );
    let cut = read(b"{\"a\":1}\n{\"a\":2", None, true).expect_err("is cut");
    assert_eq!((cut.problem, cut.line), (SourceProblem::NotWhole, Some(2)));
    let page = read(b"<html>\n<body>\n</html>\n", None, true).expect_err("is a page");
    assert_eq!(page.problem, SourceProblem::NotWhole);
}

#[test]
fn a_cut_file_is_never_whole() {
    let text = "{\"x\":[1,{}],\"data\":[\n{\"sku\":\"\u{e01}\",\"p\":{\"a\":-1.5e2}},{\"t\":[true,null]}\n],\"y\":false}";
    let bytes = text.as_bytes();
    assert_eq!(
        read(bytes, Some("data"), false)
            .expect("is whole")
            .records
            .len(),
        2
    );
    for end in 0..bytes.len() {
        let error = read(&bytes[..end], Some("data"), false).expect_err("is cut");
        assert_eq!(
            error.problem,
            SourceProblem::NotWhole,
            "cut at {end}: {error}"
        );
    }
    let lines = "{\"sku\":\"\u{e01}\",\"n\":[1,2]}\n{\"sku\":\"B\"}\n".as_bytes();
    for end in 1..lines.len() {
        let whole = read(&lines[..end], None, true);
        // A record is whole at its closing brace; the line end after it adds nothing.
        let at_end = lines[..end].ends_with(b"}") || lines[..end].ends_with(b"\n");
        assert_eq!(whole.is_ok(), at_end, "cut at {end}");
    }
}

#[test]
fn agrees_with_another_parser_on_what_is_json() {
    let seeds = [
        "[{\"a\":[1,2.5e-3,\"x\\u00e9\\n\"],\"b\":{\"c\":null}},{\"d\":false}]",
        "[ {\"k\" : -0.0E+1 , \"l\":\"\\ud83d\\ude00\\/\"}, {} ]",
    ];
    let letters = b"[]{},:\"\\eE0123.+-tnu x";
    let mut state = 7_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for round in 0..6_000 {
        let mut bytes = seeds[round % 2].as_bytes().to_vec();
        for _ in 0..=next() % 3 {
            let place = next() % bytes.len();
            match next() % 3 {
                0 => bytes[place] = letters[next() % letters.len()],
                1 => bytes.insert(place, letters[next() % letters.len()]),
                _ => drop(bytes.remove(place)),
            }
        }
        // Lone numbers out of a double's range are JSON all the same: raw values do not convert them.
        let theirs = serde_json::from_slice::<Vec<Box<serde_json::value::RawValue>>>(&bytes);
        let ours = read(&bytes, Some(""), false);
        if let (Err(error), Ok(_)) = (&ours, &theirs) {
            assert!(
                error.message.contains("surrogate"),
                "{error} in {}",
                String::from_utf8_lossy(&bytes)
            );
        }
        assert!(
            ours.is_err() || theirs.is_ok(),
            "taken: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

#[test]
fn long_streams_cross_buffers() {
    let mut text = String::from("[");
    for n in 0..9_000 {
        text.push_str(&format!("{{\"sku\":\"กข{n}\",\"n\":{n}.{n}}},\n"));
    }
    text.push_str("{\"sku\":\"last\"}]");
    let whole = json(&text);
    assert_eq!(whole.records.len(), 9_001);
    assert_eq!(whole.cell(8_999, "n"), "8999.8999");
    assert_eq!(whole.cell(8_999, "sku"), "กข8999");
    assert_eq!(whole.records[9_000].0, 9_001);
}

#[test]
fn reads_the_real_files() {
    let shared = std::env::var("SHELFCAST_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let file = std::path::Path::new(&shared).join("data/saleor-demo/populatedb_data.json");
    let Ok(bytes) = std::fs::read(&file) else {
        return skipped(&file);
    };
    let whole = read(&bytes, None, false).expect("is whole");
    let values: Vec<serde_json::Value> = serde_json::from_slice(&bytes).expect("parses");
    assert_eq!(whole.records.len(), values.len());
    for (record, value) in values.iter().enumerate() {
        assert_eq!(
            whole.cell(record, "model"),
            value["model"].as_str().expect("a text")
        );
        let key = value["pk"].as_str().map(str::to_owned);
        let key = key.unwrap_or_else(|| value["pk"].to_string());
        assert_eq!(whole.cell(record, "pk"), key);
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped(file: &std::path::Path) {
    eprintln!("skipped: no {}", file.display());
}
