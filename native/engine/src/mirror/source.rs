//! Where mirrored frames come from, and what a worker counts of each source within a second.

use std::collections::HashMap;

use arrayvec::ArrayVec;
use wire::{Address, EncapStack, Encapsulation, EncapsulationKind};

use super::duplicate::COPY_KINDS;
use super::sequence::SequenceRuns;

/// Sources that a worker tells apart; frames of further ones are counted together.
pub const MAX_SOURCES: usize = 256;
/// VLANs that are told of a source within a second.
const MAX_VLANS: usize = 64;
/// No wire carries a longer frame: jumbo frames end at 9216 bytes (switches), headers of tags and tunnels come on top.
const MAX_WIRE_BYTES: u32 = 9216 + 128;

/// One source of frames: an interface or file, or a mirror session that arrives through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceKey {
    /// Index of the interface.
    pub interface: u16,
    /// The session, if the frames came in one.
    pub session: Option<SessionKey>,
}

/// A mirror session: one counter of sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    /// How the switch packs the frames.
    pub kind: EncapsulationKind,
    /// The switch.
    pub origin: Address,
    /// To whom it sends.
    pub destination: Address,
    /// ERSPAN session id or GRE key; 0 where there is none.
    pub number: u32,
}

/// Counts of a source; what can be taken back is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceCounts {
    /// Frames taken from it.
    pub frames: i64,
    /// Their lengths on the wire in bytes.
    pub bytes: i64,
    /// Frames to one station.
    pub unicast_frames: i64,
    /// Frames that were cut before or by the capture.
    pub truncated_frames: i64,
    /// Frames larger than any wire carries.
    pub merged_frames: i64,
    /// Copies, by kind.
    pub duplicate_frames: [i64; COPY_KINDS],
    /// Frames missing in the sequence numbers.
    pub sequence_lost_frames: i64,
    /// Frames with a number that was passed already.
    pub sequence_late_frames: i64,
    /// TCP flows of which enough was seen to tell their directions.
    pub tcp_flows: i64,
    /// Those of which one direction only was seen.
    pub tcp_one_sided_flows: i64,
    /// Bytes that TCP has carried in flows with both directions, seen or not.
    pub tcp_acknowledged_bytes: i64,
    /// Those that were acknowledged but never seen.
    pub tcp_unseen_bytes: i64,
}

impl SourceCounts {
    fn fields(&mut self) -> [&mut i64; 15] {
        let [exact, routed, vlan, both] = &mut self.duplicate_frames;
        [
            &mut self.frames,
            &mut self.bytes,
            &mut self.unicast_frames,
            &mut self.truncated_frames,
            &mut self.merged_frames,
            exact,
            routed,
            vlan,
            both,
            &mut self.sequence_lost_frames,
            &mut self.sequence_late_frames,
            &mut self.tcp_flows,
            &mut self.tcp_one_sided_flows,
            &mut self.tcp_acknowledged_bytes,
            &mut self.tcp_unseen_bytes,
        ]
    }

    /// Adds another's counts.
    pub fn add(&mut self, mut other: Self) {
        for (own, other) in self.fields().into_iter().zip(other.fields()) {
            *own = own.saturating_add(*other);
        }
    }

    /// Takes another's counts off.
    pub fn subtract(&mut self, mut other: Self) {
        for (own, other) in self.fields().into_iter().zip(other.fields()) {
            *own = own.saturating_sub(*other);
        }
    }
}

/// What a worker says of a source when a second has closed.
#[derive(Debug, Clone)]
pub struct SourceDelta {
    /// The source.
    pub key: SourceKey,
    /// Counts of the second.
    pub counts: SourceCounts,
    /// Sequence numbers of the second.
    pub sequences: SequenceRuns,
    /// VLANs seen, outermost tags; the first ones if there are too many.
    pub vlans: ArrayVec<u16, MAX_VLANS>,
}

/// The sources of one worker.
#[derive(Debug, Default)]
pub struct SourceTable {
    places: HashMap<SourceKey, u16>,
    sources: Vec<SourceDelta>,
    last: u16,
    /// The last interface that gave plain frames, and its place.
    plain: Option<(u16, u16)>,
    left_out_frames: u64,
}

impl SourceTable {
    /// The place of the source that a frame came from.
    #[inline]
    pub fn place(&mut self, interface: u16, stack: &EncapStack) -> u16 {
        if stack.is_empty() && self.plain.is_some_and(|(known, _)| known == interface) {
            return self.plain.map_or(0, |(_, place)| place);
        }
        let (place, own) = self.place_of(interface, stack);
        self.left_out_frames += u64::from(!own);
        place
    }

    /// Frames of sessions that found no room, counted with their interface's plain frames.
    pub fn left_out_frames(&self) -> u64 {
        self.left_out_frames
    }

    /// The place that counts the source, and whether it is the source's own.
    fn place_of(&mut self, interface: u16, stack: &EncapStack) -> (u16, bool) {
        let key = SourceKey { interface, session: session(stack).map(|(session, _)| session) };
        let mut own = true;
        if self.sources.get(usize::from(self.last)).is_none_or(|last| last.key != key) {
            (self.last, own) = self.find(key);
        }
        if key.session.is_none() {
            self.plain = Some((interface, self.last));
        }
        (self.last, own)
    }

    #[cold]
    fn find(&mut self, key: SourceKey) -> (u16, bool) {
        if let Some(&place) = self.places.get(&key) {
            return (place, true);
        }
        // A full table counts further sessions with their interface's plain frames.
        let plain = SourceKey { session: None, ..key };
        if self.sources.len() >= MAX_SOURCES && key.session.is_some() {
            return (self.find(plain).0, false);
        }
        if self.sources.len() >= MAX_SOURCES * 2 {
            return (0, false);
        }
        let place = self.sources.len() as u16;
        let (counts, sequences) = (SourceCounts::default(), SequenceRuns::default());
        self.sources.push(SourceDelta { key, counts, sequences, vlans: ArrayVec::new() });
        self.places.insert(key, place);
        (place, true)
    }

    /// The source at a place.
    #[inline]
    pub fn key(&self, place: u16) -> SourceKey {
        self.sources[usize::from(place)].key
    }

    /// The counts of the open second.
    #[inline]
    pub fn counts(&mut self, place: u16) -> &mut SourceCounts {
        &mut self.sources[usize::from(place)].counts
    }

    /// Counts a frame: its length on the wire in bytes, whether it was cut, whether it went to one station.
    #[inline]
    pub fn count(&mut self, place: u16, (origlen, cut, unicast): (u32, bool, bool), stack: &EncapStack) {
        let source = &mut self.sources[usize::from(place)];
        let counts = &mut source.counts;
        counts.frames += 1;
        counts.bytes += i64::from(origlen);
        counts.unicast_frames += i64::from(unicast);
        counts.merged_frames += i64::from(origlen > MAX_WIRE_BYTES);
        let mut truncated = cut;
        for encapsulation in stack {
            match *encapsulation {
                Encapsulation::Vlan { id } if source.vlans.last() != Some(&id) && !source.vlans.contains(&id) => {
                    // What finds no room is told in another second.
                    let _ = source.vlans.try_push(id);
                }
                Encapsulation::ErspanII { truncated: cut, .. } | Encapsulation::ErspanIII { truncated: cut, .. } => {
                    truncated |= cut;
                }
                _ => {}
            }
        }
        counts.truncated_frames += i64::from(truncated);
    }

    /// Takes the sequence number of a frame, if it has one.
    #[inline]
    pub fn count_sequence(&mut self, interface: u16, stack: &EncapStack) {
        if let Some((_, Some(sequence))) = session(stack) {
            let (place, _) = self.place_of(interface, stack);
            let source = &mut self.sources[usize::from(place)];
            source.counts.sequence_late_frames += i64::from(source.sequences.take(sequence));
        }
    }

    /// What has changed since the last call.
    pub fn take(&mut self) -> Vec<SourceDelta> {
        let mut deltas = Vec::new();
        for source in &mut self.sources {
            if source.counts != SourceCounts::default() || !source.sequences.is_empty() {
                deltas.push(source.clone());
                source.counts = SourceCounts::default();
                source.sequences.clear();
                source.vlans.clear();
            }
        }
        deltas
    }
}

/// The mirror session that a frame came in, with its sequence number: that of its outermost tunnel. GRE without a
/// sequence number is traffic like any other.
#[inline]
fn session(stack: &EncapStack) -> Option<(SessionKey, Option<u32>)> {
    let mut ends = None;
    for encapsulation in stack {
        let (number, sequence) = match *encapsulation {
            Encapsulation::Vlan { .. } => continue,
            Encapsulation::Ip { source, destination } if ends.is_none() => {
                ends = Some((source, destination));
                continue;
            }
            Encapsulation::Gre { key, sequence: Some(sequence) } => (key.unwrap_or(0), Some(sequence)),
            Encapsulation::ErspanI => (0, None),
            Encapsulation::ErspanII { session, sequence, .. } => (u32::from(session), Some(sequence)),
            Encapsulation::ErspanIII { session, sequence, .. } => (u32::from(session), sequence),
            _ => return None,
        };
        let (origin, destination) = ends?;
        return Some((SessionKey { kind: encapsulation.kind(), origin, destination, number }, sequence));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a frame came in that a switch sent in this session of ERSPAN.
    fn erspan(session: u16, sequence: u32) -> EncapStack {
        let [source, destination] = [1, 2].map(|last| Address::v4([10, 0, 0, last]));
        [
            Encapsulation::Ip { source, destination },
            Encapsulation::ErspanII { sequence, session, vlan: 0, truncated: false, index: 0 },
        ]
        .into_iter()
        .collect()
    }

    fn count(table: &mut SourceTable, stack: &EncapStack) -> u16 {
        table.count_sequence(0, stack);
        let place = table.place(0, stack);
        table.count(place, (100, false, true), stack);
        place
    }

    #[test]
    fn sessions_beyond_the_last_place_count_with_their_interface_and_are_counted() {
        let mut table = SourceTable::default();
        for session in 0..MAX_SOURCES as u16 {
            assert_eq!(count(&mut table, &erspan(session, 1)), session);
        }
        assert_eq!(table.left_out_frames(), 0);
        let plain = count(&mut table, &EncapStack::new());
        for sequence in 1..=3 {
            assert_eq!(count(&mut table, &erspan(1000, sequence)), plain);
            assert_eq!(count(&mut table, &erspan(1, sequence)), 1);
        }
        assert_eq!(count(&mut table, &EncapStack::new()), plain);
        assert_eq!((table.left_out_frames(), table.counts(plain).frames), (3, 5));
    }
}
