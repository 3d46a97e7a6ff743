//! L2TP version 3 data messages over IP (RFC 3931, 4.1.1), whose pseudowire carries Ethernet (RFC 4719) or PPP.
//!
//! What stands between the session id and the frame was negotiated and is not in the message: it is found by trying what
//! there may be, and only an IP packet that fits is believed.

use crate::cursor::{Cursor, be16, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::{ethertype, ppp, sound};

/// The session of control messages (RFC 3931, 4.1.1.2).
const CONTROL: u32 = 0;

/// Bytes before the frame: a cookie of 0, 4 or 8 (RFC 3931, 4.1), and an L2-specific sublayer of 4 or none (4.6).
const PREFIX_BYTES: [usize; 4] = [0, 4, 8, 12];

const ADDRESSES: usize = 12;
/// Tags in front of the packet's own type.
const MAX_TAGS: usize = 2;
/// A shorter payload of Ethernet is padded to this (IEEE 802.3, 4A.2.3.2.4).
const MIN_ETHERNET_PAYLOAD: u32 = 46;

/// Takes what stands before the frame; nothing for control messages, and where no packet fits. `fragment` says that the
/// outer packet is the first part of a larger one, so that the inner one may be longer.
pub(crate) fn read(cursor: &mut Cursor<'_>, fragment: bool) -> Result<Layered, DecodeError> {
    let session = be32(cursor.take::<4>(Layer::L2tp)?);
    if session == CONTROL {
        return Ok(None);
    }
    for bytes in PREFIX_BYTES {
        let mut inside = *cursor;
        inside.advance(bytes);
        let carried = if is_ethernet(inside, fragment) { Some(Carried::Ethernet) } else { read_ppp(&mut inside) };
        if let Some(carried) = carried {
            *cursor = inside;
            return Ok(Some((Encapsulation::L2tpV3 { session }, carried)));
        }
    }
    Ok(None)
}

fn is_ethernet(mut cursor: Cursor<'_>, fragment: bool) -> bool {
    cursor.advance(ADDRESSES);
    let mut ethertype = take_type(&mut cursor);
    for _ in 0..MAX_TAGS {
        if matches!(ethertype, ethertype::VLAN | ethertype::SERVICE_VLAN) {
            cursor.advance(2);
            ethertype = take_type(&mut cursor);
        }
    }
    let left = cursor.wire_left();
    sound::ip_length(&cursor, ethertype).is_some_and(|length| {
        length == left || (length < left && left <= MIN_ETHERNET_PAYLOAD) || (length > left && fragment)
    })
}

fn take_type(cursor: &mut Cursor<'_>) -> u16 {
    let ethertype = cursor.rest().first_chunk::<2>().map_or(ethertype::NONE, |field| be16(field));
    cursor.advance(2);
    ethertype
}

/// Takes PPP's framing and protocol; nothing if no IP packet of exactly the length follows.
fn read_ppp(cursor: &mut Cursor<'_>) -> Option<Carried> {
    let carried = ppp::read(cursor).ok()?;
    let Carried::Payload(ethertype) = carried else { return None };
    (sound::ip_length(cursor, ethertype) == Some(cursor.wire_left())).then_some(carried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    const IPV4: &str = "45000018 00000000 40fd0000 0a000001 0a000002 aabbccdd";
    const IPV6: &str = "60000000 0004 fd40 20010db8000000000000000000000001 20010db8000000000000000000000002 aabbccdd";
    const MACS: &str = "001b44113ab7 001b44113ab8";

    /// What a message carries, and how many bytes of it are left.
    fn carried(prefix: &str, frame: &str, fragment: bool) -> Option<(Carried, usize)> {
        let bytes = hex(&format!("00000007 {prefix} {frame}"));
        let mut cursor = Cursor::new(&bytes, bytes.len() as u32);
        let (session, carried) = read(&mut cursor, fragment).unwrap()?;
        assert_eq!(session, Encapsulation::L2tpV3 { session: 7 });
        Some((carried, cursor.rest().len()))
    }

    #[test]
    fn a_frame_behind_every_cookie_and_sublayer() {
        for prefix in ["", "c0c1c2c3", "c0c1c2c3 40000001", "c0c1c2c3c4c5c6c7 40000001"] {
            assert_eq!(
                carried(prefix, &format!("{MACS} 0800 {IPV4}"), false),
                Some((Carried::Ethernet, 38)),
                "{prefix}"
            );
            let tagged = format!("{MACS} 88a8 0005 8100 0006 86dd {IPV6}");
            assert_eq!(carried(prefix, &tagged, false), Some((Carried::Ethernet, 66)), "{prefix}");
            for (framing, packet, ethertype) in
                [("ff03 0021", IPV4, ethertype::IPV4), ("21", IPV4, ethertype::IPV4), ("0057", IPV6, ethertype::IPV6)]
            {
                let expected = Some((Carried::Payload(ethertype), hex(packet).len()));
                assert_eq!(carried(prefix, &format!("{framing} {packet}"), false), expected, "{framing} in {prefix}");
            }
        }
    }

    #[test]
    fn a_packet_that_does_not_fit_is_none() {
        let frame = |packet: &str| format!("{MACS} 0800 {packet}");
        assert_eq!(carried("", &frame(&IPV4.replace("45000018", "45000019")), false), None);
        assert_eq!(carried("", &frame(&IPV4.replace("45000018", "55000018")), false), None);
        assert_eq!(carried("", &frame(&IPV4.replace("45000018", "44000018")), false), None);
        assert_eq!(carried("", &format!("{MACS} 0806 {IPV4}"), false), None);
        assert_eq!(carried("c0c1", &frame(IPV4), false), None);
        assert_eq!(carried("", &format!("0021 {IPV4} 00"), false), None);
        // Padding up to the smallest frame, and not beyond.
        assert_eq!(carried("", &frame(&format!("{IPV4} {}", "00".repeat(22))), false), Some((Carried::Ethernet, 60)));
        assert_eq!(carried("", &frame(&format!("{IPV4} {}", "00".repeat(23))), false), None);
    }

    #[test]
    fn the_first_fragment_holds_a_longer_packet() {
        let frame = format!("{MACS} 0800 {}", IPV4.replace("45000018", "450005dc"));
        assert_eq!(carried("", &frame, true), Some((Carried::Ethernet, 38)));
        assert_eq!(carried("", &frame, false), None);
    }

    #[test]
    fn control_messages_are_none_and_a_cut_header_is_an_error() {
        let bytes = hex(&format!("00000000 c802 000c {MACS} 0800 {IPV4}"));
        assert_eq!(read(&mut Cursor::new(&bytes, bytes.len() as u32), false), Ok(None));
        assert_cut(&hex("00000007"), Layer::L2tp, |cursor| read(cursor, false));
        assert_eq!(read(&mut Cursor::new(&hex("00000007"), 4), false), Ok(None));
    }
}
