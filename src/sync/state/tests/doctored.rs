//! C9: `doctor` finds every damage that is planted, and nothing in states that are whole.

use super::super::doctor::examine;
use super::super::suite::naive::Said;
use super::super::suite::random::{Draw, write};
use super::*;
use crate::sync::level::{Batch, BatchItem, BatchState};

fn sample() -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a folder");
    let mut state = open(project.path()).expect("opens");
    fill(&mut state);
    drop(state);
    project
}

/// Edits a database behind our back.
fn edited(project: &Path, edit: &str) {
    let connection = rusqlite::Connection::open(file(project, "main.db")).expect("opens");
    connection.execute_batch(edit).expect(edit);
    drop(connection);
}

#[test]
fn every_planted_damage_is_found() {
    // The edit, and what is said of it.
    let planted: &[(&str, &str)] = &[
        (
            "UPDATE levels SET known_quantity = NULL WHERE sku = 'SKU-0003'",
            "half there",
        ),
        (
            "UPDATE levels SET known_version = 9 WHERE sku = 'SKU-0003'",
            "a newer version of SKU-0003",
        ),
        (
            "UPDATE levels SET known_at = 999999 WHERE sku = 'SKU-0003'",
            "a commit that has not been",
        ),
        (
            "UPDATE levels SET class = NULL WHERE sku = 'OPEN'",
            "filed under the wrong kind",
        ),
        (
            "UPDATE levels SET class = 1 WHERE sku = 'SKU-0003'",
            "filed under the wrong kind",
        ),
        (
            "UPDATE levels SET standing = '{\"dead\":1}' WHERE sku = 'DEAD'",
            "cannot be understood",
        ),
        (
            "UPDATE levels SET flight = 1, class = 6 WHERE sku = 'DEAD'",
            "is on its way",
        ),
        (
            "UPDATE levels SET attempts = -1 WHERE sku = 'SKU-0003'",
            "cannot be counted",
        ),
        (
            "UPDATE totals SET units = units + 1",
            "is not what is kept of it",
        ),
        ("DELETE FROM totals", "is not what is kept of it"),
        ("DELETE FROM batches", "batch 1 is gone"),
        (
            "UPDATE levels SET flight = NULL, class = 1 WHERE sku = 'NEW'",
            "not on its way with it",
        ),
        (
            "UPDATE levels SET flight = NULL, class = 1 WHERE sku = 'NEW'; UPDATE batches SET unknown = 1, unknown_since = 5",
            "nothing that is on its way",
        ),
        (
            "UPDATE batches SET items = json_insert(items, '$[#]', json_extract(items, '$[0]'))",
            "twice in batch 1",
        ),
        (
            "UPDATE batches SET items = json_set(items, '$[0].version', 5)",
            "carries a newer version",
        ),
        (
            "UPDATE batches SET key_ends = made_at",
            "ended before it was made",
        ),
        (
            "INSERT INTO batches SELECT 0, sync, key, made_at, key_ends, unknown, unknown_since, attempts, items FROM batches",
            "the same key",
        ),
        (
            "UPDATE batches SET unknown = 1",
            "since when batch 1 is unknown",
        ),
        ("UPDATE batches SET items = '[{'", "items of batch 1 cannot"),
        (
            "DELETE FROM numbers WHERE name = 'batch'",
            "batch numbers begin anew",
        ),
        (
            "INSERT INTO ledger SELECT id + 1000, at, sync, place, sku, version, quantity, earlier, batch, what, code, message FROM ledger WHERE sku = 'SKU-0004' AND version = 4",
            "accepted 2 times",
        ),
        (
            "UPDATE ledger SET version = 0 WHERE sku = 'SKU-0004' AND version = 4",
            "accepted after version 3",
        ),
        (
            "DELETE FROM ledger WHERE sku = 'SKU-0004' AND version = 4",
            "the ledger does not say so",
        ),
        (
            "UPDATE ledger SET version = 12 WHERE sku = 'SKU-0004' AND version = 4",
            "the newest wanted is 4",
        ),
        (
            "UPDATE ledger SET what = '\"taken\"' WHERE id = 7",
            "line 7 of the ledger",
        ),
        (
            "INSERT INTO observations SELECT source, id + 1000, key, digest, absent, location, sku, quantity, committed, safety_stock, mark, tie FROM observations WHERE id = 3",
            "kept twice",
        ),
        (
            "UPDATE observations SET source = 9 WHERE id = 3",
            "source 9, which nobody knows",
        ),
        (
            "INSERT INTO sources SELECT 'other', number FROM sources",
            "the same number",
        ),
        (
            "UPDATE observations SET absent = -1 WHERE id = 3",
            "absences of SKU-0002",
        ),
        (
            "INSERT INTO positions VALUES ('shop', 99999, 0, '', 0, '', 0, '[]')",
            "from a commit that has not been",
        ),
        (
            "INSERT INTO positions VALUES ('shop', 1, 0, '', 0, '', 0, '{')",
            "files of source shop",
        ),
        (
            "UPDATE events SET observations = ''",
            "event e1 of source shop",
        ),
        (
            "DELETE FROM numbers WHERE name = 'event'",
            "event numbers begin anew",
        ),
        ("UPDATE orders SET said = 'x'", "order 1 cannot"),
        (
            "DELETE FROM numbers WHERE name = 'order'",
            "order numbers begin anew",
        ),
        (
            "INSERT INTO held VALUES ('a1', 1, 'web', 0, '[]', 'x')",
            "held plan a1",
        ),
        ("INSERT INTO remotes VALUES ('A', '{}')", "remote id of A"),
        ("UPDATE meta SET counter = counter - 2", "the mark knows"),
        ("UPDATE notes SET value = 'y'", "do not add up"),
        ("DROP INDEX levels_class", "do not add up"),
    ];
    assert!(planted.len() >= 20);
    for (edit, said) in planted {
        let project = sample();
        assert!(examine(project.path(), "main").is_empty());
        edited(project.path(), edit);
        let found = examine(project.path(), "main");
        assert!(
            found
                .iter()
                .any(|one| one.damaged && one.message.contains(said)),
            "{edit}: {found:#?}"
        );
        assert!(found.iter().all(|one| !one.hint.is_empty()));
    }
}

#[test]
fn damaged_files_are_found() {
    let flip = |name: &str, at: usize| {
        let project = sample();
        let path = file(project.path(), name);
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[at] ^= 16;
        std::fs::write(&path, bytes).expect("writes");
        examine(project.path(), "main")
    };
    assert!(!flip("main.db", 3).is_empty(), "its first words");
    let project = sample();
    let mark = file(project.path(), "main.mark");
    std::fs::write(&mark, "x").expect("writes");
    assert!(
        examine(project.path(), "main")[0]
            .message
            .contains("the mark is cut")
    );
    std::fs::remove_file(&mark).expect("removed");
    assert!(
        examine(project.path(), "main")[0]
            .message
            .contains("the mark cannot be read")
    );
    let project = sample();
    std::fs::remove_file(file(project.path(), "main.db")).expect("removed");
    assert!(
        examine(project.path(), "main")[0]
            .message
            .contains("the database is gone")
    );
    let empty = tempfile::tempdir().expect("a folder");
    assert!(examine(empty.path(), "main").is_empty());
}

#[cfg(unix)]
#[test]
fn what_others_may_read_is_untidy() {
    use std::os::unix::fs::PermissionsExt;
    let project = sample();
    let mode = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(file(project.path(), "main.db"), mode).expect("set");
    let found = examine(project.path(), "main");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        !found[0].damaged && found[0].message.contains("644"),
        "{found:?}"
    );
}

/// A run as a run is, drawn at random: decide, send, settle, with dead letters, unknowns, cuts and events between.
fn lives(project: &Path, seed: u64) {
    let mut draw = Draw(seed);
    let mut state = open(project).expect("opens");
    let mut on_its_way: Option<Batch> = None;
    for _ in 0..20 {
        let pairs = ["A", "B", "C"].map(|sku| pair("p", sku));
        let one = |draw: &mut Draw| pairs[usize::try_from(draw.below(3)).expect("small")].clone();
        match draw.below(5) {
            // Wanted anew.
            0 | 1 => {
                let pair = one(&mut draw);
                let old = state.level(&pair).expect("reads");
                let mut level = old.unwrap_or_else(|| Level::new(pair, "web"));
                let version = level.wanted.map_or(0, |wanted| wanted.version) + 1;
                level.wanted = Some(crate::sync::level::Wanted {
                    quantity: i64::try_from(draw.below(4)).expect("small"),
                    version,
                    observed_at: state.tick(),
                });
                if draw.below(4) > 0 {
                    level.standing = Standing::Open;
                }
                keep(&mut state, &[Change::Level(&level)]);
            }
            // Sent.
            2 if on_its_way.is_none() => {
                let mut open = levels(&state, Which::Open);
                open.truncate(2);
                if open.is_empty() {
                    continue;
                }
                let mut sent = batch(state.next_batch().expect("reads"), &[]);
                for level in &mut open {
                    level.flight = Some(sent.id);
                    let wanted = level.wanted.expect("wanted");
                    sent.items.push(BatchItem {
                        pair: level.pair.clone(),
                        version: wanted.version,
                        quantity: wanted.quantity,
                        compare: level.known.map(|known| known.quantity),
                    });
                }
                let mut changes: Vec<Change<'_>> = open.iter().map(Change::Level).collect();
                changes.push(Change::Batch(&sent));
                keep(&mut state, &changes);
                on_its_way = Some(sent);
            }
            // Settled, or unknown for now.
            3 => {
                let Some(mut sent) = on_its_way.take() else {
                    continue;
                };
                if draw.below(4) == 0 {
                    sent.state = BatchState::Unknown;
                    sent.unknown_since = Some(at(50));
                    keep(&mut state, &[Change::Batch(&sent)]);
                    on_its_way = Some(sent);
                    continue;
                }
                let (mut told, mut lines) = (Vec::new(), Vec::new());
                for item in &sent.items {
                    let level = state.level(&item.pair).expect("reads");
                    let mut level = level.expect("it is on its way");
                    level.flight = None;
                    let (place, sku) = (&item.pair.place, &item.pair.sku);
                    if draw.below(4) == 0 {
                        level.standing = Standing::Dead {
                            code: "422".to_owned(),
                            message: String::new(),
                            since: at(60),
                        };
                        lines.push(line(place, sku, item.version, What::Dead));
                    } else {
                        level.known = Some(Known {
                            quantity: item.quantity,
                            version: item.version,
                            at: state.tick(),
                        });
                        let mut line = line(place, sku, item.version, What::Accepted);
                        line.batch = sent.id;
                        lines.push(line);
                    }
                    told.push(level);
                }
                let mut changes: Vec<Change<'_>> = told.iter().map(Change::Level).collect();
                changes.extend(lines.iter().map(Change::Line));
                changes.push(Change::BatchEnded(sent.id));
                if draw.below(3) == 0 {
                    changes.push(Change::LedgerCut(at(1000)));
                }
                keep(&mut state, &changes);
            }
            // What has nothing to do with levels on their way.
            _ => {
                let said = draw.change();
                if !matches!(
                    said,
                    Said::Level(_)
                        | Said::Batch(_)
                        | Said::BatchEnded(_)
                        | Said::Line(_)
                        | Said::Position(..)
                ) {
                    state
                        .commit(&mut |transaction| write(transaction, &said))
                        .expect("kept");
                }
            }
        }
    }
}

#[test]
fn in_states_that_are_whole_nothing_is_found() {
    for seed in 0..100 {
        let project = tempfile::tempdir().expect("a folder");
        lives(project.path(), seed * 7919 + 1);
        let found = examine(project.path(), "main");
        assert!(found.is_empty(), "seed {seed}: {found:?}");
    }
}
