//! What a worker notes of the mirror itself: sources, copies, bytes that were never shown, flows with one side.

use capture::Frame;
use wire::{DecodeError, EncapStack, Encapsulation, Ether, IpPacket, Network, Packet, TcpFlags, Transport};

use super::{Arrival, Worker};
use crate::config::{Deduplicate, Mode};
use crate::flow::{Flow, FlowFlags, ORIG, RESP};
use crate::mirror::duplicate::{CopyTable, Way, mix_macs};
use crate::mirror::tcp_gap::GapChange;
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

    /// The kind of copy that a packet is.
    #[inline]
    fn copy(
        &mut self,
        frame: &Frame<'_>,
        ether: Option<Ether>,
        packet: &IpPacket<'_>,
        stack: &EncapStack,
    ) -> Option<CopyKind> {
        let copies = self.copies.as_mut()?;
        let mix = |vlans: u16, layer: &Encapsulation| match *layer {
            Encapsulation::Vlan { id } => vlans.wrapping_mul(31).wrapping_add(id + 1),
            _ => vlans,
        };
        let vlans = stack.iter().fold(0, mix);
        let group = ether.is_some_and(|ether| ether.destination.is_group());
        let way = Way { source: self.place, ttl: packet.ttl, vlans, macs: mix_macs(ether), group };
        let kind = copies.take(frame.timestamp_ns, frame.data, packet, way)?;
        self.sources.counts(self.place).duplicate_frames[kind as usize] += 1;
        Some(kind)
    }
}

impl Worker {
    /// Follows the numbers of a mirror session. In `read` the first worker sees every frame and does it alone; live each
    /// does it for its own frames, and the merge thread joins them.
    #[inline]
    pub(super) fn follow_sequence(&mut self, frame: &Frame<'_>, index: usize) {
        let stack = &self.encapsulations[index];
        if !stack.is_empty() && (self.setup.mode == Mode::Live || self.setup.index == 0) {
            self.mirror.sources.count_sequence(frame.interface, stack);
        }
    }

    /// Whether a packet was seen before, and whether it is left out for it.
    #[inline]
    pub(super) fn take_copy(
        &mut self,
        arrival: &Arrival<'_>,
        ether: Option<Ether>,
        packet: &IpPacket<'_>,
        index: usize,
    ) -> (bool, bool) {
        let copy = self.mirror.copy(&arrival.frame, ether, packet, &self.encapsulations[index]).is_some();
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
        if flow.tuple().protocol != wire::protocol::TCP {
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
        // A reset's numbers are whatever its sender had at hand; without flags the header was cut.
        if flags.contains(TcpFlags::RST) || flags.0 == 0 {
            return GapChange::default();
        }
        let ends = u32::from(flags.contains(TcpFlags::SYN)) + u32::from(flags.contains(TcpFlags::FIN));
        let length = packet.payload_length_bytes.saturating_add(ends);
        let answered = self.flags.contains(FlowFlags::ANSWERED);
        let own = &mut self.gaps[direction];
        let mut change = GapChange::default();
        if packet.fragment {
            // Where this segment ends is not known: what follows starts anew.
            *own = TcpGap::default();
        } else if own.is_unknown() {
            own.start(sequence, length);
        } else if !flags.contains(TcpFlags::SYN) {
            change = own.segment(sequence, length);
        }
        let other = &mut self.gaps[1 - direction];
        if flags.contains(TcpFlags::ACK) && !other.is_unknown() {
            let acknowledged = other.acknowledged(acknowledgement);
            change.advanced += acknowledged.advanced;
            change.unseen += acknowledged.unseen;
        }
        if answered { change } else { GapChange::default() }
    }
}
