//! Runs against a store on loopback: what is sent, what is not, what stops.

use super::shop::Shop;
use super::{CANARY, digest, lines, project, tills, usual};
use crate::harness::FeedTest;

/// A project and its store, not yet run.
fn opened() -> (FeedTest, Shop) {
    let shop = Shop::open();
    let test = project(shop.url());
    tills(&test, &usual());
    (test, shop)
}

/// The same, in step.
pub fn in_step() -> (FeedTest, Shop) {
    let (test, shop) = opened();
    test.run(["sync"]).exits(0);
    shop.take_applied();
    (test, shop)
}

#[test]
fn a_dry_run_shows_the_plan_and_touches_nothing() {
    let (test, shop) = opened();
    let outcome = test.run(["sync", "--dry-run"]).exits(0);
    assert!(
        outcome
            .stdout
            .contains("3 levels of 40 levels would change"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("ชาม-03"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("siam 13 - 2 = 11"),
        "{}",
        outcome.stdout
    );
    assert_eq!(shop.inside().writes, 0);
    assert!(!test.path(".shelfcast/sync").exists());
    test.run(["sync"]).exits(0);
    let mut rows = usual();
    rows[0].2 += 1;
    tills(&test, &rows);
    let before = digest(&test.path(".shelfcast"));
    let writes = shop.inside().writes;
    let (found, _) = lines(&test.run(["sync", "--dry-run", "--json"]).exits(0));
    assert_eq!(found[0]["type"], "planned", "{found:?}");
    assert_eq!(
        (&found[0]["before"], &found[0]["after"]),
        (&9.into(), &10.into())
    );
    assert_eq!(digest(&test.path(".shelfcast")), before);
    assert_eq!(shop.inside().writes, writes);
}

#[test]
fn a_run_sends_what_differs_and_the_next_one_nothing() {
    let (test, shop) = opened();
    let (found, last) = lines(&test.run(["sync", "--json"]).exits(0));
    let sync = found.last().expect("a line");
    assert_eq!(sync["type"], "sync");
    for (key, number) in [
        ("compared", 40),
        ("changed", 3),
        ("accepted", 3),
        ("rejected", 0),
        ("unknown", 0),
        ("held", 0),
        ("in_step", 40),
    ] {
        assert_eq!(sync[key], number, "{key}: {sync}");
    }
    assert_eq!((&last["ok"], &last["accepted"]), (&true.into(), &3.into()));
    assert_eq!(shop.level("ชาม-01", "L1"), Some(9), "11 less 2 kept back");
    assert_eq!(shop.level("ชาม-01", "L2"), Some(49));
    assert_eq!(shop.take_applied().len(), 3);
    let outcome = test.run(["sync"]).exits(0);
    assert!(outcome.stdout.contains("web-stock"), "{}", outcome.stdout);
    assert!(
        shop.take_applied().is_empty(),
        "what is in step is not sent"
    );
    let mut rows = usual();
    for row in rows.iter_mut().take(10) {
        row.2 += 1;
    }
    tills(&test, &rows);
    test.run(["sync"]).exits(0);
    assert_eq!(shop.take_applied().len(), 10);
}

#[test]
fn an_empty_source_is_held_and_changes_nothing() {
    let (test, shop) = in_step();
    let writes = shop.inside().writes;
    tills(&test, &[]);
    let outcome = test.run(["sync"]).exits(6);
    assert!(
        outcome.stdout.contains("guard `vanished`"),
        "{}",
        outcome.stdout
    );
    assert_eq!(shop.inside().writes, writes);
    assert_eq!(shop.level("ชาม-05", "L1"), Some(13));
}

#[test]
fn a_mass_zeroing_is_held_until_exactly_this_plan_is_approved() {
    let (test, shop) = in_step();
    let mut rows = usual();
    for row in &mut rows {
        row.2 = 0;
    }
    tills(&test, &rows);
    let (found, last) = lines(&test.run(["sync", "--json"]).exits(6));
    let sync = found.last().expect("a line");
    let guards = sync["tripped"].as_array().expect("guards");
    assert!(
        guards.iter().any(|trip| trip["guard"] == "to_zero"),
        "{sync}"
    );
    assert!(shop.take_applied().is_empty());
    let plan = sync["plan"].as_str().expect("a plan").to_owned();
    assert_eq!(last["plans"], serde_json::json!([plan]));
    let outcome = test.run(["status"]).exits(1);
    assert!(outcome.stdout.contains(&plan), "{}", outcome.stdout);
    test.run(["sync", "--approve", "000000000000", "--reason", "x"])
        .exits(2)
        .says(&plan);
    assert!(shop.take_applied().is_empty());
    // What comes after the plan was shown is not in it: one more change does not void the approval.
    test.run(["sync", "--approve", &plan, "--reason", "we move"])
        .exits(0);
    assert_eq!(shop.take_applied().len(), 40);
    assert_eq!(shop.level("ชาม-05", "L1"), Some(0));
    let log = test.run(["audit", "--log"]);
    assert!(
        log.stdout.contains("we move") && log.stdout.contains(&plan),
        "{}",
        log.stdout
    );
    test.run(["sync", "--approve", &plan, "--reason", "again"])
        .exits(2);
}

#[test]
fn a_source_that_is_not_whole_has_no_effect() {
    let (test, shop) = in_step();
    let text = test.text("shelfcast.toml");
    test.file(
        "shelfcast.toml",
        text.replace("settle = \"0s\"", "settle = \"0s\"\nend = \"#END\""),
    );
    let mut rows = usual();
    rows[0].2 = 99;
    tills(&test, &rows);
    test.run(["sync"]).exits(7);
    assert!(shop.take_applied().is_empty());
    std::fs::remove_file(test.path("stock.csv")).expect("removes");
    let (_, last) = lines(&test.run(["sync", "--json"]).exits(7));
    assert_eq!(last["exit"], 7);
    rows.push(("#END".to_owned(), "", 40));
    tills(&test, &rows);
    test.run(["sync"]).exits(0);
    assert_eq!(
        shop.take_applied(),
        [("ชาม-01".to_owned(), "L1".to_owned(), 97)]
    );
}

#[test]
fn a_store_that_fails_ends_with_four_and_nothing_is_lost() {
    let (test, shop) = in_step();
    let mut rows = usual();
    rows[0].2 += 1;
    tills(&test, &rows);
    shop.inside().broken = Some(403);
    test.run(["sync", "--deadline", "20s"]).exits(4);
    assert!(shop.take_applied().is_empty());
    test.run(["status"]).exits(1).shows("exit code 4");
    shop.inside().broken = None;
    test.run(["sync"]).exits(0);
    assert_eq!(
        shop.take_applied(),
        [("ชาม-01".to_owned(), "L1".to_owned(), 10)]
    );
    test.run(["status"]).exits(0).shows("40 of 40");
}

#[test]
fn an_order_at_the_store_is_not_overwritten() {
    let (test, shop) = in_step();
    // Somebody buys two: the tills have booked one of them so far.
    shop.inside()
        .levels
        .insert(("ชาม-10".to_owned(), "L1".to_owned()), 16);
    let mut rows = usual();
    rows[18].2 -= 1;
    assert_eq!(rows[18].0, "ชาม-10");
    tills(&test, &rows);
    let outcome = test.run(["sync"]);
    assert!([0, 3].contains(&outcome.code), "{outcome:?}");
    let level = shop.level("ชาม-10", "L1").expect("a level");
    assert!([16, 17].contains(&level), "{level}");
}

#[test]
fn no_secret_turns_up_anywhere() {
    let (test, shop) = in_step();
    shop.inside().broken = Some(401);
    let mut rows = usual();
    rows[0].2 += 1;
    tills(&test, &rows);
    let outcome = test.run(["sync", "-vv", "--json"]);
    assert!(!outcome.stdout.contains(CANARY) && !outcome.stderr.contains(CANARY));
    for (path, _) in digest(&test.path(".shelfcast")) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let canary = CANARY.as_bytes();
        assert!(
            !bytes.windows(canary.len()).any(|part| part == canary),
            "{path}"
        );
    }
}

#[test]
fn units_are_kept_back_by_what_the_catalog_says_of_a_product() {
    let (test, shop) = in_step();
    let text = std::fs::read_to_string(test.path("shelfcast.toml")).expect("a project");
    let catalog =
        "[[source]]\nname = \"products\"\npath = \"products.csv\"\n\n[[source]]\nname = \"tills\"";
    let text = text.replacen("[[source]]\nname = \"tills\"", catalog, 1);
    let keep = "\n[[sync.keep]]\nwhere = \"brand == 'Lampang'\"\nunits = 5\n[[sync.keep]]\nwhere = \"price > 100\"\nunits = 9\n";
    test.file("shelfcast.toml", format!("{text}{keep}"));
    test.file(
        "products.csv",
        "sku,title,brand,category,price\nชาม-01,ชามไก่,Lampang,ชาม,350\nชาม-02,ชามบัว,Chiang Mai,ชาม,350\nชาม-04,ชามขาว,Chiang Mai,ชาม,35\n",
    );
    test.run(["sync"]).exits(0);
    assert_eq!(
        shop.level("ชาม-01", "L1"),
        Some(6),
        "11 less 5: the first rule that fits"
    );
    assert_eq!(shop.level("ชาม-02", "L1"), Some(3), "12 less 9");
    assert_eq!(
        shop.level("ชาม-04", "L1"),
        Some(12),
        "14 less the sync's own 2"
    );
    test.file(
        "shelfcast.toml",
        format!("{text}{}", keep.replace("brand ==", "brnd ==")),
    );
    test.run(["sync"])
        .exits(2)
        .says("[[sync.keep]] number 1, `where`: the catalog has no column `brnd`");
    test.file(
        "shelfcast.toml",
        format!("{text}{}", keep.replace("brand ==", "category ==")),
    );
    test.run(["sync"])
        .exits(2)
        .says("[[sync.keep]] number 1, `where`");
    assert_eq!(shop.level("ชาม-02", "L1"), Some(3), "nothing was sent");
}

#[test]
fn open_online_orders_are_taken_off_and_put_back() {
    let (test, shop) = in_step();
    let text = std::fs::read_to_string(test.path("shelfcast.toml")).expect("a project");
    let text = text.replace("\"booked\"", "\"subtract\"");
    let orders = "\n[[source]]\nname = \"orders\"\nrole = \"orders\"\npath = \"orders.csv\"\n";
    test.file("shelfcast.toml", format!("{text}{orders}"));
    test.file(
        "orders.csv",
        "sku,quantity,created_at\nชาม-01,2,2026-11-22T08:00:00Z\nชาม-01,1,2026-11-22T09:00:00Z\nชาม-02,12,2026-11-22T09:00:00Z\n",
    );
    test.run(["sync"]).exits(0);
    let levels = |sku| (shop.level(sku, "L1"), shop.level(sku, "L2"));
    assert_eq!(levels("ชาม-01"), (Some(6), Some(49)), "9 less 3");
    assert_eq!(
        levels("ชาม-02"),
        (Some(0), Some(48)),
        "10 and 2 of the other location"
    );
    test.file(
        "orders.csv",
        "sku,quantity,created_at\nชาม-01,x,2026-11-22T08:00:00Z\n",
    );
    test.run(["sync"]).exits(7).says("orders.csv:2");
    assert_eq!(
        levels("ชาม-01"),
        (Some(6), Some(49)),
        "what cannot be read changes nothing"
    );
    test.file("orders.csv", "sku,quantity,created_at\n");
    test.run(["sync"]).exits(0);
    assert_eq!(
        levels("ชาม-01"),
        (Some(9), Some(49)),
        "picked: the tills count without them"
    );
}
