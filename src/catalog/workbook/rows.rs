//! From single cells, in order, to a header and records.
//!
//! Comes in: cells with row and column, sparse. Goes out: columns and records to a [`Producer`]. Only columns with a
//! header are kept, so that a lone cell far out costs nothing.

use crate::catalog::background::{Producer, Stop};
use crate::catalog::flat::{COLUMNS_MAX, push_clean};
use crate::catalog::{SourceError, SourceProblem};

/// Digits from which a number is taken for an identifier.
const LONG_DIGITS: usize = 12;
/// What is in the names of columns that hold identifiers.
const IDENTIFIERS: [&str; 6] = ["gtin", "ean", "barcode", "sku", "upc", "isbn"];

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// `#N/A` and its like.
    Error,
}

/// Where the header is.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    /// Its row in the sheet, from 1; the first that holds something when absent.
    pub(super) row: Option<u32>,
    /// Names to use instead, in column order.
    pub(super) names: Option<Vec<String>>,
}

/// A kept column.
struct Column {
    at: u32,
    name: String,
    identifier: bool,
    numbers: u64,
    text: String,
}

/// Collects the cells of a sheet, row by row.
pub(super) struct Rows<'a> {
    producer: &'a mut Producer,
    source: String,
    header: Header,
    columns: Option<Vec<Column>>,
    /// The row at hand, from 0, and the cells of the header row while it is read.
    row: Option<u32>,
    names: Vec<(u32, String)>,
    filled: bool,
    errors: u64,
    strays: u64,
    first_stray: String,
}

impl<'a> Rows<'a> {
    /// Rows for a source that `source` stands for in messages.
    pub(super) fn new(
        producer: &'a mut Producer,
        source: &str,
        header: Header,
    ) -> Result<Self, Stop> {
        let mut rows = Rows {
            producer,
            source: source.to_owned(),
            header,
            columns: None,
            row: None,
            names: Vec::new(),
            filled: false,
            errors: 0,
            strays: 0,
            first_stray: String::new(),
        };
        if let Some(names) = rows.header.names.take() {
            rows.names = (0_u32..).zip(names).collect();
            rows.set_columns()?;
        }
        Ok(rows)
    }

    /// Takes the next cell; rows (from 0) and columns (from 0) may not go back.
    pub(super) fn cell(
        &mut self,
        row: u32,
        column: u32,
        kind: Kind,
        text: &str,
    ) -> Result<(), Stop> {
        match self.row {
            Some(at) if at == row => {}
            Some(at) if at > row => {
                return Err(SourceError::new(
                    SourceProblem::NotWhole,
                    &self.source,
                    format!("row {} stands behind row {}", row + 1, at + 1),
                )
                .hint("open the workbook in a spreadsheet program and save it again")
                .into());
            }
            _ => {
                self.end_row()?;
                self.row = Some(row);
            }
        }
        if kind == Kind::Error {
            self.errors += 1;
            return Ok(());
        }
        if text.is_empty() {
            return Ok(());
        }
        let before = self.header.row.is_some_and(|header| row + 1 < header);
        let is_header = self.header.row.is_some_and(|header| row + 1 == header);
        match &mut self.columns {
            _ if before => {}
            Some(_) if is_header => {}
            None if self.header.row.is_some() && !is_header => {
                return Err(self.empty_header().into());
            }
            None => {
                if !text.trim().is_empty() {
                    self.names.push((column, text.to_owned()));
                }
                if self.names.len() > COLUMNS_MAX {
                    return Err(self.too_wide(row).into());
                }
            }
            Some(columns) => {
                let found = columns.binary_search_by_key(&column, |column| column.at);
                let Some(kept) = found.ok().and_then(|place| columns.get_mut(place)) else {
                    if !text.trim().is_empty() {
                        self.strays += 1;
                        if self.first_stray.is_empty() {
                            self.first_stray = reference(row, column);
                        }
                    }
                    return Ok(());
                };
                self.filled |= !text.trim().is_empty();
                kept.text.clear();
                push_clean(&mut kept.text, text);
                if kind == Kind::Number {
                    let whole = text.bytes().all(|byte| byte.is_ascii_digit());
                    if kept.identifier || (whole && text.len() >= LONG_DIGITS) {
                        kept.numbers += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// The sheet is read to its end.
    pub(super) fn finish(mut self) -> Result<(), Stop> {
        self.end_row()?;
        if self.columns.is_none() {
            if self.header.row.is_some() {
                return Err(self.empty_header().into());
            }
            self.set_columns()?;
        }
        if self.errors > 0 {
            self.producer.remark(format!(
                "{} cells hold an error such as #N/A and are read as empty",
                self.errors
            ))?;
        }
        if self.strays > 0 {
            self.producer.remark(format!(
                "{} cells stand in columns without a header and are not read, the first is {}",
                self.strays, self.first_stray
            ))?;
        }
        for column in self.columns.iter().flatten() {
            if column.numbers > 0 {
                self.producer.remark(format!(
                    "column `{}` holds {} numbers where identifiers are: a spreadsheet drops leading zeros and digits \
                     after the 15th, so format the column as text and enter them again",
                    column.name, column.numbers
                ))?;
            }
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        let Some(row) = self.row else {
            return Ok(());
        };
        match &mut self.columns {
            None if !self.names.is_empty() => self.set_columns(),
            None if self.header.row.is_some_and(|header| row + 1 >= header) => {
                Err(self.empty_header().into())
            }
            None => Ok(()),
            Some(columns) => {
                if self.filled {
                    self.producer.record(
                        u64::from(row) + 1,
                        columns.iter().map(|column| column.text.as_str()),
                    )?;
                }
                self.filled = false;
                for column in columns {
                    column.text.clear();
                }
                Ok(())
            }
        }
    }

    fn set_columns(&mut self) -> Result<(), Stop> {
        let mut names = std::mem::take(&mut self.names);
        names.sort_by_key(|(at, _)| *at);
        names.dedup_by_key(|(at, _)| *at);
        if names.len() > COLUMNS_MAX {
            return Err(self.too_wide(self.row.unwrap_or(0)).into());
        }
        self.producer
            .columns(names.iter().map(|(_, name)| clean(name)).collect())?;
        self.columns = Some(
            names
                .into_iter()
                .map(|(at, name)| {
                    let lower = name.to_lowercase();
                    let mut words = lower.split(|c: char| !c.is_alphanumeric());
                    Column {
                        at,
                        name: clean(&name),
                        identifier: words.any(|word| {
                            IDENTIFIERS.iter().any(|known| {
                                word.strip_prefix(known)
                                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
                            })
                        }),
                        numbers: 0,
                        text: String::new(),
                    }
                })
                .collect(),
        );
        Ok(())
    }

    fn empty_header(&self) -> SourceError {
        let row = self.header.row.unwrap_or(1);
        SourceError::new(
            SourceProblem::Configuration,
            &self.source,
            format!("its header row {row} is empty"),
        )
        .hint("set `header` to the row that holds the column names")
    }

    fn too_wide(&self, row: u32) -> SourceError {
        SourceError::new(
            SourceProblem::Configuration,
            &self.source,
            format!("it has more than {COLUMNS_MAX} columns"),
        )
        .at_line(u64::from(row) + 1)
        .hint("set `header` to the row that holds the column names, and take unused columns out")
    }
}

fn clean(name: &str) -> String {
    let mut out = String::new();
    push_clean(&mut out, name.trim());
    out
}

/// A cell's name, such as `XFD1048576`, from its row and column from 0.
fn reference(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect::<String>() + &(row + 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn cells_are_called_as_in_a_sheet() {
        assert_eq!(reference(0, 0), "A1");
        assert_eq!(reference(9, 27), "AB10");
        assert_eq!(reference(1_048_575, 16_383), "XFD1048576");
    }
}
