//! `history`, `show`, `audit --log`, `status` and `doctor` on a project that has published.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use shelfcast::state::{
    Counts, NewVersion, Override, Receipt, ReceiptFile, Role, Run, SourceDigest, StagedFile, State,
};

use super::LUMO;
use crate::harness::{FeedTest, NOW, Outcome};

const FEEDS: &str = r#"
[[feed]]
name = "web"
channel = "google-products"
max_age = "26h"

[[feed]]
name = "google-th"
channel = "google-products"
"#;

fn now() -> Timestamp {
    NOW.parse().expect("a moment")
}

/// So many hours before the tests' moment.
fn hours_ago(hours: i64) -> Timestamp {
    now()
        .checked_sub(jiff::SignedDuration::from_hours(hours))
        .expect("a moment")
}

fn project() -> FeedTest {
    let test = FeedTest::empty();
    test.file("shelfcast.toml", format!("{LUMO}{FEEDS}"))
        .file("catalog.csv", "sku,title\nA-1,Bowl\n");
    test
}

/// Publishes bytes as the feed's next version, as `publish` would; with `deliver` false it stays pending.
fn publish(project: &Path, feed: &str, text: &str, at: Timestamp, deliver: bool) -> u64 {
    let state = State::open(project).expect("opens");
    let lock = state.lock_feed(feed, Duration::ZERO, at).expect("the lock");
    let path = project.join(format!("{feed}.xml"));
    std::fs::write(&path, text).expect("writes");
    let files = [StagedFile {
        name: format!("{feed}.xml"),
        path,
        bytes: text.len() as u64,
        sha256: String::new(),
        items: 1,
        role: Role::Only,
    }];
    let number = state
        .record_version(
            &lock,
            &NewVersion {
                feed,
                channel: "google-products",
                files: &files,
                items_log: None,
                bodies: None,
                counts: Counts {
                    read: 1,
                    written: 1,
                    ..Counts::default()
                },
                source_digests: vec![SourceDigest {
                    name: "products".to_owned(),
                    digest: "ab".to_owned(),
                }],
                configuration_digest: "cd",
                engine: "shelfcast",
                now: at,
                at,
                who: "ann",
                plan: None,
                overrides: vec![Override {
                    gate: "removed".to_owned(),
                    who: "ben".to_owned(),
                    reason: "the \u{1b}[2Jsale is over".to_owned(),
                    at,
                }],
                destinations: vec!["sftp://feeds@upload.example/web.xml".to_owned()],
            },
        )
        .expect("recorded");
    if deliver {
        let receipt = Receipt {
            destination: "sftp://feeds@upload.example/web.xml".to_owned(),
            files: vec![ReceiptFile {
                name: "web.xml".to_owned(),
                bytes: text.len() as u64,
                sha256: "ef".to_owned(),
                proof: "read-back".to_owned(),
            }],
            at,
        };
        state
            .receipt(&lock, feed, number, &receipt)
            .expect("a receipt");
        state
            .published(&lock, feed, number, at, "ann")
            .expect("published");
    }
    number
}

/// The lines of `--json`: the last a summary that says the exit code.
fn lines(outcome: &Outcome) -> Vec<serde_json::Value> {
    let lines: Vec<serde_json::Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let last = lines.last().expect("a summary");
    assert_eq!(last["type"], "summary");
    assert_eq!(last["exit"], outcome.code);
    assert_eq!(last["ok"], outcome.code == 0);
    lines
}

#[test]
fn before_the_first_publication_there_is_nothing_and_no_error() {
    let test = project();
    test.run(["history"]).exits(0).shows("never");
    test.run(["history", "web"])
        .exits(0)
        .says("has never been published");
    test.run(["show", "web"])
        .exits(2)
        .says("has never been published")
        .says("shelfcast publish web");
    test.run(["audit", "--log"]).exits(0);
    test.run(["doctor"]).exits(0).shows("nothing is kept yet");
    test.run(["history", "prune"]).exits(0);
    // A feed with a limit that was never published is late.
    test.run(["status"])
        .exits(1)
        .shows("feed `web`: it has never been published");
    assert!(!test.path(".shelfcast").exists(), "looking makes no folder");
}

#[test]
fn history_lists_versions_newest_first() {
    let test = project();
    for (hours, text) in [(30, "<a/>"), (20, "<b/>"), (10, "<c/>")] {
        publish(&test.path(""), "web", text, hours_ago(hours), true);
    }
    publish(&test.path(""), "web", "<d/>", hours_ago(1), false);
    let state = State::open(&test.path("")).expect("opens");
    state
        .pin("web", 2, "ann", "wrong prices", now())
        .expect("pinned");
    drop(state);
    let outcome = test.run(["history", "web"]).exits(0);
    let rows: Vec<&str> = outcome.stdout.lines().collect();
    let begins = |row: usize, number: &str, standing: &str| {
        let words: Vec<&str> = rows[row].split_whitespace().collect();
        assert_eq!(words[0], number, "{}", rows[row]);
        assert!(rows[row].contains(standing), "{}", rows[row]);
    };
    begins(1, "4", "pending");
    begins(2, "3", "current");
    begins(3, "2", "published, pinned");
    begins(4, "1", "published");
    // Ten hours before 17:00 in Bangkok.
    assert!(rows[2].contains("2026-11-22 07:00:00"), "{}", rows[2]);
    outcome
        .shows("let pass: removed")
        .shows("4 versions of feed `web`; times of Asia/Bangkok");
    test.run(["history"])
        .exits(0)
        .shows("at 2 by ann: wrong prices");
    test.run(["history", "wbe"])
        .exits(2)
        .says("did you mean `web`?");
    let json = test.run(["history", "web", "--json"]).exits(0);
    let lines = lines(&json);
    assert_eq!(lines.len(), 5);
    let numbers: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["version"].as_u64())
        .collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    assert_eq!(lines[1]["standing"], "current");
    assert_eq!(lines[1]["overrides"][0]["gate"], "removed");
    assert_eq!(lines[4]["versions"], 4);
}

#[test]
fn show_says_all_of_a_version_and_gives_its_bytes() {
    let test = project();
    publish(&test.path(""), "web", "<old>ชาม</old>", hours_ago(3), true);
    publish(&test.path(""), "web", "<new/>", hours_ago(2), true);
    test.run(["show", "web@1"])
        .exits(0)
        .shows("web@1 (published)")
        .shows("1 read = 0 filtered + 0 withheld + 1 written")
        .shows("delivered to sftp://feeds@upload.example/web.xml at")
        .shows("gate `removed` by ben")
        // What steers a terminal is shown, not sent.
        .shows("\\u{1b}[2Jsale is over");
    test.run(["show", "web"]).exits(0).shows("web@2 (current)");
    test.run(["show", "web@1", "--output", "back"])
        .exits(0)
        .says("wrote 1 file to back");
    assert_eq!(test.text("back/web.xml"), "<old>ชาม</old>");
    test.run(["show", "web@7"])
        .exits(2)
        .says("there is no version 7 of feed `web`");
    test.run(["show", "web@x"])
        .exits(2)
        .says("`x` is no version");
    let json = test.run(["show", "web@1", "--json"]).exits(0);
    let lines = lines(&json);
    assert_eq!(lines[0]["type"], "version");
    assert_eq!(lines[0]["sources"][0]["name"], "products");
    assert_eq!(lines[1]["type"], "receipt");
    assert_eq!(lines[1]["files"][0]["proof"], "read-back");
}

#[test]
fn a_damaged_version_is_not_given_out() {
    let test = project();
    publish(&test.path(""), "web", "<old/>", hours_ago(3), true);
    let file = ".shelfcast/versions/web/1/000-web.xml.zst";
    let mut bytes = test.read(file);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    test.file(file, bytes);
    test.run(["show", "web@1", "--output", "back"])
        .exits(8)
        .says("000-web.xml.zst");
    assert!(!test.path("back/web.xml").exists());
    let outcome = test.run(["doctor"]).exits(8);
    let outcome = outcome.shows("000-web.xml.zst").shows("hint:");
    drop(outcome);
    let json = test.run(["doctor", "--json"]).exits(8);
    assert_eq!(lines(&json)[0]["severity"], "error");
}

#[test]
fn the_log_tells_who_did_what() {
    let test = project();
    publish(&test.path(""), "web", "<a/>", hours_ago(3), true);
    publish(&test.path(""), "google-th", "<b/>", hours_ago(2), true);
    test.run(["audit", "--log"])
        .exits(0)
        .shows("override")
        .shows("gate `removed` let pass")
        .shows("6 actions; the log's chain is whole");
    let json = test
        .run([
            "audit", "--log", "--feed", "web", "--what", "publish", "--json",
        ])
        .exits(0);
    let lines = lines(&json);
    assert_eq!(lines.len(), 2);
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Action {
        r#type: String,
        at: String,
        who: String,
        what: String,
        feed: Option<String>,
        version: Option<u64>,
        detail: String,
    }
    let action: Action = serde_json::from_value(lines[0].clone()).expect("an action");
    assert_eq!((action.who.as_str(), action.version), ("ann", Some(1)));
    let last = test
        .run(["audit", "--log", "--last", "1", "--json"])
        .exits(0);
    assert_eq!(self::lines(&last).len(), 2);
}

#[test]
fn status_says_what_is_late_pending_or_failed() {
    let test = project();
    publish(&test.path(""), "web", "<a/>", hours_ago(10), true);
    publish(&test.path(""), "google-th", "<b/>", hours_ago(10), true);
    test.run(["status"])
        .exits(0)
        .shows("10 h")
        .shows("2 feeds, 0 findings");
    // A feed's own limit wins over the flag's.
    test.run(["status", "--max-age", "2h"])
        .exits(1)
        .shows("feed `google-th`: published 10 h ago, and 2 h is the limit")
        .shows("2 feeds, 1 finding;");
    test.run(["status", "web", "--max-age", "2h"]).exits(0);
    test.run(["status", "--max-age", "2"])
        .exits(2)
        .says("`2` is no span of time");
    let late = test
        .run(["status", "--now", "2026-11-24T00:00:00Z"])
        .exits(1);
    drop(late.shows("feed `web`: published 2 d ago, and 1 d 2 h is the limit"));
    publish(&test.path(""), "web", "<c/>", hours_ago(1), false);
    let state = State::open(&test.path("")).expect("opens");
    state
        .ran(&[Run {
            feed: "google-th".to_owned(),
            at: hours_ago(1),
            exit: 6,
            outcome: "held by gate removed".to_owned(),
        }])
        .expect("written");
    drop(state);
    test.run(["status"])
        .exits(1)
        .shows("version 2 is not confirmed by sftp://feeds@upload.example/web.xml")
        .shows("the last run ended with exit code 6: held by gate removed");
    let json = test.run(["status", "--json"]).exits(1);
    let lines = lines(&json);
    assert_eq!(lines[0]["feed"], "web");
    assert_eq!(lines[0]["age_seconds"], 36_000);
    assert_eq!(lines[0]["max_age_seconds"], 93_600);
    assert_eq!(lines[0]["pending"]["version"], 2);
    assert_eq!(lines[1]["last_run"]["exit"], 6);
    assert_eq!(lines[2]["findings"], 2);
}

#[test]
fn a_limit_that_is_none_is_told_when_the_project_is_read() {
    let test = project();
    test.file(
        "shelfcast.toml",
        format!("{LUMO}{FEEDS}").replace("26h", "26"),
    );
    test.run(["status"])
        .exits(2)
        .says("`max_age` of feed `web`: `26` is no span of time");
}

#[test]
fn prune_lets_the_oldest_go_and_waits_for_nobody() {
    let test = project();
    for hours in (1..=5).rev() {
        publish(
            &test.path(""),
            "web",
            &format!("<v{hours}/>"),
            hours_ago(hours),
            true,
        );
    }
    test.run(["history", "prune"])
        .exits(0)
        .shows("nothing to let go: no feed has more than 30 versions");
    let state = State::open(&test.path("")).expect("opens");
    let lock = state
        .lock_feed("web", Duration::ZERO, now())
        .expect("the lock");
    test.run(["history", "prune", "--keep", "2"])
        .exits(5)
        .says("another run works on feed `web`: process");
    drop((lock, state));
    test.run(["history", "prune", "--keep", "2"])
        .exits(0)
        .shows("feed `web`: 3 versions gone");
    let json = test.run(["history", "web", "--json"]).exits(0);
    assert_eq!(lines(&json).len(), 3);
    test.run(["history", "prune", "--keep", "0"]).exits(2);
    test.run(["doctor"]).exits(0).shows("all as it was kept");
}

#[test]
fn a_damaged_state_stops_every_command_that_reads_it() {
    let test = project();
    publish(&test.path(""), "web", "<a/>", hours_ago(3), true);
    let whole = test.read(".shelfcast/state.db");
    for damaged in [
        Vec::new(),
        whole[..whole.len() / 2].to_vec(),
        vec![0; whole.len()],
    ] {
        test.file(".shelfcast/state.db", damaged);
        for command in [
            &["history"][..],
            &["history", "web"],
            &["history", "prune"],
            &["show", "web"],
            &["audit", "--log"],
            &["status"],
        ] {
            test.run(command)
                .exits(8)
                .says("state.db")
                .says("hint: nothing was changed");
        }
        test.run(["doctor"]).exits(8).shows("state.db");
    }
    test.file(".shelfcast/state.db", whole);
    test.run(["doctor"]).exits(0);
}
