//! Every built-in template rendered both ways from seeded random records: by the compiled program, as `build` writes it, and
//! by the `handlebars` crate itself. The bytes must be the same. More seeds with `PROPTEST_CASES`.

mod catalog;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use shelfcast::channel::golden;
use shelfcast::pipeline::oracle::Rendered;

use crate::harness::{FeedTest, NOW, repository};

/// Products a catalog: enough for 200 items in feeds whose item is a product.
const PRODUCTS: usize = 300;

/// A sample's project file.
fn sample(name: &str) -> toml::Table {
    let path = repository()
        .join("samples")
        .join(name)
        .join("shelfcast.toml");
    let text = std::fs::read_to_string(path).expect("the sample");
    // All mapping tables lie in one folder here.
    let text = text.replace("../shop/mappings/", "mappings/");
    text.parse().expect("TOML")
}

/// The samples' feeds, every channel among them, over a catalog made from a seed.
fn project(seed: u64) -> FeedTest {
    let (mut toml, mut all) = (sample("shop"), sample("all-channels"));
    // Some channels name columns by what the second sample says of a location.
    toml.insert(
        "location".to_owned(),
        all.remove("location").expect("locations"),
    );
    let feeds = toml["feed"].as_array_mut().expect("feeds");
    let shown: BTreeSet<String> = feeds.iter().map(|feed| feed["name"].to_string()).collect();
    for feed in all["feed"].as_array().expect("feeds") {
        if !shown.contains(&feed["name"].to_string()) {
            feeds.push(feed.clone());
        }
    }
    toml["source"] = toml::from_str::<toml::Table>(
        "[[source]]\nname = \"products\"\npath = \"products.ndjson\"\n\
         [[source]]\nname = \"stock\"\npath = \"stock.csv\"\nrole = \"stock\"\nbasis = \"on_hand\"\n",
    )
    .expect("TOML")
    .remove("source")
    .expect("sources");
    for feed in toml["feed"].as_array_mut().expect("feeds") {
        let feed = feed.as_table_mut().expect("a feed");
        feed.insert("max_withheld".to_owned(), "100%".into());
    }
    let locations: Vec<String> = toml["location"]
        .as_array()
        .expect("locations")
        .iter()
        .map(|location| location["code"].as_str().expect("a code").to_owned())
        .collect();
    let test = FeedTest::empty();
    let (products, stock) = catalog::draw(seed, PRODUCTS, &locations);
    test.file("shelfcast.toml", toml.to_string())
        .file("products.ndjson", products.clone())
        .file("stock.csv", stock);
    for folder in ["samples/shop/mappings", "samples/all-channels/mappings"] {
        for entry in std::fs::read_dir(repository().join(folder)).expect("mapping tables") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            let table = std::fs::read_to_string(&path).expect("a mapping table");
            let table = format!(
                "{}\n{}",
                table.trim_end(),
                reaching(&name, &table, &products)
            );
            test.file(&format!("mappings/{name}"), table);
        }
    }
    whole(&test);
    test
}

/// What a table needs so that random records find something in it: their category, their pictures, their brands.
fn reaching(name: &str, table: &str, products: &str) -> String {
    let taken = |from: &str| {
        table
            .lines()
            .any(|line| line.split(',').next() == Some(from))
    };
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut row = |from: &str, to: &str| {
        if !taken(from) {
            rows.write_record([from, to]).expect("a row");
        }
    };
    match name {
        "uploads.csv" => {
            for (variant, number) in
                (0..5).flat_map(|variant| (0..13).map(move |number| (variant, number)))
            {
                let picture =
                    format!("https://img.shop.example/{variant}-{number}.jpg?a=1&b=%222%22");
                // Some are not uploaded.
                if number != 7 {
                    row(&picture, &format!("up-{variant}<{number}>"));
                }
            }
        }
        "otto-brands.csv" => {
            for line in products.lines() {
                let product: serde_json::Value = serde_json::from_str(line).expect("JSON");
                for column in ["brand", "manufacturer"] {
                    let brand = product[column].as_str().unwrap_or("");
                    // Keys that the table takes for one have one word; levels alone are no key.
                    if brand.chars().any(char::is_alphanumeric) {
                        row(brand, "B&1");
                    }
                }
            }
        }
        _ => {
            // As the table's own first row has it: a number, a word, a path.
            let first = table.lines().nth(1).and_then(|line| line.split_once(','));
            if let Some((_, to)) = first {
                row("ครัวและโต๊ะอาหาร", to.trim_matches('"'));
            }
        }
    }
    String::from_utf8(rows.into_inner().expect("in memory")).expect("UTF-8")
}

/// Channels that split a feed get it whole: the crate knows no parts.
fn whole(test: &FeedTest) {
    for name in shelfcast::channel::built_in_names() {
        let path = format!("channels/{name}.toml");
        let text = shelfcast::channel::built_in(&path).expect("a manifest");
        let split = |line: &&str| line.starts_with("limits = ") && line.contains("items");
        if let Some(limits) = text.lines().find(split) {
            test.file(&path, text.replacen(limits, "", 1));
        }
    }
}

/// A feed's file; of a feed with a document an item all of them, one after another.
fn made(test: &FeedTest, feed: &Rendered) -> Option<Vec<u8>> {
    if feed.names.is_empty() {
        let name = format!("{}.", feed.feed);
        let mut files = test.out().into_iter();
        return files
            .find(|(file, _)| file.starts_with(&name))
            .map(|(_, bytes)| bytes);
    }
    let mut all = Vec::new();
    for name in &feed.names {
        all.extend(std::fs::read(test.path(&format!("out/{}/{name}", feed.feed))).ok()?);
    }
    Some(all)
}

/// Where two texts part, with what stands around.
fn difference(ours: &str, theirs: &str) -> String {
    let at = ours
        .bytes()
        .zip(theirs.bytes())
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let around = |text: &str| {
        let (from, to) = (
            text.floor_char_boundary(at.saturating_sub(160)),
            text.floor_char_boundary((at + 80).min(text.len())),
        );
        text.get(from..to).unwrap_or("").to_owned()
    };
    format!(
        "byte {at} of {} and {}\n--- compiled\n{:?}\n--- crate\n{:?}",
        ours.len(),
        theirs.len(),
        around(ours),
        around(theirs)
    )
}

#[test]
fn templates_print_the_bytes_that_the_crate_prints() {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .map_or(2, |cases: u32| (cases / 16).max(2));
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    });
    runner
        .run(&any::<u64>(), |seed| {
            let test = project(seed);
            let loaded = shelfcast::config::Project::load(&test.path(""))
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let now: jiff::Timestamp = NOW.parse().expect("a time");
            let rendered = shelfcast::pipeline::oracle::render(&loaded, now)
                .map_err(|failure| TestCaseError::fail(failure.to_string()))?;
            let built = test.build();
            prop_assert!(matches!(built.code, 0 | 3), "{built:?}");
            let mut wrong = Vec::new();
            let shown: BTreeSet<String> = sample("shop")["feed"]
                .as_array()
                .expect("feeds")
                .iter()
                .filter_map(|feed| feed["name"].as_str().map(str::to_owned))
                .collect();
            for feed in &rendered {
                let Some(bytes) = made(&test, feed) else {
                    wrong.push(format!("`{}`: no file of its own", feed.feed));
                    continue;
                };
                let ours = String::from_utf8(bytes).expect("UTF-8");
                let ours = ours.strip_prefix('\u{feff}').unwrap_or(&ours);
                match &feed.document {
                    Err(error) => wrong.push(format!(
                        "`{}` ({}): the crate refuses it: {error}",
                        feed.feed, feed.channel
                    )),
                    Ok(theirs) if theirs != ours => {
                        wrong.push(format!(
                            "`{}` ({}), {} items: {}",
                            feed.feed,
                            feed.channel,
                            feed.items,
                            difference(ours, theirs)
                        ));
                    }
                    Ok(_)
                        if feed.items < 10 || (feed.items < 200 && shown.contains(&feed.feed)) =>
                    {
                        wrong.push(format!("`{}`: only {} items", feed.feed, feed.items))
                    }
                    Ok(_) => {}
                }
            }
            let covered: BTreeSet<&str> =
                rendered.iter().map(|feed| feed.channel.as_str()).collect();
            for name in shelfcast::channel::built_in_names() {
                let channel = shelfcast::channel::load(None, &name)
                    .map_err(|error| TestCaseError::fail(error.to_string()))?;
                if channel.template.is_some() && !covered.contains(name.as_str()) {
                    wrong.push(format!(
                        "channel `{name}` has a template that is not covered"
                    ));
                }
            }
            prop_assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n\n"));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn golden_cases_are_what_the_crate_prints() {
    let now: jiff::Timestamp = golden::NOW.parse().expect("a time");
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for channel in shelfcast::channel::built_in_names() {
        for case in golden::built_in(&channel) {
            let test = FeedTest::empty();
            let project = case
                .lay_out(&test.path("nowhere"), &test.path(""))
                .unwrap_or_else(|failure| panic!("{}: {failure}", case.title()));
            let rendered = shelfcast::pipeline::oracle::render(&project, now)
                .unwrap_or_else(|failure| panic!("{}: {failure}", case.title()));
            let outcome = test.run(["build", "--now", golden::NOW]);
            assert!(
                [0, 1].contains(&outcome.code),
                "{}: {}",
                case.title(),
                outcome.stderr
            );
            for feed in rendered {
                // A feed in parts has a head and a tail each, and one that is held has no file.
                let Some(bytes) = made(&test, &feed) else {
                    continue;
                };
                let ours = String::from_utf8(bytes).expect("UTF-8");
                let ours = ours.strip_prefix('\u{feff}').unwrap_or(&ours);
                let theirs = feed
                    .document
                    .unwrap_or_else(|error| panic!("{}: {error}", case.title()));
                if theirs != ours {
                    wrong.push(format!("{}: {}", case.title(), difference(ours, &theirs)));
                }
                compared += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(compared > 60, "only {compared} cases were compared");
}
