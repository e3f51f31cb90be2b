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

/// Indexes the records of `text` from byte `from`, where a record begins.
pub(super) fn scan(marks: &Marks, text: &[u8], from: usize, index: &mut Index) -> Stop {
    let (blocks, rest) = text.get(from..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut last = [0u8; BLOCK];
    for (to, byte) in last.iter_mut().zip(rest) {
        *to = *byte;
    }
    let mut state = State {
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
        if let Some(stop) = state.block(marks, text, block, u64::MAX, index) {
            return stop;
        }
    }
    if let Some(stop) = state.block(marks, text, &last, (1 << rest.len()) - 1, index) {
        return stop;
    }
    index.back_to(state.first);
    Stop::Unfinished(state.record)
}

struct State {
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

impl State {
    /// Takes in one block, of which the bytes in `valid` are text.
    #[inline(always)]
    fn block(
        &mut self,
        marks: &Marks,
        text: &[u8],
        block: &[u8; BLOCK],
        valid: u64,
        index: &mut Index,
    ) -> Option<Stop> {
        let (quotes, separators) = marks.find(block);
        let (quotes, separators) = (quotes & valid, separators & valid);
        let (mut outside, broken, pairs, quoted);
        if quotes == 0 {
            if self.inside != 0 {
                // wholly inside quotes: only lines are of interest
                if separators != 0 {
                    let feeds = marks.line_feeds(block) & valid;
                    self.line_feeds += u64::from(feeds.count_ones());
                }
                self.may_open = 0;
                self.base = self.base.wrapping_add(BLOCK);
                return None;
            }
            quoted = 0;
            pairs = 0;
            outside = separators;
            broken = self.closed & !separators & valid;
            self.may_open = separators >> 63;
            self.closed = 0;
        } else {
            quoted = parity(quotes) ^ self.inside;
            let opening = quotes & quoted;
            let closing = quotes & !quoted;
            outside = separators & !quoted;
            let may_open = (outside | closing) << 1 | self.may_open;
            let after_closing = closing << 1 | self.closed;
            broken = (opening & !may_open) | (after_closing & !(separators | quotes) & valid);
            pairs = opening & after_closing;
            self.may_open = (outside | closing) >> 63;
            self.closed = closing >> 63;
            self.inside = 0u64.wrapping_sub(quoted >> 63);
        }
        self.doubled |= pairs != 0;
        // Separators and pairs share no bit, so the greater number has the later one. The last byte may be a CR, which ends
        // its cell only with the LF in the next block: to leave it out at worst looks through a cell for nothing.
        let ends = outside & (u64::MAX >> 1);
        let doubled_after = if ends == 0 { self.doubled } else { pairs > ends };
        let mut feeds = if separators & quoted == 0 {
            0
        } else {
            marks.line_feeds(block) & quoted & valid
        };
        if broken != 0 {
            // what lies before the first break is proven
            outside &= (broken & broken.wrapping_neg()).wrapping_sub(1);
        }
        while outside != 0 {
            let bit = outside.trailing_zeros() as usize;
            outside &= outside.wrapping_sub(1);
            let at = self.base.wrapping_add(bit);
            // the mask only keeps the compiler from checking the bound
            let byte = block[bit & (BLOCK - 1)];
            if byte == marks.delimiter {
                self.end_cell(marks, text, at, index);
                self.cell = at.wrapping_add(1);
            } else if byte == b'\n' {
                let before = (1u64 << bit).wrapping_sub(1);
                if feeds & before != 0 {
                    self.line_feeds += u64::from((feeds & before).count_ones());
                    feeds &= !before;
                }
                self.end_line(marks, text, at, index);
            } else {
                match text.get(at.wrapping_add(1)) {
                    Some(b'\n') => {}
                    Some(_) => return Some(self.unproven(index)),
                    // the last block: the loop that called ends here anyway
                    None => break,
                }
            }
        }
        if broken != 0 {
            return Some(self.unproven(index));
        }
        self.line_feeds += u64::from(feeds.count_ones());
        self.doubled = doubled_after;
        self.base = self.base.wrapping_add(BLOCK);
        None
    }

    #[inline(always)]
    fn end_cell(&mut self, marks: &Marks, text: &[u8], end: usize, index: &mut Index) {
        let (mut start, mut end) = (self.cell, end);
        if marks.quote.is_some() && text.get(start).copied() == marks.quote {
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
    fn end_line(&mut self, marks: &Marks, text: &[u8], at: usize, index: &mut Index) {
        let mut end = at;
        if at > self.record && text.get(at.wrapping_sub(1)) == Some(&b'\r') {
            end = at.wrapping_sub(1);
        }
        if end > self.record {
            self.end_cell(marks, text, end, index);
            index.end_record(self.first, end.wrapping_sub(self.record));
            index.line += self.line_feeds;
            self.line_feeds = 0;
            self.first = index.cells.len();
        }
        index.line += 1;
        self.record = at.wrapping_add(1);
        self.cell = self.record;
    }

    fn unproven(&self, index: &mut Index) -> Stop {
        index.back_to(self.first);
        Stop::Unproven(self.record)
    }
}
