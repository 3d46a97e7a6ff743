//! Encapsulated remote mirroring of HPE's switches: an Ethernet frame behind 12 bytes (as Wireshark documents it).

use crate::cursor::{Cursor, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};

mod field {
    use std::ops::Range;
    pub(super) const TAG: Range<usize> = 8..12;
}

const LENGTH: usize = 12;
/// The smallest frame behind it: an Ethernet header.
const MIN_FRAME: u32 = 14;

/// Takes the header; nothing if the datagram is too short for one and a frame.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    if cursor.wire_left() < LENGTH as u32 + MIN_FRAME {
        return Ok(None);
    }
    let header = cursor.take::<LENGTH>(Layer::Erm)?;
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
        let bytes = hex("0000000000000000 00e06480");
        assert_eq!(
            read(&mut Cursor::new(&bytes, 64)),
            Ok(Some((Encapsulation::Erm { vlan: 0x064 }, Carried::Ethernet)))
        );
        assert_eq!(read(&mut Cursor::new(&bytes, 25)), Ok(None));
        assert_cut(&bytes, Layer::Erm, read);
    }
}
