//! Where exactly a file is not whole: the line a quote opened on, the line and column of a bad byte.

use super::RECORD_BYTES_MAX;
use super::index::Index;
use super::masks::Marks;
use crate::catalog::batch::Cell;
use crate::catalog::{SourceError, SourceProblem};

/// A file that ended inside the quotes of the record `text`, which begins on `line`.
pub(super) fn open_quote(path: &str, text: &[u8], line: u64, marks: &Marks) -> SourceError {
    let quote = marks.quote.unwrap_or(b'"');
    let (opened, cell, _) = quote_opened(text, line, marks.delimiter, quote);
    never_closed(path, opened, cell, "the file ends inside quotes")
}

/// A file that ended in the middle of the record that begins on `line`: too few cells, and no line end.
pub(super) fn cut_record(path: &str, line: u64, found: usize, width: usize) -> SourceError {
    SourceError::new(
        SourceProblem::NotWhole,
        path,
        format!("the file is cut: its last record has {found} of {width} cells and no line end"),
    )
    .at_line(line)
    .hint(
        "get the rest of the file; if it is whole, write the record's empty cells and end its line",
    )
}

fn never_closed(path: &str, line: u64, cell: usize, what: &str) -> SourceError {
    SourceError::new(
        SourceProblem::NotWhole,
        path,
        format!("{what}: the quote that opens cell {cell} here is never closed"),
    )
    .at_line(line)
    .hint("close the quote, or get the rest of the file: it may have been cut")
}

/// Line and number of the last quoted cell of an unfinished record, and whether it is open at the end.
fn quote_opened(text: &[u8], mut line: u64, delimiter: u8, quote: u8) -> (u64, usize, bool) {
    let mut number = 1;
    let mut opened = (line, number, false);
    let mut bytes = text.iter().copied().peekable();
    let mut at_start = true;
    while let Some(byte) = bytes.next() {
        let quoted = at_start && byte == quote;
        at_start = byte == delimiter;
        number += usize::from(at_start);
        if quoted {
            opened = (line, number, true);
            while let Some(inner) = bytes.next() {
                line += u64::from(inner == b'\n');
                // two quotes are one letter, and the cell goes on
                if inner == quote && bytes.next_if_eq(&quote).is_none() {
                    opened.2 = false;
                    break;
                }
            }
        }
    }
    opened
}

/// A record longer than any record is, of which the first bytes are `text`.
pub(super) fn endless(path: &str, text: &[u8], line: u64, marks: &Marks) -> SourceError {
    let what = format!("a record of more than {RECORD_BYTES_MAX} bytes");
    if let Some(quote) = marks.quote
        && let (opened, cell, true) = quote_opened(text, line, marks.delimiter, quote)
    {
        return never_closed(path, opened, cell, &what);
    }
    SourceError::new(SourceProblem::NotWhole, path, what)
        .at_line(line)
        .hint("this file has no line ends, or is not CSV: look at what writes it")
}

/// Bytes that are not UTF-8 in a record that begins on `line`, of which the first cells are at `cells`.
pub(super) fn not_utf8(
    path: &str,
    record: &[u8],
    line: u64,
    column: Option<String>,
    last: bool,
) -> SourceError {
    let Err(error) = std::str::from_utf8(record) else {
        // only a joint of two records can be bad without either being so, and there is none
        return SourceError::new(SourceProblem::NotWhole, path, "the text is not UTF-8")
            .at_line(line);
    };
    let at = error.valid_up_to();
    let before = record.get(..at).unwrap_or_default();
    let line = line + memchr::memchr_iter(b'\n', before).count() as u64;
    let cut = last && error.error_len().is_none();
    let bad = record.get(at).copied().unwrap_or(0);
    let error = if cut {
        SourceError::new(
            SourceProblem::NotWhole,
            path,
            "the file ends in the middle of a letter of several bytes",
        )
        .hint("get the rest of the file: it was cut")
    } else {
        SourceError::new(
            SourceProblem::NotWhole,
            path,
            format!("byte 0x{bad:02X} is not UTF-8"),
        )
        .hint("export the file as UTF-8, or set `encoding` in the source to what it is, such as `windows-1250`")
    };
    match column {
        Some(column) => error.at_line(line).in_column(column),
        None => error.at_line(line),
    }
}

/// The first byte of a batch's text that is not UTF-8, as an error that names its line and column; the text begins on line
/// `began`.
pub(super) fn bad_byte(
    path: &str,
    text: &[u8],
    at: usize,
    began: u64,
    index: &Index,
    columns: &[String],
) -> SourceError {
    let width = index.width.max(1);
    let starts_before = |cell: &Cell| cell.start as usize <= at;
    let cell = index.cells.partition_point(starts_before).saturating_sub(1);
    let record = cell / width;
    // quotes before the first cell hold no line feed, so the cell stands for the record's start
    let (start, line) = match (index.cells.get(record * width), index.lines.get(record)) {
        (Some(first), Some(line)) if first.start as usize <= at => (first.start as usize, *line),
        _ => (0, began),
    };
    let inside = index
        .cells
        .get(cell)
        .is_some_and(|cell| at < cell.end as usize);
    let column = inside.then(|| columns.get(cell % width).cloned()).flatten();
    not_utf8(
        path,
        text.get(start..).unwrap_or_default(),
        line,
        column,
        false,
    )
}
