//! BSD loopback headers: four bytes with the address family (LINKTYPE_NULL, LINKTYPE_LOOP).

use crate::cursor::Cursor;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

/// Takes a LINKTYPE_NULL header, whose family is "in the host byte order of the machine on which the capture
/// was done"; gives the EtherType of the payload.
pub(crate) fn read_null(cursor: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let family = u32::from_le_bytes(*cursor.take(Layer::Link)?);
    // A family is a small number: read in the wrong order it is a huge one.
    Ok(ethertype_of(if family > 0xffff { family.swap_bytes() } else { family }))
}

/// Takes a LINKTYPE_LOOP header, whose family is in network byte order.
pub(crate) fn read_loop(cursor: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    Ok(ethertype_of(u32::from_be_bytes(*cursor.take(Layer::Link)?)))
}

/// AF_INET is 2 everywhere, AF_INET6 is not: "24 - payload is an IPv6 packet; 28 - …; 30 - …; code reading files should
/// check for all of them" (LINKTYPE_NULL). Some devices write an EtherType into the last two bytes instead.
fn ethertype_of(family: u32) -> u16 {
    match family {
        2 => ethertype::IPV4,
        24 | 28 | 30 => ethertype::IPV6,
        _ => Some(family as u16).filter(|low| *low >= ethertype::MIN).unwrap_or(ethertype::NONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn null(bytes: [u8; 4]) -> u16 {
        read_null(&mut Cursor::new(&bytes, 4)).unwrap()
    }

    #[test]
    fn null_comes_in_either_byte_order() {
        assert_eq!(null([2, 0, 0, 0]), ethertype::IPV4);
        assert_eq!(null([0, 0, 0, 2]), ethertype::IPV4);
        assert_eq!(null([0, 0, 0, 30]), ethertype::IPV6);
        assert_eq!(null([7, 0, 0, 0]), ethertype::NONE);
    }

    #[test]
    fn an_ethertype_may_stand_in_place_of_a_family() {
        assert_eq!(null([0x0f, 0, 0x08, 0x00]), ethertype::IPV4);
        assert_eq!(null([0x00, 0, 0x86, 0xdd]), ethertype::IPV6);
    }

    #[test]
    fn loop_comes_in_network_order_only() {
        let read = |bytes: [u8; 4]| read_loop(&mut Cursor::new(&bytes, 4)).unwrap();
        assert_eq!(read([0, 0, 0, 24]), ethertype::IPV6);
        assert_eq!(read([24, 0, 0, 0]), ethertype::NONE);
    }

    #[test]
    fn cut_is_an_error_of_the_link_layer() {
        assert_eq!(read_null(&mut Cursor::new(&[2, 0, 0], 4)).unwrap_err().layer, Layer::Link);
    }
}
