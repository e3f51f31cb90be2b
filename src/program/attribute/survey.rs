//! One look at a text, many bytes together: may it hold a character that no format carries, and would the feed's format
//! write any of its bytes otherwise? What is found plain is copied when it is written.

use wide::{u8x16, u8x32};

use crate::program::escape::{Escape, Quoting};
use crate::program::lanes::Lanes;

/// The bytes that a format writes otherwise.
#[derive(Clone, Debug)]
pub struct Special {
    short: Tests<u8x16>,
    long: Tests<u8x32>,
}

/// The bytes that some bits make equal to a byte, for three bits and bytes; and for one, where only addresses are asked.
#[derive(Clone, Debug)]
struct Tests<L> {
    bits: [L; 3],
    equal: [L; 3],
    address: (L, L),
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
            // `<` and `\` with one look; U+0085, U+2028 and U+2029, which `{{json}}` escapes, by the byte they begin with.
            Escape::Json => [(0, b'"'), (0x60, b'|'), (0x20, 0xe2)],
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
            short: Tests::new(tests, address),
            long: Tests::new(tests, address),
        }
    }

    /// Looks at a text.
    #[inline]
    pub fn survey(&self, text: &str) -> Survey {
        let bytes = text.as_bytes();
        if let Some(last) = bytes.last_chunk::<32>() {
            return self
                .long
                .survey(bytes.as_chunks::<32>().0, last, u8x32::new);
        }
        match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            (Some(first), Some(last)) => self.short.survey(&[*first], last, u8x16::new),
            _ => self.survey_block(short_block(bytes), 0xffff),
        }
    }

    /// Looks at the bytes of a block that `mask` marks.
    #[inline]
    pub(super) fn survey_block(&self, block: u8x16, mask: u32) -> Survey {
        let odd = odd(block);
        Survey {
            odd: odd.mask() & mask != 0,
            special: (odd | self.short.special(block)).mask() & mask != 0,
        }
    }

    /// Marks the bytes of an address that are written otherwise.
    #[inline(always)]
    pub(super) fn in_address(&self, block: u8x16) -> u8x16 {
        self.short.in_address(block)
    }

    /// Marks the bytes of an address that are written otherwise.
    #[inline(always)]
    pub(super) fn in_long_address(&self, block: u8x32) -> u8x32 {
        self.long.in_address(block)
    }
}

impl<L: Lanes> Tests<L> {
    fn new(tests: [(u8, u8); 3], address: (u8, u8)) -> Self {
        Tests {
            bits: tests.map(|(bits, _)| L::all(bits)),
            equal: tests.map(|(_, equal)| L::all(equal)),
            address: (L::all(address.0), L::all(address.1)),
        }
    }

    #[inline(always)]
    fn survey<const N: usize>(
        &self,
        blocks: &[[u8; N]],
        last: &[u8; N],
        lanes: impl Fn([u8; N]) -> L,
    ) -> Survey {
        let last = lanes(*last);
        let (mut odds, mut specials) = (odd(last), self.special(last));
        for block in blocks {
            let block = lanes(*block);
            odds = odds | odd(block);
            specials = specials | self.special(block);
        }
        let odd = odds.mask() != 0;
        Survey {
            odd,
            special: odd || specials.mask() != 0,
        }
    }

    #[inline(always)]
    fn special(&self, block: L) -> L {
        let [first, second, third] = self.bits;
        let [one, two, three] = self.equal;
        (block | first).equals(one) | (block | second).equals(two) | (block | third).equals(three)
    }

    #[inline(always)]
    fn in_address(&self, block: L) -> L {
        (block | self.address.0).equals(self.address.1)
    }
}

#[inline(always)]
fn odd<L: Lanes>(block: L) -> L {
    block.least(L::all(0x1f)).equals(block) | block.is(0x7f) | block.is(0xef)
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
