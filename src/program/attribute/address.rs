//! What may stand in a web address as it is.

use wide::u8x16;

/// True when every byte may stand in an address as it is: sixteen are looked at together.
#[inline]
pub(super) fn is_plain_address(bytes: &[u8]) -> bool {
    let odd = |block: u8x16| {
        let range = block
            .max(u8x16::splat(0x21))
            .min(u8x16::splat(0x7e))
            .simd_eq(block);
        let refused = b"\"<>\\^`{|}".iter().fold(u8x16::splat(0), |hits, &byte| {
            hits | block.simd_eq(u8x16::splat(byte))
        });
        range.to_bitmask() != 0xffff || refused.to_bitmask() != 0
    };
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().all(|&byte| PLAIN[usize::from(byte)]);
    };
    bytes.chunks_exact(16).all(|chunk| {
        chunk
            .first_chunk::<16>()
            .is_none_or(|chunk| !odd(u8x16::new(*chunk)))
    }) && !odd(u8x16::new(*last))
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
pub(super) fn scheme_length(bytes: &[u8]) -> usize {
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
