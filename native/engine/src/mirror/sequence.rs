//! Sequence numbers of GRE and ERSPAN (RFC 2890, 2.2): what a session sent and what arrived, whichever worker took it.

use arrayvec::ArrayVec;

/// A number further ahead is another count: the switch has started anew.
const MAX_AHEAD: u32 = 1 << 20;
/// A number further behind is another count as well; one nearer is late.
const MAX_BEHIND: u32 = 4096;
/// Counts that a session may start within a second; frames of further ones are not followed.
const MAX_RUNS: usize = 4;

/// Numbers that belong to one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    lowest: u32,
    highest: u32,
    frames: u32,
}

/// The numbers that one worker has seen within a second.
#[derive(Debug, Clone, Default)]
pub struct SequenceRuns(ArrayVec<Run, MAX_RUNS>);

/// How far `number` is ahead of `from`, around the wrap; negative if it is behind, `None` if it is neither.
#[inline]
fn distance(from: u32, number: u32) -> Option<i64> {
    let ahead = number.wrapping_sub(from);
    let behind = from.wrapping_sub(number);
    if ahead <= MAX_AHEAD {
        Some(i64::from(ahead))
    } else if behind <= MAX_BEHIND {
        Some(-i64::from(behind))
    } else {
        None
    }
}

impl SequenceRuns {
    /// Takes a number; `true` if it is behind one that was seen before.
    #[inline]
    pub fn take(&mut self, number: u32) -> bool {
        let Some((last, ahead)) = self.0.last_mut().and_then(|run| distance(run.highest, number).map(|a| (run, a)))
        else {
            // What finds no room is neither lost nor late.
            let _ = self.0.try_push(Run { lowest: number, highest: number, frames: 1 });
            return false;
        };
        last.frames += 1;
        if ahead > 0 {
            last.highest = number;
        } else if last.lowest.wrapping_sub(number) <= MAX_BEHIND {
            last.lowest = number;
        }
        ahead < 0
    }

    /// Whether no number was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all numbers.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A session over all workers: how many frames are missing. A frame that comes late gives back the loss that its
/// absence was, so the sum does not depend on the order or on who took which frame.
#[derive(Debug, Default)]
pub struct SequenceCount {
    highest: Option<u32>,
    /// Frames that are missing now and may still come.
    missing: i64,
}

impl SequenceCount {
    /// Takes what all workers saw in a second; gives how many frames are lost more than before, negative if fewer.
    pub fn join<'a>(&mut self, seconds: impl IntoIterator<Item = &'a SequenceRuns>) -> i64 {
        let mut runs: Vec<Run> = seconds.into_iter().flat_map(|second| second.0.iter().copied()).collect();
        let mut lost = 0;
        while !runs.is_empty() {
            let before = self.highest.unwrap_or_else(|| {
                let lowest = runs.iter().map(|run| run.lowest);
                let first = runs[0].lowest;
                lowest
                    .min_by_key(|&number| distance(first, number).unwrap_or(i64::MAX))
                    .unwrap_or(first)
                    .wrapping_sub(1)
            });
            let (near, other): (Vec<Run>, _) =
                runs.into_iter().partition(|run| distance(before, run.highest).is_some());
            runs = other;
            if near.is_empty() {
                // Another count begins; nothing is known of what the old one still sent.
                (self.highest, self.missing) = (None, 0);
                continue;
            }
            let ahead = near.iter().filter_map(|run| distance(before, run.highest)).max().unwrap_or(0).max(0);
            let frames: i64 = near.iter().map(|run| i64::from(run.frames)).sum();
            let change = (ahead - frames).max(-self.missing);
            self.missing += change;
            lost += change;
            self.highest = Some(before.wrapping_add(ahead as u32));
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(seconds: &[&[&[u32]]]) -> i64 {
        let mut count = SequenceCount::default();
        let mut sum = 0;
        for workers in seconds {
            let runs: Vec<_> = workers
                .iter()
                .map(|numbers| {
                    let mut runs = SequenceRuns::default();
                    for &number in *numbers {
                        runs.take(number);
                    }
                    runs
                })
                .collect();
            sum += count.join(&runs);
        }
        sum
    }

    #[test]
    fn a_gap_is_lost_and_a_late_frame_gives_it_back() {
        assert_eq!(lost(&[&[&[5, 6, 7]]]), 0);
        assert_eq!(lost(&[&[&[5, 6, 9]]]), 2);
        assert_eq!(lost(&[&[&[5, 6, 9, 8, 7]]]), 0);
        assert_eq!(lost(&[&[&[5, 6]], &[&[9]], &[&[8]]]), 1);
    }

    #[test]
    fn whoever_took_the_frames_the_sum_is_the_same() {
        assert_eq!(lost(&[&[&[1, 3, 5], &[2, 4, 8]], &[&[9], &[12]]]), 4);
        assert_eq!(lost(&[&[&[1, 2, 3, 4, 5, 8]], &[&[9, 12]]]), 4);
    }

    #[test]
    fn numbers_wrap_and_a_restart_is_no_loss() {
        assert_eq!(lost(&[&[&[u32::MAX - 1, u32::MAX, 0, 2]]]), 1);
        assert_eq!(lost(&[&[&[900_000, 900_001, 0, 1, 2]], &[&[3, 5]]]), 1);
        assert_eq!(lost(&[&[&[1, 2]], &[&[3_000_000_000, 3_000_000_001]]]), 0);
    }

    #[test]
    fn copies_of_frames_hide_no_more_than_themselves() {
        assert_eq!(lost(&[&[&[1, 1, 2, 2]], &[&[3, 5]]]), 1);
    }

    #[test]
    fn a_late_frame_is_told() {
        let mut runs = SequenceRuns::default();
        assert_eq!([7, 9, 8, 10].map(|number| runs.take(number)), [false, false, true, false]);
    }
}
