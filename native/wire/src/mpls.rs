//! MPLS label stacks (RFC 3032) and the Ethernet pseudowires that they carry (RFC 4448).

use crate::cursor::{Cursor, be16, be32};
use crate::decode::Carried;
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

/// "Label Value, 20 bits", "Exp, 3 bits", "S: Bottom of Stack, 1 bit", "Time to Live, 8 bits" (RFC 3032, 2.1).
const LABEL_SHIFT: u32 = 12;
const BOTTOM: u32 = 0x100;

/// The control word of a pseudowire, "0000" and 12 reserved bits above a sequence number (RFC 4448, 4.6).
const CONTROL_WORD_LENGTH: usize = 4;

/// Takes one entry of the stack; gives also whether it is the last.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<(Encapsulation, bool), DecodeError> {
    let entry = be32(cursor.take::<4>(Layer::Mpls)?);
    Ok((Encapsulation::Mpls { label: entry >> LABEL_SHIFT }, entry & BOTTOM != 0))
}

/// What stands behind the last label, which nothing names: IP by its version, an Ethernet frame by its type field.
///
/// Takes the control word, if there is one.
pub(crate) fn payload(cursor: &mut Cursor<'_>) -> Carried {
    match cursor.rest().first().map(|first| first >> 4) {
        Some(4) if !ethernet_at(cursor, 0) || is_ipv4(cursor) => Carried::Payload(ethertype::IPV4),
        Some(6) if !ethernet_at(cursor, 0) => Carried::Payload(ethertype::IPV6),
        Some(0) if cursor.rest().starts_with(&[0, 0]) && ethernet_at(cursor, CONTROL_WORD_LENGTH) => {
            cursor.advance(CONTROL_WORD_LENGTH);
            Carried::Ethernet
        }
        Some(_) if ethernet_at(cursor, 0) => Carried::Ethernet,
        _ => Carried::Payload(ethertype::NONE),
    }
}

/// Whether the header says the length that the packet has.
fn is_ipv4(cursor: &Cursor<'_>) -> bool {
    cursor.rest().get(2..4).is_some_and(|length| u32::from(be16(length)) == cursor.wire_left())
}

/// Whether a type field that is known, or the length of what follows, stands where an Ethernet header would have it.
fn ethernet_at(cursor: &Cursor<'_>, start: usize) -> bool {
    const ARP: u16 = 0x0806;
    let Some(field) = cursor.rest().get(start + 12..start + 14).map(be16) else { return false };
    let left = cursor.wire_left() as usize - (start + 14);
    match field {
        ethertype::IPV4 | ethertype::IPV6 | ARP | ethertype::VLAN | ethertype::SERVICE_VLAN => true,
        ethertype::MPLS | ethertype::PPPOE_SESSION => true,
        length => (3..ethertype::MIN).contains(&length) && usize::from(length) <= left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    fn carried(bytes: &str) -> (Carried, usize) {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, bytes.len() as u32);
        (payload(&mut cursor), cursor.rest().len())
    }

    #[test]
    fn an_entry() {
        let bytes = hex("0001d1ff");
        assert_eq!(read(&mut Cursor::new(&bytes, 4)), Ok((Encapsulation::Mpls { label: 29 }, true)));
        assert!(!read(&mut Cursor::new(&hex("0001d0ff"), 4)).unwrap().1);
        assert_cut(&bytes, Layer::Mpls, read);
    }

    #[test]
    fn ip_is_told_by_its_version() {
        assert_eq!(carried("45000014"), (Carried::Payload(ethertype::IPV4), 4));
        assert_eq!(carried("60000000"), (Carried::Payload(ethertype::IPV6), 4));
    }

    #[test]
    fn a_pseudowire_with_and_without_control_word() {
        let frame = "001b44113ab7 001b44113ab8 0806 0001";
        assert_eq!(carried(&format!("00000000 {frame}")), (Carried::Ethernet, 16));
        assert_eq!(carried(&format!("00000007 {frame}")), (Carried::Ethernet, 16));
        assert_eq!(carried(frame), (Carried::Ethernet, 16));
        assert_eq!(carried("4c1b44113ab7 001b44113ab8 0800 4500"), (Carried::Ethernet, 16));
    }

    #[test]
    fn what_nothing_tells_is_nothing() {
        assert_eq!(carried("10000021 0001"), (Carried::Payload(ethertype::NONE), 6)); // OAM: an associated channel
        assert_eq!(carried(""), (Carried::Payload(ethertype::NONE), 0));
    }
}
