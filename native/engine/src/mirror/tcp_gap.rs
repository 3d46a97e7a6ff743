//! Bytes that TCP's peer has acknowledged but that the mirror never showed: what Zeek calls a content gap.

/// A longer step is another stream, a forgery, or a pause of the mirror that silence tells of: nothing is claimed.
const MAX_STEP: u32 = 1 << 24;
/// Half of the numbers are ahead, half behind (RFC 9293, 3.4).
const HALF: u32 = 1 << 31;

/// One direction of a flow: what is missing below the highest sequence number, which stands beside it in the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpGap {
    /// Bytes skipped that nobody has acknowledged yet, and where the last of them ends.
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
    /// Whether nothing is missing, and nothing could come late.
    pub fn is_closed(&self) -> bool {
        *self == Self::default()
    }

    /// A segment of this direction, `length` its place in the sequence, SYN and FIN included. `highest` is the number
    /// after the last byte that was seen or acknowledged. A segment below it may be a repetition or fill a gap: in
    /// doubt, it fills.
    pub fn segment(&mut self, highest: &mut u32, sequence: u32, length: u32) -> GapChange {
        let end = sequence.wrapping_add(length);
        let ahead = end.wrapping_sub(*highest);
        if ahead >= HALF || ahead == 0 {
            let late = length.min(self.unseen);
            self.missing = self.missing.saturating_sub(length);
            self.unseen -= late;
            return GapChange { advanced: 0, unseen: -i64::from(late) };
        }
        if ahead > MAX_STEP {
            (*highest, *self) = (end, Self::default());
            return GapChange::default();
        }
        if length == 0 {
            return GapChange::default();
        }
        let skipped = sequence.wrapping_sub(*highest);
        if skipped < HALF && skipped > 0 {
            self.missing = self.missing.saturating_add(skipped);
            self.missing_end = sequence;
        }
        *highest = end;
        GapChange { advanced: i64::from(ahead), unseen: 0 }
    }

    /// The other side acknowledges everything before `number`.
    pub fn acknowledged(&mut self, highest: &mut u32, number: u32) -> GapChange {
        let mut change = GapChange::default();
        if self.missing > 0 && number.wrapping_sub(self.missing_end) < HALF {
            change.unseen += i64::from(self.missing);
            self.missing = 0;
        }
        let beyond = number.wrapping_sub(*highest);
        if beyond > 0 && beyond <= MAX_STEP {
            change.unseen += i64::from(beyond);
            change.advanced = i64::from(beyond);
            *highest = number;
        }
        self.unseen = self.unseen.saturating_add(change.unseen as u32);
        change
    }
}

/// Whether an acknowledgement says nothing new: `number` is not beyond `highest`.
#[inline]
pub fn is_known(highest: u32, number: u32) -> bool {
    highest.wrapping_sub(number) < HALF
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A direction that was seen from byte 1001 on.
    struct Direction(TcpGap, u32);

    impl Direction {
        fn segment(&mut self, sequence: u32, length: u32) -> (i64, i64) {
            let change = self.0.segment(&mut self.1, sequence, length);
            (change.advanced, change.unseen)
        }

        fn acknowledged(&mut self, number: u32) -> (i64, i64) {
            let change = self.0.acknowledged(&mut self.1, number);
            (change.advanced, change.unseen)
        }
    }

    fn started(highest: u32) -> Direction {
        Direction(TcpGap::default(), highest)
    }

    #[test]
    fn all_that_was_seen_is_no_gap_whatever_is_repeated_or_out_of_order() {
        let mut seen = started(1001);
        for (sequence, length) in [(1001, 100), (1001, 100), (1201, 100), (1101, 100), (1300, 1)] {
            assert_eq!(seen.segment(sequence, length).1, 0);
        }
        assert_eq!(seen.acknowledged(1301), (0, 0));
    }

    #[test]
    fn a_hole_counts_once_it_is_acknowledged() {
        let mut seen = started(1001);
        seen.segment(1001, 100);
        seen.segment(1201, 100);
        assert_eq!(seen.acknowledged(1101), (0, 0));
        assert_eq!(seen.acknowledged(1250), (0, 100));
        assert_eq!(seen.acknowledged(1301), (0, 0));
    }

    #[test]
    fn an_acknowledgement_that_overtakes_its_data_is_given_back() {
        let mut seen = started(1001);
        assert_eq!(seen.acknowledged(1101), (100, 100));
        assert_eq!(seen.segment(1001, 100), (0, -100));
        assert!(seen.0.is_closed());
    }

    #[test]
    fn numbers_wrap_and_forgeries_move_nothing() {
        let mut seen = started(u32::MAX - 4);
        assert_eq!(seen.segment(u32::MAX - 4, 15), (15, 0));
        assert_eq!(seen.acknowledged(10), (0, 0));
        assert_eq!(seen.acknowledged(1 << 31), (0, 0));
        // A keepalive stands one byte back (RFC 9293, 3.8.4).
        assert_eq!(seen.segment(9, 0), (0, 0));
        assert_eq!(seen.segment(1 << 30, 100), (0, 0));
    }
}
