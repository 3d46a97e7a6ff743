//! What is reported of a flow that meets a watchlist entry.

use std::sync::Arc;

use app::AppProtocol;
use arrayvec::ArrayVec;
use wire::{FiveTuple, Mac, TcpFlags, Tunnel};

use crate::flow::{Counts, Flow, FlowFlags, MAX_FLOW_VLANS, RESP};
use crate::watchlist::{Description, Side};

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

/// The name, URL or fingerprint that a flow showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// As it was on the wire, of which [`MAX_OBSERVED_BYTES`](super::MAX_OBSERVED_BYTES) are kept. Text from outside.
    pub text: Arc<str>,
    /// What showed it.
    pub seen_in: AppProtocol,
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
    /// Number of the flow's first frame in its capture file, from 1; 0 live.
    pub file_frame: u64,
    /// The entry.
    pub entry: Arc<Description>,
    /// The end whose address is listed, as in `Match`.
    pub matched: Side,
    /// What of the flow met the entry, if not its addresses.
    pub observed: Option<Observed>,
}
