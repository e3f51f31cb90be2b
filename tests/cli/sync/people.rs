//! What people do around runs: look at a SKU, stop, try again, ask whether all is well, try a connector.

use super::runs::in_step;
use super::{lines, tills, usual};

#[test]
fn a_sku_is_shown_term_by_term_with_where_it_was_read() {
    let (test, shop) = in_step();
    test.run(["stock", "--sku", "ชาม-01"])
        .exits(0)
        .shows("source `tills` (on hand) to store `web`")
        .shows("9 -> 9 salable")
        .shows("it took 9 (version ")
        .shows("accepted from 5 to 9");
    shop.inside()
        .levels
        .insert(("ชาม-01".to_owned(), "L1".to_owned()), 4);
    test.run(["stock", "--sku", "ชาม-01", "--online"])
        .exits(0)
        .shows("it says now: 4")
        .shows("it says now: 49");
    let (found, _) = lines(&test.run(["stock", "--sku", "ชาม-01", "--json"]).exits(0));
    assert_eq!(found.len(), 2, "a line a place: {found:?}");
    let one = &found[0];
    for (key, value) in [("place", "L1"), ("sync", "web-stock"), ("basis", "on_hand")] {
        assert_eq!(one[key], value);
    }
    assert_eq!(
        (&one["salable"], &one["acknowledged"]["quantity"]),
        (&9.into(), &9.into())
    );
    assert_eq!(one["parts"][0]["safety_stock"], 2);
    test.run(["explain", "--sku", "ชาม-01", "--sync", "web-stock"])
        .exits(0)
        .says("floor(share x sum over locations")
        .shows("stock.csv:2, column `on_hand`: `11`");
    test.run(["stock", "--sku", "ชาม-1"])
        .exits(2)
        .says("did you mean `ชาม-");
}

#[test]
fn a_pause_stops_a_sync_until_somebody_lets_it_go_on() {
    let (test, shop) = in_step();
    let mut rows = usual();
    rows[0].2 += 1;
    tills(&test, &rows);
    test.run(["pause", "web-stock", "--reason", "stock-taking\u{1b}[2J"])
        .exits(0)
        .shows("shelfcast resume web-stock");
    for _ in 0..2 {
        let (found, _) = lines(&test.run(["sync", "--json"]).exits(0));
        assert_eq!(found.last().expect("a line")["outcome"], "paused");
        assert!(shop.take_applied().is_empty());
        let outcome = test
            .run(["status"])
            .shows("is paused by")
            .shows("stock-taking");
        assert!(!outcome.stdout.contains('\u{1b}'));
    }
    test.run(["resume", "web-stock"]).exits(0);
    test.run(["sync"]).exits(0);
    assert_eq!(shop.take_applied().len(), 1);
    test.run(["resume", "web-stock"])
        .exits(0)
        .shows("was not paused");
    let log = test.run(["audit", "--log"]);
    assert!(
        log.stdout.contains("pause") && log.stdout.contains("resume"),
        "{}",
        log.stdout
    );
}

#[test]
fn a_dead_letter_is_set_aside_and_tried_again_by_order() {
    let (test, shop) = in_step();
    shop.inside().refused.insert("ชาม-02".to_owned());
    let mut rows = usual();
    rows[0].2 += 1;
    rows[2].2 += 1;
    tills(&test, &rows);
    test.run(["sync"]).exits(3);
    assert_eq!(shop.take_applied().len(), 1, "the other one went out");
    let outcome = test
        .run(["dead-letters", "list"])
        .exits(0)
        .shows("SKU `ชาม-02` at `L1`")
        .shows("wanted 11, the store says 10")
        .shows("shelfcast dead-letters retry web-stock --sku ชาม-02")
        .shows("1 dead letter");
    assert!(!outcome.stdout.contains('\u{1b}'), "{:?}", outcome.stdout);
    let (found, last) = lines(&test.run(["dead-letters", "list", "--json"]).exits(0));
    assert_eq!(
        (&found[0]["code"], &last["dead_letters"]),
        (&"refused".into(), &1.into())
    );
    test.run(["status"]).exits(1).shows("1 dead letter");
    test.run(["dead-letters", "retry", "--sku", "ชาม-03"])
        .exits(2)
        .says("did you mean `ชาม-02`?");
    test.run(["dead-letters", "retry"]).exits(2).says("--all");
    shop.inside().refused.clear();
    test.run(["sync"]).exits(0);
    assert!(shop.take_applied().is_empty(), "nobody asked for it");
    test.run(["dead-letters", "retry", "--all"])
        .exits(0)
        .shows("1 dead letter");
    test.run(["sync"]).exits(0);
    assert_eq!(
        shop.take_applied(),
        [("ชาม-02".to_owned(), "L1".to_owned(), 11)]
    );
    test.run(["dead-letters", "list"])
        .exits(0)
        .shows("0 dead letters");
    test.run(["status"]).exits(0);
}

#[test]
fn a_dead_letter_that_is_dropped_stays_until_there_is_news() {
    let (test, shop) = in_step();
    shop.inside().refused.insert("ชาม-02".to_owned());
    let mut rows = usual();
    rows[2].2 += 1;
    tills(&test, &rows);
    test.run(["sync"]).exits(3);
    shop.inside().refused.clear();
    test.run(["dead-letters", "drop", "--sku", "ชาม-02"])
        .exits(0);
    test.run(["sync"]).exits(0);
    assert!(shop.take_applied().is_empty());
    rows[2].2 += 1;
    tills(&test, &rows);
    test.run(["sync"]).exits(0);
    assert_eq!(
        shop.take_applied(),
        [("ชาม-02".to_owned(), "L1".to_owned(), 12)]
    );
}

#[test]
fn old_runs_and_damaged_states_are_noticed() {
    let (test, _shop) = in_step();
    test.run(["status", "--max-age", "2h"])
        .exits(0)
        .shows("40 of 40");
    test.run(["status", "--max-age", "2h", "--now", "2031-01-01T00:00:00Z"])
        .exits(1)
        .shows("2 h is the limit");
    test.run(["doctor"]).exits(0).shows("40 levels of 1 store");
    let state = test.path(".shelfcast/sync/web.db");
    let mut bytes = std::fs::read(&state).expect("a state");
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(&state, bytes).expect("writes");
    for arguments in [
        ["sync"].as_slice(),
        &["status"],
        &["stock", "--sku", "ชาม-01"],
        &["doctor"],
    ] {
        let outcome = test.run(arguments);
        assert_eq!(outcome.code, 8, "{arguments:?}: {outcome:?}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(
            said.contains("web.db") || said.contains("web.mark"),
            "{said}"
        );
    }
}

#[test]
fn a_connector_is_admitted_by_what_it_does() {
    let (test, shop) = in_step();
    let before = shop.inside().levels.clone();
    let arguments = [
        "connector",
        "test",
        "web",
        "--sku",
        "ชาม-01",
        "--sku",
        "ชาม-02",
        "--place",
        "L1",
    ];
    test.run(arguments)
        .exits(0)
        .shows("compare-and-set")
        .shows("connector `plain` is admitted");
    assert_eq!(shop.inside().levels, before, "levels are put back");
    let touched = shop.take_applied();
    assert!(
        touched
            .iter()
            .all(|(sku, place, _)| ["ชาม-01", "ชาม-02"].contains(&sku.as_str()) && place == "L1"),
        "{touched:?}"
    );
    shop.inside().ignores_expected = true;
    let (found, last) = lines(&test.run(arguments.into_iter().chain(["--json"])).exits(1));
    let clause = found
        .iter()
        .find(|clause| clause["clause"] == "compare-and-set");
    assert_eq!(clause.expect("tried")["verdict"], "broken", "{found:?}");
    assert_eq!(last["exit"], 1);
    assert_eq!(shop.inside().levels, before, "levels are put back");
    test.run([
        "connector",
        "test",
        "web",
        "--sku",
        "nobody-has-it",
        "--place",
        "L1",
    ])
    .exits(1);
}
