//! Real captures against what tshark makes of them: the same flows with the same number of packets and Community IDs.
//!
//! The captures stay outside the repository: SPANWATCH_CORPUS names their folder, with `pcap/` and `oracle/` in it.
//! Without it nothing is compared, and the test says so.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wire::{EncapStack, IpPacket, Network, TunnelPorts, community_id, decode};

/// What a capture holds; flows by `protocol|source|port|destination|port`.
#[derive(Debug, Default)]
struct Contents {
    frames: u64,
    packets: BTreeMap<String, u64>,
    /// Only of flows that the ports tell apart, and that tshark gives one for.
    community_ids: BTreeMap<String, String>,
}

impl Contents {
    fn agree_with(&self, expected: &Self) -> bool {
        let id_agrees = |(flow, id): (&String, &String)| self.community_ids.get(flow) == Some(id);
        self.frames == expected.frames
            && self.packets == expected.packets
            && expected.community_ids.iter().all(id_agrees)
    }
}

/// What tshark calls an encapsulation that the decoder follows.
const FOLLOWED: [&str; 12] = [
    "vlan",
    "qinq/stacked-vlan",
    "802.1ad",
    "gre",
    "erspan",
    "vxlan",
    "ipip(4in4)",
    "6in4",
    "4in6",
    "6in6",
    "sll",
    "esp",
];

/// Where another answer is the right one.
const EXCEPT: [(&str, &str); 6] = [
    ("ndpi__fuzz-2021-10-13.pcap", "its one record is damaged, and this test's reader drops it"),
    ("tcpdump__bigtcp-ipv6-vxlan-ipv4.pcap", "tshark was not told of VXLAN on port 8472"),
    ("tcpdump__erspan-type-iii-pb-1.pcap", "routing in GRE is an error of its own"),
    ("tcpdump__ipv6_frag6_negative_len.pcap", "tshark gives up inside a fragment header that is whole"),
    (
        "tcpdump__udp-length-heapoverflow.pcap",
        "tshark leaves the ports of a UDP header that is cut out of its Community ID",
    ),
    ("tcpdump__wccp_redirect_gre.pcap", "WCCP in GRE is not followed"),
];

#[test]
fn flows_are_those_that_tshark_sees() {
    let Some(corpus) = std::env::var_os("SPANWATCH_CORPUS").map(PathBuf::from) else {
        eprintln!("nothing compared: SPANWATCH_CORPUS is not set");
        return;
    };
    let mut compared = 0;
    let mut different = Vec::new();
    for path in captures(&corpus.join("pcap")) {
        let Some(expected) = expectation(&corpus, &path) else { continue };
        let Some(decoded) = contents(&fs::read(&path).expect("capture")) else { continue };
        compared += 1;
        if !decoded.agree_with(&expected) {
            different.push(format!("{}:\n  decoded  {decoded:?}\n  expected {expected:?}", path.display()));
        }
    }
    println!("{} of {compared} captures differ", different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(compared > 0, "no capture in {}", corpus.display());
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("corpus").map(|entry| entry.expect("entry").path()).collect();
    paths.sort();
    paths
}

/// What tshark found, where the decoder has to find the same.
fn expectation(corpus: &Path, capture: &Path) -> Option<Contents> {
    let name = capture.file_name()?.to_str()?;
    if EXCEPT.iter().any(|(except, _)| *except == name) {
        return None;
    }
    let text = fs::read_to_string(corpus.join("oracle").join(format!("{name}.oracle.json"))).ok()?;
    let oracle: Value = serde_json::from_str(&text).expect("oracle");
    let followed = oracle["encapsulations"].as_object()?.keys().all(|kind| FOLLOWED.contains(&kind.as_str()));
    if !followed || oracle["ip_fragments"] != 0 {
        return None;
    }
    let mut expected = Contents { frames: oracle["packets"].as_u64()?, ..Contents::default() };
    for (flow, counts) in oracle["flows"].as_object()? {
        expected.packets.insert(normal(flow), counts["packets"].as_u64()?);
    }
    for (flow, id) in oracle["community_id_untunnelled"].as_object().into_iter().flatten() {
        if flow.starts_with("tcp") || flow.starts_with("udp") || flow.starts_with("sctp") {
            expected.community_ids.insert(normal(flow), id.as_str()?.to_string());
        }
    }
    Some(expected)
}

/// The flow with its addresses as this side writes them.
fn normal(flow: &str) -> String {
    let field = |text: &str| text.parse::<IpAddr>().map_or(text.to_string(), |address| address.to_string());
    flow.split('|').map(field).collect::<Vec<_>>().join("|")
}

/// Decodes a capture in the classic format; `None` if it is in another, or of a link type that is not decoded.
fn contents(file: &[u8]) -> Option<Contents> {
    let big_endian = match file.first_chunk::<4>()? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
        _ => return None,
    };
    let number = |at: usize| {
        let bytes = *file.get(at..)?.first_chunk::<4>()?;
        Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let link_type = number(20)? as u16;
    if ![0, 1, 101, 108, 113, 228, 229, 276].contains(&link_type) {
        return None;
    }
    let (mut decoded, mut at) = (Contents::default(), 24);
    while let (Some(caplen), Some(origlen)) = (number(at + 8), number(at + 12)) {
        let Some(frame) = file.get(at + 16..at + 16 + caplen as usize) else { break };
        at += 16 + caplen as usize;
        count(&mut decoded, frame, origlen, link_type);
    }
    Some(decoded)
}

fn count(decoded: &mut Contents, frame: &[u8], origlen: u32, link_type: u16) {
    decoded.frames += 1;
    let (ports, mut stack) = (TunnelPorts::new(&[4789, 8472]), EncapStack::new());
    let packet = decode(frame, origlen, link_type, &ports, &mut stack);
    if let Ok(Network::Ip(ip)) = packet.map(|packet| packet.network) {
        *decoded.packets.entry(flow(&ip)).or_default() += 1;
        decoded.community_ids.insert(flow(&ip), community_id(&ip.five_tuple()));
    }
}

fn flow(ip: &IpPacket<'_>) -> String {
    let tuple = ip.five_tuple();
    let (name, has_ports) = match ip.protocol {
        1 => ("icmp".into(), false),
        2 => ("igmp".into(), false),
        6 => ("tcp".into(), true),
        17 => ("udp".into(), true),
        47 => ("gre".into(), false),
        50 => ("esp".into(), false),
        58 => ("icmpv6".into(), false),
        89 => ("ospf".into(), false),
        103 => ("pim".into(), false),
        132 => ("sctp".into(), true),
        other => (format!("proto{other}"), false),
    };
    let port = |port: u16| if has_ports { port.to_string() } else { String::new() };
    let (orig, resp) = (tuple.orig, tuple.resp);
    format!("{name}|{}|{}|{}|{}", orig.address, port(orig.port), resp.address, port(resp.port))
}
