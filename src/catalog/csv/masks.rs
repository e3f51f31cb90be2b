//! Which bytes of a 64-byte block are quotes, separators or line feeds, as one bit a byte (the first byte is bit 0).

use wide::u8x32;

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// The bytes that structure one file.
pub(super) struct Marks {
    /// The delimiter.
    pub(super) delimiter: u8,
    /// The quote, where quoting is on.
    pub(super) quote: Option<u8>,
    delimiters: u8x32,
    quotes: u8x32,
    line_feeds: u8x32,
    returns: u8x32,
}

impl Marks {
    pub(super) fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Marks {
            delimiter,
            quote,
            delimiters: u8x32::splat(delimiter),
            // without quoting any byte that is masked away afterwards will do
            quotes: u8x32::splat(quote.unwrap_or(b'"')),
            line_feeds: u8x32::splat(b'\n'),
            returns: u8x32::splat(b'\r'),
        }
    }

    /// Quotes; and delimiters, line feeds and carriage returns together.
    #[inline(always)]
    pub(super) fn find(&self, block: &[u8; BLOCK]) -> (u64, u64) {
        let (low, high) = halves(block);
        let quotes = bits(low.simd_eq(self.quotes), high.simd_eq(self.quotes));
        let separators = bits(self.separators(low), self.separators(high));
        (
            if self.quote.is_some() { quotes } else { 0 },
            separators,
        )
    }

    /// Line feeds alone.
    #[inline]
    pub(super) fn line_feeds(&self, block: &[u8; BLOCK]) -> u64 {
        let (low, high) = halves(block);
        bits(
            low.simd_eq(self.line_feeds),
            high.simd_eq(self.line_feeds),
        )
    }

    #[inline(always)]
    fn separators(&self, half: u8x32) -> u8x32 {
        half.simd_eq(self.delimiters) | half.simd_eq(self.line_feeds) | half.simd_eq(self.returns)
    }
}

#[inline(always)]
fn halves(block: &[u8; BLOCK]) -> (u8x32, u8x32) {
    let (parts, _) = block.as_chunks::<32>();
    match parts {
        [low, high] => (u8x32::new(*low), u8x32::new(*high)),
        _ => (u8x32::splat(0), u8x32::splat(0)),
    }
}

#[inline(always)]
fn bits(low: u8x32, high: u8x32) -> u64 {
    u64::from(low.to_bitmask()) | u64::from(high.to_bitmask()) << 32
}

/// Each bit becomes the parity of itself and all bits below: from quotes to what lies between them.
#[inline(always)]
pub(super) fn parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    bits
}
