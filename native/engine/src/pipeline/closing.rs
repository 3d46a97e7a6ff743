//! A second of packet time closes: what changed in it goes on, and flows whose time has come leave.

use crossbeam_channel::TrySendError;

use super::Worker;
use crate::config::Mode;
use crate::flow::{FlowEnd, FlowFlags};
use crate::merge::SecondDelta;

/// So many flows ahead of their turn memory is asked for.
const AHEAD: usize = 8;
/// Records that may wait for a merge thread that is behind; further ones are counted and dropped.
const MAX_WAITING: usize = 1 << 20;
/// So many deltas go ahead of their second together: less memory than a processor's cache, and soon used again.
const AHEAD_TOGETHER: usize = 4096;

impl Worker {
    /// A flow leaves the table: its last words go out.
    pub(super) fn end_flow(&mut self, place: u32, end: FlowEnd) {
        self.say_last(place, end);
        self.flows.remove(place);
    }

    fn say_last(&mut self, place: u32, end: FlowEnd) {
        self.judge_sides(place);
        self.end_conversation(place);
        let now_ns = self.clock.now_ns();
        let flow = self.flows.get_mut(place);
        let tunnel = self.tunnels.get(flow.tunnel);
        self.second.hits.extend(self.ledger.close(place, flow, tunnel));
        flow.flags.remove(FlowFlags::DIRTY);
        let delta = flow.take_delta(true);
        if delta.internal != [false; 2] {
            self.second.deltas.push(delta);
        }
        let record = flow.take_record(now_ns, end, self.tunnels.layers(flow.tunnel));
        self.second.records.push(record);
        self.counters.flows_ended[end as usize] += 1;
        if let Some(selection) = &self.setup.selection {
            selection.take(self.flows.get(place), self.frame_number);
        }
    }

    /// A second of packet time has closed: hands on what it holds.
    pub(super) fn close_second(&mut self) {
        // Before the first second there is nothing to close.
        let Some(closed) = self.clock.second().checked_sub(1) else { return };
        self.gather(closed);
        self.hand_on(closed, false);
    }

    /// Collects what changed, and sees to the flows whose time has come; second number `closed` has closed.
    fn gather(&mut self, closed: u64) {
        let tick = self.clock.tick();
        let handed = self.changed.take(self.setup.mode, closed);
        for (number, &place) in handed.iter().enumerate() {
            if let Some(&later) = handed.get(number + AHEAD) {
                capture::prefetch_whole(self.flows.get(later));
            }
            let flow = self.flows.get_mut(place);
            if !flow.flags.contains(FlowFlags::DIRTY) {
                continue;
            }
            flow.flags.remove(FlowFlags::DIRTY);
            let delta = flow.take_delta(false);
            flow.set_rates(tick, &delta.counts);
            if delta.internal != [false; 2] {
                self.second.deltas.push(delta);
            }
            self.judge_sides(place);
            self.hand_ahead(closed);
        }
        let mut due = std::mem::take(&mut self.due);
        self.flows.expire(tick, &mut due);
        for place in due.drain(..) {
            self.see_to(place, tick);
            self.hand_ahead(closed);
        }
        self.due = due;
        self.report_hits();
    }

    fn see_to(&mut self, place: u32, tick: u32) {
        if self.flows.is_idle(place, tick) {
            let end = self.flows.get_mut(place).end_reason(FlowEnd::Idle);
            self.end_flow(place, end);
            return;
        }
        let now_ns = self.clock.now_ns();
        let flow = self.flows.get_mut(place);
        if flow.has_news() {
            let layers = self.tunnels.layers(flow.tunnel);
            self.second.records.push(flow.take_record(now_ns, FlowEnd::Active, layers));
            self.counters.flows_ended[FlowEnd::Active as usize] += 1;
        }
        self.flows.arm_active(place);
    }

    pub(super) fn report_hits(&mut self) {
        for place in self.ledger.take_pending() {
            let flow = self.flows.get_mut(place);
            let tunnel = self.tunnels.get(flow.tunnel);
            self.second.hits.extend(self.ledger.report(place, flow, tunnel));
        }
    }

    /// In `read`, deltas of the second that has closed go ahead of everything else, so that few of them wait. Live they
    /// do not: whoever asks for rates is told of whole seconds.
    fn hand_ahead(&mut self, second: u64) {
        if self.setup.mode == Mode::Live || self.second.deltas.len() < AHEAD_TOGETHER {
            return;
        }
        let deltas = std::mem::replace(&mut self.second.deltas, Vec::with_capacity(AHEAD_TOGETHER));
        let ahead = SecondDelta { worker: self.setup.index, second, ahead: true, deltas, ..SecondDelta::default() };
        // A merge thread that is gone has taken the process with it.
        let _ = self.ports.seconds.send(ahead);
    }

    /// Hands the closed seconds to the merge thread. Live, a merge thread that is behind gets them later.
    fn hand_on(&mut self, second: u64, last: bool) {
        if self.second.sources.is_empty() {
            self.second.sources = self.mirror.sources.take();
        }
        self.second.second = second;
        self.second.last = last;
        self.second.time_ns = self.clock.now_ns();
        let fresh = SecondDelta::with_room_of(self.setup.index, &self.second);
        let closed = std::mem::replace(&mut self.second, fresh);
        if self.setup.mode == Mode::Read || last {
            // A merge thread that is gone has taken the process with it.
            let _ = self.ports.seconds.send(closed);
            return;
        }
        if let Err(TrySendError::Full(closed)) = self.ports.seconds.try_send(closed) {
            self.second = closed;
            let over = self.second.records.len().saturating_sub(MAX_WAITING)
                + self.second.apps.len().saturating_sub(MAX_WAITING);
            self.second.records.truncate(MAX_WAITING);
            self.second.apps.truncate(MAX_WAITING);
            self.second.deltas.truncate(MAX_WAITING);
            self.counters.records_dropped += over as u64;
        }
    }

    /// The last frame has been taken: every flow ends, and everything goes out.
    pub fn finish(mut self) {
        self.frame_number += 1 + self.passed_over;
        if self.passed_over > 0 {
            self.clock.advance(self.passed_over_ns);
        }
        let closed = self.clock.second();
        self.gather(closed);
        for place in 0..self.flows.places() {
            if let Some(flow) = self.flows.at(place) {
                let end = flow.end_reason(FlowEnd::Shutdown);
                self.say_last(place, end);
                self.hand_ahead(closed);
            }
        }
        self.flows.clear();
        if self.setup.mode == Mode::Live {
            self.send_hits();
        }
        self.hand_on(closed, true);
        self.publish();
    }
}
