//! IPv6 extension headers (RFC 8200, 4), and the authentication header (RFC 4302), which stands behind IPv4 too.

use crate::cursor::{Cursor, be16, be32};
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::packet::IpHeader;
use crate::protocol;

/// How many extension headers are passed. "Each extension header should occur at most once, except for the Destination
/// Options header, which should occur at most twice" (RFC 8200, 4.1), so that no honest packet comes near.
const MAX_HEADERS: usize = 16;

mod field {
    use std::ops::Range;
    pub(super) const NEXT_HEADER: usize = 0;
    pub(super) const LENGTH: usize = 1;
    pub(super) const FRAGMENT_OFFSET: Range<usize> = 2..4;
    pub(super) const FRAGMENT_IDENTIFICATION: Range<usize> = 4..8;
}

/// "13-bit unsigned integer. The offset, in 8-octet units" (RFC 8200, 4.5), above two reserved bits and the M flag.
const FRAGMENT_OFFSET: u16 = 0xfff8;
const MORE_FRAGMENTS: u16 = 0x0001;
const FRAGMENT_HEADER_LENGTH: usize = 8;

/// Passes every extension header, and leaves in `ip` the protocol of what follows.
#[inline]
pub(crate) fn skip_chain(cursor: &mut Cursor<'_>, ip: &mut IpHeader) -> Result<(), DecodeError> {
    for _ in 0..MAX_HEADERS {
        let passed = match ip.protocol {
            protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::DESTINATION_OPTIONS
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6 => skip_options(cursor, ip),
            protocol::FRAGMENT => skip_fragment(cursor, ip),
            protocol::AH => skip_authentication(cursor, ip),
            _ => false,
        };
        if !passed {
            return Ok(());
        }
    }
    Err(cursor.error(Layer::Ipv6, DecodeErrorKind::TooDeep))
}

/// "Length of the … header in 8-octet units, not including the first 8 octets" (RFC 8200, 4.3; likewise RFC 6275, 6.1.1,
/// RFC 7401, 5.1, RFC 5533, 5.1). Gives whether the header was there.
fn skip_options(cursor: &mut Cursor<'_>, ip: &mut IpHeader) -> bool {
    skip(cursor, ip, |length| 8 + 8 * length)
}

/// "This 8-bit field specifies the length of AH in 32-bit words (4-byte units), minus '2'" (RFC 4302, 2.2). Gives
/// whether the header was there.
pub(crate) fn skip_authentication(cursor: &mut Cursor<'_>, ip: &mut IpHeader) -> bool {
    skip(cursor, ip, |length| 8 + 4 * length)
}

#[inline]
fn skip(cursor: &mut Cursor<'_>, ip: &mut IpHeader, header_bytes: impl Fn(usize) -> usize) -> bool {
    let Some(header) = cursor.rest().first_chunk::<2>() else { return false };
    ip.protocol = header[field::NEXT_HEADER];
    cursor.advance(header_bytes(usize::from(header[field::LENGTH])));
    true
}

/// Gives whether another header may follow: none does in a fragment behind the first.
fn skip_fragment(cursor: &mut Cursor<'_>, ip: &mut IpHeader) -> bool {
    let Some(header) = cursor.rest().first_chunk::<FRAGMENT_HEADER_LENGTH>() else { return false };
    let offset = be16(&header[field::FRAGMENT_OFFSET]);
    ip.protocol = header[field::NEXT_HEADER];
    ip.identification = be32(&header[field::FRAGMENT_IDENTIFICATION]);
    ip.fragment = offset & (FRAGMENT_OFFSET | MORE_FRAGMENTS) != 0;
    ip.later_fragment = offset & FRAGMENT_OFFSET != 0;
    ip.more_fragments = offset & MORE_FRAGMENTS != 0;
    cursor.advance(FRAGMENT_HEADER_LENGTH);
    !ip.later_fragment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// Walks the chain that starts with header `first`; gives what is known then and the bytes left.
    fn chain(first: u8, bytes: &str) -> Result<(IpHeader, usize), DecodeError> {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, 1000);
        let mut ip = IpHeader { protocol: first, ..IpHeader::default() };
        skip_chain(&mut cursor, &mut ip)?;
        Ok((ip, cursor.rest().len()))
    }

    #[test]
    fn a_chain_of_every_kind() {
        let hop_by_hop = "2b00 000000000000";
        let routing = "2c01 0000000000000000000000000000";
        let atomic_fragment = "3300 0000 12345678";
        let authentication = "3c01 0000 00000000 00000000";
        let destination = "8700 000000000000";
        let mobility = "8b00 000000000000";
        let hip = "8c00 000000000000";
        let shim6 = "0600 000000000000";
        let all = [hop_by_hop, routing, atomic_fragment, authentication, destination, mobility, hip, shim6].concat();
        let (ip, left) = chain(protocol::HOP_BY_HOP, &(all + "aabb")).unwrap();
        assert_eq!((ip.protocol, ip.identification, left), (protocol::TCP, 0x1234_5678, 2));
        assert!(!ip.fragment);
    }

    #[test]
    fn fragments() {
        let (first, left) = chain(protocol::FRAGMENT, "3c00 0001 00000007 1100 000000000000 0035").unwrap();
        assert_eq!((first.protocol, first.fragment, first.later_fragment, left), (protocol::UDP, true, false, 2));
        assert!(first.more_fragments);
        let (later, left) = chain(protocol::FRAGMENT, "3c00 0008 00000007 1100 000000000000 0035").unwrap();
        assert_eq!((later.protocol, later.fragment, later.later_fragment, left), (60, true, true, 10));
        assert!(!later.more_fragments);
    }

    #[test]
    fn encryption_ends_the_chain() {
        assert_eq!(chain(protocol::ESP, "0600 0000").unwrap().0.protocol, protocol::ESP);
    }

    #[test]
    fn a_header_that_was_not_captured_ends_the_chain() {
        assert_eq!(chain(protocol::ROUTING, "06").unwrap().0.protocol, protocol::ROUTING);
        assert_eq!(chain(protocol::FRAGMENT, "0600 0000 000000").unwrap().0.protocol, protocol::FRAGMENT);
        // Cut behind the two bytes that matter: what follows is known, though not captured.
        assert_eq!(chain(protocol::ROUTING, "0604 00").unwrap(), (IpHeader { protocol: 6, ..IpHeader::default() }, 0));
    }

    #[test]
    fn a_chain_has_an_end() {
        let headers = |count| "3c00 000000000000".repeat(count - 1) + "0600 000000000000";
        assert_eq!(chain(60, &headers(MAX_HEADERS - 1)).unwrap().0.protocol, protocol::TCP);
        let error = chain(60, &headers(MAX_HEADERS + 1)).unwrap_err();
        assert_eq!((error.layer, error.kind), (Layer::Ipv6, DecodeErrorKind::TooDeep));
        assert_eq!(error.offset as usize, 8 * MAX_HEADERS);
    }
}
