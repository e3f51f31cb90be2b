//! Feeds and sync read the same stock each in their own way: for the same terms both come to the same number.

#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::config::Project;
use crate::config::toml_file;
use crate::pipeline::build::{Options, build};
use crate::pipeline::observer::Silent;
use crate::store::pace::SystemClock;
use crate::sync::decide::Rule;
use crate::sync::level::Observation;
use crate::sync::source::{self, Opening};

/// Projects, and SKUs of each.
const PROJECTS: u64 = 60;
const SKUS: u64 = 60;

const SHOP: &str = "[shop]\nname = \"Example\"\nurl = \"https://shop.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\ntimezone = \"Europe/Berlin\"\n";
const CHANNEL: &str = r#"name = "levels"
title = "Levels"
group = "store-system"
countries = ["*"]
spec = { url = "https://jsonlines.org/", read = "2026-11-22", certainty = "general knowledge" }
records = "variants"
format = "ndjson"
prices = "gross"
absence = "nothing"

[attributes.sku]
value = "{{sku}}"
required = true

[attributes.level]
value = "{{salable}}"
"#;

/// Chance from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(list.len() as u64)).expect("small");
        list[at]
    }

    /// A cell that says a number, or nothing.
    fn cell(&mut self) -> String {
        match self.below(12) {
            0 => String::new(),
            1 => self.of(&["-1", "-7", "-12.0", "-3"]).to_owned(),
            2 => self.of(&["0.0", "12.00", "7.0", "1.0"]).to_owned(),
            3 => self
                .of(&["9000000000000000000", "4611686018427387904", "1000000"])
                .to_owned(),
            4 => "0".to_owned(),
            _ => self.below(40).to_string(),
        }
    }
}

/// A project: its text, and what it draws is told where the two differ.
fn draw(folder: &Path, dice: &mut Dice) -> String {
    let basis = dice.of(&["on_hand", "available", "salable"]);
    let mut rows = format!("sku,location,{basis},committed,kept\n");
    let mut catalog = "sku,title,price\n".to_owned();
    for sku in 0..SKUS {
        writeln!(catalog, "S-{sku},Lamp {sku},10.00").expect("text");
        for location in ["L1", "L2", "L3"] {
            if dice.below(5) == 0 {
                continue;
            }
            let (count, committed, kept) = (dice.cell(), dice.cell(), dice.cell());
            writeln!(rows, "S-{sku},{location},{count},{committed},{kept}").expect("text");
        }
    }
    std::fs::create_dir_all(folder.join("channels")).expect("a folder");
    for (name, text) in [
        ("stock.csv", rows.as_str()),
        ("catalog.csv", catalog.as_str()),
        ("channels/levels.toml", CHANNEL),
    ] {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let mut text = SHOP.to_owned();
    for location in ["L1", "L2", "L3"] {
        write!(text, "\n[[location]]\ncode = \"{location}\"\n").expect("text");
    }
    write!(
        text,
        "\n[[source]]\nname = \"catalog\"\npath = \"catalog.csv\"\n\n[[source]]\nname = \"tills\"\nrole = \"stock\"\npath = \"stock.csv\"\nsettle = \"0s\"\nbasis = \"{basis}\"\n"
    )
    .expect("text");
    text.push_str(
        "\n[[store]]\nname = \"web\"\nconnector = \"http-json\"\nurl = \"https://store.example\"\n",
    );
    text.push_str("\n[[sync]]\nname = \"web-stock\"\nfrom = \"tills\"\nto = \"web\"\nonline_orders = \"booked\"\n");
    text.push_str(dice.of(&[
        "",
        "locations = [\"L1\"]\n",
        "locations = [\"L3\", \"L1\"]\n",
        "locations = { L2 = \"7\", L3 = \"7\" }\n",
    ]));
    text.push_str(dice.of(&[
        "",
        "safety_stock = 0\n",
        "safety_stock = 3\n",
        "safety_stock = \"kept\"\n",
    ]));
    text.push_str(dice.of(&[
        "",
        "share = \"80%\"\n",
        "share = \"33.3%\"\n",
        "share = \"0.5%\"\n",
        "share = \"100%\"\n",
    ]));
    text.push_str(dice.of(&["", "minimum = 1\n", "minimum = 12\n"]));
    text.push_str(dice.of(&[
        "",
        "maximum = 5\n",
        "maximum = 0\n",
        "maximum = 999999999999\n",
    ]));
    text.push_str("\n[[feed]]\nname = \"levels\"\nchannel = \"levels\"\n");
    text
}

/// What the feed says, by SKU.
fn of_feed(project: &Project, out: &Path) -> BTreeMap<String, i64> {
    let options = Options {
        feeds: Vec::new(),
        now: crate::clock::now(),
        threads: 1,
        folder: Some(out.to_owned()),
        digests: false,
        fill: false,
        log: false,
    };
    let report = build(project, &options, &mut Silent).expect("built");
    let mut levels = BTreeMap::new();
    for file in report.feeds.iter().flat_map(|feed| &feed.files) {
        let text = std::fs::read_to_string(out.join(&file.path)).expect("read");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let level = line.get("level").map(|level| {
                let text = level
                    .as_str()
                    .map_or_else(|| level.to_string(), str::to_owned);
                text.parse().expect("a number")
            });
            if let (Some(sku), Some(level)) = (line["sku"].as_str(), level) {
                levels.insert(sku.to_owned(), level);
            }
        }
    }
    levels
}

/// What the sync says, by SKU.
fn of_sync(project: &Project) -> BTreeMap<String, i64> {
    let sync = &project.sync[0];
    let rule = Rule::of(project, sync, i64::MAX, BTreeMap::new()).expect("a rule");
    let opening = Opening {
        safety_stock: match &sync.safety_stock {
            Some(toml::Value::String(column)) => Some(column.clone()),
            _ => None,
        },
        waits: true,
        clock: Arc::new(SystemClock::default()),
    };
    let stock = super::super::rule::stock_source(project, sync).expect("a source");
    let mut rows: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
    let read = source::open(project, stock, opening)
        .expect("opened")
        .read(None, &mut |row| {
            rows.entry(row.sku.clone()).or_default().push(row.clone());
            Ok(())
        });
    read.expect("whole");
    let mut levels = BTreeMap::new();
    for (sku, rows) in rows {
        let terms = rule.targets(&sku, &rows, 0);
        assert!(terms.len() < 2, "one place");
        levels.extend(terms.first().map(|terms| (sku, terms.salable)));
    }
    levels
}

#[test]
fn feeds_and_sync_come_to_the_same_number() {
    let mut compared = 0;
    for seed in 0..PROJECTS {
        let (folder, out) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let text = draw(folder.path(), &mut Dice(seed));
        let mut project: Project = toml_file::parse("shelfcast.toml", &text).expect("a project");
        project.folder = folder.path().to_owned();
        let (feed, sync) = (of_feed(&project, out.path()), of_sync(&project));
        let rows = std::fs::read_to_string(folder.path().join("stock.csv")).expect("read");
        for sku in 0..SKUS {
            let sku = format!("S-{sku}");
            compared += u64::from(feed.contains_key(&sku));
            assert_eq!(
                feed.get(&sku),
                sync.get(&sku),
                "seed {seed}, {sku}: feed and sync differ\n{text}\n{}",
                rows.lines()
                    .filter(|row| row.starts_with(&format!("{sku},")))
                    .collect::<Vec<_>>()
                    .join("\n")
            );
        }
    }
    assert!(compared > PROJECTS * SKUS / 2, "{compared} were compared");
}
