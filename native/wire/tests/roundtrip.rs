//! What was put into a frame comes out again: generated headers, encoded by the tests' own code, decoded, compared.

mod common;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::{Address, EncapStack, Encapsulation, Ether, IpPacket, Mac, Network, Packet, TcpFlags, Transport, decode};

fn datagram(port: u16, payload: &[u8]) -> (u8, Vec<u8>) {
    (17, common::udp(49152, port, payload))
}

/// Source and destination, of either family.
#[derive(Debug, Clone, Copy)]
enum Ends {
    V4([u8; 4], [u8; 4]),
    V6([u8; 16], [u8; 16]),
}

impl Ends {
    fn addresses(self) -> (Address, Address) {
        match self {
            Self::V4(source, destination) => (Address::v4(source), Address::v4(destination)),
            Self::V6(source, destination) => (Address::v6(source), Address::v6(destination)),
        }
    }

    fn ethertype(self) -> u16 {
        if matches!(self, Self::V4(..)) { common::IPV4 } else { common::IPV6 }
    }

    /// A packet without options.
    fn carry(self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::V4(source, destination) => common::Ipv4::new(source, destination, protocol).carry(payload),
            Self::V6(source, destination) => common::ipv6(source, destination, protocol, 64, payload),
        }
    }
}

/// An Ethernet header with its tags.
#[derive(Debug, Clone)]
struct Link {
    destination: [u8; 6],
    source: [u8; 6],
    tags: Vec<u16>,
}

impl Link {
    fn carry(&self, ethertype: u16, payload: Vec<u8>) -> Vec<u8> {
        let tagged = self.tags.iter().rev().fold((ethertype, payload), |(inner, payload), control| {
            (common::VLAN, common::tag(*control, inner, &payload))
        });
        common::ethernet(self.destination, self.source, tagged.0, &tagged.1)
    }

    fn encapsulations(&self) -> impl Iterator<Item = Encapsulation> {
        self.tags.iter().map(|control| Encapsulation::Vlan { id: control & 0x0fff })
    }
}

#[derive(Debug, Clone)]
enum Tunnel {
    Ip,
    Gre { checksum: bool, key: Option<u32>, sequence: Option<u32> },
    Bridged { key: Option<u32>, sequence: Option<u32>, link: Link },
    ErspanI { link: Link },
    ErspanII { sequence: u32, session: u16, vlan: u16, truncated: bool, index: u32, link: Link },
    ErspanIII { sequence: Option<u32>, session: u16, vlan: u16, timestamp: u32, bits: (bool, bool), link: Link },
    Vxlan { vni: u32, link: Link },
    VxlanGpe { vni: u32, link: Link },
    Geneve { vni: u32, options: u8, link: Link },
    GeneveIp { vni: u32 },
    Gtpu { teid: u32, extended: bool },
    Tzsp { link: Link },
    TzspWlan { radio: usize },
    Erm { vlan: u16, link: Link },
    Capwap { radio: u8, link: Link },
    L2tp { tunnel: u16, session: u16 },
    L2tpV3 { session: u32, prefix: usize, link: Link },
    L2tpV3Ppp { session: u32, prefix: usize },
    Mpls { labels: Vec<u32> },
    Pseudowire { label: u32, control_word: bool, link: Link },
}

impl Tunnel {
    /// Wraps a packet with this EtherType; gives IP protocol and payload of the outer packet.
    fn carry(&self, ethertype: u16, packet: Vec<u8>) -> (u8, Vec<u8>) {
        const GRE: u8 = 47;
        match self {
            Self::Ip => (if ethertype == common::IPV4 { 4 } else { 41 }, packet),
            Self::Gre { checksum, key, sequence } => (GRE, common::gre(ethertype, *checksum, *key, *sequence, &packet)),
            Self::Bridged { key, sequence, link } => {
                (GRE, common::gre(common::BRIDGED, false, *key, *sequence, &link.carry(ethertype, packet)))
            }
            Self::ErspanI { link } => {
                (GRE, common::gre(common::ERSPAN, false, None, None, &link.carry(ethertype, packet)))
            }
            Self::ErspanII { sequence, session, vlan, truncated, index, link } => {
                let inner = common::erspan_ii(*vlan, *truncated, *session, *index, &link.carry(ethertype, packet));
                (GRE, common::gre(common::ERSPAN, false, None, Some(*sequence), &inner))
            }
            Self::ErspanIII { sequence, session, vlan, timestamp, bits: (egress, subheader), link } => {
                let frame = link.carry(ethertype, packet);
                let inner = common::erspan_iii(*vlan, *session, *timestamp, *egress, *subheader, &frame);
                (GRE, common::gre(common::ERSPAN_III, false, None, *sequence, &inner))
            }
            Self::Vxlan { vni, link } => {
                let inner = common::vxlan(*vni, &link.carry(ethertype, packet));
                (17, common::udp(49152, common::VXLAN_PORT, &inner))
            }
            Self::VxlanGpe { vni, link } => {
                datagram(common::VXLAN_GPE_PORT, &common::vxlan_gpe(*vni, &link.carry(ethertype, packet)))
            }
            Self::Geneve { vni, options, link } => datagram(
                common::GENEVE_PORT,
                &common::geneve(*vni, common::BRIDGED, *options, &link.carry(ethertype, packet)),
            ),
            Self::GeneveIp { vni } => datagram(common::GENEVE_PORT, &common::geneve(*vni, ethertype, 0, &packet)),
            Self::Gtpu { teid, extended } => datagram(common::GTPU_PORT, &common::gtpu(*teid, *extended, &packet)),
            Self::Tzsp { link } => datagram(common::TZSP_PORT, &common::tzsp(&link.carry(ethertype, packet))),
            Self::TzspWlan { radio } => datagram(common::TZSP_PORT, &common::tzsp_wlan(*radio, ethertype, &packet)),
            Self::Erm { vlan, link } => datagram(common::ERM_PORT, &common::erm(*vlan, &link.carry(ethertype, packet))),
            Self::Capwap { radio, link } => {
                datagram(common::CAPWAP_PORT, &common::capwap(*radio, &link.carry(ethertype, packet)))
            }
            Self::L2tp { tunnel, session } => {
                datagram(common::L2TP_PORT, &common::l2tp(*tunnel, *session, &common::ppp(ethertype, &packet)))
            }
            Self::L2tpV3 { session, prefix, link } => {
                (115, common::l2tpv3(*session, *prefix, &link.carry(ethertype, packet)))
            }
            Self::L2tpV3Ppp { session, prefix } => {
                (115, common::l2tpv3(*session, *prefix, &common::ppp(ethertype, &packet)))
            }
            Self::Mpls { labels } => datagram(common::MPLS_PORT, &common::mpls(labels, &packet)),
            Self::Pseudowire { label, control_word, link } => {
                let word: &[u8] = if *control_word { &[0, 0, 0, 7] } else { &[] };
                let frame = common::concat(&[word, &link.carry(ethertype, packet)]);
                (GRE, common::gre(common::MPLS, false, None, None, &common::mpls(&[*label], &frame)))
            }
        }
    }

    fn encapsulations(&self) -> Vec<Encapsulation> {
        vec![match *self {
            Self::Ip => return Vec::new(),
            Self::Mpls { ref labels } => return labels.iter().map(|&label| Encapsulation::Mpls { label }).collect(),
            Self::Pseudowire { label, .. } => {
                return vec![Encapsulation::Gre { key: None, sequence: None }, Encapsulation::Mpls { label }];
            }
            Self::VxlanGpe { vni, .. } => Encapsulation::VxlanGpe { vni },
            Self::Geneve { vni, .. } | Self::GeneveIp { vni } => Encapsulation::Geneve { vni },
            Self::Gtpu { teid, .. } => Encapsulation::Gtpu { teid },
            Self::Tzsp { .. } | Self::TzspWlan { .. } => Encapsulation::Tzsp,
            Self::Erm { vlan, .. } => Encapsulation::Erm { vlan },
            Self::Capwap { radio, .. } => Encapsulation::Capwap { radio },
            Self::L2tp { tunnel, session } => Encapsulation::L2tp { tunnel, session },
            Self::L2tpV3 { session, .. } | Self::L2tpV3Ppp { session, .. } => Encapsulation::L2tpV3 { session },
            Self::Gre { key, sequence, .. } | Self::Bridged { key, sequence, .. } => {
                Encapsulation::Gre { key, sequence }
            }
            Self::ErspanI { .. } => Encapsulation::ErspanI,
            Self::ErspanII { sequence, session, vlan, truncated, index, .. } => {
                Encapsulation::ErspanII { sequence, session, vlan, truncated, index }
            }
            Self::ErspanIII { sequence, session, vlan, timestamp, bits: (egress, _), .. } => Encapsulation::ErspanIII {
                sequence,
                session,
                vlan,
                truncated: false,
                egress,
                timestamp,
                granularity: 0,
                hardware: 0,
                index: None,
            },
            Self::Vxlan { vni, .. } => Encapsulation::Vxlan { vni },
        }]
    }

    fn link(&self) -> Option<&Link> {
        match self {
            Self::Ip
            | Self::Gre { .. }
            | Self::GeneveIp { .. }
            | Self::Gtpu { .. }
            | Self::L2tp { .. }
            | Self::L2tpV3Ppp { .. }
            | Self::TzspWlan { .. }
            | Self::Mpls { .. } => None,
            Self::Bridged { link, .. }
            | Self::ErspanI { link }
            | Self::ErspanII { link, .. }
            | Self::ErspanIII { link, .. }
            | Self::VxlanGpe { link, .. }
            | Self::Geneve { link, .. }
            | Self::Tzsp { link }
            | Self::Erm { link, .. }
            | Self::Capwap { link, .. }
            | Self::L2tpV3 { link, .. }
            | Self::Pseudowire { link, .. }
            | Self::Vxlan { link, .. } => Some(link),
        }
    }
}

/// The innermost packet.
#[derive(Debug, Clone)]
struct Inner {
    ends: Ends,
    ttl: u8,
    identification: u16,
    /// Words of IPv4 options, or IPv6 options headers.
    extras: u8,
    transport: Transport,
    tcp_options: u8,
    payload: Vec<u8>,
}

impl Inner {
    fn protocol(&self) -> u8 {
        match (self.transport, self.ends) {
            (Transport::Tcp { .. }, _) => 6,
            (Transport::Udp { .. }, _) => 17,
            (Transport::Sctp { .. }, _) => 132,
            (Transport::Icmp { .. }, Ends::V4(..)) => 1,
            (Transport::Icmp { .. }, Ends::V6(..)) => 58,
            (Transport::None, _) => 253,
        }
    }

    fn segment(&self) -> Vec<u8> {
        match self.transport {
            Transport::Tcp { source_port, destination_port, sequence, acknowledgement, flags } => {
                let options = vec![1; usize::from(self.tcp_options) * 4];
                let numbers = (sequence, acknowledgement);
                common::tcp((source_port, destination_port), numbers, flags.0, &options, &self.payload)
            }
            Transport::Udp { source_port, destination_port } => {
                common::udp(source_port, destination_port, &self.payload)
            }
            Transport::Sctp { source_port, destination_port } => {
                common::concat(&[&source_port.to_be_bytes(), &destination_port.to_be_bytes(), &[0; 8], &self.payload])
            }
            Transport::Icmp { kind, code } => common::concat(&[&[kind, code, 0, 0, 0, 0, 0, 0], &self.payload]),
            Transport::None => self.payload.clone(),
        }
    }

    fn packet(&self) -> Vec<u8> {
        match self.ends {
            Ends::V4(source, destination) => {
                let options = vec![1; usize::from(self.extras) * 4];
                let header = common::Ipv4::new(source, destination, self.protocol());
                common::Ipv4 { ttl: self.ttl, identification: self.identification, options, ..header }
                    .carry(&self.segment())
            }
            Ends::V6(source, destination) => {
                let chain = (0..self.extras).fold((self.protocol(), self.segment()), |(next, payload), units| {
                    (60, common::ipv6_options(next, units % 3, &payload))
                });
                common::ipv6(source, destination, chain.0, self.ttl, &chain.1)
            }
        }
    }
}

fn ends() -> impl Strategy<Value = Ends> {
    // Twelve bytes of 0xff would be an IPv4 address in Address's form; they are no address on any wire.
    let v6 = || any::<[u8; 16]>().prop_filter("no address", |bytes| bytes[..12] != [0xff; 12]);
    prop_oneof![
        (any::<[u8; 4]>(), any::<[u8; 4]>()).prop_map(|(s, d)| Ends::V4(s, d)),
        (v6(), v6()).prop_map(|(s, d)| Ends::V6(s, d))
    ]
}

fn link() -> impl Strategy<Value = Link> {
    (any::<[u8; 6]>(), any::<[u8; 6]>(), vec(any::<u16>(), 0..3)).prop_map(|(destination, source, tags)| Link {
        destination,
        source,
        tags,
    })
}

fn tunnel() -> impl Strategy<Value = Tunnel> {
    let number = || option::of(any::<u32>());
    prop_oneof![
        Just(Tunnel::Ip),
        (any::<bool>(), number(), number()).prop_map(|(checksum, key, sequence)| Tunnel::Gre {
            checksum,
            key,
            sequence
        }),
        (number(), number(), link()).prop_map(|(key, sequence, link)| Tunnel::Bridged { key, sequence, link }),
        link().prop_map(|link| Tunnel::ErspanI { link }),
        (any::<u32>(), 0..1024u16, 0..4096u16, any::<bool>(), 0..1u32 << 20, link()).prop_map(
            |(sequence, session, vlan, truncated, index, link)| Tunnel::ErspanII {
                sequence,
                session,
                vlan,
                truncated,
                index,
                link
            }
        ),
        (number(), 0..1024u16, 0..4096u16, any::<u32>(), any::<(bool, bool)>(), link()).prop_map(
            |(sequence, session, vlan, timestamp, bits, link)| Tunnel::ErspanIII {
                sequence,
                session,
                vlan,
                timestamp,
                bits,
                link
            }
        ),
        (0..1u32 << 24, link()).prop_map(|(vni, link)| Tunnel::Vxlan { vni, link }),
        udp_tunnel(),
        l2tpv3(),
        vec(0..1u32 << 20, 1..3).prop_map(|labels| Tunnel::Mpls { labels }),
        // The first byte of the address behind the label must be neither 4 nor 6 nor 0 in its high bits to be told for sure.
        (0..1u32 << 20, any::<bool>(), link()).prop_map(|(label, control_word, mut link)| {
            link.destination[0] = 0x80;
            Tunnel::Pseudowire { label, control_word, link }
        }),
    ]
}

fn udp_tunnel() -> impl Strategy<Value = Tunnel> {
    let vni = || 0..1u32 << 24;
    prop_oneof![
        (vni(), link()).prop_map(|(vni, link)| Tunnel::VxlanGpe { vni, link }),
        (vni(), 0..64u8, link()).prop_map(|(vni, options, link)| Tunnel::Geneve { vni, options, link }),
        vni().prop_map(|vni| Tunnel::GeneveIp { vni }),
        any::<(u32, bool)>().prop_map(|(teid, extended)| Tunnel::Gtpu { teid, extended }),
        link().prop_map(|link| Tunnel::Tzsp { link }),
        (0..4usize).prop_map(|radio| Tunnel::TzspWlan { radio }),
        (0..4096u16, link()).prop_map(|(vlan, link)| Tunnel::Erm { vlan, link }),
        (0..32u8, link()).prop_map(|(radio, link)| Tunnel::Capwap { radio, link }),
        any::<(u16, u16)>().prop_map(|(tunnel, session)| Tunnel::L2tp { tunnel, session }),
    ]
}

fn l2tpv3() -> impl Strategy<Value = Tunnel> {
    let prefix = || (0..4usize).prop_map(|words| 4 * words);
    prop_oneof![
        (1..u32::MAX, prefix(), link()).prop_map(|(session, prefix, link)| Tunnel::L2tpV3 { session, prefix, link }),
        (1..u32::MAX, prefix()).prop_map(|(session, prefix)| Tunnel::L2tpV3Ppp { session, prefix }),
    ]
}

fn transport() -> impl Strategy<Value = Transport> {
    let port = || any::<u16>().prop_filter("a tunnel's", |port| !common::TUNNEL_PORTS.contains(port));
    prop_oneof![
        any::<(u16, u16, u32, u32, u8)>().prop_map(
            |(source_port, destination_port, sequence, acknowledgement, flags)| Transport::Tcp {
                source_port,
                destination_port,
                sequence,
                acknowledgement,
                flags: TcpFlags(flags)
            }
        ),
        (port(), port()).prop_map(|(source_port, destination_port)| Transport::Udp { source_port, destination_port }),
        any::<(u16, u16)>()
            .prop_map(|(source_port, destination_port)| Transport::Sctp { source_port, destination_port }),
        any::<(u8, u8)>().prop_map(|(kind, code)| Transport::Icmp { kind, code }),
        Just(Transport::None),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    (ends(), any::<u8>(), any::<u16>(), 0..=10u8, transport(), 0..=10u8, vec(any::<u8>(), 0..64)).prop_map(
        |(ends, ttl, identification, extras, transport, tcp_options, payload)| Inner {
            ends,
            ttl,
            identification,
            extras,
            transport,
            tcp_options,
            payload,
        },
    )
}

/// The frame, its encapsulations and its innermost Ethernet header.
fn build(outer: &Link, tunnels: &[(Ends, Tunnel)], inner: &Inner) -> (Vec<u8>, Vec<Encapsulation>, Ether) {
    let start = (inner.ends.ethertype(), inner.packet());
    let (ethertype, packet) = tunnels.iter().rev().fold(start, |(ethertype, packet), (ends, tunnel)| {
        let (protocol, payload) = tunnel.carry(ethertype, packet);
        (ends.ethertype(), ends.carry(protocol, &payload))
    });
    let mut stack: Vec<Encapsulation> = outer.encapsulations().collect();
    for (ends, tunnel) in tunnels {
        let (source, destination) = ends.addresses();
        stack.push(Encapsulation::Ip { source, destination });
        stack.extend(tunnel.encapsulations());
        stack.extend(tunnel.link().into_iter().flat_map(Link::encapsulations));
    }
    let innermost = tunnels.iter().rev().find_map(|(_, tunnel)| tunnel.link()).unwrap_or(outer);
    let ether = Ether { source: Mac(innermost.source), destination: Mac(innermost.destination) };
    (outer.carry(ethertype, packet), stack, ether)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_header_comes_out_as_it_went_in(
        outer in link(),
        tunnels in vec((ends(), tunnel()), 0..3),
        inner in inner(),
        padding in 0..50usize,
    ) {
        let (mut frame, expected_stack, ether) = build(&outer, &tunnels, &inner);
        frame.resize(frame.len() + padding, 0xee);
        let ports = common::ports();
        let mut stack = EncapStack::new();
        let packet = decode(&frame, frame.len() as u32, 1, &ports, &mut stack);

        let (source, destination) = inner.ends.addresses();
        let v4 = source.is_v4();
        let expected = IpPacket {
            source,
            destination,
            protocol: inner.protocol(),
            ttl: inner.ttl,
            identification: if v4 { u32::from(inner.identification) } else { 0 },
            length_bytes: inner.packet().len() as u32,
            later_fragment: false,
            fragment: false,
            more_fragments: false,
            transport: inner.transport,
            payload: &inner.payload,
            payload_length_bytes: inner.payload.len() as u32,
        };
        prop_assert_eq!(packet, Ok(Packet { ether: Some(ether), network: Network::Ip(expected) }));
        prop_assert_eq!(stack.as_slice(), expected_stack.as_slice());
    }
}
