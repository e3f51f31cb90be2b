//! S2: no change is lost: a source with writers whose clocks differ, who commit late, and whose times are cut, read from its
//! cursor on, against a model of the table.

use std::collections::HashMap;

use super::super::cursor::{Margin, Progress, lower};
use super::super::mark::{MarkRules, mark};
use super::*;
use crate::sync::planted;
use jiff::tz::TimeZone;

/// Numbers that look random, the same for the same seed (splitmix64).
struct Draw(u64);

impl Draw {
    /// From 0 to below `end`.
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^= number >> 31;
        let end = u64::try_from(end.max(1)).expect("positive");
        i64::try_from(number % end).expect("small")
    }

    fn one_in(&mut self, chances: i64) -> bool {
        self.below(chances) == 0
    }
}

/// How a run's source stamps its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamps {
    /// A sequence drawn when the transaction begins.
    Sequence,
    /// A time with its offset, cut to so many nanoseconds.
    Instant(i64),
    /// The same without an offset, in Berlin's clock.
    Clock(i64),
}

/// A change on its way: it shows from `visible` on, in nanoseconds.
#[derive(Clone, Debug)]
struct Write {
    sku: usize,
    quantity: i64,
    stamp: String,
    order: i128,
    visible: i64,
}

/// One run of the model.
struct World {
    stamps: Stamps,
    margin: Margin,
    writes: Vec<Write>,
    end: i64,
}

const SECOND: i64 = 1_000_000_000;
const SKUS: i64 = 6;

impl World {
    fn draw(draw: &mut Draw) -> World {
        let precisions = [1, 1_000, 1_000_000, SECOND];
        let precision = precisions[usize::try_from(draw.below(4)).expect("small")];
        let stamps = match draw.below(3) {
            0 => Stamps::Sequence,
            1 => Stamps::Instant(precision),
            _ => Stamps::Clock(precision),
        };
        // Before, in and after the night in which Berlin's clocks go back.
        let starts = [
            "2024-10-26T22:00:00Z",
            "2024-10-27T00:20:00Z",
            "2024-06-01T12:00:00Z",
        ];
        let start: Timestamp = starts[usize::try_from(draw.below(3)).expect("small")]
            .parse()
            .expect("a time");
        let start = i64::try_from(start.as_nanosecond()).expect("this century");
        let long = draw.one_in(4);
        let length = if long {
            2 * 3600 * SECOND
        } else {
            100 * SECOND
        };
        // What is stamped at most so long before it shows.
        let late = draw.below(8) * SECOND;
        let skew = draw.below(5) * SECOND;
        let behind = late + skew + precision;
        let writers: Vec<i64> = (0..3).map(|_| -draw.below(skew + 1)).collect();
        let zone = TimeZone::get("Europe/Berlin").expect("known");
        let mut sequence = 100;
        let mut writes: Vec<Write> = Vec::new();
        let (mut at, mut largest_gap) = (start, 0);
        let mut begun: Vec<(i64, i64)> = Vec::new();
        for number in 0..(5 + draw.below(25)) {
            // Many at the same moment.
            at += if draw.one_in(3) {
                0
            } else {
                draw.below(length / 20)
            };
            let writer = writers[usize::try_from(draw.below(3)).expect("small")];
            let visible = at + draw.below(late + 1);
            sequence += i64::from(!draw.one_in(5));
            let time = (at + writer).div_euclid(precision) * precision;
            let (stamp, order) = match stamps {
                Stamps::Sequence => (sequence.to_string(), i128::from(sequence)),
                Stamps::Instant(_) => {
                    let time = Timestamp::from_nanosecond(i128::from(time)).expect("a time");
                    (time.to_string(), time.as_nanosecond())
                }
                Stamps::Clock(_) => {
                    let time = Timestamp::from_nanosecond(i128::from(time)).expect("a time");
                    let clock = zone.to_datetime(time);
                    let order = jiff::tz::Offset::UTC.to_timestamp(clock).expect("a time");
                    (clock.to_string(), order.as_nanosecond())
                }
            };
            begun.push((sequence, visible));
            writes.push(Write {
                sku: usize::try_from(draw.below(SKUS)).expect("small"),
                quantity: number + 1,
                stamp,
                order,
                visible,
            });
        }
        // How far a number can be behind one that shows before it.
        for (one, shows) in &begun {
            for (other, others_shows) in &begun {
                if other > one && others_shows <= shows {
                    largest_gap = largest_gap.max(other - one);
                }
            }
        }
        let margin = match stamps {
            Stamps::Sequence => Margin::Numbers(largest_gap),
            _ => Margin::Time(Duration::from_nanos(
                u64::try_from(behind).expect("positive"),
            )),
        };
        World {
            stamps,
            margin,
            writes,
            end: at + late + SECOND,
        }
    }

    /// The table at a moment: the row of each SKU that was committed last.
    fn table(&self, at: i64) -> HashMap<usize, &Write> {
        let mut rows: HashMap<usize, &Write> = HashMap::new();
        for write in self.writes.iter().filter(|write| write.visible <= at) {
            let row = rows.entry(write.sku).or_insert(write);
            if write.visible >= row.visible {
                *row = write;
            }
        }
        rows
    }

    /// Reads now and then, and at the end; the changes that were neither read nor overwritten before.
    fn lost(&self, draw: &mut Draw) -> Result<Vec<String>, String> {
        let zone = TimeZone::get("Europe/Berlin").expect("known");
        let mut cursor = String::new();
        let mut told: HashMap<usize, i64> = HashMap::new();
        let mut levels: HashMap<usize, (Mark, i64)> = HashMap::new();
        let mut moments: Vec<i64> = (0..draw.below(8))
            .map(|_| self.writes[0].visible + draw.below(self.end - self.writes[0].visible))
            .collect();
        // Right behind a commit, too: others of the same moment follow.
        for write in &self.writes {
            if draw.one_in(3) {
                moments.push(write.visible);
            }
        }
        moments.push(self.end);
        moments.sort_unstable();
        for moment in moments {
            let now = Timestamp::from_nanosecond(i128::from(moment)).expect("a time");
            let bound = lower(&cursor, self.margin, &zone, now);
            let rows = self.table(moment);
            let mut rows: Vec<&Write> = rows.into_values().collect();
            rows.sort_by_key(|row| (row.order, row.sku));
            if let Some(bound) = &bound {
                let value = order_of(&bound.text);
                rows.retain(|row| match bound.operator {
                    ">=" => row.order >= value,
                    _ => row.order > value,
                });
            }
            let mut progress = Progress::new("stamp", &zone, now, bound.is_some());
            let rules = MarkRules {
                zone: zone.clone(),
                dates: None,
                thai: false,
                now,
            };
            for row in rows {
                progress
                    .row(&row.stamp, "")
                    .map_err(|error| error.to_string())?;
                told.insert(row.sku, row.quantity);
                let mark = mark(&row.stamp, "", &rules).0;
                let level = levels
                    .entry(row.sku)
                    .or_insert_with(|| (mark.clone(), row.quantity));
                if mark.may_replace(&level.0) {
                    *level = (mark, row.quantity);
                }
            }
            cursor = progress.keep(&cursor);
        }
        let mut lost = Vec::new();
        for (sku, row) in self.table(self.end) {
            if told.get(&sku) != Some(&row.quantity) {
                lost.push(format!("{sku}: {} at {}", row.quantity, row.stamp));
            }
            // Where all clocks agree, the last level is the table's.
            let agree = self.writes.iter().all(|write| {
                write.sku != sku || write.order <= row.order || write.visible > self.end
            });
            if agree && levels.get(&sku).map(|level| level.1) != Some(row.quantity) {
                lost.push(format!(
                    "{sku}: level {:?}, not {}",
                    levels.get(&sku),
                    row.quantity
                ));
            }
        }
        Ok(lost)
    }
}

/// What a database compares a bound by.
fn order_of(text: &str) -> i128 {
    if let Ok(number) = text.parse::<i64>() {
        return i128::from(number);
    }
    let clock: jiff::civil::DateTime = text.parse().expect("a time");
    jiff::tz::Offset::UTC
        .to_timestamp(clock)
        .expect("a time")
        .as_nanosecond()
}

fn draw(seed: u64) -> Draw {
    Draw(seed.wrapping_mul(0x1234_5678_9abc_def1))
}

/// The first seed that loses a change, and what.
fn first_loss(seeds: std::ops::Range<u64>) -> Option<(u64, Vec<String>)> {
    seeds.into_iter().find_map(|seed| {
        let mut draw = draw(seed);
        let world = World::draw(&mut draw);
        let lost = world
            .lost(&mut draw)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        (!lost.is_empty()).then_some((seed, lost))
    })
}

#[test]
fn no_change_is_lost_in_20_000_runs() {
    assert_eq!(first_loss(0..20_000), None);
    let mut kinds = [0; 3];
    for seed in 0..1_000 {
        match World::draw(&mut draw(seed)).stamps {
            Stamps::Sequence => kinds[0] += 1,
            Stamps::Instant(_) => kinds[1] += 1,
            Stamps::Clock(_) => kinds[2] += 1,
        }
    }
    assert!(kinds.iter().all(|kind| *kind > 200), "{kinds:?}");
}

#[test]
fn planted_bugs_lose_changes() {
    for bug in ["cursor > instead of >=", "cursor rounded up"] {
        planted::plant(Some(bug));
        let found = first_loss(0..2_000);
        planted::plant(None);
        assert!(found.is_some(), "`{bug}` was not noticed");
    }
}

#[test]
fn the_same_in_a_real_table() {
    for seed in 0..40 {
        let mut draw = draw(seed);
        let world = World::draw(&mut draw);
        let folder = tempfile::tempdir().expect("a folder");
        let connection = rusqlite::Connection::open(folder.path().join("stock.db")).expect("made");
        let kind = if world.stamps == Stamps::Sequence {
            "INTEGER"
        } else {
            "TEXT"
        };
        connection
            .execute_batch(&format!(
                "PRAGMA synchronous = OFF; CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER, stamp {kind})"
            ))
            .expect("made");
        let margin = match world.margin {
            Margin::Numbers(numbers) => numbers.to_string(),
            Margin::Time(span) => format!("\"{}ms\"", span.as_millis() + 1),
            Margin::Usual => "\"60s\"".to_owned(),
        };
        let text = format!(
            "[[source]]\nname = \"stock\"\nrole = \"stock\"\nbasis = \"on_hand\"\ndatabase = \"sqlite:stock.db\"\nquery = \"SELECT * FROM stock\"\ncursor = \"stamp\"\ntie = \"sku\"\nmargin = {margin}\n"
        );
        let project = project(folder.path(), &text);
        let mut writes = world.writes.clone();
        writes.sort_by_key(|write| write.visible);
        let mut source = opened(&project);
        let mut position: Option<Position> = None;
        let mut told: HashMap<String, i64> = HashMap::new();
        let mut read = |position: &mut Option<Position>| {
            let (rows, read) = well(&mut *source, position.as_ref());
            told.extend(
                rows.into_iter()
                    .filter_map(|row| Some((row.sku, row.quantity?))),
            );
            *position = Some(read.position);
            told.clone()
        };
        for write in &writes {
            connection
                .execute(
                    "INSERT OR REPLACE INTO stock VALUES (?, ?, ?)",
                    rusqlite::params![format!("S{}", write.sku), write.quantity, write.stamp],
                )
                .expect("added");
            if draw.one_in(3) {
                read(&mut position);
            }
        }
        let told = read(&mut position);
        let mut last = HashMap::new();
        for write in &writes {
            last.insert(format!("S{}", write.sku), write.quantity);
        }
        assert_eq!(told, last, "seed {seed}");
    }
}
