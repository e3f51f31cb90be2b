//! Standard output is data, standard error is talk; a closed pipe is no error; usage is exit 2.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::harness::FeedTest;

#[test]
fn the_table_is_data_and_findings_are_talk() {
    let test = FeedTest::sample("shop");
    let outcome = test.build().exits(0);
    assert!(outcome.stdout.contains("google-th") && outcome.stdout.contains("written"));
    assert!(!outcome.stdout.contains("hint:"));
    assert!(outcome.stderr.contains("hint:"));
    let quiet = test.run(["build", "--quiet"]).exits(0);
    assert!(quiet.stderr.len() < outcome.stderr.len());
}

#[test]
fn no_colour_where_there_is_no_terminal() {
    let test = FeedTest::sample("shop");
    let outcome = test.build().exits(0);
    assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stdout.contains('\u{1b}'));
    let outcome = test.run(["build", "--color", "always"]).exits(0);
    assert!(outcome.stderr.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let test = FeedTest::sample("shop");
    let mut child = Command::new(env!("CARGO_BIN_EXE_shelfcast"))
        .args(["check", "--json"])
        .current_dir(test.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let mut talk = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut talk)
        .expect("reads");
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(0), "{talk}");
    assert!(!talk.contains("panicked"), "{talk}");
}

#[test]
fn wrong_usage_is_exit_2_and_help_is_0() {
    let test = FeedTest::empty();
    test.run(["biuld"]).exits(2).says("biuld");
    test.run(["build", "--threads", "0"]).exits(2);
    test.run(["build", "--now", "someday"]).exits(2);
    test.run(["--help"]).exits(0).shows("build");
    test.run(["--version"])
        .exits(0)
        .shows(env!("CARGO_PKG_VERSION"));
}

#[test]
fn one_moment_decides_sales_and_can_be_set() {
    let test = FeedTest::sample("shop");
    test.run(["build", "google-th"]).exits(0);
    let today = test.read("out/google-th.xml");
    test.run(["build", "google-th", "--now", "2026-12-24T10:00:00Z"])
        .exits(0);
    assert_ne!(
        test.read("out/google-th.xml"),
        today,
        "a sale of November is over in December"
    );
    test.run(["build", "google-th"]).exits(0);
    assert_eq!(test.read("out/google-th.xml"), today);
}

#[test]
fn a_catalog_on_standard_input() {
    let test = FeedTest::empty();
    test.file("shelfcast.toml", crate::hostile::project("-", "", ""));
    test.run_with(["build"], crate::hostile::GOOD.as_bytes())
        .exits(0);
    assert_eq!(test.text("out/google.xml").matches("<item>").count(), 3);
}
