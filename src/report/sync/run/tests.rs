//! Runs as people and programs see them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::sync::level::{Pair, What};
use crate::sync::summary::SyncOutcome;

fn shell() -> Shell {
    Shell::new("never", false, 0, false, true)
}

fn shown(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("written");
    String::from_utf8(out).expect("text")
}

fn item(place: &str, sku: &str, before: Option<i64>, after: i64) -> PlanItem {
    PlanItem {
        pair: Pair::new(place, sku),
        before,
        after,
        why: format!("{place} {after}"),
    }
}

fn summary_of(name: &str) -> SyncSummary {
    SyncSummary {
        name: name.to_owned(),
        store: "web".to_owned(),
        address: "http://127.0.0.1:4101/admin-api".to_owned(),
        compared: 800,
        changed: 3,
        ..SyncSummary::default()
    }
}

#[test]
fn a_plan_shows_the_most_harmful_first_with_its_terms_and_its_guards() {
    let mut sync = summary_of("web-stock");
    sync.plan = vec![
        item("L1", "ชามตราไก่", Some(4), 5),
        item("L1", "A\u{1b}[2J", Some(9), 0),
        item("L2", "B", Some(0), 2),
    ];
    sync.units = (3, 9);
    sync.tripped = vec![GuardTrip {
        guard: "to_zero".to_owned(),
        place: "L1".to_owned(),
        message: "9 of 10 levels above zero would go to zero at `L1`: 90%, the limit is 10%"
            .to_owned(),
        items: vec![item("L1", "A\u{1b}[2J", Some(9), 0)],
    }];
    let text = shown(|out| {
        plan::plan(&shell(), &sync, out)?;
        plan::trips(&shell(), &sync, out)
    });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "sync `web-stock`: 3 levels of 800 levels would change at http://127.0.0.1:4101/admin-api: \
         1 to zero, 1 back from zero, 1 otherwise"
    );
    assert_eq!(lines[1], "  3 units more, 9 fewer");
    assert!(lines[2].starts_with("place  SKU"), "{text}");
    assert!(
        lines[3].contains("A\\u{1b}[2J") && lines[3].ends_with("L1 0"),
        "{text}"
    );
    assert!(
        lines[4].starts_with("L2     B") && lines[5].contains("ชามตราไก่"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(
        text.contains("held: sync `web-stock`: guard `to_zero`: 9 of 10"),
        "{text}"
    );
    assert!(
        text.contains("  hint: look whether the source is whole"),
        "{text}"
    );
    sync.plan_id = Some("3f2a9c1b77e0".to_owned());
    let text = shown(|out| plan::trips(&shell(), &sync, out));
    assert!(
        text.contains("shelfcast sync web-stock --approve 3f2a9c1b77e0 --reason \"…\""),
        "{text}"
    );
}

#[test]
fn a_long_plan_is_cut_and_says_so() {
    let mut sync = summary_of("web-stock");
    sync.changed = 5000;
    sync.plan = (0..100)
        .map(|number| item("", &format!("S{number}"), Some(1), 2))
        .collect();
    let text = shown(|out| plan::plan(&shell(), &sync, out));
    assert!(text.contains("… and 4960 more (-v shows more)"), "{text}");
    assert!(
        !text.contains("place"),
        "a store that has one stock has no places: {text}"
    );
}

#[test]
fn refusals_are_shown_clean_and_dead_letters_say_what_to_do() {
    let mut sync = summary_of("web-stock");
    sync.dead = 1;
    sync.outcome = SyncOutcome::Partly;
    sync.refusals = vec![Line {
        at: jiff::Timestamp::UNIX_EPOCH,
        sync: "web-stock".to_owned(),
        pair: Pair::new("L1", "A-1"),
        version: 3,
        quantity: 7,
        before: Some(2),
        batch: 9,
        what: What::Dead,
        code: "INVALID_QUANTITY".to_owned(),
        message: "not\r\n\u{1b}[31mthis".to_owned(),
    }];
    let text = shown(|out| details(&shell(), &sync, out));
    assert!(
        text.contains(
            "dead letter: SKU `A-1` at `L1` to 7: `INVALID_QUANTITY`: not\\r\\n\\u{1b}[31mthis"
        ),
        "{text}"
    );
    assert!(
        text.contains("1 dead letter: `shelfcast dead-letters list web-stock`"),
        "{text}"
    );
}

/// The contract as a reader sees it: a field that is not named here is a decision to be made.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
#[expect(dead_code, reason = "reading them is the test")]
#[expect(clippy::large_enum_variant, reason = "it is read once and thrown away")]
enum Read {
    Sync {
        name: String,
        store: String,
        outcome: String,
        exit: u8,
        compared: u64,
        changed: u64,
        accepted: u64,
        rejected: u64,
        unknown: u64,
        held: u64,
        in_step: u64,
        strangers: u64,
        not_stocked: u64,
        dead_letters: u64,
        drift: BTreeMap<String, u64>,
        rounds: u32,
        calls: u64,
        seconds: f64,
        tripped: Option<Vec<BTreeMap<String, String>>>,
        approved: Option<Vec<BTreeMap<String, String>>>,
        plan: Option<String>,
        error: Option<BTreeMap<String, String>>,
        remarks: Option<Vec<String>>,
    },
    Planned {
        sync: String,
        place: String,
        sku: String,
        before: Option<i64>,
        after: i64,
        why: String,
    },
    Summary {
        ok: bool,
        exit: u8,
        syncs: u64,
        compared: u64,
        changed: u64,
        accepted: u64,
        rejected: u64,
        unknown: u64,
        held: u64,
        plans: Vec<String>,
    },
}

#[test]
fn lines_read_back_with_unknown_fields_denied() {
    let mut sync = summary_of("web-stock");
    sync.plan = vec![item("L1", "A", None, 5)];
    sync.outcome = SyncOutcome::Held;
    sync.held = 3;
    sync.plan_id = Some("3f2a9c1b77e0".to_owned());
    sync.tripped = vec![GuardTrip {
        guard: "units".to_owned(),
        place: String::new(),
        message: "much".to_owned(),
        items: Vec::new(),
    }];
    sync.drift = vec![("lost write".to_owned(), 2)];
    sync.error = Some(("away".to_owned(), "look".to_owned()));
    let read = |value: &Value| -> Read {
        serde_json::from_str(&value.to_string()).unwrap_or_else(|error| panic!("{value}: {error}"))
    };
    let lines = lines_of(&sync, false);
    assert!(matches!(
        read(&lines[0]),
        Read::Planned {
            before: None,
            after: 5,
            ..
        }
    ));
    let Read::Sync {
        held,
        exit,
        tripped,
        drift,
        ..
    } = read(&lines[1])
    else {
        panic!("{lines:?}")
    };
    assert_eq!((held, exit, drift["lost write"]), (3, 6, 2));
    assert!(tripped.expect("one")[0]["hint"].contains("largest moves"));
    let report = SyncReport {
        syncs: vec![sync, summary_of("b")],
        remarks: Vec::new(),
    };
    let Read::Summary {
        ok,
        exit,
        syncs,
        held,
        plans,
        ..
    } = read(&summary(&report))
    else {
        panic!()
    };
    assert_eq!((ok, exit, syncs, held), (false, 6, 2, 3));
    assert_eq!(plans, ["3f2a9c1b77e0"]);
}
