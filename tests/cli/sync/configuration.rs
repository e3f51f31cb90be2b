//! What is wrong with a project is said before anybody is called, with the near miss.

use super::{CANARY, HEAD, SYNC, project};
use crate::harness::FeedTest;

/// Nothing listens there.
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn a_wrong_project_says_what_was_probably_meant() {
    for (from, to, says, hint) in [
        (
            "token = \"file",
            "tokn = \"file",
            "connector `plain` knows no secret `tokn`",
            "did you mean `token`?",
        ),
        (
            "token = \"file",
            "tokn = \"file",
            "needs the secret `token`",
            "token = \"env:NAME\"",
        ),
        (
            "connector = \"plain\"",
            "connector = \"plian\"",
            "there is no connector `plian`",
            "did you mean `plain`?",
        ),
        (
            "to = \"web\"",
            "to = \"wbe\"",
            "leads to `wbe`, which is no store",
            "did you mean `web`?",
        ),
        (
            "from = \"tills\"",
            "from = \"till\"",
            "reads from `till`, which is no stock source",
            "did you mean `tills`?",
        ),
        (
            "{ siam",
            "{ siem",
            "there is no location `siem`",
            "did you mean `siam`?",
        ),
        (
            "online_orders = \"booked\"",
            "",
            "`online_orders` is missing",
            "`\"booked\"`",
        ),
        ("\"booked\"", "\"boked\"", "boked", "did you mean `booked`?"),
        (
            "\"booked\"",
            "\"subtract\"",
            "subtracts online orders, and no source gives them",
            "role = \"orders\"",
        ),
        (
            "safety_stock",
            "safty_stock",
            "unknown key `safty_stock`",
            "did you mean `safety_stock`?",
        ),
        (
            "{ siam = \"L1\", bangna = \"L2\" }",
            "[\"siam\"]",
            "has locations, and none is said to be which",
            "ours =",
        ),
    ] {
        let test = project(NOBODY);
        let text = format!("{HEAD}{}", SYNC.replace("URL", NOBODY));
        assert!(text.contains(from), "{from}");
        test.file("shelfcast.toml", text.replace(from, to));
        let outcome = test.run(["sync", "--dry-run"]).exits(2);
        assert!(outcome.stderr.contains(says), "{to}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(hint), "{to}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(CANARY));
    }
}

#[test]
fn two_syncs_into_one_place_are_refused() {
    let test = project(NOBODY);
    let second = "\n[[sync]]\nname = \"other\"\nfrom = \"tills\"\nto = \"web\"\nonline_orders = \"booked\"\n\
                  locations = { bangna = \"L1\" }\n";
    test.file(
        "shelfcast.toml",
        format!("{HEAD}{}{second}", SYNC.replace("URL", NOBODY)),
    );
    test.run(["sync"])
        .exits(2)
        .says("syncs `web-stock` and `other` both write place `L1` of store `web`");
}

#[test]
fn a_secret_that_is_missing_is_named_and_a_build_needs_none() {
    let test = project(NOBODY);
    let text = format!("{HEAD}{}", SYNC.replace("URL", NOBODY));
    test.file(
        "shelfcast.toml",
        text.replace("file:token", "env:SHELFCAST_TEST_NO_SUCH_TOKEN"),
    );
    super::tills(&test, &super::usual());
    for arguments in [["sync"].as_slice(), &["sync", "--dry-run"]] {
        test.run(arguments)
            .exits(2)
            .says("the environment variable `SHELFCAST_TEST_NO_SUCH_TOKEN` is not set");
    }
    test.file(
        "shelfcast.toml",
        text.replace("file:token", "CANARY-IN-PLAIN"),
    );
    let outcome = test.run(["sync"]).exits(2).says("`token` is no reference");
    assert!(!outcome.stderr.contains("CANARY-IN-PLAIN"));
    assert!(!test.path(".shelfcast").exists(), "nothing was kept");
}

#[test]
fn an_unknown_sync_is_named_in_every_command() {
    let test = project(NOBODY);
    for arguments in [
        ["sync", "web-stok"].as_slice(),
        &["pause", "web-stok", "--reason", "x"],
        &["resume", "web-stok"],
        &["dead-letters", "list", "web-stok"],
        &["stock", "--sku", "A", "--sync", "web-stok"],
        &["explain", "--sku", "A", "--sync", "web-stok"],
    ] {
        test.run(arguments)
            .exits(2)
            .says("there is no sync `web-stok`")
            .says("did you mean `web-stock`?");
    }
    test.run(["status", "web-stok"])
        .exits(2)
        .says("neither a feed nor a sync `web-stok`")
        .says("did you mean `web-stock`?");
    test.run(["sync", "--approve", "3f2a9c1b77e0"]).exits(2);
    test.run(["sync", "--approve", "3f2a9c1b77e0", "--reason", "x"])
        .exits(2)
        .says("no plan `3f2a9c1b77e0` is held");
    test.run(["pause", "web-stock"]).exits(2).says("--reason");
    test.run(["sync", "--listen", "127.0.0.1:1"])
        .exits(2)
        .says("--watch");
    for arguments in [
        ["pause", "web-stock", "--reason", "x", "--dry-run"].as_slice(),
        &["resume", "web-stock", "--dry-run"],
        &["dead-letters", "retry", "--all", "--dry-run"],
    ] {
        test.run(arguments).exits(2).says("no dry run");
    }
    assert!(!test.path(".shelfcast").exists(), "nothing was kept");
}

#[test]
fn a_sync_that_has_never_run_says_so() {
    let test = project(NOBODY);
    test.run(["status"])
        .exits(0)
        .shows("web-stock")
        .shows("never run");
    test.run(["status", "web-stock", "--max-age", "2h"])
        .exits(1)
        .shows("no run has ended well yet");
    let (found, last) = super::lines(&test.run(["status", "--json"]).exits(0));
    assert_eq!(found[0]["sync"], "web-stock", "{found:?}");
    assert_eq!(
        (&found[0]["levels"], &found[0]["age_seconds"]),
        (&0.into(), &serde_json::Value::Null)
    );
    assert_eq!(last["syncs"], 1);
    test.run(["stock", "--sku", "ชาม-01"])
        .exits(2)
        .says("has never run")
        .says("--dry-run");
    test.run(["dead-letters", "list"])
        .exits(0)
        .shows("0 dead letters");
    test.run(["doctor"])
        .exits(0)
        .shows("cannot prove that it is whole")
        .shows("`token` is the API key of the store");
    assert!(!test.path(".shelfcast").exists(), "looking keeps nothing");
}

#[test]
fn a_connector_that_is_tried_must_be_known_and_told_what_it_may_write() {
    let test = project(NOBODY);
    test.run(["connector", "test", "web"])
        .exits(2)
        .says("--sku");
    test.run(["connector", "test", "wbe", "--sku", "A"])
        .exits(2)
        .says("`wbe` is neither a [[store]] here nor a connector")
        .says("did you mean `web`?");
    test.run([
        "connector",
        "test",
        "web",
        "--sku",
        "A",
        "--secret",
        "tokn=file:token",
    ])
    .exits(2)
    .says("did you mean `token`?");
    test.run(["connector", "test", "web", "--sku", "A", "--dry-run"])
        .exits(2);
}

#[test]
fn the_samples_are_right_but_for_their_secrets() {
    let sample = FeedTest::sample("sync");
    let database = rusqlite::Connection::open(sample.path("tills.db")).expect("a database");
    database
        .execute_batch(&sample.text("stock.sql"))
        .expect("the sample's SQL");
    let skus: i64 = database
        .query_row("SELECT count(DISTINCT sku) FROM stock", [], |row| {
            row.get(0)
        })
        .expect("rows");
    let online = sample.text("online.csv").lines().count() - 1;
    assert_eq!(
        usize::try_from(skus),
        Ok(online),
        "both are of the same goods"
    );
    drop(database);
    sample
        .run(["sync", "--dry-run"])
        .exits(2)
        .says("environment variable `VENDURE_");
    sample
        .run(["status"])
        .exits(1)
        .shows("no run has ended well yet");
    let shop = FeedTest::sample("shop");
    shop.run(["sync", "krakow-stock", "--dry-run"])
        .exits(2)
        .says("environment variable `WOO_");
    shop.run(["sync", "web-stock", "--dry-run"])
        .exits(2)
        .says("environment variable `SHOPIFY_TOKEN` is not set");
}
