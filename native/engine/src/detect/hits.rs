//! Flows that meet a watchlist entry: what is reported of them, and when.

use std::sync::Arc;

use ahash::RandomState;
use arrayvec::ArrayVec;
use hashbrown::HashMap;
use wire::{FiveTuple, Mac, TcpFlags, Tunnel};

use crate::flow::{Counts, Flow, FlowFlags, MAX_FLOW_VLANS, ORIG, RESP};
use crate::watchlist::{Match, Watchlists};

/// A flow that goes on is reported again after so many seconds.
const PROGRESS_SECONDS: u32 = 60;

/// How far a meeting went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No answer, or a refusal.
    Attempt,
    /// Both ends have sent.
    Contact,
    /// Both ends have sent payload.
    Data,
}

impl Stage {
    /// The word of the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Contact => "contact",
            Self::Data => "data",
        }
    }

    /// How far a flow has come.
    pub fn of(flow: &Flow) -> Self {
        let answer = TcpFlags(flow.tcp_flags[RESP]);
        let refused = answer.contains(TcpFlags::RST)
            && !answer.contains(TcpFlags::SYN)
            && !flow.flags.contains(FlowFlags::RESP_DATA);
        if flow.flags.contains(FlowFlags::ORIG_DATA) && flow.flags.contains(FlowFlags::RESP_DATA) {
            Self::Data
        } else if flow.flags.contains(FlowFlags::ANSWERED) && !refused {
            Self::Contact
        } else {
            Self::Attempt
        }
    }
}

/// Where in the life of a flow a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HitEvent {
    /// The first report of the flow.
    Open,
    /// The stage has risen, or a minute has passed.
    Progress,
    /// The flow has ended.
    End,
}

impl HitEvent {
    /// The word of the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Progress => "progress",
            Self::End => "end",
        }
    }
}

/// A report of a flow that meets a watchlist entry; pairs are indexed by originator and responder.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Packet time of the flow's last packet.
    pub time_ns: u64,
    /// Where in the flow's life.
    pub event: HitEvent,
    /// How far the meeting went.
    pub stage: Stage,
    /// As in the flow's records.
    pub flow_id: u64,
    /// Endpoints and protocol.
    pub tuple: FiveTuple,
    /// First packet.
    pub start_ns: u64,
    /// Since the last report of the flow.
    pub counts: [Counts; 2],
    /// Whether an end is internal.
    pub internal: [bool; 2],
    /// Whether the originator sent the first packet that was seen.
    pub orig_first: bool,
    /// Hardware addresses of the ends.
    pub macs: [Mac; 2],
    /// VLAN tags, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// The tunnel that carried the flow.
    pub tunnel: Option<Tunnel>,
    /// Index of the interface.
    pub interface: u16,
    /// The entry, in these lists.
    pub entry: Match,
    /// The lists that the entry stands in.
    pub watchlists: Arc<Watchlists>,
}

/// The flows of a worker that meet entries, and what of them is still to be reported.
#[derive(Debug, Default)]
pub struct HitLedger {
    met: HashMap<u32, Met, RandomState>,
    pending: Vec<u32>,
}

#[derive(Debug)]
struct Met {
    entry: Match,
    watchlists: Arc<Watchlists>,
    reported: [Counts; 2],
    /// Of the last report; none before the first.
    stage: Option<Stage>,
    tick: u32,
    pending: bool,
}

impl HitLedger {
    /// The flow at `place` meets an entry; one that has met an entry before is reported under the new one from now on.
    pub fn open(&mut self, place: u32, entry: Match, watchlists: &Arc<Watchlists>) {
        let met = self.met.entry(place).or_insert_with(|| Met {
            entry,
            watchlists: Arc::clone(watchlists),
            reported: [Counts::default(); 2],
            stage: None,
            tick: 0,
            pending: false,
        });
        met.entry = entry;
        met.watchlists = Arc::clone(watchlists);
    }

    /// A flow that meets an entry has had a packet.
    pub fn touch(&mut self, place: u32, flow: &Flow) {
        let Some(met) = self.met.get_mut(&place) else { return };
        let news =
            met.stage.is_none_or(|stage| Stage::of(flow) > stage || flow.last_tick >= met.tick + PROGRESS_SECONDS);
        if news && !met.pending {
            met.pending = true;
            self.pending.push(place);
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

    /// The report of a flow that waits; none if it has ended since.
    pub fn report(&mut self, place: u32, flow: &Flow, tunnel: Option<Tunnel>) -> Option<Hit> {
        let met = self.met.get_mut(&place).filter(|met| met.pending)?;
        met.pending = false;
        let event = if met.stage.is_none() { HitEvent::Open } else { HitEvent::Progress };
        Some(met.report(event, flow, tunnel))
    }

    /// The last reports of a flow that leaves the table; none if it met no entry.
    pub fn close(&mut self, place: u32, flow: &Flow, tunnel: Option<Tunnel>) -> Option<(Option<Hit>, Hit)> {
        let mut met = self.met.remove(&place)?;
        let first = met.stage.is_none().then(|| met.report(HitEvent::Open, flow, tunnel));
        Some((first, met.report(HitEvent::End, flow, tunnel)))
    }
}

impl Met {
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
            flow_id: flow.flow_id,
            tuple: flow.tuple(),
            start_ns: flow.start_ns,
            counts,
            internal: [flow.flags.contains(FlowFlags::ORIG_INTERNAL), flow.flags.contains(FlowFlags::RESP_INTERNAL)],
            orig_first: flow.flags.contains(FlowFlags::ORIG_FIRST),
            macs: flow.macs,
            vlans: flow.vlans.clone(),
            tunnel,
            interface: flow.interface,
            entry: self.entry,
            watchlists: Arc::clone(&self.watchlists),
        }
    }
}
