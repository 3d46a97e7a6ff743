//! Where decoding starts: the link-layer header types of capture files (LINKTYPE_ registry of tcpdump.org).

use crate::cursor::Cursor;
use crate::decode::Carried;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::{cisco_hdlc, ethertype, linux_cooked, loopback, nflog, ppp};

const NULL: u16 = 0;
pub(crate) const ETHERNET: u16 = 1;
const PPP: u16 = 9;
const PPP_HDLC: u16 = 50;
const PPPOE: u16 = 51;
const RAW: u16 = 101;
const CISCO_HDLC: u16 = 104;
const LOOP: u16 = 108;
const LINUX_SLL: u16 = 113;
const IPV4: u16 = 228;
const NFLOG: u16 = 239;
const IPV6: u16 = 229;
const LINUX_SLL2: u16 = 276;

/// Takes the link-layer header, except Ethernet's, which occurs inside tunnels as well.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>, link_type: u16) -> Result<Carried, DecodeError> {
    if link_type == ETHERNET {
        return Ok(Carried::Ethernet);
    }
    read_other(cursor, link_type)
}

fn read_other(cursor: &mut Cursor<'_>, link_type: u16) -> Result<Carried, DecodeError> {
    Ok(Carried::Payload(match link_type {
        RAW => ip_version(cursor, Layer::Link)?,
        IPV4 => ethertype::IPV4,
        IPV6 => ethertype::IPV6,
        LINUX_SLL => linux_cooked::read_v1(cursor)?,
        LINUX_SLL2 => linux_cooked::read_v2(cursor)?,
        NULL => loopback::read_null(cursor)?,
        LOOP => loopback::read_loop(cursor)?,
        NFLOG => nflog::read(cursor)?,
        PPPOE => ethertype::PPPOE_SESSION,
        PPP | PPP_HDLC => return link_ppp(cursor),
        CISCO_HDLC => return cisco_hdlc::read(cursor),
        _ => return Err(cursor.error(Layer::Link, DecodeErrorKind::Unsupported)),
    }))
}

/// PPP in HDLC's framing may be Cisco's, which its address byte tells: "0x0F or 0x8F" (LINKTYPE_PPP_HDLC).
fn link_ppp(cursor: &mut Cursor<'_>) -> Result<Carried, DecodeError> {
    match cursor.rest().first() {
        Some(0x0f | 0x8f) => cisco_hdlc::read(cursor),
        _ => ppp::read(cursor),
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
        let error = read(&mut Cursor::new(&[0; 40], 40), 147).unwrap_err();
        assert_eq!((error.layer, error.kind, error.offset), (Layer::Link, DecodeErrorKind::Unsupported, 0));
    }
}
