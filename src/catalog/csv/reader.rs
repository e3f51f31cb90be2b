//! The reader: fills a batch's own buffer, indexes it, hands it back, and carries the unfinished tail over.

use std::io::Read;

use encoding_rs::UTF_8;
use memchr::{memchr, memchr2, memmem};

use super::index::Index;
use super::masks::Marks;
use super::scan::{Stop, scan};
use super::slow::{Outcome, Slow};
use super::{CsvOptions, RECORD_BYTES_MAX, check_options, header, sniff, trouble};
use crate::catalog::batch::BATCH_BYTES;
use crate::catalog::input::{Input, read_error};
use crate::catalog::{Batch, RecordReader, SourceError, SourceProblem};

/// Text that the delimiter is looked for in, in bytes: no more than the first batch takes anyway.
const SNIFF_BYTES: usize = BATCH_BYTES;

/// So many NUL bytes in a row are a hole in the file, not a slip of the keyboard.
const NUL_HOLE: usize = 8;

/// Bytes copied at a time.
const COPY_BYTES: usize = 1920;

/// Reads delimited text as batches.
pub(super) struct CsvReader {
    path: String,
    input: Box<dyn Read + Send>,
    columns: Vec<String>,
    remarks: Vec<String>,
    marks: Marks,
    slow: Slow,
    /// Text read and not yet indexed, which begins a record: the first `filled` bytes. The rest is room, never cleared again.
    pending: Vec<u8>,
    filled: usize,
    /// Line of the first byte of `pending`.
    line: u64,
    /// What was wrong, once something was.
    failed: Option<SourceError>,
    /// Nothing is left to read.
    ended: bool,
    /// Rows of nothing but empty cells so far.
    empty_rows: u64,
    /// `pending` is less than one record: the next batch must be longer.
    stuck: bool,
    /// Buffers kept from batch to batch.
    doubled: Vec<usize>,
    seconds: Vec<u32>,
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
            filled: 0,
            line: 1,
            failed: None,
            ended: false,
            empty_rows: 0,
            stuck: false,
            doubled: Vec::new(),
            seconds: Vec::new(),
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
        let said = sniff::declared(self.text());
        if let Some((_, bytes)) = said {
            self.drop_text(bytes);
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
                let found = sniff::delimiter(&self.path, options.quote, self.text(), self.ended)?;
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
            let text = self.pending.get(..self.filled).unwrap_or_default();
            if let Some(first) = self.slow.first(text, self.ended) {
                break first;
            }
            if self.ended {
                return Err(self.no_header());
            }
            if self.filled >= RECORD_BYTES_MAX {
                return Err(trouble::endless(
                    &self.path,
                    self.text(),
                    self.line,
                    &self.marks,
                ));
            }
            self.read_pending(self.fill.max(self.filled * 2))?;
        };
        // Its buffer was as long as all the text that was read; few files need it again.
        self.slow = Slow::new(self.marks.delimiter, options.quote);
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
                    return Err(trouble::not_utf8(
                        &self.path,
                        bytes,
                        self.line,
                        Some(number),
                        false,
                    ));
                }
            }
        }
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(self.not_text(self.line));
        }
        let (names, remark) = header::names(&texts);
        self.columns = names;
        self.remarks.extend(remark);
        self.drop_text(bytes);
        self.line += lines;
        Ok(())
    }

    /// Why a file that has ended holds not even one record.
    fn no_header(&self) -> SourceError {
        let blank = self.text().iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        match self.marks.quote {
            Some(_) if !blank => {
                trouble::open_quote(&self.path, self.text(), self.line, &self.marks)
            }
            _ => SourceError::new(SourceProblem::NotWhole, &self.path, "the file is empty")
                .hint("a whole file has at least a header line: look at what writes it"),
        }
    }

    /// The error for bytes in indexed text that are not UTF-8.
    fn bad_byte(&self, text: &[u8], index: &Index) -> SourceError {
        let at = std::str::from_utf8(text).map_or_else(|e| e.valid_up_to(), str::len);
        trouble::bad_byte(&self.path, text, at, self.line, index, &self.columns)
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

    /// The text that is read and not indexed.
    fn text(&self) -> &[u8] {
        self.pending.get(..self.filled).unwrap_or_default()
    }

    /// Drops the first `bytes` of that text.
    fn drop_text(&mut self, bytes: usize) {
        self.pending.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    /// Reads until there are `wanted` bytes of text or the file ends.
    fn read_pending(&mut self, wanted: usize) -> Result<(), SourceError> {
        if self.pending.len() < wanted {
            self.pending.resize(wanted, 0);
        }
        while self.filled < wanted && !self.ended {
            let room = self
                .pending
                .get_mut(self.filled..wanted)
                .unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => self.ended = true,
                Ok(bytes) => self.filled += bytes,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(&self.path, error)),
            }
        }
        Ok(())
    }

    /// Indexes what is in `text`; `odd` when it has CR or NUL bytes. Returns how much of it is done.
    fn index(
        &mut self,
        text: &mut [u8],
        odd: bool,
        index: &mut Index,
    ) -> Result<usize, SourceError> {
        let returns = odd && memchr(b'\r', text).is_some();
        let mut from = 0;
        loop {
            let start = match scan(&self.marks, text, from, returns, index) {
                Stop::Unproven(start) => start,
                // the last record of a file may lack its line end
                Stop::Unfinished(start) if self.ended && start < text.len() => start,
                Stop::Unfinished(start) => return Ok(start),
            };
            index.short = None;
            match self.slow.read(&self.marks, text, start, self.ended, index) {
                Outcome::Next(next) => {
                    let unended = self.ended
                        && next == text.len()
                        && !text.ends_with(b"\n")
                        && !text.ends_with(b"\r");
                    if let (true, Some(found)) = (unended, index.short) {
                        let line = index
                            .rejects
                            .last()
                            .map_or(index.line, |reject| reject.line);
                        return Err(trouble::cut_record(&self.path, line, found, index.width));
                    }
                    from = next;
                }
                Outcome::Unfinished(start) => return Ok(start),
                // records before it may go first; it is met again at the start of the next batch
                Outcome::NotUtf8(start) | Outcome::OpenQuote(start) if start > 0 => {
                    return Ok(start);
                }
                Outcome::NotUtf8(start) => {
                    let record = text.get(start..).unwrap_or_default();
                    return Err(trouble::not_utf8(
                        &self.path, record, index.line, None, self.ended,
                    ));
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

    /// [`RecordReader::read_batch`], after whose error nothing may be read.
    fn fill_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        let (mut text, mut cells, mut lines) = batch.take_parts();
        text.clear();
        cells.clear();
        lines.clear();
        let mut text = String::from_utf8(text).expect("no bytes are UTF-8");
        batch.clear(self.columns.len());
        let mut index = Index {
            width: self.columns.len(),
            cells,
            lines,
            rejects: std::mem::take(&mut batch.rejects),
            line: self.line,
            empty_rows: 0,
            doubled: std::mem::take(&mut self.doubled),
            seconds: std::mem::take(&mut self.seconds),
            short: None,
        };
        let more = loop {
            let wanted = if self.stuck {
                self.filled * 2
            } else {
                self.fill
            };
            self.read_pending(wanted)?;
            let mut pending = std::mem::take(&mut self.pending);
            let raw = pending.get_mut(..self.filled).unwrap_or_default();
            let odd = memchr2(b'\r', 0, raw).is_some();
            let done = self.index(raw, odd, &mut index)?;
            let indexed = raw.get_mut(..done).unwrap_or_default();
            if odd {
                self.check_nul(indexed, &mut index)?;
            }
            index.undouble(indexed);
            match UTF_8.decode_without_bom_handling_and_without_replacement(indexed) {
                Some(checked) => append(&mut text, &checked),
                None => return Err(self.bad_byte(indexed, &index)),
            }
            self.pending = pending;
            self.drop_text(done);
            self.stuck = done == 0 && !self.ended;
            self.line = index.line;
            self.empty_rows += std::mem::take(&mut index.empty_rows);
            if !index.lines.is_empty() || !index.rejects.is_empty() {
                break true;
            }
            text.clear();
            if self.ended && self.filled == 0 {
                break false;
            }
            if self.stuck && self.filled >= RECORD_BYTES_MAX {
                return Err(trouble::endless(
                    &self.path,
                    self.text(),
                    self.line,
                    &self.marks,
                ));
            }
        };
        self.doubled = index.doubled;
        self.seconds = index.seconds;
        batch.rejects = index.rejects;
        batch.set_parts(text, index.cells, index.lines);
        Ok(more)
    }
}

/// Appends text in pieces: a copy of a whole batch at once is no faster, and counts for far more instructions.
fn append(to: &mut String, text: &str) {
    // Room for a product's last rows, which are brought over from the next batch.
    to.reserve(text.len() + text.len() / 16);
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(COPY_BYTES));
        to.push_str(piece);
        rest = more;
    }
}

impl RecordReader for CsvReader {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        // a source that is not whole stays so, however often it is asked
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.fill_batch(batch).inspect_err(|error| {
            batch.clear(self.columns.len());
            self.failed = Some(error.clone());
        })
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
