//! The reader against the `csv` crate, against cuts at every byte, and against the wrong inputs people have.

mod cases;

use std::io::Read;

use proptest::prelude::*;

use super::reader::CsvReader;
use super::*;
use crate::catalog::Batch;

/// Hands out at most `step` bytes a read.
struct Drip {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Read for Drip {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let bytes = rest.len().min(self.step).min(room.len());
        room[..bytes].copy_from_slice(&rest[..bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}

fn input(bytes: &[u8], step: usize) -> Input {
    Input {
        name: "catalog.csv".to_owned(),
        reader: Box::new(Drip {
            bytes: bytes.to_vec(),
            at: 0,
            step,
        }),
        size_bytes: None,
        remarks: Vec::new(),
    }
}

/// Everything read from a file.
#[derive(Debug, Default, PartialEq)]
struct Read_ {
    columns: Vec<String>,
    records: Vec<Vec<String>>,
    lines: Vec<u64>,
    rejects: Vec<(&'static str, u64)>,
    remarks: Vec<String>,
}

fn read_with(bytes: &[u8], options: &CsvOptions, fill: usize) -> Result<Read_, SourceError> {
    let mut reader = CsvReader::open(input(bytes, usize::MAX), options, fill)?;
    let mut all = Read_ {
        columns: reader.columns().to_vec(),
        ..Read_::default()
    };
    let mut batch = Batch::default();
    while reader.read_batch(&mut batch)? {
        assert!(!batch.is_empty() || !batch.rejects.is_empty());
        for record in 0..batch.len() {
            let cells = (0..batch.width()).map(|column| batch.cell(record, column).to_owned());
            all.records.push(cells.collect());
            all.lines.push(batch.line(record));
        }
        let rejects = batch.rejects.iter();
        all.rejects.extend(rejects.map(|r| (r.rule, r.line)));
    }
    assert!(batch.is_empty());
    all.remarks = reader.remarks();
    Ok(all)
}

fn comma() -> CsvOptions {
    CsvOptions {
        delimiter: Some(b','),
        ..CsvOptions::default()
    }
}

fn read(text: &str) -> Result<Read_, SourceError> {
    read_with(text.as_bytes(), &CsvOptions::default(), 256)
}

/// The crate's records with the line each begins on, and whether a quote is open at the end.
fn oracle(bytes: &[u8]) -> (Vec<Vec<Vec<u8>>>, Vec<u64>, bool) {
    // byte by byte with the crate's state machine, for the starts of records
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut records = Vec::new();
    let mut lines = Vec::new();
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .expect("bytes are read")
    {
        records.push(record.iter().map(<[u8]>::to_vec).collect());
        let mut at = record.position().expect("it was read").byte() as usize;
        while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
            at += 1;
        }
        lines.push(at as u64);
    }
    // a quote is open when a line end and a mark behind it do not make a record of their own
    let mut longer = bytes.to_vec();
    longer.extend(b"\nmark");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(longer.as_slice());
    let last = reader.byte_records().last().expect("a mark").expect("read");
    let open = last.len() != 1 || &last[0] != b"mark";
    (records, lines, open)
}

/// Line of a byte: LF, CRLF, and CR outside quotes end lines. Quotes are followed by the crate's rules.
fn line_of(bytes: &[u8], at: usize) -> u64 {
    let mut line = 1;
    let (mut start, mut quoted, mut n) = (true, false, 0);
    while n < at {
        let byte = bytes[n];
        let next = bytes.get(n + 1).copied();
        if quoted {
            line += u64::from(byte == b'\n');
            if byte == b'"' {
                if next == Some(b'"') {
                    n += 1;
                } else {
                    quoted = false;
                }
            }
            start = false;
        } else {
            quoted = start && byte == b'"';
            line += u64::from(byte == b'\n' || byte == b'\r' && next != Some(b'\n'));
            start = matches!(byte, b',' | b'\r' | b'\n');
        }
        n += 1;
    }
    line
}

fn agrees_with_crate(bytes: &[u8], fill: usize) {
    let (records, starts, open) = oracle(bytes);
    let result = read_with(bytes, &comma(), fill);
    if open || records.is_empty() {
        let error = result.expect_err("not whole");
        assert_eq!(error.problem, SourceProblem::NotWhole, "{error}");
        return;
    }
    if std::str::from_utf8(bytes).is_err() {
        // bytes between cells are judged too: an error may come where the crate sees none
        if let Err(error) = result {
            assert_eq!(error.problem, SourceProblem::NotWhole);
        }
        return;
    }
    let last = records.last().filter(|_| records.len() > 1);
    if let Some(last) = last
        && last.len() < records[0].len()
        && last.iter().any(|cell| !cell.is_empty())
        && !bytes.ends_with(b"\n")
        && !bytes.ends_with(b"\r")
    {
        // the crate takes a record without its last cells; to us the file is cut
        let error = result.expect_err("cut in a record");
        assert_eq!(error.problem, SourceProblem::NotWhole, "{error}");
        return;
    }
    let all = result.expect("readable");
    let width = records[0].len();
    let mut wanted = Vec::new();
    let mut wanted_lines = Vec::new();
    let mut ragged = Vec::new();
    for (record, start) in records.iter().zip(&starts).skip(1) {
        let line = line_of(bytes, *start as usize);
        if record.iter().all(Vec::is_empty) {
            continue;
        }
        if record.len() != width {
            ragged.push(("ragged-row", line));
            continue;
        }
        let cells: Vec<String> = record
            .iter()
            .map(|cell| String::from_utf8(cell.clone()).expect("UTF-8"))
            .collect();
        wanted.push(cells);
        wanted_lines.push(line);
    }
    assert_eq!(all.records, wanted, "{:?}", String::from_utf8_lossy(bytes));
    assert_eq!(
        all.lines,
        wanted_lines,
        "{:?}",
        String::from_utf8_lossy(bytes)
    );
    assert_eq!(all.rejects, ragged, "{:?}", String::from_utf8_lossy(bytes));
}

/// Mostly well formed text with the things that go wrong in it.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just(",".to_owned()),
        4 => Just("\n".to_owned()),
        2 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        3 => Just("\"".to_owned()),
        2 => Just("\"\"".to_owned()),
        3 => Just("\"a,\n\"\"b\"\"\r\n\"".to_owned()),
        2 => Just("\",ż".to_owned()),
        3 => Just("a".to_owned()),
        2 => Just("ก้".to_owned()),
        1 => Just("\u{feff}".to_owned()),
        1 => "[a-z]{60,70}",
        1 => "[a-z,]{60,70}".prop_map(|text| format!("\"{text}\"")),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

/// The same with every record of one width, so that most are proven.
fn regular() -> impl Strategy<Value = Vec<u8>> {
    let cell = prop_oneof![
        3 => "[a-zż0-9 ]{0,12}",
        2 => "([a-z,\nก]|\"\"){0,40}".prop_map(|text| format!("\"{text}\"")),
        1 => "[a-z,]{50,80}".prop_map(|text| format!("\"{text}\"")),
        1 => Just("12\" pack".to_owned()),
    ];
    let end = prop_oneof![5 => Just("\n"), 3 => Just("\r\n"), 1 => Just("\r"), 1 => Just("\n\n")];
    proptest::collection::vec((cell.clone(), cell.clone(), cell, end), 1..25).prop_map(|rows| {
        let rows = rows
            .into_iter()
            .map(|(a, b, c, end)| format!("{a},{b},{c}{end}"));
        format!("x,y,z\n{}", rows.collect::<String>()).into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn hostile_text_reads_as_the_crate_reads_it(bytes in hostile(), fill in 1usize..200) {
        if !bytes.starts_with(b"\xef\xbb\xbf") {
            agrees_with_crate(&bytes, fill);
        }
    }

    #[test]
    fn regular_text_reads_as_the_crate_reads_it(
        mut bytes in regular(),
        returns in any::<bool>(),
        fill in 1usize..300,
    ) {
        if !returns {
            // text without any CR goes a way of its own
            bytes.retain(|byte| *byte != b'\r');
        }
        agrees_with_crate(&bytes, fill);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), fill in 1usize..100) {
        if !bytes.starts_with(b"\xef\xbb\xbf") {
            drop(read_with(&bytes, &CsvOptions::default(), fill));
        }
    }
}

#[test]
fn doubled_quotes_become_one_wherever_the_blocks_end() {
    for pad in 0..130 {
        let cell = "\"\"\",\"\"a\"\"\n\"\"b\"\"\"";
        let text = format!("x,y\r\n{},{cell}\r\n,{cell}\r\n", "a".repeat(pad));
        let all = read_with(text.as_bytes(), &comma(), 1000).expect("whole");
        for record in all.records {
            assert_eq!(record[1], "\",\"a\"\n\"b\"", "after {pad} bytes");
        }
    }
}
