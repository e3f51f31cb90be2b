//! The reader: fills a batch's own buffer, indexes it, hands it back, and carries the unfinished tail over.

use std::io::Read;

use memchr::{memchr, memmem};

use super::index::Index;
use super::masks::Marks;
use super::scan::{Stop, scan};
use super::slow::{Outcome, Slow};
use super::{CsvOptions, RECORD_BYTES_MAX, check_options, header, sniff, trouble};
use crate::catalog::input::{Input, read_error};
use crate::catalog::{Batch, RecordReader, SourceError, SourceProblem};

/// Text that the delimiter is looked for in, in bytes.
const SNIFF_BYTES: usize = 256 * 1024;

/// So many NUL bytes in a row are a hole in the file, not a slip of the keyboard.
const NUL_HOLE: usize = 8;

/// Reads delimited text as batches.
pub(super) struct CsvReader {
    path: String,
    input: Box<dyn Read + Send>,
    columns: Vec<String>,
    remarks: Vec<String>,
    marks: Marks,
    slow: Slow,
    /// Text read and not yet indexed: it begins a record.
    pending: Vec<u8>,
    /// Line of the first byte of `pending`.
    line: u64,
    /// Nothing is left to read.
    ended: bool,
    /// Rows of nothing but empty cells so far.
    empty_rows: u64,
    /// `pending` is less than one record: the next batch must be longer.
    stuck: bool,
    /// Text to read for a batch, in bytes.
    fill: usize,
}

impl CsvReader {
    /// Opens with batches of about `fill` bytes.
    pub(super) fn open(
        input: Input,
        options: &CsvOptions,
        fill: usize,
    ) -> Result<Self, SourceError> {
        check_options(&input.name, options)?;
        let mut reader = CsvReader {
            path: input.name,
            input: input.reader,
            columns: Vec::new(),
            remarks: input.remarks,
            marks: Marks::new(b',', options.quote),
            slow: Slow::new(b',', options.quote),
            pending: Vec::new(),
            line: 1,
            ended: false,
            empty_rows: 0,
            stuck: false,
            fill: fill.max(1),
        };
        reader.find_delimiter(options)?;
        reader.read_header(options)?;
        Ok(reader)
    }

    /// Settles the delimiter: declared, said by a first line `sep=;`, or found.
    fn find_delimiter(&mut self, options: &CsvOptions) -> Result<(), SourceError> {
        let wanted = if options.delimiter.is_some() {
            self.fill.max(8)
        } else {
            SNIFF_BYTES
        };
        self.read_pending(wanted)?;
        let said = sniff::declared(&self.pending);
        if let Some((_, bytes)) = said {
            self.pending.drain(..bytes);
            self.line += 1;
        }
        let delimiter = match (options.delimiter, said) {
            (Some(declared), Some((said, _))) if declared != said => {
                self.remarks.push(format!(
                    "the first line says that the delimiter is {}; the declared {} is used",
                    sniff::shown(said),
                    sniff::shown(declared)
                ));
                declared
            }
            (Some(declared), _) => declared,
            (None, Some((said, _))) => {
                self.remarks.push(format!(
                    "the delimiter is {}: the first line says so",
                    sniff::shown(said)
                ));
                said
            }
            (None, None) => {
                let found =
                    sniff::delimiter(&self.path, options.quote, &self.pending, self.ended)?;
                self.remarks.extend(found.remark);
                found.delimiter
            }
        };
        self.marks = Marks::new(delimiter, options.quote);
        self.slow = Slow::new(delimiter, options.quote);
        Ok(())
    }

    /// Settles the columns from the first record, and takes that out when it is a header.
    fn read_header(&mut self, options: &CsvOptions) -> Result<(), SourceError> {
        let (cells, bytes, lines) = loop {
            if let Some(first) = self.slow.first(&self.pending, self.ended) {
                break first;
            }
            if self.ended {
                return Err(self.no_header());
            }
            if self.pending.len() >= RECORD_BYTES_MAX {
                return Err(self.endless());
            }
            self.read_pending(self.fill.max(self.pending.len() * 2))?;
        };
        header::check_width(&self.path, cells.len(), self.line)?;
        if !options.header {
            self.columns = header::given(&self.path, options, cells.len())?;
            return Ok(());
        }
        let mut texts = Vec::with_capacity(cells.len());
        for cell in cells {
            match String::from_utf8(cell) {
                Ok(text) => texts.push(text),
                Err(error) => {
                    let number = (texts.len() + 1).to_string();
                    let bytes = error.as_bytes();
                    return Err(trouble::not_utf8(&self.path, bytes, self.line, Some(number), false));
                }
            }
        }
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(self.not_text(self.line));
        }
        let (names, remark) = header::names(&texts);
        self.columns = names;
        self.remarks.extend(remark);
        self.pending.drain(..bytes);
        self.line += lines;
        Ok(())
    }

    /// Why a file that has ended holds not even one record.
    fn no_header(&self) -> SourceError {
        let blank = self.pending.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        match self.marks.quote {
            Some(_) if !blank => {
                trouble::open_quote(&self.path, &self.pending, self.line, &self.marks)
            }
            _ => SourceError::new(SourceProblem::NotWhole, &self.path, "the file is empty")
                .hint("a whole file has at least a header line: look at what writes it"),
        }
    }

    /// The error for a record that has outgrown every bound.
    fn endless(&self) -> SourceError {
        trouble::endless(&self.path, &self.pending, self.line, &self.marks)
    }

    fn not_text(&self, line: u64) -> SourceError {
        SourceError::new(
            SourceProblem::NotWhole,
            &self.path,
            "NUL bytes where text should be",
        )
        .at_line(line)
        .hint("the file is damaged, or not text: export it again")
    }

    /// Reads until `pending` holds `wanted` bytes or the file ends.
    fn read_pending(&mut self, wanted: usize) -> Result<(), SourceError> {
        let mut text = std::mem::take(&mut self.pending);
        let filled = text.len();
        let read = self.read_up_to(&mut text, filled, wanted);
        self.pending = text;
        read
    }

    /// Reads behind the first `filled` bytes of `text` until it is `wanted` bytes long or the file ends.
    fn read_up_to(
        &mut self,
        text: &mut Vec<u8>,
        mut filled: usize,
        wanted: usize,
    ) -> Result<(), SourceError> {
        text.resize(wanted.max(filled), 0);
        while filled < wanted && !self.ended {
            let room = text.get_mut(filled..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => self.ended = true,
                Ok(bytes) => filled += bytes,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(&self.path, error)),
            }
        }
        text.truncate(filled);
        Ok(())
    }

    /// Indexes what is in `text`; returns how much of it is done.
    fn index(&mut self, text: &mut [u8], index: &mut Index) -> Result<usize, SourceError> {
        let mut from = 0;
        loop {
            let start = match scan(&self.marks, text, from, index) {
                Stop::Unproven(start) => start,
                // the last record of a file may lack its line end
                Stop::Unfinished(start) if self.ended && start < text.len() => start,
                Stop::Unfinished(start) => return Ok(start),
            };
            match self.slow.read(&self.marks, text, start, self.ended, index) {
                Outcome::Next(next) => from = next,
                Outcome::Unfinished(start) => return Ok(start),
                // records before it may go first; it is met again at the start of the next batch
                Outcome::NotUtf8(start) | Outcome::OpenQuote(start) if start > 0 => {
                    return Ok(start);
                }
                Outcome::NotUtf8(start) => {
                    let record = text.get(start..).unwrap_or_default();
                    return Err(trouble::not_utf8(&self.path, record, index.line, None, self.ended));
                }
                Outcome::OpenQuote(start) => {
                    let record = text.get(start..).unwrap_or_default();
                    return Err(trouble::open_quote(
                        &self.path,
                        record,
                        index.line,
                        &self.marks,
                    ));
                }
            }
        }
    }

    /// Rejects records with a NUL byte; a hole of them means that the file is damaged.
    fn check_nul(&self, text: &[u8], index: &mut Index) -> Result<(), SourceError> {
        if memchr(0, text).is_none() {
            return Ok(());
        }
        if let Some(at) = memmem::find(text, &[0; NUL_HOLE]) {
            let record = index
                .cells
                .chunks(index.width.max(1))
                .take_while(|cells| cells.first().is_some_and(|cell| cell.start as usize <= at))
                .count();
            let line = index.lines.get(record.saturating_sub(1)).copied();
            return Err(self.not_text(line.unwrap_or(self.line)));
        }
        index.reject_nul(text);
        Ok(())
    }
}

impl RecordReader for CsvReader {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        let (mut text, mut cells, mut lines) = batch.take_parts();
        cells.clear();
        lines.clear();
        batch.clear(self.columns.len());
        let mut index = Index {
            width: self.columns.len(),
            cells,
            lines,
            doubled: Vec::new(),
            rejects: std::mem::take(&mut batch.rejects),
            line: self.line,
            empty_rows: 0,
        };
        let began = loop {
            let pending = self.pending.len();
            let wanted = if self.stuck { pending * 2 } else { pending };
            // the buffer keeps its length from batch to batch, so that it is not cleared each time
            if text.len() < pending {
                text.resize(pending, 0);
            }
            if let Some(place) = text.get_mut(..pending) {
                place.copy_from_slice(&self.pending);
            }
            self.read_up_to(&mut text, pending, self.fill.max(wanted))?;
            let began = self.line;
            let done = self.index(&mut text, &mut index)?;
            self.pending.clear();
            self.pending.extend_from_slice(text.get(done..).unwrap_or_default());
            text.truncate(done);
            self.check_nul(&text, &mut index)?;
            if let Some(quote) = self.marks.quote {
                index.undouble(&mut text, quote);
            }
            self.stuck = done == 0 && !self.ended;
            self.line = index.line;
            self.empty_rows += std::mem::take(&mut index.empty_rows);
            if !index.lines.is_empty() || !index.rejects.is_empty() {
                break began;
            }
            if self.ended && self.pending.is_empty() {
                return Ok(false);
            }
            if done == 0 && self.pending.len() >= RECORD_BYTES_MAX {
                return Err(self.endless());
            }
        };
        let text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = error.as_bytes();
                return Err(trouble::bad_byte(
                    &self.path,
                    text,
                    at,
                    began,
                    &index,
                    &self.columns,
                ));
            }
        };
        batch.rejects = index.rejects;
        batch.set_parts(text, index.cells, index.lines);
        Ok(true)
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks.clone();
        if self.empty_rows > 0 {
            remarks.push(format!(
                "{} rows of nothing but empty cells were skipped",
                self.empty_rows
            ));
        }
        remarks
    }
}
