//! Frames of slow control protocols, which Python dissects to learn who a host is: which they are, and how many of them.

use ahash::RandomState;
use arrayvec::ArrayVec;
use hashbrown::HashSet;
use wire::{Address, IpPacket, Mac, Network, Packet, Transport};

use crate::flow::MAX_FLOW_VLANS;
use crate::mirror::SourceKey;

/// Frames that one worker hands over for a second of packet time.
const MAX_FRAMES: usize = 200;
/// Bytes that one worker hands over for a second of packet time.
const MAX_BYTES: usize = 64 << 10;
/// Within so many seconds of packet time the same words of the same sender are said once.
const REPEAT_SECONDS: u64 = 10;

const ARP: u16 = 0x0806;
const LLDP: u16 = 0x88cc;
/// No EtherType: an LLC header begins the payload.
const LLC: u16 = 0;
/// DSAP and SSAP of SNAP, unnumbered information, Cisco's organization code, and CDP's protocol id.
const CDP_SNAP: [u8; 8] = [0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00];
/// Router solicitation to redirect (RFC 4861, 4).
const NDP_TYPES: std::ops::RangeInclusive<u8> = 133..=137;

/// A control protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PuntProtocol {
    /// ARP (RFC 826).
    Arp,
    /// Neighbour discovery (RFC 4861).
    Ndp,
    /// DHCP (RFC 2131).
    Dhcp,
    /// DHCP for IPv6 (RFC 8415).
    Dhcpv6,
    /// NetBIOS name service (RFC 1002).
    Nbns,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr,
    /// Link layer discovery (IEEE 802.1AB).
    Lldp,
    /// Cisco's discovery protocol.
    Cdp,
    /// The program that a host asks the web with: what its User-Agent field says.
    Agent,
    /// Whom Kerberos gives a ticket to: name and realm, a zero between them.
    Kerberos,
    /// Who logs on by NTLM: user, domain and workstation, zeros between them.
    Ntlm,
}

impl PuntProtocol {
    /// The name that Python knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::Ndp => "ndp",
            Self::Dhcp => "dhcp",
            Self::Dhcpv6 => "dhcpv6",
            Self::Nbns => "nbns",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Lldp => "lldp",
            Self::Cdp => "cdp",
            Self::Agent => "agent",
            Self::Kerberos => "krb5",
            Self::Ntlm => "ntlm",
        }
    }

    /// Whether it is what a host says of itself inside of a conversation, rather than a message of a control protocol.
    pub fn is_claim(self) -> bool {
        matches!(self, Self::Agent | Self::Kerberos | Self::Ntlm)
    }

    /// The control protocol that a packet speaks, if it does, with the bytes of its message.
    #[inline]
    pub(crate) fn of<'a>(network: &Network<'a>) -> Option<(Self, &'a [u8])> {
        match network {
            Network::Ip(IpPacket { transport: Transport::Udp { source_port, destination_port }, payload, .. }) => {
                let protocol = Self::of_port(*destination_port).or_else(|| Self::of_port(*source_port))?;
                Some((protocol, payload))
            }
            Network::Ip(IpPacket { transport: Transport::Icmp { kind, .. }, protocol, payload, .. }) => {
                let is_ndp = *protocol == wire::protocol::ICMPV6 && NDP_TYPES.contains(kind);
                is_ndp.then_some((Self::Ndp, *payload))
            }
            Network::Ip(_) => None,
            Network::NonIp { ethertype: ARP, payload } => Some((Self::Arp, payload)),
            Network::NonIp { ethertype: LLDP, payload } => Some((Self::Lldp, payload)),
            Network::NonIp { ethertype: LLC, payload } => {
                payload.strip_prefix(&CDP_SNAP).map(|message| (Self::Cdp, message))
            }
            Network::NonIp { .. } => None,
        }
    }

    #[inline]
    fn of_port(port: u16) -> Option<Self> {
        match port {
            67 | 68 => Some(Self::Dhcp),
            546 | 547 => Some(Self::Dhcpv6),
            137 => Some(Self::Nbns),
            5353 => Some(Self::Mdns),
            5355 => Some(Self::Llmnr),
            _ => None,
        }
    }
}

/// A message of a control protocol, after decapsulation, with all that was around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PuntedFrame {
    /// Packet time in nanoseconds since 1970.
    pub time_ns: u64,
    /// The interface or mirror session that it came from.
    pub source: SourceKey,
    /// What it speaks.
    pub protocol: PuntProtocol,
    /// Type of the ICMPv6 message; 0 for others.
    pub kind: u8,
    /// Who sent the innermost frame and to whom; zero where it had no Ethernet header.
    pub macs: [Mac; 2],
    /// Who sent the innermost packet and to whom, if it was one.
    pub addresses: Option<[Address; 2]>,
    /// VLAN tags, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// The message, or the words of a claim: what stands behind UDP, behind the first eight bytes of ICMPv6, behind the EtherType or SNAP header.
    pub message: Box<[u8]>,
}

/// What makes two messages one that is repeated; also what decides which worker meets them.
#[derive(Debug, Hash)]
pub(crate) struct Said<'a> {
    pub(crate) macs: [Mac; 2],
    pub(crate) addresses: Option<[Address; 2]>,
    protocol: PuntProtocol,
    message: &'a [u8],
}

impl<'a> Said<'a> {
    pub(crate) fn new(packet: &Packet<'_>, (protocol, message): (PuntProtocol, &'a [u8])) -> Self {
        let macs = packet.ether.map_or_else(Default::default, |ether| [ether.source, ether.destination]);
        let addresses = match &packet.network {
            Network::Ip(packet) => Some([packet.source, packet.destination]),
            Network::NonIp { .. } => None,
        };
        Self { macs, addresses, protocol, message }
    }
}

/// Type of the ICMPv6 message that a packet is; 0 for anything else.
pub(crate) fn packet_kind(network: &Network<'_>) -> u8 {
    match network {
        Network::Ip(IpPacket { transport: Transport::Icmp { kind, .. }, .. }) => *kind,
        _ => 0,
    }
}

/// The messages of a second; bounded.
#[derive(Debug, Default)]
pub struct PuntedFrames {
    frames: Vec<PuntedFrame>,
    /// Those that have been taken included.
    count: usize,
    bytes: usize,
}

impl PuntedFrames {
    fn has_room(&self, message: &[u8]) -> bool {
        self.count < MAX_FRAMES && self.bytes + message.len() <= MAX_BYTES
    }

    /// Adds a frame.
    pub(crate) fn push(&mut self, frame: PuntedFrame) {
        self.count += 1;
        self.bytes += frame.message.len();
        self.frames.push(frame);
    }

    /// How many the second has had.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The frames so far; what the second may still have does not grow by that.
    pub(crate) fn take(&mut self) -> Vec<PuntedFrame> {
        std::mem::take(&mut self.frames)
    }

    /// The frames, in the order in which they came.
    pub fn into_frames(self) -> Vec<PuntedFrame> {
        self.frames
    }
}

/// What became of the frames of control protocols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PuntCounts {
    /// Handed to Python.
    pub handed: u64,
    /// Said before within ten seconds.
    pub repeated: u64,
    /// More than are handed over in a second.
    pub dropped: u64,
}

/// Lets the first of equal messages through, and not too many. A worker's own: the same frames meet the same gate however
/// many workers there are, because frames of one sender and receiver stay together.
#[derive(Debug)]
pub(crate) struct PuntGate {
    hasher: RandomState,
    /// Of what was let through in this stretch of packet time: at most so much as fits into its seconds.
    said: HashSet<u64, RandomState>,
    stretch: u64,
}

impl Default for PuntGate {
    fn default() -> Self {
        let hasher = RandomState::new();
        Self { hasher: hasher.clone(), said: HashSet::with_hasher(hasher), stretch: 0 }
    }
}

impl PuntGate {
    /// Whether a message goes over in this second of packet time, beside what goes already; counts what becomes of it.
    pub(crate) fn admits(
        &mut self,
        second: u64,
        said: &Said<'_>,
        waiting: &PuntedFrames,
        counts: &mut PuntCounts,
    ) -> bool {
        if second / REPEAT_SECONDS != self.stretch {
            self.stretch = second / REPEAT_SECONDS;
            self.said.clear();
        }
        let hash = self.hasher.hash_one(said);
        if self.said.contains(&hash) {
            counts.repeated += 1;
            return false;
        }
        if !waiting.has_room(said.message) {
            counts.dropped += 1;
            return false;
        }
        self.said.insert(hash);
        counts.handed += 1;
        true
    }
}
