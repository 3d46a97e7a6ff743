//! TCP (RFC 9293).

use crate::cursor::{Cursor, be16, be32};
use crate::packet::{TcpFlags, Transport};

mod field {
    use std::ops::Range;
    pub(super) const SOURCE_PORT: Range<usize> = 0..2;
    pub(super) const DESTINATION_PORT: Range<usize> = 2..4;
    pub(super) const SEQUENCE: Range<usize> = 4..8;
    pub(super) const ACKNOWLEDGEMENT: Range<usize> = 8..12;
    pub(super) const DATA_OFFSET: usize = 12;
    pub(super) const FLAGS: usize = 13;
}

const MIN_LENGTH: usize = 20;

/// Takes the header: what was not captured of it reads as zero, without the ports it is `Transport::None`.
///
/// A data offset below the header's own length says that nothing behind it is known to be payload.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Transport {
    let Some(header) = cursor.peek_padded::<MIN_LENGTH>(field::DESTINATION_PORT.end) else {
        cursor.close();
        return Transport::None;
    };
    // "The number of 32-bit words in the TCP header" (RFC 9293, 3.1, DOffset).
    let header_length = usize::from(header[field::DATA_OFFSET] >> 4) * 4;
    if header_length < MIN_LENGTH {
        cursor.close();
    } else {
        cursor.advance(header_length);
    }
    Transport::Tcp {
        source_port: be16(&header[field::SOURCE_PORT]),
        destination_port: be16(&header[field::DESTINATION_PORT]),
        sequence: be32(&header[field::SEQUENCE]),
        acknowledgement: be32(&header[field::ACKNOWLEDGEMENT]),
        flags: TcpFlags(header[field::FLAGS]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const HEADER: &str = "01bb d431 00000001 00000002 6012 ffff 0000 0000 020405b4";

    fn read_hex(bytes: &[u8], wire: u32) -> (Transport, usize, u32) {
        let mut cursor = Cursor::new(bytes, wire);
        (read(&mut cursor), cursor.rest().len(), cursor.wire_left())
    }

    fn tcp(sequence: u32, acknowledgement: u32, flags: u8) -> Transport {
        let flags = TcpFlags(flags);
        Transport::Tcp { source_port: 443, destination_port: 54321, sequence, acknowledgement, flags }
    }

    #[test]
    fn every_field_and_the_options_passed() {
        assert_eq!(read_hex(&hex(&format!("{HEADER} aabb")), 26), (tcp(1, 2, 0x12), 2, 2));
    }

    #[test]
    fn a_cut_header_gives_what_was_captured() {
        let bytes = hex(HEADER);
        for length in 0..4 {
            assert_eq!(read_hex(&bytes[..length], 100), (Transport::None, 0, 0));
        }
        assert_eq!(read_hex(&bytes[..4], 100), (tcp(0, 0, 0), 0, 0));
        assert_eq!(read_hex(&bytes[..8], 100), (tcp(1, 0, 0), 0, 0));
        assert_eq!(read_hex(&bytes[..12], 100), (tcp(1, 2, 0), 0, 0));
        // From the data offset on, the length of the payload on the wire is known.
        assert_eq!(read_hex(&bytes[..14], 100), (tcp(1, 2, 0x12), 0, 76));
    }

    #[test]
    fn a_data_offset_that_cannot_be_leaves_the_ports() {
        assert_eq!(read_hex(&hex("01bb d431 00000001 00000002 4012 ffff 0000 0000 aabb"), 22), (tcp(1, 2, 0x12), 0, 0));
        assert_eq!(read_hex(&hex("01bb d431 00000001 00000002 f012 ffff 0000 0000 aabb"), 22), (tcp(1, 2, 0x12), 0, 0));
    }
}
