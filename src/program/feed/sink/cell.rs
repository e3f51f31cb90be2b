//! Cells of delimited files, looked at and written in one go: a tenth less for a feed of quoted cells such as `meta-catalog`.

use wide::u8x32;

use crate::program::lanes::Lanes;

use super::{Sink, short, write};

impl Sink {
    /// Appends a cell of a delimited file, quoted where it must be: looked at and written in one go.
    #[inline(never)]
    pub(in crate::program::feed) fn cell(&mut self, text: &[u8], delimiter: u8) {
        // Each byte may be a quote, and blocks are written whole.
        let end = self.at + 2 * text.len() + 64;
        if end > self.bytes.len() {
            self.grow(end);
        }
        let out = self.bytes.get_mut(self.at..).unwrap_or(&mut []);
        let is_structure =
            |block: u8x32| (block.is(delimiter) | block.is(b'\r') | block.is(b'\n')).mask();
        // The first byte is kept for a quote.
        let (mut at, mut marked) = (1, 0);
        let (blocks, rest) = text.as_chunks::<32>();
        for block in blocks {
            write::<32>(out, at, block);
            let lanes = u8x32::new(*block);
            let quotes = lanes.is(b'"').mask();
            marked |= quotes | is_structure(lanes);
            at = match quotes {
                0 => at + 32,
                mask => doubled(out, at, block, 32, mask),
            };
        }
        if !rest.is_empty() {
            let mut block = [0; 32];
            match (rest.first_chunk::<16>(), rest.last_chunk::<16>()) {
                (Some(first), Some(last)) => {
                    write::<16>(&mut block, 0, first);
                    write::<16>(&mut block, rest.len() - 16, last);
                }
                _ => short(&mut block, rest),
            }
            write::<32>(out, at, &block);
            let (lanes, within) = (u8x32::new(block), (1 << rest.len()) - 1);
            let quotes = lanes.is(b'"').mask() & within;
            marked |= quotes | (is_structure(lanes) & within);
            at = match quotes {
                0 => at + rest.len(),
                mask => doubled(out, at, &block, rest.len(), mask),
            };
        }
        if marked == 0 {
            out.copy_within(1..at, 0);
            self.at += at - 1;
            return;
        }
        if let Some(first) = out.first_mut() {
            *first = b'"';
        }
        if let Some(last) = out.get_mut(at) {
            *last = b'"';
        }
        self.at += at + 1;
    }

    /// Appends a cell that is never quoted: what would end it becomes a blank.
    #[inline(never)]
    pub(in crate::program::feed) fn blanked(&mut self, text: &[u8], delimiter: u8) {
        let from = self.at;
        self.copy(text);
        for byte in self.bytes.get_mut(from..self.at).unwrap_or(&mut []) {
            if *byte == delimiter || *byte == b'\r' || *byte == b'\n' {
                *byte = b' ';
            }
        }
    }
}

/// Doubles the quotes that `mask` marks in a block written at a place; gives where its first `length` bytes end then.
fn doubled(out: &mut [u8], at: usize, block: &[u8; 32], length: usize, mask: u32) -> usize {
    let mut padded = [0; 64];
    write::<32>(&mut padded, 0, block);
    let (mut at, mut mask, mut from) = (at, mask, 0);
    while mask != 0 {
        let hit = mask.trailing_zeros() as usize & 31;
        mask &= mask - 1;
        // Up to the quote and with it; then it comes again, and what stands behind it.
        at += hit + 1 - from;
        from = hit;
        if let Some(behind) = padded.get(from..).and_then(|rest| rest.first_chunk::<32>()) {
            write::<32>(out, at, behind);
        }
        at += 1;
        from += 1;
    }
    at + length - from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::escape::{Escape, Quoting};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_are_written_as_everywhere(
            text in "([a-z]{0,20}|[\",;\t\r\n\u{e01}]{1,3}){0,12}",
            delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        ) {
            let mut sink = Sink::new(b"x".to_vec(), 1);
            let mut wanted = b"x".to_vec();
            for length in [text.len(), 17, 33, 3] {
                let text: String = text.chars().take(length).collect();
                let (bytes, mut by) = (text.as_bytes(), |quoting| {
                    Escape::Cell { delimiter, quoting }.write(&text, &mut wanted);
                });
                sink.cell(bytes, delimiter);
                by(Quoting::Necessary);
                sink.blanked(bytes, delimiter);
                by(Quoting::Never);
            }
            prop_assert_eq!(sink.into_bytes(), wanted);
        }
    }
}
