//! Files that are dropped into a folder.

use super::super::dropped::natural;
use super::*;

fn drop_file(folder: &Path, name: &str, rows: &str) {
    let path = folder.join("drop");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join(name), format!("sku,on_hand\n{rows}")).expect("written");
}

fn ages(folder: &Path) {
    // Long ago, so that looks prove sameness.
    let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for entry in std::fs::read_dir(folder.join("drop")).expect("a folder") {
        let file = std::fs::File::options()
            .write(true)
            .open(entry.expect("an entry").path())
            .expect("opens");
        file.set_modified(long_ago).expect("set");
    }
}

fn dropped(folder: &Path, keys: &str) -> Project {
    project(folder, &stock("drop/*.csv", keys))
}

/// Reads until nothing more waits: what each reading told, and the last one.
fn all(source: &mut dyn StockSource, position: Option<&Position>) -> (Vec<Vec<String>>, Read) {
    let mut position = position.cloned();
    let mut told_all = Vec::new();
    for _ in 0..2_000 {
        let (told, read) = well(source, position.as_ref());
        let told: Vec<String> = told
            .iter()
            .map(|row| format!("{}={}", row.sku, row.quantity.unwrap_or(-1)))
            .collect();
        if !told.is_empty() {
            told_all.push(told);
        }
        if !read.more {
            return (told_all, read);
        }
        position = Some(read.position);
    }
    panic!("there is always more");
}

#[test]
fn names_are_ordered_by_their_numbers() {
    let mut names = vec![
        "stock-10.csv",
        "stock-9.csv",
        "stock-2026-11-09.csv",
        "stock-2026-9-30.csv",
        "a.csv",
        "stock-010.csv",
        "stock.csv",
    ];
    names.sort_by(|a, b| natural(a, b));
    assert_eq!(
        names,
        [
            "a.csv",
            "stock-9.csv",
            "stock-010.csv",
            "stock-10.csv",
            "stock-2026-9-30.csv",
            "stock-2026-11-09.csv",
            "stock.csv"
        ]
    );
    assert_eq!(natural("x", "x"), std::cmp::Ordering::Equal);
}

#[test]
fn files_of_changes_are_each_read_once_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "c-10.csv", "a,3\n");
    drop_file(folder.path(), "c-9.csv", "a,2\nb,5\n");
    drop_file(folder.path(), "c-1.csv", "a,1\n");
    drop_file(folder.path(), ".c-2.csv", "hidden,1\n");
    let project = dropped(folder.path(), "rows = \"changes\"");
    let mut source = opened(&project);
    let (told, read) = all(&mut *source, None);
    assert_eq!(told, [vec!["a=1"], vec!["a=2", "b=5"], vec!["a=3"]]);
    assert_eq!(read.kind, ReadKind::Changes);
    let names: Vec<_> = read
        .position
        .files
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["drop/c-1.csv", "drop/c-9.csv", "drop/c-10.csv"]);
    assert!(!read.position.proven);
    let (told, again) = all(&mut *source, Some(&read.position));
    assert_eq!((told.len(), again.kind), (0, ReadKind::Unchanged));
    // Known by their looks alone, once they are old enough.
    ages(folder.path());
    let (told, aged) = all(&mut *source, Some(&again.position));
    assert_eq!(told.len(), 0);
    // One that is written over is a new one, at whatever place.
    drop_file(folder.path(), "c-9.csv", "b,6\n");
    drop_file(folder.path(), "c-11.csv", "c,1\n");
    let (told, read) = all(&mut *source, Some(&aged.position));
    assert_eq!(told, [["b=6"], ["c=1"]]);
    assert_eq!(
        std::fs::read_dir(folder.path().join("drop"))
            .expect("there")
            .count(),
        5,
        "nothing is moved or deleted"
    );
    // Whoever clears the folder loses nothing.
    for entry in std::fs::read_dir(folder.path().join("drop")).expect("there") {
        std::fs::remove_file(entry.expect("an entry").path()).expect("removed");
    }
    let (told, read) = all(&mut *source, Some(&read.position));
    assert_eq!((told.len(), read.kind), (0, ReadKind::Unchanged));
    std::fs::remove_dir(folder.path().join("drop")).expect("removed");
    assert_eq!(
        fails(&mut *source, Some(&read.position)).exit(),
        7,
        "the folder is missing"
    );
}

#[test]
fn a_late_file_needs_marks() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "c-2.csv", "a,2\n");
    let plain = dropped(folder.path(), "rows = \"changes\"");
    let (_, read) = all(&mut *opened(&plain), None);
    drop_file(folder.path(), "c-1.csv", "a,1\n");
    drop_file(folder.path(), "c-3.csv", "a,3\n");
    let (told, late) = all(&mut *opened(&plain), Some(&read.position));
    assert_eq!(told, [["a=3"]], "older would go over newer");
    assert!(
        late.remarks
            .iter()
            .any(|remark| remark.contains("drop/c-1.csv: is passed over")),
        "{:?}",
        late.remarks
    );
    let (told, quiet) = all(&mut *opened(&plain), Some(&late.position));
    assert_eq!((told.len(), quiet.remarks.len()), (0, 0), "it is told once");
    // With marks nothing is lost.
    let write = |name: &str, row: &str| {
        std::fs::write(
            folder.path().join("drop").join(name),
            format!("sku,on_hand,seq\n{row}\n"),
        )
        .expect("written");
    };
    for name in ["c-1.csv", "c-3.csv"] {
        std::fs::remove_file(folder.path().join("drop").join(name)).expect("removed");
    }
    write("c-2.csv", "a,2,2");
    let marked = dropped(folder.path(), "rows = \"changes\"\norder = \"seq\"");
    let (_, read) = all(&mut *opened(&marked), None);
    write("c-1.csv", "b,1,1");
    let (told, _) = all(&mut *opened(&marked), Some(&read.position));
    assert_eq!(told, [["b=1"]]);
}

#[test]
fn one_that_is_not_whole_stops_those_behind_it_and_not_those_before() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "c-1.csv", "a,1\n#END,1\n");
    drop_file(folder.path(), "c-2.csv", "a,2\n");
    drop_file(folder.path(), "c-3.csv", "a,3\n#END,1\n");
    let project = dropped(folder.path(), "rows = \"changes\"\nend = \"#END\"");
    let mut source = opened(&project);
    let (told, first) = well(&mut *source, None);
    assert_eq!(counts(&told), [("a", Some(1))]);
    assert!(first.more);
    let failure = fails(&mut *source, Some(&first.position));
    assert_eq!(failure.exit(), 7);
    assert!(failure.to_string().contains("drop/c-2.csv"), "{failure}");
    // Its rest arrives.
    drop_file(folder.path(), "c-2.csv", "a,2\n#END,1\n");
    let (told, _) = all(&mut *source, Some(&first.position));
    assert_eq!(told, [["a=2"], ["a=3"]]);
}

#[test]
fn a_young_file_holds_back_those_behind_it() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "c-2.csv", "a,2\n");
    ages(folder.path());
    drop_file(folder.path(), "c-1.csv", "a,1\n");
    let project = dropped(folder.path(), "rows = \"changes\"\nsettle = \"60s\"");
    let clock = StillClock::ahead(5);
    let mut source = opened_at(&project, clock.clone());
    let (told, read) = well(&mut *source, None);
    assert_eq!((told.len(), read.kind), (0, ReadKind::Nothing));
    clock.advance(Duration::from_secs(60));
    let (told, _) = all(&mut *source, Some(&read.position));
    assert_eq!(told, [["a=1"], ["a=2"]]);
}

#[test]
fn of_files_with_all_rows_the_newest_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "s-1.csv", "a,1\nb,1\n");
    drop_file(folder.path(), "s-2.csv", "a,2\n");
    let project = dropped(folder.path(), "");
    let mut source = opened(&project);
    let (told, read) = well(&mut *source, None);
    assert_eq!(counts(&told), [("a", Some(2))]);
    assert_eq!((read.kind, read.position.rows), (ReadKind::Snapshot, 1));
    assert!(
        read.remarks
            .iter()
            .any(|remark| remark.starts_with("drop/s-1.csv: is passed over")),
        "{:?}",
        read.remarks
    );
    let (told, again) = well(&mut *source, Some(&read.position));
    assert_eq!(
        (told.len(), again.kind, again.remarks.len()),
        (0, ReadKind::Unchanged, 0)
    );
    let full = whole(super::source(&project).rows, &again.position);
    let (told, full) = well(&mut *source, Some(&full));
    assert_eq!(
        (told.len(), full.kind),
        (1, ReadKind::Snapshot),
        "on demand"
    );
    assert_eq!(full.position, again.position);
    // An older one that comes later is passed over; nothing goes back.
    drop_file(folder.path(), "s-0.csv", "a,0\n");
    let (told, late) = well(&mut *source, Some(&again.position));
    assert_eq!((told.len(), late.kind), (0, ReadKind::Unchanged));
    assert_eq!(late.remarks.len(), 1, "{:?}", late.remarks);
    // The last one, written over.
    drop_file(folder.path(), "s-2.csv", "a,7\n");
    let (told, over) = well(&mut *source, Some(&late.position));
    assert_eq!(counts(&told), [("a", Some(7))]);
    let passed = over
        .remarks
        .iter()
        .any(|remark| remark.contains("passed over"));
    assert!(!passed, "{:?}", over.remarks);
    // A newer one that is cut has no effect, and nothing older takes its place.
    let ended = dropped(folder.path(), "end = \"#END\"");
    drop_file(folder.path(), "s-3.csv", "a,3\n");
    assert_eq!(fails(&mut *opened(&ended), Some(&over.position)).exit(), 7);
    // All gone: what was read last stays.
    for entry in std::fs::read_dir(folder.path().join("drop")).expect("there") {
        std::fs::remove_file(entry.expect("an entry").path()).expect("removed");
    }
    let (told, gone) = well(&mut *source, Some(&over.position));
    assert_eq!((told.len(), gone.kind), (0, ReadKind::Nothing));
    assert_eq!(
        fails(&mut *source, None).exit(),
        7,
        "and nothing at all is missing"
    );
}

#[test]
fn while_a_newer_file_settles_nothing_older_is_taken_for_new() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "s-1.csv", "a,1\n");
    drop_file(folder.path(), "s-2.csv", "a,2\n");
    ages(folder.path());
    let project = dropped(folder.path(), "settle = \"60s\"");
    let clock = StillClock::ahead(5);
    let mut source = opened_at(&project, clock.clone());
    let (_, read) = well(&mut *source, None);
    drop_file(folder.path(), "s-3.csv", "a,3\n");
    let (told, waits) = well(&mut *source, Some(&read.position));
    assert_eq!(
        (told.len(), waits.kind),
        (0, ReadKind::Nothing),
        "what the source says now is not known"
    );
    clock.advance(Duration::from_secs(60));
    let (told, _) = well(&mut *source, Some(&waits.position));
    assert_eq!(counts(&told), [("a", Some(3))]);
}

#[test]
fn what_was_read_too_long_ago_to_be_remembered_stays_read() {
    let folder = tempfile::tempdir().expect("a folder");
    drop_file(folder.path(), "c-5.csv", "a,5\n");
    drop_file(folder.path(), "c-1100.csv", "a,1100\n");
    let project = dropped(folder.path(), "rows = \"changes\"\norder = \"on_hand\"");
    let mut position = Position::default();
    for file in 100..1_100 {
        let name = format!("drop/c-{file}.csv");
        position.files.push((name, "0 0 0 0".to_owned()));
    }
    let (told, read) = all(&mut *opened(&project), Some(&position));
    assert_eq!(told, [["a=1100"]]);
    assert!(read.position.files.len() <= 1_000);
    let last = read.position.files.last().map(|(name, _)| name.as_str());
    assert_eq!(last, Some("drop/c-1100.csv"));
}
