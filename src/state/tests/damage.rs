//! C2: a state that is damaged, cut, older, newer or half gone stops; it is never taken for an empty one.

use std::path::PathBuf;

use super::*;

/// A project with a state of some size, and what it holds.
struct Sample {
    project: tempfile::TempDir,
    holds: String,
}

fn sample() -> Sample {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    for text in ["<a/>", "<b/>", "<c/>"] {
        publish(&state, project.path(), "web", text);
        publish(&state, project.path(), "google-th", &text.repeat(500));
    }
    state
        .pin("web", 2, "ann", "wrong prices", at(9))
        .expect("pinned");
    let holds = dump(&state);
    Sample { project, holds }
}

/// Everything a state says, as text.
pub(super) fn dump(state: &State) -> String {
    let mut text = String::new();
    for feed in state.feeds().expect("reads") {
        for version in state.history(&feed).expect("reads") {
            let receipts = state.receipts(&feed, version.version).expect("reads");
            text.push_str(&format!("{version:?} {receipts:?}\n"));
        }
        let current = state.current(&feed).expect("reads").map(|one| one.version);
        let pending = state.pending(&feed).expect("reads").map(|one| one.version);
        let pin = state.pinned(&feed).expect("reads");
        text.push_str(&format!("{feed} {current:?} {pending:?} {pin:?}\n"));
    }
    let actions = state.actions(&ActionFilter::default()).expect("reads");
    text.push_str(&format!("{actions:?} {:?}", state.plans().expect("reads")));
    text
}

impl Sample {
    fn file(&self, name: &str) -> PathBuf {
        self.project.path().join(".shelfcast").join(name)
    }

    /// Opens with a file's bytes replaced, both ways: each must stop, or hold what it held. Whether it stopped.
    fn opens_with(&self, name: &str, bytes: &[u8], what: &str) -> bool {
        let path = self.file(name);
        let whole = std::fs::read(&path).expect("reads");
        std::fs::write(&path, bytes).expect("writes");
        let stopped = self.stopped(what);
        std::fs::write(&path, whole).expect("writes");
        stopped
    }

    fn stopped(&self, what: &str) -> bool {
        let looked = State::read(self.project.path());
        let opened = match looked {
            Ok(None) => panic!("{what}: taken for an empty state"),
            Ok(Some(state)) => Ok(state),
            Err(error) => Err(error),
        };
        match opened {
            Ok(state) => {
                assert!(dump(&state) == self.holds, "{what}: something else is held");
                false
            }
            Err(error) => {
                assert_eq!(error.exit(), 8, "{what}: {error}");
                let named = error.path.clone().expect("the file is named");
                assert!(named.starts_with(self.project.path()), "{what}: {error}");
                assert!(!error.hint.is_empty(), "{what}");
                let working = State::open(self.project.path());
                assert!(
                    working.is_err(),
                    "{what}: looking stops and working does not"
                );
                true
            }
        }
    }

    fn is_well(&self) {
        assert!(!self.stopped("untouched"));
    }
}

/// Numbers that look random and are the same in every run.
pub(super) fn draws(seed: u64, below: usize) -> impl Iterator<Item = usize> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    })
}

#[test]
fn a_mark_cut_or_flipped_anywhere_stops() {
    let sample = sample();
    let whole = std::fs::read(sample.file("state.mark")).expect("reads");
    for length in 0..whole.len() {
        let cut = whole.get(..length).expect("a part");
        assert!(sample.opens_with("state.mark", cut, &format!("cut at {length}")));
    }
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(sample.opens_with("state.mark", &flipped, &format!("bit {bit}")));
    }
    assert!(sample.opens_with("state.mark", &vec![0; whole.len()], "zeroed"));
    sample.is_well();
}

#[test]
fn a_database_cut_anywhere_stops() {
    let sample = sample();
    let whole = std::fs::read(sample.file("state.db")).expect("reads");
    let edges = [
        0,
        1,
        15,
        16,
        99,
        100,
        4095,
        4096,
        4097,
        whole.len() - 4096,
        whole.len() - 1,
    ];
    for length in edges.into_iter().chain(draws(1, whole.len()).take(100)) {
        let cut = whole.get(..length).expect("a part");
        assert!(
            sample.opens_with(
                "state.db",
                cut,
                &format!("cut at {length} of {}", whole.len())
            ),
            "cut at {length}"
        );
    }
    sample.is_well();
}

#[test]
fn a_flipped_bit_in_the_database_stops_or_changes_nothing() {
    let sample = sample();
    let whole = std::fs::read(sample.file("state.db")).expect("reads");
    let mut stopped = 0;
    let header = 0..100 * 8;
    let drawn = draws(2, whole.len() * 8).take(1200);
    for bit in header.chain(drawn) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        stopped += usize::from(sample.opens_with("state.db", &flipped, &format!("bit {bit}")));
    }
    // Most of the file is rows; what does not stop is room that no row uses.
    assert!(stopped > 200, "only {stopped} flips were noticed");
    sample.is_well();
}

#[test]
fn zeroed_swapped_and_foreign_pages_stop() {
    let sample = sample();
    let whole = std::fs::read(sample.file("state.db")).expect("reads");
    let pages = whole.len() / 4096;
    assert!(pages > 5);
    for page in 0..pages {
        let mut zeroed = whole.clone();
        zeroed[page * 4096..(page + 1) * 4096].fill(0);
        sample.opens_with("state.db", &zeroed, &format!("page {page} zeroed"));
        let mut tail = whole.clone();
        tail[page * 4096..].fill(0);
        assert!(sample.opens_with("state.db", &tail, &format!("zeroed from page {page}")));
    }
    for page in 1..pages {
        let mut swapped = whole.clone();
        let (one, other) = swapped.split_at_mut(page * 4096);
        one[..4096].swap_with_slice(&mut other[..4096]);
        assert!(sample.opens_with("state.db", &swapped, &format!("page {page} swapped")));
    }
    let mark = std::fs::read(sample.file("state.mark")).expect("reads");
    assert!(sample.opens_with("state.db", &mark, "the mark in the database's place"));
    assert!(sample.opens_with("state.mark", &whole, "the database in the mark's place"));
    sample.is_well();
}

#[test]
fn an_older_copy_stops() {
    let sample = sample();
    let old_database = std::fs::read(sample.file("state.db")).expect("reads");
    let old_mark = std::fs::read(sample.file("state.mark")).expect("reads");
    let state = State::open(sample.project.path()).expect("opens");
    state.unpin("web", "ann", "", at(10)).expect("unpinned");
    let holds = dump(&state);
    drop(state);
    let sample = Sample { holds, ..sample };
    assert!(sample.opens_with("state.db", &old_database, "an older database"));
    assert!(sample.opens_with("state.mark", &old_mark, "an older mark"));
    let error = {
        let path = sample.file("state.db");
        let whole = std::fs::read(&path).expect("reads");
        std::fs::write(&path, &old_database).expect("writes");
        let error = State::open(sample.project.path()).err().expect("stops");
        std::fs::write(&path, whole).expect("writes");
        error
    };
    assert!(error.to_string().contains("older than its mark"), "{error}");
    assert!(error.to_string().contains("state.db"), "{error}");
    sample.is_well();
}

#[test]
fn what_is_gone_is_missed() {
    let sample = sample();
    let gone = |names: &[&str]| {
        let kept: Vec<Vec<u8>> = names
            .iter()
            .map(|name| std::fs::read(sample.file(name)).expect("reads"))
            .collect();
        for name in names {
            std::fs::remove_file(sample.file(name)).expect("removes");
        }
        assert!(sample.stopped(&format!("{names:?} gone")));
        for (name, bytes) in names.iter().zip(kept) {
            std::fs::write(sample.file(name), bytes).expect("writes");
        }
    };
    gone(&["state.db"]);
    gone(&["state.mark"]);
    // The versions are still there.
    gone(&["state.db", "state.mark"]);
    gone(&["state.db", "state.mark", "state.lock"]);
    gone(&["state.db", "state.lock"]);
    sample.is_well();
}

#[test]
fn a_newer_format_is_refused() {
    let sample = sample();
    let mark = std::fs::read_to_string(sample.file("state.mark")).expect("reads");
    let newer = mark.replace("shelfcast-state 1", "shelfcast-state 2");
    std::fs::write(sample.file("state.mark"), newer).expect("writes");
    let error = State::open(sample.project.path()).err().expect("refused");
    assert_eq!((error.trouble, error.exit()), (Trouble::Newer, 8));
    assert!(error.hint.contains("update"), "{}", error.hint);
    std::fs::write(sample.file("state.mark"), mark).expect("writes");
    sample.is_well();
    let connection = rusqlite::Connection::open(sample.file("state.db")).expect("opens");
    connection
        .pragma_update(None, "user_version", schema::FORMAT + 1)
        .expect("set");
    drop(connection);
    for error in [
        State::open(sample.project.path()).err(),
        State::read(sample.project.path()).err(),
    ] {
        let error = error.expect("refused");
        assert_eq!(error.trouble, Trouble::Newer, "{error}");
        assert!(error.to_string().contains("state.db"), "{error}");
    }
}

#[test]
fn rows_changed_by_somebody_else_stop() {
    let sample = sample();
    let connection = rusqlite::Connection::open(sample.file("state.db")).expect("opens");
    connection
        .execute("UPDATE feeds SET current = 1 WHERE feed = 'web'", [])
        .expect("changed");
    drop(connection);
    assert!(sample.stopped("a row was changed"));
}

#[test]
fn the_log_cannot_be_edited_unseen() {
    for edit in [
        "UPDATE log SET who = 'eve' WHERE id = 3",
        "DELETE FROM log WHERE id = 4",
        "UPDATE log SET id = id + 1 WHERE id = (SELECT max(id) FROM log)",
        "DELETE FROM log WHERE id = (SELECT max(id) FROM log)",
        "DELETE FROM log",
    ] {
        let sample = sample();
        let connection = rusqlite::Connection::open(sample.file("state.db")).expect("opens");
        connection.execute(edit, []).expect("edited");
        drop(connection);
        let error = match State::read(sample.project.path()) {
            Err(error) => error,
            Ok(state) => state
                .expect("a state")
                .actions(&ActionFilter::default())
                .expect_err(edit),
        };
        assert_eq!(error.trouble, Trouble::Damaged, "{edit}");
        let found = examine(sample.project.path()).expect("looks");
        assert!(found.is_damaged(), "{edit}");
    }
}

/// Reads a kept file to its end.
fn whole(state: &State, file: &VersionFile) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    state
        .open_file(file)
        .map_err(|error| error.to_string())?
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[test]
fn a_damaged_version_is_never_read_as_whole() {
    let sample = sample();
    let state = State::open(sample.project.path()).expect("opens");
    let version = state
        .current("google-th")
        .expect("reads")
        .expect("a version");
    let file = version.files.first().expect("a document").clone();
    let path = sample.file(&file.stored);
    let right = whole(&state, &file).expect("reads");
    let kept = std::fs::read(&path).expect("reads");
    let try_with = |bytes: &[u8], what: String| {
        std::fs::write(&path, bytes).expect("writes");
        match whole(&state, &file) {
            // A flip in the frame's unused bits changes nothing.
            Ok(read) => assert_eq!(read, right, "{what}"),
            Err(message) => assert!(message.contains(".shelfcast"), "{what}: {message}"),
        }
    };
    for length in 0..kept.len() {
        let cut = kept.get(..length).expect("a part");
        std::fs::write(&path, cut).expect("writes");
        assert!(whole(&state, &file).is_err(), "cut at {length}");
    }
    for bit in 0..kept.len() * 8 {
        let mut flipped = kept.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        try_with(&flipped, format!("bit {bit}"));
    }
    try_with(&vec![0; kept.len()], "zeroed".to_owned());
    let other = state.version("google-th", 1).expect("reads").expect("kept");
    let other = std::fs::read(sample.file(&other.files[0].stored)).expect("reads");
    try_with(&other, "another version".to_owned());
    std::fs::remove_file(&path).expect("removes");
    assert!(whole(&state, &file).expect_err("gone").contains("gone"));
    let folder = tempfile::tempdir().expect("a folder");
    assert!(state.extract(&version, folder.path()).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 0);
}
