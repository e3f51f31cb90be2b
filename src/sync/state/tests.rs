#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, where they like"
)]
//! What the state in SQLite promises beyond the suite: damage, kills, locks, looks beside a run, and what `doctor` finds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::state::{Busy, StateError, Trouble};
use crate::sync::level::{Batch, Known, Level, Standing, What};

use super::memory::{MemoryDisk, MemoryState};
use super::sqlite::{SqliteIntake, SqliteScratch, SqliteState, append_order, read};
use super::suite::{at, batch, dump, keep, known_level, levels, line, open_level, pair, row};
use super::{Change, Event, Look, Order, SyncState, Which};

mod beside;
mod bugs;
mod damage;
mod doctored;
#[cfg(unix)]
mod kills;

fn open(project: &Path) -> Result<SqliteState, StateError> {
    SqliteState::open(project, "main", Duration::ZERO, at(0)).map_err(StateError::from)
}

fn file(project: &Path, name: &str) -> PathBuf {
    project.join(".shelfcast/sync").join(name)
}

/// A state of some size in which everything occurs, as a run leaves it.
fn fill(state: &mut SqliteState) {
    for turn in 0..4_u64 {
        let quantity = i64::try_from(turn).expect("small");
        let mut changes = Vec::new();
        let skus: Vec<String> = (0..60).map(|number| format!("SKU-{number:04}")).collect();
        let rows: Vec<_> = skus
            .iter()
            .map(|sku| row("shop", sku, Some(quantity)))
            .collect();
        let told: Vec<Level> = skus
            .iter()
            .map(|sku| Level {
                wanted: known_level("p", sku, quantity).wanted.map(|old| {
                    crate::sync::level::Wanted {
                        version: turn + 1,
                        ..old
                    }
                }),
                known: Some(Known {
                    quantity,
                    version: turn + 1,
                    at: 2,
                }),
                ..known_level("p", sku, quantity)
            })
            .collect();
        let lines: Vec<_> = skus
            .iter()
            .map(|sku| line("p", sku, turn + 1, What::Accepted))
            .collect();
        for (key, row) in (0_u64..).zip(&rows) {
            changes.push(Change::Observed {
                source: "shop",
                key: key.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                digest: turn,
                observation: row,
            });
        }
        changes.extend(told.iter().map(Change::Level));
        changes.extend(lines.iter().map(Change::Line));
        keep(state, &changes);
    }
    let mut flying = open_level("p", "NEW", 3);
    flying.flight = Some(1);
    let mut dead = open_level("q", "DEAD", 3);
    dead.standing = Standing::Dead {
        code: "422".to_owned(),
        message: "no".to_owned(),
        since: at(9),
    };
    let waiting = open_level("q", "OPEN", 3);
    let event = Event {
        source: "shop".to_owned(),
        id: "e1".to_owned(),
        at: at(1),
        observations: vec![row("shop", "NEW", Some(3))],
    };
    let order = Order::Retry {
        pair: pair("q", "DEAD"),
    };
    let flight = sent();
    keep(
        state,
        &[
            Change::Level(&flying),
            Change::Level(&dead),
            Change::Level(&waiting),
            Change::Batch(&flight),
            Change::Event(&event),
            Change::Order {
                at: at(2),
                who: "ann",
                order: &order,
            },
            Change::Note {
                name: "n1",
                value: "x",
            },
        ],
    );
}

fn sent() -> Batch {
    batch(1, &[("p", "NEW")])
}
