//! Packet time: how far it has come, in seconds that close one after the other.

/// One frame moves the clock forward by at most this.
const STEP_LIMIT_NS: u64 = 60 * NS;
/// So many frames in a row that agree on another time are a new time, not a bad frame.
const PERSISTENT_FRAMES: u32 = 3;
const NS: u64 = 1_000_000_000;

/// The watermark of a source: packet time that never runs back, never leaps for one bad frame, and adopts a lasting
/// jump without letting it expire anything.
///
/// It keeps three times. `now_ns` is packet time. `tick` counts seconds for flow timers and leaves jumps out, so that
/// a jump ends no flow. `second` numbers the seconds of packet time for those who wait for all workers; it always rises.
#[derive(Debug, Default)]
pub struct Watermark {
    now_ns: u64,
    /// Where the open second ends, and timer time in it: known beforehand, so that a frame costs no division.
    closes_ns: u64,
    tick: u32,
    /// Added to packet time to give timer time.
    timer_offset_ns: i64,
    /// Added to the second of packet time so that numbers rise after a jump back.
    second_offset: u64,
    /// Where frames that disagree with the watermark put it, and how many of them came in a row.
    candidate_ns: u64,
    streak: u32,
    jumps: u64,
}

impl Watermark {
    /// Takes the time of a frame; `true` if a second of packet time has closed or the first has opened.
    #[inline]
    pub fn advance(&mut self, timestamp_ns: u64) -> bool {
        if timestamp_ns >= self.now_ns && timestamp_ns - self.now_ns <= STEP_LIMIT_NS {
            self.now_ns = timestamp_ns;
            self.streak = 0;
            return timestamp_ns >= self.closes_ns && self.open_second();
        }
        self.disagree(timestamp_ns)
    }

    /// Whether a frame of this time would close no second, and the frames before it agree: it may be left out.
    #[inline]
    pub fn is_within(&self, timestamp_ns: u64) -> bool {
        self.streak == 0 && timestamp_ns >= self.now_ns && timestamp_ns < self.closes_ns
    }

    /// Packet time has entered another second.
    #[cold]
    fn open_second(&mut self) -> bool {
        self.closes_ns = (self.now_ns / NS + 1).saturating_mul(NS);
        self.tick = (self.now_ns.saturating_add_signed(self.timer_offset_ns) / NS) as u32;
        true
    }

    #[cold]
    fn disagree(&mut self, timestamp_ns: u64) -> bool {
        if self.now_ns == 0 {
            self.now_ns = timestamp_ns;
            return self.open_second();
        }
        if timestamp_ns < self.now_ns && self.now_ns - timestamp_ns <= STEP_LIMIT_NS {
            self.streak = 0;
            return false;
        }
        let agrees = self.streak > 0
            && timestamp_ns.saturating_add(STEP_LIMIT_NS) >= self.candidate_ns
            && (timestamp_ns < self.now_ns) == (self.candidate_ns < self.now_ns);
        self.streak = if agrees { self.streak + 1 } else { 1 };
        self.candidate_ns = timestamp_ns;
        if self.streak >= PERSISTENT_FRAMES {
            self.adopt(timestamp_ns);
            return self.open_second();
        }
        let first_ahead = self.streak == 1 && timestamp_ns > self.now_ns;
        if first_ahead {
            self.now_ns += STEP_LIMIT_NS;
            self.open_second();
        }
        first_ahead
    }

    fn adopt(&mut self, timestamp_ns: u64) {
        let next_second = self.second() + 1;
        self.timer_offset_ns += self.now_ns as i64 - timestamp_ns as i64;
        self.now_ns = timestamp_ns;
        self.second_offset = self.second_offset.max(next_second.saturating_sub(timestamp_ns / NS));
        self.streak = 0;
        self.jumps += 1;
    }

    /// Packet time in nanoseconds since 1970; 0 before the first frame.
    #[inline]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// The number of the second that is open now.
    #[inline]
    pub fn second(&self) -> u64 {
        self.now_ns / NS + self.second_offset
    }

    /// Timer time in seconds.
    #[inline]
    pub fn tick(&self) -> u32 {
        self.tick
    }

    /// How many lasting jumps were adopted.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000 * NS;

    fn started() -> Watermark {
        let mut watermark = Watermark::default();
        watermark.advance(START);
        watermark
    }

    #[test]
    fn a_second_closes_when_a_frame_of_the_next_one_comes() {
        let mut watermark = started();
        assert!(!watermark.advance(START + NS - 1));
        assert!(watermark.advance(START + NS));
        assert!(!watermark.advance(START + NS - 5));
        assert_eq!(watermark.now_ns(), START + NS);
    }

    #[test]
    fn one_bad_frame_moves_the_clock_by_a_minute_at_most() {
        let mut watermark = started();
        watermark.advance(START + 3_000_000 * NS);
        assert_eq!(watermark.now_ns(), START + STEP_LIMIT_NS);
        watermark.advance(START + 1);
        watermark.advance(START + 4_000_000 * NS);
        watermark.advance(START + 2);
        assert_eq!(watermark.now_ns(), START + 2 * STEP_LIMIT_NS);
        assert_eq!(watermark.jumps(), 0);
    }

    #[test]
    fn a_lasting_jump_is_adopted_and_moves_timers_by_a_minute_at_most() {
        for jump in [3_000_000_i64, -3_000_000] {
            let mut watermark = started();
            let (tick, second) = (watermark.tick(), watermark.second());
            let there = START.saturating_add_signed(jump * NS as i64);
            for frame in 0..u64::from(PERSISTENT_FRAMES) {
                watermark.advance(there + frame);
            }
            assert_eq!(watermark.now_ns(), there + u64::from(PERSISTENT_FRAMES) - 1);
            assert_eq!(watermark.jumps(), 1);
            assert!(watermark.tick() - tick <= 60, "timers moved by {}", watermark.tick() - tick);
            assert!(watermark.second() > second, "seconds must rise");
        }
    }
}
