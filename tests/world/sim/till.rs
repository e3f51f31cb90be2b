//! The stores' own database: rows of location and SKU with a count, when they changed, and what a reader sees of them.

use std::collections::BTreeMap;

use shelfcast::catalog::{SourceError, SourceProblem};
use shelfcast::state::StateError;
use shelfcast::sync::level::{Mark, Observation, Position};
use shelfcast::sync::source::{Read, ReadKind, SourceFailure, StockSource};

use super::super::dice::Dice;
use super::super::exchange::Millis;
use super::sales::Sale;
use super::wire::Shared;

/// How a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// All rows, without any order mark.
    Whole,
    /// All rows, each with a number that grows.
    Numbered,
    /// Only rows that changed since, by their time.
    Changes,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Units on hand.
    pub quantity: i64,
    /// Grows with each change of any row.
    pub number: i64,
    /// When the writer began, in microseconds.
    pub micros: i64,
}

/// A change that its writer has not committed yet.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Visible from then on.
    pub at: Millis,
    /// The row: location and SKU.
    pub key: (String, String),
    /// As it will be.
    pub row: Row,
}

/// The database.
#[derive(Clone, Debug, Default)]
pub struct Till {
    /// Rows as a reader sees them.
    pub rows: BTreeMap<(String, String), Row>,
    /// Changes under way, at most one a row.
    pub pending: Vec<Pending>,
    /// Changes so far.
    pub changes: i64,
    /// Rows that were taken out, as they were.
    pub gone: BTreeMap<(String, String), Row>,
    /// Online orders that are not booked here.
    pub sales: Vec<Sale>,
    /// The number with which a reading gave each row, of the run that is under way.
    pub given: BTreeMap<(String, String), i64>,
    /// The number with which the program surely knows each row.
    pub known: BTreeMap<(String, String), i64>,
}

/// Rows older than the position by this are read again.
pub const MARGIN_MICROS: i64 = 60_000_000;
/// The longest that a writer takes to commit.
pub const COMMIT_MOST: Millis = 40_000;

impl Till {
    /// Commits what is due; the rows that changed.
    pub fn settle(&mut self, now: Millis) -> Vec<(Millis, (String, String))> {
        let mut changed = Vec::new();
        self.pending.sort_by_key(|pending| pending.at);
        while self.pending.first().is_some_and(|first| first.at <= now) {
            let pending = self.pending.remove(0);
            self.rows.insert(pending.key.clone(), pending.row);
            changed.push((pending.at, pending.key));
        }
        changed
    }

    /// What an observer is told of a row.
    pub fn observation(&self, key: &(String, String), manner: Manner) -> Option<Observation> {
        let row = self.rows.get(key)?;
        let mark = match manner {
            Manner::Whole => Mark::None,
            Manner::Numbered => Mark::Sequence(row.number),
            Manner::Changes => Mark::Time {
                micros: row.micros,
                tie: format!("{:012}", row.number),
            },
        };
        Some(Observation {
            location: key.0.clone(),
            sku: key.1.clone(),
            quantity: Some(row.quantity),
            committed: None,
            safety_stock: None,
            mark,
        })
    }
}

/// What is wrong with one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing.
    No,
    /// It breaks off and says so.
    Cut,
    /// It is empty and says that it is all.
    Empty,
    /// It has every second row and says that it is all.
    Halved,
    /// Some rows have no count.
    Blank,
    /// Some rows come twice.
    Repeated,
}

impl Wrong {
    /// All that are.
    pub const ALL: [Wrong; 5] = [
        Wrong::Cut,
        Wrong::Empty,
        Wrong::Halved,
        Wrong::Blank,
        Wrong::Repeated,
    ];

    /// As it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Wrong::No => "none",
            Wrong::Cut => "source-cut",
            Wrong::Empty => "source-empty",
            Wrong::Halved => "source-halved",
            Wrong::Blank => "source-blank",
            Wrong::Repeated => "source-repeated",
        }
    }
}

/// The source as the program reads it.
pub struct TillSource {
    /// The world.
    pub world: Shared,
    /// How it is read.
    pub manner: Manner,
    /// Readings that go wrong, of a thousand.
    pub wrong: u64,
    /// Its readings have an end mark.
    pub proves: bool,
    /// Several of its rows make one level: of a reading with gaps a sum may follow that was never right.
    pub pooled: bool,
    /// Chance.
    pub dice: Dice,
}

impl StockSource for TillSource {
    fn read(
        &mut self,
        position: Option<&Position>,
        tell: &mut dyn FnMut(&Observation) -> Result<(), StateError>,
    ) -> Result<Read, SourceFailure> {
        let wrong = if self.dice.permille(self.wrong) {
            *self.dice.pick(&Wrong::ALL)
        } else {
            Wrong::No
        };
        let gaps = matches!(wrong, Wrong::Empty | Wrong::Halved | Wrong::Blank);
        let wrong = if self.pooled && gaps {
            Wrong::No
        } else {
            wrong
        };
        let (mut list, newest) = {
            let mut world = self.world.lock();
            world.advance();
            world.oracle.gaps |= matches!(wrong, Wrong::Empty | Wrong::Halved | Wrong::Blank);
            if wrong != Wrong::No {
                *world.wrong.entry(wrong.name()).or_default() += 1;
                world.note(&format!("the source is {}", wrong.name()));
            }
            let from = position
                .and_then(|position| position.cursor.parse::<i64>().ok())
                .map(|cursor| cursor - MARGIN_MICROS);
            let rows = world.till.rows.iter().filter(|(_, row)| match self.manner {
                // repeats are welcome, gaps are not
                Manner::Changes => from.is_none_or(|from| row.micros >= from),
                Manner::Whole | Manner::Numbered => true,
            });
            let keys: Vec<(String, String)> = rows.map(|(key, _)| key.clone()).collect();
            let list: Vec<Observation> = keys
                .iter()
                .filter_map(|key| world.till.observation(key, self.manner))
                .collect();
            let newest = world.till.rows.values().map(|row| row.micros).max();
            let newest = newest.unwrap_or(0);
            let given = world.till.rows.iter().filter(|(key, _)| keys.contains(key));
            let given = given.map(|(key, row)| (key.clone(), row.number));
            let given: BTreeMap<(String, String), i64> = given.collect();
            if wrong == Wrong::No {
                world.till.given = given;
            }
            (list, newest)
        };
        // what is cut has no end mark; a cell that is empty is there
        let proven = self.proves
            && self.manner != Manner::Changes
            && matches!(wrong, Wrong::No | Wrong::Blank | Wrong::Repeated);
        match wrong {
            Wrong::Empty if self.manner != Manner::Changes => list.clear(),
            Wrong::Halved if self.manner != Manner::Changes => {
                let mut nth = 0;
                list.retain(|_| {
                    nth += 1;
                    nth % 2 == 0
                });
            }
            Wrong::Blank => {
                for observation in list.iter_mut().step_by(3) {
                    observation.quantity = None;
                }
            }
            Wrong::Repeated => {
                let again = list.clone();
                list.extend(again);
            }
            _ => {}
        }
        if self.manner != Manner::Whole {
            self.dice.shuffle(&mut list);
        }
        let breaks_at = if wrong == Wrong::Cut {
            self.dice.index(list.len() + 1)
        } else {
            usize::MAX
        };
        for (nth, observation) in list.iter().enumerate() {
            if nth == breaks_at {
                break;
            }
            tell(observation).map_err(SourceFailure::State)?;
        }
        if wrong == Wrong::Cut {
            return Err(SourceFailure::Source(SourceError::new(
                SourceProblem::NotWhole,
                "till",
                "the connection was lost",
            )));
        }
        {
            let mut world = self.world.lock();
            let world = &mut *world;
            let now = world.clock.millis();
            world.oracle.read(&world.till, proven, now);
        }
        // a blank row may be the newest: its count is still to come
        let cursor = match (position, wrong) {
            (Some(position), Wrong::Blank) => position.cursor.clone(),
            (None, Wrong::Blank) => String::new(),
            _ => newest.to_string(),
        };
        Ok(Read {
            position: Position {
                cursor,
                rows: list.len() as u64,
                proven,
                ..Position::default()
            },
            kind: match self.manner {
                Manner::Changes => ReadKind::Changes,
                Manner::Whole | Manner::Numbered => ReadKind::Snapshot,
            },
            rows: list.len() as u64,
            rejected: Vec::new(),
            found: 0,
            remarks: Vec::new(),
            more: false,
        })
    }
}
