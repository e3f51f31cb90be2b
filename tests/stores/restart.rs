//! A real online store that dies in the middle of a sync and comes back: the program's own `sync`, killed from the other side.
//!
//! `tests/services` kills the server's process and starts it again on the same port and database. Nothing is lost, nothing
//! goes in twice, and runs go on until every level is what the tills say.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use shelfcast::store::Reading;

use super::{Level, Shop, alone, call, ids, items, medusa, reads_as, vendure};
use crate::harness::{FeedTest, repository};

/// Runs until everything is in step; what nobody knows is read back after the store's quiet time of a minute.
const RUNS_MAX: u32 = 12;

/// Lines of the ledger about levels that the store took.
const TAKEN: &str = "what = '\"accepted\"'";

/// How long the store is away.
#[derive(Clone, Copy, PartialEq)]
enum Away {
    /// It is started again at once, while the run goes on trying.
    Shortly,
    /// It comes back when the run has given up.
    UntilTheRunEnds,
}

/// Where a store may be killed, if it may.
fn restarts(name: &str) -> Option<String> {
    let folder = std::env::var(format!("{name}_RESTARTS")).ok()?;
    (!folder.is_empty()).then_some(folder)
}

fn services(folder: &str, what: &str, store: &str) {
    let done = Command::new(repository().join("tests/services"))
        .args([what, store])
        .env("SHELFCAST_SERVICES", folder)
        .stdin(Stdio::null())
        .status();
    assert!(done.expect("bash runs").success(), "{what} {store}");
}

/// A project whose tills say these levels.
fn project(shop: &Shop, connector: &str, secrets: &[(&str, &str)], levels: &[Level]) -> FeedTest {
    let test = FeedTest::empty();
    let mut given = String::new();
    for (name, value) in secrets {
        test.file(name, value);
        given.push_str(&format!("{name} = \"file:{name}\"\n"));
    }
    let [high_street, warehouse] = &shop.places;
    test.file(
        "shelfcast.toml",
        format!(
            r#"
[shop]
name = "Loopback"
url = "https://shop.example"
currency = "GBP"
language = "en"
country = "GB"

[[source]]
name = "tills"
role = "stock"
database = "sqlite:tills.db"
query = "SELECT sku, location, on_hand, seq FROM stock"
basis = "on_hand"
order = "seq"

[[location]]
code = "shop"

[[location]]
code = "warehouse"

[[store]]
name = "web"
connector = "{connector}"
url = "{}"
{given}
[[sync]]
name = "web-stock"
from = "tills"
to = "web"
online_orders = "booked"
locations = {{ shop = "{high_street}", warehouse = "{warehouse}" }}

[sync.guard]
to_zero = "off"
changed = "off"
units = "off"
vanished = "off"
"#,
            shop.url
        ),
    );
    let tills = rusqlite::Connection::open(test.path("tills.db")).expect("tills");
    tills
        .execute_batch("CREATE TABLE stock (sku TEXT, location TEXT, on_hand INTEGER, seq INTEGER)")
        .expect("a table");
    tills.execute_batch("BEGIN").expect("begun");
    for (sku, place, units) in levels {
        let location = match place == high_street {
            true => "shop",
            false => "warehouse",
        };
        let row = (sku, location, units, 1);
        tills
            .execute("INSERT INTO stock VALUES (?, ?, ?, ?)", row)
            .expect("a row");
    }
    tills.execute_batch("COMMIT").expect("kept");
    test
}

fn sync(test: &FeedTest) -> Child {
    Command::new(env!("CARGO_BIN_EXE_shelfcast"))
        .args(["sync"])
        .current_dir(test.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

/// One number out of a copy of the state; none while there is none.
fn counted(test: &FeedTest, query: &str) -> Option<i64> {
    let copy = tempfile::tempdir().expect("a folder");
    let state = test.path(".shelfcast/sync");
    for end in ["", "-wal"] {
        let name = format!("web.db{end}");
        std::fs::copy(state.join(&name), copy.path().join(&name)).ok()?;
    }
    let open = |path: &Path| rusqlite::Connection::open(path);
    let state = open(&copy.path().join("web.db")).ok()?;
    state.query_row(query, [], |row| row.get(0)).ok()
}

/// Waits until some batches are through and another is on its way.
fn under_way(test: &FeedTest, run: &mut Child) {
    let begun = Instant::now();
    let accepted = format!("SELECT count(*) FROM ledger WHERE {TAKEN}");
    loop {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "nothing went out"
        );
        assert_eq!(run.try_wait().expect("a child"), None, "it was too quick");
        let through = counted(test, &accepted).unwrap_or(0);
        if through >= 100 && counted(test, "SELECT count(*) FROM batches").unwrap_or(0) > 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What the tills will say, and how many levels that changes at the store.
fn elsewhere(shop: &Shop) -> (Vec<Level>, i64) {
    let store = shop.open();
    let ids = ids(&store);
    let now = shop.levels(6);
    let now = store.read(&items(&now, &ids)).expect("read");
    let changed = |levels: &[Level]| {
        let pairs = levels.iter().zip(&now);
        let changed = pairs.filter(|(level, now)| **now != Reading::Level(level.2));
        i64::try_from(changed.count()).expect("some")
    };
    let two = [6, 7].map(|round| shop.levels(round));
    let levels = two.into_iter().max_by_key(|levels| changed(levels));
    let levels = levels.expect("two");
    let changed = changed(&levels);
    assert!(changed > 600, "{changed}");
    (levels, changed)
}

fn goes_on(
    shop: &Shop,
    connector: &str,
    secrets: &[(&str, &str)],
    folder: &str,
    away: Away,
) -> i64 {
    let name = connector;
    let (levels, changed) = elsewhere(shop);
    let test = project(shop, connector, secrets, &levels);
    let mut run = sync(&test);
    under_way(&test, &mut run);
    let began = Instant::now();
    services(folder, "kill", name);
    let first = match away {
        Away::Shortly => {
            services(folder, "again", name);
            println!("{name}: back after {:.1} s", began.elapsed().as_secs_f32());
            run.wait_with_output().expect("ends")
        }
        Away::UntilTheRunEnds => {
            let first = run.wait_with_output().expect("ends");
            println!(
                "{name}: gave up after {:.1} s",
                began.elapsed().as_secs_f32()
            );
            assert_eq!(first.status.code(), Some(4), "{first:?}");
            services(folder, "again", name);
            first
        }
    };
    let said = |output: &std::process::Output| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    println!("exit {:?}\n{}", first.status.code(), said(&first));
    let mut code = first.status.code();
    for _ in 0..RUNS_MAX {
        if code == Some(0) {
            break;
        }
        std::thread::sleep(Duration::from_secs(10));
        let output = sync(&test).wait_with_output().expect("ends");
        code = output.status.code();
        println!("exit {code:?}\n{}", said(&output));
    }
    assert_eq!(code, Some(0), "it never came in step");
    println!(
        "{name}: in step after {:.1} s",
        began.elapsed().as_secs_f32()
    );

    let store = shop.open();
    let ids = ids(&store);
    reads_as(&store, &levels, &items(&levels, &ids));
    let twice = format!(
        "SELECT count(*) FROM (SELECT 1 FROM ledger WHERE {TAKEN} GROUP BY place, sku, version HAVING count(*) > 1)"
    );
    assert_eq!(counted(&test, &twice), Some(0), "acknowledged twice");
    let open = "SELECT (SELECT count(*) FROM batches) + (SELECT count(*) FROM levels WHERE wanted_quantity IS NOT known_quantity)";
    assert_eq!(counted(&test, open), Some(0), "left open");
    let run = sync(&test).wait_with_output().expect("ends");
    assert_eq!(run.status.code(), Some(0));
    let lines = format!("SELECT count(*) FROM ledger WHERE {TAKEN}");
    assert!(counted(&test, &lines).expect("a ledger") <= changed);
    changed
}

/// The entries in Vendure's own book of stock movements.
fn movements(shop: &Shop) -> i64 {
    let post = reqwest::Method::POST;
    let login = json!({ "query": "mutation { login(username: \"superadmin\", password: \"superadmin\") { __typename } }" });
    let (_, token) = call(post.clone(), &shop.url, "", Some(&login));
    let query = json!({ "query": "{ productVariants(options: { take: 1000 }) { items { stockMovements { totalItems } } } }" });
    let (found, _) = call(post, &shop.url, &token, Some(&query));
    let variants = found["data"]["productVariants"]["items"].as_array();
    let variants = variants.unwrap_or_else(|| panic!("{found}"));
    variants
        .iter()
        .map(|variant| {
            variant["stockMovements"]["totalItems"]
                .as_i64()
                .expect("a number")
        })
        .sum()
}

#[test]
fn vendure_dies_in_the_middle_and_comes_back() {
    let _alone = alone();
    let (Some(shop), Some(folder)) = (vendure(), restarts("SHELFCAST_TEST_VENDURE")) else {
        println!(
            "skipped: Vendure may not be restarted (it needs the PostgreSQL of tests/services)"
        );
        return;
    };
    let entries = movements(&shop);
    let secrets = [("user", "superadmin"), ("password", "superadmin")];
    let changed = goes_on(&shop, "vendure", &secrets, &folder, Away::Shortly);
    // each level that changed has one entry there: nothing was lost, nothing was done twice
    assert_eq!(movements(&shop) - entries, changed, "in its own book");
}

#[test]
fn medusa_dies_in_the_middle_and_comes_back() {
    let _alone = alone();
    let (Some(shop), Some(folder)) = (medusa(), restarts("SHELFCAST_TEST_MEDUSA")) else {
        println!("skipped: Medusa may not be restarted");
        return;
    };
    let key = shop.secrets["api_key"].expose().to_owned();
    let secrets = [("api_key", key.as_str())];
    goes_on(&shop, "medusa", &secrets, &folder, Away::Shortly);
    // a run that has given up, and the quiet time of what it left unknown, take minutes
    if std::env::var_os("SHELFCAST_LONG").is_some() {
        goes_on(&shop, "medusa", &secrets, &folder, Away::UntilTheRunEnds);
    }
}
