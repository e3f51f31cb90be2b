//! A document an item: named by the channel, staged together, the gone taken away; and sorted feeds with groups.

use crate::harness::{FeedTest, Outcome};

const SHOP: &str = r#"
[shop]
name = "Lumo"
url = "https://lumo.example"
currency = "EUR"
language = "en"
country = "DE"
timezone = "Europe/Berlin"

[[source]]
name = "products"
path = "catalog.csv"

[[feed]]
name = "cards"
channel = "cards"
max_withheld = "100%"
"#;

const MANIFEST: &str = r#"
name = "cards"
title = "Cards"
group = "website"
countries = ["*"]
spec = { url = "https://lumo.example/", read = "2026-11-22", certainty = "general knowledge" }
records = "variants"
format = "html"
template = "cards.hbs"
[attributes.id]
value = "{{sku}}"
required = true
unique = true
[attributes.title]
value = "{{title}}"
required = true
[attributes.kind]
value = '{{join category " > "}}'
[attributes.price]
value = "{{money price}}"
kind = "money"
"#;

/// A project with one channel of its own: what its manifest says beside the usual, its template, the catalog's rows.
fn cards(keys: &str, template: &str, rows: &str) -> FeedTest {
    let test = FeedTest::empty();
    let manifest = MANIFEST.replace("[attributes.id]", &format!("{keys}\n[attributes.id]"));
    test.file("shelfcast.toml", SHOP)
        .file("channels/cards.toml", manifest)
        .file("templates/cards.hbs", template)
        .file("catalog.csv", format!("sku,title,category,price\n{rows}"));
    test
}

const PAGES: &str = "document = \"item\"\nfile = \"{{slug title}}.html\"";
const PAGE: &str = "<h1>{{shop.name}}</h1>\n{{#each items}}\n<p id=\"{{id}}\">{{title}}</p>{{#if @first}}{{#if title}}F{{/if}}{{/if}}{{#if @last}}L{{/if}}\n{{/each}}\n<hr>\n";

/// What stands in the feed's folder and in `out/`, hidden files too.
fn standing(test: &FeedTest) -> (Vec<String>, Vec<String>) {
    let names = |path: &str| {
        let mut names: Vec<String> = std::fs::read_dir(test.path(path))
            .into_iter()
            .flatten()
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    (names("out/cards"), names("out"))
}

fn findings(outcome: &Outcome, rule: &str) -> Vec<serde_json::Value> {
    outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter(|line| line["rule"] == rule)
        .collect()
}

#[test]
fn each_item_is_a_whole_document_and_what_is_gone_goes() {
    let test = cards(PAGES, PAGE, "A,Blue cup,,1\nB,Red <cup>,,2\nC,Tea,,3\n");
    test.build().exits(0).shows("out/cards/");
    let (files, out) = standing(&test);
    assert_eq!(
        files,
        [
            ".shelfcast-documents",
            "blue-cup.html",
            "red-cup.html",
            "tea.html"
        ]
    );
    assert_eq!(out, ["cards"], "nothing hidden is left");
    assert_eq!(
        test.text("out/cards/red-cup.html"),
        "<h1>Lumo</h1>\n<p id=\"B\">Red &lt;cup&gt;</p>FL\n<hr>\n"
    );
    // Somebody else's file stays, ours goes with its item; what did not change is not written again.
    test.file("out/cards/style.css", "p {}");
    let before = std::fs::metadata(test.path("out/cards/tea.html")).expect("there");
    test.file(
        "catalog.csv",
        "sku,title,category,price\nB,Green cup,,2\nC,Tea,,3\n",
    );
    test.build().exits(0);
    assert_eq!(
        standing(&test).0,
        [
            ".shelfcast-documents",
            "green-cup.html",
            "style.css",
            "tea.html"
        ]
    );
    let after = std::fs::metadata(test.path("out/cards/tea.html")).expect("there");
    assert_eq!(
        before.modified().expect("a time"),
        after.modified().expect("a time")
    );
    assert_eq!(
        test.text("out/cards/.shelfcast-documents"),
        "green-cup.html\ntea.html\n"
    );
}

#[test]
fn a_set_that_is_held_leaves_the_old_one() {
    let test = cards(PAGES, PAGE, "A,Blue cup,,1\n");
    test.build().exits(0);
    let stood = test.read("out/cards/blue-cup.html");
    test.file("shelfcast.toml", SHOP.replace("100%", "10%"));
    test.file(
        "catalog.csv",
        "sku,title,category,price\nA,Other cup,,1\nB,,,2\nC,,,3\n",
    );
    test.build().exits(1);
    let (files, out) = standing(&test);
    assert_eq!(files, [".shelfcast-documents", "blue-cup.html"]);
    assert_eq!(out, ["cards"]);
    assert_eq!(test.read("out/cards/blue-cup.html"), stood);
}

#[test]
fn names_that_meet_or_lead_elsewhere_are_told_with_their_items() {
    let test = cards(
        PAGES,
        PAGE,
        "A-1,Blue cup,,1\nA-2,BLUE  cup,,2\nA-3,Tea,,3\n",
    );
    let outcome = test.run(["build", "--json"]).exits(0);
    let met = findings(&outcome, "duplicate-file");
    assert_eq!(met.len(), 1, "{met:?}");
    let message = met[0]["message"].as_str().expect("a message");
    for said in ["`A-1`", "`A-2`", "`blue-cup.html`"] {
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(standing(&test).0.len(), 3);
    test.run(["explain", "duplicate-file"])
        .exits(0)
        .shows("one file");
    test.run(["explain", "file-name"]).exits(0).shows("file");

    let keys = PAGES.replace("{{slug title}}", "{{title}}");
    let test = cards(&keys, PAGE, "A,../cup,,1\nB,.hidden,,2\nC,fine,,3\n");
    let outcome = test.run(["build", "--json"]).exits(0);
    let wrong = findings(&outcome, "file-name");
    let skus: Vec<&str> = wrong
        .iter()
        .filter_map(|line| line["sku"].as_str())
        .collect();
    assert_eq!(skus, ["A", "B"]);
    assert_eq!(standing(&test).0, [".shelfcast-documents", "fine.html"]);
    assert!(!test.path("out/cup.html").exists());
}

#[test]
fn a_set_is_published_and_the_gone_are_removed_there() {
    let test = cards(PAGES, PAGE, "A,Blue cup,,1\nB,Red cup,,2\nC,Tea,,3\n");
    let to = |path: &str| format!("{SHOP}\n[[feed.to]]\npath = \"{path}\"\n");
    test.file("shelfcast.toml", to("site/"));
    test.run(["publish"]).exits(0);
    let there = || {
        let mut names: Vec<String> = std::fs::read_dir(test.path("site"))
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    assert_eq!(there(), ["blue-cup.html", "red-cup.html", "tea.html"]);
    test.file(
        "catalog.csv",
        "sku,title,category,price\nA,Blue cup,,1\nC,Tea,,3\n",
    );
    test.run(["publish", "--allow", "removed", "--reason", "sold"])
        .exits(0);
    assert_eq!(there(), ["blue-cup.html", "tea.html"]);
    test.run(["publish"]).exits(0);
    // An address that names one file cannot hold a set.
    test.file("shelfcast.toml", to("site/all.html"));
    test.run(["publish"])
        .exits(2)
        .says("is a document an item")
        .says("end the address with `/`");
}

#[test]
fn what_does_not_fit_a_document_an_item_is_said() {
    for (keys, said) in [
        ("document = \"item\"", "needs a file name"),
        ("file = \"a.html\"", "the feed is one document"),
        (
            "document = \"page\"\nfile = \"a.html\"",
            "`document = \"page\"` is not known",
        ),
        (
            "document = \"item\"\nfile = \"{{titel}}.html\"",
            "there is no attribute `titel`",
        ),
        (
            "document = \"item\"\nfile = \"{{@index}}.html\"",
            "is no name",
        ),
        (
            "sort = [\"kinds\"]",
            "there is neither an attribute nor a column `kinds`",
        ),
    ] {
        cards(keys, PAGE, "A,Cup,,1\n").build().exits(2).says(said);
    }
    let nested = "{{#each items}}{{#if group.first}}{{title}}{{/if}}{{/each}}";
    cards("", nested, "A,Cup,,1\n")
        .build()
        .exits(2)
        .says("it is known where the manifest has `sort`");
    let nested = "{{#each items}}{{#if group.first}}{{#if @first}}{{title}}{{/if}}{{/if}}{{/each}}";
    cards("sort = [\"kind\"]", nested, "A,Cup,,1\n")
        .build()
        .exits(2)
        .says("inside another question about its place");
}

const GROUPS: &str = "{{#each items}}\n{{#if group.first}}\n[{{kind}}\n{{/if}}\n{{id}}{{#if @last}}!{{/if}}\n{{#if group.last}}\n]\n{{/if}}\n{{/each}}\n";

#[test]
fn items_are_sorted_by_several_keys_and_stand_in_groups() {
    let rows = "1,Tee,Łyżki,9\n2,Cup,Home > Cups,10.50\n3,Äpfel,Home > Cups,9\n4,apfel,Home > Cups,9\n5,X,,1\n6,Cup,Home > Cups,100\n7,Zebra,lampy,1\n8,Y,,1\n";
    let test = cards("sort = [\"kind\", \"-price\", \"title\"]", GROUPS, rows);
    test.build().exits(0);
    assert_eq!(
        test.text("out/cards.html"),
        "[Home &gt; Cups\n6\n2\n4\n3\n]\n[lampy\n7\n]\n[Łyżki\n1\n]\n[\n5\n8!\n]\n"
    );
}

#[test]
fn an_order_is_one_at_any_number_of_threads_and_past_its_memory() {
    // More than the sorter keeps in memory.
    let mut rows = String::new();
    let long = "x".repeat(9000);
    for number in 0..8000 {
        rows.push_str(&format!(
            "S{number},{long},{},{}\n",
            number * 7919 % 13,
            number % 10 + 1
        ));
    }
    let test = cards("sort = [\"kind\", \"-price\"]", GROUPS, &rows);
    test.run(["build", "--threads", "1"]).exits(0);
    let one = test.read("out/cards.html");
    test.run(["build", "--threads", "3"]).exits(0);
    assert!(
        test.read("out/cards.html") == one,
        "other bytes with three threads"
    );
    let text = String::from_utf8(one).expect("UTF-8");
    assert_eq!(text.matches('[').count(), 13);
    // Equal keys keep the catalog's order.
    let first: Vec<u32> = text
        .lines()
        .filter_map(|line| line.strip_prefix('S')?.parse().ok())
        .take(60)
        .collect();
    let tied = first.iter().filter(|number| **number % 10 == 9).copied();
    assert!(tied.is_sorted(), "{first:?}");
    let (_, out) = standing(&test);
    assert_eq!(out, ["cards.html"], "no run is left behind");
}

#[test]
fn lookup_reaches_the_products_list_from_a_variant() {
    let test = cards("", PAGE, "");
    let manifest = MANIFEST
        .replace("records = \"variants\"", "records = \"products\"")
        .replace("value = \"{{sku}}\"", "value = \"{{product_id}}\"")
        + "[attributes.pictures]\nlist = \"images\"\n[attributes.sku]\nlevel = \"variant\"\nvalue = \"{{sku}}\"\n";
    test.file("channels/cards.toml", &manifest)
        .file("templates/cards.hbs", "{{#each items}}{{id}}{{title}}{{kind}}{{price}}:{{#each variants}}{{sku}}={{lookup ../pictures 1}};{{/each}}{{#if pictures}}{{/if}}\n{{/each}}")
        .file("catalog.csv", "sku,product_id,title,category,price,images\nA,P,T,,,https://i.example/1.jpg|https://i.example/2.jpg\nB,P,T,,,\n");
    test.build().exits(0);
    assert_eq!(
        test.text("out/cards.html"),
        "PT:A=https://i.example/2.jpg;B=https://i.example/2.jpg;\n"
    );
    test.file("templates/cards.hbs", "{{#each items}}{{id}}{{title}}{{kind}}{{price}}:{{#each variants}}{{sku}}={{lookup ../pictures @index}};{{/each}}{{#if pictures}}{{/if}}\n{{/each}}");
    test.build().exits(2).says("takes a number");
}

#[test]
fn what_a_killed_run_staged_is_swept() {
    let test = cards(PAGES, PAGE, "A,Blue cup,,1\n");
    test.file("out/.cards.4242.part/.alive", "")
        .file("out/.cards.4242.part/half.html", "<p")
        .file("out/.other.4242.part/.alive", "")
        .file("out/.cards.mine.part/.alive", "");
    test.build().exits(0);
    let (_, out) = standing(&test);
    assert_eq!(out, [".cards.mine.part", ".other.4242.part", "cards"]);
    assert_eq!(standing(&test).0, [".shelfcast-documents", "blue-cup.html"]);
}

#[test]
fn attributes_of_variants_stand_with_their_variant_in_json() {
    let test = cards("", PAGE, "");
    let manifest = MANIFEST
        .replace("records = \"variants\"", "records = \"products\"")
        .replace("format = \"html\"", "format = \"json\"")
        .replace("template = \"cards.hbs\"\n", "")
        .replace("value = \"{{sku}}\"", "value = \"{{product_id}}\"")
        + "[attributes.size]\nlevel = \"variant\"\nvalue = \"{{size}}\"\n[attributes.\"variants[].sku\"]\nlevel = \"variant\"\nvalue = \"{{sku}}\"\n";
    test.file("channels/cards.toml", &manifest).file(
        "catalog.csv",
        "sku,product_id,title,size\nA,P,Shirt,S\nB,P,Shirt,M\n",
    );
    test.build().exits(0);
    let items: serde_json::Value =
        serde_json::from_str(&test.text("out/cards.json")).expect("JSON");
    assert_eq!(
        items,
        serde_json::json!([{
            "id": "P",
            "title": "Shirt",
            "variants": [{ "size": "S", "sku": "A" }, { "size": "M", "sku": "B" }]
        }])
    );
}

#[test]
fn channels_with_tables_and_documents_are_previewed() {
    let test = FeedTest::empty();
    for name in shelfcast::channel::built_in_names() {
        let outcome = test.run(["preview", "--channel", &name]);
        assert_eq!(outcome.code, 0, "{name}: {}", outcome.stderr);
        assert!(!outcome.stdout.is_empty(), "{name}");
    }
}
