//! The calls of one host to one remote end, and the pace that they keep.

use std::collections::VecDeque;

use crate::config::BeaconConfig;

/// Calls that are remembered of a pair: an hour of a call a minute, five hours of one every five minutes.
const MAX_CALLS: usize = 64;
/// Calls that begin within this time are one: a client opens several connections side by side.
const TOGETHER_NS: u64 = 2_000_000_000;
/// After so long a silence the calls are another series.
const FORGET_NS: u64 = 24 * 3600 * 1_000_000_000;
/// Distances of calls that are judged: shorter ones are a client at work, longer ones outlast an incident.
const SHORTEST_NS: u64 = 5 * 1_000_000_000;
const LONGEST_NS: u64 = 45 * 60 * 1_000_000_000;
/// A distance within this share of the beat from a beat fits.
const FIT_TOLERANCE: f64 = 0.35;
/// So many beats a distance may hold: all but one were missed.
const MAX_BEATS: u64 = 4;
/// Sizes may deviate from their median by this share of it, in the median.
const SIZE_DEVIATION: f64 = 0.5;

/// One call: when it began, and the bytes of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    start_ns: u64,
    bytes: [u32; 2],
}

impl Call {
    pub(super) fn new(start_ns: u64, sent: u64, received: u64) -> Self {
        let capped = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        Self { start_ns, bytes: [capped(sent), capped(received)] }
    }

    fn merge(&mut self, other: Self) {
        self.start_ns = self.start_ns.min(other.start_ns);
        for (own, more) in self.bytes.iter_mut().zip(other.bytes) {
            *own = own.saturating_add(more);
        }
    }
}

/// How regular calls are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// The median distance.
    pub(super) interval_ns: u64,
    /// The median deviation from the nearest beat, as a share of the interval.
    pub(super) jitter_ratio: f64,
    /// The share of distances near a beat.
    pub(super) fit_ratio: f64,
}

/// The calls of a pair, the last ones one by one.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// In the order of their beginnings.
    recent: VecDeque<Call>,
    pub(super) first_ns: u64,
    pub(super) last_ns: u64,
    pub(super) count: u64,
    pub(super) bytes: [u64; 2],
    /// Since when the pace has been that of a beacon.
    steady_since_ns: Option<u64>,
    /// When the pair was last reported, 0 for never.
    pub(super) said_ns: u64,
}

impl Calls {
    /// Adds a call of which was heard at `time_ns`, calls in any order; `false` if it is part of one that was known.
    pub(super) fn add(&mut self, call: Call, time_ns: u64) -> bool {
        if self.count > 0 && call.start_ns > self.last_ns.saturating_add(FORGET_NS) {
            *self = Self::default();
        }
        let is_new = self.place(call);
        self.first_ns = if self.count == 0 { call.start_ns } else { self.first_ns.min(call.start_ns) };
        self.last_ns = self.last_ns.max(call.start_ns.min(time_ns));
        self.count += u64::from(is_new);
        for (sum, bytes) in self.bytes.iter_mut().zip(call.bytes) {
            *sum += u64::from(bytes);
        }
        is_new
    }

    /// Puts a call where its beginning belongs: records come at the ends of flows.
    fn place(&mut self, call: Call) -> bool {
        let after = self.recent.iter().rposition(|known| known.start_ns <= call.start_ns);
        let next = after.map_or(0, |place| place + 1);
        for near in [after, Some(next)].into_iter().flatten() {
            if let Some(known) = self.recent.get_mut(near) {
                if known.start_ns.abs_diff(call.start_ns) < TOGETHER_NS {
                    known.merge(call);
                    return false;
                }
            }
        }
        self.recent.insert(next, call);
        if self.recent.len() > MAX_CALLS {
            self.recent.pop_front();
        }
        true
    }

    /// The pace of the calls, if it has been that of a beacon for long enough. To be asked after each call.
    pub(super) fn pace(&mut self, config: &BeaconConfig) -> Option<Pace> {
        let pace = self.last_pace(config);
        let (first, last) = (self.recent.front()?.start_ns, self.recent.back()?.start_ns);
        self.steady_since_ns = pace.map(|_| self.steady_since_ns.unwrap_or(first));
        let steady_ns = last.saturating_sub(self.steady_since_ns?);
        pace.filter(|_| u128::from(steady_ns) >= config.span.as_nanos())
    }

    /// The pace of the last calls, if it is that of a beacon.
    fn last_pace(&self, config: &BeaconConfig) -> Option<Pace> {
        if (self.recent.len() as u64) < config.calls || !self.is_small_talk(config) {
            return None;
        }
        let pairs = self.recent.iter().zip(self.recent.iter().skip(1));
        let mut distances: Vec<u64> = pairs.map(|(one, next)| next.start_ns - one.start_ns).collect();
        let interval_ns = median(&mut distances);
        if !(SHORTEST_NS..=LONGEST_NS).contains(&interval_ns) {
            return None;
        }
        let mut deviations: Vec<u64> = distances.iter().map(|&distance| off_beat(distance, interval_ns)).collect();
        let near = deviations.iter().filter(|&&off| off as f64 <= FIT_TOLERANCE * interval_ns as f64).count();
        let fit_ratio = near as f64 / deviations.len() as f64;
        let jitter_ratio = median(&mut deviations) as f64 / interval_ns as f64;
        let steady = jitter_ratio <= config.jitter_ratio && fit_ratio >= config.fit_ratio;
        steady.then_some(Pace { interval_ns, jitter_ratio, fit_ratio })
    }

    /// Whether most calls are short and ask for much the same: who fetches or stores something is no beacon.
    fn is_small_talk(&self, config: &BeaconConfig) -> bool {
        let mut sent: Vec<u64> = self.recent.iter().map(|call| u64::from(call.bytes[0])).collect();
        let mut both: Vec<u64> = self.recent.iter().map(|call| call.bytes.map(u64::from).iter().sum()).collect();
        let usual = median(&mut sent);
        let mut deviations: Vec<u64> = sent.iter().map(|bytes| bytes.abs_diff(usual)).collect();
        median(&mut both) <= config.call_bytes && median(&mut deviations) as f64 <= SIZE_DEVIATION * usual as f64
    }
}

/// How far a distance is from the nearest whole number of beats.
fn off_beat(distance_ns: u64, beat_ns: u64) -> u64 {
    let beats = ((distance_ns + beat_ns / 2) / beat_ns).clamp(1, MAX_BEATS);
    distance_ns.abs_diff(beats * beat_ns)
}

/// The middle value, the upper one of two; 0 of none. Orders the values on the way.
fn median(values: &mut [u64]) -> u64 {
    if values.is_empty() {
        return 0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable(middle).1
}
