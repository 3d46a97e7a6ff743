//! Packets that the mirror shows more than once, told apart from those that were sent more than once.

use wire::{Ether, IpPacket, Mac, TcpFlags, Transport, protocol};

/// Copies follow each other within this time of packet time; a switch holds a frame for less.
const WINDOW_NS: u64 = 250_000_000;
/// Where a packet has no number of its own, a copy follows at once: a repetition waits at least a round trip.
const UNNUMBERED_WINDOW_NS: u64 = 1_000_000;
/// Of a packet without a number so many bytes of its payload must be the same, and its last ones.
const UNNUMBERED_BYTES: usize = 64;
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
    /// Whether the frame went to a group of stations.
    pub group: bool,
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
    /// Reads where a packet will be looked for, so that its memory is there when its turn comes.
    #[inline]
    pub fn touch(&self, fingerprint: u64) -> u64 {
        self.entries[fingerprint as usize % ENTRIES].fingerprint
    }

    /// Takes a packet with its [`fingerprint`]; gives the kind of copy that it is.
    #[inline]
    pub fn take(&mut self, time_ns: u64, fingerprint: u64, packet: &IpPacket<'_>, way: Way) -> Option<CopyKind> {
        let entry = &mut self.entries[fingerprint as usize % ENTRIES];
        let age_ns = time_ns.abs_diff(entry.time_ns);
        if entry.fingerprint == fingerprint
            && age_ns <= WINDOW_NS
            && is_copy(packet, entry.way == way, way.group, age_ns)
        {
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
/// follow at once, and an acknowledgement without data, which is rightly repeated, is none. What is sent to a group
/// is rightly sent into many VLANs: there another way proves nothing.
#[inline]
fn is_copy(packet: &IpPacket<'_>, same_way: bool, group: bool, age_ns: u64) -> bool {
    if packet.identification != 0 {
        return same_way || !group;
    }
    if group {
        return false;
    }
    if !same_way {
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

/// Odd numbers with as many ones as zeros, so that no part of a packet multiplies by little.
const MIXERS: [u64; 4] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0xd6e8_feb8_6659_fd93, 0xa076_1d64_78bd_642f];

/// The two halves of a product, in which each bit of either factor moves.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// The eight bytes at `at`, 0 where there are fewer.
#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()).map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Mixed from all that a router leaves alone: addresses, numbers, lengths, the end of the transport header (TCP's time
/// stamp, UDP's checksum) and the first bytes of the payload. `frame` are the captured bytes that hold the packet.
#[inline]
pub fn fingerprint(frame: &[u8], packet: &IpPacket<'_>) -> u64 {
    let [m0, m1, m2, m3] = MIXERS;
    let (source, destination) = (packet.source.bytes(), packet.destination.bytes());
    let ends = fold(eight(source, 0) ^ m0, eight(source, 8) ^ m1)
        ^ fold(eight(destination, 0) ^ m2, eight(destination, 8) ^ m3).rotate_left(23);
    let (flags, numbers) = match packet.transport {
        Transport::Tcp { sequence, acknowledgement, flags, .. } => {
            (flags.0, u64::from(sequence) << 32 | u64::from(acknowledgement))
        }
        _ => (0, 0),
    };
    let header = u64::from(packet.identification) << 48 | u64::from(packet.protocol) << 40 | u64::from(flags) << 32;
    let mut hash = fold(ends ^ header ^ u64::from(packet.length_bytes), numbers ^ m0);
    // The payload is a part of the frame, so its header ends where it begins.
    let at = (packet.payload.as_ptr() as usize).wrapping_sub(frame.as_ptr() as usize);
    let before = match packet.protocol {
        protocol::TCP if !packet.later_fragment => eight(frame, at.wrapping_sub(16)),
        // Where the fragment belongs stands in the IPv4 header, 14 bytes before its end, or in IPv6's fragment header.
        _ if packet.later_fragment => eight(frame, at.wrapping_sub(16)) & 0xffff_ffff,
        _ => 0,
    };
    hash = fold(hash ^ eight(frame, at.wrapping_sub(8)), before ^ m1);
    let payload = packet.payload;
    hash = fold(hash ^ eight(payload, 0), eight(payload, 8) ^ m2);
    if packet.identification == 0 {
        hash = fold(hash ^ unnumbered(payload), m3);
    }
    (hash ^ u64::from(payload.first().copied().unwrap_or(0))).max(1)
}

/// Mixed from more of a payload whose packet has no number of its own.
fn unnumbered(payload: &[u8]) -> u64 {
    let last = eight(payload, payload.len().wrapping_sub(8));
    (16..UNNUMBERED_BYTES).step_by(8).fold(last, |hash, at| fold(hash ^ eight(payload, at), MIXERS[0]))
}

/// Mixes hardware addresses for a [`Way`].
#[inline]
pub fn mix_macs(ether: Option<Ether>) -> u32 {
    let Some(Ether { source: Mac(s), destination: Mac(d) }) = ether else { return 0 };
    let source = u64::from_le_bytes([s[0], s[1], s[2], s[3], s[4], s[5], 0, 0]);
    let destination = u64::from_le_bytes([d[0], d[1], d[2], d[3], d[4], d[5], 0, 0]);
    ((source ^ destination.rotate_left(21)).wrapping_mul(MIXERS[0]) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use wire::{EncapStack, Network, Packet, TunnelPorts};

    use super::*;
    use crate::testing::{ACK, PC, SERVER, SYN, tcp, udp};

    const IP_ID: usize = 18;
    const TTL: usize = 22;
    const MS: u64 = 1_000_000;

    fn taken(frames: &[(u64, Vec<u8>, Way)]) -> Vec<Option<CopyKind>> {
        let mut table = CopyTable::default();
        let mut stack = EncapStack::new();
        let mut kinds = Vec::new();
        for (time_ns, frame, way) in frames {
            let decoded = wire::decode(frame, frame.len() as u32, 1, &TunnelPorts::new(&[]), &mut stack);
            let Ok(Packet { ether, network: Network::Ip(packet) }) = decoded else { panic!("an IP packet") };
            let way = Way { ttl: packet.ttl, macs: mix_macs(ether), ..*way };
            kinds.push(table.take(1 + time_ns, fingerprint(frame, &packet), &packet, way));
        }
        kinds
    }

    fn second(first: &[u8], change: impl Fn(&mut Vec<u8>), way: Way, after_ns: u64) -> Option<CopyKind> {
        let mut copy = first.to_vec();
        change(&mut copy);
        taken(&[(0, first.to_vec(), Way { vlans: 7, ..Way::default() }), (after_ns, copy, way)])[1]
    }

    fn same() -> Way {
        Way { vlans: 7, ..Way::default() }
    }

    fn unnumbered(frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        frame[IP_ID..IP_ID + 2].fill(0);
        frame
    }

    #[test]
    fn a_copy_is_told_by_what_it_differs_in() {
        let segment = tcp(PC, SERVER, ACK, 1, b"hello, this is data");
        assert_eq!(second(&segment, |_| (), same(), 200 * MS), Some(CopyKind::Exact));
        assert_eq!(second(&segment, |copy| copy[TTL] -= 1, same(), MS), Some(CopyKind::Routed));
        assert_eq!(second(&segment, |copy| copy[5] ^= 1, same(), MS), Some(CopyKind::Routed));
        assert_eq!(second(&segment, |_| (), Way { vlans: 8, ..same() }, MS), Some(CopyKind::Vlan));
        assert_eq!(second(&segment, |_| (), Way { source: 1, ..same() }, MS), Some(CopyKind::BothDirections));
        assert_eq!(second(&segment, |_| (), same(), 251 * MS), None);
    }

    #[test]
    fn what_was_sent_again_is_no_copy() {
        let segment = tcp(PC, SERVER, ACK, 1, b"hello, this is data");
        assert_eq!(second(&segment, |copy| copy[IP_ID + 1] += 1, same(), MS / 10), None);
        let segment = unnumbered(&segment);
        assert_eq!(second(&segment, |_| (), same(), MS / 10), Some(CopyKind::Exact));
        assert_eq!(second(&segment, |_| (), same(), 2 * MS), None);
        for (frame, kind) in
            [(tcp(PC, SERVER, ACK, 1, b""), None), (tcp(PC, SERVER, SYN, 1, b""), Some(CopyKind::Exact))]
        {
            assert_eq!(second(&unnumbered(&frame), |_| (), same(), MS / 10), kind);
        }
    }

    #[test]
    fn a_packet_for_a_group_is_flooded_rightly() {
        let hello = unnumbered(&udp(PC, SERVER, b"hello"));
        let group = Way { group: true, ..same() };
        assert_eq!(second(&hello, |_| (), Way { vlans: 8, ..group }, 0), None);
        assert_eq!(second(&hello, |_| (), group, 0), None);
    }

    #[test]
    fn fragments_with_the_same_bytes_are_told_by_their_place() {
        let mut middle = udp(PC, SERVER, &[0; 64]);
        middle[20] = 0x20;
        middle[21] = 10;
        assert_eq!(second(&middle, |copy| copy[21] = 20, same(), 0), None);
        assert_eq!(second(&middle, |copy| copy[TTL] -= 1, same(), 0), Some(CopyKind::Routed));
    }
}
