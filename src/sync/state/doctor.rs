//! An independent look at a store account's state: from the files, not by way of what writes them.
//!
//! It reads the files' bytes, adds the database's pages up by itself, compares the sum with what database and mark say, and
//! asks the rows whether they contradict each other. It changes nothing. Beside a daemon it looks at one commit.

mod rows;
mod sum;

use std::path::Path;

use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_128;

use crate::state::verify::hold;
use crate::state::{Damage, StateError, private};

use super::sqlite::files::Places;
use super::sqlite::verify::look_at;

/// What to do about a state that is not what was written.
const BACKUP: &str = "put the whole folder `.shelfcast/sync` back from a backup, or move the store's files in it away to \
                      begin anew: every level is then read from the store before anything is sent";

/// What is found, with where it is.
struct Found<'p> {
    place: String,
    places: &'p Places,
    damages: Vec<Damage>,
}

impl Found<'_> {
    fn add(&mut self, damaged: bool, place: &str, message: impl Into<String>, hint: &str) {
        self.damages.push(Damage {
            damaged,
            place: place.to_owned(),
            message: message.into(),
            hint: hint.to_owned(),
        });
    }

    fn damaged(&mut self, message: impl Into<String>) {
        let place = self.place.clone();
        self.add(true, &place, message, BACKUP);
    }
}

/// Looks at a store account's state; nothing is found where there is none. `damaged` marks what is lost or wrong; the rest
/// is untidy, and work goes on.
pub fn examine(project: &Path, store: &str) -> Vec<Damage> {
    let places = match Places::of(project, store) {
        Ok(places) => places,
        Err(error) => return vec![said("", &error)],
    };
    let place = format!(".shelfcast/sync/{store}.db");
    let mut found = Found {
        place,
        places: &places,
        damages: Vec::new(),
    };
    if let Err(error) = files(&mut found, store) {
        let damage = said(&found.place, &error);
        found.damages.push(damage);
    }
    found.damages
}

fn said(place: &str, error: &StateError) -> Damage {
    Damage {
        damaged: true,
        place: place.to_owned(),
        message: error.message.clone(),
        hint: error.hint.clone(),
    }
}

fn files(found: &mut Found<'_>, store: &str) -> Result<(), StateError> {
    let places = found.places;
    let there = |path: &Path| path.symlink_metadata().is_ok();
    let (database, mark) = (there(&places.database), there(&places.mark));
    if !database && !mark {
        return Ok(());
    }
    permissions(found, store);
    if !database {
        // A run may have died before it ever kept anything.
        if !matches!(marked(&places.mark), Ok((0, _))) {
            found.damaged("the database is gone, and its mark is there");
        }
        return Ok(());
    }
    // While a commit is in the middle, database and mark speak of different ones.
    let guard = if there(&places.guard) {
        Some(hold(&places.guard, false)?)
    } else {
        None
    };
    let opened = look_at(places).and_then(|connection| {
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        connection
            .execute_batch("PRAGMA temp_store = MEMORY; BEGIN; SELECT count(*) FROM meta;")?;
        Ok(connection)
    });
    let mark = marked(&places.mark);
    let sums = sum::sums(&places.database, &places.log);
    drop(guard);
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => {
            found.damaged(format!("the database cannot be opened: {error}"));
            return Ok(());
        }
    };
    if let Err(error) = database_of(&connection, mark, sums, found) {
        found.damaged(format!("the database cannot be read: {error}"));
    }
    Ok(())
}

fn permissions(found: &mut Found<'_>, store: &str) {
    let places = found.places;
    let mut check = |path: &Path, place: String, right: u32| {
        if let Some(mode) = private::mode(path).filter(|mode| mode & !right != 0) {
            found.add(
                false,
                &place,
                format!("others than its owner may use it (mode {mode:03o})"),
                &format!("chmod {right:o} {}", path.display()),
            );
        }
    };
    check(&places.folder, ".shelfcast/sync".to_owned(), 0o700);
    for ending in ["db", "mark", "lock", "db-wal"] {
        let name = format!("{store}.{ending}");
        let path = places.folder.join(&name);
        check(&path, format!(".shelfcast/sync/{name}"), 0o600);
    }
}

/// Counter, digest and digest before of a mark's newer half that is whole.
type Marked = (u64, [u128; 2]);

fn marked(path: &Path) -> Result<Marked, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("the mark cannot be read: {error}"))?;
    if bytes.len() != 8192 {
        return Err(format!(
            "the mark is cut: it has {} bytes, and should have 8192",
            bytes.len()
        ));
    }
    let half = |bytes: &[u8]| -> Option<Marked> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (body, sum) = text.trim_end_matches('\n').split_once("sum ")?;
        if format!("{:032x}", xxh3_128(body.as_bytes())) != sum {
            return None;
        }
        let mut words = body.split_ascii_whitespace();
        let counter = words.nth(3)?.parse().ok()?;
        let mut digest = || u128::from_str_radix(words.nth(1)?, 16).ok();
        Some((counter, [digest()?, digest()?]))
    };
    bytes
        .chunks(4096)
        .filter_map(half)
        .max_by_key(|(counter, _)| *counter)
        .ok_or_else(|| "the mark is damaged: neither half is whole".to_owned())
}

fn database_of(
    connection: &Connection,
    mark: Result<Marked, String>,
    sums: std::io::Result<(u128, Option<u128>)>,
    found: &mut Found<'_>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for line in lines.iter().filter(|line| *line != "ok") {
        found.damaged(line.replace('\n', "; "));
    }
    let (counter, previous) =
        connection.query_row("SELECT counter, previous FROM meta", [], |row| {
            let (counter, bytes): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let previous = bytes.try_into().map_or(0, u128::from_le_bytes);
            Ok((counter.cast_unsigned(), previous))
        })?;
    match (mark, sums) {
        (Err(message), _) => {
            let place = found.place.replace(".db", ".mark");
            found.add(true, &place, message, BACKUP);
        }
        (_, Err(error)) => found.damaged(format!("its bytes cannot be read: {error}")),
        // A run died before the mark was told: what was there before is known.
        (Ok((known, [digest, before])), Ok((sum, sum_before))) => {
            let sum = match counter {
                _ if (known, before) == (counter, previous) => Some(sum),
                _ if (known + 1, digest) == (counter, previous) => match known {
                    0 => Some(digest),
                    _ => sum_before,
                },
                _ => {
                    found.damaged(format!(
                        "it is not the database of its mark: it holds commit {counter}, and the mark knows {known}"
                    ));
                    return rows::contradictions(connection, counter, found);
                }
            };
            if sum != Some(digest) {
                found.damaged(format!("its pages do not add up to commit {known}"));
            }
        }
    }
    rows::contradictions(connection, counter, found)
}
