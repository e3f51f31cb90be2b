//! Numbers and texts of the item log: varints of seven bits a byte, texts with their length before them.

/// Puts a number.
#[inline]
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Puts a number that may be negative.
#[inline]
pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Puts a text.
#[inline]
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Takes what was put off the front of a slice; `None` where there is no such thing.
pub(super) struct Taking<'a>(pub(super) &'a [u8]);

impl<'a> Taking<'a> {
    /// A byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// So many bytes.
    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A hash.
    #[inline]
    pub(super) fn hash(&mut self) -> Option<u128> {
        let bytes = self.bytes(16)?;
        bytes.first_chunk::<16>().map(|b| u128::from_le_bytes(*b))
    }

    /// A number.
    #[inline]
    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, length) = number(self.0)?;
        self.0 = self.0.get(length..)?;
        Some(number)
    }

    /// A number that may be negative.
    #[inline]
    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A text.
    #[inline]
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }
}

/// The number at the front and how many bytes it takes; `None` where it is cut or beyond 64 bits.
#[inline]
pub(super) fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        let part = u64::from(byte & 0x7f);
        let shift = 7 * index as u32;
        if part.checked_shl(shift)? >> shift != part {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    None
}
