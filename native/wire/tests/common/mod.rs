//! Frames for tests, built from the inside out by code that shares nothing with the decoder.
#![allow(dead_code, unreachable_pub)] // each test uses its part

/// EtherTypes and GRE protocols.
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
pub const VLAN: u16 = 0x8100;
pub const BRIDGED: u16 = 0x6558;
pub const ERSPAN: u16 = 0x88be;
pub const ERSPAN_III: u16 = 0x22eb;

pub const MPLS: u16 = 0x8847;
pub const PPPOE_SESSION: u16 = 0x8864;

pub const VXLAN_PORT: u16 = 4789;
pub const VXLAN_GPE_PORT: u16 = 4790;
pub const GENEVE_PORT: u16 = 6081;
pub const GTPU_PORT: u16 = 2152;
pub const TZSP_PORT: u16 = 37008;
pub const ERM_PORT: u16 = 7932;
pub const CAPWAP_PORT: u16 = 5247;
pub const L2TP_PORT: u16 = 1701;
pub const MPLS_PORT: u16 = 6635;
pub const TEREDO_PORT: u16 = 3544;

/// Every port that carries a tunnel in the tests.
pub const TUNNEL_PORTS: [u16; 10] = [
    VXLAN_PORT,
    VXLAN_GPE_PORT,
    GENEVE_PORT,
    GTPU_PORT,
    TZSP_PORT,
    ERM_PORT,
    CAPWAP_PORT,
    L2TP_PORT,
    MPLS_PORT,
    TEREDO_PORT,
];

pub fn ports() -> wire::TunnelPorts {
    wire::TunnelPorts::new(&[VXLAN_PORT])
        .with(wire::UdpTunnel::Geneve, &[GENEVE_PORT])
        .with(wire::UdpTunnel::Gtpu, &[GTPU_PORT])
        .with(wire::UdpTunnel::Tzsp, &[TZSP_PORT])
}

/// One after the other.
pub fn concat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub fn ethernet(destination: [u8; 6], source: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    concat(&[&destination, &source, &ethertype.to_be_bytes(), payload])
}

/// A tag's control information, the type of what it carries, and that: goes behind the type [`VLAN`].
pub fn tag(control: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    concat(&[&control.to_be_bytes(), &ethertype.to_be_bytes(), payload])
}

pub struct Ipv4 {
    pub source: [u8; 4],
    pub destination: [u8; 4],
    pub protocol: u8,
    pub ttl: u8,
    pub identification: u16,
    pub flags_and_offset: u16,
    /// A multiple of four bytes, 40 at most.
    pub options: Vec<u8>,
}

impl Ipv4 {
    pub fn new(source: [u8; 4], destination: [u8; 4], protocol: u8) -> Self {
        let options = Vec::new();
        Self { source, destination, protocol, ttl: 64, identification: 1, flags_and_offset: 0, options }
    }

    pub fn carry(&self, payload: &[u8]) -> Vec<u8> {
        let header_length = 20 + self.options.len();
        let total_length = (header_length + payload.len()) as u16;
        concat(&[
            &[0x40 | (header_length / 4) as u8, 0],
            &total_length.to_be_bytes(),
            &self.identification.to_be_bytes(),
            &self.flags_and_offset.to_be_bytes(),
            &[self.ttl, self.protocol, 0, 0],
            &self.source,
            &self.destination,
            &self.options,
            payload,
        ])
    }
}

pub fn ipv6(source: [u8; 16], destination: [u8; 16], next: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    concat(&[&[0x60, 0, 0, 0], &length, &[next, hop_limit], &source, &destination, payload])
}

/// An options header of `8 * (1 + units)` bytes.
pub fn ipv6_options(next: u8, units: u8, payload: &[u8]) -> Vec<u8> {
    concat(&[&[next, units], &vec![0; 6 + 8 * usize::from(units)], payload])
}

/// A TCP segment; `options` is a multiple of four bytes, 40 at most.
pub fn tcp(ports: (u16, u16), numbers: (u32, u32), flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let data_offset = ((20 + options.len()) / 4) as u8;
    concat(&[
        &ports.0.to_be_bytes(),
        &ports.1.to_be_bytes(),
        &numbers.0.to_be_bytes(),
        &numbers.1.to_be_bytes(),
        &[data_offset << 4, flags, 0xff, 0xff, 0, 0, 0, 0],
        options,
        payload,
    ])
}

pub fn udp(source_port: u16, destination_port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    concat(&[&source_port.to_be_bytes(), &destination_port.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload])
}

pub fn gre(protocol: u16, checksum: bool, key: Option<u32>, sequence: Option<u32>, payload: &[u8]) -> Vec<u8> {
    let flag = |present: bool, bit: u16| if present { bit } else { 0 };
    let flags = flag(checksum, 0x8000) | flag(key.is_some(), 0x2000) | flag(sequence.is_some(), 0x1000);
    let mut bytes = concat(&[&flags.to_be_bytes(), &protocol.to_be_bytes()]);
    if checksum {
        bytes.extend([0xbe, 0xef, 0, 0]);
    }
    for field in [key, sequence].into_iter().flatten() {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

pub fn erspan_ii(vlan: u16, truncated: bool, session: u16, index: u32, payload: &[u8]) -> Vec<u8> {
    let flags = u16::from(truncated) << 10 | session;
    concat(&[&(0x1000 | vlan).to_be_bytes(), &flags.to_be_bytes(), &index.to_be_bytes(), payload])
}

/// ERSPAN type III that carries an Ethernet frame.
pub fn erspan_iii(vlan: u16, session: u16, timestamp: u32, egress: bool, subheader: bool, payload: &[u8]) -> Vec<u8> {
    let flags = u16::from(egress) << 3 | u16::from(subheader);
    concat(&[
        &(0x2000 | vlan).to_be_bytes(),
        &session.to_be_bytes(),
        &timestamp.to_be_bytes(),
        &[0, 0],
        &flags.to_be_bytes(),
        if subheader { &[0x11; 8] } else { &[] },
        payload,
    ])
}

pub fn vxlan(vni: u32, payload: &[u8]) -> Vec<u8> {
    concat(&[&[8, 0, 0, 0], &(vni << 8).to_be_bytes(), payload])
}

/// VXLAN-GPE that says it carries Ethernet.
pub fn vxlan_gpe(vni: u32, payload: &[u8]) -> Vec<u8> {
    concat(&[&[0x0c, 0, 0, 3], &(vni << 8).to_be_bytes(), payload])
}

/// Geneve with `words` words of options.
pub fn geneve(vni: u32, ethertype: u16, words: u8, payload: &[u8]) -> Vec<u8> {
    let options = vec![0; 4 * usize::from(words)];
    concat(&[&[words, 0], &ethertype.to_be_bytes(), &(vni << 8).to_be_bytes(), &options, payload])
}

/// A T-PDU, with a sequence number and one extension header or without both.
pub fn gtpu(teid: u32, extended: bool, packet: &[u8]) -> Vec<u8> {
    let optional: &[u8] = if extended { &[0, 1, 0, 0x85, 1, 0x10, 9, 0] } else { &[] };
    let length = (optional.len() + packet.len()) as u16;
    let flags = if extended { 0x36 } else { 0x30 };
    concat(&[&[flags, 255], &length.to_be_bytes(), &teid.to_be_bytes(), optional, packet])
}

pub fn tzsp(payload: &[u8]) -> Vec<u8> {
    concat(&[&[1, 0, 0, 1, 10, 1, 0xd4, 0, 1], payload])
}

/// A data frame of 802.11 with quality of service, in TZSP behind nothing, Prism's header in either byte order, or AVS's.
pub fn tzsp_wlan(radio: usize, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let headers: [(u8, &[u8], usize); 4] = [
        (18, &[], 0),
        (119, &[0x44, 0, 0, 0, 144, 0, 0, 0], 144),
        (119, &[0, 0, 0, 0x44, 0, 0, 0, 144], 144),
        (127, &[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], 64),
    ];
    let (protocol, start, length) = headers[radio];
    let mut bytes = concat(&[&[1, 0, 0, protocol, 1], start]);
    bytes.resize(5 + length, 0xaa);
    let frame = [&[0x88, 1][..], &[2; 24], &[0xaa, 0xaa, 3, 0, 0, 0], &ethertype.to_be_bytes(), payload];
    concat(&[&bytes, &frame.concat()])
}

pub fn erm(vlan: u16, payload: &[u8]) -> Vec<u8> {
    concat(&[&[0; 8], &(u32::from(vlan) << 8).to_be_bytes(), payload])
}

pub fn capwap(radio: u8, payload: &[u8]) -> Vec<u8> {
    let ids = 2 << 11 | u16::from(radio) << 6 | 1 << 1;
    concat(&[&[0], &ids.to_be_bytes(), &[0; 5], payload])
}

/// L2TP with every optional field, in front of PPP.
pub fn l2tp(tunnel: u16, session: u16, ppp: &[u8]) -> Vec<u8> {
    let length = (16 + ppp.len()) as u16;
    let numbers = [0x4a02, length, tunnel, session, 1, 2, 2].map(u16::to_be_bytes).concat();
    concat(&[&numbers, &[0xee; 2], ppp])
}

/// An L2TP version 3 message, `prefix` bytes of cookie and sublayer before the frame.
pub fn l2tpv3(session: u32, prefix: usize, frame: &[u8]) -> Vec<u8> {
    concat(&[&session.to_be_bytes(), &vec![0xc0; prefix], frame])
}

pub fn ppp(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    concat(&[&[0xff, 3, 0, if ethertype == IPV4 { 0x21 } else { 0x57 }], payload])
}

pub fn pppoe(session: u16, ppp: &[u8]) -> Vec<u8> {
    concat(&[&[0x11, 0], &session.to_be_bytes(), &(ppp.len() as u16).to_be_bytes(), ppp])
}

/// A stack of labels, outermost first.
pub fn mpls(labels: &[u32], payload: &[u8]) -> Vec<u8> {
    let last = labels.len() - 1;
    let entry = |(place, label): (usize, &u32)| (label << 12 | u32::from(place == last) << 8 | 64).to_be_bytes();
    concat(&[&labels.iter().enumerate().map(entry).collect::<Vec<_>>().concat(), payload])
}
