//! The flows that have changed and are not handed on yet.

use crate::config::Mode;
use crate::flow::{Flow, FlowFlags};

/// In `read` nobody asks for rates: of a flow that goes on, what it counts waits up to so many seconds of packet time.
/// With many flows that would be most of what is handed on. The mirror's windows are much longer.
const WAIT_SECONDS: u64 = 8;

/// Places of flows; one that has left the table, or was handed on, may still be among them.
#[derive(Debug, Default)]
pub(super) struct Changed {
    all: Vec<u32>,
    /// Those that tell more than what they have counted.
    telling: Vec<u32>,
    /// Number of the second with which all are handed on again.
    due: u64,
}

impl Changed {
    /// A flow has had its first packet since it was handed on.
    #[inline]
    pub(super) fn note(&mut self, place: u32, tells_more: bool) {
        self.all.push(place);
        if tells_more {
            self.telling.push(place);
        }
    }

    /// A flow that has had a packet tells more by it.
    pub(super) fn note_news(&mut self, place: u32) {
        self.telling.push(place);
    }

    /// Takes out the flows that are handed on as second number `closed` closes.
    pub(super) fn take(&mut self, mode: Mode, closed: u64) -> Vec<u32> {
        if mode == Mode::Read && closed < self.due {
            return take_all(&mut self.telling);
        }
        self.due = closed + WAIT_SECONDS;
        self.telling.clear();
        take_all(&mut self.all)
    }
}

/// Takes out everything, and leaves room for as much again.
fn take_all(places: &mut Vec<u32>) -> Vec<u32> {
    let room = Vec::with_capacity(places.len());
    std::mem::replace(places, room)
}

impl Flow {
    /// Whether more is to be told of the second than what the flow counts: that it is there, or whether the mirror shows
    /// both its directions.
    #[inline]
    pub(super) fn tells_more(&self) -> bool {
        let judged = self.flags.contains(FlowFlags::ANSWERED) || self.flags.contains(FlowFlags::TCP_COUNTED);
        !self.flags.contains(FlowFlags::PUBLISHED) || !judged && self.key.protocol() == wire::protocol::TCP
    }
}
