//! IPv4 (RFC 791).

use crate::address::Address;
use crate::cursor::{Cursor, be16};
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::packet::IpHeader;
use crate::{ipv6_extension, protocol};

mod field {
    use std::ops::Range;
    pub(super) const VERSION_AND_HEADER_LENGTH: usize = 0;
    pub(super) const TOTAL_LENGTH: Range<usize> = 2..4;
    pub(super) const IDENTIFICATION: Range<usize> = 4..6;
    pub(super) const FLAGS_AND_FRAGMENT_OFFSET: Range<usize> = 6..8;
    pub(super) const TIME_TO_LIVE: usize = 8;
    pub(super) const PROTOCOL: usize = 9;
    pub(super) const SOURCE: Range<usize> = 12..16;
    pub(super) const DESTINATION: Range<usize> = 16..20;
}

/// "Note that the minimum value for a correct header is 5" words (RFC 791, 3.1, IHL).
const MIN_LENGTH: usize = 20;

/// "Bit 2: (MF) 0 = Last Fragment, 1 = More Fragments" (RFC 791, 3.1, Flags).
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Takes the header with its options and an authentication header behind it, and drops what the packet does not reach.
///
/// Options may be cut: nothing in them is needed.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<IpHeader, DecodeError> {
    let header = cursor.peek::<MIN_LENGTH>(Layer::Ipv4)?;
    let first = header[field::VERSION_AND_HEADER_LENGTH];
    let header_length = usize::from(first & 0x0f) * 4;
    let total_length = usize::from(be16(&header[field::TOTAL_LENGTH]));
    if first >> 4 != 4 || header_length < MIN_LENGTH || (total_length < header_length && total_length != 0) {
        return Err(cursor.error(Layer::Ipv4, DecodeErrorKind::Malformed));
    }
    // Segmentation offload hands frames beyond 64 KiB to the capture, and leaves their length 0.
    if total_length != 0 {
        cursor.limit(total_length);
    }
    let fragment = be16(&header[field::FLAGS_AND_FRAGMENT_OFFSET]);
    let mut ip = IpHeader {
        source: address(&header[field::SOURCE]),
        destination: address(&header[field::DESTINATION]),
        protocol: header[field::PROTOCOL],
        ttl: header[field::TIME_TO_LIVE],
        identification: u32::from(be16(&header[field::IDENTIFICATION])),
        length_bytes: cursor.wire_left(),
        fragment: fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0,
        later_fragment: fragment & FRAGMENT_OFFSET != 0,
        more_fragments: fragment & MORE_FRAGMENTS != 0,
    };
    cursor.advance(header_length);
    if ip.protocol == protocol::AH && !ip.later_fragment {
        ipv6_extension::skip_authentication(cursor, &mut ip);
    }
    Ok(ip)
}

#[inline]
fn address(field: &[u8]) -> Address {
    Address::v4([field[0], field[1], field[2], field[3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const HEADER: &str = "45000054 9f430000 ff01062a 0a3480e9 0a3480ea";

    fn read_hex(bytes: &str, origlen: u32) -> Result<(IpHeader, usize, u32), DecodeErrorKind> {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, origlen);
        let ip = read(&mut cursor).map_err(|error| error.kind)?;
        Ok((ip, cursor.rest().len(), cursor.wire_left()))
    }

    #[test]
    fn every_field() {
        let (ip, _, wire_left) = read_hex(HEADER, 84).unwrap();
        assert_eq!(
            (ip.source.to_string(), ip.destination.to_string()),
            ("10.52.128.233".into(), "10.52.128.234".into())
        );
        assert_eq!((ip.protocol, ip.ttl, ip.identification, ip.length_bytes), (1, 255, 0x9f43, 84));
        assert!(!ip.fragment && !ip.later_fragment);
        assert_eq!(wire_left, 64);
    }

    #[test]
    fn padding_is_not_payload() {
        let (ip, captured, wire) =
            read_hex("45000016 00000000 40060000 01020304 05060708 aabb 0000000000", 100).unwrap();
        assert_eq!((ip.length_bytes, captured, wire), (22, 2, 2));
    }

    #[test]
    fn length_zero_is_the_rest_of_the_wire_frame() {
        let (ip, captured, wire) = read_hex("45000000 00000000 40060000 01020304 05060708 aabb", 70_000).unwrap();
        assert_eq!((ip.length_bytes, captured, wire), (70_000, 2, 69_980));
    }

    #[test]
    fn a_length_beyond_the_frame_is_believed() {
        let (ip, captured, wire) = read_hex("450005dc 00000000 40060000 01020304 05060708 aabb", 22).unwrap();
        assert_eq!((ip.length_bytes, captured, wire), (1500, 2, 1480));
    }

    #[test]
    fn options_may_be_cut() {
        let (ip, captured, wire) = read_hex("4f000054 00000000 40060000 01020304 05060708 0101", 98).unwrap();
        assert_eq!((ip.protocol, captured, wire), (6, 0, 24));
    }

    #[test]
    fn contradictions_are_malformed() {
        for start in ["65000054", "44000054", "46000014", "45000013"] {
            let bytes = format!("{start} 00000000 40060000 01020304 05060708 aabb");
            assert_eq!(read_hex(&bytes, 98).map(|_| ()), Err(DecodeErrorKind::Malformed), "{start}");
        }
    }

    #[test]
    fn fragments() {
        let of = |flags: &str| {
            let bytes = format!("45000054 0001{flags} 40110000 01020304 05060708");
            read_hex(&bytes, 84).map(|(ip, ..)| (ip.fragment, ip.later_fragment, ip.more_fragments)).unwrap()
        };
        assert_eq!(of("4000"), (false, false, false)); // don't fragment
        assert_eq!(of("2000"), (true, false, true));
        assert_eq!(of("2001"), (true, true, true));
        assert_eq!(of("0001"), (true, true, false));
    }

    #[test]
    fn an_authentication_header_is_passed() {
        let bytes =
            "45000034 00000000 40330000 01020304 05060708 0604 0000 00000001 00000002 aabbccddeeff00112233 4455 0050";
        let (ip, captured, _) = read_hex(bytes, 52).unwrap();
        assert_eq!((ip.protocol, captured), (6, 2));
    }

    #[test]
    fn cut_at_every_length() {
        let bytes = hex(HEADER);
        for length in 0..MIN_LENGTH {
            let error = read(&mut Cursor::new(&bytes[..length], 84)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Ipv4, DecodeErrorKind::Truncated, 0));
        }
    }
}
