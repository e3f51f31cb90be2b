//! `diff` and `audit` on a project that has published, with the logs of its items.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use shelfcast::model::availability::Availability;
use shelfcast::state::{Counts, NewVersion, Role, StagedFile, State};
use shelfcast::write::items::{ItemBody, ItemLogWriter, LogFoot, LogHead, encode};

use super::LUMO;
use crate::harness::{FeedTest, NOW};

const FEEDS: &str = r#"
[[feed]]
name = "web"
channel = "google-products"

[[feed]]
name = "tsv"
channel = "google-products-tsv"
"#;

/// SKU, title, price, units.
type Row = (&'static str, &'static str, &'static str, i64);

const FIRST: [Row; 3] = [
    ("A-1", "Bowl", "100.00", 5),
    ("A-2", "Cup", "80", 3),
    ("A-3", "Plate", "60", 0),
];

fn project() -> FeedTest {
    let test = FeedTest::empty();
    test.file("shelfcast.toml", format!("{LUMO}{FEEDS}"))
        .file("catalog.csv", "sku,title\nA-1,Bowl\n");
    test
}

/// Publishes items as the feed's next version, as `publish` would.
fn publish(project: &Path, feed: &str, format: &str, rows: &[Row]) -> u64 {
    let at: Timestamp = NOW.parse().expect("a moment");
    let state = State::open(project).expect("opens");
    let lock = state.lock_feed(feed, Duration::ZERO, at).expect("the lock");
    let head = LogHead {
        format: format.to_owned(),
        language: "th".to_owned(),
        currency: "THB".to_owned(),
        delimiter: if format == "tsv" { b'\t' } else { 0 },
        quote: 0,
        columns: ["id", "title", "price", "stock"]
            .map(str::to_owned)
            .to_vec(),
    };
    let mut log = ItemLogWriter::new(Vec::new(), &head).expect("a vector");
    let mut document = String::from("head\n");
    for (sku, title, price, units) in rows {
        let item = match format {
            "tsv" => format!("{sku}\t{title}\t{price}\t{units}\n"),
            _ => format!(
                "<item><id>{sku}</id><title>{title}</title><price>{price}</price><stock>{units}</stock></item>\n"
            ),
        };
        let mut body = Vec::new();
        let record = ItemBody {
            id: sku,
            sku,
            // Any hash of the item does.
            hash: item
                .bytes()
                .fold(0, |hash, byte| hash * 31 % (1 << 100) + u128::from(byte)),
            price: Some(price),
            currency: "THB",
            availability: Some(Availability::of_units(*units)),
            quantity: Some(*units),
            title,
            upcoming: None,
        };
        encode(&record, &mut body);
        log.add(1, document.len() as u64, item.len() as u32, &body)
            .expect("a vector");
        document.push_str(&item);
    }
    let foot = LogFoot {
        bytes: document.len() as u64,
        ..LogFoot::default()
    };
    let log = log.finish(&foot).expect("a vector");
    let path = project.join(format!("{feed}.staged"));
    let log_path = project.join("items.log");
    std::fs::write(&path, &document).expect("writes");
    std::fs::write(&log_path, log).expect("writes");
    let files = [StagedFile {
        name: format!("{feed}.{format}"),
        path,
        bytes: document.len() as u64,
        sha256: String::new(),
        items: rows.len() as u64,
        role: Role::Only,
    }];
    let new = NewVersion {
        feed,
        channel: "google-products",
        files: &files,
        items_log: Some(&log_path),
        bodies: None,
        counts: Counts::default(),
        source_digests: Vec::new(),
        configuration_digest: "cd",
        engine: "shelfcast",
        now: at,
        at,
        who: "ann",
        plan: None,
        overrides: Vec::new(),
        destinations: Vec::new(),
    };
    let number = state.record_version(&lock, &new).expect("recorded");
    state
        .published(&lock, feed, number, at, "ann")
        .expect("published");
    number
}

#[test]
fn diff_shows_what_changed_between_two_versions() {
    for format in ["xml", "tsv"] {
        let test = project();
        publish(&test.path(""), "web", format, &FIRST);
        let second = [
            ("A-3", "Plate", "60", 0),
            ("A-1", "Bowl", "10000.00", 5),
            ("A-4", "Jug", "250", 2),
        ];
        publish(&test.path(""), "web", format, &second);
        let outcome = test.run(["diff", "web"]).exits(0);
        for words in [
            "web@2 (google-products): 1 added, 1 changed, 1 removed, 1 unchanged",
            "compared with version 1",
            "A-1  100.00 -> 10,000.00 THB (+9,900%), 49,500.00 THB at stake  Bowl",
            "price: 1 item; A-1: `100.00` -> `10000.00`",
            "A-2  80 THB, 3 in stock  Cup",
        ] {
            assert!(
                outcome.stdout.contains(words),
                "{words}: {}",
                outcome.stdout
            );
        }
        // The other way round, and by program.
        let outcome = test.run(["diff", "web", "2", "1", "--json"]).exits(0);
        let lines: Vec<serde_json::Value> = outcome
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect();
        let kinds: Vec<_> = lines.iter().map(|line| line["type"].clone()).collect();
        assert_eq!(kinds, ["change", "change", "change", "diff", "summary"]);
        assert_eq!(lines[0]["price"]["new"], "100.00");
        assert_eq!(lines[3]["added"], 1);
        assert_eq!(lines[3]["version_after"], 1);
    }
}

#[test]
fn diff_says_which_versions_there_are_not() {
    let test = project();
    let outcome = test.run(["diff", "web"]).exits(2);
    assert!(
        outcome.stderr.contains("has never been published"),
        "{}",
        outcome.stderr
    );
    publish(&test.path(""), "web", "xml", &FIRST);
    let outcome = test.run(["diff", "web"]).exits(2);
    assert!(
        outcome
            .stderr
            .contains("nothing is kept that was published before version 1"),
        "{}",
        outcome.stderr
    );
    test.run(["diff", "web", "7"]).exits(2);
    test.run(["diff", "wep"]).exits(2);
}

#[test]
fn audit_shows_where_published_feeds_disagree() {
    let test = project();
    test.run(["audit"]).exits(0);
    publish(&test.path(""), "web", "xml", &FIRST);
    publish(&test.path(""), "tsv", "tsv", &FIRST);
    let outcome = test.run(["audit"]).exits(0);
    assert_eq!(outcome.stdout, "3 SKUs in 2 feeds or more: they agree\n");
    let other = [
        ("A-1", "Bowl", "100", 5),
        ("A-2", "Cup", "85", 3),
        ("A-3", "Plate", "60", 4),
    ];
    publish(&test.path(""), "tsv", "tsv", &other);
    let outcome = test.run(["audit"]).exits(0);
    assert_eq!(
        outcome.stdout,
        "prices differ (THB): 1 SKU\n  A-2\n    80 in feed `web`\n    85 in feed `tsv`\n\n\
         availability differs: 1 SKU\n  A-3\n    out_of_stock in feed `web`\n    in_stock in feed `tsv`\n\n\
         3 SKUs in 2 feeds or more: 2 disagreements\n"
    );
    let outcome = test.run(["audit", "web", "tsv", "--json"]).exits(0);
    assert!(
        outcome.stdout.contains(r#""kind":"price""#),
        "{}",
        outcome.stdout
    );
    test.run(["audit", "wep"]).exits(2);
}
