//! Addresses as they are compared and hashed: fixed size, no version branch.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What stands before the four bytes of an IPv4 address: no IPv6 address on any wire starts with it (RFC 4291, 2.7
/// gives `ff` to multicast, and no scope or flag reaches these values), so the two families never collide.
const V4_PREFIX: [u8; 12] = [0xff; 12];

/// An IPv4 or IPv6 address in 16 bytes; within a family it orders as the address bytes do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address([u8; 16]);

impl Address {
    /// The IPv4 address with these four bytes, network order.
    #[inline]
    pub fn v4(bytes: [u8; 4]) -> Self {
        // As one number, so that it is never put together in memory from two parts: reading such a value back whole stalls.
        Self((u128::MAX << 32 | u128::from(u32::from_be_bytes(bytes))).to_be_bytes())
    }

    /// The IPv6 address with these sixteen bytes, network order.
    #[inline]
    pub const fn v6(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Whether this is an IPv4 address.
    #[inline]
    pub fn is_v4(&self) -> bool {
        self.0[..12] == V4_PREFIX
    }

    /// The address bytes on the wire: four or sixteen.
    #[inline]
    pub fn octets(&self) -> &[u8] {
        if self.is_v4() { &self.0[12..] } else { &self.0 }
    }

    /// The address with this internal form, as [`Address::bytes`] gives it.
    #[inline]
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// All sixteen bytes of the internal form, for hashing and prefix matching.
    #[inline]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::v4(v4.octets()),
            IpAddr::V6(v6) => Self::v6(v6.octets()),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        let b = &address.0;
        if address.is_v4() { Self::V4(Ipv4Addr::new(b[12], b[13], b[14], b[15])) } else { Self::V6(Ipv6Addr::from(*b)) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An IEEE 802 address; prints as `00:1b:44:11:3a:b7`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether the group bit is set: multicast and broadcast (IEEE 802, 8.2.2).
    #[inline]
    pub fn is_group(&self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Whether all bytes are zero, as the dead sessions of some mirrors have it.
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 6]
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
