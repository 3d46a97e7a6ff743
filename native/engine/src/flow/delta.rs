//! What happened to a flow within one second: what workers hand to those who look across flows.

use arrayvec::ArrayVec;
use wire::{FiveTuple, Mac};

use super::{Counts, Flow, FlowFlags, MAX_FLOW_VLANS, ORIG, RESP};

/// The change of a flow since it was last handed on; pairs are indexed by originator and responder.
#[derive(Debug, Clone)]
pub struct FlowDelta {
    /// Endpoints and protocol.
    pub tuple: FiveTuple,
    /// Packets and bytes since the last delta.
    pub counts: [Counts; 2],
    /// First packet of the flow.
    pub start_ns: u64,
    /// Last packet of the flow so far.
    pub last_ns: u64,
    /// Whether an end is internal.
    pub internal: [bool; 2],
    /// Hardware addresses of the ends.
    pub macs: [Mac; 2],
    /// VLAN tags, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// Index of the interface.
    pub interface: u16,
    /// Whether this is the first delta of the flow.
    pub opened: bool,
    /// Whether both ends have sent by now.
    pub answered: bool,
    /// Whether this is the first delta in which its ends are known to meet: it was opened, or answered.
    pub met: bool,
    /// How the flow ended, in the delta that is its last.
    pub ended: Option<Ending>,
}

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Whether the responder ended it.
    pub by_responder: bool,
    /// From the first packet to the last, in nanoseconds.
    pub duration_ns: u64,
    /// What the originator sent in all.
    pub orig: Counts,
}

/// Totals as of the last second that was handed on. Of packets the low half: no second has 2^32 of a flow.
#[derive(Debug, Default)]
pub(super) struct Published {
    bytes: [u64; 2],
    packets: [u32; 2],
}

impl Published {
    fn of(totals: &[Counts; 2]) -> Self {
        Self { bytes: totals.map(|side| side.bytes), packets: totals.map(|side| side.packets as u32) }
    }

    /// What came on top of it.
    fn rest(&self, totals: &[Counts; 2]) -> [Counts; 2] {
        [ORIG, RESP].map(|side| Counts {
            packets: u64::from((totals[side].packets as u32).wrapping_sub(self.packets[side])),
            bytes: totals[side].bytes - self.bytes[side],
        })
    }

    pub(super) fn reverse(&mut self) {
        self.bytes.reverse();
        self.packets.reverse();
    }
}

impl Flow {
    /// Takes what changed since the last call.
    pub(crate) fn take_delta(&mut self, ended: bool) -> FlowDelta {
        let counts = self.published.rest(&self.totals);
        let opened = !self.flags.contains(FlowFlags::PUBLISHED);
        let was_answered = self.published.packets.iter().all(|&packets| packets > 0);
        let answered = self.flags.contains(FlowFlags::ANSWERED);
        self.published = Published::of(&self.totals);
        self.flags.insert(FlowFlags::PUBLISHED);
        FlowDelta {
            tuple: self.tuple(),
            counts,
            start_ns: self.start_ns,
            last_ns: self.last_ns,
            internal: [self.flags.contains(FlowFlags::ORIG_INTERNAL), self.flags.contains(FlowFlags::RESP_INTERNAL)],
            macs: self.macs,
            vlans: self.vlans.clone(),
            interface: self.interface,
            opened,
            answered,
            met: opened || answered && !was_answered,
            ended: ended.then(|| self.ending()),
        }
    }

    fn ending(&self) -> Ending {
        Ending {
            by_responder: self.flags.contains(FlowFlags::RESP_CLOSED),
            duration_ns: self.last_ns.saturating_sub(self.start_ns),
            orig: self.totals[ORIG],
        }
    }
}
