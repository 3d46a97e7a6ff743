//! Live flows summed up by remote end and by VLAN, over all of them, in bounded slices, so that no frame waits for it.

use std::hash::Hash;

use ahash::RandomState;
use arrayvec::ArrayVec;
use crossbeam_channel::Sender;
use hashbrown::{HashMap, HashSet};
use serde::Serialize;
use wire::Address;

use crate::flow::{Flow, FlowFlags, FlowTable, MAX_FLOW_VLANS, ORIG, RESP};
use crate::output::protocol_name;

/// Places that are looked at between two blocks.
const SLICE: u32 = 1 << 13;
/// Ports that are told of a remote end, the lowest.
const MAX_PORTS: usize = 8;

type Vlans = ArrayVec<u16, MAX_FLOW_VLANS>;
type Groups<K> = HashMap<K, Group, RandomState>;

/// A question for the sums of one worker's flows; the answer comes once.
#[derive(Debug, Clone)]
pub struct SumQuery {
    /// Where the answer goes.
    pub reply: Sender<Sums>,
}

/// The sums over flows. There are no more entries than flows, and the flow table has a ceiling.
#[derive(Debug, Default)]
pub struct Sums {
    remotes: Groups<Address>,
    vlans: Groups<Vlans>,
}

/// What flows with something in common come to; out is from the own hosts.
#[derive(Debug, Default)]
struct Group {
    hosts: HashSet<Address, RandomState>,
    ports: ArrayVec<(u8, u16), MAX_PORTS>,
    traffic: Traffic,
}

/// Numbers that add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Traffic {
    flows: u64,
    bytes_out: u64,
    bytes_in: u64,
    bytes_out_per_second: u64,
    bytes_in_per_second: u64,
}

/// A remote end as others see it.
#[derive(Debug, Serialize)]
struct RemoteRow {
    ip: String,
    hosts: usize,
    #[serde(flatten)]
    traffic: Traffic,
    ports: Vec<String>,
}

/// A VLAN as others see it, tags outermost first.
#[derive(Debug, Serialize)]
struct VlanRow {
    vlan: Vec<u16>,
    hosts: usize,
    #[serde(flatten)]
    traffic: Traffic,
}

/// The fastest of each, as others see them.
#[derive(Debug, Serialize)]
pub struct SumRows {
    remotes: Vec<RemoteRow>,
    vlans: Vec<VlanRow>,
}

/// A question on its way through the table.
#[derive(Debug)]
pub struct SumScan {
    query: SumQuery,
    place: u32,
    sums: Sums,
}

impl SumScan {
    /// A question that has not begun.
    pub fn new(query: SumQuery) -> Self {
        Self { query, place: 0, sums: Sums::default() }
    }

    /// Looks at the next places, `tick` is timer time now; `true` when the answer has gone out.
    pub fn step(&mut self, flows: &FlowTable, tick: u32) -> bool {
        let end = flows.places().min(self.place.saturating_add(SLICE));
        for flow in (self.place..end).filter_map(|place| flows.at(place)) {
            self.sums.add(flow, tick);
        }
        self.place = end;
        if end < flows.places() {
            return false;
        }
        // Whoever asked may have gone.
        let _ = self.query.reply.send(std::mem::take(&mut self.sums));
        true
    }
}

impl Sums {
    fn add(&mut self, flow: &Flow, tick: u32) {
        let tuple = flow.tuple();
        let [orig, resp] = [FlowFlags::ORIG_INTERNAL, FlowFlags::RESP_INTERNAL].map(|flag| flow.flags.contains(flag));
        // Of two ends alike the originator is taken for the own host.
        let resp_is_local = resp && !orig;
        let (local, remote) = if resp_is_local { (RESP, ORIG) } else { (ORIG, RESP) };
        let addresses = [tuple.orig.address, tuple.resp.address];
        let rates = flow.rates(tick);
        let traffic = Traffic {
            flows: 1,
            bytes_out: flow.totals[local].bytes,
            bytes_in: flow.totals[remote].bytes,
            bytes_out_per_second: rates[local],
            bytes_in_per_second: rates[remote],
        };
        self.vlans.entry(flow.vlans.clone()).or_default().add(addresses[local], traffic);
        if resp_is_local || !resp {
            let group = self.remotes.entry(addresses[remote]).or_default();
            group.add(addresses[local], traffic);
            group.add_port((tuple.protocol, tuple.resp.port));
        }
    }

    /// Adds the sums of another worker.
    pub fn merge(&mut self, other: Self) {
        merge_groups(&mut self.remotes, other.remotes);
        merge_groups(&mut self.vlans, other.vlans);
    }

    /// The `limit` fastest of each, the fastest first.
    pub fn into_rows(self, limit: usize) -> SumRows {
        let remotes = fastest(self.remotes, limit).into_iter().map(|(address, group)| RemoteRow {
            ip: address.to_string(),
            hosts: group.hosts.len(),
            traffic: group.traffic,
            ports: group.ports.iter().map(|(p, port)| format!("{}/{port}", protocol_name(*p).to_lowercase())).collect(),
        });
        let vlans = fastest(self.vlans, limit).into_iter().map(|(vlan, group)| VlanRow {
            vlan: vlan.to_vec(),
            hosts: group.hosts.len(),
            traffic: group.traffic,
        });
        SumRows { remotes: remotes.collect(), vlans: vlans.collect() }
    }
}

impl Group {
    fn add(&mut self, host: Address, traffic: Traffic) {
        self.hosts.insert(host);
        self.traffic.add(traffic);
    }

    fn add_port(&mut self, port: (u8, u16)) {
        let Err(place) = self.ports.binary_search(&port) else { return };
        if place < MAX_PORTS {
            if self.ports.is_full() {
                self.ports.pop();
            }
            self.ports.insert(place, port);
        }
    }
}

impl Traffic {
    fn add(&mut self, other: Self) {
        self.flows += other.flows;
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out_per_second += other.bytes_out_per_second;
        self.bytes_in_per_second += other.bytes_in_per_second;
    }

    fn rate(&self) -> u64 {
        self.bytes_out_per_second + self.bytes_in_per_second
    }
}

fn merge_groups<K: Hash + Eq>(all: &mut Groups<K>, more: Groups<K>) {
    for (key, group) in more {
        let known = all.entry(key).or_default();
        known.hosts.extend(group.hosts);
        known.traffic.add(group.traffic);
        group.ports.into_iter().for_each(|port| known.add_port(port));
    }
}

fn fastest<K: Ord>(groups: Groups<K>, limit: usize) -> Vec<(K, Group)> {
    let mut rows: Vec<_> = groups.into_iter().collect();
    rows.sort_unstable_by(|(a, one), (b, other)| other.traffic.rate().cmp(&one.traffic.rate()).then_with(|| a.cmp(b)));
    rows.truncate(limit);
    rows
}

#[cfg(test)]
#[path = "sums_tests.rs"]
mod tests;
