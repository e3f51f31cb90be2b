//! Bytes side by side, sixteen or thirty-two: what the looks at texts need of either, by one name.

use std::ops::{BitOr, Sub};

use wide::{u8x16, u8x32};

/// A vector of bytes.
pub trait Lanes: Copy + BitOr<Output = Self> + Sub<Output = Self> {
    /// The same byte everywhere.
    fn all(byte: u8) -> Self;
    /// All bits of the bytes that are equal in both.
    fn equals(self, other: Self) -> Self;
    /// The lesser byte of each place.
    fn least(self, other: Self) -> Self;
    /// The greater byte of each place.
    fn most(self, other: Self) -> Self;
    /// The first bit of each byte.
    fn mask(self) -> u32;

    /// Marks the bytes equal to one.
    #[inline(always)]
    fn is(self, byte: u8) -> Self {
        self.equals(Self::all(byte))
    }
}

macro_rules! lanes {
    ($lanes:ident) => {
        impl Lanes for $lanes {
            #[inline(always)]
            fn all(byte: u8) -> Self {
                $lanes::splat(byte)
            }
            #[inline(always)]
            fn equals(self, other: Self) -> Self {
                self.simd_eq(other)
            }
            #[inline(always)]
            fn least(self, other: Self) -> Self {
                self.min(other)
            }
            #[inline(always)]
            fn most(self, other: Self) -> Self {
                self.max(other)
            }
            #[inline(always)]
            fn mask(self) -> u32 {
                self.to_bitmask()
            }
        }
    };
}

lanes!(u8x16);
lanes!(u8x32);
