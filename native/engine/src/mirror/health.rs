//! The mirror over all workers: totals and a sliding window for each source, and what has become wrong or well.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::duplicate::CopyKind;
use super::judge::{FULL_SHARE, Finding, RULES, Window};
use super::sequence::{SequenceCount, SequenceRuns};
use super::source::{SourceCounts, SourceDelta, SourceKey};
use crate::config::MirrorConfig;
use crate::flow::FlowDelta;

/// Seconds that are judged together.
const WINDOW_SECONDS: u64 = 60;
/// What lasts is told again after so long, so that nobody takes it for over.
const REPEAT_SECONDS: u64 = 600;
/// Sources that are told apart over all workers.
const MAX_SOURCES: usize = 1024;
/// VLANs that are told of a source.
const MAX_TOLD_VLANS: usize = 64;
/// The name of what no one source can be blamed for.
const WHOLE: &str = "mirror";

/// A rule that has begun or ceased to speak against a source, or still does.
#[derive(Debug, Clone)]
pub struct ConditionChange {
    /// Packet time.
    pub time_ns: u64,
    /// Name of the rule.
    pub rule: &'static str,
    /// Name of the source.
    pub source: String,
    /// Whether it no longer does.
    pub over: bool,
    /// Whether the source shows nothing usable.
    pub blind: bool,
    /// Names and numbers.
    pub figures: Map<String, Value>,
}

#[derive(Debug, Default)]
struct Source {
    totals: SourceCounts,
    window: Window,
    seconds: VecDeque<(u64, SourceCounts, bool)>,
    sequence: SequenceCount,
    bits_per_second: i64,
    last_second: u64,
    /// Second in which a VLAN was last seen.
    vlans: BTreeMap<u16, u64>,
    wrong: [Option<(bool, Map<String, Value>)>; RULES.len()],
    /// When it was told last that a rule speaks against it.
    told_second: [u64; RULES.len()],
}

/// What is known of the mirror.
#[derive(Debug, Default)]
pub struct MirrorHealth {
    config: MirrorConfig,
    interfaces: Arc<[String]>,
    sources: BTreeMap<SourceKey, Source>,
    first_second: Option<u64>,
    second: u64,
    /// Second in which an expected subnet was last seen.
    subnets: Vec<u64>,
    missing: Option<Map<String, Value>>,
    missing_told_second: u64,
}

impl MirrorHealth {
    /// Nothing was seen yet; `interfaces` are names by index.
    pub fn new(config: MirrorConfig, interfaces: Arc<[String]>) -> Self {
        let subnets = vec![0; config.expected_subnets.len()];
        Self { config, interfaces, subnets, ..Self::default() }
    }

    /// Notes the ends of a flow that changed in this second.
    pub fn meet(&mut self, delta: &FlowDelta, second: u64) {
        for (subnet, seen) in self.config.expected_subnets.iter().zip(&mut self.subnets) {
            let ends = [delta.tuple.orig.address, delta.tuple.resp.address];
            if ends.into_iter().any(|end| subnet.network.contains(end)) {
                *seen = second;
            }
        }
    }

    /// Takes what all workers say of a second, in the order of workers; gives what has changed.
    pub fn take(&mut self, second: u64, time_ns: u64, deltas: Vec<SourceDelta>) -> Vec<ConditionChange> {
        self.second = second;
        self.first_second.get_or_insert(second);
        let mut by_source: BTreeMap<SourceKey, (SourceCounts, Vec<SequenceRuns>)> = BTreeMap::new();
        for delta in deltas {
            let (counts, runs) = by_source.entry(delta.key).or_default();
            counts.add(delta.counts);
            runs.push(delta.sequences);
            if self.sources.len() < MAX_SOURCES || self.sources.contains_key(&delta.key) {
                let source = self.sources.entry(delta.key).or_default();
                source.vlans.extend(delta.vlans.iter().map(|&vlan| (vlan, second)));
            }
        }
        let port_bits = self.config.port_speed_bits_per_second;
        for (key, (counts, runs)) in by_source {
            if let Some(source) = self.sources.get_mut(&key) {
                source.take(second, counts, &runs, port_bits);
            }
        }
        let mut changes = Vec::new();
        for (key, source) in &mut self.sources {
            source.forget(second);
            let name = source_name(*key, &self.interfaces);
            changes.extend(source.judge(second, time_ns, &name));
        }
        changes.extend(self.judge_missing(time_ns));
        changes
    }

    /// All files are read: what no window shows may show in the whole. Gives what speaks against the mirror besides.
    pub fn finish(&mut self, time_ns: u64) -> Vec<ConditionChange> {
        let mut changes = Vec::new();
        for (key, source) in &mut self.sources {
            let whole = Window { counts: source.totals, full_seconds: 0 };
            for (place, finding) in whole.judge().into_iter().enumerate() {
                let Finding::Wrong { blind, figures } = finding else { continue };
                if source.wrong[place].is_none() {
                    let (rule, source) = (RULES[place], source_name(*key, &self.interfaces));
                    changes.push(ConditionChange {
                        time_ns,
                        rule,
                        source,
                        over: false,
                        blind,
                        figures: figures.clone(),
                    });
                }
                source.wrong[place].get_or_insert((blind, figures));
            }
        }
        changes
    }

    /// VLANs and subnets that were not seen for a window, once a window has passed.
    fn judge_missing(&mut self, time_ns: u64) -> Option<ConditionChange> {
        let first = self.first_second?;
        if self.second.saturating_sub(first) < WINDOW_SECONDS {
            return None;
        }
        let recent = |seen: u64| seen != 0 && seen + WINDOW_SECONDS > self.second;
        let seen_vlan = |vlan: u16| self.sources.values().any(|s| s.vlans.get(&vlan).is_some_and(|&at| recent(at)));
        let vlans: Vec<u16> = self.config.expected_vlans.iter().copied().filter(|&vlan| !seen_vlan(vlan)).collect();
        let pairs = self.config.expected_subnets.iter().zip(&self.subnets);
        let subnets: Vec<&str> =
            pairs.filter(|(_, seen)| !recent(**seen)).map(|(subnet, _)| subnet.text.as_str()).collect();
        let mut figures = Map::new();
        if !vlans.is_empty() {
            figures.insert("missing_vlans".into(), json!(vlans));
        }
        if !subnets.is_empty() {
            figures.insert("missing_subnets".into(), json!(subnets));
        }
        let now = (!figures.is_empty()).then_some(figures);
        let repeated = now.is_some() && self.missing_told_second + REPEAT_SECONDS <= self.second;
        let told = repeated || now.is_some() != self.missing.is_some();
        let change = told.then(|| ConditionChange {
            time_ns,
            rule: "mirror.degraded",
            source: WHOLE.to_owned(),
            over: now.is_none(),
            blind: false,
            figures: now.clone().unwrap_or_default(),
        });
        self.missing = now;
        if told {
            self.missing_told_second = self.second;
        }
        change
    }

    /// Verdict, reasons and sources, as `counters()["mirror"]` shows them.
    pub fn report(&self) -> Value {
        let mut reasons = Vec::new();
        for (key, source) in &self.sources {
            let name = source_name(*key, &self.interfaces);
            for (rule, wrong) in RULES.iter().zip(&source.wrong) {
                if let Some((blind, figures)) = wrong {
                    reasons.push(json!({"rule": rule, "source": name, "blind": blind, "figures": figures}));
                }
            }
        }
        if let Some(figures) = &self.missing {
            reasons.push(json!({"rule": "mirror.degraded", "source": WHOLE, "blind": false, "figures": figures}));
        }
        let sources = self.sources.iter().map(|(key, source)| source.report(*key, &self.interfaces, self.second));
        json!({
            "verdict": self.verdict(!reasons.is_empty()),
            "reasons": reasons,
            "sources": sources.collect::<Vec<_>>(),
        })
    }

    /// Blind if no source that gives frames shows anything usable.
    fn verdict(&self, reasons: bool) -> &'static str {
        let mut active = self.sources.values().filter(|source| source.totals.frames > 0).peekable();
        let blind = |source: &Source| source.wrong.iter().flatten().any(|(blind, _)| *blind);
        if active.peek().is_some() && active.all(blind) {
            "blind"
        } else if reasons {
            "degraded"
        } else {
            "ok"
        }
    }
}

impl Source {
    fn take(&mut self, second: u64, mut counts: SourceCounts, runs: &[SequenceRuns], port_bits: Option<f64>) {
        counts.sequence_lost_frames += self.sequence.join(runs);
        // Time 0 is closed from the beginning, so that workers may tell of it one after the other.
        let earlier = if self.last_second == second { self.bits_per_second } else { 0 };
        self.bits_per_second = earlier.saturating_add(counts.bytes.saturating_mul(8));
        self.last_second = second;
        self.totals.add(counts);
        let full = port_bits.is_some_and(|bits| self.bits_per_second as f64 > bits * FULL_SHARE);
        self.window.counts.add(counts);
        self.window.full_seconds += u32::from(full);
        self.seconds.push_back((second, counts, full));
    }

    fn forget(&mut self, second: u64) {
        while let Some(&(oldest, counts, full)) = self.seconds.front() {
            if oldest + WINDOW_SECONDS > second {
                return;
            }
            self.window.counts.subtract(counts);
            self.window.full_seconds -= u32::from(full);
            self.seconds.pop_front();
        }
    }

    fn judge(&mut self, second: u64, time_ns: u64, name: &str) -> Vec<ConditionChange> {
        let mut changes = Vec::new();
        for (place, finding) in self.window.judge().into_iter().enumerate() {
            let (rule, wrong) = (RULES[place], &mut self.wrong[place]);
            let change =
                |over, blind, figures| ConditionChange { time_ns, rule, source: name.to_owned(), over, blind, figures };
            match finding {
                Finding::Unknown => {}
                Finding::Well => {
                    if let Some((blind, figures)) = wrong.take() {
                        changes.push(change(true, blind, figures));
                    }
                }
                Finding::Wrong { blind, figures } => {
                    // Told when it begins, when it gets worse, and now and then; each second would be a flood.
                    let worse = wrong.as_ref().is_none_or(|(was_blind, _)| blind && !was_blind);
                    if worse || self.told_second[place] + REPEAT_SECONDS <= second {
                        self.told_second[place] = second;
                        changes.push(change(false, blind, figures.clone()));
                    }
                    *wrong = Some((blind, figures));
                }
            }
        }
        changes
    }

    fn report(&self, key: SourceKey, interfaces: &[String], second: u64) -> Value {
        let mut report = counts_object(&self.totals);
        let session = key.session;
        let bits = if self.last_second + 1 >= second { self.bits_per_second } else { 0 };
        for (name, value) in [
            ("source", json!(source_name(key, interfaces))),
            ("interface", json!(interface_name(key, interfaces))),
            ("encapsulation", json!(session.map(|session| session.kind.to_string()))),
            ("origin", json!(session.map(|session| session.origin.to_string()))),
            ("session", json!(session.map(|session| session.number))),
            ("bits_per_second", json!(bits)),
            ("vlans", json!(self.vlans.keys().take(MAX_TOLD_VLANS).collect::<Vec<_>>())),
        ] {
            report[name] = value;
        }
        report
    }
}

fn counts_object(counts: &SourceCounts) -> Value {
    let kinds = CopyKind::ALL.map(|kind| (kind.name().to_owned(), json!(counts.duplicate_frames[kind as usize])));
    let shown = |count: i64| count.max(0);
    json!({
        "frames": shown(counts.frames),
        "bytes": shown(counts.bytes),
        "sequence_lost_frames": shown(counts.sequence_lost_frames),
        "sequence_late_frames": shown(counts.sequence_late_frames),
        "truncated_frames": shown(counts.truncated_frames),
        "merged_frames": shown(counts.merged_frames),
        "duplicate_frames": kinds.into_iter().collect::<Map<_, _>>(),
        "tcp_flows": shown(counts.tcp_flows),
        "tcp_one_sided_flows": shown(counts.tcp_one_sided_flows),
        "tcp_acknowledged_bytes": shown(counts.tcp_acknowledged_bytes),
        "tcp_unseen_bytes": shown(counts.tcp_unseen_bytes),
    })
}

fn interface_name(key: SourceKey, interfaces: &[String]) -> &str {
    interfaces.get(usize::from(key.interface)).map_or("", String::as_str)
}

/// The name of a source, as Python and the status show it.
pub fn source_name(key: SourceKey, interfaces: &[String]) -> String {
    let interface = interface_name(key, interfaces);
    key.session.map_or_else(
        || interface.to_owned(),
        |session| format!("{interface} {} {} session {}", session.kind, session.origin, session.number),
    )
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
