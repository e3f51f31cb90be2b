//! Where a text is not plain: found for 64 bytes together, asked for one by one.

use wide::u8x16;

/// Bytes looked at together.
const BLOCK: usize = 64;

/// The places in a text that are not plain: `<`, `&`, controls, the lead byte of a non-breaking space, and a space after a
/// space.
pub(super) struct Specials<'t> {
    text: &'t [u8],
    /// Where the block begins that `mask` is of; before the first, so far off that it holds no byte.
    base: usize,
    /// One bit a byte of the block.
    mask: u64,
}

impl<'t> Specials<'t> {
    #[inline]
    pub(super) fn of(text: &'t [u8]) -> Self {
        Specials {
            text,
            base: text.len(),
            mask: 0,
        }
    }

    /// The first special byte from `from` on, which never goes back; the text's length when there is none.
    #[inline(always)]
    pub(super) fn next(&mut self, from: usize) -> usize {
        let mut from = from;
        loop {
            let offset = from.wrapping_sub(self.base);
            // A `from` before the base is a huge offset.
            if offset < BLOCK {
                let left = self.mask & (u64::MAX << offset);
                if left != 0 {
                    return self.base.wrapping_add(left.trailing_zeros() as usize);
                }
                from = self.base.wrapping_add(BLOCK);
            }
            if from >= self.text.len() {
                return self.text.len();
            }
            self.base = from;
            self.mask = mask_at(self.text, from);
        }
    }
}

/// The special bytes among the 64 from `base` on.
#[inline(always)]
fn mask_at(text: &[u8], base: usize) -> u64 {
    let after_space = base
        .checked_sub(1)
        .and_then(|before| text.get(before))
        .is_some_and(|before| *before == b' ');
    if let Some(block) = text.get(base..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        return mask_of(block, after_space);
    }
    // The last block: its bytes looked at from the text's end, or with room behind.
    if let Some(block) = text.last_chunk::<BLOCK>() {
        let done = base.wrapping_sub(text.len().wrapping_sub(BLOCK));
        return mask_of(block, false) >> (done & (BLOCK - 1));
    }
    let rest = text.get(base..).unwrap_or_default();
    let mut block = [b'x'; BLOCK];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    mask_of(&block, after_space)
}

#[inline(always)]
fn mask_of(block: &[u8; BLOCK], after_space: bool) -> u64 {
    let (mut specials, mut spaces) = (0, 0);
    let (parts, _) = block.as_chunks::<16>();
    for (number, part) in parts.iter().enumerate() {
        let part = u8x16::new(*part);
        // Controls are the bytes that an unsigned minimum with 0x1F leaves alone.
        let found = part.simd_eq(part.min(u8x16::splat(0x1f)))
            | part.simd_eq(u8x16::splat(b'<'))
            | part.simd_eq(u8x16::splat(b'&'))
            | part.simd_eq(u8x16::splat(0xc2));
        specials |= u64::from(found.to_bitmask()) << (16 * number);
        spaces |= u64::from(part.simd_eq(u8x16::splat(b' ')).to_bitmask()) << (16 * number);
    }
    specials | (spaces & (spaces << 1 | u64::from(after_space)))
}
