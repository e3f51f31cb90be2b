//! C2: a state that is damaged, cut, older, newer or half gone stops; it is never taken for an empty one.

use super::super::suite::worlds::copied;
use super::*;

/// A project with a state at rest, and what it holds.
struct Sample {
    project: tempfile::TempDir,
    holds: String,
}

fn sample() -> Sample {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    let holds = dump(&state);
    drop(state);
    Sample { project, holds }
}

/// The same as a run leaves it that dies: the newest commits are in SQLite's log only.
fn killed() -> Sample {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    let holds = dump(&state);
    Sample {
        project: copied(project.path()),
        holds,
    }
}

impl Sample {
    fn file(&self, name: &str) -> PathBuf {
        file(self.project.path(), name)
    }

    /// Opens a copy with a file's bytes replaced, both ways: each must stop, or hold what it held. Whether it stopped.
    fn opens_with(&self, name: &str, bytes: &[u8], what: &str) -> bool {
        let copy = Sample {
            project: copied(self.project.path()),
            holds: self.holds.clone(),
        };
        std::fs::write(copy.file(name), bytes).expect("writes");
        copy.stopped(what)
    }

    fn stopped(&self, what: &str) -> bool {
        let project = self.project.path();
        let before = bytes(project);
        let looked = match read(project, "main") {
            Ok(None) => panic!("{what}: taken for an empty state"),
            Ok(Some(state)) => {
                assert!(dump(&state) == self.holds, "{what}: something else is held");
                None
            }
            Err(error) => Some(error),
        };
        let opened = open(project);
        match looked {
            None => {
                match opened {
                    Ok(state) => {
                        assert!(dump(&state) == self.holds, "{what}: something else is held");
                        return false;
                    }
                    // What only matters to those who write is looked at by them.
                    Err(error) => assert_eq!(error.exit(), 8, "{what}: {error}"),
                }
                assert!(bytes(project) == before, "{what}: something was changed");
                true
            }
            Some(error) => {
                assert_eq!(error.exit(), 8, "{what}: {error}");
                let named = error.path.clone().expect("the file is named");
                assert!(named.starts_with(project), "{what}: {error}");
                assert!(!error.hint.is_empty(), "{what}: {error}");
                assert!(
                    opened.is_err(),
                    "{what}: looking stops and working does not"
                );
                drop(opened);
                assert!(bytes(project) == before, "{what}: something was changed");
                true
            }
        }
    }
}

/// Names and bytes of a state's files that hold anything.
fn bytes(project: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = std::fs::read_dir(project.join(".shelfcast/sync")).expect("reads");
    let mut files: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| !path.to_string_lossy().ends_with("-shm"))
        .map(|path| {
            let bytes = std::fs::read(&path).expect("reads");
            (path, bytes)
        })
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    files.sort();
    files
}

/// Numbers that look random and are the same in every run.
fn draws(seed: u64, below: usize) -> impl Iterator<Item = usize> {
    let mut draw = super::super::suite::random::Draw(seed);
    std::iter::repeat_with(move || usize::try_from(draw.below(below as u64)).expect("small"))
}

#[test]
fn a_state_opens_as_it_was() {
    assert!(!sample().stopped("untouched"));
    assert!(!killed().stopped("killed"));
}

#[test]
fn a_mark_that_is_cut_stops_and_a_flip_harms_nothing() {
    let sample = sample();
    let whole = std::fs::read(sample.file("main.mark")).expect("reads");
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let cut = whole.get(..length).expect("a part");
        assert!(sample.opens_with("main.mark", cut, &format!("cut at {length}")));
    }
    for bit in draws(5, whole.len() * 8).take(60).chain(0..40) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        sample.opens_with("main.mark", &flipped, &format!("bit {bit}"));
    }
    assert!(sample.opens_with("main.mark", &vec![0; whole.len()], "zeroed"));
    assert!(sample.opens_with("main.mark", &[], "empty"));
}

#[test]
fn a_database_cut_anywhere_stops_or_is_as_before() {
    let sample = sample();
    let whole = std::fs::read(sample.file("main.db")).expect("reads");
    let lengths = draws(7, whole.len()).take(80);
    let pages = (0..whole.len()).step_by(4096);
    for length in lengths.chain(pages).chain([1, 99, whole.len() - 1]) {
        let cut = whole.get(..length).expect("a part");
        assert!(sample.opens_with("main.db", cut, &format!("cut at {length}")));
        let mut zeroed = cut.to_vec();
        zeroed.resize(whole.len(), 0);
        sample.opens_with("main.db", &zeroed, &format!("zeros from {length}"));
    }
}

#[test]
fn a_database_with_flipped_bits_stops_or_is_as_before() {
    let sample = sample();
    let whole = std::fs::read(sample.file("main.db")).expect("reads");
    let mut stopped = 0;
    for bit in draws(11, whole.len() * 8).take(400).chain(0..200) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        stopped += u32::from(sample.opens_with("main.db", &flipped, &format!("bit {bit}")));
    }
    // Most of a page that is in use matters.
    assert!(stopped > 100, "{stopped}");
    for (one, other) in draws(13, whole.len() / 4096)
        .zip(draws(17, whole.len() / 4096))
        .take(30)
    {
        let mut swapped = whole.clone();
        for byte in 0..4096 {
            swapped.swap(one * 4096 + byte, other * 4096 + byte);
        }
        sample.opens_with("main.db", &swapped, &format!("pages {one} and {other}"));
    }
}

#[test]
fn a_log_that_is_damaged_stops_or_is_as_before() {
    let sample = killed();
    let whole = std::fs::read(sample.file("main.db-wal")).expect("reads");
    assert!(!whole.is_empty());
    for length in draws(19, whole.len()).take(60).chain([0, 31, 32]) {
        let cut = whole.get(..length).expect("a part");
        assert!(sample.opens_with("main.db-wal", cut, &format!("cut at {length}")));
        let mut zeroed = cut.to_vec();
        zeroed.resize(whole.len(), 0);
        sample.opens_with("main.db-wal", &zeroed, &format!("zeros from {length}"));
    }
    for bit in draws(23, whole.len() * 8).take(120).chain(0..256) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        sample.opens_with("main.db-wal", &flipped, &format!("bit {bit}"));
    }
    std::fs::remove_file(sample.file("main.db-wal")).expect("removed");
    assert!(sample.stopped("without its log"));
}

#[test]
fn an_older_copy_of_either_stops() {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    drop(state);
    let (database, mark) = ("main.db", "main.mark");
    let old =
        [database, mark].map(|name| std::fs::read(file(project.path(), name)).expect("reads"));
    let mut state = open(project.path()).expect("opens");
    keep(&mut state, &[Change::Level(&open_level("p", "LATER", 1))]);
    let holds = dump(&state);
    drop(state);
    let sample = Sample { project, holds };
    assert!(sample.opens_with(database, &old[0], "an older database"));
    assert!(sample.opens_with(mark, &old[1], "an older mark"));
    assert!(!sample.stopped("both newer"));
}

#[test]
fn a_missing_half_stops() {
    for name in ["main.db", "main.mark"] {
        let sample = sample();
        std::fs::remove_file(sample.file(name)).expect("removed");
        assert!(sample.stopped(name), "{name}");
        let told = SqliteIntake::open(sample.project.path(), "main").err();
        assert_eq!(told.expect("refused").exit(), 8, "{name}");
    }
}

#[test]
fn another_stores_files_stop() {
    let sample = sample();
    let mut other =
        SqliteState::open(sample.project.path(), "second", Duration::ZERO, at(0)).expect("opens");
    keep(&mut other, &[]);
    drop(other);
    let foreign = std::fs::read(sample.file("second.db")).expect("reads");
    assert!(sample.opens_with("main.db", &foreign, "another store's database"));
    let foreign = std::fs::read(sample.file("second.mark")).expect("reads");
    assert!(sample.opens_with("main.mark", &foreign, "another store's mark"));
}

#[test]
fn a_newer_format_says_so() {
    let first = sample();
    let connection = rusqlite::Connection::open(first.file("main.db")).expect("opens");
    connection
        .pragma_update(None, "user_version", 3)
        .expect("set");
    drop(connection);
    let error = open(first.project.path()).err().expect("refused");
    assert_eq!((error.trouble, error.exit()), (Trouble::Newer, 8));
    assert!(error.hint.contains("update"), "{}", error.hint);

    let second = sample();
    let mark = std::fs::read(second.file("main.mark")).expect("reads");
    let mark = String::from_utf8(mark).expect("text");
    let newer = mark.replace("shelfcast-sync 2", "shelfcast-sync 3");
    std::fs::write(second.file("main.mark"), newer).expect("writes");
    let error = read(second.project.path(), "main").err().expect("refused");
    assert_eq!((error.trouble, error.exit()), (Trouble::Newer, 8));
}

#[test]
fn rows_changed_by_somebody_else_stop() {
    for edit in [
        "UPDATE levels SET known_quantity = 7 WHERE sku = 'SKU-0007'",
        "DELETE FROM ledger WHERE id = 9",
        "DELETE FROM levels",
        "INSERT INTO notes VALUES ('n2', 'y')",
        "UPDATE numbers SET value = 0",
        "DROP INDEX levels_class",
        "UPDATE meta SET counter = counter + 1",
        "UPDATE meta SET counter = counter - 1",
    ] {
        let sample = sample();
        let connection = rusqlite::Connection::open(sample.file("main.db")).expect("opens");
        connection.execute(edit, []).expect("edited");
        drop(connection);
        let error = open(sample.project.path()).err().expect(edit);
        assert_eq!(error.trouble, Trouble::Damaged, "{edit}: {error}");
    }
}

#[test]
fn a_state_that_was_being_made_is_made_anew() {
    let whole = sample();
    let mark = std::fs::read(whole.file("main.mark")).expect("reads");
    drop(whole);
    // The mark announced the database, which never got its name; or it did, and the mark was not told.
    for database in [false, true] {
        let project = tempfile::tempdir().expect("a folder");
        drop(SqliteIntake::open(project.path(), "main").expect("makes"));
        let path = file(project.path(), "main.mark");
        let made = std::fs::read(&path).expect("reads");
        assert_eq!(made.len(), mark.len());
        let mut announced = made.clone();
        announced[4096..].fill(b'\n');
        std::fs::write(&path, announced).expect("writes");
        if !database {
            std::fs::remove_file(file(project.path(), "main.db")).expect("removed");
            assert!(read(project.path(), "main").expect("looks").is_none());
        }
        let state = open(project.path()).expect("opens");
        assert!(levels(&state, Which::All).is_empty());
    }
}
