//! Beside a run: another run is told to go, looks stay at one commit, a look at rest touches nothing, orders get in.

use super::*;

/// Names, bytes and times of all below `.shelfcast`.
fn everything(project: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut all = Vec::new();
    let mut folders = vec![project.join(".shelfcast")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("reads") {
            let path = entry.expect("an entry").path();
            let changed = path
                .metadata()
                .and_then(|of| of.modified())
                .expect("a time");
            if path.is_dir() {
                all.push((path.clone(), Vec::new(), changed));
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("reads");
                all.push((path, bytes, changed));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn a_look_at_rest_touches_nothing() {
    let project = tempfile::tempdir().expect("a folder");
    assert!(read(project.path(), "main").expect("looks").is_none());
    assert!(!project.path().join(".shelfcast").exists());
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    drop(state);
    let before = everything(project.path());
    let look = read(project.path(), "main")
        .expect("looks")
        .expect("a state");
    assert_eq!(look.count(Which::All), Ok(63));
    assert!(super::super::doctor::examine(project.path(), "main").is_empty());
    assert_eq!(everything(project.path()), before);
    drop(look);
    assert_eq!(everything(project.path()), before);
}

#[test]
fn a_look_stays_at_its_commit_whatever_a_run_does() {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    drop(state);
    // Once at rest, once beside a run whose commits are in the log.
    for beside in [false, true] {
        let mut state = beside.then(|| open(project.path()).expect("opens"));
        let look = read(project.path(), "main")
            .expect("looks")
            .expect("a state");
        let (before, tick) = (dump(&look), look.tick());
        let mut state = state
            .take()
            .unwrap_or_else(|| open(project.path()).expect("opens"));
        // More than what makes the log move.
        let long = "x".repeat(3_000_000);
        for turn in 0..8 {
            let name = format!("long-{beside}-{turn}");
            keep(
                &mut state,
                &[Change::Note {
                    name: &name,
                    value: &long,
                }],
            );
            keep(&mut state, &[Change::Level(&open_level("p", &name, turn))]);
        }
        assert_eq!((dump(&look), look.tick()), (before, tick));
        let now = read(project.path(), "main")
            .expect("looks")
            .expect("a state");
        assert_eq!(dump(&now), dump(&state));
        drop(state);
        drop(look);
    }
    drop(open(project.path()).expect("opens"));
    let log = file(project.path(), "main.db-wal");
    assert!(log.metadata().map_or(true, |log| log.len() == 0), "at rest");
}

#[test]
fn a_second_run_is_told_to_go() {
    let project = tempfile::tempdir().expect("a folder");
    let state = open(project.path()).expect("opens");
    let second = SqliteState::open(project.path(), "main", Duration::ZERO, at(1));
    let Err(Busy::Held { scope, pid, .. }) = second else {
        panic!("two at once");
    };
    assert_eq!(
        (scope.as_str(), pid),
        ("store:main", Some(std::process::id()))
    );
    let other = SqliteState::open(project.path(), "second", Duration::ZERO, at(1));
    assert!(other.is_ok(), "another store account is free");
    let fence = state.fence();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            SqliteState::open(project.path(), "main", Duration::from_secs(60), at(1))
                .map(|state| state.fence())
        });
        std::thread::sleep(Duration::from_millis(100));
        drop(state);
        assert_eq!(waiting.join().expect("ends").ok(), Some(fence + 1));
    });
}

#[test]
fn of_many_that_start_together_one_works() {
    let project = tempfile::tempdir().expect("a folder");
    drop(open(project.path()).expect("opens"));
    let barrier = std::sync::Barrier::new(16);
    let won = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..5 {
                    barrier.wait();
                    let state = open(project.path());
                    if let Err(error) = &state {
                        assert_eq!(error.exit(), 5, "{error}");
                    } else {
                        won.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    barrier.wait();
                    drop(state);
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 5);
}

#[test]
fn orders_get_in_from_several_sides_and_none_is_lost() {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    let order = Order::Resume {
        sync: "web".to_owned(),
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for turn in 0..15 {
                    append_order(project.path(), "main", at(turn), "ann", &order).expect("kept");
                }
            });
        }
        for turn in 0..40 {
            keep(&mut state, &[Change::Level(&open_level("p", "A", turn))]);
        }
    });
    let orders = state.orders().expect("reads");
    assert_eq!(orders.len(), 45);
    assert!(orders.is_sorted_by(|one, other| one.id < other.id));
    assert_eq!(
        levels(&state, Which::Open)[0]
            .wanted
            .map(|wanted| wanted.quantity),
        Some(39)
    );
    drop(state);
    assert_eq!(open(project.path()).expect("opens").orders(), Ok(orders));
}

#[test]
fn an_order_makes_a_state_that_was_not_there() {
    let project = tempfile::tempdir().expect("a folder");
    let order = Order::Pause {
        sync: "web".to_owned(),
        reason: "later".to_owned(),
    };
    append_order(project.path(), "main", at(1), "ann", &order).expect("kept");
    let state = open(project.path()).expect("opens");
    assert_eq!(state.orders().expect("reads").len(), 1);
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    let project = tempfile::tempdir().expect("a folder");
    for name in ["", ".", "..", "a/b", "../x", ".hidden"] {
        let refused = SqliteState::open(project.path(), name, Duration::ZERO, at(0));
        assert_eq!(StateError::from(refused.err().expect(name)).exit(), 2);
        assert_eq!(read(project.path(), name).err().expect(name).exit(), 2);
    }
    let odd = "main store #1?%20é";
    drop(SqliteState::open(project.path(), odd, Duration::ZERO, at(0)).expect("opens"));
    assert!(read(project.path(), odd).expect("looks").is_some());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    for entry in std::fs::read_dir(project.path().join(".shelfcast/sync")).expect("reads") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let folder = project.path().join(".shelfcast/sync");
    assert_eq!(mode(&folder), 0o700);
    drop(state);
    let others = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&folder, others).expect("set");
    assert_eq!(
        open(project.path()).err().map(|error| error.exit()),
        Some(8)
    );
}

#[test]
fn what_is_asked_often_is_not_a_scan() {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    drop(state);
    let connection = rusqlite::Connection::open(file(project.path(), "main.db")).expect("opens");
    for (query, how) in [
        (
            "SELECT * FROM levels WHERE class = 1 ORDER BY place, sku",
            "SEARCH levels USING INDEX levels_class",
        ),
        (
            "SELECT * FROM levels WHERE class IN (2, 6, 10) ORDER BY place, sku",
            "SEARCH levels USING INDEX levels_class",
        ),
        (
            "SELECT count(*) FROM levels WHERE class IN (4, 6)",
            "SEARCH levels USING COVERING INDEX levels_class",
        ),
        ("SELECT * FROM levels ORDER BY place, sku", "SCAN levels"),
        (
            "SELECT key, digest, absent FROM observations WHERE source = (SELECT number FROM sources WHERE name = 'shop') ORDER BY id",
            "SEARCH observations USING PRIMARY KEY",
        ),
        (
            "SELECT * FROM observations INDEXED BY observations_key WHERE source = (SELECT number FROM sources WHERE name = 'shop') AND key = 2",
            "SEARCH observations USING INDEX observations_key (source=? AND key=?)",
        ),
        (
            "SELECT * FROM observations INDEXED BY observations_sku WHERE source = (SELECT number FROM sources WHERE name = 'shop') AND sku = 'a'",
            "SEARCH observations USING INDEX observations_sku (source=? AND sku=?)",
        ),
        (
            "UPDATE observations INDEXED BY observations_key SET absent = 1 WHERE source = 1 AND key = 2",
            "SEARCH observations USING INDEX observations_key (source=? AND key=?)",
        ),
        (
            "SELECT DISTINCT sku FROM observations WHERE source = (SELECT number FROM sources WHERE name = 'shop') ORDER BY sku",
            "SEARCH observations USING COVERING INDEX observations_sku",
        ),
        (
            "SELECT id FROM events WHERE merged = 0 ORDER BY number LIMIT 1",
            "INDEX events_open",
        ),
        (
            "SELECT id FROM ledger ORDER BY id DESC LIMIT 1",
            "SCAN ledger",
        ),
    ] {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {query}"))
            .expect("plans");
        let steps: Vec<String> = statement
            .query_map([], |row| row.get(3))
            .expect("plans")
            .collect::<Result<_, _>>()
            .expect("plans");
        assert!(
            steps.iter().any(|step| step.contains(how)),
            "{query}: {steps:?}"
        );
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert_eq!(sorts, query.contains("IN (2"), "{query}: {steps:?}");
    }
}

#[test]
fn a_large_commit_that_is_given_up_leaves_nothing() {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    let before = dump(&state);
    // More than the memory for pages: SQLite writes some of it to its log before the end.
    let long = "x".repeat(4 << 20);
    let given_up = state.commit(&mut |made| {
        for turn in 0..20 {
            let name = format!("long-{turn}");
            made.write(Change::Note {
                name: &name,
                value: &long,
            })?;
        }
        Err(StateError::unknown("no more", "it is a test"))
    });
    assert!(given_up.is_err());
    assert_eq!(dump(&state), before);
    let log = file(project.path(), "main.db-wal");
    assert!(
        log.metadata().expect("a log").len() > 1 << 20,
        "it was large"
    );
    // What follows is written over the beginning of what was given up.
    keep(&mut state, &[Change::Level(&open_level("p", "NEXT", 1))]);
    let after = dump(&state);
    let died = super::super::suite::worlds::copied(project.path());
    for project in [project.path(), died.path()] {
        assert!(super::super::doctor::examine(project, "main").is_empty());
        let look = read(project, "main").expect("looks").expect("a state");
        assert_eq!(dump(&look), after);
    }
    drop(state);
    assert_eq!(dump(&open(died.path()).expect("opens")), after);
}

#[test]
fn what_is_planned_on_a_copy_is_seen_there_and_nowhere_else() {
    let project = tempfile::tempdir().expect("a folder");
    let none = SqliteScratch::open(project.path(), "main").expect("looks");
    assert!(none.is_none() && !project.path().join(".shelfcast").exists());
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    // Once beside a run whose commits are in the log, once at rest.
    let mut state = Some(state);
    for _ in 0..2 {
        let before = everything(project.path());
        let copy = SqliteScratch::open(project.path(), "main").expect("looks");
        let mut copy = copy.expect("a copy");
        let held = dump(&copy);
        let tick = copy.tick();
        let next =
            copy.commit(&mut |made| made.write(Change::Level(&open_level("p", "PLANNED", 1))));
        assert_eq!((next, copy.tick()), (Ok(tick + 1), tick + 1));
        let planned = dump(&copy);
        assert_ne!(planned, held);
        let given_up = copy.commit(&mut |made| {
            made.write(Change::Level(&open_level("p", "PLANNED", 2)))?;
            Err(StateError::unknown("no more", "it is a test"))
        });
        assert!(given_up.is_err());
        assert_eq!((dump(&copy), copy.tick()), (planned, tick + 1));
        drop(copy);
        assert_eq!(everything(project.path()), before);
        drop(state.take());
    }
    let path = file(project.path(), "main.db");
    let mut bytes = std::fs::read(&path).expect("reads");
    let last = bytes.len() - 2000;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).expect("writes");
    let damaged = SqliteScratch::open(project.path(), "main");
    assert_eq!(damaged.err().expect("refused").exit(), 8);
}

/// Closing any descriptor of a file takes away all locks that the process has on it: reading the database's pages must not.
#[cfg(target_os = "linux")]
#[test]
fn sqlite_keeps_its_locks_while_its_files_are_read_beside_it() {
    use std::os::unix::fs::MetadataExt;

    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    let folder = project.path().join(".shelfcast/sync");
    let number = |name: &str| folder.join(name).metadata().expect("there").ino();
    let wanted = [number("main.db"), number("main.db-shm")];
    // Whoever opens the database next asks for these locks, and makes the index anew where nobody has them.
    let held = || {
        let locks = std::fs::read_to_string("/proc/locks").expect("reads");
        let own = format!(" {} ", std::process::id());
        wanted.map(|number| {
            locks.lines().any(|line| {
                line.contains("POSIX")
                    && line.contains(&own)
                    && line.contains(&format!(":{number} "))
            })
        })
    };
    assert_eq!(held(), [true, true]);
    let look = read(project.path(), "main")
        .expect("looks")
        .expect("a state");
    assert!(super::super::doctor::examine(project.path(), "main").is_empty());
    keep(
        &mut state,
        &[Change::Note {
            name: "again",
            value: "1",
        }],
    );
    assert_eq!(held(), [true, true]);
    drop(look);
}
