//! Packets that the mirror shows more than once, told apart from those that were sent more than once.

use wire::{Ether, IpPacket, TcpFlags, Transport, protocol};

/// Copies follow each other within this time of packet time; a switch holds a frame for less.
const WINDOW_NS: u64 = 250_000_000;
/// Where a packet has no number of its own, a copy follows at once: a repetition waits at least a round trip.
const UNNUMBERED_WINDOW_NS: u64 = 1_000_000;
/// Number of kinds of copies.
pub const COPY_KINDS: usize = 4;
const ENTRIES: usize = 1 << 14;

/// In what a copy differs from the packet that was seen first; the label `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    /// In nothing.
    Exact,
    /// It was seen before and behind a router: other hardware addresses or a lower time to live.
    Routed,
    /// It was seen in another VLAN.
    Vlan,
    /// It came from another source: two mirrored ports have both shown it.
    BothDirections,
}

impl CopyKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; COPY_KINDS] = [Self::Exact, Self::Routed, Self::Vlan, Self::BothDirections];

    /// The kind's name in figures and metrics.
    pub fn name(self) -> &'static str {
        ["exact", "routed", "vlan", "both_directions"][self as usize]
    }
}

/// How a packet came, which is all that its copies may differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Way {
    /// Place of the source.
    pub source: u16,
    /// Of the innermost IP header.
    pub ttl: u8,
    /// Mixed from the VLAN stack.
    pub vlans: u16,
    /// Mixed from the hardware addresses.
    pub macs: u32,
}

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Entry {
    fingerprint: u64,
    time_ns: u64,
    way: Way,
}

/// The packets of the last moments: 32 bytes each, one place for each fingerprint, so that a packet touches one line.
#[derive(Debug)]
pub struct CopyTable {
    entries: Box<[Entry]>,
    /// Packets that another one pushed out before their time; then a copy may go unseen.
    pushed_out: u64,
}

impl Default for CopyTable {
    fn default() -> Self {
        Self { entries: vec![Entry::default(); ENTRIES].into_boxed_slice(), pushed_out: 0 }
    }
}

impl CopyTable {
    /// Takes a packet; gives the kind of copy that it is. `frame` are the captured bytes that hold it.
    #[inline]
    pub fn take(&mut self, time_ns: u64, frame: &[u8], packet: &IpPacket<'_>, way: Way) -> Option<CopyKind> {
        let fingerprint = fingerprint(frame, packet);
        let entry = &mut self.entries[fingerprint as usize % ENTRIES];
        let age_ns = time_ns.abs_diff(entry.time_ns);
        if entry.fingerprint == fingerprint && age_ns <= WINDOW_NS && is_copy(packet, entry.way == way, age_ns) {
            return Some(kind(entry.way, way));
        }
        self.pushed_out += u64::from(entry.fingerprint != fingerprint && age_ns <= WINDOW_NS);
        *entry = Entry { fingerprint, time_ns, way };
        None
    }

    /// Packets that were forgotten before their time.
    pub fn pushed_out(&self) -> u64 {
        self.pushed_out
    }
}

/// Whether a packet like an earlier one is its copy. What was sent again has another IP identification, or another
/// TCP time stamp. Where there is no identification (IPv6, or RFC 6864, 4.1) a copy that came the same way must
/// follow at once, and an acknowledgement without data, which is rightly repeated, is none.
#[inline]
fn is_copy(packet: &IpPacket<'_>, same_way: bool, age_ns: u64) -> bool {
    if packet.identification != 0 || !same_way {
        return true;
    }
    let repeatable = match packet.transport {
        Transport::Tcp { flags, .. } => packet.payload_length_bytes == 0 && !flags.contains(TcpFlags::SYN),
        _ => false,
    };
    !repeatable && age_ns < UNNUMBERED_WINDOW_NS
}

fn kind(first: Way, copy: Way) -> CopyKind {
    if first.source != copy.source {
        CopyKind::BothDirections
    } else if first.ttl != copy.ttl {
        CopyKind::Routed
    } else if first.vlans != copy.vlans {
        CopyKind::Vlan
    } else if first.macs != copy.macs {
        CopyKind::Routed
    } else {
        CopyKind::Exact
    }
}

#[inline]
fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

/// Mixed from all that a router leaves alone: addresses, numbers, lengths, the end of the transport header (TCP's time
/// stamp, UDP's checksum) and the first bytes of the payload.
#[inline]
fn fingerprint(frame: &[u8], packet: &IpPacket<'_>) -> u64 {
    let half = |bytes: &[u8], at: usize| {
        let mut eight = [0; 8];
        if let Some(found) = bytes.get(at..at + 8) {
            eight.copy_from_slice(found);
        }
        u64::from_le_bytes(eight)
    };
    let (source, destination) = (packet.source.bytes(), packet.destination.bytes());
    let mut hash = mix(half(source, 0), half(source, 8));
    hash = mix(mix(hash, half(destination, 0)), half(destination, 8));
    let numbers = u64::from(packet.identification) << 40 | u64::from(packet.protocol) << 32;
    hash = mix(hash, numbers | u64::from(packet.length_bytes));
    if let Transport::Tcp { sequence, acknowledgement, flags, .. } = packet.transport {
        hash = mix(hash, u64::from(sequence) << 32 | u64::from(acknowledgement));
        hash = mix(hash, u64::from(flags.0));
    }
    // The payload is a part of the frame, so its header ends where it begins.
    let at = (packet.payload.as_ptr() as usize).wrapping_sub(frame.as_ptr() as usize);
    hash = mix(hash, half(frame, at.wrapping_sub(8)));
    if packet.protocol == protocol::TCP {
        hash = mix(hash, half(frame, at.wrapping_sub(16)));
    }
    hash = mix(mix(hash, half(packet.payload, 0)), half(packet.payload, 8));
    mix(hash, u64::from(packet.payload.first().copied().unwrap_or(0))).max(1)
}

/// Mixes hardware addresses for a [`Way`].
#[inline]
pub fn mix_macs(ether: Option<Ether>) -> u32 {
    let Some(ether) = ether else { return 0 };
    let (source, destination) = (ether.source.0, ether.destination.0);
    let number = |mac: [u8; 6]| u64::from_le_bytes([mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], 0, 0]);
    (mix(mix(0, number(source)), number(destination)) >> 16) as u32
}
