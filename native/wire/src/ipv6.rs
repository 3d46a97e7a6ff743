//! IPv6 (RFC 8200).

use crate::address::Address;
use crate::cursor::{Cursor, be16};
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::ipv6_extension;
use crate::packet::IpHeader;

mod field {
    use std::ops::Range;
    pub(super) const VERSION: usize = 0;
    pub(super) const PAYLOAD_LENGTH: Range<usize> = 4..6;
    pub(super) const NEXT_HEADER: usize = 6;
    pub(super) const HOP_LIMIT: usize = 7;
    pub(super) const SOURCE: usize = 8;
    pub(super) const DESTINATION: usize = 24;
}

const LENGTH: usize = 40;

/// Takes the header and its extension headers, and drops what the packet does not reach.
///
/// An extension header that was not captured ends the chain: its number is then the packet's protocol.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<IpHeader, DecodeError> {
    let header = cursor.peek::<LENGTH>(Layer::Ipv6)?;
    if header[field::VERSION] >> 4 != 6 {
        return Err(cursor.error(Layer::Ipv6, DecodeErrorKind::Malformed));
    }
    // "The Payload Length field in the IPv6 header must be set to zero in every packet that carries the Jumbo Payload
    // option" (RFC 2675, 3), and segmentation offload leaves it zero as well.
    let payload_length = usize::from(be16(&header[field::PAYLOAD_LENGTH]));
    if payload_length != 0 {
        cursor.limit(LENGTH + payload_length);
    }
    let mut ip = IpHeader {
        source: address(header, field::SOURCE),
        destination: address(header, field::DESTINATION),
        protocol: header[field::NEXT_HEADER],
        ttl: header[field::HOP_LIMIT],
        identification: 0,
        length_bytes: cursor.wire_left(),
        fragment: false,
        later_fragment: false,
        more_fragments: false,
    };
    cursor.advance(LENGTH);
    ipv6_extension::skip_chain(cursor, &mut ip)?;
    Ok(ip)
}

#[inline]
fn address(header: &[u8; LENGTH], start: usize) -> Address {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&header[start..start + 16]);
    Address::v6(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const ADDRESSES: &str = "20010db8000000000000000000000001 20010db8000000000000000000000002";

    fn read_hex(start: &str, payload: &str, origlen: u32) -> Result<(IpHeader, usize, u32), DecodeError> {
        let bytes = hex(&format!("{start} {ADDRESSES} {payload}"));
        let mut cursor = Cursor::new(&bytes, origlen);
        let ip = read(&mut cursor)?;
        Ok((ip, cursor.rest().len(), cursor.wire_left()))
    }

    #[test]
    fn every_field_and_no_padding() {
        let (ip, captured, wire) = read_hex("60000000 0004 11 40", "0035 0035 ffff", 100).unwrap();
        assert_eq!((ip.source.to_string(), ip.destination.to_string()), ("2001:db8::1".into(), "2001:db8::2".into()));
        assert_eq!((ip.protocol, ip.ttl, ip.length_bytes), (17, 64, 44));
        assert_eq!((captured, wire), (4, 4));
    }

    #[test]
    fn length_zero_is_the_rest_of_the_wire_frame() {
        let (ip, _, wire) = read_hex("60000000 0000 00 40", "0600 c204 00013880 aabb", 80_048).unwrap();
        assert_eq!((ip.protocol, ip.length_bytes, wire), (6, 80_048, 80_000));
    }

    #[test]
    fn another_version_is_malformed() {
        let error = read_hex("45000000 0000 00 40", "", 40).unwrap_err();
        assert_eq!((error.layer, error.kind), (Layer::Ipv6, DecodeErrorKind::Malformed));
    }

    #[test]
    fn cut_at_every_length() {
        let bytes = hex(&format!("60000000 0004 11 40 {ADDRESSES}"));
        for length in 0..LENGTH {
            let error = read(&mut Cursor::new(&bytes[..length], 84)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Ipv6, DecodeErrorKind::Truncated, 0));
        }
    }
}
