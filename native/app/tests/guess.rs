//! The guess of each conversation in captures that are named after a protocol. `SPANWATCH_CORPUS` names the corpus's
//! directory.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use app::{Guess, guess};
use capture::{Block, FileReader, OwnedBlock};
use wire::{EncapStack, FiveTuple, IpPacket, Network, TcpFlags, Transport, TunnelPorts, UdpTunnel, decode};

/// Bytes that are kept of each side.
const KEPT_BYTES: usize = 2048;

/// One side's bytes, and the sequence number that comes next.
#[derive(Default)]
struct Side {
    bytes: Vec<u8>,
    next: Option<u32>,
}

/// What both sides sent, and what is guessed.
struct Conversation {
    sides: [Side; 2],
    guess: Guess,
}

impl Side {
    /// Takes what comes next; what is missing stays missing.
    fn take(&mut self, sequence: u32, payload: &[u8]) {
        let known = self.next.unwrap_or(sequence).wrapping_sub(sequence) as usize;
        if known <= payload.len() && self.bytes.len() < KEPT_BYTES {
            self.bytes.extend_from_slice(&payload[known..]);
            self.next = Some(sequence.wrapping_add(payload.len() as u32));
        }
    }
}

#[derive(Default)]
struct Conversations(BTreeMap<FiveTuple, Conversation>);

impl Conversations {
    fn packet(&mut self, ip: &IpPacket<'_>) {
        let tuple = ip.five_tuple();
        let turned = FiveTuple { orig: tuple.resp, resp: tuple.orig, ..tuple };
        let from_orig = !self.0.contains_key(&turned);
        let oriented = if from_orig { tuple } else { turned };
        let new = || Conversation { sides: Default::default(), guess: Guess::More };
        match ip.transport {
            Transport::Udp { source_port, destination_port } if !ip.payload.is_empty() => {
                let conversation = self.0.entry(oriented).or_insert_with(new);
                if !matches!(conversation.guess, Guess::Known(_)) {
                    conversation.guess = guess::datagram(ip.payload, (source_port, destination_port));
                }
            }
            Transport::Tcp { sequence, flags, .. } if !ip.payload.is_empty() || flags.contains(TcpFlags::SYN) => {
                let conversation = self.0.entry(oriented).or_insert_with(new);
                let first = sequence.wrapping_add(u32::from(flags.contains(TcpFlags::SYN)));
                conversation.sides[usize::from(!from_orig)].take(first, ip.payload);
                let [orig, resp] = &conversation.sides;
                if conversation.guess == Guess::More && !ip.payload.is_empty() {
                    conversation.guess = guess::stream(&orig.bytes, &resp.bytes, oriented.resp.port);
                }
            }
            _ => (),
        }
    }

    fn read(path: &Path) -> Self {
        let ports = TunnelPorts::new(&[4789, 8472])
            .with(UdpTunnel::Geneve, &[6081])
            .with(UdpTunnel::Gtpu, &[2152])
            .with(UdpTunnel::Tzsp, &[37008]);
        let (mut conversations, mut stack, mut block) = (Self::default(), EncapStack::new(), OwnedBlock::default());
        let mut reader =
            FileReader::open(path.to_str().expect("a path in UTF-8"), 0).unwrap_or_else(|failure| panic!("{failure}"));
        while let Ok(Some(next)) = reader.next_block(block) {
            for frame in next.frames() {
                let decoded = decode(frame.data, frame.origlen, frame.link_type.0, &ports, &mut stack);
                if let Ok(Network::Ip(ip)) = decoded.map(|packet| packet.network) {
                    conversations.packet(&ip);
                }
            }
            block = next;
        }
        conversations
    }
}

/// Captures that are named after a protocol, and how many conversations of them are guessed to be what; the rest of
/// them are of protocols that are not told, or have no data. These are all that tshark tells of.
const CAPTURES: &[(&str, &[(&str, usize)])] = &[
    ("arkime__smtp-data-521.pcap", &[("smtp", 1)]),
    ("arkime__smtp-nospaces.pcap", &[("smtp", 1)]),
    ("arkime__smtp-originating.pcap", &[("smtp", 1)]),
    ("arkime__smtp-rcpt-553.pcap", &[("smtp", 1)]),
    ("arkime__smtp-zip.pcap", &[("smtp", 1)]),
    ("dnscollector__dnsdump_tcp_fastopen.pcap", &[("dns", 4)]),
    ("mercury__geneve.pcap", &[("quic", 22), ("ssh", 1), ("tls", 42)]),
    ("mercury__http_rawip.pcap", &[("http", 4)]),
    ("mercury__imap2.pcap", &[("imap", 1)]),
    ("mercury__sll2_tls.pcap", &[("tls", 1)]),
    ("mercury__sll_tls.pcap", &[("tls", 1)]),
    ("mercury__smtp.pcap", &[("smtp", 1)]),
    // Six more have nothing but a keep-alive's byte.
    ("mercury__tls_sgt.pcap", &[("tls", 71)]),
    // Multicast and link-local resolution are DNS too.
    ("ndpi__1kxun.pcap", &[("dhcp", 8), ("dns", 55), ("http", 86), ("ntp", 1), ("tls", 6)]),
    ("ndpi__WebattackRCE.pcap", &[("http", 797)]),
    ("ndpi__WebattackSQLinj.pcap", &[("http", 9)]),
    ("ndpi__dns-tunnel-iodine.pcap", &[("dns", 1)]),
    ("ndpi__dns_doh.pcap", &[("tls", 1)]),
    ("ndpi__dns_exfiltration.pcap", &[("dns", 1)]),
    ("ndpi__dns_fragmented.pcap", &[("dns", 21)]),
    ("ndpi__dns_long_domainname.pcap", &[("dns", 1)]),
    ("ndpi__gre.pcapng", &[("sip", 1)]),
    ("ndpi__gtp_false_positive.pcapng", &[]),
    ("ndpi__http-lines-split.pcap", &[("http", 1)]),
    ("ndpi__http-manipulated.pcap", &[("http", 2)]),
    ("ndpi__http2.pcapng", &[("http2", 1)]),
    ("ndpi__http_asymmetric.pcapng", &[("http", 2)]),
    ("ndpi__http_ipv6.pcap", &[("quic", 1), ("tls", 7)]),
    ("ndpi__http_ua_splitted_in_two_pkts.pcapng", &[("http", 1)]),
    ("ndpi__imap-starttls.pcap", &[("imap", 1)]),
    ("ndpi__imap.pcap", &[("imap", 1)]),
    // The download that the exploit asks for, and what it opens on a port that says nothing.
    ("ndpi__log4j-webapp-exploit.pcap", &[("http", 3), ("ldap", 2)]),
    ("ndpi__malformed_dns.pcap", &[("dns", 1)]),
    ("ndpi__nano.pcapng", &[]),
    ("ndpi__no_sni.pcap", &[("tls", 8)]),
    ("ndpi__pop3.pcap", &[("pop3", 6)]),
    ("ndpi__pop3_stls.pcap", &[("pop3", 1)]),
    ("ndpi__smtp-starttls.pcap", &[("smtp", 2)]),
    ("ndpi__smtp.pcap", &[("smtp", 1)]),
    ("ndpi__synscan.pcap", &[]),
    ("ndpi__tls_1.2_unidirectional_client.pcapng", &[("tls", 1)]),
    ("ndpi__tls_1.3_unidirectional_server.pcapng", &[("tls", 1)]),
    ("ndpi__tls_ech.pcapng", &[("tls", 1)]),
    ("ndpi__tls_missing_ch_frag.pcap", &[("tls", 1)]),
    // The client's two bytes are an empty line.
    ("ndpi__tls_unidirectional.pcap", &[]),
    ("ndpi__tls_with_huge_ch.pcapng", &[("tls", 1)]),
    ("pcapngtest__test010.pcapng", &[("dhcp", 2)]),
    // Its first side begins with a keep-alive's zero before the request, as nobody has it in order.
    ("scapy__http_chunk.pcap", &[]),
    ("scapy__http2_h2c.pcap", &[("http", 1)]),
    ("scapy__tls_tcp_frag.pcap", &[("tls", 1)]),
    ("suricata__bug-2491-01_simple_http_download.onesided.pcap", &[("http", 1)]),
    ("tcpdump__dns_tcp.pcap", &[("dns", 1)]),
    ("tcpdump__geneve.pcap", &[("ssh", 1)]),
    ("tcpdump__ipv4_tcp_http_xml.pcap", &[("http", 1)]),
    ("tcpdump__wccp_redirect_gre.pcap", &[("smb", 1)]),
];

#[test]
fn captures_named_after_a_protocol_are_guessed_to_be_it() {
    let Ok(corpus) = std::env::var("SPANWATCH_CORPUS") else {
        // Past the test harness, which hides what a passing test prints.
        writeln!(io::stderr(), "SKIPPED corpus: SPANWATCH_CORPUS is not set").expect("standard error");
        return;
    };
    let mut differences = Vec::new();
    for (capture, expected) in CAPTURES {
        let mut guessed = BTreeMap::new();
        for conversation in Conversations::read(&Path::new(&corpus).join("pcap").join(capture)).0.values() {
            if let Guess::Known(protocol) = conversation.guess {
                *guessed.entry(protocol.name()).or_insert(0) += 1;
            }
        }
        if !guessed.iter().map(|(name, count)| (*name, *count)).eq(expected.iter().copied()) {
            differences.push(format!("{capture}: guessed {guessed:?}, expected {expected:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
