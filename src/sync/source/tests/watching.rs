//! When a daemon looks again.

use super::*;

fn watch(project: &Project, clock: Arc<StillClock>) -> Watch {
    let sources: Vec<&Source> = project.source.iter().collect();
    Watch::new(project, &sources, clock).expect("watches")
}

#[test]
fn a_commit_in_sqlite_is_seen_within_a_second() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stock.db");
    let connection = rusqlite::Connection::open(&path).expect("made");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE stock (sku TEXT, on_hand INT)")
        .expect("made");
    let project = project(
        folder.path(),
        "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"sqlite:stock.db\"\nquery = \"SELECT * FROM stock\"\n",
    );
    let clock = StillClock::ahead(0);
    let mut watch = watch(&project, clock.clone());
    assert_eq!(watch.look(), ["stock"], "at first all may have news");
    let mut second = |clock: &StillClock| {
        clock.advance(Duration::from_secs(1));
        watch.look()
    };
    assert!(second(&clock).is_empty());
    connection
        .execute_batch("INSERT INTO stock VALUES ('a', 1)")
        .expect("added");
    assert_eq!(second(&clock), ["stock"]);
    assert!(second(&clock).is_empty(), "it is told once");
    // The file is put back from a copy.
    drop(connection);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).expect("copied");
    std::fs::rename(&copy, &path).expect("renamed");
    assert_eq!(second(&clock), ["stock"]);
    assert!(second(&clock).is_empty());
    watch.again("stock");
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        watch.look(),
        ["stock"],
        "a reading that failed is tried again"
    );
    // It is gone: the reading tells.
    std::fs::remove_file(&path).expect("removed");
    clock.advance(Duration::from_secs(1));
    assert_eq!(watch.look(), ["stock"]);
}

#[test]
fn a_dropped_file_is_told_when_it_has_settled() {
    let folder = tempfile::tempdir().expect("a folder");
    let drop = folder.path().join("drop");
    std::fs::create_dir(&drop).expect("a folder");
    let project = project(
        folder.path(),
        &stock("drop/*.csv", "settle = \"30s\"\nrows = \"changes\""),
    );
    let clock = StillClock::ahead(0);
    let mut watch = watch(&project, clock.clone());
    assert_eq!(watch.look(), ["stock"]);
    let mut after = |seconds: u64| {
        clock.advance(Duration::from_secs(seconds));
        !watch.look().is_empty()
    };
    assert!(!after(1));
    std::fs::write(drop.join("c-1.csv"), "sku,on_hand\na,1\n").expect("written");
    assert!(!after(1), "it may still be written");
    assert!(!after(10));
    assert!(after(25));
    assert!(!after(1), "it is told once");
    std::fs::remove_file(drop.join("c-1.csv")).expect("removed");
    assert!(after(1));
}

#[test]
fn others_are_asked_at_their_pace() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = project(
        folder.path(),
        "[[source]]\nname = \"cursor\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"postgres://h/x\"\nquery = \"SELECT 1\"\ncursor = \"seq\"\n\
         [[source]]\nname = \"whole\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"postgres://h/x\"\nquery = \"SELECT 1\"\n\
         [[source]]\nname = \"far\"\nrole = \"stock\"\nbasis = \"on_hand\"\npath = \"https://h.example/stock.csv\"\npoll = \"2s\"\n\
         [[source]]\nname = \"pipe\"\nrole = \"stock\"\nbasis = \"on_hand\"\npath = \"-\"\n",
    );
    let clock = StillClock::ahead(0);
    let mut watch = watch(&project, clock.clone());
    assert_eq!(watch.look(), ["cursor", "whole", "far"]);
    assert!(watch.look().is_empty());
    let mut heard = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..60 {
        clock.advance(Duration::from_secs(1));
        for name in watch.look() {
            *heard.entry(name).or_default() += 1;
        }
    }
    let heard: Vec<_> = heard.into_iter().collect();
    assert_eq!(
        heard,
        [
            ("cursor".to_owned(), 60),
            ("far".to_owned(), 30),
            ("whole".to_owned(), 2)
        ]
    );
}

#[test]
fn waiting_ends_when_its_time_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = project(folder.path(), &stock("a.csv", ""));
    let sources: Vec<&Source> = project.source.iter().collect();
    let clock = Arc::new(crate::store::pace::SystemClock::default());
    let mut watch = Watch::new(&project, &sources, clock).expect("watches");
    assert_eq!(watch.next(Duration::from_secs(5)), ["stock"]);
    assert!(watch.next(Duration::from_millis(20)).is_empty());
}
