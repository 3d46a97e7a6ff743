//! Encapsulated remote mirroring of HPE's switches: an Ethernet frame behind 12 bytes (as Wireshark documents it).
//!
//! Nothing in the header tells what it is: only a frame that could have been on a wire is believed.

use crate::cursor::{Cursor, be16, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

mod field {
    use std::ops::Range;
    pub(super) const TAG: Range<usize> = 8..12;
}

const LENGTH: usize = 12;

const ETHERNET_LENGTH: u32 = 14;
/// A shorter payload of Ethernet is padded to this (IEEE 802.3, 4A.2.3.2.4).
const MIN_ETHERNET_PAYLOAD: u32 = 46;
/// Of LLC, the shortest payload that is told by its length (IEEE 802.2, 3.2).
const MIN_LLC: u32 = 3;

/// Takes the header; nothing if no frame follows it.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    if cursor.wire_left() < LENGTH as u32 + ETHERNET_LENGTH {
        return Ok(None);
    }
    let header = cursor.take::<LENGTH>(Layer::Erm)?;
    if !is_frame(cursor) {
        return Ok(None);
    }
    // The VLAN's 12 bits stand above the bit that says whether the frame was tagged, and seven others.
    let vlan = (be32(&header[field::TAG]) >> 8 & 0x0fff) as u16;
    Ok(Some((Encapsulation::Erm { vlan }, Carried::Ethernet)))
}

/// Whether an Ethernet header stands here with a type that is in use, and behind it the packet that the type names, or
/// with the length of what follows.
fn is_frame(cursor: &Cursor<'_>) -> bool {
    let rest = cursor.rest();
    let Some(kind) = rest.get(12..14).map(be16) else { return false };
    // What was not captured says nothing against it.
    let first = rest.get(ETHERNET_LENGTH as usize).copied();
    match kind {
        ethertype::IPV4 => first.is_none_or(|first| (0x45..=0x4f).contains(&first)),
        ethertype::IPV6 => first.is_none_or(|first| first >> 4 == 6),
        length if length < ethertype::MIN => {
            let (length, left) = (u32::from(length), cursor.wire_left() - ETHERNET_LENGTH);
            length >= MIN_LLC && (length == left || (length < left && left <= MIN_ETHERNET_PAYLOAD))
        }
        other => ethertype::is_in_use(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    const HEADER: &str = "0000000000000000 00e06480";
    const MACS: &str = "001b44113ab7 001b44113ab8";

    fn vlan_of(frame: &str, padding: usize) -> Option<u16> {
        let bytes = [hex(&format!("{HEADER} {MACS} {frame}")), vec![0; padding]].concat();
        match read(&mut Cursor::new(&bytes, bytes.len() as u32)).expect("not cut")? {
            (Encapsulation::Erm { vlan }, Carried::Ethernet) => Some(vlan),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_vlan_is_kept_of_frames_in_use() {
        // IPv4 and IPv6, ARP, a tag, LLDP, and a length: exact, and with padding.
        for frame in ["0800 45", "0800 4f", "86dd 60", "0806 00", "8100 0005 0800", "88cc 02", "0003 424203"] {
            assert_eq!(vlan_of(frame, 0), Some(0x064), "{frame}");
        }
        assert_eq!(vlan_of("0026 424203", 43), Some(0x064));
        let bytes = hex(HEADER);
        assert_cut(&bytes, Layer::Erm, read);
    }

    #[test]
    fn what_is_no_frame_stays_a_datagram() {
        for frame in ["0800 65", "0800 44", "86dd 45", "0000 424203", "0002 4242", "0004 424203", "3132 333435"] {
            assert_eq!(vlan_of(frame, 0), None, "{frame}");
        }
        assert_eq!(vlan_of("0026 424203", 44), None);
        // No room for a frame, and no type captured.
        let bytes = hex(&format!("{HEADER} {MACS} 0800"));
        assert_eq!(read(&mut Cursor::new(&bytes, bytes.len() as u32)).map(|read| read.is_some()), Ok(true));
        assert_eq!(read(&mut Cursor::new(&bytes[..25], 25)), Ok(None));
        assert_eq!(read(&mut Cursor::new(&bytes[..25], 64)), Ok(None));
    }
}
