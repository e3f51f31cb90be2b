//! Where an item's bytes go: a buffer that is filled beforehand, so that a short text is a few copies of known length.

mod cell;
mod json;

use std::ops::Range;

use wide::{u8x16, u8x32};

use crate::program::lanes::Lanes;

/// Zeros put in advance, in bytes.
const AHEAD: usize = 1024;
/// Bytes of a literal that are copied at once.
pub(super) const BLOCK: usize = 32;

/// A literal of no more than [`BLOCK`] bytes, with zeros up to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    bytes: [u8; BLOCK],
    length: u8,
}

impl Literal {
    /// A literal of that text, where it is short.
    pub(super) fn of(text: &str) -> Option<Self> {
        (text.len() <= BLOCK).then(|| Literal::new(text.as_bytes()))
    }

    /// This literal and a text behind it, where that is short together.
    pub(super) fn and(&self, text: &[u8]) -> Option<Self> {
        let whole = [self.text(), text].concat();
        (whole.len() <= BLOCK).then(|| Literal::new(&whole))
    }

    /// Its bytes.
    pub(super) fn text(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// A literal of the first [`BLOCK`] bytes.
    pub(super) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; BLOCK];
        let mut length = 0;
        for (byte, &from) in bytes.iter_mut().zip(text) {
            *byte = from;
            length += 1;
        }
        Literal { bytes, length }
    }
}

/// Bytes, of which those before a position are written.
#[derive(Debug, Default)]
pub(super) struct Sink {
    bytes: Vec<u8>,
    at: usize,
}

impl Sink {
    /// A sink that goes on at a position in bytes.
    pub(super) fn new(bytes: Vec<u8>, at: usize) -> Self {
        Sink { bytes, at }
    }

    /// The bytes, those after the position written by nobody.
    pub(super) fn into_inner(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at);
        self.bytes
    }

    /// How many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.at
    }

    /// Appends a short literal.
    #[inline]
    pub(super) fn literal(&mut self, literal: &Literal) {
        let out = self.bytes.get_mut(self.at..);
        match out.and_then(|out| out.first_chunk_mut::<BLOCK>()) {
            Some(out) => *out = literal.bytes,
            None => return self.literal_at_end(literal),
        }
        self.at += usize::from(literal.length);
    }

    #[cold]
    fn literal_at_end(&mut self, literal: &Literal) {
        self.grow(self.at + BLOCK);
        self.literal(literal);
    }

    /// Appends a text.
    #[inline]
    pub(super) fn copy(&mut self, text: &[u8]) {
        let length = text.len();
        let out = self.bytes.get_mut(self.at..).unwrap_or(&mut []);
        if length <= 16 && out.len() >= 16 {
            short(out, text);
        } else if length <= 64
            && let (Some(out), Some(head), Some(tail)) = (
                out.get_mut(..length),
                text.first_chunk::<16>(),
                text.last_chunk::<16>(),
            )
        {
            if length > 32 {
                front::<32>(out, text);
                back::<32>(out, text);
            } else {
                if let Some(out) = out.first_chunk_mut::<16>() {
                    *out = *head;
                }
                if let Some(out) = out.last_chunk_mut::<16>() {
                    *out = *tail;
                }
            }
        } else {
            return self.copy_long(text);
        }
        self.at += length;
    }

    /// Appends what was written between two places.
    #[inline(never)]
    pub(super) fn repeat(&mut self, range: Range<usize>) {
        let end = self.at + range.len();
        if end > self.bytes.len() {
            self.grow(end);
        }
        self.bytes.copy_within(range, self.at);
        self.at = end;
    }

    /// Appends a text, escaped for XML.
    #[inline(never)]
    pub(super) fn xml(&mut self, text: &[u8]) {
        // No replacement is longer than six bytes, and blocks are written whole.
        let end = self.at + 6 * text.len() + 64;
        if end > self.bytes.len() {
            self.grow(end);
        }
        let out = self.bytes.get_mut(self.at..).unwrap_or(&mut []);
        self.at += match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) if text.len() <= 64 => {
                let (first, last) = (u8x32::new(*first), u8x32::new(*last));
                xml_from_ends(out, text, 32, xml_bytes(first), xml_bytes(last))
            }
            (Some(_), Some(last)) => xml_long(out, text, last),
            _ => match (text.first_chunk(), text.last_chunk()) {
                (Some(first), Some(last)) => {
                    let (first, last) = (u8x16::new(*first), u8x16::new(*last));
                    xml_from_ends(out, text, 16, xml_bytes(first), xml_bytes(last))
                }
                _ => {
                    let mut block = [b' '; 16];
                    short(&mut block, text);
                    let mask = xml_bytes(u8x16::new(block)) & ((1 << text.len()) - 1);
                    xml_piece(out, 0, text, u64::from(mask))
                }
            },
        };
    }

    #[inline(never)]
    fn copy_long(&mut self, text: &[u8]) {
        let end = self.at + text.len();
        if end > self.bytes.len() {
            self.grow(end);
        }
        if let Some(out) = self.bytes.get_mut(self.at..end) {
            out.copy_from_slice(text);
        }
        self.at = end;
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.bytes.resize(end + AHEAD, 0);
    }
}

/// Copies up to sixteen bytes into a place for sixteen.
#[inline]
fn short(out: &mut [u8], text: &[u8]) {
    let Some(out) = out.first_chunk_mut::<16>() else {
        return;
    };
    if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        let at = text.len() - 8;
        front::<8>(out, head);
        if let Some(out) = out.get_mut(at..) {
            front::<8>(out, tail);
        }
    } else if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let at = text.len() - 4;
        front::<4>(out, head);
        if let Some(out) = out.get_mut(at..) {
            front::<4>(out, tail);
        }
    } else if let (Some(&first), Some(&last)) = (text.first(), text.last()) {
        out[text.len() / 2] = text[text.len() / 2];
        out[0] = first;
        out[text.len() - 1] = last;
    }
}

/// Escapes a text of up to twice a length, of whose first and last so many bytes it is known which XML does not hold.
#[inline(always)]
fn xml_from_ends(out: &mut [u8], text: &[u8], length: usize, first: u32, last: u32) -> usize {
    let mask = u64::from(first) | u64::from(last) << ((text.len() - length) & 63);
    xml_piece(out, 0, text, mask)
}

/// Escapes a text of more than 64 bytes, block by block; `last` are its last bytes.
#[inline]
fn xml_long(out: &mut [u8], text: &[u8], last: &[u8; 32]) -> usize {
    let (blocks, rest) = text.as_chunks::<32>();
    let mut at = 0;
    for block in blocks {
        match xml_bytes(u8x32::new(*block)) {
            0 => {
                write::<32>(out, at, block);
                at += 32;
            }
            mask => at = xml_piece(out, at, block, u64::from(mask)),
        }
    }
    let mask = u64::from(xml_bytes(u8x32::new(*last))) >> (32 - rest.len());
    xml_piece(out, at, rest, mask)
}

/// Writes up to 64 bytes at a place with room for more, those that `mask` marks replaced; gives where they end then.
#[inline]
fn xml_piece(out: &mut [u8], at: usize, text: &[u8], mask: u64) -> usize {
    let (mut at, mut mask) = (at, mask);
    few(out, at, text);
    while mask != 0 {
        let hit = mask.trailing_zeros() as usize & 63;
        let (Some(byte), Some(behind)) = (text.get(hit), text.get(hit + 1..)) else {
            break;
        };
        let (replacement, length) = XML[usize::from(byte & 63)];
        write::<8>(out, at + hit, replacement);
        // All that follows moves on.
        at += length - 1;
        few(out, at + hit + 1, behind);
        mask &= mask - 1;
    }
    at + text.len()
}

/// Copies up to 64 bytes to a place with room for as many.
#[inline]
fn few(out: &mut [u8], at: usize, text: &[u8]) {
    let Some(out) = out.get_mut(at..) else {
        return;
    };
    if text.len() <= 16 {
        short(out, text);
    } else if let Some(out) = out.get_mut(..text.len()) {
        if text.len() <= 32 {
            front::<16>(out, text);
            back::<16>(out, text);
        } else {
            front::<32>(out, text);
            back::<32>(out, text);
        }
    }
}

/// What is written for a byte that XML does not hold as it is, by its six lowest bits, and how much of it.
static XML: [(&[u8; 8], usize); 64] = {
    let mut all: [(&[u8; 8], usize); 64] = [(b"        ", 0); 64];
    all[(b'&' & 63) as usize] = (b"&amp;   ", 5);
    all[(b'<' & 63) as usize] = (b"&lt;    ", 4);
    all[(b'>' & 63) as usize] = (b"&gt;    ", 4);
    all[(b'"' & 63) as usize] = (b"&quot;  ", 6);
    all[(b'\'' & 63) as usize] = (b"&apos;  ", 6);
    // A reader turns a raw CR into LF.
    all[(b'\r' & 63) as usize] = (b"&#13;   ", 5);
    all
};

/// The bytes that XML text and attributes do not hold as they are, a bit each.
#[inline(always)]
fn xml_bytes<L: Lanes>(block: L) -> u32 {
    // `&` and `'` differ in the last bit alone, `<` and `>` in the last but one.
    let pairs = (block | L::all(1)).is(b'\'') | (block | L::all(2)).is(b'>');
    (pairs | block.is(b'"') | block.is(b'\r')).mask()
}

/// Writes bytes at a place that was promised.
#[inline(always)]
fn write<const N: usize>(out: &mut [u8], at: usize, bytes: &[u8; N]) {
    if let Some(out) = out.get_mut(at..).and_then(|out| out.first_chunk_mut::<N>()) {
        *out = *bytes;
    }
}

#[inline]
fn front<const N: usize>(out: &mut [u8], text: &[u8]) {
    if let (Some(out), Some(text)) = (out.first_chunk_mut::<N>(), text.first_chunk::<N>()) {
        *out = *text;
    }
}

#[inline]
fn back<const N: usize>(out: &mut [u8], text: &[u8]) {
    if let (Some(out), Some(text)) = (out.last_chunk_mut::<N>(), text.last_chunk::<N>()) {
        *out = *text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::escape::Escape;

    #[test]
    fn every_length_arrives_whole() {
        let all: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let mut sink = Sink::new(b"before".to_vec(), 6);
        let mut wanted = b"before".to_vec();
        for length in (0..140).chain([4999, 3, 2100]) {
            let text = &all[..length];
            sink.copy(text);
            wanted.extend_from_slice(text);
            sink.literal(&Literal::new(&all[..length % 33]));
            wanted.extend_from_slice(&all[..length % 33]);
            assert_eq!(sink.len(), wanted.len());
        }
        assert_eq!(sink.into_bytes(), wanted);
    }

    #[test]
    fn any_byte_is_escaped_anywhere() {
        for length in (0usize..100).chain([127, 128, 129, 1000]) {
            for at in [0, 1, length / 2, length.saturating_sub(1)] {
                for special in ["&", "'", "\"&", "<&>", "\r", "x"] {
                    let mut text = "abcdefghij".repeat(length / 10 + 1);
                    text.truncate(length);
                    text.insert_str(at.min(length), special);
                    text.insert_str(0, if at % 3 == 0 { ">" } else { "" });
                    let mut sink = Sink::default();
                    sink.xml(text.as_bytes());
                    sink.copy(b"|");
                    let wanted = format!("{}|", Escape::Xml.escaped(&text));
                    assert_eq!(sink.into_bytes(), wanted.as_bytes(), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn xml_is_escaped_as_everywhere() {
        let texts = [
            "",
            "a",
            "&",
            "https://shop.example/p?a=1&b=2&c=3",
            "\"<b>Tom's</b> & Jerry\"\r\n, ชาอู่หลง & more > less <",
            "",
        ];
        for text in texts {
            for skipped in 0..text.len().min(20) {
                let Some(text) = text.get(skipped..) else {
                    continue;
                };
                let mut sink = Sink::default();
                sink.xml(text.as_bytes());
                sink.copy(b"|");
                let wanted = format!("{}|", Escape::Xml.escaped(text));
                assert_eq!(sink.into_bytes(), wanted.as_bytes(), "{text:?}");
            }
        }
    }
}
