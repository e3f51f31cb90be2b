//! Cases of a small channel: recorded, then held against what is made.

use std::fs;
use std::path::Path;

use super::*;

const MANIFEST: &str = r#"
name = "mine"
title = "Mine"
group = "marketplace"
countries = ["*"]
spec = { url = "https://example.com/spec", read = "2026-11-22", certainty = "specification" }
records = "variants"
format = "csv"
[settings.seller]
required = true
example = "S-1"
[attributes.id]
value = "{{sku}}"
required = true
[attributes.seller]
value = "{{settings.seller}}"
[attributes.price]
value = "{{money price}}"
required = true
"#;

fn project(case: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::create_dir_all(root.join("channels")).expect("a folder");
    atomic::write(&root.join("channels/mine.toml"), MANIFEST.as_bytes()).expect("written");
    let place = root.join(FOLDER).join("mine/plain");
    fs::create_dir_all(&place).expect("a folder");
    for (name, text) in case {
        atomic::write(&place.join(name), text.as_bytes()).expect("written");
    }
    folder
}

fn only(project: &Path) -> Case {
    let mut cases = cases(project, "mine").expect("cases");
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

#[test]
fn a_case_is_recorded_then_passes_then_differs() {
    let project = project(&[("catalog.csv", "sku,price\nA-1,5\nA-2,\n")]);
    let root = project.path();
    let case = only(root);
    let made = case
        .render(root, &crate::report::json::finding)
        .expect("rendered");
    assert_eq!(
        String::from_utf8_lossy(&made["expected.csv"]),
        "id,seller,price\nA-1,S-1,5.00 EUR\n"
    );
    let findings = String::from_utf8_lossy(&made["findings.jsonl"]).into_owned();
    assert!(
        findings.contains("\"sku\":\"A-2\"") && findings.contains("\"source\":\"catalog.csv\""),
        "{findings}"
    );
    assert_eq!(
        case.compare(&made)[0].message,
        "nothing is expected of this case yet"
    );
    assert_eq!(case.update(&made).expect("updated"), 2);

    let case = only(root);
    assert_eq!(case.compare(&made), []);
    assert_eq!(
        case.update(&made).expect("updated"),
        0,
        "nothing changes a second time"
    );

    atomic::write(
        &root.join(FOLDER).join("mine/plain/catalog.csv"),
        b"sku,price\nA-1,6\nA-2,\n",
    )
    .expect("written");
    let case = only(root);
    let wrong = case.compare(
        &case
            .render(root, &crate::report::json::finding)
            .expect("rendered"),
    );
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0]
            .diff
            .contains("-A-1,S-1,5.00 EUR\n+A-1,S-1,6.00 EUR\n"),
        "{}",
        wrong[0].diff
    );
}

#[test]
fn an_expected_file_that_nothing_makes_is_wrong_and_goes_with_an_update() {
    let project = project(&[
        ("catalog.csv", "sku,price\nA-1,5\n"),
        ("expected.csv", "id,seller,price\nA-1,S-1,5.00 EUR\n"),
        ("expected-002.csv", "old"),
    ]);
    let case = only(project.path());
    let made = case
        .render(project.path(), &crate::report::json::finding)
        .expect("rendered");
    let wrong = case.compare(&made);
    assert_eq!(
        (wrong.len(), wrong[0].file.as_str()),
        (1, "expected-002.csv")
    );
    case.update(&made).expect("updated");
    assert!(
        !project
            .path()
            .join(FOLDER)
            .join("mine/plain/expected-002.csv")
            .exists()
    );
}

#[test]
fn a_case_lays_its_project_over_the_default_one() {
    let over = "[shop]\ncurrency = \"VND\"\n[[feed]]\nwhere = \"price > 10\"\n[feed.settings]\nseller = \"S-2\"\n[feed.fields]\nid = \"x{{mapped}}\"\n";
    let project = project(&[
        ("catalog.csv", "sku,price\nA-1,5\nA-2,50000\n"),
        ("shelfcast.toml", over),
    ]);
    let made = only(project.path())
        .render(project.path(), &crate::report::json::finding)
        .expect("rendered");
    assert_eq!(
        String::from_utf8_lossy(&made["expected.csv"]),
        "id,seller,price\nxA-2,S-2,50000 VND\n"
    );
}

#[test]
fn a_case_without_items_makes_no_file_and_says_why() {
    let project = project(&[("catalog.csv", "sku,price\nA-1,\n")]);
    let made = only(project.path())
        .render(project.path(), &crate::report::json::finding)
        .expect("rendered");
    assert_eq!(made.keys().collect::<Vec<_>>(), ["findings.jsonl"]);
    assert!(String::from_utf8_lossy(&made["findings.jsonl"]).contains("\"type\":\"held\""));
}

#[test]
fn a_wrong_case_names_itself_and_no_scratch_folder() {
    let project = project(&[
        ("catalog.csv", "sku,price\nA-1,5\n"),
        ("shelfcast.toml", "[shop]\ncurency = \"EUR\"\n"),
    ]);
    let failure = only(project.path())
        .render(project.path(), &crate::report::json::finding)
        .expect_err("a misspelt key");
    let (message, hint) = failure.messages().remove(0);
    assert!(
        message.starts_with("tests/golden/mine/plain/shelfcast.toml")
            && message.contains("`curency`"),
        "{message}"
    );
    assert!(hint.contains("did you mean `currency`?"), "{hint}");
}

#[test]
fn built_in_cases_serve_a_project_that_has_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = cases(folder.path(), "google-products").expect("cases");
    assert!(cases.iter().any(|case| case.name == "plain"));
    let refused = cases[0]
        .update(&Rendered::new())
        .expect_err("a built-in case");
    assert!(
        refused.messages()[0]
            .1
            .contains("channel eject google-products")
    );
}
