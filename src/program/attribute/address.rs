//! What may stand in a web address as it is.

use wide::u8x16;

use super::survey::{Special, short_block};

/// What a look at an address found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Looked {
    /// Bytes before the first one that may not stand in an address.
    pub(super) plain: usize,
    /// Whether one of those bytes may be written otherwise.
    pub(super) special: bool,
}

/// Looks at bytes up to the first that may not stand in an address: sixteen are looked at together.
#[inline]
pub(super) fn look(bytes: &[u8], special: &Special) -> Looked {
    let mut found = u8x16::splat(0);
    let mut at = 0;
    for chunk in bytes.as_chunks::<16>().0 {
        let block = u8x16::new(*chunk);
        found |= special.in_address(block);
        if refused(block).to_bitmask() != 0 {
            return up_to_refused(bytes, at);
        }
        at += 16;
    }
    let last = match bytes.last_chunk::<16>() {
        Some(last) => u8x16::new(*last),
        None => short_block(bytes),
    };
    found |= special.in_address(last);
    if refused(last).to_bitmask() != 0 {
        return up_to_refused(bytes, at);
    }
    Looked {
        plain: bytes.len(),
        special: found.to_bitmask() != 0,
    }
}

/// Looks again, byte by byte, at what a block may refuse.
#[cold]
fn up_to_refused(bytes: &[u8], at: usize) -> Looked {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let plain = rest
        .iter()
        .position(|&byte| !PLAIN[usize::from(byte)])
        .unwrap_or(rest.len());
    Looked {
        plain: at + plain,
        special: true,
    }
}

/// The bytes that no address holds as they are, a bit each; `~`, which it may hold and seldom does, is among them.
#[inline]
fn refused(block: u8x16) -> u8x16 {
    let is = |block: u8x16, byte: u8| block.simd_eq(u8x16::splat(byte));
    // With this bit set two bytes are one: `\` and `^`, `<` and `>`, the blank and `"`.
    let paired = block | u8x16::splat(2);
    let pairs = is(paired, b'^') | is(paired, b'>') | is(paired, b'"');
    let distance = block - u8x16::splat(b'!');
    let outside = distance.max(u8x16::splat(b'{' - b'!')).simd_eq(distance);
    pairs | is(block, b'`') | outside
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
            for length in [1, 3, 7, 8, 15, 16, 17, 40] {
                for at in [0, length / 2, length - 1] {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    let looked = look(&bytes, &special);
                    let plain = if PLAIN[usize::from(byte)] { length } else { at };
                    assert_eq!(looked.plain, plain, "{byte:#x} of {length} at {at}");
                    if plain == length {
                        assert_eq!(looked.special, b"&'~".contains(&byte), "{byte:#x}");
                    }
                }
            }
        }
    }
}
