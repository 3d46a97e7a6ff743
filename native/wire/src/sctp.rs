//! SCTP (RFC 9260): the common header.

use crate::cursor::{Cursor, be16};
use crate::packet::Transport;

mod field {
    use std::ops::Range;
    pub(super) const SOURCE_PORT: Range<usize> = 0..2;
    pub(super) const DESTINATION_PORT: Range<usize> = 2..4;
}

/// Ports, verification tag and checksum (RFC 9260, 3.1).
const LENGTH: usize = 12;

/// Takes the common header; without the ports it is `Transport::None`.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Transport {
    let Some(header) = cursor.peek_padded::<LENGTH>(field::DESTINATION_PORT.end) else {
        cursor.close();
        return Transport::None;
    };
    cursor.advance(LENGTH);
    Transport::Sctp {
        source_port: be16(&header[field::SOURCE_PORT]),
        destination_port: be16(&header[field::DESTINATION_PORT]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn ports_and_chunks() {
        let bytes = hex("0007 0008 00000001 00000002 0300 0010");
        let mut cursor = Cursor::new(&bytes, 28);
        assert_eq!(read(&mut cursor), Transport::Sctp { source_port: 7, destination_port: 8 });
        assert_eq!((cursor.rest().len(), cursor.wire_left()), (4, 16));
    }

    #[test]
    fn a_cut_header_gives_the_ports_or_nothing() {
        let ports = Transport::Sctp { source_port: 7, destination_port: 8 };
        assert_eq!(read(&mut Cursor::new(&hex("0007 0008 00"), 28)), ports);
        assert_eq!(read(&mut Cursor::new(&hex("0007 00"), 28)), Transport::None);
    }
}
