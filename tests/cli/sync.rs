//! `sync` and the commands around it, as people and scripts run them: without a store, and against one on loopback.

mod agreement;
mod configuration;
#[cfg(unix)]
mod daemon;
mod people;
mod runs;
mod shop;
mod stuck;

use std::path::Path;

use crate::harness::{FeedTest, Outcome, repository};

/// The shop, its stock source and its location codes.
const HEAD: &str = r#"
[shop]
name = "Baan Ton Mai"
url = "https://baan.example"
currency = "THB"
language = "th"
country = "TH"
timezone = "Asia/Bangkok"

[[source]]
name = "tills"
path = "stock.csv"
role = "stock"
basis = "on_hand"
settle = "0s"
order = "updated"

[[location]]
code = "siam"
[[location]]
code = "bangna"
"#;

/// A store and a sync into two of its locations.
const SYNC: &str = r#"
[[store]]
name = "web"
connector = "plain"
url = "URL"
token = "file:token"

[[sync]]
name = "web-stock"
from = "tills"
to = "web"
online_orders = "booked"
safety_stock = 2
locations = { siam = "L1", bangna = "L2" }
"#;

/// What the token's file holds; it must turn up nowhere.
const CANARY: &str = "CANARY-4711-TOKEN";

/// A project whose store is at `url`, with the connector `plain`: the one to start one's own from, at a test's pace.
fn project(url: &str) -> FeedTest {
    let test = FeedTest::empty();
    test.file(
        "shelfcast.toml",
        format!("{HEAD}{}", SYNC.replace("URL", url)),
    )
    .file("token", CANARY);
    let from = repository().join("channels/http-json-stock.toml");
    let manifest = std::fs::read_to_string(from).expect("a manifest");
    let manifest = manifest
        .replace("name = \"http-json-stock\"", "name = \"plain-stock\"")
        .replace(
            "requests = 5, per = \"1s\", burst = 5",
            "requests = 1000, per = \"1s\", burst = 1000",
        )
        .replace("quiet = \"60s\"", "quiet = \"0s\"");
    assert!(manifest.contains("plain-stock") && manifest.contains("requests = 1000"));
    test.file("channels/plain-stock.toml", manifest);
    test
}

/// Writes the tills' file: SKU, location, on hand.
fn tills(test: &FeedTest, rows: &[(String, &str, i64)]) {
    let mut text = String::from("sku,location,on_hand,committed,updated\n");
    for (sku, location, units) in rows {
        text.push_str(&format!("{sku},{location},{units},0,1\n"));
    }
    test.file("stock.csv", text);
}

/// Twenty SKUs at both locations: SKU n has n + 10 in Siam and n + 50 in Bang Na.
fn usual() -> Vec<(String, &'static str, i64)> {
    (1..=20)
        .flat_map(|number| {
            let sku = format!("ชาม-{number:02}");
            [
                (sku.clone(), "siam", number + 10),
                (sku, "bangna", number + 50),
            ]
        })
        .collect()
}

/// Names and digests of all files below a folder.
fn digest(folder: &Path) -> Vec<(String, u64)> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut hasher = DefaultHasher::new();
            std::fs::read(&path).unwrap_or_default().hash(&mut hasher);
            files.push((path.display().to_string(), hasher.finish()));
        }
    }
    files.sort();
    files
}

/// The JSON lines of a run, and the last of them.
fn lines(outcome: &Outcome) -> (Vec<serde_json::Value>, serde_json::Value) {
    let mut lines: Vec<serde_json::Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let last = lines.pop().expect("a summary");
    assert_eq!(last["type"], "summary", "{last}");
    (lines, last)
}
