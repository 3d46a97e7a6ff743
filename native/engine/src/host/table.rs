//! The table of hosts, fed by what flows did in each second.

use ahash::RandomState;
use arrayvec::ArrayVec;
use hashbrown::{HashMap, HashSet};
use wire::{Address, Mac};

use super::carriers::Carriers;
use crate::flow::{Counts, FlowDelta, MAX_FLOW_VLANS, ORIG, RESP};

/// Peers that are remembered, for each host that the table may hold, on average; all hosts share the sum.
const PEERS_PER_HOST: usize = 16;
/// Served ports that are remembered of one host.
const MAX_SERVED: usize = 64;
/// When the table is full, one in so many hosts goes at once, so that a flood pays for the search.
const EVICTED_SHARE: usize = 16;

/// What is known of an internal address.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// First packet from or to it, nanoseconds since 1970.
    pub first_seen_ns: u64,
    /// Last packet from or to it.
    pub last_seen_ns: u64,
    /// Its hardware address on the mirrored link, zero if no frame had one.
    pub mac: Mac,
    /// VLAN tags of its last flow, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// Index of the interface of its last flow.
    pub interface: u16,
    /// Flows from or to it.
    pub flows: u64,
    /// What it sent.
    pub sent: Counts,
    /// What was sent to it.
    pub received: Counts,
    /// Bytes that it sent and that were sent to it in the second `rate_second`.
    pub rate_bytes: [u64; 2],
    /// Number of the second that `rate_bytes` speaks of.
    pub rate_second: u64,
    /// Protocol and port of services that it answered on, in order; at most 64.
    pub served: Vec<(u8, u16)>,
    /// Whether any flow with it had two sides.
    pub answered: bool,
    peers: HashSet<u64, RandomState>,
}

impl Host {
    /// Distinct addresses that it exchanged packets with.
    pub fn peers(&self) -> usize {
        self.peers.len()
    }
}

/// Hosts by address. When it is full, those that were never answered go first, then those silent longest.
#[derive(Debug)]
pub struct HostTable {
    max: usize,
    hosts: HashMap<Address, Host, RandomState>,
    hasher: RandomState,
    peers: usize,
    evicted: u64,
    peers_forgotten: u64,
    second: u64,
    carriers: Carriers,
}

impl HostTable {
    /// An empty table for at most `max` hosts.
    pub fn new(max: usize) -> Self {
        let hasher = RandomState::new();
        let hosts = HashMap::with_hasher(hasher.clone());
        let (peers, evicted, peers_forgotten, second) = (0, 0, 0, 0);
        let carriers = Carriers::default();
        Self { max: max.max(1), hosts, hasher, peers, evicted, peers_forgotten, second, carriers }
    }

    /// Number of hosts.
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there is no host.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Hosts that went because the table was full.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Peers that were not remembered because all hosts together had too many.
    pub fn peers_forgotten(&self) -> u64 {
        self.peers_forgotten
    }

    /// All hosts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &Host)> {
        self.hosts.iter()
    }

    /// What is known of an address.
    pub fn get(&self, address: &Address) -> Option<&Host> {
        self.hosts.get(address)
    }

    /// What follows happened in second number `second`.
    pub fn open_second(&mut self, second: u64) {
        self.second = second;
    }

    /// Bytes that the host sent and that were sent to it in the newest second.
    pub fn rates(&self, host: &Host) -> [u64; 2] {
        if host.rate_second == self.second { host.rate_bytes } else { [0; 2] }
    }

    /// Hardware addresses that have turned out to be routers' in the open second, in order; each is told once.
    pub fn take_routers(&mut self) -> Vec<Mac> {
        self.carriers.take_routers()
    }

    /// Takes what a flow did in the open second.
    pub fn apply(&mut self, delta: &FlowDelta) {
        for side in [ORIG, RESP] {
            if delta.internal[side] {
                self.apply_side(delta, side);
            }
        }
    }

    fn apply_side(&mut self, delta: &FlowDelta, side: usize) {
        let ends = [delta.tuple.orig, delta.tuple.resp];
        let (own, peer) = (ends[side], ends[1 - side]);
        if self.hosts.len() >= self.max && !self.hosts.contains_key(&own.address) {
            self.evict();
        }
        let hasher = &self.hasher;
        let mut is_new = false;
        let host = self.hosts.entry(own.address).or_insert_with(|| {
            is_new = true;
            Host::new(delta, hasher)
        });
        let before = host.mac;
        host.count(delta, side, self.second);
        if own.address.is_v4() {
            self.carriers.moved(before, host.mac);
        }
        // A flow that goes on tells nothing new, except to a host that was forgotten meanwhile.
        if !(delta.met || is_new && delta.answered) {
            return;
        }
        let known = hasher.hash_one(peer.address);
        if !host.peers.contains(&known) {
            if self.peers < self.max.saturating_mul(PEERS_PER_HOST) {
                host.peers.insert(known);
                self.peers += 1;
            } else {
                self.peers_forgotten += 1;
            }
        }
        if side == RESP && delta.answered {
            host.serve(delta.tuple.protocol, own.port);
        }
    }

    #[cold]
    fn evict(&mut self) {
        let mut order: Vec<_> =
            self.hosts.iter().map(|(address, host)| (host.answered, host.last_seen_ns, *address)).collect();
        let share = (self.max / EVICTED_SHARE).max(1).min(order.len());
        order.select_nth_unstable(share - 1);
        for (_, _, address) in &order[..share] {
            if let Some(host) = self.hosts.remove(address) {
                self.peers -= host.peers.len();
                self.evicted += 1;
                if address.is_v4() {
                    self.carriers.moved(host.mac, Mac::default());
                }
            }
        }
    }
}

impl Host {
    fn new(delta: &FlowDelta, hasher: &RandomState) -> Self {
        let peers = HashSet::with_hasher(hasher.clone());
        Self { first_seen_ns: delta.start_ns, peers, ..Self::default() }
    }

    fn count(&mut self, delta: &FlowDelta, side: usize, second: u64) {
        self.sent.add(delta.counts[side]);
        self.received.add(delta.counts[1 - side]);
        if self.rate_second != second {
            self.rate_second = second;
            self.rate_bytes = [0; 2];
        }
        self.rate_bytes[0] += delta.counts[side].bytes;
        self.rate_bytes[1] += delta.counts[1 - side].bytes;
        self.first_seen_ns = self.first_seen_ns.min(delta.start_ns);
        self.flows += u64::from(delta.opened);
        self.answered |= delta.answered;
        // Of flows that were heard at the same moment always the same one counts, whichever comes first here.
        let mac = if delta.macs[side].is_zero() { self.mac } else { delta.macs[side] };
        let newest = (self.last_seen_ns, self.mac, &self.vlans, self.interface);
        if (delta.last_ns, mac, &delta.vlans, delta.interface) > newest {
            self.last_seen_ns = delta.last_ns;
            self.mac = mac;
            self.vlans.clone_from(&delta.vlans);
            self.interface = delta.interface;
        }
    }

    fn serve(&mut self, protocol: u8, port: u16) {
        if port == 0 || self.served.len() >= MAX_SERVED {
            return;
        }
        if let Err(place) = self.served.binary_search(&(protocol, port)) {
            self.served.insert(place, (protocol, port));
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
