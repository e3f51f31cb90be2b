//! What stands from the record before, or from another feed, must be what the record itself would have given.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::catalog::Batch;
use crate::catalog::products::Gathering;
use crate::config::Project;
use crate::pipeline::observer::Silent;
use crate::pipeline::program::{Wanted, compile};
use crate::program::feed::Item;
use crate::program::repeat::OTHER;

const PROJECT: &str = r#"
[shop]
name = "Wydma & Syn"
url = "https://wydma.example"
currency = "PLN"
language = "pl"
country = "PL"
timezone = "Europe/Warsaw"

[[source]]
name = "products"
path = "products.csv"
prices = "gross"

[[feed]]
name = "google"
channel = "google-products"
where = "price > 10 && image != '' && (brand != 'Kot' || size(color) < 4)"
[feed.fields]
custom_label_0 = '{{map "brands.csv" brand}}'

[[feed]]
name = "tsv"
channel = "google-products-tsv"

[[feed]]
name = "openai"
channel = "openai-products"
where = "condition != 'used'"

[[feed]]
name = "ceneo"
channel = "ceneo"

[[feed]]
name = "schema-org"
channel = "schema-org"
where = "price < 400"

[[feed]]
name = "woocommerce"
channel = "woocommerce-products"

[[feed]]
name = "labels"
channel = "shelf-labels"
where = "title.contains('a') && price > 20"

[[feed]]
name = "pages"
channel = "pages"

[[feed]]
name = "shelves"
channel = "shelves"
where = "condition != 'used'"
"#;

/// A document an item, whose name the title may spoil; attributes that must have a length, a form, a size.
const PAGES: &str = r#"
document = "item"
file = "{{title}}-{{id}}.html"
sort = ["price"]
"#;
const PAGE: &str = "{{#each items}}<h1>{{title}}</h1>{{#if brand}}<i>{{brand}}</i>{{/if}}{{{description}}}\
    <b>{{price}}</b>{{gtin}} {{color}}{{/each}}";

/// Items sorted into groups.
const SHELVES: &str = r#"
sort = ["brand", "-price"]
"#;
const SHELF: &str = "{{#each items}}{{#if group.first}}<h2>{{brand}}</h2><ul>{{/if}}<li>{{title}} {{price}} {{color}}</li>\
    {{#if group.last}}</ul>{{/if}}{{#if @last}}<hr>{{/if}}{{/each}}";

/// What both channels say beside their order.
const CHANNEL: &str = r#"
title = "Cards"
group = "website"
countries = ["*"]
spec = { url = "https://wydma.example/", read = "2026-11-22", certainty = "general knowledge" }
records = "variants"
format = "html"
[attributes.id]
value = "{{sku}}"
required = true
unique = true
[attributes.title]
value = "{{title}}"
required = true
min_length = { characters = 5 }
[attributes.description]
value = "{{description}}"
kind = "html"
max_length = { characters = 24 }
overflow = "cut"
[attributes.brand]
value = "{{brand}}"
pattern = "^[A-Z][a-z]+$"
[attributes.price]
value = "{{money price}}"
kind = "money"
range = ["12", "100"]
[attributes.gtin]
value = "{{gtin}}"
[attributes.color]
value = "{{color}}"
min_length = { characters = 4 }
severity = "warning"
"#;

/// Columns with values for them, some of them bad; the first two are made for each row.
const COLUMNS: &[(&str, &[&str])] = &[
    ("sku", &[]),
    ("product_id", &[]),
    (
        "title",
        &["Kubek", "Misa \"Fala\"", "Świeca & knot", "", "  "],
    ),
    (
        "description",
        &[
            "<p>Ręcznie&nbsp;robiona</p>",
            "<b>5 < 6</b> \u{7} &amp; więcej",
            "",
            "Zwykły tekst",
        ],
    ),
    ("brand", &["Wydma", "Kot", "", "O'Hara"]),
    (
        "gtin",
        &["5903874204893", "5903874204894", "5.9E+12", "", "12"],
    ),
    (
        "price",
        &["12.00", "19,99", "zapytaj", "1.234,50", "0", "399.00", ""],
    ),
    ("sale_price", &["", "11.00", "500", "x"]),
    ("availability", &["in_stock", "preorder", "może", ""]),
    ("condition", &["new", "used", ""]),
    (
        "url",
        &[
            "https://wydma.example/p?a=1&b=2",
            "/p/1",
            "https://wydma.example/ż",
            "",
        ],
    ),
    (
        "image",
        &[
            "https://wydma.example/1.jpg",
            "https://wydma.example/a b.jpg",
            "",
        ],
    ),
    (
        "images",
        &[
            "https://wydma.example/1.jpg|https://wydma.example/2.jpg?x=1&y",
            "",
            "||",
        ],
    ),
    ("color", &["biały", "red", ""]),
    ("category", &["Dom > Kuchnia", "Dom>Kuchnia", ""]),
    ("weight", &["250", "1,5 kg", "dużo", ""]),
    ("quantity", &["3", "-2", "", "1e3"]),
    ("tags", &["nowe|len", "", "len"]),
];

/// A number below `limit`.
fn below(seed: &mut u64, limit: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % limit
}

/// Products of one to five variants, which change a cell or two from one to the next.
fn catalog(mut seed: u64) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",") + "\n";
    for product in 0..400 {
        let mut row: Vec<&str> = COLUMNS
            .iter()
            .map(|(_, values)| match below(&mut seed, 3) {
                // Mostly the first value, or hardly an item would pass.
                0 => values.get(below(&mut seed, values.len().max(1))),
                _ => values.first(),
            })
            .map(|value| value.copied().unwrap_or(""))
            .collect();
        for variant in 0..=below(&mut seed, 5) {
            for _ in 0..below(&mut seed, 3) {
                let column = 2 + below(&mut seed, COLUMNS.len() - 2);
                let values = COLUMNS[column].1;
                row[column] = values[below(&mut seed, values.len())];
            }
            let sku = format!("S-{product}-{variant}");
            let number = product.to_string();
            for (at, cell) in row.iter().enumerate() {
                let cell = match at {
                    0 => sku.as_str(),
                    1 => number.as_str(),
                    _ => cell,
                };
                let end = if at + 1 == row.len() { "\n" } else { "," };
                write!(text, "\"{}\"{end}", cell.replace('"', "\"\"")).expect("a string");
            }
        }
    }
    text
}

/// Where an item ends, and where it goes.
type Placed = (usize, usize, usize, u64);

/// Everything that came of a catalog: bytes, counts, what is wrong.
#[derive(Debug, Default, PartialEq)]
struct Made {
    feeds: BTreeMap<String, (String, Vec<Placed>, [u64; 3])>,
    names: String,
    keys: Vec<u8>,
    reported: Vec<String>,
    findings: Vec<String>,
    unmatched: BTreeMap<(String, String), u64>,
}

fn made(folder: &std::path::Path, anew: bool) -> Made {
    let project = Project::load(folder).expect("the project");
    let wanted = Wanted {
        feeds: &[],
        now: "2026-11-22T10:00:00Z".parse().expect("a moment"),
        every_cell: false,
        log: false,
    };
    let (mut program, master) = compile(&project, &wanted, &mut Silent).expect("compiles");
    if anew {
        for feed in &mut program.feeds {
            for attribute in &mut feed.attributes {
                (attribute.reads, attribute.share) = (OTHER, None);
            }
            feed.conditions
                .iter_mut()
                .for_each(|condition| condition.reads = OTHER);
        }
    }
    let keys = |batch: &Batch| program.row_keys(batch);
    let mut reader = ProductReader::new(master, &keys, Gathering::Adjacent);
    let mut made = Made::default();
    while let Ok(Some(input)) = reader.next() {
        let mut work = Work {
            input,
            ..Work::default()
        };
        process(&program, &|_, _| None, &Bump::new(), &mut work);
        for (feed, output) in program.feeds.iter().zip(&work.feeds) {
            let (bytes, placed, counts) = made.feeds.entry(feed.name.clone()).or_default();
            let written = &output.bytes[..output.written()];
            bytes.push_str(std::str::from_utf8(written).expect("UTF-8"));
            let place = |item: &Item| (item.end, item.name_end, item.key_end, item.group);
            placed.extend(output.items.iter().map(place));
            made.names.push_str(&output.names);
            made.keys.extend_from_slice(&output.keys);
            for (count, more) in
                counts
                    .iter_mut()
                    .zip([output.read, output.filtered, output.withheld])
            {
                *count += more;
            }
            made.reported.extend(output.reported.iter().map(|told| {
                format!(
                    "{} {} {:?} {} {}",
                    feed.name, told.row, told.sku, told.problem.rule, told.problem.message
                )
            }));
        }
        made.findings
            .extend(work.findings.iter().map(|told| format!("{told:?}")));
        for (value, count) in work.unmatched {
            *made.unmatched.entry(value).or_default() += count;
        }
    }
    made
}

#[test]
fn what_a_record_repeats_comes_out_as_if_computed_anew() {
    for seed in 0..6 {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            crate::write::atomic::write(&path, text.as_bytes()).expect("written");
        };
        write("shelfcast.toml", PROJECT);
        write("brands.csv", "from,to\nWydma,own\n");
        write("products.csv", &catalog(seed));
        for (name, order, template) in [("pages", PAGES, PAGE), ("shelves", SHELVES, SHELF)] {
            let named = format!("name = \"{name}\"\ntemplate = \"{name}.hbs\"\n{order}{CHANNEL}");
            write(&format!("channels/{name}.toml"), &named);
            write(&format!("templates/{name}.hbs"), template);
        }
        let (standing, anew) = (made(folder.path(), false), made(folder.path(), true));
        for (name, feed) in &standing.feeds {
            assert_eq!(feed, &anew.feeds[name], "{name}, seed {seed}");
        }
        assert_eq!(standing, anew, "seed {seed}");
        // Something of everything, or the comparison says little.
        for at in 0..3 {
            assert!(standing.feeds.values().any(|(.., counts)| counts[at] > 0));
        }
        for (name, least) in [("tsv", 100), ("pages", 20), ("shelves", 20)] {
            let placed = &standing.feeds[name].1;
            assert!(
                placed.len() > least,
                "{name}, seed {seed}: {}",
                placed.len()
            );
        }
        for rule in [
            "too-short",
            "wrong-form",
            "out-of-range",
            "cut",
            "file-name",
        ] {
            let of_rule = format!(" {rule} ");
            assert!(
                standing.reported.iter().any(|told| told.contains(&of_rule)),
                "{rule}"
            );
        }
        assert!(!standing.findings.is_empty() && !standing.unmatched.is_empty());
    }
}
