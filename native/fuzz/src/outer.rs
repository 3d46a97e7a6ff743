//! Correct outer headers, each of which leads a decoder to one protocol.

use Outer::{Ethertype, Gre, Icmp, Icmpv6, Ipv4, Ipv6, L2tpV3, Tzsp, Udp};

/// VXLAN on IANA's port and on the old default of Linux.
pub(crate) const VXLAN_PORTS: [u16; 2] = [4789, 8472];

/// What says what the fuzzed bytes are.
#[derive(Debug, Clone, Copy)]
pub enum Outer {
    /// An EtherType.
    Ethertype(u16),
    /// An IP protocol number, in IPv4.
    Ipv4(u8),
    /// A next header number, in IPv6.
    Ipv6(u8),
    /// Flags (of which checksum, key and sequence number get their field) and protocol type of GRE.
    Gre(u16, u16),
    /// A destination port.
    Udp(u16),
    /// Type of an ICMP error: what follows is the packet that it quotes.
    Icmp(u8),
    /// The same of ICMPv6.
    Icmpv6(u8),
    /// Protocol that TZSP names behind its tags.
    Tzsp(u16),
    /// Bytes of cookie and sublayer in L2TP version 3; what follows is a UDP datagram in the frame behind them.
    L2tpV3(usize),
}

/// Every protocol that the sensor follows or might come to follow.
pub const OUTERS: [Outer; 65] = [
    Ethertype(0x8100), // 802.1Q
    Ethertype(0x88a8), // 802.1ad
    Ethertype(0x9100),
    Ethertype(0x88e7), // 802.1ah
    Ethertype(0x0800), // IPv4
    Ethertype(0x86dd), // IPv6
    Ethertype(0x8847), // MPLS
    Ethertype(0x8848),
    Ethertype(0x8863), // PPPoE discovery
    Ethertype(0x8864), // PPPoE session
    Ethertype(0x88e5), // MACsec
    Ethertype(0x8909), // Cisco metadata
    Ethertype(0x894f), // NSH
    Ethertype(0x0040), // LLC
    Ipv4(1),           // ICMP
    Ipv4(4),           // IP in IP
    Ipv4(6),           // TCP
    Ipv4(17),          // UDP
    Ipv4(41),          // IPv6
    Ipv4(47),          // GRE
    Ipv4(51),          // AH
    Ipv4(97),          // EtherIP
    Ipv4(115),         // L2TPv3
    Ipv4(132),         // SCTP
    Ipv4(137),         // MPLS
    Ipv6(0),           // hop-by-hop options
    Ipv6(4),
    Ipv6(41),
    Ipv6(43), // routing
    Ipv6(44), // fragment
    Ipv6(47),
    Ipv6(51),
    Ipv6(58),  // ICMPv6
    Ipv6(60),  // destination options
    Ipv6(135), // mobility
    Gre(0x0000, 0x0800),
    Gre(0x8000, 0x86dd),
    Gre(0x0000, 0x6558), // Ethernet
    Gre(0x2000, 0x6558), // NVGRE
    Gre(0x0000, 0x88be), // ERSPAN I
    Gre(0x1000, 0x88be), // ERSPAN II
    Gre(0x1000, 0x22eb), // ERSPAN III
    Gre(0x0000, 0x8847),
    Gre(0x3001, 0x880b), // PPTP
    Gre(0x0000, 0x883e), // WCCP
    Gre(0x0000, 0x894f),
    Udp(VXLAN_PORTS[0]),
    Udp(4790),  // VXLAN-GPE
    Udp(6081),  // Geneve
    Udp(2152),  // GTP-U
    Udp(37008), // TZSP
    Udp(5247),  // CAPWAP data
    Udp(1701),  // L2TP
    Udp(7932),  // HPE ERM
    Udp(4754),  // GRE
    Udp(3544),  // Teredo
    Udp(6635),  // MPLS
    Icmp(3),
    Icmp(11),
    Icmpv6(2),
    Tzsp(18),  // 802.11
    Tzsp(119), // behind Prism's header
    Tzsp(127), // behind AVS's
    L2tpV3(0),
    L2tpV3(12),
];

impl Outer {
    /// An Ethernet frame with the outer headers and `inner` behind them.
    pub fn carry(self, inner: &[u8]) -> Vec<u8> {
        match self {
            Ethertype(ethertype) => ethernet(ethertype, inner),
            Ipv4(protocol) => ethernet(0x0800, &ipv4(protocol, inner)),
            Ipv6(next) => ethernet(0x86dd, &ipv6(next, inner)),
            Gre(flags, protocol) => ethernet(0x0800, &ipv4(47, &gre(flags, protocol, inner))),
            Udp(port) => ethernet(0x0800, &ipv4(17, &udp(port, inner))),
            Icmpv6(kind) => ethernet(0x86dd, &ipv6(58, &[&[kind, 0, 0, 0, 0, 0, 0, 0][..], inner].concat())),
            Tzsp(protocol) => {
                let tzsp = [&[1, 0][..], &protocol.to_be_bytes(), &[1], inner].concat();
                ethernet(0x0800, &ipv4(17, &udp(37008, &tzsp)))
            }
            L2tpV3(prefix) => {
                let frame = ethernet(0x0800, &ipv4(17, inner));
                ethernet(0x0800, &ipv4(115, &[&[0, 0, 0, 7][..], &vec![0xc0; prefix], &frame].concat()))
            }
            Icmp(kind) => ethernet(0x0800, &ipv4(1, &[&[kind, 1, 0, 0, 0, 0, 0, 0][..], inner].concat())),
        }
    }
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &ethertype.to_be_bytes(), payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x45, 0][..], &length, &[0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], payload].concat()
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let addresses = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
    [&[0x60, 0, 0, 0][..], &length, &[next, 64], &addresses, payload].concat()
}

fn gre(flags: u16, protocol: u16, payload: &[u8]) -> Vec<u8> {
    let fields = [0x8000, 0x2000, 0x1000].iter().filter(|&&flag| flags & flag != 0).count();
    [&flags.to_be_bytes()[..], &protocol.to_be_bytes(), &vec![1; 4 * fields], payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&50000u16.to_be_bytes()[..], &port.to_be_bytes(), &length, &[0, 0], payload].concat()
}
