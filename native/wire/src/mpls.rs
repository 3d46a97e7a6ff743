//! MPLS label stacks (RFC 3032) and the Ethernet pseudowires that they carry (RFC 4448).

use crate::cursor::{Cursor, be16, be32};
use crate::decode::Carried;
use crate::encapsulation::{Encapsulation, MAX_ENCAPSULATIONS};
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

/// An associated channel, "0001", version and a reserved byte above the channel type (RFC 4385, 5); the types of IPv4 and
/// IPv6 are PPP's (RFC 4385, 8).
const CHANNEL_LENGTH: usize = 4;
const CHANNEL_IPV4: u16 = 0x0021;
const CHANNEL_IPV6: u16 = 0x0057;

const ETHERNET_LENGTH: usize = 14;

/// What stands behind the last label, which nothing names: IP by its version, an Ethernet frame by its type field.
///
/// Takes the word in front of it, if there is one.
pub(crate) fn payload(cursor: &mut Cursor<'_>) -> Carried {
    match cursor.rest().first().map(|first| first >> 4) {
        Some(4) if is_ip(cursor) || !is_type(cursor, 0) => Carried::Payload(ethertype::IPV4),
        Some(6) if is_ip(cursor) || !is_type(cursor, 0) => Carried::Payload(ethertype::IPV6),
        Some(0) if cursor.rest().starts_with(&[0, 0]) && is_ethernet(cursor, CONTROL_WORD_LENGTH) => {
            cursor.advance(CONTROL_WORD_LENGTH);
            Carried::Ethernet
        }
        Some(_) if is_ethernet(cursor, 0) => Carried::Ethernet,
        Some(1) => channel(cursor),
        _ => Carried::Payload(ethertype::NONE),
    }
}

/// Whether a label stack and an IP packet or Ethernet frame behind it stand here, where only a port promises it.
pub(crate) fn fits(mut cursor: Cursor<'_>) -> bool {
    for _ in 0..MAX_ENCAPSULATIONS {
        match read(&mut cursor) {
            Ok((_, true)) => return is_ip(&cursor) || is_type(&cursor, 0) || is_type(&cursor, CONTROL_WORD_LENGTH),
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

fn channel(cursor: &mut Cursor<'_>) -> Carried {
    let ethertype = match cursor.rest().get(2..CHANNEL_LENGTH).map(be16) {
        Some(CHANNEL_IPV4) => ethertype::IPV4,
        Some(CHANNEL_IPV6) => ethertype::IPV6,
        _ => return Carried::Payload(ethertype::NONE),
    };
    cursor.advance(CHANNEL_LENGTH);
    Carried::Payload(ethertype)
}

/// Whether an IP header stands here that says the length which the packet has.
fn is_ip(cursor: &Cursor<'_>) -> bool {
    const IPV6_HEADER: u32 = 40;
    let Some(header) = cursor.rest().first_chunk::<6>() else { return false };
    match header[0] >> 4 {
        4 => u32::from(be16(&header[2..])) == cursor.wire_left(),
        6 => u32::from(be16(&header[4..])) + IPV6_HEADER == cursor.wire_left(),
        _ => false,
    }
}

fn type_field(cursor: &Cursor<'_>, start: usize) -> Option<u16> {
    cursor.rest().get(start + ETHERNET_LENGTH - 2..start + ETHERNET_LENGTH).map(be16)
}

/// Whether a type that is known stands where an Ethernet header would have it.
fn is_type(cursor: &Cursor<'_>, start: usize) -> bool {
    type_field(cursor, start).is_some_and(ethertype::is_common)
}

/// As [`is_type`], or a length of what follows.
fn is_ethernet(cursor: &Cursor<'_>, start: usize) -> bool {
    let left = (cursor.wire_left() as usize).saturating_sub(start + ETHERNET_LENGTH);
    let is_length = |field: u16| (3..ethertype::MIN).contains(&field) && usize::from(field) <= left;
    is_type(cursor, start) || type_field(cursor, start).is_some_and(is_length)
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
    fn an_address_that_reads_as_a_length_is_no_frame() {
        let ipv6 = format!("60000000 0000 3b40 20010db8 0009 {}", "00".repeat(26));
        assert_eq!(carried(&ipv6), (Carried::Payload(ethertype::IPV6), 40));
    }

    #[test]
    fn an_associated_channel_may_carry_ip() {
        assert_eq!(carried("10000021 45"), (Carried::Payload(ethertype::IPV4), 1));
        assert_eq!(carried("10000057 60"), (Carried::Payload(ethertype::IPV6), 1));
    }

    #[test]
    fn only_what_fits_is_taken_on_the_word_of_a_port() {
        let fits_hex = |bytes: &str| {
            let bytes = hex(bytes);
            fits(Cursor::new(&bytes, bytes.len() as u32))
        };
        assert!(fits_hex("0001d0ff 0001d1ff 45000006 0001"));
        assert!(fits_hex("0001d1ff 001b44113ab7 001b44113ab8 0800"));
        assert!(!fits_hex("0001d1ff 45000007 0001"));
        assert!(!fits_hex("0001d0ff 0001"));
        assert!(!fits_hex(&"0001d0ff".repeat(40)));
    }

    #[test]
    fn what_nothing_tells_is_nothing() {
        assert_eq!(carried("10000007 0001"), (Carried::Payload(ethertype::NONE), 6)); // OAM
        assert_eq!(carried(""), (Carried::Payload(ethertype::NONE), 0));
    }
}
