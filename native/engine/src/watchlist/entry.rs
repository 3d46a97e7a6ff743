//! One line or row of a list, as compiled.

use std::hash::Hash;

use super::network::Network;

/// The number of an address or network of one family: what entries are sorted by.
pub(super) trait Value: Copy + Ord + Hash {
    /// Bits of an address.
    const BITS: u8;

    /// Its bits from bit `place` (the lowest is 0) on, as many as fit.
    fn bits_from(self, place: u32) -> usize;

    /// From the number of a [`Network`] of this family.
    fn from_number(number: u128) -> Self;

    /// Back to the number of a [`Network`].
    fn number(self) -> u128;

    /// All but the highest `bits` (1 to [`Value::BITS`]) cleared.
    fn leading_bits(self, bits: u8) -> Self;
}

/// IPv4.
impl Value for u32 {
    const BITS: u8 = 32;

    #[inline]
    fn bits_from(self, place: u32) -> usize {
        (self >> place) as usize
    }

    #[inline]
    fn from_number(number: u128) -> Self {
        number as u32
    }

    fn number(self) -> u128 {
        Network::v4(self.to_be_bytes(), 32).value
    }

    #[inline]
    fn leading_bits(self, bits: u8) -> Self {
        self & (Self::MAX << (32 - bits))
    }
}

/// IPv6: two halves, the higher one first, because a `u128` would make the entry larger.
impl Value for [u64; 2] {
    const BITS: u8 = 128;

    #[inline]
    fn bits_from(self, place: u32) -> usize {
        (self.number() >> place) as usize
    }

    #[inline]
    fn from_number(number: u128) -> Self {
        [(number >> 64) as u64, number as u64]
    }

    fn number(self) -> u128 {
        u128::from(self[0]) << 64 | u128::from(self[1])
    }

    #[inline]
    fn leading_bits(self, bits: u8) -> Self {
        Self::from_number(self.number() & (u128::MAX << (128 - bits)))
    }
}

/// There are millions of these: 12 bytes each for IPv4, 24 for IPv6.
#[derive(Clone, Copy)]
pub(super) struct Entry<V> {
    /// The network's number, of which the bits that its terms tell count.
    pub(super) value: V,
    /// Number of its terms.
    pub(super) terms: u32,
    /// Where its line or row starts in the list's text, in bytes.
    pub(super) row: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_small() {
        assert_eq!((size_of::<Entry<u32>>(), size_of::<Entry<[u64; 2]>>()), (12, 24));
    }

    #[test]
    fn values_are_ordered_and_cut_as_numbers_are() {
        let (low, high) = (<[u64; 2]>::from_number(u128::from(u64::MAX)), <[u64; 2]>::from_number(1 << 64));
        assert!(low < high);
        assert_eq!(high.number(), 1 << 64);
        assert_eq!(<[u64; 2]>::from_number(u128::MAX).leading_bits(65).number(), u128::MAX << 63);
        assert_eq!(0xc000_02ff_u32.leading_bits(24), 0xc000_0200);
        assert_eq!((u32::MAX.leading_bits(32), low.leading_bits(128)), (u32::MAX, low));
    }
}
