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

#[test]
fn whatever_the_bytes_the_program_ends_in_order() {
    let draws = Config::default().cases.min(1 << 20);
    // Each draw runs the program; the default of 256 stands for 80.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        draws
    } else {
        80
    };
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
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
                    "a source that is not whole became a feed: {}",
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
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
