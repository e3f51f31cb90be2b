//! What a merchandiser starts from: how ready the catalog is for a channel, and all feeds that can be made.

use serde_json::Value;

use crate::harness::FeedTest;

const PROJECT: &str = r#"
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
"#;

const CHANNEL: &str = r#"
name = "bazaar"
title = "Bazaar"
group = "marketplace"
countries = ["TH"]
records = "variants"
format = "ndjson"
spec = { url = "https://bazaar.example/spec", read = "2026-11-22", certainty = "specification" }

[settings.seller]
required = true
example = "S-1"
about = "the seller's number"

[attributes.id]
value = "{{sku}}"
required = true
unique = true

[attributes.seller]
value = "{{settings.seller}}"
required = true

[attributes.image]
value = "{{first images}}"
kind = "image-url"
required = true

[attributes.state]
value = "{{condition}}"
one_of = ["new"]

[attributes.color]
value = "{{color}}"
"#;

fn project() -> FeedTest {
    let project = FeedTest::empty();
    project
        .file("shelfcast.toml", PROJECT)
        .file("channels/bazaar.toml", CHANNEL)
        .file(
            "catalog.csv",
            "sku,title,description,url,price,availability,brand,images,condition,color\n\
             A,Bowl,A bowl,https://corner.example/a,10,in_stock,Kiln,https://corner.example/a.jpg,new,Blue\n\
             B,Cup,A cup,https://corner.example/b,20,in_stock,Kiln,https://corner.example/b.jpg,new,\n\
             C,Jug,A jug,https://corner.example/c,30,in_stock,Kiln,,new,\n\
             D,Tray,A tray,https://corner.example/d,40,in_stock,Kiln,https://corner.example/d.jpg,used,\n",
        );
    project
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn readiness(project: &FeedTest) -> Value {
    let shown = project
        .run(["channel", "show", "bazaar", "--json"])
        .exits(0);
    let found = lines(&shown.stdout)
        .into_iter()
        .find(|line| line["type"] == "readiness");
    found.expect("a readiness report")
}

fn attribute<'r>(report: &'r Value, name: &str) -> &'r Value {
    let attributes = report["attributes"].as_array().expect("attributes");
    attributes
        .iter()
        .find(|one| one["name"] == name)
        .unwrap_or_else(|| panic!("no `{name}`: {report}"))
}

#[test]
fn show_tells_what_the_catalog_gives_and_what_is_missing() {
    let project = project();
    let report = readiness(&project);
    assert_eq!(report["records"], 4);
    assert_eq!(report["missing_settings"][0]["name"], "seller");
    assert_eq!(
        report["able"],
        Value::Null,
        "the setting that is missing hides it"
    );
    for (name, filled, missing, wrong) in [
        ("id", 4, 0, 0),
        ("seller", 0, 4, 0),
        ("image", 3, 1, 0),
        ("state", 3, 0, 1),
        ("color", 1, 0, 0),
    ] {
        let one = attribute(&report, name);
        let counts = ["filled", "missing", "wrong"].map(|key| one[key].as_u64().unwrap_or(99));
        assert_eq!(counts, [filled, missing, wrong], "{name}: {report}");
    }
    assert_eq!(attribute(&report, "seller")["setting"], "seller");
    project
        .run(["channel", "show", "bazaar"])
        .exits(0)
        .shows("the setting `seller` is missing (the seller's number)")
        .shows("[feed.settings] seller = \"S-1\"")
        .shows("75%");
    assert!(
        !project.path("out").exists(),
        "a report writes nothing into out/"
    );

    // A feed of the channel gives what it needs.
    let settled = format!(
        "{PROJECT}[[feed]]\nname = \"b\"\nchannel = \"bazaar\"\nwhere = \"sku != 'B'\"\n[feed.settings]\nseller = \"S-9\"\n"
    );
    project.file("shelfcast.toml", settled);
    let report = readiness(&project);
    assert_eq!(report["feed"], "b");
    assert_eq!(
        (&report["records"], &report["able"]),
        (&Value::from(3), &Value::from(1))
    );
    project
        .run(["channel", "show", "bazaar"])
        .exits(0)
        .shows("1 of 3 records can be sent as they are");
    // What the channel needs can be asked for without the catalog.
    let bare = project.run(["channel", "show", "bazaar", "--no-catalog"]);
    assert!(!bare.exits(0).stdout.contains("can be sent"));
}

#[test]
fn show_says_what_stands_in_the_way() {
    let project = project();
    project
        .run(["channel", "show", "google-local-inventory"])
        .exits(0)
        .shows("there is no stock source")
        .shows("role = \"stock\"");
}

#[test]
fn all_that_is_ready_is_built_and_the_rest_is_told() {
    let project = project();
    project.file(
        "shelfcast.toml",
        format!(
            "{PROJECT}[[feed]]\nname = \"b\"\nchannel = \"bazaar\"\nwhere = \"sku in ['A', 'B']\"\n[feed.settings]\nseller = \"S-9\"\n\
             [[feed]]\nname = \"sitemap-products\"\nchannel = \"google-products\"\n"
        ),
    );
    let built = project.run(["build", "--all-ready", "--json"]).exits(0);
    let lines = lines(&built.stdout);
    let made: Vec<&str> = lines
        .iter()
        .filter(|line| line["type"] == "feed")
        .map(|line| line["channel"].as_str().expect("a channel"))
        .collect();
    let unready = |channel: &str| {
        lines
            .iter()
            .find(|line| line["type"] == "unready" && line["channel"] == channel)
            .unwrap_or_else(|| panic!("`{channel}` is not told: {made:?}"))
    };
    assert!(made.contains(&"bazaar"), "{made:?}");
    assert!(made.contains(&"kelkoo"), "{made:?}");
    // One record of four lacks an image, and more than a fifth may not be withheld.
    let schema = unready("schema-org").to_string();
    assert!(schema.contains("`max_withheld` is 20%"), "{schema}");
    assert!(schema.contains(r#""attribute":"image"#), "{schema}");
    // The project's feed gives settings and filter, the file has the channel's name.
    assert_eq!(
        project.text("out/bazaar.jsonl").lines().count(),
        2,
        "{:?}",
        project.out()
    );
    assert!(!project.path("out/b.jsonl").exists());
    let settings = unready("shopee")["missing_settings"].to_string();
    assert!(settings.contains("category_table"), "{settings}");
    let reason = unready("google-local-inventory")["reason"].to_string();
    assert!(reason.contains("no stock source"), "{reason}");
    let settings = unready("gs1-pricat")["missing_settings"].to_string();
    assert!(settings.contains("sender"), "{settings}");
    // Withheld for what the catalog lacks: a GTIN.
    let lacking = unready("empik")["attributes"].to_string();
    assert!(lacking.contains("product-id"), "{lacking}");
    // A feed of another channel keeps its file.
    let reason = unready("sitemap-products")["reason"].to_string();
    assert!(reason.contains("google-products"), "{reason}");
    for (name, _) in project.out() {
        let channel = name.split('.').next().unwrap_or("");
        assert!(made.contains(&channel), "{name} is nobody's");
    }
    let channels = made.len()
        + lines
            .iter()
            .filter(|line| line["type"] == "unready")
            .count();
    assert!(channels > 60, "{channels}");
    project
        .run(["build", "--all-ready"])
        .exits(0)
        .shows("channels are ready; not made:")
        .shows("settings are missing: `category_table`");
}
