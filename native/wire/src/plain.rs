//! What most frames are: decoded by the shortest way, and looked at by those who spread frames before they are decoded.

use crate::address::Address;
use crate::cursor::Cursor;
use crate::packet::{Network, Packet, Transport};
use crate::tunnel_ports::TunnelPorts;
use crate::{ethernet, ethertype, ipv4, link, protocol, tcp, udp};

/// Tags that are looked behind; what has more is told by decoding.
const MAX_TAGS: usize = 2;
const TYPE_AT: usize = 12;
const TAG_BYTES: usize = 4;

/// The packet of a frame that carries nothing but TCP or UDP over IPv4, behind an Ethernet header and in no tunnel: what
/// [`decode`](crate::decode) gives, with the cursor in registers all the way. `None` leaves the frame to decoding.
/// Parameters as of [`decode`](crate::decode).
#[inline]
pub fn plain_packet<'a>(frame: &'a [u8], origlen: u32, link_type: u16, ports: &TunnelPorts) -> Option<Packet<'a>> {
    if link_type == link::ETHERNET { packet_at(Cursor::new(frame, origlen), ports) } else { None }
}

/// The same for an Ethernet frame that begins at a cursor.
#[inline]
pub(crate) fn packet_at<'a>(mut cursor: Cursor<'a>, ports: &TunnelPorts) -> Option<Packet<'a>> {
    let (ethernet, ethertype::IPV4) = ethernet::read(&mut cursor).ok()? else { return None };
    let ip = ipv4::read(&mut cursor).ok().filter(|ip| !ip.fragment)?;
    let transport = match ip.protocol {
        protocol::TCP => tcp::read(&mut cursor),
        protocol::UDP => udp::read(&mut cursor),
        _ => return None,
    };
    match transport {
        Transport::Udp { source_port, destination_port } if ports.tunnel(source_port, destination_port).is_some() => {
            None
        }
        _ => Some(Packet { ether: Some(ethernet.ether()), network: Network::Ip(ip.packet(transport, &cursor)) }),
    }
}

/// The addresses, source first, of a frame that carries nothing but a TCP or UDP packet: behind an Ethernet header and at
/// most two VLAN tags, in no tunnel. Of such a frame [`decode`](crate::decode) gives these addresses or an error; `None`
/// leaves it to decoding.
#[inline]
pub fn plain_ends(frame: &[u8], link_type: u16, ports: &TunnelPorts) -> Option<[Address; 2]> {
    if link_type != link::ETHERNET {
        return None;
    }
    let mut at = TYPE_AT;
    for _ in 0..=MAX_TAGS {
        match word(frame, at)? {
            ethertype::IPV4 => return v4_ends(frame.get(at + 2..)?, ports),
            ethertype::IPV6 => return v6_ends(frame.get(at + 2..)?, ports),
            ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_QINQ | ethertype::OLD_QINQ_2 => at += TAG_BYTES,
            _ => return None,
        }
    }
    None
}

/// RFC 791, 3.1.
#[inline]
fn v4_ends(packet: &[u8], ports: &TunnelPorts) -> Option<[Address; 2]> {
    let header = packet.first_chunk::<20>()?;
    let (version, header_bytes) = (header[0] >> 4, usize::from(header[0] & 15) * 4);
    let is_whole = u16::from_be_bytes([header[6], header[7]]) & 0x3fff == 0;
    (version == 4 && header_bytes >= 20 && is_whole && is_last(header[9], packet.get(header_bytes..)?, ports)).then(
        || {
            let address = |at: usize| Address::v4([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            [address(12), address(16)]
        },
    )
}

/// RFC 8200, 3.
#[inline]
fn v6_ends(packet: &[u8], ports: &TunnelPorts) -> Option<[Address; 2]> {
    let header = packet.first_chunk::<40>()?;
    let address = |at: usize| header[at..].first_chunk().map(|bytes| Address::v6(*bytes));
    (header[0] >> 4 == 6 && is_last(header[6], &packet[40..], ports)).then_some([address(8)?, address(24)?])
}

/// Whether a packet of this protocol carries no other packet.
#[inline]
fn is_last(number: u8, transport: &[u8], ports: &TunnelPorts) -> bool {
    match number {
        protocol::TCP => true,
        protocol::UDP => {
            let ends = (word(transport, 0), word(transport, 2));
            matches!(ends, (Some(source), Some(destination)) if ports.tunnel(source, destination).is_none())
        }
        _ => false,
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const MACS: &str = "020000000001 020000000002";
    const TCP: &str = "45000028 00010000 4006 0000 0a000001 c6336407 c350 01bb";
    const VXLAN: &str = "45000028 00010000 4011 0000 0a000001 c6336407 c350 12b5 0014 0000";

    fn ends(frame: &str) -> Option<String> {
        let ports = TunnelPorts::new(&[4789]);
        plain_ends(&hex(frame), link::ETHERNET, &ports).map(|[one, other]| format!("{one} {other}"))
    }

    #[test]
    fn what_nearly_all_frames_are_is_told() {
        let both = Some("10.0.0.1 198.51.100.7".to_owned());
        assert_eq!(ends(&format!("{MACS} 0800 {TCP}")), both);
        assert_eq!(ends(&format!("{MACS} 88a8 000a 8100 0014 0800 {TCP}")), both);
        assert_eq!(ends(&format!("{MACS} 0800 {}", VXLAN.replace("12b5", "0035"))), both);
        let v6 = "60000000 0014 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002 c350";
        assert_eq!(ends(&format!("{MACS} 86dd {v6}")), Some("2001:db8::1 2001:db8::2".to_owned()));
    }

    #[test]
    fn what_may_carry_another_packet_is_left_to_decoding() {
        let fragment = TCP.replace("00010000", "00012000");
        let gre = TCP.replace("4006", "402f");
        for packet in [VXLAN, &fragment, &gre, &TCP[..30], "6500"] {
            assert_eq!(ends(&format!("{MACS} 0800 {packet}")), None, "{packet}");
        }
        assert_eq!(ends(&format!("{MACS} 8100 0001 8100 0002 8100 0003 0800 {TCP}")), None);
        assert_eq!(ends(&format!("{MACS} 8847 00010140 {TCP}")), None);
    }
}
