//! The first steps of a frame, each for a whole group before the next: what a step will touch was asked for in the one
//! before it.

use arrayvec::ArrayVec;
use capture::Frame;
use wire::{DecodeError, FlowKey, Network, Packet};

use super::Worker;
use crate::store::FrameStore;

/// Frames that are decoded and looked up together.
pub(super) const GROUP: usize = 32;

/// Frames that go through the first steps together: each step for all of them before the next one.
#[derive(Default)]
pub(super) struct Group<'a> {
    pub(super) frames: ArrayVec<Taken<'a>, GROUP>,
    pub(super) decoded: ArrayVec<Result<Packet<'a>, DecodeError>, GROUP>,
    pub(super) sought: ArrayVec<Option<Sought>, GROUP>,
}

/// A frame, and how many frames before it other workers take that move no clock.
pub(super) struct Taken<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) passed_over: u64,
}

/// What is looked for when the turn of a packet comes.
pub(super) struct Sought {
    /// The key of its flow, and whether its sender stands second in it.
    pub(super) key: FlowKey,
    pub(super) swapped: bool,
    /// Where its flow seemed to be when the group was looked up.
    pub(super) place: Option<u32>,
    /// The hash of the key.
    hash: u64,
    /// What its copies have in common with it.
    pub(super) fingerprint: u64,
}

/// A frame whose turn has come, with what is known of it.
pub(super) struct Arrival<'g> {
    pub(super) frame: &'g Frame<'g>,
    pub(super) decoded: &'g Result<Packet<'g>, DecodeError>,
    pub(super) sought: Option<&'g Sought>,
    /// Which of the group it is.
    pub(super) index: usize,
}

impl Worker {
    /// Takes the next frames, without those of other workers that move no clock.
    #[inline]
    pub(super) fn take<'a>(
        &mut self,
        frames: &mut impl Iterator<Item = Frame<'a>>,
        taken: &mut ArrayVec<Taken<'a>, GROUP>,
    ) {
        taken.clear();
        while !taken.is_full() {
            let Some(frame) = frames.next() else { break };
            if self.setup.is_others(&frame) && self.clock.is_within(frame.timestamp_ns) {
                self.passed_over += 1;
                self.passed_over_ns = frame.timestamp_ns;
            } else {
                prefetch_headers(frame.data);
                taken.push(Taken { frame, passed_over: std::mem::take(&mut self.passed_over) });
            }
        }
    }

    /// Stores and decodes a group: no frame's step needs another's, and what a step will touch was asked for in the one
    /// before it. With a flow cutoff frames are stored when their flow is known, see `storing`.
    #[inline]
    pub(super) fn decode<'a>(&mut self, group: &mut Group<'a>) {
        group.decoded.clear();
        for (Taken { frame, .. }, stack) in group.frames.iter().zip(&mut self.encapsulations) {
            if self.setup.is_others(frame) {
                // Only its time counts here.
                stack.clear();
                group.decoded.push(Ok(Packet { ether: None, network: Network::NonIp { ethertype: 0, payload: &[] } }));
                continue;
            }
            if let FrameStore::All(ring) = &mut self.store {
                ring.store(frame);
            }
            let (data, origlen, link_type) = (frame.data, frame.origlen, frame.link_type.0);
            match wire::plain_packet(data, origlen, link_type, &self.setup.ports) {
                Some(packet) => {
                    stack.clear();
                    group.decoded.push(Ok(packet));
                }
                None => group.decoded.push(wire::decode(data, origlen, link_type, &self.setup.ports, stack)),
            }
            if let (FrameStore::All(ring), Some(decoded)) = (&mut self.store, group.decoded.last()) {
                ring.describe(frame, decoded, stack);
            }
        }
    }

    /// Looks up the flows of a group.
    #[inline]
    pub(super) fn seek(&mut self, group: &mut Group<'_>) {
        group.sought.clear();
        for (Taken { frame, .. }, decoded) in group.frames.iter().zip(&group.decoded) {
            let (Ok(Packet { network: Network::Ip(packet), .. }), true) = (decoded, self.setup.is_own(frame, decoded))
            else {
                group.sought.push(None);
                continue;
            };
            let tuple = match packet.fragment {
                // In the frames' order, so that a first fragment tells of those behind it in its group.
                true => self.fragments.tuple(packet, frame.timestamp_ns),
                false => packet.five_tuple(),
            };
            let (key, swapped) = FlowKey::new(&tuple);
            let hash = self.flows.hash(&key);
            self.flows.prefetch(hash);
            let fingerprint = self.mirror.fingerprint(frame, packet);
            group.sought.push(Some(Sought { key, swapped, place: None, hash, fingerprint }));
        }
        for sought in group.sought.iter_mut().flatten() {
            sought.place = self.flows.guess(sought.hash);
        }
        for place in group.sought.iter().flatten().filter_map(|sought| sought.place) {
            self.flows.get(place).prefetch_conversation();
        }
    }
}

/// Asks for the first cache lines of a frame, which decoding will read: another processor has written them.
#[inline]
fn prefetch_headers(data: &[u8]) {
    for at in [0, 64] {
        if let Some(byte) = data.get(at) {
            capture::prefetch(byte);
        }
    }
}
