//! CAPWAP data channel (RFC 5415, 4.3): frames between access points and their controller.

use crate::cursor::{Cursor, be16};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::wlan;

mod field {
    use std::ops::Range;
    pub(super) const PREAMBLE: usize = 0;
    pub(super) const LENGTH_AND_IDS: Range<usize> = 1..3;
    pub(super) const FLAGS: usize = 3;
    pub(super) const FRAGMENT_OFFSET: Range<usize> = 6..8;
}

const MIN_LENGTH: usize = 8;

/// "HLEN: A 5-bit field containing the length of the CAPWAP transport header in 4-byte words", radio id (5 bits), wireless
/// binding (5 bits), and "T: … When this bit is set to one (1), the payload has the native frame format indicated by the
/// WBID field. When this bit is zero (0), the payload is an IEEE 802.3 frame".
const HEADER_LENGTH_SHIFT: u32 = 11;
const RADIO_SHIFT: u32 = 6;
const BINDING_SHIFT: u32 = 1;
const FIVE_BITS: u16 = 0x1f;
const NATIVE: u16 = 0x0001;
const BINDING_WLAN: u16 = 1;
const FRAGMENT: u8 = 0x80;
const KEEP_ALIVE: u8 = 0x08;

/// Takes the header; nothing for DTLS, keep-alives, fragments behind the first and what is no CAPWAP.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let start = *cursor;
    let header = cursor.peek::<MIN_LENGTH>(Layer::Capwap)?;
    let ids = be16(&header[field::LENGTH_AND_IDS]);
    let length = usize::from(ids >> HEADER_LENGTH_SHIFT) * 4;
    let flags = header[field::FLAGS];
    let later_fragment = flags & FRAGMENT != 0 && be16(&header[field::FRAGMENT_OFFSET]) >> 3 != 0;
    if header[field::PREAMBLE] != 0 || length < MIN_LENGTH || flags & KEEP_ALIVE != 0 || later_fragment {
        return Ok(None);
    }
    cursor.take_slice(length, Layer::Capwap).map_err(|_| start.error(Layer::Capwap, DecodeErrorKind::Truncated))?;
    let radio = (ids >> RADIO_SHIFT & FIVE_BITS) as u8;
    let carried = match (ids & NATIVE, ids >> BINDING_SHIFT & FIVE_BITS) {
        (0, _) => Carried::Ethernet,
        (_, BINDING_WLAN) => Carried::Frame(wlan::read(cursor)),
        _ => return Ok(None),
    };
    Ok(Some((Encapsulation::Capwap { radio }, carried)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ethertype;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn either_payload() {
        let radio = Encapsulation::Capwap { radio: 1 };
        let bytes = hex("00 1042 00 0000 0000 ff");
        let mut cursor = Cursor::new(&bytes, 64);
        assert_eq!(read(&mut cursor), Ok(Some((radio, Carried::Ethernet))));
        assert_eq!(cursor.rest(), [0xff]);

        let mut bytes = hex("00 2043 10 0000 0000 0011223344556677 0801");
        assert_cut(&bytes[..16], Layer::Capwap, read);
        bytes.resize(16 + 24, 0);
        bytes.extend(hex("aaaa03 000000 0800"));
        assert_eq!(read(&mut Cursor::new(&bytes, 64)), Ok(Some((radio, Carried::Frame(ethertype::IPV4)))));
    }

    #[test]
    fn what_carries_no_frame_is_none() {
        for bytes in ["01 000000 16fefd00", "00 1042 08 0000 0000", "00 1042 80 0001 0010", "00 0842 00 0000 0000"] {
            assert_eq!(read(&mut Cursor::new(&hex(bytes), 64)), Ok(None), "{bytes}");
        }
    }
}
