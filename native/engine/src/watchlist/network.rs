//! Networks and single addresses of both families as one kind of number.

use std::fmt;

use wire::Address;

/// Length of what stands before an IPv4 address in [`Address`]'s sixteen bytes.
const V4_OFFSET_BITS: u8 = 96;

/// Leading bits of one address of either family.
pub(super) const HOST_BITS: u8 = 128;

/// A network, or one address.
///
/// A number, not an [`Address`]: reading back sixteen bytes that were just written one by one stalls the processor,
/// which is felt with millions of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// [`Address`]'s sixteen bytes, the first the highest.
    pub(super) value: u128,
    /// How many of the highest bits of `value` count, 1 to [`HOST_BITS`]; in an IPv4 network 96 and its prefix length.
    pub(super) bits: u8,
}

impl Network {
    /// An IPv4 network with a prefix of 1 to 32 bits.
    #[inline]
    pub(super) const fn v4(octets: [u8; 4], prefix: u8) -> Self {
        let value = (u128::MAX << u32::BITS) | u32::from_be_bytes(octets) as u128;
        Self { value, bits: V4_OFFSET_BITS + prefix }
    }

    /// An IPv6 network with a prefix of 1 to 128 bits.
    #[inline]
    pub(super) const fn v6(octets: [u8; 16], prefix: u8) -> Self {
        Self { value: u128::from_be_bytes(octets), bits: prefix }
    }

    /// One address.
    #[inline]
    pub(super) fn host(address: Address) -> Self {
        Self { value: u128::from_be_bytes(*address.bytes()), bits: HOST_BITS }
    }

    /// Whether it is IPv4.
    #[inline]
    pub(super) fn is_v4(self) -> bool {
        self.value >> u32::BITS == u128::MAX >> u32::BITS
    }

    /// Whether it is one address.
    #[inline]
    pub(super) fn is_host(self) -> bool {
        self.bits == HOST_BITS
    }

    /// The prefix length as its family counts it.
    #[inline]
    pub(super) fn prefix(self) -> u8 {
        if self.is_v4() { self.bits.saturating_sub(V4_OFFSET_BITS) } else { self.bits }
    }

    /// The network without the bits that do not count.
    #[inline]
    pub(super) fn truncated(self) -> Self {
        Self { value: leading_bits(self.value, self.bits), ..self }
    }

    /// Whether one of the two holds the other.
    #[inline]
    pub(super) fn overlaps(self, other: Self) -> bool {
        leading_bits(self.value ^ other.value, self.bits.min(other.bits)) == 0
    }
}

/// `value` with all but its highest `bits` (1 to 128) cleared.
#[inline]
pub(super) fn leading_bits(value: u128, bits: u8) -> u128 {
    value & (u128::MAX << (u128::BITS - u32::from(bits)))
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Address::v6(self.value.to_be_bytes()).fmt(f)?;
        if self.is_host() { Ok(()) } else { write!(f, "/{}", self.prefix()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_keeps_to_itself() {
        let v4 = Network::v4([192, 0, 2, 1], 32);
        assert_eq!(v4, Network::host(Address::v4([192, 0, 2, 1])));
        assert!(v4.is_v4() && v4.is_host());
        let mapped = Network::v6([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], 128);
        assert!(!mapped.is_v4());
        assert!(!mapped.overlaps(v4));
    }

    #[test]
    fn overlap_means_that_one_holds_the_other() {
        let wide = Network::v4([10, 0, 0, 0], 8);
        assert!(wide.overlaps(Network::v4([10, 1, 0, 0], 16)));
        assert!(Network::v4([10, 1, 0, 0], 16).overlaps(wide));
        assert!(!wide.overlaps(Network::v4([11, 0, 0, 0], 16)));
    }
}
