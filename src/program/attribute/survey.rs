//! One look at a text, sixteen bytes together: may it hold a character that no format carries, and would the feed's format
//! write any of its bytes otherwise? What is found plain is copied when it is written.

use wide::u8x16;

use crate::program::escape::{Escape, Quoting};

/// The bytes that a format writes otherwise: two ranges and two bytes.
#[derive(Clone, Debug)]
pub struct Special {
    low: [u8x16; 2],
    span: [u8x16; 2],
    single: [u8x16; 2],
}

/// What a look at a text found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// A byte may belong to a character that no format carries, or to white space other than a blank.
    pub odd: bool,
    /// A byte is written otherwise, or is odd.
    pub special: bool,
}

impl Special {
    /// The bytes of a format; all of them where it writes even harmless text otherwise.
    pub fn of(escape: Escape) -> Self {
        // NUL is odd anyway: where it stands, nothing is meant.
        let one = |byte: u8| (byte, byte);
        let (ranges, single) = match escape {
            Escape::None => ([one(0), one(0)], [0, 0]),
            Escape::Xml | Escape::Html => ([(b'&', b'\''), one(b'<')], *b"\">"),
            Escape::Json => ([one(b'<'), one(0)], *b"\"\\"),
            Escape::Edifact => ([one(b':'), one(b'?')], *b"'+"),
            Escape::Cell {
                quoting: Quoting::Always,
                ..
            } => ([(0, u8::MAX), one(0)], [0, 0]),
            Escape::Cell { delimiter, .. } => ([one(0), one(0)], [delimiter, b'"']),
        };
        Special {
            low: ranges.map(|(low, _)| u8x16::splat(low)),
            span: ranges.map(|(low, high)| u8x16::splat(high - low)),
            single: single.map(u8x16::splat),
        }
    }

    /// Looks at a text, which is not empty.
    #[inline]
    pub fn survey(&self, text: &str) -> Survey {
        let bytes = text.as_bytes();
        let (odd, special) = match bytes.last_chunk::<16>() {
            None => {
                let block = short_block(bytes);
                (odd(block), self.special(block))
            }
            Some(last) => {
                let last = u8x16::new(*last);
                let mut found = (odd(last), self.special(last));
                for chunk in bytes.as_chunks::<16>().0 {
                    let block = u8x16::new(*chunk);
                    found = (found.0 | odd(block), found.1 | self.special(block));
                }
                found
            }
        };
        let odd = odd.to_bitmask() != 0;
        Survey {
            odd,
            special: odd || special.to_bitmask() != 0,
        }
    }

    /// Marks the bytes that are written otherwise.
    #[inline]
    pub(super) fn special(&self, block: u8x16) -> u8x16 {
        let within = |at: usize| {
            let distance = block - self.low[at];
            distance.min(self.span[at]).simd_eq(distance)
        };
        within(0)
            | within(1)
            | block.simd_eq(self.single[0])
            | block.simd_eq(self.single[1])
    }
}

#[inline]
fn odd(block: u8x16) -> u8x16 {
    block.min(u8x16::splat(0x1f)).simd_eq(block)
        | block.simd_eq(u8x16::splat(0x7f))
        | block.simd_eq(u8x16::splat(0xef))
}

/// Up to fifteen bytes as sixteen, some of them twice.
#[inline]
pub(super) fn short_block(bytes: &[u8]) -> u8x16 {
    let mut block = [b' '; 16];
    if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        block[..8].copy_from_slice(head);
        block[8..].copy_from_slice(tail);
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        block = [b'0'; 16];
        block[..4].copy_from_slice(head);
        block[4..8].copy_from_slice(tail);
    } else if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
        block = [first; 16];
        block[1] = bytes[bytes.len() / 2];
        block[2] = last;
    }
    u8x16::new(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESCAPES: &[Escape] = &[
        Escape::None,
        Escape::Xml,
        Escape::Html,
        Escape::Json,
        Escape::Edifact,
        Escape::Cell {
            delimiter: b',',
            quoting: Quoting::Necessary,
        },
        Escape::Cell {
            delimiter: b'\t',
            quoting: Quoting::Never,
        },
        Escape::Cell {
            delimiter: b';',
            quoting: Quoting::Always,
        },
    ];

    #[test]
    fn what_is_found_plain_is_written_as_it_stands() {
        for &escape in ESCAPES {
            let special = Special::of(escape);
            for letter in (0..0x250).chain(0xff00..0x1_0010).filter_map(char::from_u32) {
                for length in [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33] {
                    for at in [0, length / 2, length - 1] {
                        let text: String = (0..length)
                            .map(|place| if place == at { letter } else { 'x' })
                            .collect();
                        let found = special.survey(&text);
                        let same = escape.escaped(&text) == text;
                        assert!(found.special || same, "{escape:?} {text:?}");
                        let forbidden = letter.is_ascii_control() || letter >= '\u{fffe}';
                        if forbidden && letter < '\u{10000}' {
                            assert!(found.odd, "{escape:?} {text:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn usual_text_is_plain() {
        for text in ["a", "Wool", "ชาอู่หลง 250 g", "kość słoniowa, rozmiar XL, nowość", "12.00"] {
            for escape in [Escape::Xml, Escape::Json] {
                let found = Special::of(escape).survey(text);
                assert!(!found.odd && !found.special, "{text}");
            }
        }
    }
}
