//! Rows of cells by column.

use std::collections::HashMap;

use crate::program::compile::{WORKBOOK_CELL, WORKBOOK_ROW};
use crate::write::items::LogHead;

use super::{Field, numbered};

/// The cells of an item's rows; `None` where the dialect is not known.
pub(super) fn fields(head: &LogHead, text: &str) -> Option<Vec<Field>> {
    if head.delimiter == 0 {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true);
    reader.delimiter(head.delimiter);
    match head.quote {
        0 => reader.quoting(false),
        quote => reader.quote(quote),
    };
    let mut reader = reader.from_reader(text.as_bytes());
    let names = names(head);
    let mut out = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.ok()?;
        put(&names, row, record.iter(), &mut out);
    }
    Some(out)
}

/// The cells of a workbook's rows, separated as the program wrote them.
pub(super) fn cells(head: &LogHead, text: &str) -> Vec<Field> {
    let names = names(head);
    let mut out = Vec::new();
    for (row, text) in text.split_terminator(WORKBOOK_ROW).enumerate() {
        put(&names, row, text.split(char::from(WORKBOOK_CELL)), &mut out);
    }
    out
}

/// The columns' names, repeated ones numbered.
fn names(head: &LogHead) -> Vec<String> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    head.columns
        .iter()
        .map(|name| {
            let count = seen.entry(name).or_default();
            *count += 1;
            numbered(name, *count)
        })
        .collect()
}

fn put<'c>(
    names: &[String],
    row: usize,
    cells: impl Iterator<Item = &'c str>,
    out: &mut Vec<Field>,
) {
    for (place, cell) in cells.enumerate() {
        let name = match names.get(place) {
            Some(name) => name.clone(),
            None => numbered("column", place + 1),
        };
        // The rows of a product's variants repeat its columns.
        let name = if row == 0 {
            name
        } else {
            format!("row[{}] {name}", row + 1)
        };
        out.push(Field::new(name, cell));
    }
}
