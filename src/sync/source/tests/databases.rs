//! Queries: whole, and from a cursor on.

use rusqlite::Connection;

use super::super::cursor::{Margin, lower};
use super::super::database::statement;
use super::*;
use crate::catalog::sql::Engine;

fn shop(script: &str) -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = Connection::open(folder.path().join("stock.db")).expect("made");
    connection.execute_batch(script).expect("made");
    (folder, connection)
}

fn database(folder: &Path, query: &str, keys: &str) -> Project {
    project(
        folder,
        &format!(
            "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"sqlite:stock.db\"\nquery = \"{query}\"\n{keys}\n"
        ),
    )
}

const TABLE: &str =
    "CREATE TABLE stock (sku TEXT, location TEXT, on_hand INTEGER, seq INTEGER, updated_at TEXT)";

#[test]
fn a_query_is_read_whole_and_proven() {
    let (folder, connection) = shop(TABLE);
    connection
        .execute_batch("INSERT INTO stock VALUES ('a', 'x', 5, 1, NULL), ('b', 'x', NULL, 2, NULL), ('c', 'y', 0, 3, NULL)")
        .expect("added");
    let project = database(
        folder.path(),
        "SELECT sku, location, on_hand FROM stock ORDER BY seq",
        "",
    );
    let mut source = opened(&project);
    let (told, read) = well(&mut *source, None);
    assert_eq!(counts(&told), [("a", Some(5)), ("b", None), ("c", Some(0))]);
    assert_eq!((read.kind, read.rows), (ReadKind::Snapshot, 3));
    assert!(read.position.proven);
    assert_eq!(read.position.cursor, "");
    // Emptied: that is whole, and told as such.
    connection
        .execute_batch("DELETE FROM stock")
        .expect("emptied");
    let (told, read) = well(&mut *source, Some(&read.position));
    assert_eq!(
        (told.len(), read.kind, read.position.rows),
        (0, ReadKind::Snapshot, 0)
    );
    assert!(read.position.proven);
    // Broken.
    connection
        .execute_batch("ALTER TABLE stock RENAME COLUMN on_hand TO quantity")
        .expect("changed");
    let failure = fails(&mut *source, Some(&read.position));
    assert_eq!(failure.exit(), 2);
    assert!(failure.to_string().contains("on_hand"), "{failure}");
    let renamed = database(folder.path(), "SELECT * FROM stock", "");
    let failure = fails(&mut *opened(&renamed), Some(&read.position));
    assert_eq!(failure.exit(), 2);
    assert!(failure.to_string().contains("`on_hand`"), "{failure}");
    std::fs::remove_file(folder.path().join("stock.db")).expect("removed");
    assert_eq!(fails(&mut *source, None).exit(), 7);
}

#[test]
fn a_cursor_asks_for_changes_alone() {
    let (folder, connection) = shop(TABLE);
    let add = |sku: &str, units: i64, seq: i64| {
        connection
            .execute("DELETE FROM stock WHERE sku = ?", [sku])
            .and_then(|_| {
                connection.execute(
                    "INSERT INTO stock VALUES (?, 'x', ?, ?, NULL)",
                    rusqlite::params![sku, units, seq],
                )
            })
            .expect("added");
    };
    for row in 0..50 {
        add(&format!("S{row}"), row, row + 1);
    }
    let project = database(
        folder.path(),
        "SELECT sku, on_hand AS \\\"on_hand\\\", seq FROM stock; ",
        "cursor = \"seq\"\ntie = \"sku\"\nmargin = 0",
    );
    let mut source = opened(&project);
    let (told, read) = well(&mut *source, None);
    assert_eq!(
        (told.len(), read.kind, read.position.cursor.as_str()),
        (50, ReadKind::Snapshot, "50")
    );
    assert_eq!(told[3].mark, Mark::Sequence(4));
    // The bound is inclusive: the last row is among them, and another of its number.
    add("S7", 700, 50);
    add("S8", 800, 51);
    let (told, read) = well(&mut *source, Some(&read.position));
    let mut found = counts(&told);
    found.sort_unstable();
    assert_eq!(
        found,
        [("S49", Some(49)), ("S7", Some(700)), ("S8", Some(800))]
    );
    assert_eq!(
        (read.kind, read.position.cursor.as_str(), read.position.rows),
        (ReadKind::Changes, "51", 50)
    );
    assert!(!read.position.proven, "what is not there may be unchanged");
    let (told, read) = well(&mut *source, Some(&read.position));
    assert_eq!(
        (told.len(), read.kind),
        (1, ReadKind::Changes),
        "repeats change nothing"
    );
    // A whole reading on demand.
    let whole = whole(super::source(&project).rows, &read.position);
    let (told, full) = well(&mut *source, Some(&whole));
    assert_eq!((told.len(), full.kind), (50, ReadKind::Snapshot));
    assert!(full.position.proven);
    // Another query: what was kept means nothing.
    let other = database(
        folder.path(),
        "SELECT sku, on_hand, seq FROM stock WHERE 1",
        "cursor = \"seq\"",
    );
    assert_eq!(
        well(&mut *opened(&other), Some(&read.position)).1.kind,
        ReadKind::Snapshot
    );
    // A database that went back to an older copy.
    connection
        .execute_batch("DELETE FROM stock WHERE seq > 40")
        .expect("back");
    let (told, back) = well(&mut *source, Some(&read.position));
    assert_eq!(
        (told.len(), back.kind, back.position.cursor.as_str()),
        (38, ReadKind::Snapshot, "40")
    );
    assert!(back.remarks[0].contains("`51`"), "{:?}", back.remarks);
}

#[test]
fn times_go_back_by_the_margin_and_are_kept_as_written() {
    let (folder, connection) = shop(TABLE);
    connection
        .execute_batch(
            "INSERT INTO stock VALUES ('a', 'x', 1, 1, '2024-11-22T10:00:00.250Z'), ('b', 'x', 2, 2, '2024-11-22T10:00:59.999999Z'),
                ('c', 'x', 3, 3, '2024-11-22T10:01:00.5Z'), ('d', 'x', 4, 4, NULL)",
        )
        .expect("added");
    let project = database(
        folder.path(),
        "SELECT * FROM stock",
        "cursor = \"updated_at\"\ntie = \"sku\"",
    );
    let clock = StillClock::at("2024-11-22T12:00:00Z");
    let mut source = opened_at(&project, clock);
    let (told, read) = well(&mut *source, None);
    assert_eq!(
        (told.len(), read.position.cursor.as_str()),
        (4, "2024-11-22T10:01:00.5Z")
    );
    assert_eq!(told[3].mark, Mark::None);
    // A row that was stamped before and committed after: within the margin.
    connection
        .execute_batch("INSERT INTO stock VALUES ('e', 'x', 5, 5, '2024-11-22T10:00:00.3Z')")
        .expect("added");
    let (told, read) = well(&mut *source, Some(&read.position));
    let mut found: Vec<_> = told.iter().map(|row| row.sku.as_str()).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        ["a", "b", "c", "d", "e"],
        "from 10:00:00 on, and what has no time"
    );
    assert_eq!(read.position.cursor, "2024-11-22T10:01:00.5Z");
    // One zone and one form.
    connection
        .execute_batch("INSERT INTO stock VALUES ('f', 'x', 6, 6, '2024-11-22T10:02:00+07:00')")
        .expect("added");
    connection
        .execute_batch("INSERT INTO stock VALUES ('g', 'x', 6, 6, '2024-11-22T10:03:00Z'), ('h', 'x', 6, 6, '2024-11-22T11:00:00+02:00')")
        .expect("added");
    let failure = fails(&mut *source, Some(&read.position));
    assert_eq!(failure.exit(), 2, "{failure}");
    assert!(failure.to_string().contains("updated_at"), "{failure}");
}

#[test]
fn a_cursor_that_is_no_column_is_named() {
    let (folder, _connection) = shop(TABLE);
    let project = database(
        folder.path(),
        "SELECT sku, on_hand FROM stock",
        "cursor = \"changed\"",
    );
    let failure = fails(&mut *opened(&project), None);
    assert_eq!(failure.exit(), 2);
    assert!(failure.to_string().contains("`changed`"), "{failure}");
}

#[test]
fn odd_names_and_queries_are_quoted() {
    let bound = lower(
        "5",
        Margin::Numbers(0),
        &jiff::tz::TimeZone::UTC,
        crate::clock::now(),
    );
    let bound = bound.expect("a bound");
    for (engine, want) in [
        (Engine::Sqlite, "shelfcast_rows.\"a\"\"b; DROP\""),
        (Engine::Postgres, "shelfcast_rows.\"a\"\"b; DROP\""),
        (Engine::Mysql, "shelfcast_rows.`a\"b; DROP`"),
    ] {
        let text = statement(
            engine,
            "SELECT 1 -- all;",
            "a\"b; DROP",
            Some("x`y"),
            Some(&bound),
        );
        assert!(
            text.contains(&format!("WHERE {want} >= 5 OR {want} IS NULL")),
            "{text}"
        );
        assert!(
            text.contains("SELECT 1 -- all\n)"),
            "a comment ends before the bracket: {text}"
        );
    }
    let (folder, _connection) = shop(
        "CREATE TABLE t (sku TEXT, on_hand INT, \"odd \"\"name\"\" é\" INT); INSERT INTO t VALUES ('a', 1, 7)",
    );
    let project = database(
        folder.path(),
        "WITH x AS (SELECT * FROM t) SELECT * FROM x -- the end",
        "cursor = \"odd \\\"name\\\" é\"\nmargin = 5",
    );
    let mut source = opened(&project);
    let read = well(&mut *source, None).1;
    assert_eq!(read.position.cursor, "7");
    assert_eq!(
        well(&mut *source, Some(&read.position)).1.kind,
        ReadKind::Changes
    );
}

/// The address of a server to test with, or a note that there is none.
#[cfg(feature = "sql")]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn server(variable: &str) -> Option<String> {
    let dsn = std::env::var(variable).ok();
    if dsn.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    dsn
}

/// A cursor over rows that a query makes itself: no table is needed.
#[cfg(feature = "sql")]
fn served(dsn: &str, rows: &str, want: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("dsn"), dsn).expect("written");
    let project = project(
        folder.path(),
        &format!(
            "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"file:dsn\"\nquery = \"\"\"{rows}\"\"\"\ncursor = \"updated_at\"\ntie = \"sku\"\n"
        ),
    );
    let mut source = opened(&project);
    let (told, read) = well(&mut *source, None);
    assert_eq!((told.len(), read.kind), (3, ReadKind::Snapshot));
    assert_eq!(read.position.cursor, want);
    assert!(
        told.iter().all(|row| matches!(row.mark, Mark::Time { .. })),
        "{told:?}"
    );
    let (told, read) = well(&mut *source, Some(&read.position));
    let found: Vec<_> = told.iter().map(|row| row.sku.as_str()).collect();
    assert_eq!((found, read.kind), (vec!["b", "c"], ReadKind::Changes));
    assert_eq!(read.position.cursor, want);
}

#[cfg(feature = "sql")]
#[test]
fn postgres_gives_changes_from_a_time_on() {
    let Some(dsn) = server("SHELFCAST_TEST_POSTGRES") else {
        return;
    };
    for (kind, want) in [
        ("TIMESTAMPTZ", "2024-11-22T10:01:30.123456Z"),
        ("TIMESTAMP", "2024-11-22T10:01:30.123456"),
    ] {
        served(
            &dsn,
            &format!(
                "SELECT * FROM (VALUES ('a', 1, {kind} '2024-11-22 10:00:00+00'), ('b', 2, {kind} '2024-11-22 10:00:30.5+00'), \
                 ('c', 3, {kind} '2024-11-22 10:01:30.123456+00')) AS v (sku, on_hand, updated_at)"
            ),
            want,
        );
    }
    let lost = "SELECT 'S' || i AS sku, i AS on_hand, CASE WHEN i = 20000 THEN pg_terminate_backend(pg_backend_pid())::text END AS x FROM generate_series(1, 40000) AS i";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("dsn"), &dsn).expect("written");
    let project = project(
        folder.path(),
        &format!(
            "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"file:dsn\"\nquery = \"{lost}\"\n"
        ),
    );
    let (told, read) = heard(&mut *opened(&project), None);
    assert!(!told.is_empty(), "it was lost on the way");
    assert_eq!(read.expect_err("is lost").exit(), 7);
}

#[cfg(feature = "sql")]
#[test]
fn mysql_gives_changes_from_a_time_on() {
    let Some(dsn) = server("SHELFCAST_TEST_MYSQL") else {
        return;
    };
    served(
        &dsn,
        "SELECT 'a' AS sku, 1 AS on_hand, CAST('2024-11-22 10:00:00' AS DATETIME(6)) AS updated_at UNION ALL \
         SELECT 'b', 2, CAST('2024-11-22 10:00:30.5' AS DATETIME(6)) UNION ALL \
         SELECT 'c', 3, CAST('2024-11-22 10:01:30.123456' AS DATETIME(6))",
        "2024-11-22T10:01:30.123456",
    );
}
