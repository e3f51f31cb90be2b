//! What may stand in a web address as it is.

use wide::{u8x16, u8x32};

use crate::program::lanes::Lanes;

use super::survey::{Special, short_block};

/// What a look at an address found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Looked {
    /// Bytes before the first one that may not stand in an address.
    pub(super) plain: usize,
    /// Whether one of those bytes may be written otherwise.
    pub(super) special: bool,
}

/// Looks at bytes up to the first that may not stand in an address: many are looked at together.
#[inline]
pub(super) fn look(bytes: &[u8], special: &Special) -> Looked {
    let mut found = false;
    let mut at = 0;
    if let Some(last) = bytes.last_chunk::<32>() {
        let mut specials = u8x32::splat(0);
        for block in bytes.as_chunks::<32>().0 {
            let block = u8x32::new(*block);
            let special = special.in_long_address(block);
            let refused = refused(block).mask();
            if refused != 0 {
                return up_to_refused(bytes, at, refused, specials.mask() != 0, special.mask());
            }
            specials |= special;
            at += 32;
        }
        let last = u8x32::new(*last);
        let special = special.in_long_address(last);
        let refused = refused(last).mask();
        if refused != 0 {
            let at = bytes.len() - 32;
            return up_to_refused(bytes, at, refused, specials.mask() != 0, special.mask());
        }
        found = (specials | special).mask() != 0;
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>())
    {
        for (block, at) in [(first, 0), (last, bytes.len() - 16)] {
            let block = u8x16::new(*block);
            let (refused, special) = (refused(block).mask(), special.in_address(block).mask());
            if refused != 0 {
                return up_to_refused(bytes, at, refused, found, special);
            }
            found |= special != 0;
        }
    } else {
        let block = short_block(bytes);
        if refused(block).mask() != 0 {
            return byte_by_byte(bytes);
        }
        found = special.in_address(block).mask() != 0;
    }
    Looked {
        plain: bytes.len(),
        special: found,
    }
}

/// The bytes before the first that a block at a place refuses.
#[inline]
fn up_to_refused(bytes: &[u8], at: usize, refused: u32, found: bool, special: u32) -> Looked {
    let before = refused.trailing_zeros();
    let plain = at + before as usize;
    // The one that may stand there although it is refused.
    if bytes.get(plain) == Some(&b'~') {
        return byte_by_byte(bytes);
    }
    Looked {
        plain,
        special: found || special & ((1 << before) - 1) != 0,
    }
}

#[cold]
fn byte_by_byte(bytes: &[u8]) -> Looked {
    let refused = bytes.iter().position(|&byte| !PLAIN[usize::from(byte)]);
    Looked {
        plain: refused.unwrap_or(bytes.len()),
        special: true,
    }
}

/// Marks the bytes that no address holds as they are; `~`, which it may hold and seldom does, is among them.
#[inline(always)]
fn refused<L: Lanes>(block: L) -> L {
    // With this bit set two bytes are one: `\` and `^`, `<` and `>`, the blank and `"`.
    let paired = block | L::all(2);
    let pairs = paired.is(b'^') | paired.is(b'>') | paired.is(b'"');
    let distance = block - L::all(b'!');
    let outside = distance.most(L::all(b'{' - b'!')).equals(distance);
    pairs | block.is(b'`') | outside
}

/// Which bytes stand in an address as they are (RFC 3986).
pub(super) static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        plain[byte] = !matches!(
            byte as u8,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        );
        byte += 1;
    }
    plain
};

/// How long `https://` or `http://` is at the start; 0 when neither stands there.
#[inline]
pub(super) fn scheme_length(bytes: &[u8]) -> usize {
    const USUAL: u64 = u64::from_le_bytes(*b"https://");
    match bytes.first_chunk::<8>() {
        Some(start) if u64::from_le_bytes(*start) == USUAL => 8,
        _ => any_case(bytes),
    }
}

fn any_case(bytes: &[u8]) -> usize {
    let begins = |scheme: &[u8]| {
        bytes
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if begins(b"https://") {
        8
    } else if begins(b"http://") {
        7
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::escape::Escape;

    #[test]
    fn blocks_and_bytes_agree() {
        let special = Special::of(Escape::Xml);
        for byte in 0..=u8::MAX {
            for length in [1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 40, 64, 70] {
                for at in [0, length / 2, length - 1] {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    let looked = look(&bytes, &special);
                    let plain = if PLAIN[usize::from(byte)] { length } else { at };
                    assert_eq!(looked.plain, plain, "{byte:#x} of {length} at {at}");
                    if plain == length {
                        assert_eq!(looked.special, b"&'~".contains(&byte), "{byte:#x}");
                    } else if looked.plain > 0 {
                        assert!(!looked.special || length < 16, "{byte:#x}");
                    }
                }
            }
        }
    }
}
