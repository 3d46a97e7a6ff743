//! PPP (RFC 1661) with or without HDLC's framing (RFC 1662), either field compressed or not.

use crate::cursor::{Cursor, be16};
use crate::decode::Carried;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

/// "Address Field … 11111111 … Control Field … 00000011" (RFC 1662, 3.1).
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

const IPV4: u16 = 0x0021;
const BRIDGING: u16 = 0x0031;
const IPV6: u16 = 0x0057;
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

/// "MAC Type … 1: Ethernet/IEEE 802.3" (RFC 3518, 4.2), the second byte of a bridged frame's header.
const BRIDGED_ETHERNET: u8 = 1;

/// Takes the framing and the protocol; names what is not followed, as control protocols, with [`ethertype::NONE`].
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Carried, DecodeError> {
    if cursor.rest().starts_with(&ADDRESS_AND_CONTROL) {
        cursor.advance(ADDRESS_AND_CONTROL.len());
    }
    Ok(Carried::Payload(match protocol(cursor)? {
        IPV4 => ethertype::IPV4,
        IPV6 => ethertype::IPV6,
        MPLS => ethertype::MPLS,
        MPLS_MULTICAST => ethertype::MPLS_MULTICAST,
        BRIDGING => return bridged(cursor),
        _ => ethertype::NONE,
    }))
}

/// "All Protocols MUST be odd; the least significant bit of the least significant octet MUST equal '1'", and of the first
/// of two it is 0: so that one octet may stand for both (RFC 1661, 2 and 6.5).
fn protocol(cursor: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let [first] = *cursor.peek::<1>(Layer::Ppp)?;
    if first & 1 != 0 {
        cursor.advance(1);
        return Ok(u16::from(first));
    }
    Ok(be16(cursor.take::<2>(Layer::Ppp)?))
}

fn bridged(cursor: &mut Cursor<'_>) -> Result<Carried, DecodeError> {
    let [_, mac_type] = *cursor.take::<2>(Layer::Ppp)?;
    Ok(if mac_type == BRIDGED_ETHERNET { Carried::Ethernet } else { Carried::Payload(ethertype::NONE) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    fn carried(bytes: &str) -> (Carried, usize) {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, 64);
        (read(&mut cursor).unwrap(), cursor.rest().len())
    }

    #[test]
    fn framing_and_protocol_may_be_left_out_and_compressed() {
        for bytes in ["ff03 0021 45", "ff03 21 45", "0021 45", "21 45"] {
            assert_eq!(carried(bytes), (Carried::Payload(ethertype::IPV4), 1), "{bytes}");
        }
        assert_eq!(carried("0057 60"), (Carried::Payload(ethertype::IPV6), 1));
        assert_eq!(carried("0281 00"), (Carried::Payload(ethertype::MPLS), 1));
    }

    #[test]
    fn bridged_ethernet_is_entered_and_control_protocols_are_not() {
        assert_eq!(carried("0031 0001 ff"), (Carried::Ethernet, 1));
        assert_eq!(carried("c021 0101"), (Carried::Payload(ethertype::NONE), 2));
    }

    #[test]
    fn cut_at_every_length() {
        assert_cut(&hex("0021"), Layer::Ppp, read);
    }
}
