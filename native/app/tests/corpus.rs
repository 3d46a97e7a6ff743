//! The hellos of real captures: names as tshark sees them, fingerprints as published. `SPANWATCH_CORPUS` names the
//! corpus's directory.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use app::Parse;
use app::quic::{Initials, is_initial};
use app::tls::{ClientHello, MAX_STREAM_BYTES, client_hello};
use capture::{Block, FileReader, OwnedBlock};
use serde_json::Value;
use wire::{EncapStack, FiveTuple, IpPacket, Network, TcpFlags, Transport, TunnelPorts, UdpTunnel, decode};

/// Fingerprints that are not those that nDPI published: capture, ours, nDPI's, and where nDPI leaves the specification.
const DIFFERENT_FINGERPRINTS: [(&str, &str, &str, &str); 10] = [
    (
        "ndpi__1kxun.pcap",
        "t12d370400_07a749158664_e64f6000bf4d",
        "t12i370400_07a749158664_e64f6000bf4d",
        "i for a name that is an address, though the extension is there",
    ),
    (
        "ndpi__1kxun.pcap",
        "t12d370500_07a749158664_d075105c1994",
        "t12i370500_07a749158664_d075105c1994",
        "i for a name that is an address, though the extension is there",
    ),
    (
        "ndpi__6in4tunnel.pcap",
        "t12d1311s1_94beff773b37_06a4338d0495",
        "t12d1311sp_94beff773b37_06a4338d0495",
        "the first two characters of spdy/3.1",
    ),
    (
        "ndpi__dlt_ppp.pcap",
        "q00d0308h9_55b375c5d22e_23ed935430f2",
        "q00d0308hq_55b375c5d22e_23ed935430f2",
        "the first two characters of hq-29",
    ),
    (
        "ndpi__http_ipv6.pcap",
        "t12d1612h1_94fc43e2fc61_c9eaec7dbab4",
        "t12d1612ht_94fc43e2fc61_c9eaec7dbab4",
        "the first two characters of http/1.1",
    ),
    (
        "ndpi__imap-starttls.pcap",
        "t12i910500_383454ac02f4_a1e935682795",
        "t12d910500_383454ac02f4_a1e935682795",
        "d without the extension",
    ),
    (
        "ndpi__no_sni.pcap",
        "t13i1813h2_e8a523a41297_0d6ff543c596",
        "t13d1813h2_e8a523a41297_0d6ff543c596",
        "d without the extension, for an encrypted name",
    ),
    (
        "ndpi__no_sni.pcap",
        "t13i1813h2_e8a523a41297_a36e8500eb55",
        "t13d1813h2_e8a523a41297_a36e8500eb55",
        "d without the extension, for an encrypted name",
    ),
    (
        "ndpi__smtp-starttls.pcap",
        "t10i290100_cdba58456bdf_e78b541c01a9",
        "t10d290100_cdba58456bdf_e78b541c01a9",
        "d without the extension",
    ),
    (
        "ndpi__tls_with_huge_ch.pcapng",
        "t13i1811h2_f71e3e15ae0d_5c3a8cf9b2bc",
        "t13d1811h2_f71e3e15ae0d_5c3a8cf9b2bc",
        "d without the extension",
    ),
];

/// The beginning of one direction of a TCP connection, its segments by their distance from the first byte.
#[derive(Default)]
struct Direction {
    first_sequence: Option<u32>,
    segments: BTreeMap<u32, Vec<u8>>,
}

impl Direction {
    fn take(&mut self, sequence: u32, flags: TcpFlags, payload: &[u8]) {
        let start = sequence.wrapping_add(u32::from(flags.contains(TcpFlags::SYN)));
        let distance = start.wrapping_sub(*self.first_sequence.get_or_insert(start));
        if !payload.is_empty() && distance < MAX_STREAM_BYTES as u32 {
            self.segments.entry(distance).or_insert_with(|| payload.to_vec());
        }
    }

    fn beginning(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        for (distance, segment) in &self.segments {
            let known = stream.len().checked_sub(*distance as usize);
            let Some(known) = known else { break };
            stream.extend(segment.iter().skip(known));
        }
        stream
    }
}

/// What the flows of a capture say.
#[derive(Default)]
struct Hellos {
    directions: HashMap<FiveTuple, Direction>,
    initials: HashMap<FiveTuple, Initials>,
    found: Vec<ClientHello>,
}

impl Hellos {
    fn of(path: &str) -> Vec<ClientHello> {
        let mut hellos = Self::default();
        let mut reader = FileReader::open(path, 0).unwrap_or_else(|failure| panic!("{failure}"));
        let (ports, mut stack) = (TunnelPorts::new(&[4789]).with(UdpTunnel::Geneve, &[6081]), EncapStack::new());
        let mut block = OwnedBlock::default();
        while let Some(next) = reader.next_block(block).unwrap_or_else(|failure| panic!("{failure}")) {
            for frame in next.frames() {
                let packet = decode(frame.data, frame.origlen, frame.link_type.0, &ports, &mut stack);
                if let Ok(wire::Packet { network: Network::Ip(ip), .. }) = packet {
                    hellos.take(&ip);
                }
            }
            block = next;
        }
        let directions = std::mem::take(&mut hellos.directions);
        directions.values().for_each(|direction| hellos.end(direction));
        hellos.found
    }

    fn take(&mut self, ip: &IpPacket<'_>) {
        let tuple = ip.five_tuple();
        match ip.transport {
            Transport::Tcp { sequence, flags, .. } => {
                if flags.contains(TcpFlags::SYN) {
                    // The ports may have served before.
                    if let Some(before) = self.directions.remove(&tuple) {
                        self.end(&before);
                    }
                }
                self.directions.entry(tuple).or_default().take(sequence, flags, ip.payload);
            }
            Transport::Udp { .. } if self.initials.contains_key(&tuple) || is_initial(ip.payload).is_some() => {
                if let Parse::Done((_, hello)) = self.initials.entry(tuple).or_default().client(ip.payload) {
                    self.initials.remove(&tuple);
                    self.found.push(hello);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, direction: &Direction) {
        let stream = direction.beginning();
        // STARTTLS and STLS: what follows is TLS from its first byte on.
        let command = stream.windows(5).position(|window| window == b"TLS\r\n");
        let upgraded = command.map_or(&[][..], |place| &stream[place + 5..]);
        for beginning in [&stream, upgraded] {
            if let Parse::Done(hello) = client_hello(beginning) {
                self.found.push(hello);
            }
        }
    }
}

/// Each name with the first protocol, as often as it comes; `-` stands for none.
fn names(hellos: &[ClientHello]) -> Vec<String> {
    let or_none = |text: &Option<app::Text>| text.as_deref().unwrap_or("-").to_owned();
    let mut names: Vec<String> =
        hellos.iter().map(|hello| format!("{} {}", or_none(&hello.sni), or_none(&hello.alpn))).collect();
    names.sort_unstable();
    names
}

fn tshark_names(oracle: &Path) -> Vec<String> {
    let text = fs::read_to_string(oracle).unwrap_or_else(|failure| panic!("{}: {failure}", oracle.display()));
    let oracle: Value = serde_json::from_str(&text).expect("an oracle is JSON");
    let hellos = oracle["app"]["tls_hellos"].as_array().cloned().unwrap_or_default();
    let first = |hello: &Value, key: &str| hello[key][0].as_str().unwrap_or("-").to_owned();
    let mut names: Vec<String> =
        hellos.iter().map(|hello| format!("{} {}", first(hello, "sni"), first(hello, "alpn"))).collect();
    names.sort_unstable();
    names
}

/// By capture.
fn published_fingerprints(list: &Path) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(list).unwrap_or_else(|failure| panic!("{}: {failure}", list.display()));
    let mut by_capture: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let [capture, _, ja4, ..] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("a short line: {line}") };
        by_capture.entry(capture.to_owned()).or_default().push(ja4.to_owned());
    }
    by_capture
}

/// What each list has that the other has not.
fn differences(capture: &str, ours: &[String], theirs: &[String]) -> Vec<String> {
    let mut theirs = theirs.to_vec();
    let mut only_ours = Vec::new();
    for one in ours {
        match theirs.iter().position(|other| other == one) {
            Some(place) => drop(theirs.remove(place)),
            None => only_ours.push(format!("{capture}: only ours: {one}")),
        }
    }
    only_ours.extend(theirs.iter().map(|one| format!("{capture}: only theirs: {one}")));
    only_ours
}

/// The published fingerprints of a capture, in order and each once, as the specification would have them.
fn corrected(capture: &str, published: &[String]) -> Vec<String> {
    let ours = |theirs: &String| {
        let different = DIFFERENT_FINGERPRINTS.iter().find(|(name, _, their, _)| *name == capture && their == theirs);
        different.map_or_else(|| theirs.clone(), |(_, ours, ..)| (*ours).to_owned())
    };
    sorted(published.iter().map(ours).collect())
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort_unstable();
    list.dedup();
    list
}

#[test]
fn names_are_those_of_tshark_and_fingerprints_those_that_were_published() {
    let Ok(corpus) = std::env::var("SPANWATCH_CORPUS") else {
        // Past the test harness, which hides what a passing test prints.
        writeln!(io::stderr(), "SKIPPED corpus: SPANWATCH_CORPUS is not set").expect("standard error");
        return;
    };
    let corpus = Path::new(&corpus);
    let published = published_fingerprints(&corpus.join("golden/JA4.tsv"));
    let mut found = Vec::new();
    let mut compared = 0;
    for entry in fs::read_dir(corpus.join("pcap")).expect("the corpus has captures") {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        let hellos = Hellos::of(path.to_str().expect("a path in UTF-8"));
        let tshark = tshark_names(&corpus.join("oracle").join(format!("{name}.oracle.json")));
        found.extend(differences(name, &names(&hellos), &tshark));
        if let Some(theirs) = published.get(name) {
            let ours = sorted(hellos.iter().map(|hello| hello.ja4.as_str().to_owned()).collect());
            found.extend(differences(name, &ours, &corrected(name, theirs)));
        }
        compared += hellos.len();
    }
    assert!(compared > 0, "no hellos in the corpus");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
