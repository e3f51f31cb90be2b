//! From nested records (JSON, XML) to columns: values come in by path, a batch's cells go out.
//!
//! The first pass over a source learns which paths there are, the second fills cells. A list in a cell has
//! [`ELEMENT`] between its elements, a pair [`PAIR`] between name and value; raw text never holds either.

use std::io::Read;

use hashbrown::HashMap;

use super::batch::{BATCH_BYTES, Batch};
use super::error::{SourceError, SourceProblem};
use crate::model::value::{ELEMENT, PAIR};

/// Opens the source from its beginning; called once a pass. What it reads is UTF-8.
pub type Opener = Box<dyn Fn() -> Result<Box<dyn Read + Send>, SourceError> + Send>;

/// Most columns a source may have.
pub(crate) const COLUMNS_MAX: usize = 4_096;

/// Most cells in a batch, so that wide and sparse records do not make it grow.
const BATCH_CELLS_MAX: usize = 512 * 1024;

/// Why a value found no column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoColumn {
    /// The source has more than [`COLUMNS_MAX`] paths.
    TooMany,
    /// The path was not there in the first pass.
    Unknown,
}

/// One value of the record at hand.
#[derive(Clone, Copy)]
struct Entry {
    column: u32,
    start: u32,
    end: u32,
}

/// The columns of a source and the cells of the record at hand.
#[derive(Default)]
pub(crate) struct Flat {
    names: Vec<String>,
    index: HashMap<String, u32>,
    /// The record that last had a value in a column.
    filled: Vec<u64>,
    record: u64,
    /// Column of the last value: records mostly repeat the order of the one before.
    last: usize,
    learned: bool,
    entries: Vec<Entry>,
    text: String,
    cells: Vec<(u32, u32)>,
}

impl Flat {
    /// The paths met so far, in order of appearance.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Ends learning: a new path is from now on [`NoColumn::Unknown`].
    pub(crate) fn freeze(&mut self) {
        self.learned = true;
    }

    /// Begins a record.
    pub(crate) fn begin(&mut self) {
        self.record += 1;
        self.last = usize::MAX;
        self.entries.clear();
        self.text.clear();
    }

    /// Makes the path known without giving it a value.
    pub(crate) fn mention(&mut self, path: &str) -> Result<(), NoColumn> {
        self.column(path).map(|_| ())
    }

    /// Adds a value that is its path's only one; a second one in the same record gets a column of its own, ` (2)`.
    pub(crate) fn set(&mut self, path: &str, value: &str) -> Result<(), NoColumn> {
        let mut column = self.column(path)?;
        let mut count = 2;
        while self.filled.get(column).copied() == Some(self.record) {
            column = self.column(&format!("{path} ({count})"))?;
            count += 1;
        }
        self.put(column, value);
        Ok(())
    }

    /// Adds a value to its path: the second one in a record makes it a list.
    pub(crate) fn append(&mut self, path: &str, value: &str) -> Result<(), NoColumn> {
        let column = self.column(path)?;
        self.put(column, value);
        Ok(())
    }

    /// Adds a name and value pair to its path's list. A pair without a value is left out.
    pub(crate) fn append_pair(
        &mut self,
        path: &str,
        name: &str,
        value: &str,
    ) -> Result<(), NoColumn> {
        let column = self.column(path)?;
        if name.is_empty() || value.is_empty() {
            return Ok(());
        }
        let start = offset(&self.text);
        push_clean(&mut self.text, name);
        self.text.push(PAIR);
        push_clean(&mut self.text, value);
        self.note(column, start);
        Ok(())
    }

    /// Adds the record to the batch, whose width must be the number of [`Flat::names`].
    pub(crate) fn finish(&mut self, batch: &mut Batch, line: u64) {
        self.entries.sort_by_key(|entry| entry.column);
        self.cells.clear();
        self.cells.resize(self.names.len(), (0, 0));
        for run in self
            .entries
            .chunk_by(|left, right| left.column == right.column)
        {
            let range = match run {
                [only] => (only.start, only.end),
                _ => {
                    let start = offset(&self.text);
                    for (place, entry) in run.iter().enumerate() {
                        if place > 0 {
                            self.text.push(ELEMENT);
                        }
                        self.text
                            .extend_from_within(entry.start as usize..entry.end as usize);
                    }
                    (start, offset(&self.text))
                }
            };
            if let Some(cell) = run
                .first()
                .and_then(|entry| self.cells.get_mut(entry.column as usize))
            {
                *cell = range;
            }
        }
        let text = &self.text;
        batch.push_record(
            line,
            self.cells.iter().map(|&(start, end)| {
                text.get(start as usize..end as usize)
                    .expect("cells lie in the record's text")
            }),
        );
    }

    fn put(&mut self, column: usize, value: &str) {
        let start = offset(&self.text);
        push_clean(&mut self.text, value);
        self.note(column, start);
    }

    fn note(&mut self, column: usize, start: u32) {
        let end = offset(&self.text);
        if end > start {
            self.entries.push(Entry {
                column: u32::try_from(column).expect("columns are bounded"),
                start,
                end,
            });
            if let Some(filled) = self.filled.get_mut(column) {
                *filled = self.record;
            }
        }
    }

    fn column(&mut self, path: &str) -> Result<usize, NoColumn> {
        let path = path.trim();
        let next = self.last.wrapping_add(1);
        for guess in [next, self.last] {
            if self.names.get(guess).is_some_and(|name| name == path) {
                self.last = guess;
                return Ok(guess);
            }
        }
        if let Some(&column) = self.index.get(path) {
            self.last = column as usize;
            return Ok(self.last);
        }
        if self.learned {
            return Err(NoColumn::Unknown);
        }
        if self.names.len() >= COLUMNS_MAX {
            return Err(NoColumn::TooMany);
        }
        let column = self.names.len();
        self.names.push(path.to_owned());
        self.filled.push(0);
        self.index.insert(
            path.to_owned(),
            u32::try_from(column).expect("columns are bounded"),
        );
        self.last = column;
        Ok(column)
    }
}

/// True when the batch should be handed on.
pub(crate) fn is_full(batch: &Batch) -> bool {
    batch.text_len() >= BATCH_BYTES
        || batch.len() * batch.width().max(1) >= BATCH_CELLS_MAX
        || batch.rejects.len() >= 1_000
}

/// The error for a value without a column; `advice` says how to read fewer.
pub(crate) fn no_column(why: NoColumn, name: &str, line: u64, advice: &str) -> SourceError {
    match why {
        NoColumn::TooMany => SourceError::new(
            SourceProblem::Configuration,
            name,
            format!("its records have more than {COLUMNS_MAX} columns"),
        )
        .at_line(line)
        .hint(advice),
        NoColumn::Unknown => SourceError::new(
            SourceProblem::NotWhole,
            name,
            "the source changed while it was read",
        )
        .at_line(line)
        .hint("run again when whoever writes it has finished"),
    }
}

/// The error for a read that failed; one that the opening layer wrapped is passed on as it was.
pub(crate) fn read_failed(error: &std::io::Error, name: &str, line: u64) -> SourceError {
    if let Some(inner) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<SourceError>())
    {
        return inner.clone();
    }
    SourceError::new(
        SourceProblem::NotWhole,
        name,
        format!("cannot read it to its end: {error}"),
    )
    .at_line(line)
    .hint("the file may be cut or damaged; fetch it again")
}

/// Adds text without the two separators of list cells.
pub(crate) fn push_clean(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte == 0x1f || byte == 0x1e) {
        out.extend(text.chars().filter(|&c| c != ELEMENT && c != PAIR));
    } else {
        out.push_str(text);
    }
}

fn offset(text: &str) -> u32 {
    u32::try_from(text.len()).expect("a record holds less than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(flat: &mut Flat) -> Batch {
        let mut batch = Batch::default();
        batch.clear(flat.names().len());
        flat.finish(&mut batch, 7);
        batch
    }

    #[test]
    fn repeated_values_make_a_list_and_separators_vanish() {
        let mut flat = Flat::default();
        flat.begin();
        flat.append("a", "x\u{1f}y").expect("learns");
        flat.append("b", "1").expect("learns");
        flat.append("a", "").expect("learns");
        flat.append("a", "z").expect("learns");
        flat.append_pair("p", "co\u{1e}lour", "red")
            .expect("learns");
        flat.append_pair("p", "size", "").expect("learns");
        let batch = record(&mut flat);
        assert_eq!(flat.names(), ["a", "b", "p"]);
        assert_eq!(batch.cell(0, 0), "xy\u{1f}z");
        assert_eq!(batch.cell(0, 1), "1");
        assert_eq!(batch.cell(0, 2), "colour\u{1e}red");
        assert_eq!(batch.line(0), 7);
    }

    #[test]
    fn two_values_for_one_path_get_two_columns() {
        let mut flat = Flat::default();
        flat.begin();
        flat.set("a.b", "1").expect("learns");
        flat.set("a.b", "2").expect("learns");
        flat.freeze();
        flat.begin();
        flat.set("a.b", "3").expect("known");
        assert_eq!(flat.names(), ["a.b", "a.b (2)"]);
        assert_eq!(flat.set("c", "1"), Err(NoColumn::Unknown));
        let batch = record(&mut flat);
        assert_eq!((batch.cell(0, 0), batch.cell(0, 1)), ("3", ""));
    }
}
