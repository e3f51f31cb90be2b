//! Real stock files, where they are at hand.

use std::io::Write as _;
use std::path::PathBuf;

use super::*;

/// A folder of real data, or a note that there is none.
fn real(name: &str) -> Option<PathBuf> {
    let shared = std::env::var("SHELFCAST_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let path = PathBuf::from(shared).join("data").join(name);
    let path = path.canonicalize().ok();
    if path.is_none() {
        let mut out = std::io::stderr();
        let said = out.write_all(b"skipped: no real stock at SHELFCAST_SHARED\n");
        said.expect("standard error takes it");
    }
    path
}

fn read(path: &Path, basis: &str, keys: &str) -> (Vec<Observation>, Read) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = stock(&path.display().to_string(), keys)
        .replace("basis = \"on_hand\"", &format!("basis = \"{basis}\""));
    let project = project(folder.path(), &text);
    well(&mut *opened(&project), None)
}

#[test]
fn an_inventory_by_supply_channel() {
    let Some(path) = real("sunrise-inventory/inventory.csv") else {
        return;
    };
    let lines = std::fs::read_to_string(&path).expect("read");
    let lines: Vec<&str> = lines
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .collect();
    let (told, read) = read(
        &path,
        "on_hand",
        "[source.fields]\non_hand = \"quantityOnStock\"\nlocation = \"supplyChannel\"",
    );
    assert!(lines.len() > 10_000);
    assert_eq!(
        told.len() + usize::try_from(read.found).expect("few"),
        lines.len()
    );
    assert!(
        read.rejected
            .iter()
            .all(|finding| finding.rule == "duplicate-key"),
        "{:?}",
        read.rejected.first()
    );
    // By another way: split at commas.
    let plain: i64 = lines
        .iter()
        .filter_map(|line| line.split(',').nth(1)?.parse::<i64>().ok())
        .sum();
    if read.found == 0 {
        assert_eq!(
            told.iter().filter_map(|row| row.quantity).sum::<i64>(),
            plain
        );
    }
    assert!(told.iter().any(|row| row.location.is_empty()));
    assert!(
        told.iter()
            .all(|row| row.quantity.is_some() && row.committed.is_none())
    );
}

#[test]
fn exports_of_shops() {
    for (name, keys) in [
        (
            "magento2-luma/products.csv",
            "[source.fields]\non_hand = \"qty\"",
        ),
        ("woocommerce-sample", "preset = \"woocommerce\""),
        ("prom-ua-import/import_products.csv", ""),
    ] {
        let Some(path) = real(name) else { continue };
        let path = if path.is_dir() {
            let mut files: Vec<PathBuf> = std::fs::read_dir(&path)
                .expect("a folder")
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
                .collect();
            files.sort();
            match files.into_iter().next() {
                Some(file) => file,
                None => continue,
            }
        } else {
            path
        };
        let folder = tempfile::tempdir().expect("a folder");
        let text = stock(&path.display().to_string(), keys);
        let project = project(folder.path(), &text);
        let (told, read) = heard(&mut *opened(&project), None);
        match read {
            Ok(read) => {
                assert!(!told.is_empty(), "{name}");
                assert_eq!(
                    u64::try_from(told.len()).expect("few") + duplicates(&read),
                    read.rows,
                    "{name}"
                );
            }
            // A file without a count is a mistake of the project, and says which column it wants.
            Err(failure) => {
                assert_eq!(failure.exit(), 2, "{name}: {failure}");
                assert!(
                    failure.to_string().contains("there is no column"),
                    "{name}: {failure}"
                );
            }
        }
    }
}

fn duplicates(read: &Read) -> u64 {
    let found = read
        .rejected
        .iter()
        .filter(|finding| finding.rule == "duplicate-key");
    u64::try_from(found.count()).expect("few")
}

#[test]
fn many_rows_stream_by_and_their_end_mark_counts_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::create(folder.path().join("a.csv")).expect("made");
    let mut out = std::io::BufWriter::new(file);
    out.write_all(b"sku,location,on_hand\n").expect("written");
    const ROWS: u64 = 200_000;
    for row in 0..ROWS {
        writeln!(out, "SKU-{row:08},L{},{}", row % 7, row % 100).expect("written");
    }
    writeln!(out, "#END,,{ROWS}").expect("written");
    drop(out);
    let project = project(folder.path(), &stock("a.csv", "end = \"#END\""));
    let (mut told, mut units) = (0_u64, 0_i64);
    let read = opened(&project)
        .read(None, &mut |row| {
            told += 1;
            units += row.quantity.unwrap_or(0);
            Ok(())
        })
        .expect("whole");
    assert_eq!((told, read.rows), (ROWS, ROWS));
    assert_eq!(
        units,
        i64::try_from(ROWS / 100).expect("small") * (99 * 100 / 2)
    );
    assert!(read.position.proven);
}
