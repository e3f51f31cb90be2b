//! The work of a template developer: a channel made, looked over, tried and used, without Rust.

use serde_json::Value;

use crate::harness::{FeedTest, repository};

/// Lines of JSON as they were printed; the last is the summary.
fn lines(stdout: &str) -> Vec<Value> {
    let lines: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let last = lines.last().expect("a summary");
    assert_eq!(last["type"], "summary", "{last}");
    lines
}

/// One of the two edits that the transcript allows: a piece of a file for another.
fn edit(project: &FeedTest, path: &str, from: &str, to: &str) {
    let text = project.text(path);
    assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
    project.file(path, text.replacen(from, to, 1));
}

#[test]
fn a_new_channel_in_seven_commands_and_two_edits() {
    let project = FeedTest::empty();
    project.file(
        "shelfcast.toml",
        r#"
[shop]
name = "Corner Shop"
url = "https://corner.example"
currency = "THB"
language = "en"
country = "TH"
timezone = "Asia/Bangkok"

[[source]]
name = "products"
path = "catalog.csv"
"#,
    );
    project.file(
        "catalog.csv",
        "sku,title,url,price,color,availability\n\
         CUP-1,Cup & saucer,https://corner.example/cup-1,120,Blue,in_stock\n\
         CUP-2,Cup,https://corner.example/cup-2,90.50,,out_of_stock\n",
    );

    // 1. Made.
    project
        .run(["channel", "new", "bazaar", "--format", "xml"])
        .exits(0)
        .shows("wrote channels/bazaar.toml\n")
        .shows("wrote templates/bazaar.hbs\n")
        .shows("wrote tests/golden/bazaar/plain/catalog.csv\n")
        .says("channel lint bazaar");

    // First edit: an attribute more, written by the template; a slip in each.
    edit(
        &project,
        "channels/bazaar.toml",
        "[attributes.link]",
        "[attributes.colour]\nvalue = \"{{colr}}\"\n\n[attributes.link]",
    );
    edit(
        &project,
        "templates/bazaar.hbs",
        "</item>",
        "{{#if colour}}\n<colour>{{colur}}</colour>\n{{/if}}\n</item>",
    );

    // 2. Looked over: both slips have their places.
    let slips = project.run(["channel", "lint", "bazaar"]).exits(1);
    assert!(
        slips
            .stdout
            .contains("attribute `colour`: the catalog has no column `colr`"),
        "{}",
        slips.stdout
    );
    assert!(
        slips.stdout.contains("hint: did you mean `color`?"),
        "{}",
        slips.stdout
    );
    assert!(
        slips.stdout.contains("there is no attribute `colur`"),
        "{}",
        slips.stdout
    );
    assert!(
        slips.stdout.contains("--> channels/bazaar.toml:"),
        "{}",
        slips.stdout
    );
    assert!(
        slips.stdout.contains("--> templates/bazaar.hbs:"),
        "{}",
        slips.stdout
    );

    // Second edit: the slips corrected, and a feed for the channel.
    edit(&project, "channels/bazaar.toml", "{{colr}}", "{{color}}");
    edit(&project, "templates/bazaar.hbs", "{{colur}}", "{{colour}}");
    let feed = "\n[[feed]]\nname = \"bazaar\"\nchannel = \"bazaar\"\n";
    project.file("shelfcast.toml", project.text("shelfcast.toml") + feed);

    // 3. Looked over again.
    project
        .run(["channel", "lint", "bazaar"])
        .exits(0)
        .shows("1 channel: 0 errors, 0 warnings");

    // 4. One product seen.
    project
        .run(["preview", "--sku", "CUP-1", "--feed", "bazaar"])
        .exits(0)
        .shows("<colour>Blue</colour>");

    // 5. Its case recorded, 6. and held to.
    project
        .run(["channel", "test", "bazaar", "--update"])
        .exits(0)
        .shows("1 rewritten");
    project
        .run(["channel", "test", "bazaar"])
        .exits(0)
        .shows("cases: 1 passed, 0 failed");
    let expected = project.text("tests/golden/bazaar/plain/expected.xml");
    assert_eq!(expected.matches("<item>").count(), 3, "{expected}");
    assert!(
        expected.contains("<title>Tee, organic cotton</title>"),
        "{expected}"
    );

    // 7. Built.
    project.build().exits(0);
    assert_eq!(
        project.text("out/bazaar.xml"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <items>\n\
         <item>\n<id>CUP-1</id>\n<title>Cup &amp; saucer</title>\n<link>https://corner.example/cup-1</link>\n\
         <price>120.00 THB</price>\n<availability>in_stock</availability>\n<colour>Blue</colour>\n</item>\n\
         <item>\n<id>CUP-2</id>\n<title>Cup</title>\n<link>https://corner.example/cup-2</link>\n\
         <price>90.50 THB</price>\n<availability>out_of_stock</availability>\n</item>\n\
         </items>\n"
    );
}

#[test]
fn a_case_that_changes_fails_with_a_diff() {
    let project = FeedTest::empty();
    project
        .run(["channel", "new", "mine", "--format", "csv"])
        .exits(0);
    project
        .run(["channel", "test", "mine"])
        .exits(1)
        .shows("nothing is expected of this case yet");
    project
        .run(["channel", "test", "mine", "--update"])
        .exits(0);
    edit(
        &project,
        "channels/mine.toml",
        "value = \"{{title}}\"",
        "value = \"{{upper title}}\"",
    );
    let failed = project.run(["channel", "test", "mine"]).exits(1);
    for part in [
        "FAIL mine/plain",
        "expected.csv: differs",
        "-MUG-RED,Red mug,",
        "+MUG-RED,RED MUG,",
        "cases: 0 passed, 1 failed",
    ] {
        assert!(
            failed.stdout.contains(part),
            "no {part:?} in {}",
            failed.stdout
        );
    }
    // A channel that has no case at all is no channel that passes.
    std::fs::remove_dir_all(project.path("tests/golden/mine")).expect("removed");
    project
        .run(["channel", "test", "mine"])
        .exits(1)
        .shows("channel `mine` has no case");
    // Cases of no channel are a slip too.
    project.file("tests/golden/mien/plain/catalog.csv", "sku\nA\n");
    project
        .run(["channel", "test"])
        .exits(1)
        .shows("and no such channel")
        .shows("did you mean `mine`?");
}

#[test]
fn a_broken_channel_cannot_be_tested_and_lint_says_why() {
    let project = FeedTest::empty();
    project
        .run(["channel", "new", "mine", "--format", "xml"])
        .exits(0);
    edit(
        &project,
        "templates/mine.hbs",
        "{{#each items}}",
        "{{#each item}}",
    );
    project
        .run(["channel", "test", "mine"])
        .exits(2)
        .shows("cannot be rendered");
    project
        .run(["channel", "lint", "mine"])
        .exits(1)
        .shows("exactly one `{{#each items}}`");
}

#[test]
fn every_built_in_case_is_as_expected() {
    // From a folder with nothing in it: manifests, templates and cases as they were compiled in.
    let project = FeedTest::empty();
    let tested = project.run(["channel", "test", "--json"]);
    let lines = lines(&tested.stdout);
    let failed: Vec<&Value> = lines
        .iter()
        .filter(|line| line["type"] == "case" && line["status"] != "ok")
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let cases = std::fs::read_dir(repository().join("tests/golden")).expect("cases");
    let folders: usize = cases
        .map(|entry| {
            std::fs::read_dir(entry.expect("an entry").path())
                .expect("cases of a channel")
                .count()
        })
        .sum();
    assert_eq!(
        lines.last().expect("a summary")["passed"],
        folders,
        "a case was not compiled in"
    );
    tested.exits(0);
}

#[test]
fn an_ejected_channel_is_the_projects_own_and_passes_its_cases() {
    let project = FeedTest::empty();
    project
        .run(["channel", "eject", "heureka"])
        .exits(0)
        .shows("wrote channels/heureka.toml")
        .shows("wrote templates/heureka.hbs")
        .shows("tests/golden/heureka/plain/catalog.csv");
    let listed = project.run(["channel", "list", "--json"]).exits(0);
    let own: Vec<Value> = lines(&listed.stdout)
        .into_iter()
        .filter(|line| line["from"] == "project")
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["name"], "heureka");
    project.run(["channel", "test", "heureka"]).exits(0);

    // What was changed is not written over unasked.
    edit(
        &project,
        "channels/heureka.toml",
        "title = \"",
        "title = \"Our ",
    );
    project
        .run(["channel", "eject", "heureka"])
        .exits(2)
        .says("channels/heureka.toml: is there already")
        .says("--force");
    assert!(
        project
            .text("channels/heureka.toml")
            .contains("title = \"Our ")
    );
    project
        .run(["channel", "eject", "heureka", "--force"])
        .exits(0);
    assert!(
        !project
            .text("channels/heureka.toml")
            .contains("title = \"Our ")
    );
    project
        .run(["channel", "eject", "heurekka"])
        .exits(2)
        .says("did you mean `heureka`?");
}

#[test]
fn a_channel_like_another_begins_with_its_cases() {
    let project = FeedTest::empty();
    project
        .run(["channel", "new", "our-model", "--from", "openai-products"])
        .exits(0)
        .shows("wrote tests/golden/our-model/thai/catalog.csv");
    project.run(["channel", "lint", "our-model"]).exits(0);
    project
        .run(["channel", "test", "our-model", "--update"])
        .exits(0);
    for case in ["plain", "thai", "variants"] {
        let ours = project.read(&format!("tests/golden/our-model/{case}/expected.jsonl"));
        let theirs = repository().join(format!(
            "tests/golden/openai-products/{case}/expected.jsonl"
        ));
        assert_eq!(
            ours,
            std::fs::read(theirs).expect("the other's case"),
            "{case}"
        );
    }
    project
        .run(["channel", "new", "our-model", "--from", "heureka"])
        .exits(2)
        .says("is there already");
    project
        .run(["channel", "new", "heureka", "--format", "xml"])
        .exits(2)
        .says("channel eject heureka");
}

#[test]
fn lint_as_json_has_places() {
    let project = FeedTest::empty();
    project
        .run(["channel", "new", "mine", "--format", "xml"])
        .exits(0);
    edit(
        &project,
        "templates/mine.hbs",
        "{{title}}",
        "{{title}}{{truncat title 5}}",
    );
    let linted = project.run(["channel", "lint", "mine", "--json"]).exits(1);
    let lines = lines(&linted.stdout);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["rule"], "unknown-helper");
    assert_eq!(lines[0]["source"], "templates/mine.hbs");
    assert_eq!(
        (lines[0]["line"].as_u64(), lines[0]["column"].as_u64()),
        (Some(6), Some(17))
    );
    assert_eq!(lines[0]["hint"], "did you mean `truncate`?");
    assert_eq!(lines[1]["errors"], 1);
    assert_eq!(lines[1]["exit"], 1);
    project
        .run(["channel", "lint", "mien"])
        .exits(2)
        .says("did you mean `mine`?");
}

#[test]
fn channels_are_listed_by_country_and_group() {
    let project = FeedTest::empty();
    let of = |arguments: &[&str]| -> Vec<String> {
        let outcome = project
            .run([&["channel", "list", "--json"], arguments].concat())
            .exits(0);
        lines(&outcome.stdout)
            .iter()
            .filter_map(|line| line["name"].as_str().map(str::to_owned))
            .collect()
    };
    let czech = of(&["--country", "cz", "--group", "price-comparison"]);
    assert_eq!(czech, ["heureka", "kelkoo", "zbozi"]);
    assert!(of(&["--country", "TH"]).contains(&"google-products".to_owned()));
    assert!(!of(&["--country", "TH"]).contains(&"ceneo".to_owned()));
    project
        .run(["channel", "list", "--country", "UK"])
        .exits(2)
        .says("did you mean `GB`?");
}

#[test]
fn a_channels_own_filter_and_words_hold_for_every_feed() {
    let project = FeedTest::empty();
    let channel = |filter: &str| {
        format!(
            "name = \"c\"\ntitle = \"C\"\ngroup = \"website\"\ncountries = [\"*\"]\nrecords = \"variants\"\nformat = \"ndjson\"\nwhere = \"{filter}\"\n\
             spec = {{ url = \"https://c.example\", read = \"2026-11-22\", certainty = \"specification\" }}\n\
             [settings.mode]\none_of = [\"draft\", \"live\"]\nexample = \"draft\"\n[attributes.id]\nvalue = \"{{{{sku}}}}\"\nrequired = true\n"
        )
    };
    let shop = |feed: &str| {
        format!(
            "[shop]\nname = \"S\"\nurl = \"https://s.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\n\
             [[source]]\nname = \"p\"\npath = \"p.csv\"\n[[feed]]\nname = \"f\"\nchannel = \"c\"\n{feed}"
        )
    };
    project
        .file("channels/c.toml", channel("price > 5 || brand == 'x'"))
        .file("shelfcast.toml", shop("where = \"sku != 'C'\"\n"))
        .file("p.csv", "sku,price,brand\nA,1,\nB,9,\nC,9,\nD,1,x\n");
    let built = project.run(["build", "--json"]).exits(0);
    let feed = &lines(&built.stdout)[0];
    assert_eq!(
        (
            &feed["read"],
            &feed["filtered"],
            &feed["withheld"],
            &feed["written"]
        ),
        (&4.into(), &2.into(), &0.into(), &2.into()),
        "{feed}"
    );
    let written = project.text("out/f.jsonl");
    assert!(
        written.contains("\"B\"") && written.contains("\"D\""),
        "{written}"
    );
    project
        .run(["why-not", "--sku", "A"])
        .exits(0)
        .shows("the `where` of feed and channel");
    // Its words.
    project.file("shelfcast.toml", shop("settings = { mode = \"live\" }\n"));
    project.run(["build"]).exits(0);
    project.file("shelfcast.toml", shop("settings = { mode = \"drafft\" }\n"));
    project
        .run(["build"])
        .exits(2)
        .says("the setting `mode` of channel `c` cannot be `drafft`")
        .says("did you mean `draft`?");
    // A mistake in it is the manifest's.
    project.file("channels/c.toml", channel("prize > 5"));
    project
        .run(["channel", "lint", "c"])
        .exits(1)
        .shows("channels/c.toml");
}

#[test]
fn the_count_of_items_is_reckoned_with_behind_them_only() {
    let project = FeedTest::empty();
    let template = |head: &str, tail: &str| {
        format!(
            "UNA:+.? '\nUNH+1+X'\n{head}{{{{#each items}}}}\nLIN+{{{{add @index 1}}}}+{{{{id}}}}'\n{{{{/each}}}}\n{tail}\n"
        )
    };
    project
        .file(
            "channels/c.toml",
            "name = \"c\"\ntitle = \"C\"\ngroup = \"store-system\"\ncountries = [\"*\"]\nrecords = \"variants\"\nformat = \"edifact\"\ntemplate = \"c.hbs\"\n\
             limits = { items = 2 }\nparts = { allowed = true }\n\
             spec = { url = \"https://c.example\", read = \"2026-11-22\", certainty = \"specification\" }\n[attributes.id]\nvalue = \"{{sku}}\"\nrequired = true\n",
        )
        .file(
            "shelfcast.toml",
            "[shop]\nname = \"S\"\nurl = \"https://s.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\n\
             [[source]]\nname = \"p\"\npath = \"p.csv\"\n[[feed]]\nname = \"f\"\nchannel = \"c\"\n",
        )
        .file("p.csv", "sku\nA\nB\nC\n")
        .file(
            "templates/c.hbs",
            template("", "UNT+{{feed.items}}+{{add (mul 4 feed.items) feed.items 7}}+{{mul (add feed.items 1) 2}}+{{feed.part}}'"),
        );
    project.run(["build"]).exits(0);
    // Each part counts its own.
    let parts: Vec<String> = project
        .out()
        .into_iter()
        .map(|(_, bytes)| String::from_utf8(bytes).expect("text"))
        .collect();
    let tails: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.lines().find(|line| line.starts_with("UNT")))
        .collect();
    assert_eq!(tails, ["UNT+2+17+6+1'", "UNT+1+12+4+2'"]);
    project.file("templates/c.hbs", template("{{add feed.items 1}}", "UNT'"));
    project
        .run(["build"])
        .exits(2)
        .says("`feed.items` stands before the items");
    // What cannot be reckoned is refused as before.
    project.file(
        "templates/c.hbs",
        template("", "UNT+{{mul feed.items feed.items}}'"),
    );
    project.run(["build"]).exits(2);
}

#[test]
fn show_says_what_a_channel_needs() {
    let project = FeedTest::empty();
    project
        .run(["channel", "show", "ceneo"])
        .exits(0)
        .shows("https://github.com/dreamcommerce/app-ceneo-xml-exporter")
        .shows("ask_when_out_of_stock")
        .shows("Producent")
        .shows("Not covered");
    let shown = project.run(["channel", "show", "ceneo", "--json"]).exits(0);
    let lines = lines(&shown.stdout);
    assert!(
        lines[0]["attributes"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "EAN"))
    );
    project
        .run(["channel", "show", "cenao"])
        .exits(2)
        .says("did you mean `ceneo`?");
}

#[test]
fn columns_of_the_catalog_at_hand_and_of_none() {
    let project = FeedTest::empty();
    project
        .run(["channel", "columns"])
        .exits(0)
        .shows("google_product_category")
        .shows("current_price");
    project.file(
        "shelfcast.toml",
        "[shop]\nname = \"S\"\nurl = \"https://s.example\"\ncurrency = \"EUR\"\nlanguage = \"en\"\ncountry = \"DE\"\n\
         [[source]]\nname = \"products\"\npath = \"catalog.csv\"\n[source.fields]\ntitle = \"Name\"\n",
    );
    project.file(
        "catalog.csv",
        "sku,Name,price,images,Rack\nA,Cup,\"1,5\",a.jpg|b.jpg,7\nB,Pot,,,\n",
    );
    let shown = project.run(["channel", "columns", "--json"]).exits(0);
    let lines = lines(&shown.stdout);
    let of = |name: &str| {
        lines
            .iter()
            .find(|line| line["column"] == name)
            .unwrap_or_else(|| panic!("no {name}: {lines:#?}"))
    };
    assert_eq!(
        (&of("title")["mapping"], &of("title")["filled"]),
        (&Value::from("Name"), &Value::from(2))
    );
    assert_eq!(of("images")["kind"], "list");
    assert_eq!(of("images")["filled"], 1);
    assert_eq!(
        (&of("Rack")["ours"], &of("Rack")["kind"]),
        (&Value::from(false), &Value::from("number"))
    );
}

#[test]
fn helpers_have_pages() {
    let project = FeedTest::empty();
    project
        .run(["channel", "helpers"])
        .exits(0)
        .shows("truncate")
        .shows("strip_html");
    project
        .run(["channel", "helpers", "money"])
        .exits(0)
        .shows("{{money price");
    project
        .run(["channel", "helpers", "mony"])
        .exits(2)
        .says("did you mean `money`?");
}

#[test]
fn schemas_completions_and_the_manual_are_printed() {
    let project = FeedTest::empty();
    for file in ["manifest", "project"] {
        let schema = project.run(["schema", file]).exits(0).stdout;
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
    project
        .run(["completions", "bash"])
        .exits(0)
        .shows("shelfcast");
    project.run(["man"]).exits(0).shows("shelfcast");
}

/// Held against an independent validator, where there is one.
#[test]
fn manifests_fit_the_schema_by_an_independent_validator() {
    let project = FeedTest::empty();
    for file in ["manifest", "project"] {
        let schema = project.run(["schema", file]).exits(0).stdout;
        project.file(&format!("{file}.json"), schema);
    }
    let script = r#"
import json, pathlib, sys, tomllib
import jsonschema
root = pathlib.Path(sys.argv[1])
for schema, files in (("manifest.json", sorted(root.glob("channels/*.toml"))), ("project.json", [root / "samples/shop/shelfcast.toml"])):
    schema = json.loads(pathlib.Path(schema).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in files:
        for error in jsonschema.Draft202012Validator(schema).iter_errors(tomllib.loads(path.read_text())):
            sys.exit(f"{path.name}: {error.message}")
print("fits")
"#;
    let output = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(repository())
        .current_dir(project.path("."))
        .output();
    let Ok(output) = output else {
        println!("skipped: python3 is not here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("ModuleNotFoundError") {
        println!("skipped: python3 has no jsonschema, or no tomllib");
        return;
    }
    assert!(output.status.success(), "{said}");
}
