//! A worker: what happens to every frame, on one screen. Nothing here allocates, locks, logs or reads a clock per packet.

mod changed;
#[cfg(test)]
mod changing_tests;
#[cfg(test)]
mod claiming_tests;
mod closing;
mod group;
mod meeting;
mod mirroring;
#[cfg(test)]
mod mirroring_tests;
mod naming;
#[cfg(test)]
mod naming_tests;
mod publishing;
mod punting;
#[cfg(test)]
mod punting_tests;
mod setup;
mod storing;
#[cfg(test)]
mod storing_tests;
#[cfg(test)]
mod tests;

use std::time::Instant;

use capture::{Block, Frame};
use wire::{EncapStack, Ether, FlowKey, IpPacket, Network, Packet};

use crate::claims::ClaimGate;
use crate::clock::Watermark;
use crate::config::Mode;
use crate::counters::WorkerCounters;
use crate::detect::HitLedger;
use crate::flow::{Flow, FlowEnd, FlowFlags, FlowTable, Fragments, TouchOutcome};
use crate::merge::SecondDelta;
use crate::names::Naming;
use crate::punt::PuntGate;
use crate::scan::Scan;
use crate::store::FrameStore;
use crate::tunnels::Tunnels;
use crate::watch::WatchHold;
use crate::watchlist::Query;
use changed::Changed;
use group::{Arrival, GROUP, Group, Taken};
use mirroring::MirrorWatch;
pub use setup::{WorkerPorts, WorkerSetup, worker_of};

/// One thread's share of the frames, with the flows that they belong to.
pub struct Worker {
    setup: WorkerSetup,
    ports: WorkerPorts,
    store: FrameStore,
    clock: Watermark,
    /// Of each frame of the group that is being processed.
    encapsulations: [EncapStack; GROUP],
    flows: FlowTable,
    fragments: Fragments,
    tunnels: Tunnels,
    watch: WatchHold,
    mirror: MirrorWatch,
    ledger: HitLedger,
    punts: PuntGate,
    claims: ClaimGate,
    counters: WorkerCounters,
    second: SecondDelta,
    changed: Changed,
    due: Vec<u32>,
    scan: Option<Scan>,
    /// Bytes that are kept of conversations.
    held_bytes: usize,
    /// Number of the frame whose turn it is, counted from 1.
    frame_number: u64,
    /// Frames behind that one that other workers take and that moved no clock, and the time of the last such frame.
    passed_over: u64,
    passed_over_ns: u64,
}

impl Worker {
    /// A worker that has seen nothing yet.
    pub fn new(setup: WorkerSetup, ports: WorkerPorts, flows: FlowTable, watch: WatchHold, store: FrameStore) -> Self {
        let counters = WorkerCounters::new(setup.interfaces.len());
        let mirror = MirrorWatch::new(setup.deduplicate, setup.snaplens.clone());
        let second = SecondDelta { worker: setup.index, ..SecondDelta::default() };
        Self {
            setup,
            ports,
            store,
            clock: Watermark::default(),
            encapsulations: Default::default(),
            flows,
            fragments: Fragments::default(),
            tunnels: Tunnels::default(),
            watch,
            mirror,
            ledger: HitLedger::default(),
            punts: PuntGate::default(),
            claims: ClaimGate::default(),
            counters,
            second,
            changed: Changed::default(),
            due: Vec::new(),
            scan: None,
            held_bytes: 0,
            frame_number: 0,
            passed_over: 0,
            passed_over_ns: 0,
        }
    }

    /// Takes all frames of a block, then publishes the numbers.
    pub fn process_block(&mut self, block: &impl Block, now: Instant) {
        // Lists that were replaced before these frames came judge them already.
        self.watch.refresh();
        let mut frames = block.frames();
        let mut group = Group::default();
        loop {
            self.take(&mut frames, &mut group.frames);
            if group.frames.is_empty() {
                break;
            }
            self.decode(&mut group);
            self.seek(&mut group);
            for (index, Taken { frame, passed_over }) in group.frames.iter().enumerate() {
                let (decoded, sought) = (&group.decoded[index], group.sought[index].as_ref());
                self.process_arrival(&Arrival { frame, decoded, sought, index }, *passed_over);
            }
        }
        self.end_block(now);
    }

    #[inline]
    fn process_arrival(&mut self, arrival: &Arrival<'_>, passed_over: u64) {
        self.frame_number += 1 + passed_over;
        if self.clock.advance(arrival.frame.timestamp_ns) {
            self.close_second();
        }
        self.follow_sequence(arrival);
        if !self.setup.is_own(arrival.frame, arrival.decoded) {
            return;
        }
        self.count_frame(arrival);
        self.mirror.count(arrival.frame, arrival.decoded, &self.encapsulations[arrival.index]);
        self.punt(arrival);
        match arrival.decoded {
            Ok(Packet { ether, network: Network::Ip(packet) }) => self.process_packet(arrival, *ether, packet),
            Ok(_) => {
                self.store_late(arrival);
                self.counters.analysis.non_ip += 1;
            }
            Err(error) => {
                self.store_late(arrival);
                self.counters.count_error(*error);
            }
        }
    }

    #[inline]
    fn count_frame(&mut self, arrival: &Arrival<'_>) {
        let interface = &mut self.counters.interfaces[usize::from(arrival.frame.interface)];
        interface.captured_frames += 1;
        interface.captured_bytes += u64::from(arrival.frame.origlen);
        let mut seen = 0_u32;
        for encapsulation in &self.encapsulations[arrival.index] {
            let kind = encapsulation.kind() as usize;
            if seen & 1 << kind == 0 {
                seen |= 1 << kind;
                self.counters.encapsulations[kind] += 1;
            }
        }
    }

    #[inline]
    fn process_packet(&mut self, arrival: &Arrival<'_>, ether: Option<Ether>, packet: &IpPacket<'_>) {
        let Some(sought) = arrival.sought else { return };
        let (key, swapped, frame) = (&sought.key, sought.swapped, arrival.frame);
        let (copy, left_out) = self.take_copy(arrival, sought.fingerprint, ether, packet);
        if left_out {
            self.store_copy(arrival, key, packet);
            self.counters.analysis.duplicate += 1;
            return;
        }
        // Frames of the same group may have moved flows since the look-up.
        let found = sought.place.filter(|&place| self.flows.holds(place, key)).or_else(|| self.flows.find(key));
        let place = match found {
            Some(place) if !self.begins_anew(place, frame, packet) => place,
            found => {
                if let Some(place) = found {
                    let end = self.flows.get_mut(place).end_reason(FlowEnd::Idle);
                    self.end_flow(place, end);
                }
                self.open_flow((*key, swapped), frame, (ether, packet), arrival.index)
            }
        };
        self.counters.analysis.flow += 1;
        let flow = self.flows.get_mut(place);
        let outcome = flow.touch(packet, flow.direction(swapped));
        flow.last_ns = flow.last_ns.max(frame.timestamp_ns);
        flow.last_tick = self.clock.tick();
        if !flow.flags.contains(FlowFlags::DIRTY) {
            flow.flags.insert(FlowFlags::DIRTY);
            self.changed.note(place, flow.tells_more());
        }
        let heard = !copy && flow.naming == Naming::Open;
        let known = flow.generation == self.watch.generation && !flow.flags.contains(FlowFlags::ALERTED);
        if heard || !known || matches!(self.store, FrameStore::Cut(..)) {
            self.look_closer(place, arrival, packet, heard);
        }
        if !copy && packet.protocol == wire::protocol::TCP {
            self.follow_bytes(place, packet, swapped);
        }
        if outcome != TouchOutcome::default() {
            self.follow_state(place, outcome);
        }
    }

    /// What most packets need no more: their flow is judged by the lists in force, nobody listens to it, and it is stored
    /// like any other.
    fn look_closer(&mut self, place: u32, arrival: &Arrival<'_>, packet: &IpPacket<'_>, heard: bool) {
        let flow = self.flows.get(place);
        if flow.generation != self.watch.generation {
            self.judge(place);
        }
        let stored = self.store_beginning(place, arrival, packet);
        if heard {
            let swapped = arrival.sought.is_some_and(|sought| sought.swapped);
            self.hear(place, packet, swapped, arrival.frame.timestamp_ns);
        }
        if !stored {
            self.store_or_cut(place, arrival);
        }
        let flow = self.flows.get(place);
        if flow.flags.contains(FlowFlags::ALERTED) {
            self.ledger.touch(place, flow);
        }
    }

    #[cold]
    fn follow_state(&mut self, place: u32, outcome: TouchOutcome) {
        if outcome.answered {
            self.flows.mark_answered(place);
            self.changed.note_news(place);
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
        if self.setup.mode == Mode::Live || flow.key.protocol() == wire::protocol::TCP {
            return flow.is_reopened_by(packet);
        }
        let silence_ns = frame.timestamp_ns.saturating_sub(flow.last_ns);
        silence_ns > u64::from(self.flows.idle_seconds(flow)) * 1_000_000_000
    }

    #[cold]
    fn open_flow(
        &mut self,
        key: (FlowKey, bool),
        frame: &Frame<'_>,
        (ether, packet): (Option<Ether>, &IpPacket<'_>),
        index: usize,
    ) -> u32 {
        if self.flows.is_full() {
            if let Some(place) = self.flows.victim() {
                self.end_flow(place, FlowEnd::Evicted);
            }
        }
        let internal = |address| self.setup.internal.contains(address);
        let mut flow = Flow::begin(key, frame, packet, ether);
        let tuple = flow.tuple();
        flow.flags = flow
            .flags
            .with(FlowFlags::ORIG_INTERNAL, internal(tuple.orig.address))
            .with(FlowFlags::RESP_INTERNAL, internal(tuple.resp.address));
        flow.vlans = wire::vlan_ids(&self.encapsulations[index]).into_iter().take(flow.vlans.capacity()).collect();
        flow.tunnel = self.tunnels.number(&self.encapsulations[index]);
        flow.source = self.source();
        flow.first_frame = self.frame_number;
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
        if let Some(found) = self.watch.watchlists.lookup(&query) {
            let entry = self.watch.describe(&found);
            if !flow.flags.contains(FlowFlags::ALERTED) {
                self.counters.count_list_hit(&entry.list);
            }
            flow.flags.insert(FlowFlags::ALERTED);
            self.ledger.open(place, entry, found.matched);
        }
        self.meet_again(place);
    }
}
