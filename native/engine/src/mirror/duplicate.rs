//! Packets that the mirror shows more than once, told apart from those that were sent more than once.

use wire::{Ether, IpPacket, Mac, TcpFlags, Transport, protocol};

/// Copies follow each other within 250 ms of packet time, in units of 1024 ns; a switch holds a frame for less.
const WINDOW_UNITS: u32 = 250_000_000 >> 10;
/// Where a packet has no number of its own, a copy follows within a millisecond: a repetition waits for a
/// round trip at least.
const UNNUMBERED_WINDOW_UNITS: u32 = 1_000_000 >> 10;

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
    pub vlans: u8,
    /// Mixed from the hardware addresses.
    pub macs: u32,
}

impl Way {
    /// In one number, which is written and compared at once.
    #[inline]
    fn packed(self) -> u64 {
        u64::from(self.source) << 48 | u64::from(self.ttl) << 40 | u64::from(self.vlans) << 32 | u64::from(self.macs)
    }

    fn unpacked(packed: u64) -> Self {
        let (source, ttl, vlans) = ((packed >> 48) as u16, (packed >> 40) as u8, (packed >> 32) as u8);
        Self { source, ttl, vlans, macs: packed as u32 }
    }
}

/// Of a fingerprint that half is kept which does not say where it stands; 0 where nothing was seen.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(16))]
struct Entry {
    tag: u32,
    /// Packet time in units of 1024 ns, which comes round after an hour.
    time_units: u32,
    way: u64,
}

/// The packets of the last moments: 16 bytes each, one place for each fingerprint, so that a packet touches one line.
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
    /// Asks for the memory where a packet will be looked for.
    #[inline]
    pub fn prefetch(&self, fingerprint: u64) {
        capture::prefetch(&self.entries[fingerprint as usize % ENTRIES]);
    }

    /// Takes a packet with its [`fingerprint`], and whether it went to a group of stations; gives the kind of copy that
    /// it is.
    #[inline]
    pub fn take(&mut self, time_ns: u64, seen: (u64, bool), packet: &IpPacket<'_>, way: Way) -> Option<CopyKind> {
        let (fingerprint, group) = seen;
        let entry = &mut self.entries[fingerprint as usize % ENTRIES];
        let tag = ((fingerprint >> 32) as u32).max(1);
        let time_units = (time_ns >> 10) as u32;
        let age_units = time_units.wrapping_sub(entry.time_units).min(entry.time_units.wrapping_sub(time_units));
        let recent = entry.tag != 0 && age_units <= WINDOW_UNITS;
        let way = way.packed();
        if recent && entry.tag == tag && is_copy(packet, entry.way == way, group, age_units) {
            return Some(kind(Way::unpacked(entry.way), Way::unpacked(way)));
        }
        self.pushed_out += u64::from(recent && entry.tag != tag);
        *entry = Entry { tag, time_units, way };
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
fn is_copy(packet: &IpPacket<'_>, same_way: bool, group: bool, age_units: u32) -> bool {
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
    !repeatable && age_units < UNNUMBERED_WINDOW_UNITS
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

/// Mixed from what a router leaves alone: addresses, numbers, length, and the last eight bytes of the transport header
/// (checksum or TCP's time stamp), which tell the packets of 250 ms apart where they are numbered. `frame` are the captured bytes that hold the packet.
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
    let header = u64::from(packet.identification) << 32 | u64::from(packet.protocol) << 24 | u64::from(flags) << 16;
    let mut hash = fold(ends ^ header ^ u64::from(packet.length_bytes), numbers ^ m0);
    // The payload is a part of the frame, so its header ends where it begins.
    let at = (packet.payload.as_ptr() as usize).wrapping_sub(frame.as_ptr() as usize);
    hash = fold(hash ^ eight(frame, at.wrapping_sub(8)), m1);
    if packet.identification == 0 || packet.later_fragment { unnumbered(hash, frame, at, packet) } else { hash }
}

/// Mixes in more of a packet that has no number of its own, or shares it with other fragments: TCP's time stamp, the
/// first bytes of the payload and its last ones.
#[inline(never)]
fn unnumbered(hash: u64, frame: &[u8], at: usize, packet: &IpPacket<'_>) -> u64 {
    let before = match packet.protocol {
        // Where the fragment belongs stands in the IPv4 header, 14 bytes before its end, or in IPv6's fragment header.
        _ if packet.later_fragment => eight(frame, at.wrapping_sub(16)) & 0xffff_ffff,
        protocol::TCP => eight(frame, at.wrapping_sub(16)),
        _ => 0,
    };
    let payload = packet.payload;
    let last = eight(payload, payload.len().wrapping_sub(8)) ^ u64::from(payload.first().copied().unwrap_or(0));
    let ends = fold(hash ^ before, last ^ MIXERS[2]);
    (0..UNNUMBERED_BYTES).step_by(8).fold(ends, |hash, at| fold(hash ^ eight(payload, at), MIXERS[3]))
}

/// Mixes hardware addresses for a [`Way`]: the parts that their makers count up.
#[inline]
pub fn mix_macs(ether: Option<Ether>) -> u32 {
    let Some(Ether { source: Mac(s), destination: Mac(d) }) = ether else { return 0 };
    let part = |mac: [u8; 6]| u32::from_le_bytes([mac[2], mac[3], mac[4], mac[5]]);
    part(s) ^ part(d).rotate_left(15)
}

#[cfg(test)]
mod tests {
    use wire::{EncapStack, Network, Packet, TunnelPorts};

    use super::*;
    use crate::testing::{ACK, PC, SERVER, SYN, tcp, udp};

    const IP_ID: usize = 18;
    const TTL: usize = 22;
    const MS: u64 = 1_000_000;

    fn taken(group: bool, frames: &[(u64, Vec<u8>, Way)]) -> Vec<Option<CopyKind>> {
        let mut table = CopyTable::default();
        let mut stack = EncapStack::new();
        let mut kinds = Vec::new();
        for (time_ns, frame, way) in frames {
            let decoded = wire::decode(frame, frame.len() as u32, 1, &TunnelPorts::new(&[]), &mut stack);
            let Ok(Packet { ether, network: Network::Ip(packet) }) = decoded else { panic!("an IP packet") };
            let way = Way { ttl: packet.ttl, macs: mix_macs(ether), ..*way };
            kinds.push(table.take(1 + time_ns, (fingerprint(frame, &packet), group), &packet, way));
        }
        kinds
    }

    fn second(first: &[u8], change: impl Fn(&mut Vec<u8>), way: Way, after_ns: u64) -> Option<CopyKind> {
        let mut copy = first.to_vec();
        change(&mut copy);
        taken(false, &[(0, first.to_vec(), Way { vlans: 7, ..Way::default() }), (after_ns, copy, way)])[1]
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
        let elsewhere = Way { vlans: 8, ..same() };
        assert_eq!(taken(true, &[(0, hello.clone(), same()), (0, hello.clone(), elsewhere)])[1], None);
        assert_eq!(taken(true, &[(0, hello.clone(), same()), (0, hello, same())])[1], None);
        let numbered = udp(PC, SERVER, b"hello");
        assert_eq!(taken(true, &[(0, numbered.clone(), same()), (0, numbered, same())])[1], Some(CopyKind::Exact));
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
