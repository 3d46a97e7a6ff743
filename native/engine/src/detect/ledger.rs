//! The flows of a worker that meet watchlist entries, and what of them is still to be reported.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;
use wire::Tunnel;

use super::hits::{Hit, HitEvent, Observed, Stage};
use crate::flow::{Counts, Flow, FlowFlags, ORIG, RESP};
use crate::watchlist::{Description, Side};

/// A flow that goes on is reported again after so many seconds.
const PROGRESS_SECONDS: u32 = 60;

/// Names, URLs and fingerprints of one flow that are remembered: one between two resolvers may ask for any number.
const MAX_OBSERVED_PER_FLOW: usize = 32;

/// The same of all flows of a worker; each takes half a kilobyte with its text.
const MAX_OBSERVED: usize = 1 << 16;

/// What flows meet, by their place in the flow table.
#[derive(Debug, Default)]
pub struct HitLedger {
    met: HashMap<u32, Vec<Met>, RandomState>,
    pending: Vec<u32>,
    /// How many of `met` were shown by a flow.
    observed: usize,
    forgotten: u64,
}

/// One entry that a flow meets: by its addresses, or by something that it showed.
///
/// It holds what the entry says, not the lists: they would stay in memory as long as the flow.
#[derive(Debug)]
struct Met {
    entry: Arc<Description>,
    matched: Side,
    observed: Option<Observed>,
    reported: [Counts; 2],
    /// Of the last report; none before the first.
    stage: Option<Stage>,
    tick: u32,
    pending: bool,
}

impl HitLedger {
    /// The flow at `place` meets an entry by its addresses; one that has met an entry so before is reported under the
    /// new one from now on.
    pub fn open(&mut self, place: u32, entry: Arc<Description>, matched: Side) {
        let all = self.met.entry(place).or_default();
        match all.iter_mut().find(|met| met.observed.is_none()) {
            Some(met) => {
                met.entry = entry;
                met.matched = matched;
            }
            None => all.push(Met::new(entry, matched, None)),
        }
    }

    /// The flow at `place` meets an entry by something that it showed, which waits to be reported from now on. `false`:
    /// it has met this entry before, or shown this text; or there is no more room, which is counted.
    pub fn open_observed(&mut self, place: u32, entry: Arc<Description>, matched: Side, observed: Observed) -> bool {
        let all = self.met.entry(place).or_default();
        if all.iter().any(|met| met.is_same(&entry, &observed)) {
            return false;
        }
        let of_flow = all.iter().filter(|met| met.observed.is_some()).count();
        if of_flow == MAX_OBSERVED_PER_FLOW || self.observed == MAX_OBSERVED {
            self.forgotten += 1;
            if all.is_empty() {
                self.met.remove(&place);
            }
            return false;
        }
        self.observed += 1;
        if !all.iter().any(|met| met.pending) {
            self.pending.push(place);
        }
        all.push(Met { pending: true, ..Met::new(entry, matched, Some(observed)) });
        true
    }

    /// A flow that meets an entry has had a packet.
    pub fn touch(&mut self, place: u32, flow: &Flow) {
        let Some(all) = self.met.get_mut(&place) else { return };
        let mut waits = all.iter().any(|met| met.pending);
        for met in all.iter_mut().filter(|met| !met.pending && met.has_news(flow)) {
            met.pending = true;
            if !waits {
                waits = true;
                self.pending.push(place);
            }
        }
    }

    /// Whether anything waits to be reported.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The places of flows that wait to be reported, in the order in which they came to wait.
    pub fn take_pending(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.pending)
    }

    /// The reports of a flow that waits, one an entry; none if it has ended since.
    pub fn report(&mut self, place: u32, flow: &Flow, tunnel: Option<Tunnel>) -> impl Iterator<Item = Hit> {
        let all = self.met.get_mut(&place).into_iter().flatten();
        all.filter(|met| met.pending).map(move |met| {
            met.pending = false;
            let event = if met.stage.is_none() { HitEvent::Open } else { HitEvent::Progress };
            met.report(event, flow, tunnel)
        })
    }

    /// The last reports of a flow that leaves the table; none if it met no entry.
    pub fn close(&mut self, place: u32, flow: &Flow, tunnel: Option<Tunnel>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for mut met in self.met.remove(&place).into_iter().flatten() {
            self.observed -= usize::from(met.observed.is_some());
            if met.stage.is_none() {
                hits.push(met.report(HitEvent::Open, flow, tunnel));
            }
            hits.push(met.report(HitEvent::End, flow, tunnel));
        }
        hits
    }

    /// Meetings that were not remembered, and so not reported, for want of room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

impl Met {
    fn new(entry: Arc<Description>, matched: Side, observed: Option<Observed>) -> Self {
        Self { entry, matched, observed, reported: Default::default(), stage: None, tick: 0, pending: false }
    }

    /// Whether it is the same entry, or came by the same text.
    fn is_same(&self, entry: &Arc<Description>, observed: &Observed) -> bool {
        let Some(own) = &self.observed else { return false };
        own.text == observed.text || self.entry == *entry
    }

    fn has_news(&self, flow: &Flow) -> bool {
        let is_later = |stage| Stage::of(flow) > stage || flow.last_tick >= self.tick + PROGRESS_SECONDS;
        self.stage.is_none_or(is_later)
    }

    fn report(&mut self, event: HitEvent, flow: &Flow, tunnel: Option<Tunnel>) -> Hit {
        let counts = [ORIG, RESP].map(|side| flow.totals[side].minus(self.reported[side]));
        self.reported = flow.totals;
        let stage = Stage::of(flow);
        self.stage = Some(stage);
        self.tick = flow.last_tick;
        Hit {
            time_ns: flow.last_ns,
            event,
            stage,
            flow_id: flow.id(),
            tuple: flow.tuple(),
            start_ns: flow.start_ns,
            counts,
            internal: [flow.flags.contains(FlowFlags::ORIG_INTERNAL), flow.flags.contains(FlowFlags::RESP_INTERNAL)],
            orig_first: flow.flags.contains(FlowFlags::ORIG_FIRST),
            macs: flow.macs,
            vlans: flow.vlans.clone(),
            tunnel,
            interface: flow.interface,
            file_frame: flow.file_frame,
            entry: Arc::clone(&self.entry),
            matched: self.matched,
            observed: self.observed.clone(),
        }
    }
}
