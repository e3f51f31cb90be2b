#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use super::*;

/// Columns, records with their numbers, and rejects.
#[derive(Debug)]
struct Whole {
    columns: Vec<String>,
    records: Vec<(u64, Vec<String>)>,
    rejects: usize,
}

fn run(dsn: &str, query: &str, timeout_ms: u64) -> Result<Whole, SourceError> {
    let mut reader = open(dsn, query, &SqlOptions { timeout_ms })?;
    let mut batch = Batch::default();
    let mut whole = Whole {
        columns: reader.columns().to_vec(),
        records: Vec::new(),
        rejects: 0,
    };
    while reader.read_batch(&mut batch)? {
        for record in 0..batch.len() {
            let cells = (0..batch.width()).map(|column| batch.cell(record, column).to_owned());
            whole.records.push((batch.line(record), cells.collect()));
        }
        whole.rejects += batch.rejects.len();
    }
    Ok(whole)
}

/// A file with a small shop in it.
fn shop() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("shop.db");
    rusqlite::Connection::open(&path)
        .and_then(|connection| {
            connection.execute_batch(
                "CREATE TABLE stock (sku TEXT, on_hand INTEGER, price REAL, note TEXT, raw BLOB);
                 INSERT INTO stock VALUES ('007', 12345678901234567, 19.99, NULL, x'ff00'),
                     ('สอง' || char(31), 0, 1e21, '', x'6162'), ('x', -1, 0.1, CAST(x'ff' AS TEXT), NULL);",
            )
        })
        .expect("makes a shop");
    let dsn = format!("sqlite:{}?mode=ro", path.display());
    (folder, dsn)
}

#[test]
fn sqlite_rows_come_as_exact_text() {
    let (_folder, dsn) = shop();
    let whole = run(
        &dsn,
        " -- all\n SELECT *, 1 AS sku FROM stock ORDER BY rowid;",
        10_000,
    )
    .expect("reads");
    assert_eq!(
        whole.columns,
        ["sku", "on_hand", "price", "note", "raw", "sku (2)"]
    );
    assert_eq!(whole.records.len(), 2);
    assert_eq!(
        whole.records[0].1,
        ["007", "12345678901234567", "19.99", "", "\\xff00", "1"]
    );
    assert_eq!(
        whole.records[1].1,
        ["สอง", "0", "1000000000000000000000", "", "ab", "1"]
    );
    assert_eq!(whole.records[1].0, 2);
    assert_eq!(whole.rejects, 1);
    let none = run(&dsn, "SELECT sku FROM stock WHERE 0", 10_000).expect("reads");
    assert_eq!(
        (none.columns, none.records.len()),
        (vec!["sku".to_owned()], 0)
    );
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n";
    let many = run(&dsn, many, 10_000).expect("reads");
    assert_eq!(many.records.len(), 60_000);
    assert_eq!(many.records[59_999], (60_000, vec!["60000".to_owned()]));
}

#[test]
fn sqlite_only_reads_one_statement() {
    let (folder, dsn) = shop();
    for (query, says) in [
        ("DELETE FROM stock", "begins with `DELETE`"),
        (
            "/* x */ -- y\n UPDATE stock SET sku = 1",
            "begins with `UPDATE`",
        ),
        ("WITH x AS (SELECT 1) DELETE FROM stock", "more than read"),
        ("SELECT 1; DELETE FROM stock", "more than one statement"),
        ("", "is empty"),
        ("-- only a comment", "is empty"),
        ("SELECT nonesuch FROM stock", "no such column"),
        ("SELECT * FROM nowhere", "no such table"),
    ] {
        let error = run(&dsn, query, 10_000).expect_err(query);
        assert_eq!(
            error.problem,
            SourceProblem::Configuration,
            "{query}: {error}"
        );
        assert!(error.message.contains(says), "{query}: {error}");
    }
    assert_eq!(
        run(&dsn, "SELECT sku FROM stock", 10_000)
            .expect("reads")
            .records
            .len(),
        3
    );
    let missing = run("sqlite:no/such.db", "SELECT 1", 10_000).expect_err("is not there");
    assert_eq!(missing.problem, SourceProblem::Missing);
    let junk = folder.path().join("junk.db");
    std::fs::write(&junk, vec![b'x'; 5_000]).expect("writes");
    let junk = run(
        &format!("sqlite:{}", junk.display()),
        "SELECT 1 FROM t",
        10_000,
    );
    assert_eq!(junk.expect_err("is none").problem, SourceProblem::NotWhole);
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let slow = run(&dsn, endless, 100).expect_err("takes too long");
    assert_eq!(slow.problem, SourceProblem::NotWhole);
    assert!(slow.message.contains("longer than 100 ms"), "{slow}");
}

#[test]
fn a_cut_sqlite_file_is_never_whole() {
    let (folder, dsn) = shop();
    let path = folder.path().join("shop.db");
    let bytes = std::fs::read(&path).expect("reads");
    for end in (0..bytes.len()).step_by(512) {
        std::fs::write(&path, &bytes[..end]).expect("writes");
        assert!(
            run(&dsn, "SELECT * FROM stock", 10_000).is_err(),
            "cut at {end}"
        );
    }
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

/// What both servers must do.
#[cfg(feature = "sql")]
fn common(dsn: &str) {
    for (query, problem, says) in [
        (
            "SELECT 1; SELECT 2",
            SourceProblem::Configuration,
            "query is wrong",
        ),
        (
            "SELECT * FROM nowhere_at_all",
            SourceProblem::Configuration,
            "nowhere_at_all",
        ),
        (
            "SELEC 1",
            SourceProblem::Configuration,
            "begins with `SELEC`",
        ),
    ] {
        let error = run(dsn, query, 10_000).expect_err(query);
        assert_eq!(error.problem, problem, "{query}: {error}");
        assert!(error.message.contains(says), "{query}: {error}");
    }
    let none = run(dsn, "SELECT 1 AS a, 'x' AS b WHERE 1 = 0", 10_000).expect("reads");
    assert_eq!(none.columns, ["a", "b"]);
    assert!(none.records.is_empty());
    let (scheme, rest) = dsn.split_once("://").expect("is an address");
    let (_, host) = rest.split_once('@').expect("has a user");
    let wrong = format!("{scheme}://nobody:s3cret@{host}");
    let error = run(&wrong, "SELECT 1", 10_000).expect_err("is refused");
    assert_eq!(error.problem, SourceProblem::Missing, "{error}");
    assert!(
        !format!("{error} {}", error.hint).contains("s3cret"),
        "{error}"
    );
    let closed = format!("{scheme}://a:s3cret@127.0.0.1:1/x");
    let error = run(&closed, "SELECT 1", 10_000).expect_err("is closed");
    assert_eq!(error.problem, SourceProblem::Missing, "{error}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("{scheme}://127.0.0.1:1/x: ")),
        "{error}"
    );
}

#[cfg(feature = "sql")]
#[test]
fn postgres_values_come_as_exact_text() {
    let Some(dsn) = server("SHELFCAST_TEST_POSTGRES") else {
        return;
    };
    common(&dsn);
    let whole = run(
        &dsn,
        "SELECT 12345678901234567890123456789012345678901234567890.120::numeric AS n, true AS b,
            TIMESTAMPTZ '2026-11-22 20:05:09.5+07' AS t, TIMESTAMP '2026-11-22 20:05:09' AS u, DATE '2026-11-22' AS d,
            '{\"a\": 1.10}'::json AS j, '{\"a\":1.10}'::jsonb AS k,
            '11111111-2222-3333-4444-555555555555'::uuid AS i, ARRAY['a', NULL, 'b c'] AS l, NULL AS z,
            'ก'::text AS x, '\\xff00'::bytea AS y, 0.1::float8 AS f, 9223372036854775807 AS m, n AS n
         FROM generate_series(1, 1) AS n -- the end",
        10_000,
    )
    .expect("reads");
    assert_eq!(whole.columns.last().map(String::as_str), Some("n (2)"));
    assert_eq!(
        whole.records[0].1,
        [
            "12345678901234567890123456789012345678901234567890.120",
            "true",
            "2026-11-22T13:05:09.5Z",
            "2026-11-22T20:05:09",
            "2026-11-22",
            "{\"a\": 1.10}",
            "{\"a\": 1.10}",
            "11111111-2222-3333-4444-555555555555",
            "a\u{1f}b c",
            "",
            "ก",
            "\\xff00",
            "0.1",
            "9223372036854775807",
            "1"
        ]
    );
    let many = "SELECT i, repeat('x', 100) FROM generate_series(1, 30000) AS i";
    let many = run(&dsn, many, 10_000).expect("reads");
    assert_eq!(many.records.len(), 30_000);
    assert_eq!(many.records[29_999].1[0], "30000");
    let slow = run(&dsn, "SELECT pg_sleep(30)", 200).expect_err("takes too long");
    assert!(slow.message.contains("longer than 200 ms"), "{slow}");
    let writes = "WITH gone AS (DELETE FROM pg_class RETURNING relname) SELECT * FROM gone";
    let writes = run(&dsn, writes, 10_000).expect_err("writes");
    assert_eq!(writes.problem, SourceProblem::Configuration, "{writes}");
    let lost = "SELECT i, CASE WHEN i = 20000 THEN pg_terminate_backend(pg_backend_pid()) END FROM generate_series(1, 40000) AS i";
    let lost = run(&dsn, lost, 10_000).expect_err("is lost");
    assert_eq!(lost.problem, SourceProblem::NotWhole, "{lost}");
}

#[cfg(feature = "sql")]
#[test]
fn mysql_values_come_as_exact_text() {
    let Some(dsn) = server("SHELFCAST_TEST_MYSQL") else {
        return;
    };
    common(&dsn);
    let whole = run(
        &dsn,
        "SELECT CAST('12345678901234567890123456789012345.120' AS DECIMAL(60, 3)) AS n, TRUE AS b,
            TIMESTAMP '2026-11-22 20:05:09' AS u, DATE '2026-11-22' AS d, JSON_OBJECT('a', 1) AS j, NULL AS z,
            'ก' AS x, UNHEX('ff00') AS y, 18446744073709551615 AS m, b'101' AS bits, 1 AS n /* end */;",
        10_000,
    )
    .expect("reads");
    assert_eq!(whole.columns.last().map(String::as_str), Some("n (2)"));
    assert_eq!(
        whole.records[0].1[0],
        "12345678901234567890123456789012345.120"
    );
    assert_eq!(whole.records[0].1[1], "1");
    assert_eq!(whole.records[0].1[2], "2026-11-22T20:05:09");
    assert_eq!(whole.records[0].1[3], "2026-11-22");
    assert_eq!(whole.records[0].1[4], "{\"a\": 1}");
    assert_eq!(
        whole.records[0].1[5..9],
        ["", "ก", "\\xff00", "18446744073709551615"]
    );
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
                SELECT a.i * 1000 + b.i FROM n AS a JOIN n AS b ON b.i <= 30 ORDER BY a.i, b.i";
    let many = run(&dsn, many, 10_000).expect("reads");
    assert_eq!(many.records.len(), 27_000);
    assert_eq!(many.records[26_999].1[0], "900030");
    let slow = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c";
    let slow = run(&dsn, slow, 200).expect_err("takes too long");
    assert!(slow.message.contains("longer than 200 ms"), "{slow}");
}
