//! What speaks against a mirror: thresholds over the counts of a window.

use serde_json::{Map, Value, json};

use super::duplicate::CopyKind;
use super::source::SourceCounts;

/// TCP flows of which a share can be told.
const ENOUGH_FLOWS: i64 = 5;
const ONE_SIDED_SHARE: f64 = 0.5;
/// With so few flows that show both directions the mirror is blind in one of them.
const BLIND_SHARE: f64 = 0.95;
const ENOUGH_DUPLICATES: i64 = 20;
const DUPLICATE_SHARE: f64 = 0.05;
const ENOUGH_TRUNCATED: i64 = 10;
const TRUNCATED_SHARE: f64 = 0.01;
const ENOUGH_LOST: i64 = 10;
const LOST_SHARE: f64 = 0.001;
const ENOUGH_UNSEEN_BYTES: i64 = 10_000;
const UNSEEN_SHARE: f64 = 0.01;
const ENOUGH_MERGED: i64 = 5;
/// Frames of which none is for one station: a port that nothing is mirrored to sees only what is flooded.
const ENOUGH_FLOODED: i64 = 100;
/// Seconds within the window that fill the port.
const ENOUGH_FULL_SECONDS: u32 = 3;
/// Share of the port's speed from which on frames find no room: bursts are shorter than the second that is measured.
pub const FULL_SHARE: f64 = 0.95;

/// The rules that the core judges, in the order of their numbers.
pub const RULES: [&str; 5] =
    ["mirror.one-sided", "mirror.duplicates", "mirror.truncated", "mirror.loss", "mirror.degraded"];

/// What a rule says of the window.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Too little was seen to say anything: what was true stays true.
    Unknown,
    /// Nothing is wrong.
    Well,
    /// The figures that are wrong, and whether nothing usable arrives.
    Wrong {
        /// Whether the source shows nothing usable.
        blind: bool,
        /// Names and numbers.
        figures: Map<String, Value>,
    },
}

/// What one source showed within the window.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// Sums.
    pub counts: SourceCounts,
    /// Seconds that filled the port.
    pub full_seconds: u32,
}

fn share(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// To the thousandth, as an operator reads it.
fn rounded(ratio: f64) -> f64 {
    (ratio * 1000.0).round() / 1000.0
}

fn wrong(blind: bool, figures: Value) -> Finding {
    match figures {
        Value::Object(figures) => Finding::Wrong { blind, figures },
        _ => Finding::Unknown,
    }
}

impl Window {
    /// What each of [`RULES`] says.
    pub fn judge(&self) -> [Finding; 5] {
        [self.one_sided(), self.duplicates(), self.truncated(), self.loss(), self.degraded()]
    }

    fn one_sided(&self) -> Finding {
        let SourceCounts { tcp_flows, tcp_one_sided_flows: one_sided, .. } = self.counts;
        if tcp_flows < ENOUGH_FLOWS {
            return Finding::Unknown;
        }
        let share = share(one_sided, tcp_flows);
        if share <= ONE_SIDED_SHARE {
            return Finding::Well;
        }
        let figures = json!({"tcp_flows": tcp_flows, "one_sided_flows": one_sided, "share": rounded(share)});
        wrong(share >= BLIND_SHARE, figures)
    }

    fn duplicates(&self) -> Finding {
        let duplicates: i64 = self.counts.duplicate_frames.iter().sum();
        let share = share(duplicates, self.counts.frames);
        if duplicates < ENOUGH_DUPLICATES && self.counts.frames < ENOUGH_DUPLICATES {
            return Finding::Unknown;
        }
        if duplicates < ENOUGH_DUPLICATES || share <= DUPLICATE_SHARE {
            return Finding::Well;
        }
        let mut figures = json!({"frames": self.counts.frames, "share": rounded(share)});
        for kind in CopyKind::ALL {
            figures[kind.name()] = self.counts.duplicate_frames[kind as usize].into();
        }
        wrong(false, figures)
    }

    fn truncated(&self) -> Finding {
        let SourceCounts { frames, truncated_frames: truncated, .. } = self.counts;
        let share = share(truncated, frames);
        if frames < ENOUGH_TRUNCATED {
            return Finding::Unknown;
        }
        if truncated < ENOUGH_TRUNCATED || share <= TRUNCATED_SHARE {
            return Finding::Well;
        }
        wrong(false, json!({"frames": frames, "truncated_frames": truncated, "share": rounded(share)}))
    }

    fn loss(&self) -> Finding {
        let SourceCounts { frames, sequence_lost_frames: lost, tcp_unseen_bytes: unseen, .. } = self.counts;
        let carried = self.counts.tcp_acknowledged_bytes;
        let mut figures = Map::new();
        if lost >= ENOUGH_LOST && share(lost, frames + lost) > LOST_SHARE {
            figures.insert("sequence_lost_frames".into(), lost.into());
            figures.insert("lost_share".into(), rounded(share(lost, frames + lost)).into());
        }
        if unseen >= ENOUGH_UNSEEN_BYTES && share(unseen, carried) > UNSEEN_SHARE {
            figures.insert("tcp_unseen_bytes".into(), unseen.into());
            figures.insert("unseen_share".into(), rounded(share(unseen, carried)).into());
        }
        match (figures.is_empty(), frames) {
            (true, 0) => Finding::Unknown,
            (true, _) => Finding::Well,
            (false, _) => Finding::Wrong { blind: false, figures },
        }
    }

    fn degraded(&self) -> Finding {
        let SourceCounts { frames, unicast_frames: unicast, merged_frames: merged, .. } = self.counts;
        let flooded = frames >= ENOUGH_FLOODED && unicast == 0;
        let mut figures = Map::new();
        if merged >= ENOUGH_MERGED {
            figures.insert("merged_frames".into(), merged.into());
        }
        if flooded {
            figures.insert("flooded_frames".into(), frames.into());
        }
        if self.full_seconds >= ENOUGH_FULL_SECONDS {
            figures.insert("full_seconds".into(), self.full_seconds.into());
        }
        match (figures.is_empty(), frames) {
            (true, 0) => Finding::Unknown,
            (true, _) => Finding::Well,
            (false, _) => Finding::Wrong { blind: flooded, figures },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(counts: SourceCounts, rule: &str) -> Finding {
        let window = Window { counts, full_seconds: 0 };
        let place = RULES.iter().position(|known| *known == rule).expect("a rule");
        window.judge()[place].clone()
    }

    fn is_wrong(finding: &Finding) -> Option<bool> {
        if let Finding::Wrong { blind, .. } = finding { Some(*blind) } else { None }
    }

    #[test]
    fn one_direction_only_is_blind_and_most_of_it_is_one_sided() {
        let flows = |tcp_flows, tcp_one_sided_flows| {
            judged(SourceCounts { tcp_flows, tcp_one_sided_flows, ..Default::default() }, "mirror.one-sided")
        };
        assert_eq!(is_wrong(&flows(120, 118)), Some(true));
        assert_eq!(is_wrong(&flows(120, 70)), Some(false));
        assert_eq!(flows(120, 60), Finding::Well);
        assert_eq!(flows(4, 4), Finding::Unknown);
    }

    #[test]
    fn copies_cuts_and_gaps_count_by_number_and_share() {
        let of = |rule, change: &dyn Fn(&mut SourceCounts)| {
            let mut counts = SourceCounts { frames: 1000, unicast_frames: 1000, ..Default::default() };
            change(&mut counts);
            judged(counts, rule)
        };
        let copies = |frames| of("mirror.duplicates", &|counts| counts.duplicate_frames[0] = frames);
        assert_eq!((is_wrong(&copies(51)), copies(50)), (Some(false), Finding::Well));
        let cut = |frames| of("mirror.truncated", &|counts| counts.truncated_frames = frames);
        assert_eq!((is_wrong(&cut(11)), cut(10)), (Some(false), Finding::Well));
        let lost = |frames| of("mirror.loss", &|counts| counts.sequence_lost_frames = frames);
        assert_eq!((is_wrong(&lost(10)), lost(9)), (Some(false), Finding::Well));
        let unseen = |bytes| {
            of("mirror.loss", &|counts| {
                (counts.tcp_unseen_bytes, counts.tcp_acknowledged_bytes) = (bytes, 1_000_000);
            })
        };
        assert_eq!((is_wrong(&unseen(10_001)), unseen(9_999)), (Some(false), Finding::Well));
    }

    #[test]
    fn only_flooded_frames_are_blind_and_merged_ones_degrade() {
        let base = SourceCounts { frames: 100, ..Default::default() };
        assert_eq!(is_wrong(&judged(base, "mirror.degraded")), Some(true));
        let seen = SourceCounts { unicast_frames: 1, ..base };
        assert_eq!(judged(seen, "mirror.degraded"), Finding::Well);
        let merged = SourceCounts { merged_frames: 5, ..seen };
        assert_eq!(is_wrong(&judged(merged, "mirror.degraded")), Some(false));
    }
}
