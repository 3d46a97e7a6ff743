//! Packets and bytes over time, in as many steps as a picture has room for, whatever the length of the capture.

use serde::Serialize;

const MAX_STEPS: u64 = 600;
const NS_PER_SECOND: u64 = 1_000_000_000;

/// Counts in steps of a second, and of twice as long whenever there would be more than 600 of them.
#[derive(Debug)]
pub(super) struct Timeline {
    step_seconds: u64,
    /// Number of the first step.
    begin: u64,
    /// Packets and bytes of each step from the first on.
    counts: Vec<[f64; 2]>,
}

/// A step as others see it.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    time_ns: u64,
    seconds: u64,
    pub(super) packets: u64,
    bytes: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { step_seconds: 1, begin: 0, counts: Vec::new() }
    }
}

impl Timeline {
    /// Spreads packets and bytes of a flow evenly over its time.
    pub(super) fn add(&mut self, first_ns: u64, last_ns: u64, carried: [u64; 2]) {
        let first = first_ns / NS_PER_SECOND;
        let last = first.max(last_ns / NS_PER_SECOND);
        while self.steps_with(first, last) > MAX_STEPS {
            self.coarsen();
        }
        let steps = self.reach(first / self.step_seconds, last / self.step_seconds);
        let shares = carried.map(|count| count as f64 / steps.len() as f64);
        for [packets, bytes] in steps {
            *packets += shares[0];
            *bytes += shares[1];
        }
    }

    /// Number of steps if these seconds were among them.
    fn steps_with(&self, first: u64, last: u64) -> u64 {
        let (mut begin, mut end) = (first / self.step_seconds, last / self.step_seconds);
        if !self.counts.is_empty() {
            begin = begin.min(self.begin);
            end = end.max(self.begin + self.counts.len() as u64 - 1);
        }
        end - begin + 1
    }

    fn coarsen(&mut self) {
        self.step_seconds *= 2;
        let mut coarser = vec![[0.0; 2]; self.counts.len() / 2 + 1];
        for (step, counts) in (self.begin..).zip(&self.counts) {
            let into = &mut coarser[(step / 2 - self.begin / 2) as usize];
            into[0] += counts[0];
            into[1] += counts[1];
        }
        let end = self.begin + self.counts.len() as u64;
        coarser.truncate((end.div_ceil(2) - self.begin / 2) as usize);
        self.begin /= 2;
        self.counts = coarser;
    }

    /// The counts of these steps, made if there are none yet.
    fn reach(&mut self, begin: u64, end: u64) -> &mut [[f64; 2]] {
        if self.counts.is_empty() {
            self.begin = begin;
        }
        let before = self.begin.saturating_sub(begin) as usize;
        self.counts.splice(..0, std::iter::repeat_n([0.0; 2], before));
        self.begin = self.begin.min(begin);
        let (begin, end) = ((begin - self.begin) as usize, (end - self.begin) as usize);
        if self.counts.len() <= end {
            self.counts.resize(end + 1, [0.0; 2]);
        }
        &mut self.counts[begin..=end]
    }

    /// Every step from the first to the last, also those in which nothing happened.
    pub(super) fn steps(&self) -> Vec<Step> {
        let step = |(number, &[packets, bytes]): (u64, &[f64; 2])| Step {
            time_ns: number * self.step_seconds * NS_PER_SECOND,
            seconds: self.step_seconds,
            packets: packets.round() as u64,
            bytes: bytes.round() as u64,
        };
        (self.begin..).zip(&self.counts).map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(timeline: &Timeline) -> Vec<u64> {
        timeline.steps().iter().map(|step| step.packets).collect()
    }

    #[test]
    fn a_flow_is_spread_over_its_time() {
        let mut timeline = Timeline::default();
        timeline.add(10 * NS_PER_SECOND, 19 * NS_PER_SECOND + 999_999_999, [10, 100]);
        assert_eq!(packets(&timeline), [1; 10]);
        timeline.add(8 * NS_PER_SECOND, 8 * NS_PER_SECOND, [7, 0]);
        timeline.add(21 * NS_PER_SECOND, 20 * NS_PER_SECOND, [3, 0]);
        assert_eq!(packets(&timeline), [7, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 3]);
        assert_eq!(timeline.steps()[2].time_ns, 10 * NS_PER_SECOND);
        assert_eq!(timeline.steps()[2].bytes, 10);
    }

    #[test]
    fn there_is_room_for_any_span_and_nothing_is_lost() {
        let mut timeline = Timeline::default();
        for second in [601, 0, 599, 86_400, 7, u64::MAX / NS_PER_SECOND] {
            timeline.add(second * NS_PER_SECOND, second * NS_PER_SECOND, [5, 50]);
            assert!(timeline.steps().len() as u64 <= MAX_STEPS);
        }
        timeline.add(0, u64::MAX, [600_000, 0]);
        let steps = timeline.steps();
        assert!(steps.len() as u64 <= MAX_STEPS);
        assert_eq!(steps.iter().map(|step| step.bytes).sum::<u64>(), 300);
        assert_eq!(steps[0].time_ns, 0);
        assert!(steps.windows(2).all(|pair| pair[1].time_ns - pair[0].time_ns == pair[0].seconds * NS_PER_SECOND));
    }
}
