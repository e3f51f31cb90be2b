//! Looking at the rows, on any connection: a run's, a commit's that is being made, a snapshot's.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, params};

use crate::channel::manifest::request::RemoteId;
use crate::state::StateError;
use crate::sync::level::{Batch, Level, Line, Observation, Pair, Position};
use crate::sync::state::{
    Event, HeldPlan, KeptOrder, LineFilter, Look, Pause, RunEnd, Totals, Which,
};

use super::columns::{self, Columns, Wrong};
use super::rows::{self, ASIDE, DEAD, IN_FLIGHT, OPEN};
use super::{damaged, sqlite_error};

/// The rows as a connection shows them.
#[derive(Clone, Copy)]
pub(super) struct Rows<'c> {
    pub(super) connection: &'c Connection,
    pub(super) path: &'c Path,
    pub(super) tick: u64,
}

impl Rows<'_> {
    /// What SQLite said.
    pub(super) fn wrong(&self, error: &rusqlite::Error) -> StateError {
        sqlite_error(self.path, error)
    }

    /// A row that cannot be understood.
    pub(super) fn odd(&self, wrong: &str) -> StateError {
        damaged(self.path, format!("a row cannot be understood: {wrong}"))
    }

    /// Goes through what a query gives until `tell` breaks off.
    pub(super) fn each<T>(
        &self,
        query: &str,
        params: impl Params,
        of: impl Fn(Columns<'_, '_>) -> Result<T, Wrong>,
        mut tell: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = self.connection.prepare_cached(query).map_err(wrong)?;
        let mut found = statement.query(params).map_err(wrong)?;
        while let Some(row) = found.next().map_err(wrong)? {
            let value = of(Columns::of(row)).map_err(|error| self.odd(&error))?;
            if tell(value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn all<T>(
        &self,
        query: &str,
        params: impl Params,
        of: impl Fn(Columns<'_, '_>) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, StateError> {
        let mut all = Vec::new();
        self.each(query, params, of, |one| {
            all.push(one);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    fn one<T>(
        &self,
        query: &str,
        params: impl Params,
        of: impl Fn(Columns<'_, '_>) -> Result<T, Wrong>,
    ) -> Result<Option<T>, StateError> {
        Ok(self.all(query, params, of)?.pop())
    }

    /// A value that a query gives.
    pub(super) fn value<T: rusqlite::types::FromSql>(
        &self,
        query: &str,
        params: impl Params,
    ) -> Result<Option<T>, StateError> {
        let get = |row: &Row<'_>| row.get(0);
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| statement.query_row(params, get).optional())
            .map_err(|error| self.wrong(&error))
    }

    /// A number by its name; 0 before it was set.
    pub(super) fn number(&self, name: &str) -> Result<u64, StateError> {
        let number: Option<i64> =
            self.value("SELECT value FROM numbers WHERE name = ?", params![name])?;
        Ok(number.unwrap_or(0).cast_unsigned())
    }

    /// The number that a source goes by; `None` before it has rows.
    pub(super) fn source(&self, name: &str) -> Result<Option<i64>, StateError> {
        self.value("SELECT number FROM sources WHERE name = ?", params![name])
    }

    /// Each place, by seeking from one to the next.
    fn places(&self) -> Result<Vec<String>, StateError> {
        let mut places: Vec<String> = Vec::new();
        let mut next = self.value("SELECT place FROM levels ORDER BY place LIMIT 1", params![])?;
        while let Some(place) = next {
            next = self.value(
                "SELECT place FROM levels WHERE place > ? ORDER BY place LIMIT 1",
                params![place],
            )?;
            places.push(place);
        }
        Ok(places)
    }

    fn of_sku(
        &self,
        sku: &str,
        mut tell: impl FnMut(Level) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        for place in self.places()? {
            if let Some(level) = self.level(&Pair::new(place, sku))?
                && tell(level).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}

/// What the class of a level must be; `None` where the class does not say.
fn classes(which: Which<'_>) -> Option<&'static str> {
    const _: () = assert!(OPEN == 1 && IN_FLIGHT == 2 && DEAD == 4 && ASIDE == 8);
    match which {
        Which::All | Which::Sku(_) => None,
        Which::Open => Some("class = 1"),
        Which::InFlight => Some("class IN (2, 6, 10)"),
        Which::Dead => Some("class IN (4, 6)"),
        Which::Aside => Some("class IN (8, 10)"),
    }
}

impl Look for Rows<'_> {
    fn tick(&self) -> u64 {
        self.tick
    }

    fn level(&self, pair: &Pair) -> Result<Option<Level>, StateError> {
        self.one(
            "SELECT * FROM levels WHERE place = ? AND sku = ?",
            params![pair.place, pair.sku],
            rows::level,
        )
    }

    fn levels(
        &self,
        which: Which<'_>,
        tell: &mut dyn FnMut(Level) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        if let Which::Sku(sku) = which {
            return self.of_sku(sku, tell);
        }
        let query = match classes(which) {
            None => "SELECT * FROM levels ORDER BY place, sku".to_owned(),
            Some(class) => format!("SELECT * FROM levels WHERE {class} ORDER BY place, sku"),
        };
        self.each(&query, params![], rows::level, tell)
    }

    fn count(&self, which: Which<'_>) -> Result<u64, StateError> {
        if let Which::Sku(sku) = which {
            let mut count = 0;
            self.of_sku(sku, |_| {
                count += 1;
                ControlFlow::Continue(())
            })?;
            return Ok(count);
        }
        let query = match classes(which) {
            None => "SELECT count(*) FROM levels".to_owned(),
            Some(class) => format!("SELECT count(*) FROM levels WHERE {class}"),
        };
        let count: Option<i64> = self.value(&query, params![])?;
        Ok(count.unwrap_or(0).cast_unsigned())
    }

    fn totals(&self, sync: &str) -> Result<BTreeMap<String, Totals>, StateError> {
        let query =
            "SELECT place, levels, positive, units FROM totals WHERE sync = ?1 AND levels > 0";
        let rows = self.all(query, params![sync], |mut row: Columns<'_, '_>| {
            let place = row.text()?;
            let totals = Totals {
                levels: row.int()?,
                positive: row.int()?,
                units: row.int()?,
            };
            Ok((place, totals))
        })?;
        Ok(rows.into_iter().collect())
    }

    fn digests(&self, source: &str, tell: &mut dyn FnMut(u64, u64, u32)) -> Result<(), StateError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT key, digest, absent FROM observations
                 WHERE source = (SELECT number FROM sources WHERE name = ?) ORDER BY id",
            )
            .map_err(wrong)?;
        let mut found = statement.query([source]).map_err(wrong)?;
        while let Some(row) = found.next().map_err(wrong)? {
            let number = |column| match row.get_ref(column).map_err(wrong)? {
                ValueRef::Integer(number) => Ok(number),
                _ => Err(self.odd("a number is none")),
            };
            let absent =
                u32::try_from(number(2)?).map_err(|_| self.odd("a number is out of bounds"))?;
            tell(
                number(0)?.cast_unsigned(),
                number(1)?.cast_unsigned(),
                absent,
            );
        }
        Ok(())
    }

    fn observations(&self, source: &str, sku: &str) -> Result<Vec<Observation>, StateError> {
        // One or a few: put in order here, where it costs nothing.
        let mut found = self.all(
            "SELECT key, location, sku, quantity, committed, safety_stock, mark, tie
             FROM observations INDEXED BY observations_sku
             WHERE source = (SELECT number FROM sources WHERE name = ?) AND sku = ?",
            params![source, sku],
            |mut row| Ok((row.int()?, rows::observation(row)?)),
        )?;
        found.sort_unstable_by(|(one, first), (other, second)| {
            (&first.location, one).cmp(&(&second.location, other))
        });
        Ok(found.into_iter().map(|(_, row)| row).collect())
    }

    fn observation(&self, source: &str, key: u64) -> Result<Option<Observation>, StateError> {
        self.one(
            "SELECT location, sku, quantity, committed, safety_stock, mark, tie
             FROM observations INDEXED BY observations_key
             WHERE source = (SELECT number FROM sources WHERE name = ?) AND key = ?",
            params![source, key.cast_signed()],
            rows::observation,
        )
    }

    fn skus(&self, source: &str, tell: &mut dyn FnMut(&str)) -> Result<(), StateError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT DISTINCT sku FROM observations
                 WHERE source = (SELECT number FROM sources WHERE name = ?) ORDER BY sku",
            )
            .map_err(wrong)?;
        let mut found = statement.query([source]).map_err(wrong)?;
        while let Some(row) = found.next().map_err(wrong)? {
            let sku = row
                .get_ref(0)
                .and_then(|value| value.as_str().map_err(Into::into))
                .map_err(wrong)?;
            tell(sku);
        }
        Ok(())
    }

    fn position(&self, source: &str) -> Result<Option<Position>, StateError> {
        self.one(
            "SELECT * FROM positions WHERE source = ?",
            params![source],
            rows::position,
        )
    }

    fn remotes(&self, skus: &[String]) -> Result<HashMap<String, RemoteId>, StateError> {
        let mut remotes = HashMap::with_capacity(skus.len());
        for sku in skus {
            let remote: Option<RemoteId> = self.one(
                "SELECT remote FROM remotes WHERE sku = ?",
                params![sku],
                |mut row| row.json(),
            )?;
            if let Some(remote) = remote {
                remotes.insert(sku.clone(), remote);
            }
        }
        Ok(remotes)
    }

    fn batches(&self) -> Result<Vec<Batch>, StateError> {
        self.all("SELECT * FROM batches ORDER BY id", params![], rows::batch)
    }

    fn next_batch(&self) -> Result<u64, StateError> {
        Ok(self.number("batch")? + 1)
    }

    fn ledger(
        &self,
        filter: &LineFilter<'_>,
        tell: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let since = filter.since.map(Timestamp::as_microsecond);
        let what = filter.what.map(|what| columns::json(&what));
        let mut query = "SELECT * FROM ledger WHERE 1".to_owned();
        let mut params: Vec<&dyn ToSql> = Vec::new();
        let mut add = |condition: &str, value| {
            query.push_str(condition);
            params.push(value);
        };
        if let Some(sync) = &filter.sync {
            add(" AND sync = ?", sync);
        }
        if let Some(sku) = &filter.sku {
            add(" AND sku = ?", sku);
        }
        if let Some(since) = &since {
            add(" AND at >= ?", since);
        }
        if let Some(what) = &what {
            add(" AND what = ?", what);
        }
        query.push_str(" ORDER BY id");
        self.each(&query, params.as_slice(), rows::line, tell)
    }

    fn events(&self, most: usize) -> Result<Vec<Event>, StateError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.all(
            "SELECT source, id, at, observations FROM events WHERE merged = 0 ORDER BY number LIMIT ?",
            params![most],
            rows::event,
        )
    }

    fn orders(&self) -> Result<Vec<KeptOrder>, StateError> {
        self.all("SELECT * FROM orders ORDER BY id", params![], rows::order)
    }

    fn pauses(&self) -> Result<Vec<Pause>, StateError> {
        self.all("SELECT * FROM pauses ORDER BY sync", params![], rows::pause)
    }

    fn held(&self) -> Result<Vec<HeldPlan>, StateError> {
        self.all(
            "SELECT * FROM held ORDER BY number DESC",
            params![],
            rows::held,
        )
    }

    fn runs(&self, sync: &str, most: usize) -> Result<Vec<RunEnd>, StateError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.all(
            "SELECT * FROM runs WHERE sync = ? ORDER BY number DESC LIMIT ?",
            params![sync, most],
            rows::run,
        )
    }

    fn note(&self, name: &str) -> Result<Option<String>, StateError> {
        self.value("SELECT value FROM notes WHERE name = ?", params![name])
    }
}
