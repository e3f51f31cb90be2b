//! Delimited text: CSV, TSV and their relatives, from an [`Input`] to batches.
//!
//! The rules are those of the `csv` crate, cell for cell. A fast path finds cells by quote parity over 64-byte masks and
//! proves each record; a record it cannot prove is read by `csv-core`. Beyond the crate: a quote still open at the end means
//! that the file is not whole; a ragged row, an enormous cell and a NUL byte are rejects; rows of empty cells are skipped
//! and counted. A line ends with LF, CRLF, or a lone CR that ends a record. Text is UTF-8 or an error, never replaced.

mod header;
mod index;
mod masks;
mod reader;
mod scan;
mod slow;
mod sniff;
#[cfg(test)]
mod tests;
mod trouble;

use super::batch::BATCH_BYTES;
use super::input::Input;
use super::{RecordReader, SourceError, SourceProblem};

/// Most columns a file may have.
pub const COLUMNS_MAX: usize = 4096;

/// Longest cell, in bytes; a longer one is usually a quote that was never closed.
pub const CELL_BYTES_MAX: usize = 1024 * 1024;

/// Longest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How a delimited file is written.
#[derive(Clone, Debug)]
pub struct CsvOptions {
    /// The byte between cells (ASCII); `None` finds it among `,` `;` tab and `|`, and reports it.
    pub delimiter: Option<u8>,
    /// The byte round cells that hold delimiters (ASCII); `None` when quotes mean nothing, as in plain TSV.
    pub quote: Option<u8>,
    /// Whether the first record names the columns.
    pub header: bool,
    /// The column names of a file without a header; without these they are `column 1`, `column 2`.
    pub names: Option<Vec<String>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: None,
            quote: Some(b'"'),
            header: true,
            names: None,
        }
    }
}

/// Opens delimited text: finds the delimiter, reads the header, and stands before the first record.
///
/// # Errors
/// `NotWhole` for an empty file, bytes that are not UTF-8, or a header without an end; `Configuration` for a delimiter that
/// cannot be found or be meant, names that do not fit, and more than [`COLUMNS_MAX`] columns.
pub fn open(input: Input, options: &CsvOptions) -> Result<Box<dyn RecordReader>, SourceError> {
    Ok(Box::new(reader::CsvReader::open(
        input,
        options,
        BATCH_BYTES,
    )?))
}

/// Refuses settings that no file can have.
fn check_options(name: &str, options: &CsvOptions) -> Result<(), SourceError> {
    let wrong = |message: String, hint: &str| {
        Err(SourceError::new(SourceProblem::Configuration, name, message).hint(hint))
    };
    let usable = |byte: u8| byte.is_ascii() && !matches!(byte, 0 | b'\r' | b'\n');
    if let Some(byte) = options.delimiter
        && !usable(byte)
    {
        return wrong(
            format!("`{}` cannot be the delimiter", byte.escape_ascii()),
            "set `delimiter` to one ASCII character, such as `,` or `;` or `\\t`",
        );
    }
    if let Some(byte) = options.quote
        && (!usable(byte) || Some(byte) == options.delimiter)
    {
        return wrong(
            format!("`{}` cannot be the quote", byte.escape_ascii()),
            "set `quote` to one ASCII character that is not the delimiter, usually `\"`",
        );
    }
    if options.header && options.names.is_some() {
        return wrong(
            "column names are given though the file has a header".to_owned(),
            "set `header = false`, or take `names` out",
        );
    }
    Ok(())
}
