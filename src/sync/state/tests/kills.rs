//! Runs killed in the middle of a commit: the state opens, and holds what it held or what was being kept.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use crate::config::env;
use crate::recovery::{Y4, Y11, Y13, Y14, Y15, Y18};
use crate::sync::level::Position;

use super::*;

/// Runs the test `a_process` in a process of its own.
fn child(project: &Path, kill_at: &str) -> ExitStatus {
    Command::new(std::env::current_exe().expect("this test's program"))
        .args(["sync::state::tests::kills::a_process", "--exact", "--quiet"])
        .env("SYNC_STATE_TEST_PROJECT", project)
        .env("SHELFCAST_KILL_AT", kill_at)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("starts")
}

/// Commits that each hold one kind of change, one after another.
fn steps(state: &mut SqliteState, mut after_each: impl FnMut(&SqliteState)) {
    let mut dead = open_level("q", "OPEN", 3);
    dead.standing = Standing::Dead {
        code: "404".to_owned(),
        message: String::new(),
        since: at(30),
    };
    let position = Position {
        read_at: 3,
        cursor: "17".to_owned(),
        ..Position::default()
    };
    let level = open_level("p", "SKU-0001", 77);
    let told = line("p", "SKU-0001", 9, What::Accepted);
    let changes = [
        Change::Level(&level),
        Change::Line(&told),
        Change::Position {
            source: "shop",
            position: &position,
        },
        Change::Level(&dead),
        Change::LedgerCut(at(1000)),
    ];
    for change in changes {
        keep(state, &[change]);
        after_each(state);
    }
}

/// What `child` runs; without its variable it is a test that does nothing.
#[test]
fn a_process() {
    if let Some(project) = env::get("SYNC_STATE_TEST_PROJECT") {
        let mut state = open(Path::new(&project)).expect("opens");
        steps(&mut state, |_| ());
    }
}

#[test]
fn killed_at_any_point_a_commit_is_kept_or_not_begun() {
    // What may be held after each number of steps.
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    let mut stages = vec![dump(&state)];
    steps(&mut state, |state| stages.push(dump(state)));
    drop(state);
    let mut died = 0;
    // Before SQLite commits, and before the mark is told; the cut itself has a point before and one after.
    for (point, count, kept) in [
        (Y4, 1, 0),
        (Y4, 2, 1),
        (Y11, 1, 1),
        (Y11, 2, 2),
        (Y13, 1, 2),
        (Y13, 2, 3),
        (Y18, 1, 3),
        (Y18, 2, 4),
        (Y14, 1, 4),
        (Y15, 1, 5),
        (Y4, 3, 5),
    ] {
        let project = tempfile::tempdir().expect("a folder");
        let mut state = open(project.path()).expect("opens");
        fill(&mut state);
        drop(state);
        let status = child(project.path(), &format!("{point}:{count}"));
        if status.signal() == Some(9) {
            died += 1;
        } else {
            assert!(status.success(), "{point}:{count}: {status}");
            assert_eq!((point, count), (Y4, 3), "{point}:{count} is not reached");
        }
        let look = read(project.path(), "main")
            .expect("looks")
            .expect("a state");
        assert!(dump(&look) == stages[kept], "{point}:{count}");
        drop(look);
        let damages = super::super::doctor::examine(project.path(), "main");
        assert!(
            !damages.iter().any(|found| found.message.contains("commit")),
            "{damages:?}"
        );
        let mut state = open(project.path()).expect("opens at once after a kill");
        assert!(dump(&state) == stages[kept], "{point}:{count}");
        // And goes on from there.
        keep(&mut state, &[Change::Level(&open_level("p", "NEXT", 1))]);
        keep(&mut state, &[]);
    }
    assert_eq!(died, 10);
}
