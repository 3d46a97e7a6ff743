//! GRE (RFC 2784, with key and sequence number of RFC 2890, routing of RFC 1701; version 1 of RFC 2637).

use crate::cursor::{Cursor, be16, be32};
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::ethertype;

mod field {
    use std::ops::Range;
    pub(super) const FLAGS: Range<usize> = 0..2;
    pub(super) const PROTOCOL: Range<usize> = 2..4;
    pub(super) const PAYLOAD_LENGTH: Range<usize> = 4..6;
    pub(super) const CALL_ID: Range<usize> = 6..8;
    pub(super) const VERSION_1_SEQUENCE: Range<usize> = 8..12;
    pub(super) const ENTRY_FAMILY: Range<usize> = 0..2;
    pub(super) const ENTRY_LENGTH: usize = 3;
}

const MIN_LENGTH: usize = 4;
const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
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
    /// Call id, in version 1.
    pub(crate) call: Option<u16>,
}

/// Takes a header; `None` and nothing taken where nothing follows it: an acknowledgement of version 1, an unknown version.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Option<Header>, DecodeError> {
    let fixed = cursor.peek::<MIN_LENGTH>(Layer::Gre)?;
    let flags = be16(&fixed[field::FLAGS]);
    let protocol = be16(&fixed[field::PROTOCOL]);
    match flags & VERSION {
        0 => read_version_0(cursor, flags, protocol).map(Some),
        1 if protocol == ethertype::PPP => read_version_1(cursor, flags),
        _ => Ok(None),
    }
}

fn read_version_0(cursor: &mut Cursor<'_>, flags: u16, protocol: u16) -> Result<Header, DecodeError> {
    let start = *cursor;
    // "If either the Checksum Present bit or the Routing Present bit are set, BOTH the Checksum and Offset fields are
    // present in the GRE packet" (RFC 1701).
    let key_at = MIN_LENGTH + if flags & (CHECKSUM | ROUTING) != 0 { 4 } else { 0 };
    let sequence_at = key_at + if flags & KEY != 0 { 4 } else { 0 };
    let end = sequence_at + if flags & SEQUENCE != 0 { 4 } else { 0 };
    let header = cursor.take_slice(end, Layer::Gre)?;
    if flags & ROUTING != 0 {
        skip_routing(cursor).map_err(|_| start.error(Layer::Gre, DecodeErrorKind::Truncated))?;
    }
    Ok(Header {
        protocol,
        key: (flags & KEY != 0).then(|| be32(&header[key_at..])),
        sequence: (flags & SEQUENCE != 0).then(|| be32(&header[sequence_at..])),
        call: None,
    })
}

/// "The Routing field is a list of Source Route Entries … terminated with a 'NULL' SRE containing an address family of type
/// 0x0000 and a length of 0" (RFC 1701).
fn skip_routing(cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
    loop {
        let entry = cursor.take::<4>(Layer::Gre)?;
        let length = usize::from(entry[field::ENTRY_LENGTH]);
        if be16(&entry[field::ENTRY_FAMILY]) == 0 && length == 0 {
            return Ok(());
        }
        cursor.take_slice(length, Layer::Gre)?;
    }
}

/// PPTP's: in place of the key stand the length of the payload and the call id.
fn read_version_1(cursor: &mut Cursor<'_>, flags: u16) -> Result<Option<Header>, DecodeError> {
    if flags & SEQUENCE == 0 {
        return Ok(None); // "S … Set to 1 if a payload (data) packet is present" (RFC 2637, 4.1)
    }
    let end = 12 + if flags & ACKNOWLEDGEMENT != 0 { 4 } else { 0 };
    let header = cursor.take_slice(end, Layer::Gre)?;
    cursor.limit(usize::from(be16(&header[field::PAYLOAD_LENGTH])).min(cursor.wire_left() as usize));
    Ok(Some(Header {
        protocol: ethertype::PPP,
        key: None,
        sequence: Some(be32(&header[field::VERSION_1_SEQUENCE])),
        call: Some(be16(&header[field::CALL_ID])),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn read_hex(bytes: &str) -> Result<(Option<Header>, usize), DecodeErrorKind> {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, 100);
        let header = read(&mut cursor).map_err(|error| error.kind)?;
        Ok((header, cursor.rest().len()))
    }

    #[test]
    fn every_flag() {
        let header = |key, sequence| Some(Header { protocol: 0x0800, key, sequence, call: None });
        assert_eq!(read_hex("0000 0800 45"), Ok((header(None, None), 1)));
        assert_eq!(read_hex("8000 0800 12340000 45"), Ok((header(None, None), 1)));
        assert_eq!(read_hex("2000 0800 00000007 45"), Ok((header(Some(7), None), 1)));
        assert_eq!(read_hex("1000 0800 00000009 45"), Ok((header(None, Some(9)), 1)));
        assert_eq!(read_hex("b000 0800 12340000 00000007 00000009 45"), Ok((header(Some(7), Some(9)), 1)));
        assert_eq!(read_hex("4000 0800 00000000 0800 0002 0a0b 0000 0000 45"), Ok((header(None, None), 1)));
        assert_eq!(read_hex("4000 0800 00000000 0800 0002 0a0b"), Err(DecodeErrorKind::Truncated));
    }

    #[test]
    fn version_1_carries_ppp_in_packets_that_have_a_sequence_number() {
        let header = |sequence| Some(Header { protocol: 0x880b, key: None, sequence: Some(sequence), call: Some(7) });
        assert_eq!(read_hex("3001 880b 0001 0007 00000009 45 ff"), Ok((header(9), 1)));
        assert_eq!(read_hex("3081 880b 0002 0007 00000009 00000001 45 ff"), Ok((header(9), 2)));
        assert_eq!(read_hex("2081 880b 0000 0007 00000001"), Ok((None, 12)));
        assert_eq!(read_hex("0001 0800 45"), Ok((None, 5)));
    }

    #[test]
    fn cut_at_every_length() {
        let bytes = hex("b000 0800 12340000 00000007 00000009");
        for length in 0..bytes.len() {
            let error = read(&mut Cursor::new(&bytes[..length], 100)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Gre, DecodeErrorKind::Truncated, 0));
        }
    }
}
