//! `check`: for people, for a colleague, for the supplier; and a rule's page.

use crate::harness::FeedTest;

#[test]
fn the_worst_comes_first_and_one_record_in_many_feeds_is_shown_once() {
    let test = FeedTest::sample("shop");
    let outcome = test.run(["check"]).exits(0);
    let heads: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("error[") || line.starts_with("warning["))
        .collect();
    let first_warning = heads
        .iter()
        .position(|head| head.starts_with("warning["))
        .expect("the sample has warnings");
    assert!(first_warning > 0, "the sample has errors");
    assert!(
        heads[first_warning..]
            .iter()
            .all(|head| head.starts_with("warning[")),
        "{heads:?}"
    );
    // GD-9504 has no image, and most feeds want one.
    assert_eq!(outcome.stdout.matches("SKU `GD-9504`").count(), 1);
    assert!(
        outcome
            .stdout
            .contains("shelfcast explain missing-required")
    );
    assert!(outcome.stdout.contains("labels-print"), "the table follows");
}

#[test]
fn report_and_supplier_file_are_written_and_tell_the_same() {
    let test = FeedTest::sample("shop");
    let outcome = test
        .run([
            "check",
            "--report",
            "page.html",
            "--csv",
            "findings.csv",
            "--json",
        ])
        .exits(0);
    let findings: Vec<serde_json::Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &serde_json::Value| line["type"] == "finding")
        .collect();
    let text = test.text("findings.csv");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes())
            .records()
            .map(|row| row.expect("a row"))
            .collect();
    assert_eq!(rows.len(), findings.len());
    for (row, finding) in rows.iter().zip(&findings) {
        assert_eq!(row.get(0), finding["rule"].as_str());
        assert_eq!(row.get(3), Some(finding["sku"].as_str().unwrap_or("")));
    }
    let page = test.text("page.html");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("Baan Ton Mai") && page.contains("โทรสอบถาม"));
    for finding in &findings {
        let rule = finding["rule"].as_str().expect("a rule");
        assert!(page.contains(&format!("<b>{rule}</b>")), "{rule}");
    }
    assert!(page.contains("How full the attributes are"));
    for asking in ["http-equiv=\"refresh", " src=", "@import", "url("] {
        assert!(!page.contains(asking), "{asking}");
    }
}

#[test]
fn one_rule_alone_can_be_asked_for_and_denied() {
    let test = FeedTest::sample("shop");
    let outcome = test
        .run(["check", "--rule", "cut", "--deny", "warnings", "--json"])
        .exits(1);
    let last: serde_json::Value =
        serde_json::from_str(outcome.stdout.lines().last().expect("a summary")).expect("JSON");
    assert_eq!((&last["exit"], &last["ok"]), (&1.into(), &false.into()));
    let rules: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.contains("\"type\":\"finding\""))
        .collect();
    assert!(!rules.is_empty());
    assert!(rules.iter().all(|line| line.contains("\"rule\":\"cut\"")));
    test.run(["check", "--rule", "control-character", "--deny", "warnings"])
        .exits(0);
    test.run(["check", "--rule", "gtin-checkdigit"])
        .exits(2)
        .says("did you mean `gtin-check-digit`?");
}

#[test]
fn a_run_that_fails_leaves_the_old_files() {
    let test = FeedTest::sample("shop");
    test.file("page.html", "old").file("findings.csv", "old");
    std::fs::remove_file(test.path("catalog/products.csv")).expect("removed");
    test.run(["check", "--report", "page.html", "--csv", "findings.csv"])
        .exits(7);
    assert_eq!(
        (test.text("page.html"), test.text("findings.csv")),
        ("old".to_owned(), "old".to_owned())
    );
}

#[test]
fn every_rule_found_can_be_explained() {
    let test = FeedTest::sample("shop");
    let outcome = test.run(["check", "--json"]).exits(0);
    let mut seen = std::collections::BTreeSet::new();
    for line in outcome.stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if let Some(rule) = line["rule"]
            .as_str()
            .filter(|rule| seen.insert((*rule).to_owned()))
        {
            let page = test.run(["explain", rule]).exits(0);
            assert!(page.stdout.contains("What to write instead"), "{rule}");
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}
