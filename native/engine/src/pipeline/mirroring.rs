//! What a worker notes of the mirror itself: sources, copies, bytes that were never shown, flows with one side.

use capture::Frame;
use wire::{DecodeError, EncapStack, Encapsulation, Ether, IpPacket, Network, Packet, TcpFlags, Transport};

use super::{Arrival, Worker};
use crate::config::{Deduplicate, Mode};
use crate::flow::{Flow, FlowFlags, ORIG, RESP};
use crate::mirror::duplicate::{CopyTable, Way, fingerprint, mix_macs};
use crate::mirror::tcp_gap::{GapChange, is_known};
use crate::mirror::{CopyKind, SourceTable, TcpGap};

/// Packets of a connection that tell whether its other direction is missing: with fewer it may be a refused attempt.
const TELLING_PACKETS: u64 = 3;

/// What a worker remembers of the mirror.
#[derive(Debug)]
pub(super) struct MirrorWatch {
    pub(super) sources: SourceTable,
    copies: Option<CopyTable>,
    left_out: bool,
    /// Longest captured frame by interface: one cut there was cut by the sensor.
    snaplens: Vec<u32>,
    /// Place of the source of the frame that is being processed.
    place: u16,
}

impl MirrorWatch {
    pub(super) fn new(deduplicate: Deduplicate, snaplens: Vec<u32>) -> Self {
        Self {
            sources: SourceTable::default(),
            copies: (deduplicate != Deduplicate::Off).then(CopyTable::default),
            left_out: deduplicate == Deduplicate::On,
            snaplens,
            place: 0,
        }
    }

    /// Packets whose copies would go unseen.
    pub(super) fn copies_forgotten(&self) -> u64 {
        self.copies.as_ref().map_or(0, CopyTable::pushed_out)
    }

    /// Counts a frame in its source.
    #[inline]
    pub(super) fn count(&mut self, frame: &Frame<'_>, decoded: &Result<Packet<'_>, DecodeError>, stack: &EncapStack) {
        self.place = self.sources.place(frame.interface, stack);
        let snaplen = self.snaplens.get(usize::from(frame.interface)).copied().unwrap_or(u32::MAX);
        let mut cut = frame.data.len() < frame.origlen.min(snaplen) as usize;
        let mut unicast = true;
        if let Ok(Packet { ether, network }) = decoded {
            unicast = ether.is_none_or(|ether| !ether.destination.is_group());
            // A switch that cuts a frame before it sends it on leaves the length of the packet inside.
            cut |= matches!(network, Network::Ip(packet) if packet.length_bytes > frame.origlen);
        }
        self.sources.count(self.place, (frame.origlen, cut, unicast), stack);
    }

    /// The fingerprint of a packet; 0 where no copies are looked for. Asks for the memory where they will be.
    #[inline]
    pub(super) fn fingerprint(&self, frame: &Frame<'_>, packet: &IpPacket<'_>) -> u64 {
        let Some(copies) = &self.copies else { return 0 };
        let fingerprint = fingerprint(frame.data, packet);
        copies.prefetch(fingerprint);
        fingerprint
    }

    /// The kind of copy that a packet is.
    #[inline]
    fn copy(
        &mut self,
        (time_ns, fingerprint): (u64, u64),
        ether: Option<Ether>,
        packet: &IpPacket<'_>,
        stack: &EncapStack,
    ) -> Option<CopyKind> {
        let copies = self.copies.as_mut()?;
        let mix = |vlans: u8, layer: &Encapsulation| match *layer {
            Encapsulation::Vlan { id } => vlans.rotate_left(3).wrapping_add(((id + 1).wrapping_mul(0x9e37) >> 8) as u8),
            _ => vlans,
        };
        let vlans = stack.iter().fold(0, mix);
        let group = ether.is_some_and(|ether| ether.destination.is_group());
        let way = Way { source: self.place, ttl: packet.ttl, vlans, macs: mix_macs(ether) };
        let kind = copies.take(time_ns, (fingerprint, group), packet, way)?;
        self.sources.counts(self.place).duplicate_frames[kind as usize] += 1;
        Some(kind)
    }
}

impl Worker {
    /// Follows the numbers of a mirror session. In `read` the first worker sees every frame and does it alone; live each
    /// does it for its own frames, and the merge thread joins them.
    #[inline]
    pub(super) fn follow_sequence(&mut self, arrival: &Arrival<'_>) {
        let stack = &self.encapsulations[arrival.index];
        if !stack.is_empty() && (self.setup.mode == Mode::Live || self.setup.index == 0) {
            self.mirror.sources.count_sequence(arrival.frame.interface, stack);
        }
    }

    /// Whether a packet was seen before, and whether it is left out for it.
    #[inline]
    pub(super) fn take_copy(
        &mut self,
        arrival: &Arrival<'_>,
        fingerprint: u64,
        ether: Option<Ether>,
        packet: &IpPacket<'_>,
    ) -> (bool, bool) {
        let (seen, stack) = ((arrival.frame.timestamp_ns, fingerprint), &self.encapsulations[arrival.index]);
        let copy = self.mirror.copy(seen, ether, packet, stack).is_some();
        (copy, copy && self.mirror.left_out)
    }

    /// The place of the source of the frame that is being processed.
    pub(super) fn source(&self) -> u16 {
        self.mirror.place
    }

    /// Follows what a segment says of the bytes in both directions.
    #[inline]
    pub(super) fn follow_bytes(&mut self, place: u32, packet: &IpPacket<'_>, swapped: bool) {
        let flow = self.flows.get_mut(place);
        let direction = flow.direction(swapped);
        let change = flow.follow_bytes(packet, direction);
        if change != GapChange::default() {
            let counts = self.mirror.sources.counts(flow.source);
            counts.tcp_acknowledged_bytes += change.advanced;
            counts.tcp_unseen_bytes += change.unseen;
        }
    }

    /// Counts a TCP flow once enough of it was seen to tell whether a direction is missing.
    pub(super) fn judge_sides(&mut self, place: u32) {
        let flow = self.flows.get_mut(place);
        if flow.key.protocol() != wire::protocol::TCP {
            return;
        }
        let counts = self.mirror.sources.counts(flow.source);
        let answered = flow.flags.contains(FlowFlags::ANSWERED);
        if answered && flow.flags.contains(FlowFlags::ONE_SIDED) {
            flow.flags.remove(FlowFlags::ONE_SIDED);
            counts.tcp_one_sided_flows -= 1;
        }
        if flow.flags.contains(FlowFlags::TCP_COUNTED) || !(answered || flow.lacks_answer()) {
            return;
        }
        flow.flags.insert(FlowFlags::TCP_COUNTED);
        counts.tcp_flows += 1;
        if !answered {
            flow.flags.insert(FlowFlags::ONE_SIDED);
            counts.tcp_one_sided_flows += 1;
        }
    }
}

impl Flow {
    /// Whether what one end has sent shows that the other has answered: it acknowledges, and it sends data.
    fn lacks_answer(&self) -> bool {
        let flags = TcpFlags(self.tcp_flags[ORIG] | self.tcp_flags[RESP]);
        let data = self.flags.contains(FlowFlags::ORIG_DATA) || self.flags.contains(FlowFlags::RESP_DATA);
        let packets = self.totals[ORIG].packets + self.totals[RESP].packets;
        packets >= TELLING_PACKETS && data && flags.contains(TcpFlags::ACK)
    }

    #[inline]
    fn follow_bytes(&mut self, packet: &IpPacket<'_>, direction: usize) -> GapChange {
        let Transport::Tcp { flags, sequence, acknowledgement, .. } = packet.transport else {
            return GapChange::default();
        };
        let [own, other] = [self.highest[direction], self.highest[1 - direction]];
        let plain = flags.0 & !TcpFlags::PSH.0 == TcpFlags::ACK.0 && !packet.fragment && !self.has_gaps();
        if plain && own != 0 && other != 0 && sequence == own && is_known(other, acknowledgement) {
            self.highest[direction] = own.wrapping_add(packet.payload_length_bytes);
            return GapChange { advanced: i64::from(packet.payload_length_bytes), unseen: 0 };
        }
        self.follow_gaps(packet, direction)
    }

    /// The same for a segment that is out of order, acknowledges what was not seen, begins or ends.
    #[inline(never)]
    fn follow_gaps(&mut self, packet: &IpPacket<'_>, direction: usize) -> GapChange {
        let Transport::Tcp { flags, sequence, acknowledgement, .. } = packet.transport else {
            return GapChange::default();
        };
        // A reset's numbers are whatever its sender had at hand; without flags the header was cut.
        if flags.contains(TcpFlags::RST) || flags.0 == 0 {
            return GapChange::default();
        }
        let ends = u32::from(flags.contains(TcpFlags::SYN)) + u32::from(flags.contains(TcpFlags::FIN));
        let length = packet.payload_length_bytes.saturating_add(ends);
        let mut change = GapChange::default();
        let mut gaps = self.gaps();
        let (own, gap) = (&mut self.highest[direction], &mut gaps[direction]);
        if packet.fragment {
            // Where this segment ends is not known: what follows starts anew.
            (*own, *gap) = (0, TcpGap::default());
        } else if *own == 0 {
            *own = sequence.wrapping_add(length);
        } else if !flags.contains(TcpFlags::SYN) {
            change = gap.segment(own, sequence, length);
        }
        let (other, gap) = (&mut self.highest[1 - direction], &mut gaps[1 - direction]);
        if flags.contains(TcpFlags::ACK) && *other != 0 {
            let acknowledged = gap.acknowledged(other, acknowledgement);
            change.advanced += acknowledged.advanced;
            change.unseen += acknowledged.unseen;
        }
        self.set_gaps(gaps);
        if self.flags.contains(FlowFlags::ANSWERED) { change } else { GapChange::default() }
    }
}
