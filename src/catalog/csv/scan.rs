//! The fast path: records found by quote parity, each proven to mean what `csv-core` would make of it.
//!
//! The proof: an opening quote follows a separator, a line end or a closing quote; a closing quote is followed by a
//! separator, a line end or a quote; a CR outside quotes is followed by LF. While that holds, parity says what is quoted.

use super::index::Index;
use super::masks::{BLOCK, Marks, parity};
use crate::catalog::batch::Cell;

/// Why the fast path stopped; both name the byte where the record begins that it could not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The record breaks the proof.
    Unproven(usize),
    /// The text ends before the record does.
    Unfinished(usize),
}

/// Indexes the records of `text` from byte `from`, where a record begins; `returns` unless the text has no CR at all.
pub(super) fn scan(
    marks: &Marks,
    text: &[u8],
    from: usize,
    returns: bool,
    index: &mut Index,
) -> Stop {
    match (marks.quote, returns) {
        (Some(quote), false) => scan_with::<true, false>(marks, quote, text, from, index),
        (Some(quote), true) => scan_with::<true, true>(marks, quote, text, from, index),
        (None, _) => scan_with::<false, true>(marks, 0, text, from, index),
    }
}

/// The same with the questions answered once whether quotes mean anything and whether there are CRs.
fn scan_with<const QUOTING: bool, const RETURNS: bool>(
    marks: &Marks,
    quote: u8,
    text: &[u8],
    from: usize,
    index: &mut Index,
) -> Stop {
    let (blocks, rest) = text.get(from..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut last = [0u8; BLOCK];
    for (to, byte) in last.iter_mut().zip(rest) {
        *to = *byte;
    }
    let mut state = State::<QUOTING, RETURNS> {
        delimiter: marks.delimiter,
        quote,
        base: from,
        record: from,
        cell: from,
        first: index.cells.len(),
        inside: 0,
        may_open: 1,
        closed: 0,
        doubled: false,
        line_feeds: 0,
    };
    for block in blocks {
        if !state.block(marks, text, block, u64::MAX, index) {
            return state.stop(index, false);
        }
    }
    let proven = state.block(marks, text, &last, (1 << rest.len()) - 1, index);
    state.stop(index, proven)
}

struct State<const QUOTING: bool, const RETURNS: bool> {
    delimiter: u8,
    quote: u8,
    /// Where the block begins in the text.
    base: usize,
    /// Where the record begins.
    record: usize,
    /// Where the cell begins.
    cell: usize,
    /// Number of the record's first cell.
    first: usize,
    /// All ones when the last byte of the block before stood in quotes.
    inside: u64,
    /// 1 when a quote at the block's first byte may open.
    may_open: u64,
    /// 1 when the last byte of the block before was a closing quote.
    closed: u64,
    /// Whether the cell under way holds doubled quotes.
    doubled: bool,
    /// Line feeds inside the record's quotes so far.
    line_feeds: u64,
}

impl<const QUOTING: bool, const RETURNS: bool> State<QUOTING, RETURNS> {
    /// Leaves the record under way to others.
    fn stop(&self, index: &mut Index, proven: bool) -> Stop {
        index.back_to(self.first);
        index.forget_pairs(self.record);
        if proven {
            Stop::Unfinished(self.record)
        } else {
            Stop::Unproven(self.record)
        }
    }

    /// Takes in one block, of which the bytes in `valid` are text; `false` when the record under way cannot be proven.
    #[inline(always)]
    fn block(
        &mut self,
        marks: &Marks,
        text: &[u8],
        block: &[u8; BLOCK],
        valid: u64,
        index: &mut Index,
    ) -> bool {
        let quotes = if QUOTING {
            marks.quotes(block) & valid
        } else {
            0
        };
        if QUOTING && quotes == 0 && self.inside != 0 {
            // wholly inside quotes: only lines are of interest
            if marks.has_line_feed(block) {
                let feeds = marks.line_feeds(block) & valid;
                self.line_feeds += u64::from(feeds.count_ones());
            }
            self.may_open = 0;
            self.base = self.base.wrapping_add(BLOCK);
            return true;
        }
        let separators = marks.separators::<RETURNS>(block) & valid;
        let proven = if QUOTING && quotes != 0 {
            self.quotes(marks, text, block, valid, (quotes, separators), index)
        } else if QUOTING && self.closed & !separators & valid != 0 {
            false
        } else {
            self.may_open = separators >> 63;
            self.closed = 0;
            let proven = self.separators(text, block, separators, 0, index);
            // see below for the last byte
            self.doubled &= separators & (u64::MAX >> 1) == 0;
            proven
        };
        self.base = self.base.wrapping_add(BLOCK);
        proven
    }

    /// Takes in a block with quotes in it.
    #[inline(always)]
    fn quotes(
        &mut self,
        marks: &Marks,
        text: &[u8],
        block: &[u8; BLOCK],
        valid: u64,
        (quotes, separators): (u64, u64),
        index: &mut Index,
    ) -> bool {
        let quoted = parity(quotes) ^ self.inside;
        let opening = quotes & quoted;
        let closing = quotes & !quoted;
        let outside = separators & !quoted;
        let may_open = (outside | closing) << 1 | self.may_open;
        let after_closing = closing << 1 | self.closed;
        let broken = (opening & !may_open) | (after_closing & !(separators | quotes) & valid);
        let pairs = opening & after_closing;
        self.may_open = (outside | closing) >> 63;
        self.closed = closing >> 63;
        self.inside = 0u64.wrapping_sub(quoted >> 63);
        let mut seconds = pairs;
        while seconds != 0 {
            let bit = seconds.trailing_zeros() as usize;
            seconds &= seconds.wrapping_sub(1);
            index.seconds.push(self.base.wrapping_add(bit) as u32);
        }
        self.doubled |= pairs != 0;
        // Separators and pairs share no bit, so the greater number has the later one. The last byte may be a CR, which ends
        // its cell only with the LF in the next block: to leave it out at worst looks through a cell for nothing.
        let ends = outside & (u64::MAX >> 1);
        let doubled_after = if ends == 0 {
            self.doubled
        } else {
            pairs > ends
        };
        let feeds = if separators & quoted == 0 {
            0
        } else {
            marks.line_feeds(block) & quoted & valid
        };
        if broken != 0 {
            // what lies before the first break is proven
            let before = (broken & broken.wrapping_neg()).wrapping_sub(1);
            self.separators(text, block, outside & before, feeds, index);
            return false;
        }
        let proven = self.separators(text, block, outside, feeds, index);
        self.doubled = doubled_after;
        proven
    }

    /// Ends cells and records at the separators in `outside`; `feeds` are the line feeds inside quotes.
    #[inline(always)]
    fn separators(
        &mut self,
        text: &[u8],
        block: &[u8; BLOCK],
        mut outside: u64,
        mut feeds: u64,
        index: &mut Index,
    ) -> bool {
        while outside != 0 {
            let bit = outside.trailing_zeros() as usize;
            outside &= outside.wrapping_sub(1);
            let at = self.base.wrapping_add(bit);
            // the mask only keeps the compiler from checking the bound
            let byte = block[bit & (BLOCK - 1)];
            if byte == self.delimiter {
                self.end_cell(text, at, index);
                self.cell = at.wrapping_add(1);
            } else if byte == b'\n' {
                let before = feeds & (1u64 << bit).wrapping_sub(1);
                if before != 0 {
                    self.line_feeds += u64::from(before.count_ones());
                    feeds ^= before;
                }
                self.end_line(text, at, index);
            } else {
                match text.get(at.wrapping_add(1)) {
                    Some(b'\n') => {}
                    Some(_) => return false,
                    // the last byte of all: the record stays unfinished
                    None => break,
                }
            }
        }
        if feeds != 0 {
            self.line_feeds += u64::from(feeds.count_ones());
        }
        true
    }

    #[inline(always)]
    fn end_cell(&mut self, text: &[u8], end: usize, index: &mut Index) {
        let (mut start, mut end) = (self.cell, end);
        if QUOTING && text.get(start) == Some(&self.quote) {
            if self.doubled {
                index.doubled.push(index.cells.len());
            }
            start = start.wrapping_add(1);
            end = end.wrapping_sub(1);
        }
        index.cells.push(Cell {
            start: start as u32,
            end: end as u32,
        });
    }

    /// Ends the record, or passes a blank line, at the line feed at `at`.
    #[inline(always)]
    fn end_line(&mut self, text: &[u8], at: usize, index: &mut Index) {
        let mut end = at;
        if RETURNS && at > self.record && text.get(at.wrapping_sub(1)) == Some(&b'\r') {
            end = at.wrapping_sub(1);
        }
        if end > self.record {
            self.end_cell(text, end, index);
            index.end_record(self.first, end.wrapping_sub(self.record));
            index.line += self.line_feeds;
            self.line_feeds = 0;
            self.first = index.cells.len();
        }
        index.line += 1;
        self.record = at.wrapping_add(1);
        self.cell = self.record;
    }
}
