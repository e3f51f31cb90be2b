//! What has been found in one batch's text: cells, lines, rejects. Both the fast and the slow path put their records here.

use memchr::memchr;

use super::CELL_BYTES_MAX;
use crate::catalog::batch::{Cell, Reject};

/// Cells and lines of a batch while it is being found.
pub(super) struct Index {
    /// Cells a record must have.
    pub(super) width: usize,
    /// Cells of the records so far, and of the record under way.
    pub(super) cells: Vec<Cell>,
    /// First line of each record.
    pub(super) lines: Vec<u64>,
    /// Numbers of cells that may hold doubled quotes, in order.
    pub(super) doubled: Vec<usize>,
    /// Where in the text the second quote of each pair stands, in order; some in no cell of `doubled`.
    pub(super) seconds: Vec<u32>,
    /// Records that are not in `lines`.
    pub(super) rejects: Vec<Reject>,
    /// Line where the next record begins, from 1.
    pub(super) line: u64,
    /// Rows of nothing but empty cells, in the whole file.
    pub(super) empty_rows: u64,
    /// Cells of the last record that had too few.
    pub(super) short: Option<usize>,
}

impl Index {
    /// Gives up the cells from `first` on: the record under way will be read again, or not at all.
    pub(super) fn back_to(&mut self, first: usize) {
        self.cells.truncate(first);
        while self.doubled.last().is_some_and(|cell| *cell >= first) {
            self.doubled.pop();
        }
    }

    /// Ends the record whose cells begin at number `first` and which is `length` bytes long; `line` still names its start.
    #[inline]
    pub(super) fn end_record(&mut self, first: usize, length: usize) {
        let found = self.cells.len() - first;
        let starts_empty = self
            .cells
            .get(first)
            .is_none_or(|cell| cell.start == cell.end);
        if found != self.width || starts_empty || length > CELL_BYTES_MAX {
            self.end_odd_record(first, found);
        } else {
            self.lines.push(self.line);
        }
    }

    #[cold]
    fn end_odd_record(&mut self, first: usize, found: usize) {
        let cells = self.cells.get(first..).unwrap_or_default();
        let longest = cells.iter().map(|cell| cell.end - cell.start).max();
        if longest.unwrap_or(0) == 0 {
            self.empty_rows += 1;
            self.back_to(first);
        } else if longest.is_some_and(|bytes| bytes as usize > CELL_BYTES_MAX) {
            let column = cells
                .iter()
                .position(|cell| Some(cell.end - cell.start) == longest)
                .unwrap_or(0);
            self.reject(
                "oversized-cell",
                format!(
                    "cell {} is {} bytes long, over the limit of {CELL_BYTES_MAX}",
                    column + 1,
                    longest.unwrap_or(0)
                ),
                "usually a quote that is never closed: look at the quotes on this line",
            );
            self.back_to(first);
        } else if found != self.width {
            self.ragged(found);
            self.back_to(first);
        } else {
            self.lines.push(self.line);
        }
    }

    /// Rejects the record at the current line for its number of cells.
    pub(super) fn ragged(&mut self, found: usize) {
        if found < self.width {
            self.short = Some(found);
        }
        let hint = if found > self.width {
            "put quotes round the cell that holds the delimiter, or take the surplus cells out"
        } else {
            "look for a line break in the middle of the record, or write its empty cells too"
        };
        self.reject(
            "ragged-row",
            format!("expected {} cells, found {found}", self.width),
            hint,
        );
    }

    fn reject(&mut self, rule: &'static str, message: String, hint: &str) {
        self.rejects.push(Reject {
            rule,
            line: self.line,
            message,
            hint: hint.to_owned(),
        });
    }

    /// Forgets pairs of quotes from byte `from` on, which will be read again.
    pub(super) fn forget_pairs(&mut self, from: usize) {
        while self.seconds.last().is_some_and(|at| *at as usize >= from) {
            self.seconds.pop();
        }
    }

    /// Makes one quote of two, in place, in the cells that have them.
    pub(super) fn undouble(&mut self, text: &mut [u8]) {
        let mut seconds = self.seconds.iter().map(|at| *at as usize).peekable();
        for number in self.doubled.drain(..) {
            let Some(cell) = self.cells.get_mut(number) else {
                continue;
            };
            let (start, end) = (cell.start as usize, cell.end as usize);
            let (mut read, mut written) = (start, start);
            while let Some(second) = seconds.next_if(|at| *at < end) {
                if second < start {
                    continue;
                }
                text.copy_within(read..second, written);
                written += second - read;
                read = second + 1;
            }
            if read == start {
                continue;
            }
            text.copy_within(read..end, written);
            written += end - read;
            cell.end = written as u32;
            if let Some(gap) = text.get_mut(written..end) {
                gap.fill(b' ');
            }
        }
        self.seconds.clear();
    }

    /// Takes out records that hold a NUL byte.
    pub(super) fn reject_nul(&mut self, text: &[u8]) {
        let width = self.width;
        let mut kept = 0;
        for record in 0..self.lines.len() {
            let cells = record * width..(record + 1) * width;
            let column = self
                .cells
                .get(cells.clone())
                .unwrap_or_default()
                .iter()
                .position(|cell| {
                    text.get(cell.start as usize..cell.end as usize)
                        .is_some_and(|bytes| memchr(0, bytes).is_some())
                });
            let line = self.lines.get(record).copied().unwrap_or(0);
            if let Some(column) = column {
                self.rejects.push(Reject {
                    rule: "nul-byte",
                    line,
                    message: format!("cell {} holds a NUL byte", column + 1),
                    hint: "export the file again: text has no NUL bytes".to_owned(),
                });
                continue;
            }
            self.cells.copy_within(cells, kept * width);
            if let Some(place) = self.lines.get_mut(kept) {
                *place = line;
            }
            kept += 1;
        }
        self.cells.truncate(kept * width);
        self.lines.truncate(kept);
        self.rejects.sort_by_key(|reject| reject.line);
    }
}
