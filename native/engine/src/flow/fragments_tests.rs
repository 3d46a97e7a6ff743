use wire::{EncapStack, Network, Packet, TunnelPorts};

use super::*;
use crate::testing::*;

const HEADER: [u8; 8] = [0xc3, 0x50, 0x01, 0xbb, 0x10, 0, 0, 0];
const PORTS: (u16, u16) = (50_000, 443);

/// The ports that a frame is accounted to.
fn ports_of(fragments: &mut Fragments, frame: &[u8], time_ns: u64) -> (u16, u16) {
    let tuple = tuple_of(fragments, frame, time_ns);
    (tuple.orig.port, tuple.resp.port)
}

fn tuple_of(fragments: &mut Fragments, frame: &[u8], time_ns: u64) -> FiveTuple {
    let mut stack = EncapStack::new();
    match wire::decode(frame, frame.len() as u32, 1, &TunnelPorts::new(&[]), &mut stack) {
        Ok(Packet { network: Network::Ip(packet), .. }) => fragments.tuple(&packet, time_ns),
        other => panic!("an IP packet: {other:?}"),
    }
}

fn first(identification: u16) -> Vec<u8> {
    fragment(PC, SERVER, identification, (0, true), &HEADER)
}

fn last(identification: u16) -> Vec<u8> {
    fragment(PC, SERVER, identification, (1, false), &[0xde; 8])
}

/// A fragment of IPv6: `next` is the first header behind the fragment header.
fn fragment_v6(next: u8, identification: u32, offset_and_more: u16, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0];
    frame.extend((8 + data.len() as u16).to_be_bytes());
    frame.extend([44, 64]);
    frame.extend([1_u8, 2].map(|last| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]).concat());
    frame.extend([next, 0]);
    frame.extend(offset_and_more.to_be_bytes());
    frame.extend(identification.to_be_bytes());
    frame.extend(data);
    frame
}

#[test]
fn later_fragments_go_by_the_first_whatever_their_order() {
    let mut fragments = Fragments::default();
    assert_eq!(ports_of(&mut fragments, &last(7), 0), (0, 0));
    assert_eq!(ports_of(&mut fragments, &first(7), 1), PORTS);
    assert_eq!(ports_of(&mut fragments, &last(7), 2), PORTS);
    let middle = fragment(PC, SERVER, 7, (2, true), &[0; 8]);
    assert_eq!(ports_of(&mut fragments, &middle, 3), PORTS);
}

#[test]
fn what_differs_in_any_part_is_another_datagrams() {
    let mut fragments = Fragments::default();
    ports_of(&mut fragments, &first(7), 0);
    let mut other_protocol = last(7);
    other_protocol[23] = 47;
    let other_host = fragment(PC, End([203, 0, 113, 10], 443), 7, (1, false), &[0; 8]);
    let back = fragment(SERVER, PC, 7, (1, false), &[0; 8]);
    for frame in [last(8), other_protocol, other_host, back] {
        assert_eq!(ports_of(&mut fragments, &frame, 1), (0, 0));
    }
}

#[test]
fn an_identification_that_is_used_again_speaks_of_the_new_datagram() {
    let mut fragments = Fragments::default();
    ports_of(&mut fragments, &first(7), 0);
    let again = fragment(PC, SERVER, 7, (0, true), &[0x10, 0x00, 0x00, 0x35, 0, 16, 0, 0]);
    ports_of(&mut fragments, &again, 1);
    assert_eq!(ports_of(&mut fragments, &last(7), 2), (4096, 53));
    // A first fragment without ports, which hides what follows, tells of none.
    ports_of(&mut fragments, &fragment(PC, SERVER, 7, (0, true), &[0x10]), 3);
    assert_eq!(ports_of(&mut fragments, &last(7), 4), (0, 0));
}

#[test]
fn after_half_a_minute_a_datagram_is_forgotten() {
    let mut fragments = Fragments::default();
    ports_of(&mut fragments, &first(7), 100 * SECOND);
    assert_eq!(ports_of(&mut fragments, &last(7), 130 * SECOND), PORTS);
    assert_eq!(ports_of(&mut fragments, &last(7), 130 * SECOND + 1), (0, 0));
    // Frames of another interface may come from a little earlier.
    assert_eq!(ports_of(&mut fragments, &last(7), 99 * SECOND), PORTS);
}

#[test]
fn ipv6_tells_datagrams_apart_by_all_32_bits_and_the_first_names_the_protocol() {
    let mut fragments = Fragments::default();
    // Destination options stand between the fragment header and UDP.
    let options = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &HEADER].concat();
    ports_of(&mut fragments, &fragment_v6(60, 0x0001_0007, 1, &options), 0);
    let tuple = tuple_of(&mut fragments, &fragment_v6(60, 0x0001_0007, 16, &[0; 8]), 1);
    assert_eq!((tuple.protocol, tuple.orig.port, tuple.resp.port), (17, PORTS.0, PORTS.1));
    let tuple = tuple_of(&mut fragments, &fragment_v6(60, 0x0002_0007, 16, &[0; 8]), 1);
    assert_eq!((tuple.protocol, tuple.orig.port, tuple.resp.port), (60, 0, 0));
}

#[test]
fn a_flood_pushes_out_the_oldest_and_is_counted() {
    let mut fragments = Fragments::default();
    let (datagrams, index) = (fragments.datagrams.capacity(), fragments.index.allocation_size());
    ports_of(&mut fragments, &first(0), 0);
    ports_of(&mut fragments, &last(0), 0);
    for identification in 1..=MAX_DATAGRAMS as u16 + 2 {
        ports_of(&mut fragments, &first(identification), 1);
    }
    // The oldest was complete, and no loss.
    assert_eq!(fragments.forgotten(), 2);
    assert_eq!(ports_of(&mut fragments, &last(2), 2), (0, 0));
    assert_eq!(ports_of(&mut fragments, &last(3), 2), PORTS);
    for identification in 0..=u16::MAX {
        ports_of(&mut fragments, &first(identification), 100 * SECOND);
    }
    assert_eq!(ports_of(&mut fragments, &last(u16::MAX), 100 * SECOND), PORTS);
    assert_eq!((fragments.datagrams.len(), fragments.index.len()), (MAX_DATAGRAMS, MAX_DATAGRAMS));
    assert_eq!((fragments.datagrams.capacity(), fragments.index.allocation_size()), (datagrams, index));
}
