//! The slow path: `csv-core` reads one record, and its cells are written over the record's own bytes.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::memchr_iter;

use super::COLUMNS_MAX;
use super::index::Index;
use super::masks::Marks;
use crate::catalog::batch::Cell;

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was indexed or rejected; the next begins at this byte.
    Next(usize),
    /// The text ends before the record does, and more is to come.
    Unfinished(usize),
    /// The file ends inside quotes; the record begins at this byte.
    OpenQuote(usize),
    /// The record that begins at this byte is not UTF-8.
    NotUtf8(usize),
}

/// Reads single records by the crate's own rules. Its buffers are kept from record to record.
pub(super) struct Slow {
    core: Reader,
    out: Vec<u8>,
    ends: Vec<usize>,
}

/// What `csv-core` found at the start of some text.
struct Found {
    /// Bytes read, its line end among them.
    bytes: usize,
    /// Cells found; `ends` holds the first of them.
    cells: usize,
    /// Whether the record ended; `None` when the text ended inside quotes at the end of the file.
    ended: Ended,
}

#[derive(PartialEq, Eq)]
enum Ended {
    Yes,
    TextFirst,
    InQuotes,
}

impl Slow {
    pub(super) fn new(delimiter: u8, quote: Option<u8>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter);
        match quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        let mut core = builder.build();
        start_anew(&mut core);
        Slow {
            core,
            out: Vec::new(),
            ends: vec![0; 64],
        }
    }

    /// The cells of the first record of `text` as bytes, with how many bytes and lines it takes; `None` when the text ends
    /// first. Blank lines before it are passed.
    pub(super) fn first(&mut self, text: &[u8], last: bool) -> Option<(Vec<Vec<u8>>, usize, u64)> {
        let mut lines = 0;
        let from = blank_lines(text, 0, last, &mut lines)?;
        let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
        let found = self.record(rest, last, usize::MAX);
        if found.ended != Ended::Yes {
            return None;
        }
        let bytes = line_end(text, from + found.bytes, last)?;
        lines += inner_line_feeds(text, from, bytes) + 1;
        let mut cells = Vec::with_capacity(found.cells);
        let mut start = 0;
        for end in self.ends.iter().take(found.cells) {
            cells.push(self.out.get(start..*end).unwrap_or_default().to_vec());
            start = *end;
        }
        Some((cells, bytes, lines))
    }

    /// Reads the record at `from` into the index; `last` when no more text will come.
    pub(super) fn read(
        &mut self,
        marks: &Marks,
        text: &mut [u8],
        from: usize,
        last: bool,
        index: &mut Index,
    ) -> Outcome {
        let Some(from) = blank_lines(text, from, last, &mut index.line) else {
            return Outcome::Unfinished(text.len().saturating_sub(1).max(from));
        };
        let rest = text.get(from..).unwrap_or_default();
        if rest.is_empty() {
            return Outcome::Next(from);
        }
        let found = self.record(rest, last, 2 * COLUMNS_MAX);
        match found.ended {
            Ended::Yes => {}
            Ended::TextFirst => return Outcome::Unfinished(from),
            Ended::InQuotes => return Outcome::OpenQuote(from),
        }
        let Some(end) = line_end(text, from + found.bytes, last) else {
            return Outcome::Unfinished(from);
        };
        let Some(record) = text.get_mut(from..end) else {
            return Outcome::Unfinished(from);
        };
        if std::str::from_utf8(record).is_err() {
            return Outcome::NotUtf8(from);
        }
        let line_feeds = inner_line_feeds(record, 0, record.len());
        let first = index.cells.len();
        if found.cells <= self.ends.len() {
            write_cells(
                &self.out,
                self.ends.get(..found.cells).unwrap_or_default(),
                record,
                from,
                marks.delimiter,
                &mut index.cells,
            );
            index.end_record(first, end - from);
        } else {
            index.ragged(found.cells);
        }
        index.line += line_feeds + 1;
        Outcome::Next(end)
    }

    /// Runs `csv-core` over one record.
    fn record(&mut self, text: &[u8], last: bool, ends_max: usize) -> Found {
        let found = self.run(text, last, ends_max);
        if found.ended != Ended::Yes {
            start_anew(&mut self.core);
        }
        found
    }

    /// Runs `csv-core` to the end of the record or of the text. Past `ends_max` cells they are only counted.
    fn run(&mut self, text: &[u8], last: bool, ends_max: usize) -> Found {
        if self.out.len() <= text.len() {
            self.out.resize(text.len() + 1, 0);
        }
        let (mut read, mut written, mut cells) = (0, 0, 0);
        let mut virtual_end = false;
        loop {
            let from = if cells < self.ends.len() {
                cells
            } else if self.ends.len() < ends_max {
                self.ends.resize(self.ends.len() * 2, 0);
                cells
            } else {
                0
            };
            let input = if virtual_end {
                b"\n".as_slice()
            } else {
                text.get(read..).unwrap_or_default()
            };
            if input.is_empty() {
                if last {
                    virtual_end = true;
                    continue;
                }
                return Found { bytes: read, cells, ended: Ended::TextFirst };
            }
            let (result, bytes, out, ends) = self.core.read_record(
                input,
                self.out.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(from..).unwrap_or_default(),
            );
            if !virtual_end {
                read += bytes;
            }
            written += out;
            cells += ends;
            match result {
                ReadRecordResult::Record => {
                    return Found { bytes: read, cells, ended: Ended::Yes };
                }
                // the line end that was lent to it did not end the record: it stands in quotes
                ReadRecordResult::InputEmpty if virtual_end => {
                    return Found { bytes: read, cells, ended: Ended::InQuotes };
                }
                ReadRecordResult::InputEmpty
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::End => {
                    return Found { bytes: read, cells, ended: Ended::TextFirst };
                }
            }
        }
    }
}

/// Sets a reader to the start of a record that is not the first: at the first it would drop a byte order mark. (A clone
/// of a fresh one will not do: `csv-core` does not clone its byte classes.)
fn start_anew(core: &mut Reader) {
    core.reset();
    core.read_record(b"\n", &mut [0], &mut [0]);
}

/// Passes line ends from `at` on and counts them; `None` when the text ends in a CR whose LF may be still to come.
fn blank_lines(text: &[u8], mut at: usize, last: bool, lines: &mut u64) -> Option<usize> {
    loop {
        match text.get(at) {
            Some(b'\n') => at += 1,
            Some(b'\r') => match text.get(at + 1) {
                Some(b'\n') => at += 2,
                None if !last => return None,
                _ => at += 1,
            },
            _ => return Some(at),
        }
        *lines += 1;
    }
}

/// The end of a record together with the LF after its CR; `None` when that LF may be still to come.
fn line_end(text: &[u8], end: usize, last: bool) -> Option<usize> {
    if end == 0 || text.get(end - 1) != Some(&b'\r') {
        return Some(end);
    }
    match text.get(end) {
        Some(b'\n') => Some(end + 1),
        None if !last => None,
        _ => Some(end),
    }
}

/// Line feeds of a record except for the one that ends it.
fn inner_line_feeds(text: &[u8], from: usize, end: usize) -> u64 {
    let record = text.get(from..end).unwrap_or_default();
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    memchr_iter(b'\n', record).count() as u64
}

/// Writes cells over their record, a delimiter between them so that no two half letters meet, and blanks the rest.
fn write_cells(
    out: &[u8],
    ends: &[usize],
    record: &mut [u8],
    offset: usize,
    delimiter: u8,
    cells: &mut Vec<Cell>,
) {
    let ended = matches!(record.last(), Some(b'\n' | b'\r'));
    let mut start = 0;
    let mut to = 0;
    for end in ends {
        let cell = out.get(start..*end).unwrap_or_default();
        if let Some(place) = record.get_mut(to..to + cell.len()) {
            place.copy_from_slice(cell);
        }
        cells.push(Cell {
            start: (offset + to) as u32,
            end: (offset + to + cell.len()) as u32,
        });
        to += cell.len();
        start = *end;
        if let Some(place) = record.get_mut(to) {
            *place = delimiter;
            to += 1;
        }
    }
    if let Some(rest) = record.get_mut(to..) {
        rest.fill(b' ');
    }
    // kept so that lines can still be counted in the text
    if ended && let Some(end) = record.last_mut() {
        *end = b'\n';
    }
}
