//! Records as ranges: one buffer of text, and where each record's cells lie in it.

use wide::u8x16;

/// How much text a reader puts in a batch before it hands it on, in bytes.
pub const BATCH_BYTES: usize = 128 * 1024;

/// Where one cell lies in the batch's text, in bytes. Empty means absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// One record of a batch.
#[derive(Clone, Copy)]
pub struct Record<'b> {
    text: &'b str,
    cells: &'b [Cell],
}

impl<'b> Record<'b> {
    /// The text of one cell by its place in the file, `""` when absent.
    #[inline]
    pub fn cell(self, column: u32) -> &'b str {
        match self.cells.get(column as usize) {
            Some(cell) => self
                .text
                .get(cell.start as usize..cell.end as usize)
                .unwrap_or(""),
            None => "",
        }
    }

    /// Whether a cell holds the same bytes as in another record.
    #[inline]
    pub fn repeats(self, other: Record<'_>, column: u32) -> bool {
        let column = column as usize;
        let (Some(cell), Some(before)) = (self.cells.get(column), other.cells.get(column)) else {
            return false;
        };
        // Most cells that differ differ in length.
        let length = cell.end.wrapping_sub(cell.start);
        if length != before.end.wrapping_sub(before.start) {
            return false;
        }
        let here = self.text.as_bytes().get(cell.start as usize..);
        let there = other.text.as_bytes().get(before.start as usize..);
        let (Some(here), Some(there)) = (here, there) else {
            return false;
        };
        let length = length as usize;
        if length <= 16
            && let (Some(here), Some(there)) = (here.first_chunk(), there.first_chunk())
        {
            let same = u8x16::new(*here).simd_eq(u8x16::new(*there)).to_bitmask();
            return !same & ((1 << length) - 1) == 0;
        }
        here.get(..length) == there.get(..length)
    }

    /// The text of one cell, and the sixteen bytes that begin with it, where so many are left in the batch.
    #[inline]
    pub fn window(self, column: u32) -> (&'b str, Option<&'b [u8; 16]>) {
        match self.cells.get(column as usize) {
            Some(cell) => {
                let start = cell.start as usize;
                let text = self.text.get(start..cell.end as usize).unwrap_or("");
                let rest = self.text.as_bytes().get(start..);
                (text, rest.and_then(|rest| rest.first_chunk::<16>()))
            }
            None => ("", None),
        }
    }
}

/// A record that could not be read as one, with what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The rule it breaks, such as `ragged-row`.
    pub rule: &'static str,
    /// Line (or record number, in formats without lines) where it begins, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Some hundred records of one file.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    cells: Vec<Cell>,
    lines: Vec<u64>,
    width: usize,
    /// Records that could not be read; they count as read and withheld.
    pub rejects: Vec<Reject>,
    /// Which of the catalog's files these records are from, as a number that the opened catalog gives a name.
    pub file: u32,
    /// Place of this batch in the catalog, from 0.
    pub sequence: u64,
    /// Where each of the source's columns stands in this file's records; empty when it is the same order.
    pub order: Vec<u32>,
    /// Each record's file, where they are from several; empty when all are from [`Batch::file`].
    pub files: Vec<u32>,
    /// Whether a cell may be a list (formats that have lists of their own).
    pub lists: bool,
}

impl Batch {
    /// Empties the batch and sets how many cells a record has. Buffers are kept.
    pub fn clear(&mut self, width: usize) {
        self.text.clear();
        self.cells.clear();
        self.lines.clear();
        self.rejects.clear();
        self.files.clear();
        self.width = width;
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True without records.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Cells a record has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes of text held.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Line (or record number) where a record begins, from 1.
    pub fn line(&self, record: usize) -> u64 {
        self.lines.get(record).copied().unwrap_or(0)
    }

    /// The file a record is from.
    pub fn file_of(&self, record: usize) -> u32 {
        self.files.get(record).copied().unwrap_or(self.file)
    }

    /// The text of one cell by its place in the file, `""` when absent.
    #[inline]
    pub fn cell(&self, record: usize, column: usize) -> &str {
        if column >= self.width {
            return "";
        }
        match self.cells.get(record * self.width + column) {
            Some(cell) => self
                .text
                .get(cell.start as usize..cell.end as usize)
                .unwrap_or(""),
            None => "",
        }
    }

    /// The cells of one record, to be asked one after another.
    #[inline]
    pub fn record(&self, record: usize) -> Record<'_> {
        let first = record * self.width;
        Record {
            text: &self.text,
            cells: self.cells.get(first..first + self.width).unwrap_or(&[]),
        }
    }

    /// Adds a record from its cells; missing ones are absent, ones too many are dropped (readers report both before).
    pub fn push_record<'a>(&mut self, line: u64, cells: impl IntoIterator<Item = &'a str>) {
        let first = self.cells.len();
        for text in cells.into_iter().take(self.width) {
            let start = self.offset();
            self.text.push_str(text);
            let end = self.offset();
            self.cells.push(Cell { start, end });
        }
        self.cells.resize(first + self.width, Cell::default());
        self.lines.push(line);
    }

    /// Adds a record whose cells are written at the end of the text they are given; false when one was refused, and nothing is
    /// added.
    pub fn make_record(
        &mut self,
        line: u64,
        mut cell: impl FnMut(usize, &mut String) -> bool,
    ) -> bool {
        let (text, cells) = (self.text.len(), self.cells.len());
        for column in 0..self.width {
            let start = self.offset();
            if !cell(column, &mut self.text) {
                self.text.truncate(text);
                self.cells.truncate(cells);
                return false;
            }
            let end = self.offset();
            self.cells.push(Cell { start, end });
        }
        self.lines.push(line);
        true
    }

    /// Takes the buffers out, for a reader that fills them itself; give them back with [`Batch::set_parts`].
    pub fn take_parts(&mut self) -> (Vec<u8>, Vec<Cell>, Vec<u64>) {
        (
            std::mem::take(&mut self.text).into_bytes(),
            std::mem::take(&mut self.cells),
            std::mem::take(&mut self.lines),
        )
    }

    /// Sets text, cells (`width` a record, record after record) and lines as a reader filled them.
    ///
    /// # Panics
    /// When there are not `width` cells for each line.
    pub fn set_parts(&mut self, text: String, cells: Vec<Cell>, lines: Vec<u64>) {
        assert_eq!(
            cells.len(),
            lines.len() * self.width,
            "a record has `width` cells"
        );
        self.text = text;
        self.cells = cells;
        self.lines = lines;
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.text.len()).expect("a batch holds less than 4 GiB")
    }
}
