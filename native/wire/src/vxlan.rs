//! VXLAN (RFC 7348) and its generic protocol extension (draft-ietf-nvo3-vxlan-gpe-12).

use crate::cursor::{Cursor, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::nsh;

mod field {
    use std::ops::Range;
    pub(super) const FLAGS: usize = 0;
    pub(super) const NEXT_PROTOCOL: usize = 3;
    pub(super) const NETWORK_IDENTIFIER: Range<usize> = 4..8;
}

const LENGTH: usize = 8;

/// "The I flag MUST be set to 1 for a valid VXLAN Network ID (VNI)" (RFC 7348, 5).
const VALID_IDENTIFIER: u8 = 0x08;

/// "P Bit: … indicates that the Next Protocol field is present" (draft-ietf-nvo3-vxlan-gpe-12, 3.1).
const NEXT_PROTOCOL: u8 = 0x04;
const GPE_VERSION: u8 = 0x30;

/// Takes the header; nothing if this is no VXLAN after all: UDP on that port with a shorter payload, or without the I flag.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    Ok(read_flagged(cursor, VALID_IDENTIFIER)?.map(|(_, vni)| (Encapsulation::Vxlan { vni }, Carried::Ethernet)))
}

/// Takes a header of VXLAN-GPE, which may say what it carries; else that is an Ethernet frame.
pub(crate) fn read_gpe(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let Some((header, vni)) = read_flagged(cursor, VALID_IDENTIFIER | NEXT_PROTOCOL)? else { return Ok(None) };
    let flags = header[field::FLAGS];
    let carried =
        if flags & NEXT_PROTOCOL == 0 { Some(Carried::Ethernet) } else { nsh::next(header[field::NEXT_PROTOCOL]) };
    Ok(carried.filter(|_| flags & GPE_VERSION == 0).map(|carried| (Encapsulation::VxlanGpe { vni }, carried)))
}

/// Takes a header that has one of `flags` set; gives the network identifier with it.
#[inline]
fn read_flagged<'a>(cursor: &mut Cursor<'a>, flags: u8) -> Result<Option<(&'a [u8; LENGTH], u32)>, DecodeError> {
    let flagged = cursor.rest().first().is_none_or(|first| first & flags != 0);
    if !flagged || (cursor.wire_left() as usize) < LENGTH {
        return Ok(None);
    }
    let header = cursor.take::<LENGTH>(Layer::Vxlan)?;
    // The identifier's 24 bits stand above 8 reserved ones.
    Ok(Some((header, be32(&header[field::NETWORK_IDENTIFIER]) >> 8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;
    use crate::testing::hex;

    const HEADER: &str = "08000000 00006400";

    #[test]
    fn identifier() {
        let vxlan = (Encapsulation::Vxlan { vni: 100 }, Carried::Ethernet);
        assert_eq!(read(&mut Cursor::new(&hex(HEADER), 64)), Ok(Some(vxlan)));
    }

    #[test]
    fn gpe_says_what_it_carries() {
        let carried = |bytes: &str| read_gpe(&mut Cursor::new(&hex(bytes), 64)).unwrap();
        let gpe = |carried| Some((Encapsulation::VxlanGpe { vni: 100 }, carried));
        assert_eq!(carried("0c000004 00006400"), gpe(Carried::Payload(0x894f)));
        assert_eq!(carried("0c000003 00006400"), gpe(Carried::Ethernet));
        assert_eq!(carried("08000000 00006400"), gpe(Carried::Ethernet));
        assert_eq!(carried("0c000009 00006400"), None);
        assert_eq!(carried("1c000003 00006400"), None);
        assert_eq!(carried("00000003 00006400"), None);
    }

    #[test]
    fn other_udp_on_the_port_is_not_taken() {
        let bytes = hex("00000000 00006400");
        let mut cursor = Cursor::new(&bytes, 64);
        assert_eq!((read(&mut cursor), cursor.rest().len()), (Ok(None), 8));
        assert_eq!(read(&mut Cursor::new(&hex(HEADER)[..7], 7)), Ok(None));
    }

    #[test]
    fn cut_at_every_length() {
        for length in 0..LENGTH {
            let error = read(&mut Cursor::new(&hex(HEADER)[..length], 64)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Vxlan, DecodeErrorKind::Truncated, 0));
        }
    }
}
