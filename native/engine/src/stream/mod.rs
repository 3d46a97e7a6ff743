//! TCP's bytes in the order in which they were sent (RFC 9293, 3.4), one direction at a time.
//!
//! What comes in order is passed on as it lies in the frame. What comes early is kept, within bounds, until what is
//! missing has come, the other end has acknowledged it, or no more can be kept; the last two tell of a gap. Of bytes that
//! come twice the first win.

mod held;
#[cfg(test)]
mod tests;

use held::Held;

/// Half of the numbers are ahead, half behind (RFC 9293, 3.4).
const HALF: u32 = 1 << 31;

/// A piece of a direction; pieces follow each other without overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next bytes.
    Data(&'a [u8]),
    /// So many of the next bytes were never seen.
    Gap(u32),
    /// Nothing more will come.
    End,
}

/// A segment of one direction.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// Sequence number of the first byte of its data.
    pub sequence: u32,
    /// The data as captured.
    pub data: &'a [u8],
    /// Length of the data on the wire in bytes.
    pub length: u32,
    /// Whether the direction ends behind it.
    pub fin: bool,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Stream {
    /// Number of the next byte; none before anything is known of the direction.
    next: Option<u32>,
    /// Number behind the last byte, once FIN was seen.
    end: Option<u32>,
    /// The other end has everything before this number.
    acknowledged: Option<u32>,
    held: Held,
    ended: bool,
}

impl Stream {
    /// A direction whose first byte has this number; none where it is not known: then the first segment is the beginning.
    pub fn starting_at(next: Option<u32>) -> Self {
        Self { next, ..Self::default() }
    }

    /// Bytes that came early and are kept.
    pub fn held_bytes(&self) -> usize {
        self.held.bytes()
    }

    /// Takes a segment. At most `room` bytes more than now are kept; without room a gap is told instead.
    #[inline]
    pub fn segment(&mut self, segment: &Segment<'_>, room: usize, sink: &mut dyn FnMut(Piece<'_>)) {
        if self.ended {
            return;
        }
        let next = *self.next.get_or_insert(segment.sequence);
        if segment.length > 0 {
            if next == segment.sequence && self.held.is_empty() {
                self.pass_on(segment.data, segment.length, sink);
            } else {
                self.place(segment, room, sink);
            }
        }
        if segment.fin {
            self.end.get_or_insert(segment.sequence.wrapping_add(segment.length));
        }
        self.settle(sink);
    }

    /// The other end says that it has everything before `number`.
    #[inline]
    pub fn acknowledged(&mut self, number: u32, sink: &mut dyn FnMut(Piece<'_>)) {
        let newer = self.acknowledged.is_none_or(|known| number.wrapping_sub(known) < HALF);
        if newer {
            self.acknowledged = Some(number);
        }
        if newer && !self.ended {
            self.settle(sink);
        }
    }

    /// Nothing more will come: what is kept goes out, with its gaps.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        while let Some(first) = self.held.first() {
            self.skip_to(first, sink);
        }
        if !self.ended {
            self.ended = true;
            sink(Piece::End);
        }
    }

    /// How far ahead a number is; what lies behind is `HALF` or more ahead.
    fn ahead(&self, number: u32) -> u32 {
        number.wrapping_sub(self.next.unwrap_or(number))
    }

    fn pass_on(&mut self, data: &[u8], length: u32, sink: &mut dyn FnMut(Piece<'_>)) {
        let data = &data[..data.len().min(length as usize)];
        if !data.is_empty() {
            sink(Piece::Data(data));
        }
        let missing = length - data.len() as u32;
        if missing > 0 {
            sink(Piece::Gap(missing));
        }
        self.next = self.next.map(|next| next.wrapping_add(length));
    }

    /// A segment that is not simply the next one. Each turn either ends or moves `next` on.
    fn place(&mut self, segment: &Segment<'_>, room: usize, sink: &mut dyn FnMut(Piece<'_>)) {
        let end = segment.sequence.wrapping_add(segment.length);
        loop {
            let left = self.ahead(end);
            if left == 0 || left >= HALF {
                return;
            }
            let early = self.ahead(segment.sequence);
            if early == 0 || early >= HALF {
                let passed = early.wrapping_neg();
                let until = self.held.first().map_or(left, |first| left.min(self.ahead(first)));
                self.pass_on(segment.data.get(passed as usize..).unwrap_or_default(), until, sink);
                self.drain(sink);
            } else if self.held.insert(self.next.unwrap_or_default(), segment, room) {
                return;
            } else {
                let to = self.held.first().filter(|&first| self.ahead(first) < early).unwrap_or(segment.sequence);
                self.skip_to(to, sink);
            }
        }
    }

    /// What is kept and is next now goes out.
    fn drain(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        while let Some((data, length)) = self.next.and_then(|next| self.held.take(next)) {
            self.pass_on(&data, length, sink);
        }
    }

    fn skip_to(&mut self, number: u32, sink: &mut dyn FnMut(Piece<'_>)) {
        let missing = self.ahead(number);
        if missing > 0 {
            sink(Piece::Gap(missing));
        }
        self.next = Some(number);
        self.drain(sink);
    }

    /// Gives up what the other end has and the mirror did not show, and ends where FIN stood.
    #[inline]
    fn settle(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        while let Some(target) = self.held.first().or(self.end) {
            let (ahead, known) = (self.ahead(target), self.acknowledged.map_or(HALF, |number| self.ahead(number)));
            if ahead == 0 || ahead >= HALF || known >= HALF || known < ahead {
                break;
            }
            self.skip_to(target, sink);
        }
        if self.end.is_some() && self.end == self.next {
            self.ended = true;
            sink(Piece::End);
        }
    }
}
