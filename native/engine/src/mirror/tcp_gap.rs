//! Bytes that TCP's peer has acknowledged but that the mirror never showed: what Zeek calls a content gap.

/// A longer step is another stream, a forgery, or a pause of the mirror that silence tells of: nothing is claimed.
const MAX_STEP: u32 = 1 << 24;
/// Half of the numbers are ahead, half behind (RFC 9293, 3.4).
const HALF: u32 = 1 << 31;

/// One direction of a flow: how far its bytes were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpGap {
    /// The sequence number after the last byte that was seen or acknowledged.
    highest: u32,
    /// Bytes skipped below it that nobody has acknowledged yet, and where the last of them ends.
    missing: u32,
    missing_end: u32,
    /// Bytes acknowledged but never seen.
    unseen: u32,
}

/// What a packet changed, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GapChange {
    /// Bytes that the stream went on.
    pub advanced: i64,
    /// Bytes acknowledged but never seen; negative where they came late.
    pub unseen: i64,
}

impl TcpGap {
    /// Whether the direction has shown nothing yet, so that nothing can be said of it.
    #[inline]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The first segment that was seen; `length` is its place in the sequence, SYN and FIN included.
    pub fn start(&mut self, sequence: u32, length: u32) {
        *self = Self { highest: sequence.wrapping_add(length), ..Self::default() };
    }

    /// A segment of this direction. One below what was seen may be a repetition or fill a gap: in doubt, it fills.
    #[inline]
    pub fn segment(&mut self, sequence: u32, length: u32) -> GapChange {
        let end = sequence.wrapping_add(length);
        let ahead = end.wrapping_sub(self.highest);
        if ahead >= HALF || ahead == 0 {
            let late = length.min(self.unseen);
            self.missing = self.missing.saturating_sub(length);
            self.unseen -= late;
            return GapChange { advanced: 0, unseen: -i64::from(late) };
        }
        if ahead > MAX_STEP {
            self.start(sequence, length);
            return GapChange::default();
        }
        let skipped = sequence.wrapping_sub(self.highest);
        if skipped < HALF && skipped > 0 && length > 0 {
            self.missing = self.missing.saturating_add(skipped);
            self.missing_end = sequence;
        }
        if length > 0 {
            self.highest = end;
        }
        GapChange { advanced: if length > 0 { i64::from(ahead) } else { 0 }, unseen: 0 }
    }

    /// The other side acknowledges everything before `number`.
    #[inline]
    pub fn acknowledged(&mut self, number: u32) -> GapChange {
        let mut change = GapChange::default();
        if self.missing > 0 && number.wrapping_sub(self.missing_end) < HALF {
            change.unseen += i64::from(self.missing);
            self.missing = 0;
        }
        let beyond = number.wrapping_sub(self.highest);
        if beyond > 0 && beyond <= MAX_STEP {
            change.unseen += i64::from(beyond);
            change.advanced = i64::from(beyond);
            self.highest = number;
        }
        self.unseen = self.unseen.saturating_add(change.unseen as u32);
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> TcpGap {
        let mut gap = TcpGap::default();
        gap.start(1000, 1);
        gap
    }

    #[test]
    fn all_that_was_seen_is_no_gap_whatever_is_repeated_or_out_of_order() {
        let mut gap = started();
        for (sequence, length) in [(1001, 100), (1001, 100), (1201, 100), (1101, 100), (1300, 1)] {
            assert_eq!(gap.segment(sequence, length).unseen, 0);
        }
        assert_eq!(gap.acknowledged(1301), GapChange::default());
    }

    #[test]
    fn a_hole_counts_once_it_is_acknowledged() {
        let mut gap = started();
        gap.segment(1001, 100);
        gap.segment(1201, 100);
        assert_eq!(gap.acknowledged(1101).unseen, 0);
        assert_eq!(gap.acknowledged(1250).unseen, 100);
        assert_eq!(gap.acknowledged(1301).unseen, 0);
    }

    #[test]
    fn an_acknowledgement_that_overtakes_its_data_is_given_back() {
        let mut gap = started();
        assert_eq!(gap.acknowledged(1101), GapChange { advanced: 100, unseen: 100 });
        assert_eq!(gap.segment(1001, 100), GapChange { advanced: 0, unseen: -100 });
    }

    #[test]
    fn numbers_wrap_and_forgeries_move_nothing() {
        let mut gap = TcpGap::default();
        gap.start(u32::MAX - 9, 5);
        assert_eq!(gap.segment(u32::MAX - 4, 15), GapChange { advanced: 15, unseen: 0 });
        assert_eq!(gap.acknowledged(10), GapChange::default());
        assert_eq!(gap.acknowledged(1 << 31), GapChange::default());
        // A keepalive repeats the last byte (RFC 9293, 3.8.4).
        assert_eq!(gap.segment(9, 0), GapChange::default());
    }
}
