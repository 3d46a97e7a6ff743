//! What the decoder makes of whole frames: real ones, and the rules at the edges.
#![allow(clippy::unwrap_used)] // a test that fails may panic

mod common;

use wire::{
    DecodeErrorKind, EncapStack, Encapsulation, IpPacket, Layer, Network, Packet, Transport, TunnelPorts, decode,
};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

fn ports() -> TunnelPorts {
    common::ports()
}

/// Decodes an Ethernet frame; gives its innermost IP packet and the encapsulations.
fn innermost(frame: &[u8]) -> (IpPacket<'_>, Vec<Encapsulation>) {
    let mut stack = EncapStack::new();
    match decode(frame, frame.len() as u32, 1, &ports(), &mut stack) {
        Ok(Packet { network: Network::Ip(ip), .. }) => (ip, stack.to_vec()),
        other => panic!("{other:?}"),
    }
}

fn error(frame: &[u8]) -> (Layer, DecodeErrorKind, u32) {
    let error = decode(frame, frame.len() as u32, 1, &ports(), &mut EncapStack::new()).unwrap_err();
    (error.layer, error.kind, error.offset)
}

fn over_ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    common::ethernet(MAC, MAC, common::IPV4, &common::Ipv4::new(A, B, protocol).carry(payload))
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A ping that a switch mirrored by ERSPAN type III, without GRE sequence number, the tag left in the frame.
#[test]
fn a_real_erspan_iii_frame() {
    let frame = hex("005056acc80c f8c28890d27b 0800
        4500008a 00000000 3f2f3d97 0a1d1e68 0a1d0b0d 000022eb 20140000 a3595bff 00000006
        005056ac18a0 f8c28890d27b 81000014 0800 45000054 9d124000 3f016b47 0a1d0b01 0a1d1415 0800269c 3fcb00e2");
    let (ip, stack) = innermost(&frame);
    assert_eq!((ip.source.to_string(), ip.destination.to_string()), ("10.29.11.1".into(), "10.29.20.21".into()));
    assert_eq!(ip.transport, Transport::Icmp { kind: 8, code: 0 });
    assert_eq!((ip.length_bytes, ip.payload_length_bytes), (84, 56));
    assert_eq!(stack.len(), 3);
    assert_eq!(stack[2], Encapsulation::Vlan { id: 20 });
    let Encapsulation::ErspanIII { sequence: None, session: 0, vlan: 20, truncated: false, .. } = stack[1] else {
        panic!("{stack:?}");
    };
}

#[test]
fn a_tunnel_that_is_not_followed_is_the_innermost_packet() {
    let unknown_frame_type = hex("1000 22eb 0000bade 2001 0065 00000001 0000 1c00 aabbccdd");
    let keepalive = hex("0000 0000");
    let pptp_control = hex("3081 880b 0008 0001 00000001 00000002 ff03 c021 01010004");
    let mpls = hex("0000 8847 00010140 10000007");
    let arp = hex("0000 0806 00010800 06040001");
    for payload in [unknown_frame_type, keepalive, pptp_control, mpls, arp] {
        let frame = over_ip(47, &payload);
        let (ip, stack) = innermost(&frame);
        assert_eq!((ip.protocol, ip.transport, ip.payload), (47, Transport::None, payload.as_slice()));
        assert_eq!(stack, []);
    }
}

#[test]
fn erspan_iii_may_carry_a_bare_ip_packet() {
    let carry = |packet: &[u8]| {
        let header = hex("1000 22eb 0000bade 2001 0065 00000001 0000 8800");
        over_ip(47, &common::concat(&[&header, packet]))
    };
    let frame = carry(&common::ipv6([1; 16], [2; 16], 17, 64, &common::udp(53, 1024, b"payload")));
    let (ip, stack) = innermost(&frame);
    assert_eq!((ip.transport, stack.len()), (Transport::Udp { source_port: 53, destination_port: 1024 }, 2));
    assert_eq!(error(&carry(&[0x33; 40])), (Layer::Erspan, DecodeErrorKind::Malformed, 14 + 20 + 8 + 12));
}

#[test]
fn udp_on_a_tunnel_port_that_is_no_tunnel_stays_udp() {
    let frame = over_ip(17, &common::udp(common::VXLAN_PORT, 53, &[0; 20]));
    let (ip, stack) = innermost(&frame);
    assert_eq!(ip.transport, Transport::Udp { source_port: common::VXLAN_PORT, destination_port: 53 });
    assert_eq!((ip.payload.len(), stack.len()), (20, 0));
}

#[test]
fn a_tunnel_may_carry_what_is_not_ip() {
    let payload: [u8; 28] = std::array::from_fn(|place| place as u8);
    let arp = common::ethernet([0xff; 6], [2, 0, 0, 0, 0, 9], 0x0806, &payload);
    let frame = over_ip(17, &common::udp(50_000, common::VXLAN_PORT, &common::vxlan(7, &arp)));
    let mut stack = EncapStack::new();
    let packet = decode(&frame, frame.len() as u32, 1, &ports(), &mut stack).unwrap();
    assert_eq!(packet.network, Network::NonIp { ethertype: 0x0806, payload: &payload });
    assert_eq!(packet.ether.unwrap().source.0, [2, 0, 0, 0, 0, 9]);
    assert_eq!(stack[1], Encapsulation::Vxlan { vni: 7 });
}

#[test]
fn a_later_fragment_of_a_tunnel_is_not_entered() {
    let header = common::Ipv4 { flags_and_offset: 0x00b9, ..common::Ipv4::new(A, B, 4) };
    let frame = common::ethernet(MAC, MAC, common::IPV4, &header.carry(&[0x45; 40]));
    let (ip, stack) = innermost(&frame);
    assert_eq!((ip.protocol, ip.later_fragment, ip.transport, ip.payload.len()), (4, true, Transport::None, 40));
    assert_eq!(stack, []);
}

/// The mirrored frame of a truncating session: the inner header tells the length that the outer one no longer holds.
#[test]
fn a_frame_cut_by_the_switch_keeps_its_length() {
    let packet = common::Ipv4::new(A, B, 6).carry(&common::tcp((1, 2), (0, 0), 0x10, &[], &[0; 1000]));
    let mirrored = common::ethernet(MAC, MAC, common::IPV4, &packet);
    let inner = common::erspan_ii(0, true, 1, 0, &mirrored[..14 + 20 + 20]);
    let frame = over_ip(47, &common::gre(common::ERSPAN, false, None, Some(1), &inner));
    let (ip, _) = innermost(&frame);
    assert_eq!((ip.length_bytes, ip.payload_length_bytes, ip.payload.len()), (1040, 1000, 0));

    let inner = common::erspan_ii(0, true, 1, 0, &mirrored[..14 + 19]);
    let frame = over_ip(47, &common::gre(common::ERSPAN, false, None, Some(1), &inner));
    assert_eq!(error(&frame), (Layer::Ipv4, DecodeErrorKind::Truncated, 14 + 20 + 8 + 8 + 14));
}

#[test]
fn errors_name_the_header_that_could_not_be_read() {
    assert_eq!(error(&over_ip(47, &[0, 0, 8])), (Layer::Gre, DecodeErrorKind::Truncated, 34));
    assert_eq!(error(&over_ip(47, &hex("4000 0800 00000000"))), (Layer::Gre, DecodeErrorKind::Truncated, 34));
    assert_eq!(error(&over_ip(4, &[0x65; 20])), (Layer::Ipv4, DecodeErrorKind::Malformed, 34));
    assert_eq!(error(&over_ip(41, &[])), (Layer::Ipv6, DecodeErrorKind::Truncated, 34));
}

#[test]
fn what_was_passed_before_an_error_stays_on_the_stack() {
    let mut stack: EncapStack = [Encapsulation::ErspanI; 3].into_iter().collect();
    let frame = common::ethernet(MAC, MAC, common::VLAN, &common::tag(5, common::IPV4, &[0x45]));
    assert!(decode(&frame, 19, 1, &ports(), &mut stack).is_err());
    assert_eq!(stack.as_slice(), [Encapsulation::Vlan { id: 5 }]);
}
