//! One look at a text, sixteen bytes together: may it hold a character that no format carries, and would the feed's format
//! write any of its bytes otherwise? What is found plain is copied when it is written.

use wide::u8x16;

use crate::program::escape::{Escape, Quoting};

/// The bytes that a format writes otherwise: those that some bits make equal to a byte, three times.
#[derive(Clone, Debug)]
pub struct Special {
    bits: [u8x16; 3],
    equal: [u8x16; 3],
    address: (u8x16, u8x16),
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
    /// The bytes of a format, in EDIFACT some others with them; all where even harmless text is written otherwise.
    pub fn of(escape: Escape) -> Self {
        // NUL is odd anyway: where it stands, nothing is meant.
        let tests = match escape {
            Escape::None => [(0, 0); 3],
            // `&` and `'` differ in the last bit alone, `<` and `>` in the last but one.
            Escape::Xml | Escape::Html => [(1, b'\''), (2, b'>'), (0, b'"')],
            Escape::Json => [(0, b'"'), (0, b'\\'), (0, b'<')],
            Escape::Edifact => [(1, b'\''), (0, b'+'), (b'?' - b':', b'?')],
            Escape::Cell {
                quoting: Quoting::Always,
                ..
            } => [(u8::MAX, u8::MAX); 3],
            Escape::Cell { delimiter, .. } => [(0, delimiter), (0, b'"'), (0, 0)],
        };
        // No address holds `<`, `>`, `"` or `\`, and each holds a colon.
        let address = match escape {
            Escape::None | Escape::Json => (0, 0),
            Escape::Edifact => (u8::MAX, u8::MAX),
            _ => tests[0],
        };
        Special {
            address: (u8x16::splat(address.0), u8x16::splat(address.1)),
            bits: tests.map(|(bits, _)| u8x16::splat(bits)),
            equal: tests.map(|(_, equal)| u8x16::splat(equal)),
        }
    }

    /// Looks at a text, which is not empty.
    #[inline]
    pub fn survey(&self, text: &str) -> Survey {
        let bytes = text.as_bytes();
        let Some(last) = bytes.last_chunk::<16>() else {
            return self.survey_block(short_block(bytes), 0xffff);
        };
        let last = u8x16::new(*last);
        let (mut odds, mut specials) = (odd(last), self.special(last));
        for chunk in bytes.as_chunks::<16>().0 {
            let block = u8x16::new(*chunk);
            odds |= odd(block);
            specials |= self.special(block);
        }
        let odd = odds.to_bitmask() != 0;
        Survey {
            odd,
            special: odd || specials.to_bitmask() != 0,
        }
    }

    /// Looks at the bytes of a block that `mask` marks.
    #[inline]
    pub(super) fn survey_block(&self, block: u8x16, mask: u32) -> Survey {
        let odd = odd(block);
        Survey {
            odd: odd.to_bitmask() & mask != 0,
            special: (odd | self.special(block)).to_bitmask() & mask != 0,
        }
    }

    /// Marks the bytes of an address that are written otherwise.
    #[inline]
    pub(super) fn in_address(&self, block: u8x16) -> u8x16 {
        (block | self.address.0).simd_eq(self.address.1)
    }

    /// Marks the bytes that are written otherwise.
    #[inline]
    fn special(&self, block: u8x16) -> u8x16 {
        let [first, second, third] = self.bits;
        let [one, two, three] = self.equal;
        (block | first).simd_eq(one)
            | (block | second).simd_eq(two)
            | (block | third).simd_eq(three)
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
            for letter in (0..0x250)
                .chain(0xff00..0x1_0010)
                .filter_map(char::from_u32)
            {
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
        for text in [
            "a",
            "Wool",
            "ชาอู่หลง 250 g",
            "kość słoniowa, rozmiar XL, nowość",
            "12.00",
        ] {
            for escape in [Escape::Xml, Escape::Json] {
                let found = Special::of(escape).survey(text);
                assert!(!found.odd && !found.special, "{text}");
            }
        }
    }
}
