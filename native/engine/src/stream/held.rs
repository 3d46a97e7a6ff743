//! Segments that came before their turn.

use super::{HALF, Segment};

/// Bytes that one direction keeps at most.
pub(super) const MAX_BYTES: usize = 32 * 1024;
/// Segments that one direction keeps at most: the smallest hold a byte each.
pub(super) const MAX_SEGMENTS: usize = 128;

/// Segments in the order of their numbers, none overlapping another.
#[derive(Debug, Default)]
pub(super) struct Held {
    segments: Vec<Early>,
    bytes: usize,
}

#[derive(Debug)]
struct Early {
    sequence: u32,
    /// On the wire in bytes; `data` may be less of it.
    length: u32,
    data: Box<[u8]>,
}

impl Early {
    fn end(&self) -> u32 {
        self.sequence.wrapping_add(self.length)
    }
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of the first byte that is kept.
    pub(super) fn first(&self) -> Option<u32> {
        self.segments.first().map(|early| early.sequence)
    }

    /// Takes the segment out that begins at `next`: its data, and its length on the wire.
    pub(super) fn take(&mut self, next: u32) -> Option<(Box<[u8]>, u32)> {
        if self.first() != Some(next) {
            return None;
        }
        let early = self.segments.remove(0);
        self.bytes -= early.data.len();
        if self.segments.is_empty() {
            self.segments = Vec::new();
        }
        Some((early.data, early.length))
    }

    /// Keeps what a segment that lies ahead of `next` has beside those that are kept already; `false` when there is no
    /// room for it, and nothing was kept.
    pub(super) fn insert(&mut self, next: u32, segment: &Segment<'_>, room: usize) -> bool {
        let size = segment.data.len().min(segment.length as usize);
        // A segment that falls apart between others may become one more than there are.
        if self.bytes + size > MAX_BYTES || size > room || self.segments.len() * 2 >= MAX_SEGMENTS {
            return false;
        }
        let ahead = |number: u32| number.wrapping_sub(next);
        let end = segment.sequence.wrapping_add(segment.length);
        let mut at = segment.sequence;
        let mut place = 0;
        while ahead(at) < ahead(end) && ahead(end) < HALF {
            let until = match self.segments.get(place) {
                Some(other) if ahead(other.end()) <= ahead(at) => {
                    place += 1;
                    continue;
                }
                Some(other) if ahead(other.sequence) <= ahead(at) => {
                    at = other.end();
                    continue;
                }
                Some(other) if ahead(other.sequence) < ahead(end) => other.sequence,
                _ => end,
            };
            self.segments.insert(place, piece(segment, at, until));
            self.bytes += self.segments[place].data.len();
            at = until;
        }
        true
    }
}

/// The part of a segment from one number to another.
fn piece(segment: &Segment<'_>, from: u32, to: u32) -> Early {
    let offset = |number: u32| (number.wrapping_sub(segment.sequence) as usize).min(segment.data.len());
    Early { sequence: from, length: to.wrapping_sub(from), data: segment.data[offset(from)..offset(to)].into() }
}
