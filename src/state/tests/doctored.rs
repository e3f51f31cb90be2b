//! The examination finds what was planted, and nothing where nothing was.

use std::path::{Path, PathBuf};

use super::kills::plan_of;
use super::*;

fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    for text in ["<a/>", "<b/>", "<c/>"] {
        publish(&state, project.path(), "web", text);
    }
    plan_of(&state, project.path(), "<plan/>").expect("planned");
    state.pin("web", 2, "ann", "", at(9)).expect("pinned");
    project
}

/// Changes rows and makes the mark fit, as somebody would who knows how: only an examination can see it.
fn forge(project: &Path, sql: &str) {
    let root = project.join(".shelfcast");
    let connection = rusqlite::Connection::open(root.join("state.db")).expect("opens");
    connection.execute_batch(sql).expect("forged");
    let current = Some(schema::commit(&connection).expect("a digest"));
    let mark = mark::Mark {
        current,
        next: None,
    };
    mark.write(&root.join("state.mark")).expect("written");
    drop(State::open(project).expect("opening does not see it"));
}

fn old(path: &Path) {
    let day = std::time::Duration::from_secs(86_400);
    let then: std::time::SystemTime = crate::clock::now().into();
    let file = std::fs::File::open(path).expect("opens");
    file.set_modified(then - day).expect("set");
}

fn kept(project: &Path, below: &str) -> PathBuf {
    project.join(".shelfcast").join(below)
}

#[test]
fn a_clean_state_has_no_findings() {
    let project = project();
    let found = examine(project.path()).expect("looks");
    assert_eq!(found.damages, []);
    assert!(found.present);
    assert_eq!((found.versions, found.plans, found.files), (3, 1, 8));
    assert!(found.stored_bytes > 0 && found.actions == 8, "{found:?}");
    let empty = tempfile::tempdir().expect("a folder");
    assert_eq!(
        examine(empty.path()).expect("looks"),
        Examination::default()
    );
}

/// A way to harm a project.
type Harm = Box<dyn Fn(&Path)>;

#[test]
fn every_planted_damage_is_found() {
    let file = "versions/web/3/000-web.xml.zst";
    let sql = |text: &'static str| -> Harm { Box::new(move |project: &Path| forge(project, text)) };
    let harms: Vec<(&str, Harm)> = vec![
        (
            "a file is gone",
            Box::new(move |project| std::fs::remove_file(kept(project, file)).expect("gone")),
        ),
        (
            "a file is cut",
            Box::new(move |project| {
                let bytes = std::fs::read(kept(project, file)).expect("reads");
                std::fs::write(kept(project, file), bytes.get(..5).expect("a part")).expect("cut");
            }),
        ),
        (
            "a byte differs",
            Box::new(move |project| {
                let mut bytes = std::fs::read(kept(project, file)).expect("reads");
                bytes[12] ^= 1;
                std::fs::write(kept(project, file), bytes).expect("written");
            }),
        ),
        (
            "another version's bytes",
            Box::new(move |project| {
                std::fs::copy(
                    kept(project, "versions/web/2/000-web.xml.zst"),
                    kept(project, file),
                )
                .map(drop)
                .expect("copied");
            }),
        ),
        (
            "the item log is gone",
            Box::new(|project| {
                std::fs::remove_file(kept(project, "versions/web/1/items.log.zst")).expect("gone")
            }),
        ),
        (
            "a folder is gone",
            Box::new(|project| {
                std::fs::remove_dir_all(kept(project, "versions/web/1")).expect("gone")
            }),
        ),
        (
            "the plans are gone",
            Box::new(|project| std::fs::remove_dir_all(kept(project, "plans")).expect("gone")),
        ),
        (
            "the mark is gone",
            Box::new(|project| std::fs::remove_file(kept(project, "state.mark")).expect("gone")),
        ),
        (
            "the mark is cut",
            Box::new(|project| std::fs::write(kept(project, "state.mark"), "shelf").expect("cut")),
        ),
        (
            "the database is gone",
            Box::new(|project| std::fs::remove_file(kept(project, "state.db")).expect("gone")),
        ),
        (
            "the database is cut",
            Box::new(|project| {
                std::fs::write(kept(project, "state.db"), "SQLite format 3").expect("cut")
            }),
        ),
        (
            "the current version is none",
            sql("UPDATE feeds SET current = 9"),
        ),
        (
            "the pending version is none",
            sql("UPDATE feeds SET pending = 9"),
        ),
        (
            "the last version is older",
            sql("UPDATE feeds SET last = 1"),
        ),
        ("the pin is on nothing", sql("UPDATE pins SET version = 9")),
        (
            "a version lost its files' rows",
            sql("DELETE FROM files WHERE version = 2"),
        ),
        (
            "files of no version",
            sql("DELETE FROM versions WHERE version = 1"),
        ),
        (
            "a digest is another's",
            sql("UPDATE files SET sha256 = 'ab' WHERE version = 2 AND ordinal = 0"),
        ),
        (
            "a version's digest is another's",
            sql("UPDATE versions SET digest = 'ab' WHERE version = 2"),
        ),
        (
            "a size is another's",
            sql("UPDATE files SET bytes = bytes + 1 WHERE version = 2 AND ordinal = 1"),
        ),
        (
            "a receipt is gone",
            sql("DELETE FROM receipts WHERE version = 3"),
        ),
        (
            "published without a receipt",
            sql("UPDATE deliveries SET receipt = NULL WHERE version = 3"),
        ),
        (
            "counts do not add up",
            sql(
                "UPDATE versions SET counts = replace(counts, '\"read\":5', '\"read\":6') WHERE version = 3",
            ),
        ),
        ("plan files of no plan", sql("DELETE FROM plan_feeds")),
    ];
    assert!(harms.len() >= 20);
    for (what, harm) in &harms {
        let project = project();
        harm(project.path());
        let found = examine(project.path()).expect("looks");
        assert!(found.is_damaged(), "{what}: {:?}", found.damages);
        for damage in &found.damages {
            assert!(
                !damage.hint.is_empty() && damage.place.starts_with(".shelfcast"),
                "{what}: {damage:?}"
            );
        }
    }
}

#[test]
fn what_is_only_untidy_is_no_damage() {
    let untidy: Vec<(&str, Harm)> = vec![
        (
            "a folder of no version",
            Box::new(|project| {
                std::fs::create_dir(kept(project, "versions/web/77")).expect("made")
            }),
        ),
        (
            "a file of no version",
            Box::new(|project| {
                std::fs::write(kept(project, "versions/web/1/extra"), "").expect("made")
            }),
        ),
        (
            "half a version",
            Box::new(|project| {
                let path = kept(project, "versions/web/.4.new");
                std::fs::create_dir(&path).expect("made");
                old(&path);
            }),
        ),
        (
            "half a plan",
            Box::new(|project| {
                let path = kept(project, "plans/.abcdef.new");
                std::fs::create_dir(&path).expect("made");
                old(&path);
            }),
        ),
        (
            "half a mark",
            Box::new(|project| {
                let path = kept(project, ".state.mark.new");
                std::fs::write(&path, "").expect("made");
                old(&path);
            }),
        ),
        (
            "a dead run's work",
            Box::new(|project| {
                let path = kept(project, "work/run-1");
                std::fs::create_dir_all(&path).expect("made");
                old(&path);
            }),
        ),
    ];
    for (what, harm) in &untidy {
        let project = project();
        harm(project.path());
        let found = examine(project.path()).expect("looks");
        assert!(!found.damages.is_empty(), "{what}: not found");
        assert!(!found.is_damaged(), "{what}: {:?}", found.damages);
    }
    // What is young may be of a run at work.
    let project = project();
    std::fs::create_dir_all(kept(project.path(), "work/run-2")).expect("made");
    assert_eq!(examine(project.path()).expect("looks").damages, []);
}

#[cfg(unix)]
#[test]
fn open_doors_are_found() {
    use std::os::unix::fs::PermissionsExt;
    for (below, mode) in [
        ("versions/web/3/000-web.xml.zst", 0o644),
        ("state.mark", 0o640),
        ("versions", 0o755),
        ("state.db", 0o666),
    ] {
        let project = project();
        let path = kept(project.path(), below);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        let found = examine(project.path()).expect("looks");
        assert_eq!(found.damages.len(), 1, "{below}: {:?}", found.damages);
        assert!(
            found.damages[0].hint.contains("chmod"),
            "{:?}",
            found.damages
        );
        assert!(!found.is_damaged());
    }
}
