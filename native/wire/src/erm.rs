//! Encapsulated remote mirroring of HPE's switches: an Ethernet frame behind 12 bytes (as Wireshark documents it).

use crate::cursor::{Cursor, be16, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

mod field {
    use std::ops::Range;
    pub(super) const TAG: Range<usize> = 8..12;
    pub(super) const FRAME_TYPE: Range<usize> = 12..14;
}

const LENGTH: usize = 12;

/// Takes the header; nothing if no frame with a common type or a length follows: the header itself tells nothing.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let mut inside = *cursor;
    let header = inside.take::<LENGTH>(Layer::Erm)?;
    let is_frame = |field: u16| ethertype::is_common(field) || u32::from(field) < inside.wire_left();
    if !inside.rest().get(field::FRAME_TYPE).map(be16).is_some_and(is_frame) {
        return Ok(None);
    }
    *cursor = inside;
    // The VLAN's 12 bits stand above the bit that says whether the frame was tagged, and seven others.
    let vlan = (be32(&header[field::TAG]) >> 8 & 0x0fff) as u16;
    Ok(Some((Encapsulation::Erm { vlan }, Carried::Ethernet)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn the_vlan_is_kept() {
        let bytes = hex("0000000000000000 00e06480 001b44113ab7 001b44113ab8 0806");
        let mut cursor = Cursor::new(&bytes, 64);
        assert_eq!(read(&mut cursor), Ok(Some((Encapsulation::Erm { vlan: 0x064 }, Carried::Ethernet))));
        assert_eq!(cursor.rest().len(), 14);
        assert_cut(&bytes[..LENGTH], Layer::Erm, read);
    }

    #[test]
    fn other_udp_on_the_port_is_none() {
        let bytes = hex("0000000000000000 00e06480 001b44113ab7 001b44113ab8 7777");
        assert_eq!(read(&mut Cursor::new(&bytes, 64)), Ok(None));
    }
}
