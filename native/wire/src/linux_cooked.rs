//! Linux "cooked" capture headers, what a capture on the device `any` has (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).

use crate::cursor::{Cursor, be16};
use crate::error::{DecodeError, Layer};
use crate::{ethertype, llc};

mod field {
    use std::ops::Range;
    pub(super) const V1_PROTOCOL: Range<usize> = 14..16;
    pub(super) const V2_PROTOCOL: Range<usize> = 0..2;
}

/// "0x0004, if the frame begins with an 802.2 LLC header" (LINKTYPE_LINUX_SLL2, protocol type).
const LLC: u16 = 4;

/// Takes a version 1 header; gives the EtherType of the payload.
pub(crate) fn read_v1(cursor: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let header = cursor.take::<16>(Layer::Link)?;
    Ok(payload_type(cursor, be16(&header[field::V1_PROTOCOL])))
}

/// Takes a version 2 header; gives the EtherType of the payload.
pub(crate) fn read_v2(cursor: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let header = cursor.take::<20>(Layer::Link)?;
    Ok(payload_type(cursor, be16(&header[field::V2_PROTOCOL])))
}

fn payload_type(cursor: &mut Cursor<'_>, protocol: u16) -> u16 {
    match protocol {
        LLC => llc::read(cursor),
        ..ethertype::MIN => ethertype::NONE,
        _ => protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const V1: &str = "0000 0001 0006 001b44113ab70000 0800";
    const V2: &str = "86dd 0000 00000002 0001 04 06 001b44113ab70000";

    #[test]
    fn protocol_of_either_version() {
        assert_eq!(read_v1(&mut Cursor::new(&hex(V1), 16)), Ok(ethertype::IPV4));
        assert_eq!(read_v2(&mut Cursor::new(&hex(V2), 20)), Ok(ethertype::IPV6));
    }

    #[test]
    fn llc_is_looked_into_and_other_small_numbers_are_not() {
        let llc = hex("0000 0001 0006 001b44113ab70000 0004 aaaa03 000000 0800");
        assert_eq!(read_v1(&mut Cursor::new(&llc, 24)), Ok(ethertype::IPV4));
        let can = hex("0000 0118 0000 0000000000000000 000c");
        assert_eq!(read_v1(&mut Cursor::new(&can, 16)), Ok(ethertype::NONE));
    }

    #[test]
    fn cut_at_every_length() {
        for length in 0..16 {
            assert_eq!(read_v1(&mut Cursor::new(&hex(V1)[..length], 16)).unwrap_err().layer, Layer::Link);
        }
        for length in 0..20 {
            assert_eq!(read_v2(&mut Cursor::new(&hex(V2)[..length], 20)).unwrap_err().layer, Layer::Link);
        }
    }
}
