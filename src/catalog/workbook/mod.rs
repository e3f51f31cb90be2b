//! Workbooks: XLSX and ODS.
//!
//! Comes in: a file. Goes out: batches with a column for every header cell. Cells are streamed on a thread of their own,
//! text stays text, numbers are written with their shortest exact digits, dates in ISO form. An archive that expands
//! beyond measure is refused before anything in it is read.

mod archive;
mod excel;
mod open_document;
mod rows;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::archive::Kind;
use self::rows::Header;
use super::background::Background;
use super::{Batch, RecordReader, SourceError, SourceProblem};

/// Which part of a workbook is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkbookOptions {
    /// The sheet's name; the first visible one that holds something when absent.
    pub sheet: Option<String>,
    /// Row of the column names, from 1; the first that holds something when absent. Rows above it are not read.
    pub header_row: Option<u32>,
    /// Names for the columns from A on, for a sheet without a header; with `header_row`, instead of what stands there.
    pub names: Option<Vec<String>>,
}

/// Reads the rows of one sheet.
pub struct WorkbookReader(Background);

/// Opens the workbook at `path`, which `name` stands for in messages, checks it and reads its header.
///
/// # Errors
/// When it cannot be opened, is damaged, encrypted or no workbook, expands beyond measure, has no such sheet, no header in
/// that row, or more than 4,096 columns.
pub fn open(
    path: &Path,
    name: &str,
    options: &WorkbookOptions,
) -> Result<WorkbookReader, SourceError> {
    let kind = archive::open(path, name)?;
    let path = path.to_owned();
    let source = name.to_owned();
    let sheet = options.sheet.clone();
    let header = Header {
        row: options.header_row,
        names: options.names.clone(),
    };
    let background = Background::start(name, move |producer| match kind {
        Kind::Excel => excel::read(&path, &source, sheet.as_deref(), header, producer),
        Kind::OpenDocument(file) => {
            open_document::read(file, &source, sheet.as_deref(), header, producer)
        }
    })?;
    Ok(WorkbookReader(background))
}

impl RecordReader for WorkbookReader {
    fn columns(&self) -> &[String] {
        self.0.columns()
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        self.0.read_batch(batch)
    }

    fn remarks(&self) -> Vec<String> {
        self.0.remarks()
    }
}

/// The error for a sheet that is not there.
fn unknown_sheet(wanted: &str, sheets: &[&str], name: &str) -> SourceError {
    let near = sheets
        .iter()
        .map(|sheet| {
            let score = strsim::jaro_winkler(&wanted.to_lowercase(), &sheet.to_lowercase());
            (score, sheet)
        })
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let all: Vec<String> = sheets
        .iter()
        .take(20)
        .map(|sheet| format!("`{sheet}`"))
        .collect();
    let mut hint = format!("its sheets are {}", all.join(", "));
    if let Some((_, near)) = near {
        hint = format!("did you mean `{near}`? {hint}");
    }
    SourceError::new(
        SourceProblem::Configuration,
        name,
        format!("it has no sheet `{wanted}`"),
    )
    .hint(hint)
}
