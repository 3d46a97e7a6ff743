//! GRE (RFC 2784, with key and sequence number of RFC 2890).

use crate::cursor::{Cursor, be16, be32};
use crate::error::{DecodeError, DecodeErrorKind, Layer};

mod field {
    use std::ops::Range;
    pub(super) const FLAGS: Range<usize> = 0..2;
    pub(super) const PROTOCOL: Range<usize> = 2..4;
}

const MIN_LENGTH: usize = 4;
const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const VERSION: u16 = 0x0007;

/// What of the header is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// EtherType of the payload, or a number of its kind.
    pub(crate) protocol: u16,
    /// Key, if present.
    pub(crate) key: Option<u32>,
    /// Sequence number, if present.
    pub(crate) sequence: Option<u32>,
}

/// Takes a header of version 0 whose payload `follows`; `None` and nothing taken where it does not, as for the empty
/// keepalives of routers (protocol 0) and for version 1, which is PPTP's (RFC 2637).
pub(crate) fn read(cursor: &mut Cursor<'_>, follows: fn(u16) -> bool) -> Result<Option<Header>, DecodeError> {
    let fixed = cursor.peek::<MIN_LENGTH>(Layer::Gre)?;
    let flags = be16(&fixed[field::FLAGS]);
    let protocol = be16(&fixed[field::PROTOCOL]);
    if flags & VERSION != 0 || !follows(protocol) {
        return Ok(None);
    }
    // "If either the Checksum Present bit or the Routing Present bit are set, BOTH the Checksum and Offset fields are
    // present in the GRE packet" (RFC 1701), and RFC 2784 withdrew the routing that would follow.
    if flags & ROUTING != 0 {
        return Err(cursor.error(Layer::Gre, DecodeErrorKind::Unsupported));
    }
    let key_at = MIN_LENGTH + if flags & CHECKSUM != 0 { 4 } else { 0 };
    let sequence_at = key_at + if flags & KEY != 0 { 4 } else { 0 };
    let end = sequence_at + if flags & SEQUENCE != 0 { 4 } else { 0 };
    let header = cursor.take_slice(end, Layer::Gre)?;
    Ok(Some(Header {
        protocol,
        key: (flags & KEY != 0).then(|| be32(&header[key_at..])),
        sequence: (flags & SEQUENCE != 0).then(|| be32(&header[sequence_at..])),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn read_hex(bytes: &str) -> Result<(Option<Header>, usize), DecodeErrorKind> {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, 100);
        let header = read(&mut cursor, |protocol| protocol == 0x0800).map_err(|error| error.kind)?;
        Ok((header, cursor.rest().len()))
    }

    #[test]
    fn every_flag() {
        let header = |key, sequence| Some(Header { protocol: 0x0800, key, sequence });
        assert_eq!(read_hex("0000 0800 45"), Ok((header(None, None), 1)));
        assert_eq!(read_hex("8000 0800 12340000 45"), Ok((header(None, None), 1)));
        assert_eq!(read_hex("2000 0800 00000007 45"), Ok((header(Some(7), None), 1)));
        assert_eq!(read_hex("1000 0800 00000009 45"), Ok((header(None, Some(9)), 1)));
        assert_eq!(read_hex("b000 0800 12340000 00000007 00000009 45"), Ok((header(Some(7), Some(9)), 1)));
        assert_eq!(read_hex("4000 0800 00000000 45"), Err(DecodeErrorKind::Unsupported));
    }

    #[test]
    fn what_is_not_followed_is_not_taken() {
        assert_eq!(read_hex("0000 0000"), Ok((None, 4))); // keepalive
        assert_eq!(read_hex("3001 880b 00100001"), Ok((None, 8))); // PPTP
        assert_eq!(read_hex("0001 0800 45"), Ok((None, 5)));
    }

    #[test]
    fn cut_at_every_length() {
        let bytes = hex("b000 0800 12340000 00000007 00000009");
        for length in 0..bytes.len() {
            let error = read(&mut Cursor::new(&bytes[..length], 100), |_| true).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Gre, DecodeErrorKind::Truncated, 0));
        }
    }
}
