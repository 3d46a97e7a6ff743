//! The packets that ICMP and ICMPv6 errors speak of: they quote the beginning of it (RFC 792; RFC 4443, 3).

use crate::cursor::Cursor;
use crate::five_tuple::FiveTuple;
use crate::packet::{IpPacket, Transport};
use crate::{ipv4, ipv6, protocol, transport};

impl IpPacket<'_> {
    /// The five-tuple of the packet that an error quotes, that packet's sender as originator.
    ///
    /// `None` where this is no ICMP or ICMPv6 error, or does not hold a whole IP header of its version. The ports are 0
    /// where the quote ends before them, and where it is a fragment behind the first.
    pub fn quoted(&self) -> Option<FiveTuple> {
        let Transport::Icmp { kind, .. } = self.transport else { return None };
        let mut cursor = Cursor::new(self.payload, self.payload_length_bytes);
        let ip = match (self.protocol, kind) {
            // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
            (protocol::ICMP, 3 | 4 | 5 | 11 | 12) => ipv4::read(&mut cursor),
            // Destination unreachable, packet too big, time exceeded, parameter problem.
            (protocol::ICMPV6, 1..=4) => ipv6::read(&mut cursor),
            _ => return None,
        };
        let ip = ip.ok()?;
        let transport = transport::read(&mut cursor, &ip);
        Some(FiveTuple::of((ip.source, ip.destination), ip.protocol, &transport))
    }
}

#[cfg(test)]
mod tests {
    use crate::encapsulation::EncapStack;
    use crate::packet::{Network, Packet};
    use crate::testing::hex;
    use crate::tunnel_ports::TunnelPorts;

    /// What the message in a raw IP packet quotes: protocol and ends.
    fn quoted(packet: &[u8]) -> Option<(u8, String, String)> {
        let mut stack = EncapStack::new();
        let decoded = crate::decode(packet, packet.len() as u32, 101, &TunnelPorts::default(), &mut stack);
        let Ok(Packet { network: Network::Ip(ip), .. }) = decoded else { panic!("{decoded:?}") };
        let tuple = ip.quoted()?;
        let [orig, resp] = [tuple.orig, tuple.resp].map(|end| format!("{} {}", end.address, end.port));
        Some((tuple.protocol, orig, resp))
    }

    fn ends(protocol: u8, orig: &str, resp: &str) -> Option<(u8, String, String)> {
        Some((protocol, orig.into(), resp.into()))
    }

    /// Host unreachable, by a router about a query.
    const UNREACHABLE: &str = "45c0 0038 1a2b 0000 4001 0000 c0a80101 0a00002a 0301 fcfe 00000000
        4500 003c 0001 4000 3f11 0000 0a00002a 08080808 d431 0035 0028 0000";
    /// Packet too big, about a segment whose header is cut behind the sequence number.
    const TOO_BIG: &str = "6000 0000 0038 3a40 20010db80000000000000000000000fe 20010db800000000000000000000002a
        0200 0000 00000500
        6000 0000 05b4 063f 20010db800000000000000000000002a 20010db8000000000000000000000001 c350 01bb 00000001";

    #[test]
    fn an_error_tells_of_whom_it_speaks() {
        assert_eq!(quoted(&hex(UNREACHABLE)), ends(17, "10.0.0.42 54321", "8.8.8.8 53"));
        assert_eq!(quoted(&hex(TOO_BIG)), ends(6, "2001:db8::2a 50000", "2001:db8::1 443"));
    }

    #[test]
    fn a_cut_quote_tells_the_addresses_or_nothing() {
        for (message, header, known) in [
            (UNREACHABLE, 28, ends(17, "10.0.0.42 0", "8.8.8.8 0")),
            (TOO_BIG, 48, ends(6, "2001:db8::2a 0", "2001:db8::1 0")),
        ] {
            let bytes = hex(message);
            let quote = if header == 28 { 20 } else { 40 };
            let whole = quoted(&bytes);
            for length in header..bytes.len() {
                let expected = match length - header {
                    behind if behind < quote => None,
                    behind if behind < quote + 4 => known.clone(),
                    _ => whole.clone(),
                };
                assert_eq!(quoted(&bytes[..length]), expected, "{length}");
            }
        }
    }

    #[test]
    fn a_quoted_fragment_and_a_quoted_message_have_no_ports_to_tell() {
        let fragment = UNREACHABLE.replace("0001 4000", "0001 00b9");
        assert_eq!(quoted(&hex(&fragment)), ends(17, "10.0.0.42 0", "8.8.8.8 0"));
        let ping = UNREACHABLE.replace("3f11", "3f01").replace("d431 0035", "0800 0000");
        assert_eq!(quoted(&hex(&ping)), ends(1, "10.0.0.42 8", "8.8.8.8 0"));
    }

    #[test]
    fn what_is_no_error_or_quotes_the_other_version_quotes_nothing() {
        assert_eq!(quoted(&hex(&UNREACHABLE.replace("0301 fcfe", "0800 fcfe"))), None);
        assert_eq!(quoted(&hex(&UNREACHABLE.replace("4500 003c", "6500 003c"))), None);
        assert_eq!(quoted(&hex(&UNREACHABLE.replace("4001", "4011"))), None);
        assert_eq!(quoted(&hex(&TOO_BIG.replace("0200 0000", "8000 0000"))), None);
    }
}
