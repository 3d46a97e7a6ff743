//! Frames for tests, built from the inside out by code that shares nothing with the decoder.
#![allow(dead_code, unreachable_pub)] // each test uses its part

/// EtherTypes and GRE protocols.
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
pub const VLAN: u16 = 0x8100;
pub const BRIDGED: u16 = 0x6558;
pub const ERSPAN: u16 = 0x88be;
pub const ERSPAN_III: u16 = 0x22eb;

pub const VXLAN_PORT: u16 = 4789;

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
