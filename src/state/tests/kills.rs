//! Runs killed at named points: the state opens, and holds what it held or what was being kept.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::config::env;
use crate::recovery;

use super::*;

/// Runs the test `child` in a process of its own, by way of a shell line that may set limits first.
pub(super) fn child(project: &Path, what: &str, kill_at: &str, before: &str) -> ExitStatus {
    let program = std::env::current_exe().expect("this test's program");
    Command::new("sh")
        .arg("-c")
        .arg(format!("{before} exec \"$0\" \"$@\""))
        .arg(program)
        .args(["state::tests::kills::a_process", "--exact", "--quiet"])
        .env("STATE_TEST_PROJECT", project)
        .env("STATE_TEST_WHAT", what)
        .env("SHELFCAST_KILL_AT", kill_at)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("starts")
}

/// What `child` runs; without its variables it is a test that does nothing.
#[test]
fn a_process() {
    let (Some(project), Some(what)) = (env::get("STATE_TEST_PROJECT"), env::get("STATE_TEST_WHAT"))
    else {
        return;
    };
    let project = Path::new(&project);
    let state = State::open(project).expect("opens");
    match what.split_once(' ').unwrap_or((&what, "")) {
        ("publish", text) => drop(publish(&state, project, "web", text)),
        ("prune", keep) => {
            let lock = state
                .lock_feed("web", Duration::ZERO, at(0))
                .expect("the lock");
            let keep = keep.parse().expect("a number");
            state
                .prune(&lock, "web", keep, "ann", at(20))
                .expect("pruned");
        }
        ("plan", text) => drop(plan_of(&state, project, text).expect("planned")),
        ("hold", scope) => {
            let _lock = lock::acquire(&state, scope, Duration::ZERO, at(0)).expect("the lock");
            std::fs::write(project.join("held"), "").expect("written");
            std::thread::sleep(Duration::from_secs(60));
        }
        // One of many: the winner says so and holds the lock until it is killed.
        ("compete", scope) => match lock::acquire(&state, scope, Duration::ZERO, at(0)) {
            Ok(_lock) => {
                let won = project.join(format!("won-{}", std::process::id()));
                std::fs::write(won, "").expect("written");
                std::thread::sleep(Duration::from_secs(120));
            }
            Err(Busy::Held { .. }) => {
                let busy = project.join(format!("busy-{}", std::process::id()));
                std::fs::write(busy, "").expect("written");
            }
            Err(error) => panic!("{error}"),
        },
        _ => panic!("{what}"),
    }
}

pub(super) fn plan_of(state: &State, project: &Path, text: &str) -> Result<Plan, StateError> {
    let (files, log) = rendered(&project.join("work/plan"), text);
    let feeds = [PlannedFeed {
        feed: "web",
        channel: "google-products",
        base: state.current("web")?.map(|version| version.version),
        files: &files,
        items_log: Some(&log),
        bodies: None,
        counts: Counts {
            read: 3,
            written: 3,
            ..Counts::default()
        },
    }];
    state.record_plan(&NewPlan {
        feeds: &feeds,
        configuration_digest: "cd",
        source_digests: Vec::new(),
        now: at(0),
        at: at(5),
        who: "ann",
        document: "{}",
    })
}

/// That every kept version reads to its end, and an examination finds nothing lost.
pub(super) fn is_whole(project: &Path) -> State {
    let state = State::open(project).expect("opens after a kill");
    for feed in state.feeds().expect("reads") {
        for version in state.history(&feed).expect("reads") {
            for file in version.all_files() {
                let mut bytes = Vec::new();
                state
                    .open_file(file)
                    .expect("opens")
                    .read_to_end(&mut bytes)
                    .expect("whole");
            }
        }
    }
    let found = examine(project).expect("looks");
    assert!(!found.is_damaged(), "{:?}", found.damages);
    state
}

#[test]
fn killed_at_any_point_a_publication_is_kept_or_not_begun() {
    let mut died = 0;
    let points = [
        recovery::M1,
        recovery::M2,
        recovery::M3,
        recovery::M4,
        recovery::P8,
        recovery::P12,
    ];
    for point in points {
        for count in 1..=5 {
            let project = tempfile::tempdir().expect("a folder");
            let first = project.path();
            if point != recovery::M4 {
                let state = State::open(first).expect("opens");
                publish(&state, first, "web", "<old/>");
            }
            let status = child(first, "publish <new/>", &format!("{point}:{count}"), "");
            if status.signal() != Some(9) {
                assert!(status.success(), "{point}:{count}: {status}");
                continue;
            }
            died += 1;
            let state = is_whole(first);
            let current = state.current("web").expect("reads");
            if point != recovery::M4 {
                let current = current.expect("a version is always published");
                let text = text_of(&state, &current);
                assert!(
                    text == "<old/>" || text == "<new/>",
                    "{point}:{count}: {text}"
                );
            }
            if let Some(pending) = state.pending("web").expect("reads") {
                assert_eq!(text_of(&state, &pending), "<new/>", "{point}:{count}");
            }
            // The rerun completes, also when it is killed once more at its first commit.
            drop(state);
            child(first, "publish <new/>", "M1", "");
            drop(is_whole(first));
            assert!(
                child(first, "publish <new/>", "", "").success(),
                "{point}:{count}"
            );
            let state = is_whole(first);
            let current = state.current("web").expect("reads").expect("published");
            assert_eq!(text_of(&state, &current), "<new/>", "{point}:{count}");
        }
    }
    // Four commits at three points each, and the three points that are passed once.
    assert_eq!(died, 15);
}

#[test]
fn killed_while_it_keeps_a_plan_the_plan_is_there_or_not() {
    for point in ["M1:1", "M1:2", "M2:2", "P12:2"] {
        let project = tempfile::tempdir().expect("a folder");
        publish(
            &State::open(project.path()).expect("opens"),
            project.path(),
            "web",
            "<old/>",
        );
        let status = child(project.path(), "plan <new/>", point, "");
        assert_eq!(status.signal(), Some(9), "{point}: {status}");
        let state = is_whole(project.path());
        let plan = plan_of(&state, project.path(), "<new/>").expect("planned");
        assert_eq!(
            state.plans().expect("reads"),
            std::slice::from_ref(&plan),
            "{point}"
        );
        let mut text = String::new();
        let file = plan.feeds[0].files.first().expect("a document");
        state
            .open_file(file)
            .expect("opens")
            .read_to_string(&mut text)
            .expect("reads");
        assert_eq!(text, "<new/>");
    }
}

#[test]
fn killed_while_cleaning_the_spared_versions_stay() {
    for point in ["P13:1", "P13:2", "P13:4", "M1:2", "M2:2"] {
        let project = tempfile::tempdir().expect("a folder");
        let state = State::open(project.path()).expect("opens");
        for number in 1..=8 {
            publish(&state, project.path(), "web", &format!("<v{number}/>"));
        }
        state.pin("web", 2, "ann", "", at(9)).expect("pinned");
        drop(state);
        let status = child(project.path(), "prune 2", point, "");
        assert_eq!(status.signal(), Some(9), "{point}: {status}");
        let state = is_whole(project.path());
        let text = |number| {
            let version = state.version("web", number).expect("reads").expect("kept");
            text_of(&state, &version)
        };
        assert_eq!(
            (text(2), text(7), text(8)),
            ("<v2/>".to_owned(), "<v7/>".to_owned(), "<v8/>".to_owned())
        );
        drop(state);
        assert!(
            child(project.path(), "prune 2", "", "").success(),
            "{point}"
        );
        let state = is_whole(project.path());
        let numbers: Vec<u64> = state
            .history("web")
            .expect("reads")
            .iter()
            .map(|one| one.version)
            .collect();
        assert_eq!(numbers, [8, 7, 2], "{point}");
        let folders =
            std::fs::read_dir(project.path().join(".shelfcast/versions/web")).expect("reads");
        assert_eq!(
            folders.count(),
            3,
            "{point}: what the dead run left is gone"
        );
        assert!(
            examine(project.path()).expect("looks").damages.is_empty(),
            "{point}"
        );
    }
}

#[test]
fn a_lock_goes_with_its_process() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    let program = std::env::current_exe().expect("this test's program");
    let mut holder = Command::new(program)
        .args(["state::tests::kills::a_process", "--exact", "--quiet"])
        .env("STATE_TEST_PROJECT", project.path())
        .env("STATE_TEST_WHAT", "hold feed:web")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let held = project.path().join("held");
    while !held.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let busy = state
        .lock_feed("web", Duration::ZERO, at(1))
        .expect_err("held");
    let Busy::Held { pid, since, .. } = &busy else {
        panic!("{busy}")
    };
    assert_eq!((*pid, *since), (Some(holder.id()), Some(at(0))));
    assert!(
        busy.to_string()
            .contains(&format!("process {}", holder.id())),
        "{busy}"
    );
    assert_eq!(StateError::from(busy).exit(), 5);
    // Another feed is free meanwhile.
    drop(
        state
            .lock_feed("google-th", Duration::ZERO, at(1))
            .expect("free"),
    );
    holder.kill().expect("killed");
    holder.wait().expect("ended");
    let lock = state
        .lock_feed("web", Duration::ZERO, at(2))
        .expect("free at once");
    assert_eq!(lock.fence(), 2);
}

#[test]
fn of_many_processes_one_wins_and_the_next_start_succeeds_when_it_is_killed() {
    const MANY: usize = 64;
    let rounds = proptest::test_runner::Config::default().cases.div_ceil(128);
    let project = tempfile::tempdir().expect("a folder");
    let program = std::env::current_exe().expect("this test's program");
    let start = || {
        Command::new(&program)
            .args(["state::tests::kills::a_process", "--exact", "--quiet"])
            .env("STATE_TEST_PROJECT", project.path())
            .env("STATE_TEST_WHAT", "compete feed:web")
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("starts")
    };
    let said = |what: &str| {
        let entries = std::fs::read_dir(project.path()).expect("reads");
        entries
            .filter(|entry| {
                let entry = entry.as_ref().expect("an entry");
                entry.file_name().to_string_lossy().starts_with(what)
            })
            .count()
    };
    for round in 0..rounds {
        let mut children: Vec<_> = (0..MANY).map(|_| start()).collect();
        while said("busy-") + said("won-") < MANY {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(
            (said("won-"), said("busy-")),
            (1, MANY - 1),
            "round {round}"
        );
        for child in &mut children {
            let winner = project.path().join(format!("won-{}", child.id()));
            if winner.exists() {
                child.kill().expect("killed");
                std::fs::remove_file(winner).expect("removed");
            }
            child.wait().expect("ended");
            drop(std::fs::remove_file(
                project.path().join(format!("busy-{}", child.id())),
            ));
        }
        let state = State::open(project.path()).expect("opens");
        let lock = state
            .lock_feed("web", Duration::ZERO, at(1))
            .expect("free at once");
        assert_eq!(
            lock.fence(),
            2 * u64::from(round) + 2,
            "each lock has a number of its own"
        );
    }
}

#[test]
fn private_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let project = tempfile::tempdir().expect("a folder");
    assert!(child(project.path(), "publish <a/>", "", "umask 000;").success());
    assert!(child(project.path(), "plan <b/>", "", "umask 000;").success());
    let mut look = vec![project.path().join(".shelfcast")];
    let mut seen = 0;
    while let Some(path) = look.pop() {
        let metadata = path.symlink_metadata().expect("there");
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(
            metadata.permissions().mode() & 0o777,
            wanted,
            "{}",
            path.display()
        );
        seen += 1;
        if metadata.is_dir() {
            look.extend(
                std::fs::read_dir(&path)
                    .expect("reads")
                    .map(|entry| entry.expect("an entry").path()),
            );
        }
    }
    assert!(seen > 12, "{seen}");
}
