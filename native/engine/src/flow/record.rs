//! What is said of a flow when it ends, and at intervals while it lasts.

use std::sync::Arc;

use app::AppProtocol;
use arrayvec::ArrayVec;
use wire::{FiveTuple, Mac};

use crate::names::NameSource;
use crate::tunnels::Layers;

use super::{Counts, Flow, FlowFlags, MAX_FLOW_VLANS, ORIG, RESP};

/// Why a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowEnd {
    /// Nothing came for the idle time.
    Idle,
    /// The flow goes on: an interim record.
    Active,
    /// Both ends have said FIN.
    Fin,
    /// One end has said RST.
    Rst,
    /// The table was full.
    Evicted,
    /// The sensor stopped or the capture ended.
    Shutdown,
}

impl FlowEnd {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 6] = [Self::Idle, Self::Active, Self::Fin, Self::Rst, Self::Evicted, Self::Shutdown];

    /// The label of counters and log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Active => "active",
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Evicted => "evicted",
            Self::Shutdown => "shutdown",
        }
    }
}

/// How far a flow has come, in EVE's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowState {
    /// Only one end has sent.
    New,
    /// Both ends have sent.
    Established,
    /// Ended by FIN or RST.
    Closed,
}

impl FlowState {
    /// The word of the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Closed => "closed",
        }
    }
}

/// An immutable summary of a flow since its last record; pairs are indexed by originator and responder.
#[derive(Debug, Clone)]
pub struct FlowRecord {
    /// Packet time at which the record was made.
    pub time_ns: u64,
    /// Same for all records of a flow, below 2^53.
    pub flow_id: u64,
    /// Endpoints and protocol.
    pub tuple: FiveTuple,
    /// First packet.
    pub start_ns: u64,
    /// Last packet so far.
    pub last_ns: u64,
    /// Since the last record.
    pub counts: [Counts; 2],
    /// Since the start.
    pub totals: [Counts; 2],
    /// Control bits seen.
    pub tcp_flags: [u8; 2],
    /// How far it has come.
    pub state: FlowState,
    /// Why the record was made.
    pub end: FlowEnd,
    /// Whether it meets a watchlist entry.
    pub alerted: bool,
    /// Hardware addresses of the ends on the mirrored link.
    pub macs: [Mac; 2],
    /// VLAN tags, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// What carried the flow.
    pub layers: Option<Layers>,
    /// The packet that the flow's first packet, an ICMP error, quotes.
    pub quoted: Option<FiveTuple>,
    /// Index of the interface.
    pub interface: u16,
    /// Number of the flow's first frame in its capture file, from 1; 0 live.
    pub file_frame: u64,
    /// Whether the ends are internal.
    pub internal: [bool; 2],
    /// What the flow speaks, as far as it is known.
    pub app: AppProtocol,
    /// What it spoke first, if it has become another conversation since.
    pub app_before: Option<AppProtocol>,
    /// The name of its responder, and who gave it.
    pub name: Option<(Arc<str>, NameSource)>,
}

impl Flow {
    /// How far the flow has come.
    pub(crate) fn state(&self) -> FlowState {
        if self.flags.is_closed() {
            FlowState::Closed
        } else if self.flags.contains(FlowFlags::ANSWERED) {
            FlowState::Established
        } else {
            FlowState::New
        }
    }

    /// The reason that the flow's own state gives for its end, if silence or the end of the capture ends it.
    pub(crate) fn end_reason(&self, otherwise: FlowEnd) -> FlowEnd {
        if self.flags.contains(FlowFlags::RESET) {
            FlowEnd::Rst
        } else if self.flags.is_closed() {
            FlowEnd::Fin
        } else {
            otherwise
        }
    }

    /// Makes a record of what came since the last one.
    pub(crate) fn take_record(&mut self, time_ns: u64, end: FlowEnd, layers: Option<Layers>) -> FlowRecord {
        let recorded = self.recorded();
        let counts = [ORIG, RESP].map(|side| self.totals[side].minus(recorded[side]));
        if end == FlowEnd::Active {
            self.set_recorded();
        }
        FlowRecord {
            time_ns,
            flow_id: self.id(),
            tuple: self.tuple(),
            start_ns: self.start_ns,
            last_ns: self.last_ns,
            counts,
            totals: self.totals,
            tcp_flags: self.tcp_flags,
            state: self.state(),
            end,
            alerted: self.flags.contains(FlowFlags::ALERTED),
            macs: self.macs,
            vlans: self.vlans.clone(),
            layers,
            quoted: self.quoted(),
            interface: self.interface,
            file_frame: self.file_frame,
            internal: [FlowFlags::ORIG_INTERNAL, FlowFlags::RESP_INTERNAL].map(|side| self.flags.contains(side)),
            app: self.app,
            app_before: self.app_before(),
            name: self.name.as_ref().map(|name| (Arc::clone(&name.text), NameSource::Client(name.app))),
        }
    }
}
