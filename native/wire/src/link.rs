//! Where decoding starts: the link-layer header types of capture files (LINKTYPE_ registry of tcpdump.org).

use crate::cursor::Cursor;
use crate::decode::Carried;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::{ethertype, linux_cooked, loopback};

const NULL: u16 = 0;
const ETHERNET: u16 = 1;
const RAW: u16 = 101;
const LOOP: u16 = 108;
const LINUX_SLL: u16 = 113;
const IPV4: u16 = 228;
const IPV6: u16 = 229;
const LINUX_SLL2: u16 = 276;

/// Takes the link-layer header, except Ethernet's, which occurs inside tunnels as well.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>, link_type: u16) -> Result<Carried, DecodeError> {
    if link_type == ETHERNET {
        return Ok(Carried::Ethernet);
    }
    read_other(cursor, link_type).map(Carried::Payload)
}

fn read_other(cursor: &mut Cursor<'_>, link_type: u16) -> Result<u16, DecodeError> {
    match link_type {
        RAW => ip_version(cursor, Layer::Link),
        IPV4 => Ok(ethertype::IPV4),
        IPV6 => Ok(ethertype::IPV6),
        LINUX_SLL => linux_cooked::read_v1(cursor),
        LINUX_SLL2 => linux_cooked::read_v2(cursor),
        NULL => loopback::read_null(cursor),
        LOOP => loopback::read_loop(cursor),
        _ => Err(cursor.error(Layer::Link, DecodeErrorKind::Unsupported)),
    }
}

/// The EtherType of an IP packet whose `carrier` leaves the version to the packet itself.
pub(crate) fn ip_version(cursor: &Cursor<'_>, carrier: Layer) -> Result<u16, DecodeError> {
    let [first] = cursor.peek::<1>(carrier)?;
    match first >> 4 {
        4 => Ok(ethertype::IPV4),
        6 => Ok(ethertype::IPV6),
        _ => Err(cursor.error(carrier, DecodeErrorKind::Malformed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_ip_is_told_by_its_version() {
        let read_raw = |bytes: &[u8]| read(&mut Cursor::new(bytes, 20), RAW).map_err(|e| e.kind);
        assert_eq!(read_raw(&[0x45]), Ok(Carried::Payload(ethertype::IPV4)));
        assert_eq!(read_raw(&[0x60]), Ok(Carried::Payload(ethertype::IPV6)));
        assert_eq!(read_raw(&[0x33]), Err(DecodeErrorKind::Malformed));
        assert_eq!(read_raw(&[]), Err(DecodeErrorKind::Truncated));
    }

    #[test]
    fn a_link_type_that_is_not_decoded_says_so() {
        let error = read(&mut Cursor::new(&[0; 40], 40), 239).unwrap_err();
        assert_eq!((error.layer, error.kind, error.offset), (Layer::Link, DecodeErrorKind::Unsupported, 0));
    }
}
