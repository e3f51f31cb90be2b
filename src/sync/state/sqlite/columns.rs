//! Values to columns, and columns to values.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

/// A row that cannot be understood: what of it.
pub(super) type Wrong = String;

/// Numbers are signed in SQLite; these keep their bits.
pub(super) fn int(number: u64) -> ValueRef<'static> {
    ValueRef::Integer(number.cast_signed())
}

pub(super) fn optional(number: Option<i64>) -> ValueRef<'static> {
    number.map_or(ValueRef::Null, ValueRef::Integer)
}

pub(super) fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

pub(super) fn micros(at: Timestamp) -> ValueRef<'static> {
    ValueRef::Integer(at.as_microsecond())
}

pub(super) fn optional_micros(at: Option<Timestamp>) -> ValueRef<'static> {
    optional(at.map(Timestamp::as_microsecond))
}

pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types are JSON")
}

/// A row's columns, one after another.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn of(row: &'r Row<'s>) -> Self {
        Columns { row, next: 0 }
    }

    /// Leaves a column out.
    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    pub(super) fn value(&mut self) -> Result<ValueRef<'r>, Wrong> {
        let column = self.next;
        self.next += 1;
        self.row.get_ref(column).map_err(|error| error.to_string())
    }

    pub(super) fn optional(&mut self) -> Result<Option<i64>, Wrong> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            _ => Err("a number is none".to_owned()),
        }
    }

    pub(super) fn signed(&mut self) -> Result<i64, Wrong> {
        self.optional()?
            .ok_or_else(|| "a number is missing".to_owned())
    }

    pub(super) fn int(&mut self) -> Result<u64, Wrong> {
        self.signed().map(i64::cast_unsigned)
    }

    pub(super) fn small(&mut self) -> Result<u32, Wrong> {
        u32::try_from(self.signed()?).map_err(|_| "a number is out of bounds".to_owned())
    }

    pub(super) fn str(&mut self) -> Result<&'r str, Wrong> {
        self.value()?.as_str().map_err(|error| error.to_string())
    }

    pub(super) fn text(&mut self) -> Result<String, Wrong> {
        self.str().map(str::to_owned)
    }

    pub(super) fn at(&mut self) -> Result<Timestamp, Wrong> {
        let micros = self.signed()?;
        Timestamp::from_microsecond(micros).map_err(|error| error.to_string())
    }

    pub(super) fn optional_at(&mut self) -> Result<Option<Timestamp>, Wrong> {
        let micros = self.optional()?;
        micros
            .map(|micros| Timestamp::from_microsecond(micros).map_err(|error| error.to_string()))
            .transpose()
    }

    pub(super) fn json<T: for<'d> Deserialize<'d>>(&mut self) -> Result<T, Wrong> {
        serde_json::from_str(self.str()?).map_err(|error| error.to_string())
    }
}
