//! Between two blocks: numbers, chunks, lists, questions.

use std::time::Instant;

use super::Worker;
use crate::config::Mode;
use crate::merge::Notice;
use crate::scan::Scan;

impl Worker {
    /// Between two blocks: reports, publishes, submits, and answers questions, in this order.
    pub fn end_block(&mut self, now: Instant) {
        if self.setup.mode == Mode::Live {
            self.report_hits();
            self.send_hits();
        }
        self.publish();
        if let Some(ring) = self.store.ring_mut() {
            ring.end_block(now);
        }
        self.answer();
    }

    pub(super) fn send_hits(&mut self) {
        if self.second.hits.is_empty() {
            return;
        }
        let hits = std::mem::take(&mut self.second.hits);
        let count = hits.len() as u64;
        // Who the hosts are goes along, or the alert of a machine's first second would be without its name.
        let mut punted = self.second.punted.take();
        punted.append(&mut self.second.claims.take());
        let told = punted.len() as u64;
        let notice = Notice { time_ns: self.clock.now_ns(), hits, punted, ..Notice::default() };
        if self.ports.notices.try_send(notice).is_err() {
            self.counters.hits_dropped += count;
            self.counters.punted.dropped += told;
        }
    }

    pub(super) fn publish(&mut self) {
        if let Some(ring) = self.store.ring() {
            (self.counters.ring_handed, self.counters.ring_dropped_slow) = ring.accounts();
        } else if !self.setup.stored_elsewhere {
            self.counters.ring_off = self.counters.interfaces.iter().map(|interface| interface.captured_frames).sum();
        }
        self.counters.flows_active = self.flows.len() as u64;
        self.counters.meetings_forgotten = self.ledger.forgotten();
        self.counters.copies_forgotten = self.mirror.copies_forgotten();
        self.counters.fragments_forgotten = self.fragments.forgotten();
        self.counters.flows_without_layers = self.tunnels.left_out();
        self.counters.frames_without_source = self.mirror.sources.left_out_frames();
        self.counters.clock_jumps = self.clock.jumps();
        self.counters.names.held_bytes = self.held_bytes as u64;
        self.counters.progress += 1;
        self.ports.published.publish(&self.counters);
    }

    fn answer(&mut self) {
        if self.scan.is_none() {
            self.scan = self.ports.queries.try_recv().ok().map(Scan::new);
        }
        if let Some(scan) = &mut self.scan {
            if scan.step(&self.flows, self.clock.tick(), (&self.tunnels, &self.setup.interfaces)) {
                self.scan = None;
            }
        }
    }

    /// No frame came: packet time passes by the wall clock `wall_ns`, nanoseconds since 1970.
    pub fn idle(&mut self, wall_ns: u64, now: Instant) {
        if self.clock.advance(wall_ns) {
            self.close_second();
        }
        self.end_block(now);
    }

    /// What the kernel counted on an interface since the last call.
    pub fn count_kernel(&mut self, interface: usize, statistics: capture::KernelStatistics) {
        let counters = &mut self.counters.interfaces[interface];
        counters.kernel_packets += statistics.packets;
        counters.kernel_dropped += statistics.dropped;
        counters.kernel_freezes += statistics.freezes;
    }
}
