//! Decoding is total: every frame cut at every length, with every bit turned, and random bytes under every link type give
//! a packet or an error that names a place inside the frame.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use wire::{DecodeError, EncapStack, MAX_ENCAPSULATIONS, Network, Packet, decode, plain_ends, plain_packet};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];
const A6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const B6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

fn segment() -> Vec<u8> {
    common::tcp((50000, 443), (7, 8), 0x18, &[1; 12], b"payload")
}

/// An IPv4 packet in an Ethernet frame with one tag.
fn tagged() -> Vec<u8> {
    let packet = common::Ipv4::new(A, B, 6).carry(&segment());
    common::ethernet(MAC, MAC, common::VLAN, &common::tag(20, common::IPV4, &packet))
}

fn over_ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    common::ethernet(MAC, MAC, common::IPV4, &common::Ipv4::new(B, A, protocol).carry(payload))
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    over_ip(17, &common::udp(50000, port, payload))
}

fn ipv4() -> Vec<u8> {
    common::Ipv4::new(A, B, 6).carry(&segment())
}

/// GRE of version 1 with sequence number.
fn pptp(ppp: &[u8]) -> Vec<u8> {
    common::concat(&[&[0x30, 1, 0x88, 0x0b], &(ppp.len() as u16).to_be_bytes(), &[0, 7, 0, 0, 0, 1], ppp])
}

/// One frame of each kind that is followed.
fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let extensions = common::ipv6_options(60, 1, &common::ipv6_options(6, 0, &segment()));
    let over_ipv6 = common::ipv6(A6, B6, 0, 64, &extensions);
    let gre =
        |protocol, sequence, payload: &[u8]| over_ip(47, &common::gre(protocol, true, Some(5), sequence, payload));
    vec![
        ("vlan", tagged()),
        ("ipv6 with extensions", common::ethernet(MAC, MAC, common::IPV6, &over_ipv6)),
        ("udp", over_ip(17, &common::udp(53, 1024, b"payload"))),
        ("icmp", over_ip(1, &[8, 0, 0, 0, 0, 1, 0, 1, 9, 9])),
        ("icmp error", over_ip(1, &common::concat(&[&[3, 1, 0, 0, 0, 0, 0, 0], &ipv4()]))),
        (
            "icmpv6 error",
            common::ethernet(
                MAC,
                MAC,
                common::IPV6,
                &common::ipv6(A6, B6, 58, 64, &common::concat(&[&[2, 0, 0, 0, 0, 0, 5, 0], &over_ipv6])),
            ),
        ),
        ("6in4", over_ip(41, &over_ipv6)),
        ("gre", gre(common::IPV6, Some(6), &over_ipv6)),
        ("gre, bridged", gre(common::BRIDGED, None, &tagged())),
        ("erspan i", gre(common::ERSPAN, None, &tagged())),
        ("erspan ii", gre(common::ERSPAN, Some(1), &common::erspan_ii(20, false, 3, 4, &tagged()))),
        ("erspan iii", gre(common::ERSPAN_III, Some(1), &common::erspan_iii(20, 3, 4, true, true, &tagged()))),
        (
            "gre, routed",
            over_ip(47, &common::concat(&[&[0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 2, 9, 9, 0, 0, 0, 0], &ipv4()])),
        ),
        ("gre, pptp", over_ip(47, &pptp(&common::ppp(common::IPV4, &ipv4())))),
        ("vxlan-gpe", udp(common::VXLAN_GPE_PORT, &common::vxlan_gpe(9, &tagged()))),
        ("geneve", udp(common::GENEVE_PORT, &common::geneve(9, common::BRIDGED, 3, &tagged()))),
        ("gtpu", udp(common::GTPU_PORT, &common::gtpu(9, true, &ipv4()))),
        ("tzsp", udp(common::TZSP_PORT, &common::tzsp(&tagged()))),
        ("tzsp, prism", udp(common::TZSP_PORT, &common::tzsp_wlan(1, common::IPV4, &ipv4()))),
        ("erm", udp(common::ERM_PORT, &common::erm(9, &tagged()))),
        ("capwap", udp(common::CAPWAP_PORT, &common::capwap(1, &tagged()))),
        ("l2tp", udp(common::L2TP_PORT, &common::l2tp(1, 2, &common::ppp(common::IPV4, &ipv4())))),
        ("mpls in udp", udp(common::MPLS_PORT, &common::mpls(&[1, 2], &ipv4()))),
        ("teredo", udp(common::TEREDO_PORT, &over_ipv6)),
        ("mpls", common::ethernet(MAC, MAC, common::MPLS, &common::mpls(&[1, 2, 3], &ipv4()))),
        ("pseudowire", common::ethernet(MAC, MAC, common::MPLS, &common::mpls(&[1], &tagged()))),
        (
            "pppoe",
            common::ethernet(MAC, MAC, common::PPPOE_SESSION, &common::pppoe(7, &common::ppp(common::IPV4, &ipv4()))),
        ),
        ("nsh", common::ethernet(MAC, MAC, 0x894f, &common::concat(&[&[0x0f, 0xc2, 1, 1, 0, 0, 1, 2], &ipv4()]))),
        ("cisco metadata", common::ethernet(MAC, MAC, 0x8909, &common::concat(&[&[1, 1, 0, 1, 0, 9, 8, 0], &ipv4()]))),
        (
            "macsec",
            common::ethernet(MAC, MAC, 0x88e5, &common::concat(&[&[0, 0, 0, 0, 0, 1, 8, 0], &ipv4(), &[0; 16]])),
        ),
        ("l2tpv3", over_ip(115, &common::concat(&[&[0, 0, 0, 7, 0xc0, 0xc1, 0xc2, 0xc3, 0x40, 0, 0, 1], &tagged()]))),
        ("l2tpv3, ppp", over_ip(115, &common::concat(&[&[0, 0, 0, 7], &common::ppp(common::IPV4, &ipv4())]))),
        ("etherip", over_ip(97, &common::concat(&[&[0x30, 0], &tagged()]))),
        ("vxlan", over_ip(17, &common::udp(50000, common::VXLAN_PORT, &common::vxlan(9, &tagged())))),
    ]
}

fn decode_frame<'a>(frame: &'a [u8], origlen: usize, stack: &mut EncapStack) -> Result<Packet<'a>, DecodeError> {
    let decoded = decode(frame, origlen as u32, 1, &common::ports(), stack);
    if let Some([source, destination]) = plain_ends(frame, 1, &common::ports()) {
        let agrees = match &decoded {
            Ok(Packet { network: Network::Ip(ip), .. }) => (ip.source, ip.destination) == (source, destination),
            Ok(_) => false,
            Err(_) => true,
        };
        assert!(agrees, "{decoded:?} is not between {source} and {destination}");
    }
    if let Some(packet) = plain_packet(frame, origlen as u32, 1, &common::ports()) {
        assert_eq!((&decoded, stack.len()), (&Ok(packet), 0));
    }
    decoded
}

fn assert_bounds(frame: &[u8], result: Result<Packet<'_>, DecodeError>) {
    match result {
        Ok(Packet { network: Network::Ip(ip), .. }) => {
            assert!(ip.payload.len() as u32 <= ip.payload_length_bytes, "{ip:?}");
            assert!(ip.payload_length_bytes <= ip.length_bytes, "{ip:?}");
            // Whatever is quoted, no bytes make it panic.
            assert!(ip.quoted().is_none() || ip.payload.len() >= 20, "{ip:?}");
        }
        Ok(_) => {}
        Err(error) => assert!(error.offset as usize <= frame.len(), "{error}"),
    }
}

#[test]
fn cut_at_every_length() {
    for (name, frame) in frames() {
        let mut whole = EncapStack::new();
        let Ok(Packet { network: Network::Ip(expected), .. }) = decode_frame(&frame, frame.len(), &mut whole) else {
            panic!("{name} is not decoded");
        };
        for length in 0..frame.len() {
            let mut stack = EncapStack::new();
            let result = decode_frame(&frame[..length], frame.len(), &mut stack);
            assert_bounds(&frame[..length], result);
            assert!(whole.starts_with(&stack), "{name} cut at {length}: {stack:?}");
            // Where the innermost packet is reached, its length on the wire is known however much is missing.
            if let Ok(Packet { network: Network::Ip(ip), .. }) = result {
                if stack == whole {
                    assert_eq!((ip.source, ip.destination), (expected.source, expected.destination), "{name}");
                    assert_eq!(ip.length_bytes, expected.length_bytes, "{name} cut at {length}");
                }
            }
        }
    }
}

#[test]
fn every_bit_turned() {
    for (_, mut frame) in frames() {
        for bit in 0..frame.len() * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            let mut stack = EncapStack::new();
            assert_bounds(&frame, decode_frame(&frame, frame.len(), &mut stack));
            frame[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn nesting_has_an_end() {
    let mut packet = common::Ipv4::new(A, B, 6).carry(&segment());
    for _ in 0..MAX_ENCAPSULATIONS {
        packet = common::Ipv4::new(A, B, 4).carry(&packet);
    }
    let mut stack = EncapStack::new();
    assert!(decode_frame(&common::ethernet(MAC, MAC, common::IPV4, &packet), 0, &mut stack).is_ok());
    assert_eq!(stack.len(), MAX_ENCAPSULATIONS);

    packet = common::Ipv4::new(A, B, 4).carry(&packet);
    let error = decode_frame(&common::ethernet(MAC, MAC, common::IPV4, &packet), 0, &mut stack)
        .expect_err("one more than are followed");
    assert_eq!(error.to_string(), format!("ipv4 at byte {}: too_deep", 14 + 20 * (MAX_ENCAPSULATIONS + 1)));
    assert_eq!(stack.len(), MAX_ENCAPSULATIONS);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..200), link_type in prop::sample::select(vec![0u16, 1, 2, 9, 50, 51, 101, 104, 108, 113, 228, 229, 239, 276])) {
        let mut stack = EncapStack::new();
        let ports = common::ports();
        assert_bounds(&bytes, decode(&bytes, 0, link_type, &ports, &mut stack));
    }

    /// Random bytes seldom get past the first check: damage many bytes of a good frame at once, and cut it as well.
    #[test]
    fn damaged_frames(
        index in 0..frames().len(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        origlen in any::<u32>(),
    ) {
        let mut frame = frames().swap_remove(index).1;
        for (place, value) in damage {
            let place = place.index(frame.len());
            frame[place] = value;
        }
        frame.truncate(cut.index(frame.len() + 1).max(14));
        let mut stack = EncapStack::new();
        assert_bounds(&frame, decode_frame(&frame, origlen as usize, &mut stack));
    }
}
