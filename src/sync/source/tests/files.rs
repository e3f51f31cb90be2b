//! S10: a file that is not whole has no effect.

use std::fs::File;
use std::io::Write as _;

use super::*;
use crate::sync::planted;

const ROWS: usize = 20_000;

fn rows(from: usize, to: usize) -> String {
    (from..to)
        .map(|row| format!("S{row},{}\n", row % 90))
        .collect()
}

fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), text).expect("written");
    folder
}

#[test]
fn the_same_file_is_not_read_twice() {
    let folder = folder_with("a.csv", "sku,on_hand\na,1\nb,0\n");
    let project = project(folder.path(), &stock("a.csv", ""));
    let mut source = opened(&project);
    let (told, read) = well(&mut *source, None);
    assert_eq!(counts(&told), [("a", Some(1)), ("b", Some(0))]);
    assert_eq!(
        (read.kind, read.rows, read.position.rows),
        (ReadKind::Snapshot, 2, 2)
    );
    assert!(!read.position.proven, "nothing proves that it is whole");
    let (told, again) = well(&mut *source, Some(&read.position));
    assert_eq!((told.len(), again.kind), (0, ReadKind::Unchanged));
    assert_eq!(again.position, read.position);
    // The same bytes, written anew.
    std::fs::write(folder.path().join("a.csv"), "sku,on_hand\na,1\nb,0\n").expect("written");
    assert_eq!(
        well(&mut *source, Some(&read.position)).1.kind,
        ReadKind::Unchanged
    );
    // Others of the same length.
    std::fs::write(folder.path().join("a.csv"), "sku,on_hand\na,1\nb,2\n").expect("written");
    let (told, read) = well(&mut *source, Some(&read.position));
    assert_eq!(counts(&told), [("a", Some(1)), ("b", Some(2))]);
    assert_eq!(read.kind, ReadKind::Snapshot);
    // Other settings mean other numbers.
    let other = super::project(folder.path(), &stock("a.csv", "locale = \"de\""));
    let (_, read) = well(&mut *opened(&other), Some(&read.position));
    assert_eq!(read.kind, ReadKind::Snapshot);
}

#[test]
fn a_young_file_waits_until_it_has_settled() {
    let folder = folder_with("a.csv", "sku,on_hand\na,1\n");
    let keys = "settle = \"30s\"";
    let project = project(folder.path(), &stock("a.csv", keys));
    let clock = StillClock::ahead(10);
    let before = Position {
        rows: 7,
        ..Position::default()
    };
    let (told, read) = well(&mut *opened_at(&project, clock.clone()), Some(&before));
    assert_eq!((told.len(), read.kind), (0, ReadKind::Nothing));
    assert_eq!(read.position, before, "nothing is known, nothing moves");
    assert!(read.remarks[0].contains("settle"), "{:?}", read.remarks);
    clock.advance(Duration::from_secs(25));
    let (told, read) = well(&mut *opened_at(&project, clock), Some(&before));
    assert_eq!((told.len(), read.kind), (1, ReadKind::Snapshot));
    // A run that waits: only for a short while.
    for (ahead, settle, kind) in [
        (0, "5s", ReadKind::Snapshot),
        (1, "8s", ReadKind::Snapshot),
        (0, "60s", ReadKind::Nothing),
        // The file's time lies ahead of ours.
        (-500, "5s", ReadKind::Snapshot),
    ] {
        let project = super::project(
            folder.path(),
            &stock("a.csv", &format!("settle = \"{settle}\"")),
        );
        let opening = Opening {
            safety_stock: None,
            waits: true,
            clock: StillClock::ahead(ahead),
        };
        std::fs::write(folder.path().join("a.csv"), "sku,on_hand\na,1\n").expect("written");
        let mut source = open(&project, super::source(&project), opening).expect("opens");
        assert_eq!(well(&mut *source, None).1.kind, kind, "{ahead} {settle}");
    }
}

#[test]
fn what_shows_its_own_end_need_not_settle() {
    let folder = folder_with("a.json", "[{\"sku\":\"a\",\"on_hand\":1}]");
    let project = project(folder.path(), &stock("a.json", ""));
    let read = well(&mut *opened_at(&project, StillClock::ahead(0)), None).1;
    assert_eq!(read.kind, ReadKind::Snapshot);
    std::fs::write(folder.path().join("a.csv"), "sku,on_hand\na,1\n").expect("written");
    let project = super::project(folder.path(), &stock("a.csv", ""));
    let read = well(&mut *opened_at(&project, StillClock::ahead(0)), None).1;
    assert_eq!(read.kind, ReadKind::Nothing, "a table may end anywhere");
}

/// Something that happens to a file while it is read.
type Move = fn(&Path);

#[test]
fn a_file_that_moves_while_it_is_read_has_no_effect() {
    let moves: &[(&str, Move)] = &[
        ("grows", |path| {
            let mut file = File::options().append(true).open(path).expect("opens");
            file.write_all(b"X,1\n").expect("written");
        }),
        ("is cut", |path| {
            let file = File::options().write(true).open(path).expect("opens");
            file.set_len(100).expect("cut");
        }),
        ("is replaced", |path| {
            let other = path.with_extension("new");
            std::fs::write(&other, format!("sku,on_hand\n{}", rows(0, ROWS))).expect("written");
            std::fs::rename(other, path).expect("renamed");
        }),
        ("is removed", |path| {
            std::fs::remove_file(path).expect("removed")
        }),
        ("is renamed", |path| {
            std::fs::rename(path, path.with_extension("old")).expect("renamed");
        }),
        ("becomes a symbolic link", |path| {
            let other = path.with_extension("other");
            std::fs::copy(path, &other).expect("copied");
            std::fs::remove_file(path).expect("removed");
            #[cfg(unix)]
            std::os::unix::fs::symlink(other, path).expect("linked");
        }),
        ("is rewritten with the same length", |path| {
            let text = std::fs::read_to_string(path).expect("read");
            std::fs::write(path, text.replace("S1,", "T1,")).expect("written");
        }),
        ("is rewritten with the same length and time", |path| {
            let before = std::fs::metadata(path)
                .expect("there")
                .modified()
                .expect("known");
            let text = std::fs::read_to_string(path).expect("read");
            std::fs::write(path, text.replace("S1,", "T1,")).expect("written");
            let file = File::options().write(true).open(path).expect("opens");
            file.set_modified(before).expect("set");
        }),
    ];
    for (what, change) in moves {
        let folder = folder_with("a.csv", &format!("sku,on_hand\n{}", rows(0, ROWS)));
        let path = folder.path().join("a.csv");
        let project = project(folder.path(), &stock("a.csv", ""));
        let mut source = opened(&project);
        let mut row = 0;
        let read = source.read(None, &mut |_| {
            row += 1;
            if row == ROWS / 2 {
                change(&path);
            }
            Ok(())
        });
        let failure = read.err().unwrap_or_else(|| panic!("{what}: was taken"));
        assert_eq!(failure.exit(), 7, "{what}: {failure}");
        assert!(!failure.hint().is_empty(), "{what}");
    }
}

#[test]
fn what_is_told_can_be_refused() {
    let folder = folder_with("a.csv", "sku,on_hand\na,1\nb,2\n");
    let project = project(folder.path(), &stock("a.csv", ""));
    let mut told = 0;
    let read = opened(&project).read(None, &mut |_| {
        told += 1;
        Err(StateError::new(
            crate::state::Trouble::Disk,
            "is full",
            "make room",
        ))
    });
    assert_eq!(told, 1);
    assert_eq!(read.expect_err("refused").exit(), 8);
}

#[test]
fn an_end_mark_proves_that_a_file_is_whole() {
    let keys = "end = \"#END\"";
    let cases: &[(&str, Result<u64, &str>)] = &[
        ("a,1\nb,2\n#END,2\n", Ok(2)),
        ("#END,0\n", Ok(0)),
        ("a,1\nb,2\n#END,2\n,\n", Ok(2)),
        (
            "a,1\nb,2\n",
            Err("the last row is not the end mark `#END`: after 2 rows it is cut"),
        ),
        ("", Err("after 0 rows")),
        (
            "a,1\n#END,2\n",
            Err("its end mark says 2 rows, and there are 1"),
        ),
        (
            "a,1\nb,2\nc,3\n#END,2\n",
            Err("says 2 rows, and there are 3"),
        ),
        ("a,1\n#END,\n", Err("says no number of rows")),
        ("a,1\n#END,many\n", Err("says many rows")),
        (
            "a,1\n#END,1\nb,2\n",
            Err("a row comes after the end mark of line 3"),
        ),
        (
            "a,1\n#END,1\n#END,1\n",
            Err("a row comes after the end mark"),
        ),
    ];
    for (rows, want) in cases {
        let folder = folder_with("a.csv", &format!("sku,on_hand\n{rows}"));
        let project = project(folder.path(), &stock("a.csv", keys));
        let (told, read) = heard(&mut *opened(&project), None);
        match (read, want) {
            (Ok(read), Ok(rows)) => {
                assert_eq!((read.rows, read.position.rows), (*rows, *rows));
                assert!(read.position.proven);
                assert!(told.iter().all(|row| row.sku != "#END"));
            }
            (Err(failure), Err(says)) => {
                assert_eq!(failure.exit(), 7);
                assert!(failure.to_string().contains(says), "{rows:?}: {failure}");
            }
            (read, _) => panic!("{rows:?}: {read:?}"),
        }
    }
    planted::plant(Some("drop the completeness check"));
    let folder = folder_with("a.csv", "sku,on_hand\na,1\n");
    let project = project(folder.path(), &stock("a.csv", keys));
    let taken = heard(&mut *opened(&project), None).1.is_ok();
    planted::plant(None);
    assert!(taken, "the planted bug is one");
}

#[test]
fn a_row_that_is_lost_proves_nothing() {
    // Of a ragged row nobody knows the SKU: its absence says nothing of any.
    let folder = folder_with("a.csv", "sku,on_hand\na,1\nb,2,3,4\n,5\n#END,3\n");
    let project = project(folder.path(), &stock("a.csv", "end = \"#END\""));
    let (told, read) = well(&mut *opened(&project), None);
    assert_eq!(counts(&told), [("a", Some(1))]);
    assert!(!read.position.proven);
    assert_eq!(read.found, 2);
    let rules: Vec<_> = read.rejected.iter().map(|finding| finding.rule).collect();
    assert!(
        rules.contains(&"ragged-row") && rules.contains(&"missing-key"),
        "{rules:?}"
    );
}

#[test]
fn sentinels_must_be_there() {
    let keys = "sentinel = [\"TILL-1\", \"TILL-2\"]";
    for (rows, whole) in [
        ("TILL-1,0\na,1\nTILL-2,0\n", true),
        ("TILL-1,0\na,1\n", false),
        ("a,1\n", false),
        ("", false),
    ] {
        let folder = folder_with("a.csv", &format!("sku,on_hand\n{rows}"));
        let project = project(folder.path(), &stock("a.csv", keys));
        let read = heard(&mut *opened(&project), None).1;
        assert_eq!(read.is_ok(), whole, "{rows}");
        if let Err(failure) = read {
            assert_eq!(failure.exit(), 7);
            assert!(failure.to_string().contains("`TILL-2`"), "{failure}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_falls_on_a_row_s_end() {
    let whole = format!("sku,on_hand\n{}#END,40\n", rows(0, 40));
    for cut in 0..whole.len() {
        let folder = folder_with("a.csv", whole.get(..cut).expect("ASCII"));
        let project = project(folder.path(), &stock("a.csv", "end = \"#END\""));
        let read = heard(&mut *opened(&project), None).1;
        // Without the last line end all is there.
        assert_eq!(read.is_ok(), cut == whole.len() - 1, "cut at {cut}");
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(whole.as_bytes()).expect("packed");
    let packed = packer.finish().expect("packed");
    for cut in (0..packed.len()).step_by(7) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.csv.gz"), &packed[..cut]).expect("written");
        let project = project(folder.path(), &stock("a.csv.gz", ""));
        assert_eq!(
            fails(&mut *opened(&project), None).exit(),
            7,
            "cut at {cut}"
        );
    }
    let json = "[{\"sku\":\"żółw\",\"on_hand\":12},{\"sku\":\"b\",\"on_hand\":3}]".as_bytes();
    for cut in 0..json.len() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.json"), &json[..cut]).expect("written");
        let project = project(folder.path(), &stock("a.json", ""));
        assert_eq!(
            fails(&mut *opened(&project), None).exit(),
            7,
            "cut at {cut}"
        );
    }
}

#[test]
fn an_error_page_is_no_stock() {
    let folder = folder_with(
        "a.csv",
        "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    );
    let project = project(folder.path(), &stock("a.csv", ""));
    let failure = fails(&mut *opened(&project), None);
    assert_eq!(failure.exit(), 7);
    assert!(failure.to_string().contains("HTML page"), "{failure}");
    std::fs::remove_file(folder.path().join("a.csv")).expect("removed");
    assert_eq!(fails(&mut *opened(&project), None).exit(), 7);
}

#[test]
fn a_table_without_rows_is_read_as_one() {
    for (name, text) in [("a.csv", "sku,on_hand\n"), ("a.json", "[]")] {
        let folder = folder_with(name, text);
        let project = project(folder.path(), &stock(name, ""));
        let (told, read) = well(&mut *opened(&project), None);
        assert_eq!(
            (told.len(), read.kind, read.position.rows),
            (0, ReadKind::Snapshot, 0),
            "{name}"
        );
        assert!(!read.position.proven);
    }
}

#[test]
fn a_sku_stands_once_unless_marks_order_it() {
    let folder = folder_with(
        "a.csv",
        "sku,location,on_hand,seq\na,x,1,2\na,y,2,1\na,x,3,3\n",
    );
    let project = project(folder.path(), &stock("a.csv", ""));
    let (told, read) = well(&mut *opened(&project), None);
    assert_eq!(counts(&told), [("a", Some(1)), ("a", Some(2))]);
    assert_eq!(
        (read.found, read.rejected[0].rule, read.rejected[0].line),
        (1, "duplicate-key", 4)
    );
    let ordered = super::project(folder.path(), &stock("a.csv", "order = \"seq\""));
    let (told, read) = well(&mut *opened(&ordered), None);
    assert_eq!((told.len(), read.found), (3, 0));
    assert_eq!(told[2].mark, Mark::Sequence(3));
    let missing = super::project(folder.path(), &stock("a.csv", "order = \"sequence\""));
    let failure = fails(&mut *opened(&missing), None);
    assert_eq!(failure.exit(), 2);
    assert!(failure.to_string().contains("`sequence`"), "{failure}");
}

#[test]
fn a_column_that_goes_is_no_zero() {
    let folder = folder_with("a.csv", "sku,location,on_hand,committed\na,x,5,3\n");
    let project = project(folder.path(), &stock("a.csv", ""));
    let position = well(&mut *opened(&project), None).1.position;
    for (text, column) in [
        ("sku,location,on_hand\na,x,5\n", "committed"),
        ("sku,on_hand,committed\na,5,3\n", "location"),
        ("sku,location,committed\na,x,3\n", "on_hand"),
    ] {
        std::fs::write(folder.path().join("a.csv"), text).expect("written");
        let failure = fails(&mut *opened(&project), Some(&position));
        assert_eq!(failure.exit(), 2, "{failure}");
        assert!(
            failure.to_string().contains(&format!("`{column}`")),
            "{failure}"
        );
    }
    // A whole reading on demand notices it too.
    let full = whole(super::source(&project).rows, &position);
    assert_eq!(fails(&mut *opened(&project), Some(&full)).exit(), 2);
    // Who means it says so.
    std::fs::write(folder.path().join("a.csv"), "sku,location,on_hand\na,x,5\n").expect("written");
    let meant = super::project(
        folder.path(),
        &stock("a.csv", "[source.defaults]\ncommitted = \"0\""),
    );
    let (told, _) = well(&mut *opened(&meant), Some(&position));
    assert_eq!(told[0].committed, Some(0));
    // And the safety stock that a sync names must be there.
    let opening = Opening {
        safety_stock: Some("keep_back".to_owned()),
        waits: false,
        clock: StillClock::ahead(3600),
    };
    let mut source = open(&project, super::source(&project), opening).expect("opens");
    let failure = fails(&mut *source, None);
    assert!(failure.to_string().contains("`keep_back`"), "{failure}");
}

#[test]
fn findings_are_bounded_and_counted() {
    let mut text = String::from("sku,on_hand\n");
    for row in 0..3_000 {
        text.push_str(&format!("S{row},in stock\n"));
    }
    let folder = folder_with("a.csv", &text);
    let project = project(folder.path(), &stock("a.csv", ""));
    let (told, read) = well(&mut *opened(&project), None);
    assert_eq!(told.len(), 3_000);
    assert!(told.iter().all(|row| row.quantity.is_none()));
    assert_eq!((read.rejected.len(), read.found), (FINDINGS_MAX, 3_000));
    let first = &read.rejected[0];
    assert_eq!(
        (first.source.as_str(), first.line, first.column.as_str()),
        ("a.csv", 2, "on_hand")
    );
}

#[test]
fn settings_that_cannot_be_are_told_before_anything_is_read() {
    let folder = folder_with("a.csv", "sku,on_hand\n");
    for (keys, says) in [
        ("settle = \"30\"", "no span of time"),
        ("poll = \"often\"", "no span of time"),
        ("cursor = \"updated_at\"", "this is none"),
        ("tie = \"sku\"", "there are none"),
        ("margin = \"60s\"", "there is none"),
        ("end = \" \"", "`end` is empty"),
        ("timezone = \"Mars\"", "no time zone"),
        ("preset = \"shoppify\"", "no preset"),
    ] {
        let project = project(folder.path(), &stock("a.csv", keys));
        let opening = Opening {
            safety_stock: None,
            waits: false,
            clock: StillClock::ahead(0),
        };
        let error = open(&project, super::source(&project), opening)
            .err()
            .expect(keys);
        assert!(error.message.contains(says), "{keys}: {error}");
        assert!(error.message.contains("`stock`"), "{keys}: {error}");
    }
}
