//! Texts as the helper `json` writes them, straight into an item's bytes.

use wide::u8x32;

use crate::program::lanes::Lanes;

use super::{Sink, short, write};

impl Sink {
    /// Appends a text as the helper `json` writes it, without its quotes. False, and nothing is written, where it holds one of
    /// the line ends outside ASCII.
    #[inline(never)]
    pub(in crate::program::feed) fn json(&mut self, text: &[u8], script: bool) -> bool {
        // No replacement is longer than six bytes, and blocks are written whole.
        let end = self.at + 6 * text.len() + 64;
        if end > self.bytes.len() {
            self.grow(end);
        }
        let out = self.bytes.get_mut(self.at..).unwrap_or(&mut []);
        let mut at = 0;
        let (blocks, rest) = text.as_chunks::<32>();
        for (number, block) in blocks.iter().enumerate() {
            write::<32>(out, at, block);
            let mask = json_bytes(u8x32::new(*block), script);
            if mask == 0 {
                at += 32;
            } else {
                let text = text.get(32 * number..).unwrap_or_default();
                match json_replaced(out, at, text, 32, mask) {
                    Some(to) => at = to,
                    None => return false,
                }
            }
        }
        if !rest.is_empty() {
            let mut block = [b' '; 32];
            match (rest.first_chunk::<16>(), rest.last_chunk::<16>()) {
                (Some(first), Some(last)) => {
                    write::<16>(&mut block, 0, first);
                    write::<16>(&mut block, rest.len() - 16, last);
                }
                _ => short(&mut block, rest),
            }
            write::<32>(out, at, &block);
            let mask = json_bytes(u8x32::new(block), script) & ((1 << rest.len()) - 1);
            match json_replaced(out, at, rest, rest.len(), mask) {
                Some(to) => at = to,
                None => return false,
            }
        }
        self.at += at;
        true
    }

    /// Appends a byte.
    #[inline]
    pub(in crate::program::feed) fn byte(&mut self, byte: u8) {
        match self.bytes.get_mut(self.at) {
            Some(place) => *place = byte,
            None => return self.copy_long(&[byte]),
        }
        self.at += 1;
    }

    /// Takes the last byte back.
    pub(in crate::program::feed) fn back(&mut self) {
        self.at -= 1;
    }
}

/// The bytes that a JSON text does not hold as they are, or that begin a character that it may not hold, a bit each.
#[inline(always)]
fn json_bytes(block: u8x32, script: bool) -> u32 {
    let less = u8x32::splat(if script { b'<' } else { b'"' });
    let control = block.least(u8x32::splat(0x1f)).equals(block);
    // The line ends outside ASCII begin with 0xC2 and 0xE2, which differ in one bit.
    let odd = (block | u8x32::splat(0x20)).is(0xe2);
    (control | block.is(b'"') | block.is(b'\\') | block.equals(less) | odd).mask()
}

/// Replaces the bytes that `mask` marks in the first `length` bytes of a text, whose block is written at a place; gives
/// where they end then. `None` at a line end outside ASCII.
fn json_replaced(
    out: &mut [u8],
    at: usize,
    text: &[u8],
    length: usize,
    mask: u32,
) -> Option<usize> {
    let (mut at, mut mask, mut from) = (at, mask, 0);
    while mask != 0 {
        let hit = mask.trailing_zeros() as usize & 31;
        mask &= mask - 1;
        let (replacement, longer) = match text.get(hit..)? {
            [0xc2, 0x85, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..] => return None,
            [0xc2 | 0xe2, ..] => continue,
            [b'"', ..] => (*b"\\\"      ", 2),
            [b'\\', ..] => (*b"\\\\      ", 2),
            [b'\n', ..] => (*b"\\n      ", 2),
            [b'\r', ..] => (*b"\\r      ", 2),
            [b'\t', ..] => (*b"\\t      ", 2),
            [byte, ..] => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                ([b'\\', b'u', b'0', b'0', high, low, b' ', b' '], 6)
            }
            [] => return None,
        };
        at += hit - from;
        write::<8>(out, at, &replacement);
        at += longer;
        from = hit + 1;
        // Whatever stands behind it, up to the next.
        if let (Some(out), Some(behind)) = (out.get_mut(at..), text.get(from..length)) {
            for (to, &from) in out.iter_mut().zip(behind) {
                *to = from;
            }
        }
    }
    Some(at + length - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helper::json::json;
    use crate::model::value::Value;
    use crate::program::attribute::survey::Special;
    use crate::program::escape::Escape;
    use bumpalo::Bump;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn json_is_written_as_by_the_helper(
            text in "([a-z]{0,20}|[\u{1}-\u{1d}<\"\\\\\n\t\u{84}\u{b0}\u{2027}\u{2013}\u{e01}]){1,30}",
            odd in prop::sample::select(vec!["", "", "\u{85}", "\u{2028}", "\u{2029}"]),
            script: bool,
        ) {
            for text in [text.clone() + odd, odd.to_owned() + &text, text] {
                let (arena, mut sink) = (Bump::new(), Sink::new(b"\"".to_vec(), 1));
                let wanted = json(Value::Text(&text), script, &arena);
                if sink.json(text.as_bytes(), script) {
                    sink.byte(b'"');
                    prop_assert_eq!(sink.into_bytes(), wanted.as_bytes());
                } else {
                    let odd = text.contains(['\u{85}', '\u{2028}', '\u{2029}']);
                    prop_assert!(odd);
                    prop_assert_eq!(sink.into_bytes(), b"\"");
                }
                if !Special::of(Escape::Json).survey(&text).special {
                    prop_assert_eq!(format!("\"{}\"", text), wanted);
                }
            }
        }
    }
}
