//! A worker: what happens to every frame, on one screen. Nothing here allocates, locks, logs or reads a clock per packet.

use std::sync::Arc;
use std::time::Instant;

use capture::{Block, Frame};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use wire::{EncapStack, Ether, FlowKey, IpPacket, Network, TunnelPorts};

use crate::clock::Watermark;
use crate::config::Mode;
use crate::counters::{Published, WorkerCounters};
use crate::detect::HitLedger;
use crate::flow::{Flow, FlowEnd, FlowFlags, FlowTable, ORIG, RESP};
use crate::merge::{Notice, SecondDelta};
use crate::networks::Networks;
use crate::query::FlowQuery;
use crate::scan::FlowScan;
use crate::store::RingStore;
use crate::tunnels::Tunnels;
use crate::watch::WatchHold;
use crate::watchlist::{Query, Watchlists};

/// Records that may wait for a merge thread that is behind; further ones are counted and dropped.
const MAX_WAITING: usize = 1 << 20;

/// Where a worker speaks to, and who asks it.
#[derive(Debug)]
pub struct WorkerPorts {
    /// Closed seconds, to the merge thread.
    pub seconds: Sender<SecondDelta>,
    /// Meetings with watchlist entries, straight to Python (live).
    pub notices: Sender<Notice>,
    /// Questions about flows.
    pub queries: Receiver<FlowQuery>,
    /// The numbers that the outside sees.
    pub published: Arc<Published>,
}

/// What a worker is told.
#[derive(Debug)]
pub struct WorkerSetup {
    /// Live or read.
    pub mode: Mode,
    /// Index of the worker, and how many there are.
    pub index: usize,
    /// Number of all workers.
    pub workers: usize,
    /// Names of the interfaces, by index.
    pub interfaces: Arc<[String]>,
    /// What a host is.
    pub internal: Networks,
    /// Ports of tunnels.
    pub ports: TunnelPorts,
    /// Whether another worker stores all frames (`read`, where each sees every frame).
    pub stored_elsewhere: bool,
}

/// One thread's share of the frames, with the flows that they belong to.
pub struct Worker {
    setup: WorkerSetup,
    ports: WorkerPorts,
    ring: Option<RingStore>,
    clock: Watermark,
    encapsulations: EncapStack,
    flows: FlowTable,
    tunnels: Tunnels,
    watch: WatchHold,
    ledger: HitLedger,
    counters: WorkerCounters,
    second: SecondDelta,
    dirty: Vec<u32>,
    due: Vec<u32>,
    scan: Option<FlowScan>,
}

impl Worker {
    /// A worker that has seen nothing yet.
    pub fn new(
        setup: WorkerSetup,
        ports: WorkerPorts,
        flows: FlowTable,
        watch: WatchHold,
        ring: Option<RingStore>,
    ) -> Self {
        let counters = WorkerCounters::new(setup.interfaces.len());
        let second = SecondDelta { worker: setup.index, ..SecondDelta::default() };
        Self {
            setup,
            ports,
            ring,
            clock: Watermark::default(),
            encapsulations: EncapStack::new(),
            flows,
            tunnels: Tunnels::default(),
            watch,
            ledger: HitLedger::default(),
            counters,
            second,
            dirty: Vec::new(),
            due: Vec::new(),
            scan: None,
        }
    }

    /// Takes all frames of a block, then publishes the numbers.
    pub fn process_block(&mut self, block: &impl Block, now: Instant) {
        for frame in block.frames() {
            self.process_frame(&frame);
        }
        self.end_block(now);
    }

    #[inline]
    fn process_frame(&mut self, frame: &Frame<'_>) {
        if let Some(ring) = &mut self.ring {
            ring.store(frame);
        }
        if self.clock.advance(frame.timestamp_ns) {
            self.close_second();
        }
        let mut encapsulations = std::mem::take(&mut self.encapsulations);
        let decoded =
            wire::decode(frame.data, frame.origlen, frame.link_type.0, &self.setup.ports, &mut encapsulations);
        let own = match &decoded {
            Ok(packet) => match packet.network {
                Network::Ip(ip) => self.is_own(&ip),
                Network::NonIp { .. } => self.setup.index == 0 || self.setup.mode == Mode::Live,
            },
            Err(_) => self.setup.index == 0 || self.setup.mode == Mode::Live,
        };
        if own {
            self.count_frame(frame, &encapsulations);
            match decoded {
                Ok(packet) => match packet.network {
                    Network::Ip(ip) => self.process_packet(frame, packet.ether, &ip, &encapsulations),
                    Network::NonIp { .. } => self.counters.analysis.non_ip += 1,
                },
                Err(error) => self.counters.count_error(error),
            }
        }
        self.encapsulations = encapsulations;
    }

    /// In `read` every worker sees every frame and keeps those of its address pairs; live the kernel has spread them.
    #[inline]
    fn is_own(&self, packet: &IpPacket<'_>) -> bool {
        if self.setup.workers == 1 || self.setup.mode == Mode::Live {
            return true;
        }
        let number = |address: wire::Address| u128::from_be_bytes(*address.bytes());
        let pair = number(packet.source) ^ number(packet.destination);
        let mixed = (pair as u64 ^ (pair >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        mixed as usize % self.setup.workers == self.setup.index
    }

    #[inline]
    fn count_frame(&mut self, frame: &Frame<'_>, encapsulations: &EncapStack) {
        let interface = &mut self.counters.interfaces[usize::from(frame.interface)];
        interface.captured_frames += 1;
        interface.captured_bytes += u64::from(frame.origlen);
        let mut seen = 0_u32;
        for encapsulation in encapsulations {
            let kind = encapsulation.kind() as usize;
            if seen & 1 << kind == 0 {
                seen |= 1 << kind;
                self.counters.encapsulations[kind] += 1;
            }
        }
    }

    #[inline]
    fn process_packet(&mut self, frame: &Frame<'_>, ether: Option<Ether>, packet: &IpPacket<'_>, stack: &EncapStack) {
        let tuple = packet.five_tuple();
        let (key, swapped) = FlowKey::new(&tuple);
        let place = match self.flows.find(&key) {
            Some(place) if !self.begins_anew(place, frame, packet) => place,
            found => {
                if let Some(place) = found {
                    let end = self.flows.get_mut(place).end_reason(FlowEnd::Idle);
                    self.end_flow(place, end);
                }
                self.open_flow(frame, ether, packet, stack)
            }
        };
        self.counters.analysis.flow += 1;
        let tick = self.clock.tick();
        let flow = self.flows.get_mut(place);
        let outcome = flow.touch(packet, flow.direction(swapped));
        flow.last_ns = flow.last_ns.max(frame.timestamp_ns);
        flow.last_tick = tick;
        if !flow.flags.contains(FlowFlags::DIRTY) {
            flow.flags.insert(FlowFlags::DIRTY);
            self.dirty.push(place);
        }
        if flow.generation != self.watch.generation {
            self.judge(place);
        }
        if self.flows.get(place).flags.contains(FlowFlags::ALERTED) {
            self.ledger.touch(place, self.flows.get(place));
        }
        if outcome.answered {
            self.flows.mark_answered(place);
        }
        if outcome.closed {
            self.flows.rearm(place);
        }
    }

    /// Whether the packet belongs to another conversation than the flow that has its key. Offline a silence may be as
    /// long as it likes without any frame to move the timers.
    #[inline]
    fn begins_anew(&self, place: u32, frame: &Frame<'_>, packet: &IpPacket<'_>) -> bool {
        let flow = self.flows.get(place);
        if self.setup.mode == Mode::Live || packet.protocol == wire::protocol::TCP {
            return flow.is_reopened_by(packet);
        }
        let silence_ns = frame.timestamp_ns.saturating_sub(flow.last_ns);
        silence_ns > u64::from(self.flows.idle_seconds(flow)) * 1_000_000_000
    }

    #[cold]
    fn open_flow(&mut self, frame: &Frame<'_>, ether: Option<Ether>, packet: &IpPacket<'_>, stack: &EncapStack) -> u32 {
        if self.flows.is_full() {
            if let Some(place) = self.flows.victim() {
                self.end_flow(place, FlowEnd::Evicted);
            }
        }
        let internal = |address| self.setup.internal.contains(address);
        let mut flow = Flow::begin(frame, packet, ether);
        let tuple = flow.tuple();
        flow.flags = flow
            .flags
            .with(FlowFlags::ORIG_INTERNAL, internal(tuple.orig.address))
            .with(FlowFlags::RESP_INTERNAL, internal(tuple.resp.address));
        flow.vlans = wire::vlan_ids(stack).into_iter().take(flow.vlans.capacity()).collect();
        flow.tunnel = self.tunnels.number(stack);
        flow.last_tick = self.clock.tick();
        flow.generation = self.watch.generation.wrapping_sub(1);
        self.flows.insert(flow)
    }

    /// Looks the flow up in the lists in force; once a flow and generation.
    #[cold]
    fn judge(&mut self, place: u32) {
        let now_ns = self.clock.now_ns();
        let flow = self.flows.get_mut(place);
        flow.generation = self.watch.generation;
        let tuple = flow.tuple();
        let query = Query {
            orig: (tuple.orig.address, tuple.orig.port),
            resp: (tuple.resp.address, tuple.resp.port),
            protocol: tuple.protocol,
            orig_internal: flow.flags.contains(FlowFlags::ORIG_INTERNAL),
            resp_internal: flow.flags.contains(FlowFlags::RESP_INTERNAL),
            time_ns: now_ns,
        };
        let lists: &Arc<Watchlists> = &self.watch.watchlists;
        if let Some(entry) = lists.lookup(&query) {
            if !flow.flags.contains(FlowFlags::ALERTED) {
                self.counters.count_list_hit(&lists.describe(&entry).list);
            }
            flow.flags.insert(FlowFlags::ALERTED);
            self.ledger.open(place, entry, lists);
        }
    }

    /// A flow leaves the table: its last words go out.
    fn end_flow(&mut self, place: u32, end: FlowEnd) {
        let now_ns = self.clock.now_ns();
        let flow = self.flows.get_mut(place);
        let tunnel = self.tunnels.get(flow.tunnel);
        if let Some((first, last)) = self.ledger.close(place, flow, tunnel) {
            self.second.hits.extend(first);
            self.second.hits.push(last);
        }
        flow.flags.remove(FlowFlags::DIRTY);
        let delta = flow.take_delta(true);
        if delta.internal != [false; 2] {
            self.second.deltas.push(delta);
        }
        let record = flow.take_record(now_ns, end, tunnel);
        self.second.records.push(record);
        self.counters.flows_ended[end as usize] += 1;
        self.flows.remove(place);
    }

    /// A second of packet time has closed: hands on what changed in it, and sees to the flows whose time has come.
    fn close_second(&mut self) {
        let tick = self.clock.tick();
        for place in std::mem::take(&mut self.dirty) {
            let flow = self.flows.get_mut(place);
            if !flow.flags.contains(FlowFlags::DIRTY) {
                continue;
            }
            flow.flags.remove(FlowFlags::DIRTY);
            let delta = flow.take_delta(false);
            flow.rate_bytes = [delta.counts[ORIG].bytes, delta.counts[RESP].bytes];
            flow.rate_tick = tick;
            if delta.internal != [false; 2] {
                self.second.deltas.push(delta);
            }
        }
        let mut due = std::mem::take(&mut self.due);
        self.flows.expire(tick, &mut due);
        for place in due.drain(..) {
            self.see_to(place, tick);
        }
        self.due = due;
        self.report_hits();
        self.hand_on(self.clock.second() - 1);
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
            let tunnel = self.tunnels.get(flow.tunnel);
            self.second.records.push(flow.take_record(now_ns, FlowEnd::Active, tunnel));
            self.counters.flows_ended[FlowEnd::Active as usize] += 1;
        }
        self.flows.arm_active(place);
    }

    fn report_hits(&mut self) {
        for place in self.ledger.take_pending() {
            let flow = self.flows.get_mut(place);
            let tunnel = self.tunnels.get(flow.tunnel);
            self.second.hits.extend(self.ledger.report(place, flow, tunnel));
        }
    }

    /// Hands the closed seconds to the merge thread. Live, a merge thread that is behind gets them later.
    fn hand_on(&mut self, second: u64) {
        self.second.second = second;
        self.second.time_ns = self.clock.now_ns();
        let fresh = SecondDelta { worker: self.setup.index, ..SecondDelta::default() };
        let closed = std::mem::replace(&mut self.second, fresh);
        if self.setup.mode == Mode::Read || second == SecondDelta::LAST {
            // A merge thread that is gone has taken the process with it.
            let _ = self.ports.seconds.send(closed);
            return;
        }
        if let Err(TrySendError::Full(closed)) = self.ports.seconds.try_send(closed) {
            self.second = closed;
            let over = self.second.records.len().saturating_sub(MAX_WAITING);
            self.second.records.truncate(MAX_WAITING);
            self.second.deltas.truncate(MAX_WAITING);
            self.counters.records_dropped += over as u64;
        }
    }

    /// Between two blocks: reports, publishes, submits, and answers questions, in this order.
    pub fn end_block(&mut self, now: Instant) {
        if self.setup.mode == Mode::Live {
            self.report_hits();
            self.send_hits();
        }
        self.publish();
        if let Some(ring) = &mut self.ring {
            ring.end_block(now);
        }
        self.watch.refresh();
        self.answer();
    }

    fn send_hits(&mut self) {
        if self.second.hits.is_empty() {
            return;
        }
        let hits = std::mem::take(&mut self.second.hits);
        let count = hits.len() as u64;
        let notice = Notice { time_ns: self.clock.now_ns(), hits, findings: Vec::new() };
        if self.ports.notices.try_send(notice).is_err() {
            self.counters.hits_dropped += count;
        }
    }

    fn publish(&mut self) {
        if let Some(ring) = &self.ring {
            (self.counters.ring_handed, self.counters.ring_dropped_slow) = ring.accounts();
        } else if !self.setup.stored_elsewhere {
            self.counters.ring_off = self.counters.interfaces.iter().map(|interface| interface.captured_frames).sum();
        }
        self.counters.flows_active = self.flows.len() as u64;
        self.counters.clock_jumps = self.clock.jumps();
        self.counters.progress += 1;
        self.ports.published.publish(&self.counters);
    }

    fn answer(&mut self) {
        if self.scan.is_none() {
            self.scan = self.ports.queries.try_recv().ok().map(FlowScan::new);
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

    /// The last frame has been taken: every flow ends, and everything goes out.
    pub fn finish(mut self) {
        self.close_second();
        for place in 0..self.flows.places() {
            if let Some(flow) = self.flows.at(place) {
                let end = flow.end_reason(FlowEnd::Shutdown);
                self.end_flow(place, end);
            }
        }
        if self.setup.mode == Mode::Live {
            self.send_hits();
        }
        self.hand_on(SecondDelta::LAST);
        self.publish();
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
