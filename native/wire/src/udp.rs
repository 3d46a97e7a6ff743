//! UDP (RFC 768) and UDP-Lite (RFC 3828).

use crate::cursor::{Cursor, be16};
use crate::packet::Transport;

mod field {
    use std::ops::Range;
    pub(super) const SOURCE_PORT: Range<usize> = 0..2;
    pub(super) const DESTINATION_PORT: Range<usize> = 2..4;
    pub(super) const LENGTH: Range<usize> = 4..6;
}

const LENGTH: usize = 8;

/// Takes a UDP header, and drops what the datagram does not reach; without the ports it is `Transport::None`.
///
/// A length that cannot be, as in fragments and segmentation offload, is passed over: the IP packet bounds the payload.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Transport {
    let Some(header) = cursor.peek_padded::<LENGTH>(field::DESTINATION_PORT.end) else {
        cursor.close();
        return Transport::None;
    };
    // "Length is the length in octets of this user datagram including this header and the data" (RFC 768).
    let length = be16(&header[field::LENGTH]);
    if usize::from(length) >= LENGTH && u32::from(length) < cursor.wire_left() {
        cursor.limit(usize::from(length));
    }
    cursor.advance(LENGTH);
    transport(&header)
}

/// Takes a UDP-Lite header, where the checksum's coverage stands in place of a length (RFC 3828, 3.1).
pub(crate) fn read_lite(cursor: &mut Cursor<'_>) -> Transport {
    let Some(header) = cursor.peek_padded::<LENGTH>(field::DESTINATION_PORT.end) else {
        cursor.close();
        return Transport::None;
    };
    cursor.advance(LENGTH);
    transport(&header)
}

#[inline]
fn transport(header: &[u8; LENGTH]) -> Transport {
    Transport::Udp {
        source_port: be16(&header[field::SOURCE_PORT]),
        destination_port: be16(&header[field::DESTINATION_PORT]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const DNS: Transport = Transport::Udp { source_port: 53, destination_port: 1024 };

    fn read_hex(bytes: &str, wire: u32) -> (Transport, usize, u32) {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, wire);
        (read(&mut cursor), cursor.rest().len(), cursor.wire_left())
    }

    #[test]
    fn ports_and_payload() {
        assert_eq!(read_hex("0035 0400 000a 0000 aabb", 10), (DNS, 2, 2));
    }

    #[test]
    fn the_datagram_may_end_before_the_packet() {
        assert_eq!(read_hex("0035 0400 0009 0000 aabb", 10), (DNS, 1, 1));
    }

    #[test]
    fn a_length_that_cannot_be_is_passed_over() {
        assert_eq!(read_hex("0035 0400 0000 0000 aabb", 70_000), (DNS, 2, 69_992));
        assert_eq!(read_hex("0035 0400 ffff 0000 aabb", 10), (DNS, 2, 2));
    }

    #[test]
    fn a_cut_header_gives_the_ports_or_nothing() {
        assert_eq!(read_hex("0035 0400", 100), (DNS, 0, 92));
        assert_eq!(read_hex("0035 04", 100), (Transport::None, 0, 0));
    }

    #[test]
    fn the_coverage_of_udp_lite_is_no_length() {
        let bytes = hex("0035 0400 0008 0000 aabb");
        let mut cursor = Cursor::new(&bytes, 10);
        assert_eq!((read_lite(&mut cursor), cursor.rest().len()), (DNS, 2));
    }
}
