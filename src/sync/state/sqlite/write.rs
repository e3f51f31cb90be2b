//! A commit being made: each change to its rows.

mod changes;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, params};

use crate::channel::manifest::request::RemoteId;
use crate::recovery::{self, kill_point};
use crate::state::StateError;
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position};
use crate::sync::state::delegate::look_through;
use crate::sync::state::{
    Change, Event, HeldPlan, KeptOrder, LineFilter, Pause, RunEnd, Transaction, Which,
};

use super::columns::{int, json, micros, text};
use super::look::Rows;
use super::rows;
use super::schema::Table;

/// A commit being made.
pub(super) struct Writing<'c> {
    rows: Rows<'c>,
    statements: HashMap<(u8, Does), CachedStatement<'c>>,
    /// The source that was written last, and its number.
    source: Option<(String, i64)>,
    /// The source that got a new row last, and that row's number.
    last_row: Option<(i64, i64)>,
    /// The largest numbers in use, of tables that are only added to.
    last: HashMap<u8, i64>,
    kinds: Kinds,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Does {
    Put,
    Remove,
    Say,
    Absent,
    Count,
}

/// A row of a source that is known says something else; only these columns are written to, and no index.
const SAY_AGAIN: &str = "UPDATE observations SET digest = ?4, absent = 0, quantity = ?5, committed = ?6, safety_stock = ?7, mark = ?8, tie = ?9
    WHERE source = ?1 AND id = ?2 AND key = ?3";
const COUNT: &str = "INSERT INTO totals VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (sync, place)
    DO UPDATE SET levels = levels + ?3, positive = positive + ?4, units = units + ?5";
const ABSENT: &str = "UPDATE observations INDEXED BY observations_key SET absent = ?3 WHERE source = ?1 AND key = ?2";

/// What kinds of changes a commit holds: where a test may kill it.
#[derive(Clone, Copy, Default)]
pub(super) struct Kinds {
    wanted: bool,
    line: bool,
    position: bool,
    dead: bool,
    pub(super) cut: bool,
}

impl Kinds {
    /// The points that lie in the middle of this commit.
    pub(super) fn reached(self) {
        let points = [
            (self.wanted, recovery::Y4),
            (self.line, recovery::Y11),
            (self.position, recovery::Y13),
            (self.dead, recovery::Y18),
        ];
        for (_, point) in points.into_iter().filter(|(is, _)| *is) {
            kill_point(point);
        }
    }
}

look_through!([<'c>] Writing<'c>, self => self.rows);

impl<'c> Writing<'c> {
    pub(super) fn new(rows: Rows<'c>) -> Self {
        Writing {
            rows,
            statements: HashMap::new(),
            source: None,
            last_row: None,
            last: HashMap::new(),
            kinds: Kinds::default(),
        }
    }

    /// What kinds of changes were made.
    pub(super) fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// Runs a statement of a table with its values; how many rows it changed.
    fn run(
        &mut self,
        table: Table,
        does: Does,
        values: &[ValueRef<'_>],
    ) -> Result<usize, StateError> {
        let rows = self.rows;
        let ran = (|| {
            let statement = match self.statements.entry((table.tag(), does)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let sql = table.sql();
                    let query = match does {
                        Does::Put => &sql.put,
                        Does::Remove => &sql.remove,
                        Does::Say => SAY_AGAIN,
                        Does::Absent => ABSENT,
                        Does::Count => COUNT,
                    };
                    new.insert(rows.connection.prepare_cached(query)?)
                }
            };
            for (at, value) in values.iter().enumerate() {
                statement.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(*value))?;
            }
            statement.raw_execute()
        })();
        ran.map_err(|error| rows.wrong(&error))
    }

    /// Puts a row in its place.
    fn put(&mut self, table: Table, values: &[ValueRef<'_>]) -> Result<(), StateError> {
        self.run(table, Does::Put, values).map(drop)
    }

    /// Takes the row of a key out.
    fn remove(&mut self, table: Table, key: &[ValueRef<'_>]) -> Result<(), StateError> {
        self.run(table, Does::Remove, key).map(drop)
    }

    /// Sets a number by its name.
    pub(super) fn set_number(&mut self, name: &str, value: u64) -> Result<(), StateError> {
        self.put(Table::Numbers, &[text(name), int(value)])
    }

    /// The newest lock's number.
    pub(super) fn fence(&self) -> Result<u64, StateError> {
        self.rows.number("fence")
    }

    /// Events that were ever kept.
    pub(super) fn events_so_far(&self) -> Result<u64, StateError> {
        self.rows.number("event")
    }

    fn next_number(&mut self, name: &str) -> Result<u64, StateError> {
        let next = self.rows.number(name)? + 1;
        self.set_number(name, next)?;
        Ok(next)
    }

    /// The next number of a table that is only added to, or whose newest row is never taken out.
    fn next_of(&mut self, table: Table, query: &str) -> Result<i64, StateError> {
        let last = match self.last.get(&table.tag()) {
            Some(last) => *last,
            None => self.rows.value::<i64>(query, params![])?.unwrap_or(0),
        };
        self.last.insert(table.tag(), last + 1);
        Ok(last + 1)
    }

    /// The number of a source's next new row: they stand in the order in which they were first read.
    fn next_row(&mut self, source: i64) -> Result<i64, StateError> {
        let last = match self.last_row {
            Some((of, last)) if of == source => last,
            _ => {
                let query = "SELECT id FROM observations WHERE source = ? ORDER BY id DESC LIMIT 1";
                self.rows.value::<i64>(query, params![source])?.unwrap_or(0)
            }
        };
        self.last_row = Some((source, last + 1));
        Ok(last + 1)
    }

    /// The number that a source goes by; made when it has none.
    fn source(&mut self, name: &str) -> Result<i64, StateError> {
        if let Some((last, number)) = &self.source
            && last == name
        {
            return Ok(*number);
        }
        let number = match self.rows.source(name)? {
            Some(number) => number,
            None => {
                let query = "SELECT count(*) FROM sources";
                let number = 1 + self.rows.value::<i64>(query, params![])?.unwrap_or(0);
                let row = [text(name), ValueRef::Integer(number)];
                self.put(Table::Sources, &row)?;
                number
            }
        };
        self.source = Some((name.to_owned(), number));
        Ok(number)
    }
}

impl Transaction for Writing<'_> {
    fn write(&mut self, change: Change<'_>) -> Result<(), StateError> {
        match change {
            Change::Observed {
                source,
                key,
                digest,
                observation,
            } => self.observed(source, key, digest, observation),
            Change::Absent { source, key, times } => self.absent(source, key, times),
            Change::Position { source, position } => {
                self.kinds.position = true;
                let files = json(&position.files);
                let values = rows::of_position(source, position, &files);
                self.put(Table::Positions, &values)
            }
            Change::Level(level) => self.level(level),
            Change::Remote { sku, remote } => match remote {
                Some(remote) => {
                    let remote = json(remote);
                    self.put(Table::Remotes, &[text(sku), text(&remote)])
                }
                None => self.remove(Table::Remotes, &[text(sku)]),
            },
            Change::Batch(batch) => self.batch(batch),
            Change::BatchEnded(id) => self.remove(Table::Batches, &[int(id)]),
            Change::Line(line) => self.line(line),
            Change::Event(event) => self.event(event),
            Change::EventMerged { source, id } => self.merged(source, id),
            Change::EventsForgotten(before) => self.forget_events(before),
            Change::Order { at, who, order } => self.order(at, who, order),
            Change::OrderDone(id) => self.remove(Table::Orders, &[int(id)]),
            Change::Paused(Pause {
                sync,
                at,
                who,
                reason,
            }) => {
                let values = [text(sync), micros(*at), text(who), text(reason)];
                self.put(Table::Pauses, &values)
            }
            Change::Resumed(sync) => self.remove(Table::Pauses, &[text(sync)]),
            Change::Held(plan) => self.held(plan),
            Change::HeldEnded(id) => self.remove(Table::Held, &[text(id)]),
            Change::Run(run) => self.ran(run),
            Change::Note { name, value } => self.put(Table::Notes, &[text(name), text(value)]),
            Change::LedgerCut(before) => self.cut(before),
        }
    }
}
