//! Bytes changed at random: whatever comes, the program ends with one of its codes, and no feed comes from a source that
//! is not whole. More draws with `PROPTEST_CASES`.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::harness::{FeedTest, repository};

const FORMATS: [&str; 5] = ["csv", "tsv", "json", "ndjson", "xml"];

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Set(u32, u8),
    Insert(u32, Vec<u8>),
    Remove(u32, u8),
    Cut(u32),
    Repeat(u32, u16),
}

/// Bytes that mean something somewhere, more often than others.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        2 => prop::sample::select(b"\"',;\t\n\r<>&{}[]:\\/-.0N\0\x1e\x1f\xff\xc3\xe0\xef".to_vec()),
        1 => any::<u8>(),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<u32>(), byte()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (any::<u32>(), prop::collection::vec(byte(), 1..6)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<u32>(), 1_u8..40).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => any::<u32>().prop_map(Change::Cut),
        1 => (any::<u32>(), 1_u16..400).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let place = |at: u32| {
            if bytes.is_empty() {
                0
            } else {
                at as usize % bytes.len()
            }
        };
        match change {
            _ if bytes.is_empty() => {}
            Change::Set(at, byte) => {
                let at = place(*at);
                bytes[at] = *byte;
            }
            Change::Insert(at, more) => {
                let at = place(*at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = place(*at);
                let end = bytes.len().min(at + usize::from(*count));
                bytes.drain(at..end);
            }
            Change::Cut(at) => bytes.truncate(place(*at)),
            Change::Repeat(at, count) => {
                let at = place(*at);
                let end = bytes.len().min(at + usize::from(*count));
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn toml(format: &str) -> String {
    let mut text = super::project(&format!("catalog.{format}"), "", "");
    for (name, channel) in [
        ("site", "schema-org"),
        ("meta", "meta-catalog"),
        ("labels", "shelf-labels"),
        ("shopify", "shopify-products"),
    ] {
        text.push_str(&format!(
            "[[feed]]\nname = \"{name}\"\nchannel = \"{channel}\"\nmax_withheld = \"100%\"\n"
        ));
    }
    text
}

/// How often a test draws: `PROPTEST_CASES`, or few, as each draw runs the program.
fn cases(few: u32) -> Config {
    let config = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        config.cases
    } else {
        few
    };
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..config
    }
}

/// The program ends with one of its codes, says why when it refuses, and leaves nothing half written.
fn in_order(test: &FeedTest) -> Result<i32, TestCaseError> {
    let outcome = test.build();
    prop_assert!(
        [0, 1, 2, 3, 7].contains(&outcome.code) && !outcome.stderr.contains("panicked"),
        "exit {}\n{}\n{}",
        outcome.code,
        outcome.stdout,
        outcome.stderr
    );
    if [2, 7].contains(&outcome.code) {
        prop_assert!(
            test.out().is_empty(),
            "what is refused became a feed: {}",
            outcome.stderr
        );
        prop_assert!(
            outcome.stderr.contains("error"),
            "no message: {}",
            outcome.stderr
        );
    }
    prop_assert!(
        test.out().iter().all(|(name, _)| !name.starts_with('.')),
        "a half written file stays"
    );
    Ok(outcome.code)
}

#[test]
fn whatever_the_bytes_the_program_ends_in_order() {
    let mut runner = TestRunner::new(cases(80));
    let drawn = (
        prop::sample::select(FORMATS.to_vec()),
        prop::collection::vec(change(), 1..8),
    );
    runner
        .run(&drawn, |(format, changes)| {
            let good =
                std::fs::read(repository().join(format!("samples/formats/catalog.{format}")))
                    .expect("the sample");
            let bytes = apply(good, &changes);
            let test = FeedTest::empty();
            test.file("shelfcast.toml", toml(format))
                .file(&format!("catalog.{format}"), &bytes);
            in_order(&test).map(drop)
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The good catalog in the formats that are no text.
fn packed(format: &str) -> Vec<u8> {
    match format {
        "csv.gz" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            std::io::Write::write_all(&mut encoder, super::GOOD.as_bytes()).expect("packs");
            encoder.finish().expect("packs")
        }
        "csv.zst" => zstd::encode_all(super::GOOD.as_bytes(), 3).expect("packs"),
        _ => {
            let folder = tempfile::tempdir().expect("makes a folder");
            let path = folder.path().join("catalog.db");
            let connection = rusqlite::Connection::open(&path).expect("opens");
            connection
                .execute_batch("CREATE TABLE goods (sku TEXT, title TEXT, price TEXT)")
                .expect("makes a table");
            for line in super::GOOD.lines().skip(1) {
                let cells: Vec<&str> = line.split(',').collect();
                connection
                    .execute(
                        "INSERT INTO goods VALUES (?1, ?2, ?3)",
                        (cells[0], cells[1], cells[3]),
                    )
                    .expect("fills");
            }
            drop(connection);
            std::fs::read(&path).expect("reads")
        }
    }
}

#[test]
fn packed_files_and_databases_of_any_bytes_end_in_order() {
    let mut runner = TestRunner::new(cases(40));
    let drawn = (
        prop::sample::select(vec!["csv.gz", "csv.zst", "db"]),
        prop::collection::vec(change(), 1..4),
    );
    runner
        .run(&drawn, |(format, changes)| {
            let test = FeedTest::empty();
            let path = format!("catalog.{format}");
            let mut toml = super::project(&path, "", "");
            if format == "db" {
                toml = toml.replace(
                    "path = \"catalog.db\"",
                    "database = \"sqlite:catalog.db\"\nquery = \"SELECT * FROM goods\"",
                );
            }
            let good = packed(format);
            let bytes = apply(good.clone(), &changes);
            test.file("shelfcast.toml", toml).file(&path, &bytes);
            let code = in_order(&test)?;
            // Both have check sums of their content: a packed file with other bytes before its end is never taken.
            if format == "csv.gz" && bytes.len() < good.len() {
                prop_assert_ne!(code, 0, "a cut file became a feed");
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn projects_manifests_and_templates_of_any_bytes_end_in_order() {
    let mut runner = TestRunner::new(cases(80));
    let files = [
        "shelfcast.toml",
        "channels/google-products.toml",
        "templates/google-products.hbs",
        "mappings/google.csv",
    ];
    let drawn = (
        prop::sample::select(files.to_vec()),
        prop::collection::vec(change(), 1..6),
    );
    runner
        .run(&drawn, |(file, changes)| {
            let test = FeedTest::empty();
            let feed = "where = \"price > 1 && (brand == 'Lumo' || title.startsWith('L'))\"\n[feed.fields]\ntitle = \"{{mapped}}{{#if color}} ({{lower color}}){{/if}}\"\n[feed.settings]\ncategory_table = \"mappings/google.csv\"\n";
            test.file("shelfcast.toml", super::project("catalog.csv", "[source.fields]\nmpn = \"{{hash url 12}}\"\n", feed)).file("catalog.csv", super::GOOD);
            for path in &files[1..3] {
                test.file(path, std::fs::read(repository().join(path)).expect("a channel"));
            }
            test.file(files[3], std::fs::read(repository().join("samples/shop/mappings/google.csv")).expect("a table"));
            let bytes = apply(test.read(file), &changes);
            test.file(file, bytes);
            in_order(&test).map(drop)
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
