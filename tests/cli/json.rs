//! `--json`: read back with unknown fields denied, so that a new field is a decision.

use serde::Deserialize;

use crate::harness::FeedTest;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[allow(dead_code)]
enum Line {
    Feed {
        feed: String,
        channel: String,
        exit: u8,
        read: u64,
        filtered: u64,
        withheld: u64,
        written: u64,
        warnings: u64,
        bytes: u64,
        files: Vec<File>,
        seconds: f64,
        reason: Option<String>,
        /// Of a check: how many items have each attribute.
        fill: Option<std::collections::BTreeMap<String, u64>>,
    },
    Finding {
        rule: String,
        severity: String,
        feed: Option<String>,
        sku: Option<String>,
        source: String,
        line: u64,
        column: String,
        message: String,
        hint: String,
        record: Option<u64>,
    },
    Summary {
        ok: bool,
        exit: u8,
        errors: Option<Vec<Wrong>>,
        feeds: Option<u64>,
        records: Option<u64>,
        findings: Option<Counts>,
        seconds: Option<f64>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    bytes: u64,
    items: u64,
    sha256: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Counts {
    error: u64,
    warning: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    message: String,
    hint: String,
}

fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn a_build_is_told_line_by_line_and_adds_up() {
    let test = FeedTest::sample("shop");
    let outcome = test.run(["build", "--json"]).exits(0);
    let lines = lines(&outcome.stdout);
    let mut feeds = 0;
    for line in &lines {
        let Line::Feed {
            feed,
            read,
            filtered,
            withheld,
            written,
            bytes,
            files,
            exit,
            ..
        } = line
        else {
            continue;
        };
        feeds += 1;
        assert_eq!(*exit, 0, "{feed}");
        assert_eq!(
            *read,
            filtered + withheld + written,
            "counts of `{feed}` add up"
        );
        assert!(*bytes > 0 && !files.is_empty(), "{feed}");
        for file in files {
            let content = test.read(&file.path);
            assert_eq!(content.len() as u64, file.bytes, "{}", file.path);
            assert_eq!(file.items, *written, "{feed} has one part");
            assert_eq!(file.sha256, sha256(&content), "{}", file.path);
        }
    }
    assert_eq!(feeds, 16);
    assert!(
        lines
            .iter()
            .any(|line| matches!(line, Line::Finding { .. })),
        "the sample has bad rows"
    );
    assert!(matches!(
        lines.last(),
        Some(Line::Summary {
            ok: true,
            exit: 0,
            errors: None,
            ..
        })
    ));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn check_tells_the_same_counts_and_writes_nothing() {
    let test = FeedTest::sample("shop");
    let counts = |text: &str| {
        lines(text)
            .into_iter()
            .filter_map(|line| match line {
                Line::Feed {
                    feed,
                    read,
                    filtered,
                    withheld,
                    written,
                    warnings,
                    ..
                } => Some((feed, read, filtered, withheld, written, warnings)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let checked = test.run(["check", "--json"]).exits(0);
    assert!(!test.path("out").exists(), "check writes nothing");
    let built = test.run(["build", "--json"]).exits(0);
    assert_eq!(counts(&checked.stdout), counts(&built.stdout));
}

#[test]
fn the_last_line_is_a_summary_after_a_failure_too() {
    let test = FeedTest::sample("shop");
    let outcome = test.run(["build", "nowhere", "--json"]).exits(2);
    let lines = lines(&outcome.stdout);
    let Some(Line::Summary {
        ok: false,
        exit: 2,
        errors: Some(errors),
        ..
    }) = lines.last()
    else {
        panic!("{lines:?}")
    };
    assert!(errors[0].message.contains("`nowhere`") && !errors[0].hint.is_empty());
}
