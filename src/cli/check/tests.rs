//! A whole check of a small project: what people, pages and files show of it.

use std::path::Path;

use super::*;
use crate::pipeline::build::{FeedReport, Filled, Report};
use crate::report::human::{self, Collected};

const PROJECT: &str = "[shop]\nname = \"Example\"\nurl = \"https://shop.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\n[[source]]\nname = \"products\"\npath = \"catalog.csv\"\n";
const CHANNEL: &str = "title = \"Example\"\ngroup = \"website\"\ncountries = [\"*\"]\nformat = \"ndjson\"\nspec = { url = \"https://shop.example/spec\", read = \"2026-11-22\", certainty = \"specification\" }\n";
const SHELL: Shell = Shell {
    colour: false,
    quiet: true,
    verbose: 0,
    json: false,
    progress: false,
};

/// A project of one feed a kind of record.
fn project(folder: &Path, kinds: &[&str], attributes: &str, catalog: &str) -> Project {
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(folder.join("channels")).expect("a folder");
        atomic::write(&folder.join(name), text.as_bytes()).expect("written");
    };
    let mut text = PROJECT.to_owned();
    for kind in kinds {
        text.push_str(&format!(
            "[[feed]]\nname = \"{kind}\"\nchannel = \"{kind}\"\n"
        ));
        write(
            &format!("channels/{kind}.toml"),
            &format!("name = \"{kind}\"\nrecords = \"{kind}\"\n{CHANNEL}{attributes}"),
        );
    }
    write("shelfcast.toml", &text);
    write("catalog.csv", catalog);
    Project::load(folder).expect("a project")
}

fn checked(project: &Project, asked: &Asked) -> (Report, Collected) {
    let now = "2026-11-22T10:00:00Z".parse().expect("a moment");
    let options = Options {
        feeds: Vec::new(),
        now,
        threads: 2,
        folder: None,
        digests: false,
        fill: true,
        log: false,
    };
    build::pass(project, &options, asked, &SHELL).expect("checked")
}

fn filled(feed: &FeedReport) -> Vec<(&str, u64)> {
    feed.fill
        .iter()
        .map(|Filled { attribute, items }| (attribute.as_str(), *items))
        .collect()
}

#[test]
fn a_rule_that_does_not_exist_suggests_the_near_miss() {
    assert_eq!(wanted(&["cut".to_owned()]).expect("a rule"), ["cut"]);
    let failure = wanted(&["gtin-checkdigit".to_owned()]).expect_err("no rule");
    assert_eq!(failure.exit(), 2);
    assert_eq!(failure.messages()[0].1, "did you mean `gtin-check-digit`?");
}

#[test]
fn data_steers_neither_terminal_nor_page_nor_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let attributes = "[attributes.id]\nvalue = \"{{sku}}\"\nrequired = true\n[attributes.title]\nvalue = \"{{title}}\"\nmax_length = { characters = 20 }\noverflow = \"withhold\"\n[attributes.gtin]\nvalue = \"{{gtin}}\"\n";
    let title = format!("\u{1b}[2J<script>alert(1)</script>{}", "x".repeat(10_000));
    let catalog = format!(
        "sku,title,gtin\n\u{1b}]0;gone\u{7}\u{202e},{title},\u{9b}31m\n=1+1,{title},=1+1\nA-1,Bowl,\n"
    );
    let project = project(folder.path(), &["variants"], attributes, &catalog);
    let supplier = folder.path().join("findings.csv");
    let (report, collected) = checked(
        &project,
        &Asked {
            supplier: Some(supplier.clone()),
            ..Asked::default()
        },
    );
    assert_eq!((report.feeds[0].withheld, report.feeds[0].written), (2, 1));
    let mut printed = Vec::new();
    human::findings(&SHELL, &collected, &mut printed).expect("printed");
    let printed = String::from_utf8(printed).expect("text");
    let now = "2026-11-22T10:00:00Z".parse().expect("a moment");
    let page = html::page(&html::Checked {
        shop: &project.shop,
        now,
        report: &report,
        collected: &collected,
    });
    let rows = std::fs::read_to_string(supplier).expect("written");
    for (name, text) in [("printed", &printed), ("page", &page), ("file", &rows)] {
        let steering = text.chars().find(|letter| {
            letter.is_control() && !['\n', '\r'].contains(letter) || *letter == '\u{202e}'
        });
        assert_eq!(steering, None, "{name}: {text}");
        assert!(
            text.contains("\\u{1b}]0;gone\\u{7}\\u{202e}"),
            "{name}: {text}"
        );
    }
    assert!(
        printed.lines().all(|line| line.chars().count() < 300),
        "{printed}"
    );
    assert_eq!(page.matches("<script").count(), 1);
    assert!(rows.contains(",'=1+1,"), "{rows}");
}

#[test]
fn fill_rates_count_what_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let attributes = "[attributes.id]\nvalue = \"{{sku}}\"\nrequired = true\nunique = true\n[attributes.title]\nvalue = \"{{title}}\"\n[attributes.color]\nvalue = \"{{color}}\"\n";
    let catalog = "sku,title,color\nA,Bowl,red\nB,,\nA,Bowl,red\nC,Cup,\n";
    let project = project(folder.path(), &["variants"], attributes, catalog);
    let (report, _) = checked(&project, &Asked::default());
    assert_eq!(report.feeds[0].written, 3);
    assert_eq!(
        filled(&report.feeds[0]),
        [("id", 3), ("title", 2), ("color", 1)]
    );
}

#[test]
fn of_a_product_one_variant_with_a_value_is_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let attributes = "[attributes.product]\nvalue = \"{{product_id}}\"\nlevel = \"product\"\n[attributes.color]\nvalue = \"{{color}}\"\nlevel = \"variant\"\n[attributes.size]\nvalue = \"{{size}}\"\nlevel = \"variant\"\n";
    let catalog = "sku,product_id,color,size\nA-1,A,,M\nA-2,A,red,\nB-1,B,,S\n";
    let project = project(folder.path(), &["products"], attributes, catalog);
    let (report, _) = checked(&project, &Asked::default());
    assert_eq!(report.feeds[0].written, 2);
    assert_eq!(
        filled(&report.feeds[0]),
        [("product", 2), ("color", 1), ("size", 2)]
    );
}

#[test]
fn a_run_begun_anew_tells_everything_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let attributes = "[attributes.product]\nvalue = \"{{product_id}}\"\nlevel = \"product\"\n[attributes.gtin]\nvalue = \"{{gtin}}\"\nlevel = \"variant\"\n";
    // The first product's second variant stands so far behind that the run has long told of the first one.
    let mut catalog = "sku,product_id,gtin\nA-1,A,123\n".to_owned();
    (0..60_000).for_each(|number| catalog.push_str(&format!("B-{number},B-{number},\n")));
    catalog.push_str("A-2,A,456\n");
    let project = project(folder.path(), &["products"], attributes, &catalog);
    let supplier = folder.path().join("findings.csv");
    let (report, collected) = checked(
        &project,
        &Asked {
            supplier: Some(supplier.clone()),
            ..Asked::default()
        },
    );
    assert_eq!(report.feeds[0].written, 60_001);
    assert_eq!(collected.counts(), (0, 2), "{:?}", collected.groups);
    assert_eq!(
        std::fs::read_to_string(supplier)
            .expect("written")
            .lines()
            .count(),
        3
    );
}
