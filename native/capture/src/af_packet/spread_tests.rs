use std::fs;
use std::io::{self, Write};
use std::path::Path;

use proptest::prelude::*;
use wire::{Address, EncapStack, Encapsulation, Network, TunnelPorts, UdpTunnel};

use super::*;
use crate::file::FileReader;
use crate::frame::{Block, Frame, LinkType, OwnedBlock};

fn ports() -> TunnelPorts {
    TunnelPorts::new(&[4789, 8472])
        .with(UdpTunnel::Geneve, &[6081])
        .with(UdpTunnel::Gtpu, &[2152])
        .with(UdpTunnel::Tzsp, &[37008])
}

/// A frame as the kernel shows it to a fanout program: without the outer tag, from the network header on.
struct Seen<'a> {
    ethertype: u32,
    bytes: &'a [u8],
}

impl<'a> Seen<'a> {
    /// `None` for a link type that no interface has.
    fn by_kernel(frame: &Frame<'a>) -> Option<Self> {
        let half = |at: usize| frame.data.get(at..at + 2).map(|field| u32::from(field[0]) << 8 | u32::from(field[1]));
        let from = |at: usize| frame.data.get(at..).unwrap_or_default();
        match frame.link_type {
            LinkType::ETHERNET => {
                let (mut ethertype, mut start) = (half(12)?, 14);
                if matches!(ethertype, 0x8100 | 0x88a8) {
                    (ethertype, start) = (half(16)?, 18);
                }
                // ETH_P_802_2 of <linux/if_ether.h>.
                Some(Self { ethertype: if ethertype < 0x0600 { 4 } else { ethertype }, bytes: from(start) })
            }
            LinkType::RAW => {
                let ethertype = if from(0).first()? >> 4 == 6 { 0x86dd } else { 0x0800 };
                Some(Self { ethertype, bytes: from(0) })
            }
            _ => None,
        }
    }
}

/// Runs a program as the kernel does (`Documentation/networking/filter.rst`), as far as the assembler speaks.
fn run(program: &[sock_filter], frame: &Seen<'_>) -> u32 {
    let (mut a, mut x, mut memory, mut at) = (0_u32, 0_u32, [0_u32; 16], 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        match u32::from(code) {
            0x20 => a = frame.ethertype,
            0x80 => a = frame.bytes.len() as u32,
            0x40 | 0x48 | 0x50 => {
                let (start, width) = (x.wrapping_add(k) as usize, [4, 2, 1][usize::from(code >> 3 & 3)]);
                let Some(bytes) = frame.bytes.get(start..start + width) else { return 0 };
                a = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
            }
            0x00 => a = k,
            0x01 => x = k,
            0x02 => memory[k as usize] = a,
            0x03 => memory[k as usize] = x,
            0x60 => a = memory[k as usize],
            0x61 => x = memory[k as usize],
            0x04 => a = a.wrapping_add(k),
            0x0c => a = a.wrapping_add(x),
            0x1c => a = a.wrapping_sub(x),
            0x24 => a = a.wrapping_mul(k),
            0x44 => a |= k,
            0x54 => a &= k,
            0x64 => a <<= k,
            0x74 => a >>= k,
            0xac => a ^= x,
            0x05 => at += k as usize,
            0x15 => at += usize::from(if a == k { jt } else { jf }),
            0x35 => at += usize::from(if a >= k { jt } else { jf }),
            0x45 => at += usize::from(if a & k != 0 { jt } else { jf }),
            0x07 => x = a,
            0x87 => a = x,
            0x06 => return k,
            0x16 => return a,
            other => panic!("instruction {other:#x} is none of the assembler's"),
        }
    }
}

/// What the decoder's innermost address pair gives; `None` where the frame cannot be decoded.
fn of_decoded(frame: &Frame<'_>) -> Option<u32> {
    let mut stack = EncapStack::new();
    let decoded = wire::decode(frame.data, frame.origlen, frame.link_type.0, &ports(), &mut stack).ok()?;
    let (source, destination) = match (around_left_out(&stack), decoded.network) {
        (Some(pair), _) => pair,
        (None, Network::Ip(packet)) => (packet.source, packet.destination),
        (None, Network::NonIp { .. }) => return Some(0),
    };
    let words = |address: Address| u128::from_be_bytes(*address.bytes());
    let pair = words(source) ^ words(destination);
    Some(spread((pair ^ pair >> 32 ^ pair >> 64 ^ pair >> 96) as u32))
}

/// The ends of the packet around the first tunnel that the program does not enter.
fn around_left_out(stack: &EncapStack) -> Option<(Address, Address)> {
    let tunnel = stack.iter().position(|layer| matches!(layer, Encapsulation::L2tpV3 { .. }))?;
    match stack[..tunnel].last() {
        Some(Encapsulation::Ip { source, destination }) => Some((*source, *destination)),
        other => panic!("a packet carries a tunnel: {other:?}"),
    }
}

fn captures() -> Option<Vec<String>> {
    let Ok(corpus) = std::env::var("SPANWATCH_CORPUS") else {
        writeln!(io::stderr(), "SKIPPED spread: SPANWATCH_CORPUS is not set").expect("standard error");
        return None;
    };
    let entries = fs::read_dir(Path::new(&corpus).join("pcap")).expect("the corpus has captures");
    Some(entries.map(|entry| entry.expect("an entry").path().to_string_lossy().into_owned()).collect())
}

fn for_each_frame(path: &str, mut look: impl FnMut(&Frame<'_>)) {
    let Ok(mut reader) = FileReader::open(path, 0) else { return };
    let mut block = OwnedBlock::default();
    while let Ok(Some(next)) = reader.next_block(block) {
        next.frames().for_each(|frame| look(&frame));
        block = next;
    }
}

#[test]
fn every_real_frame_is_spread_by_the_pair_that_the_decoder_finds() {
    let program = program(&ports()).expect("a program");
    let (mut compared, mut differences) = (0, Vec::new());
    let Some(captures) = captures() else { return };
    for path in captures {
        let mut number = 0;
        for_each_frame(&path, |frame| {
            number += 1;
            let (Some(seen), Some(expected)) = (Seen::by_kernel(frame), of_decoded(frame)) else { return };
            compared += 1;
            if run(&program, &seen) != expected {
                differences.push(format!("{path}: frame {number}"));
            }
        });
    }
    assert!(compared > 1000 && differences.is_empty(), "{compared} compared, {differences:#?}");
}

fn ethernet(data: &[u8]) -> Frame<'_> {
    Frame {
        timestamp_ns: 0,
        data,
        origlen: data.len() as u32,
        link_type: LinkType::ETHERNET,
        interface: 0,
        number: 0,
        worker: None,
    }
}

/// Runs the program over Ethernet bytes.
fn spread_of(program: &[sock_filter], data: &[u8]) -> u32 {
    Seen::by_kernel(&ethernet(data)).map_or(0, |seen| run(program, &seen))
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

const MACS: &str = "020000000001 020000000002";
/// What may stand between the Ethernet header of a frame and the innermost packet.
const CARRIERS: [&str; 22] = [
    "",
    "8100 0005",
    "88a8 0005 8100 0006",
    "9100 0005 9200 0006 8100 0007",
    // The security group tag; MACsec in the clear with its channel; two labels and a pseudowire with control word.
    "8909 0101 0001 0064",
    "88e5 2000 00000001 001b44113ab70001",
    "8847 00064040 00065140 00000000 MACS",
    // PPP in PPPoE, in PPTP and in L2TP, of which the frame is bridged.
    "8864 1100 0011 0140 0031 0001 MACS",
    "0800 4500 0000 0000 0000 402f 0000 c0000201 c0000202 3081 880b 01400001 00000001 00000001 ff03 31 0001 MACS",
    "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 06a5 06a5 0000 0000 4802 0140 00010002 00000000 31 0001 MACS",
    // Geneve with an option, VXLAN-GPE with NSH, TZSP, HPE's, CAPWAP, EtherIP.
    "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 c000 17c1 0000 0000 0140 6558 00000a00 00000000 MACS",
    "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 c000 12b6 0000 0000 0c000004 00006400 0fc2 0103 000064fe MACS",
    "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 c000 9090 0000 0000 0100 0001 01 MACS",
    "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 c000 1efc 0000 0000 000000000000000000000000 MACS",
    "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 c000 147f 0000 0000 00 1000 00 00000000 MACS",
    "0800 4500 0000 0000 0000 4061 0000 c0000201 c0000202 3000 MACS",
    // GRE with checksum, key and sequence number.
    "0800 4500 0000 0000 0000 402f 0000 c0000201 c0000202 b000 6558 00000000 00000001 00000002 MACS",
    // ERSPAN I; II in a tag; III with subheader, behind IPv6 with hop-by-hop options.
    "0800 4500 0000 0000 0000 402f 0000 c0000201 c0000202 0000 88be MACS",
    "8100 0005 0800 4500 0000 0000 0000 402f 0000 c0000201 c0000202 1000 88be 00000001 1001000100000000 MACS",
    "86dd 6000 0000 0000 0040 V6A V6B 2f00 0000 0000 0000 1000 22eb 00000001 20010001 00000000 0000 0001 \
     0000000000000000 MACS 8100 0009",
    // VXLAN behind IPv4 with options and behind IPv6.
    "0800 4600 0000 0000 0000 4011 0000 c0000201 c0000202 01010101 c000 12b5 0000 0000 08000000 00000100 MACS",
    "86dd 6000 0000 0000 1140 V6A V6B 2118 c000 0000 0000 08000000 00000100 MACS",
];

fn carried(carrier: &str, packet: &str) -> Vec<u8> {
    let text = format!("{MACS} {carrier} {packet}").replace("MACS", MACS);
    hex(&text.replace("V6A", "20010db80000000000000000000000a1").replace("V6B", "20010db80000000000000000000000b2"))
}

/// Pairs of packets that belong together.
const TOGETHER: [(&str, &str); 5] = [
    // Both directions.
    (
        "0800 4500 0028 0000 4000 4006 0000 0a00002a 0a000117 1000 0050",
        "0800 4500 0028 0000 4000 4006 0000 0a000117 0a00002a 0050 1000",
    ),
    ("86dd 6000 0000 0014 0640 V6A V6B 1000 0050", "86dd 6000 0000 0014 0640 V6B V6A 0050 1000"),
    // The first fragment of a datagram and the next one.
    (
        "0800 4500 0028 0001 2000 4011 0000 0a00002a 0a000117 1000 0035 0100 0000",
        "0800 4500 0028 0001 00b9 4011 0000 0a00002a 0a000117 dead 12b5 beef 0000 ffff",
    ),
    (
        "86dd 6000 0000 0014 2c40 V6A V6B 11000001 00000007 1000 0035 0100 0000",
        "86dd 6000 0000 0014 2c40 V6A V6B 110005a8 00000007 dead 12b5 beef 0000 ffff",
    ),
    // A datagram, and the message of its receiver that nobody listens there.
    (
        "0800 4500 0028 0000 4000 4011 0000 0a00002a 0a000117 1000 0035 0014 0000",
        "0800 4500 0038 0000 4000 4001 0000 0a000117 0a00002a 0303 0000 00000000",
    ),
];

#[test]
fn what_belongs_together_meets_in_whatever_it_is_carried() {
    let program = program(&ports()).expect("a program");
    for (one, other) in TOGETHER {
        let alone = spread_of(&program, &carried("", one));
        for carrier in CARRIERS {
            assert_eq!(spread_of(&program, &carried(carrier, one)), alone, "{one} in {carrier}");
            assert_eq!(spread_of(&program, &carried(carrier, other)), alone, "{other} in {carrier}");
        }
        assert_ne!(alone, 0, "{one}");
    }
}

#[test]
fn an_ip_packet_is_found_behind_what_names_it_otherwise() {
    let program = program(&ports()).expect("a program");
    let (ipv4, ipv6) = (TOGETHER[0].0.trim_start_matches("0800"), TOGETHER[1].0.trim_start_matches("86dd"));
    let udp = "0800 4500 0000 0000 0000 4011 0000 c0000201 c0000202 c000";
    let gtpu = format!("{udp} 0868 0000 0000 34ff 0040 00000009 00000085 01000085 01000000");
    for (carrier, packet, (alone, _)) in [
        ("8847 00064140", ipv4, TOGETHER[0]),
        ("8847 00064140", ipv6, TOGETHER[1]),
        // An address that could be the type of a frame.
        (
            "8847 00064140",
            "6000 0000 0000 3b40 20010db8080000000000000000000001 V6B",
            ("86dd 6000 0000 0000 3b40 20010db8080000000000000000000001 V6B", ""),
        ),
        ("8864 1100 0011 0040 0021", ipv4, TOGETHER[0]),
        ("0800 4500 0000 0000 0000 4004 0000 c0000201 c0000202", ipv4, TOGETHER[0]),
        ("0800 4500 0000 0000 0000 4029 0000 c0000201 c0000202", ipv6, TOGETHER[1]),
        ("0800 4500 0000 0000 0000 402f 0000 c0000201 c0000202 0000 883e 01020304", ipv4, TOGETHER[0]),
        (&format!("{udp} 0dd8 0000 0000 0001 0101 aa bb 0000000000000000 00 0000 f0f0 f0f0f0f0"), ipv6, TOGETHER[1]),
        (&format!("{udp} 19eb 0000 0000 00064140"), ipv6, TOGETHER[1]),
        (&gtpu, ipv4, TOGETHER[0]),
        (&format!("{udp} 9090 0000 0000 0100 0001 00 0a0211ff 01 {MACS} 0800"), ipv4, TOGETHER[0]),
    ] {
        let expected = spread_of(&program, &carried("", alone));
        assert_eq!(spread_of(&program, &carried(carrier, packet)), expected, "{packet} in {carrier}");
    }
}

#[test]
fn every_tunnel_inside_every_other_is_entered_as_the_decoder_enters_it() {
    let program = program(&ports()).expect("a program");
    let (packet, _) = TOGETHER[0];
    let alone = spread_of(&program, &carried("", packet));
    let mut entered = 0;
    for outer in CARRIERS {
        for inner in CARRIERS {
            // MACsec has a check value at the end.
            let data = [carried(&format!("{outer} {inner}"), packet), vec![0; 64]].concat();
            let found = spread_of(&program, &data);
            assert_eq!(Some(found), of_decoded(&ethernet(&data)), "{inner} in {outer}");
            entered += usize::from(found == alone);
        }
    }
    // A pseudowire is told by the commonest of what it may carry only.
    assert!(entered > CARRIERS.len() * CARRIERS.len() - 8, "{entered}");
}

/// Whether the decoder finds the first packet of [`TOGETHER`].
fn is_entered_by_the_decoder(data: &[u8]) -> bool {
    let decoded = wire::decode(data, data.len() as u32, 1, &ports(), &mut EncapStack::new());
    matches!(decoded, Ok(wire::Packet { network: Network::Ip(packet), .. }) if packet.source == Address::v4([10, 0, 0, 42]))
}

#[test]
fn a_tunnel_that_is_left_out_goes_by_the_packet_around_it() {
    let program = program(&ports()).expect("a program");
    let (packet, _) = TOGETHER[0];
    let whole = format!("{packet} {}", "00".repeat(16));
    let air = |header: &str| {
        let frame = format!("{header} 0802 {} aaaa03 000000", "00".repeat(22));
        format!("0800 4500 0200 0000 0000 4011 0000 c0000201 c0000202 c000 9090 01ec 0000 {frame}")
    };
    for left_out in [
        // L2TP version 3, of which only trying tells where the frame stands.
        "0800 4500 0052 0000 0000 4073 0000 c0000201 c0000202 00000007 c0c1c2c3 MACS".to_owned(),
        // 802.11 in TZSP, alone and behind the headers of Prism and AVS.
        air("0100 0012 01"),
        air(&format!("0100 0077 01 44000000 90000000 {}", "00".repeat(136))),
        air(&format!("0100 007f 01 80211001 00000040 {}", "00".repeat(56))),
    ] {
        for carrier in CARRIERS {
            let data = [carried(&format!("{carrier} {left_out}"), &whole), vec![0; 512]].concat();
            let found = spread_of(&program, &data);
            assert_eq!(found, spread(0xc000_0201 ^ 0xc000_0202), "{left_out} in {carrier}");
            assert!(is_entered_by_the_decoder(&data), "{left_out} in {carrier}");
        }
    }
}

#[test]
fn what_is_no_tunnel_after_all_goes_by_the_packet_itself() {
    let program = program(&ports()).expect("a program");
    let expected = spread(0xc000_0201 ^ 0xc000_0202);
    for rest in [
        // Another port; no I flag; too short a datagram; PPTP without data; a keepalive; an unknown frame of ERSPAN III.
        "4011 0000 c0000201 c0000202 1000 1001 0000 0000 08000000 00000100",
        "4011 0000 c0000201 c0000202 1000 12b5 0000 0000 00000000 00000100",
        "4011 0000 c0000201 c0000202 1000 12b5 000c 0000 08000000",
        "402f 0000 c0000201 c0000202 2081 880b 00000000 00000000",
        "402f 0000 c0000201 c0000202 0000 0000",
        "402f 0000 c0000201 c0000202 0000 22eb 20010001 00000000 0000 1c00",
        // On the port of HPE's mirroring: no frame, too short for one, and a frame that comes from the port.
        "4011 0000 c0000201 c0000202 c000 1efc 0000 0000 000000000000000000000000 MACS 3132 3334",
        "4011 0000 c0000201 c0000202 c000 1efc 0010 0000 0000000000000000",
        "4011 0000 c0000201 c0000202 1efc c000 0000 0000 000000000000000000000000 MACS 0800 4500 0014 0000 0000 4006 \
         0000 0a00002a 0a000117",
    ] {
        let data = carried("0800 4500 0000 0000 0000", rest);
        assert_eq!(spread_of(&program, &data), expected, "{rest}");
        assert_eq!(of_decoded(&ethernet(&data)), Some(expected), "{rest}");
    }
}

#[test]
fn what_has_no_address_pair_is_the_first_workers() {
    let program = program(&ports()).expect("a program");
    for payload in ["0806 0001 0800 0604 0001", "0026 4242 0300 0000 0000", "88cc 0207", ""] {
        // In HPE's mirroring it goes by the datagram, which nobody's flow minds.
        for carrier in CARRIERS.into_iter().filter(|carrier| !carrier.contains("1efc")) {
            assert_eq!(spread_of(&program, &carried(carrier, payload)), 0, "{payload} in {carrier}");
        }
    }
}

#[test]
fn it_fits_the_kernel_with_as_many_ports_as_are_looked_at() {
    let vxlan: Vec<u16> = (1..=100).collect();
    assert!(program(&ports().with(UdpTunnel::Vxlan, &vxlan)).expect("a program").len() <= libc::BPF_MAXINSNS as usize);
}

proptest! {
    #[test]
    fn any_bytes_give_some_worker(data in proptest::collection::vec(any::<u8>(), 0..300), carrier in 0..CARRIERS.len()) {
        let program = program(&ports()).expect("a program");
        let frame = [carried(CARRIERS[carrier], ""), data].concat();
        for length in 0..frame.len() {
            spread_of(&program, &frame[..length]);
        }
    }
}
