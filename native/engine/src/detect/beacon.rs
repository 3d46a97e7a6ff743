//! Beacons: a host that calls one remote end at a machine's pace, as an implant does that asks for orders.
//!
//! A call is the beginning of a flow from an internal host to an outside address. What is judged is the distance between
//! calls by statistics that a few odd calls do not move: the median, and the median absolute deviation from it, as RITA
//! does (Real Intelligence Threat Analytics, Active Countermeasures), which judges sizes the same way. A missed call makes
//! a distance of two beats or three: each distance is compared with its nearest multiple of the median.

use std::net::IpAddr;
use std::sync::Arc;

use ahash::RandomState;
use arrayvec::ArrayVec;
use hashbrown::HashMap;
use wire::{Address, Mac};

use super::calls::{Call, Calls};
use crate::config::BeaconConfig;
use crate::flow::{FlowRecord, MAX_FLOW_VLANS, ORIG, RESP};
use crate::networks::Networks;
use crate::output::protocol_name;

/// Pairs of host and remote that are watched at once; each takes up to a kilobyte for its calls.
const MAX_PAIRS: usize = 1 << 16;
/// Pairs with fewer calls go first when there is no more room: what a browser meets once does not push out a beacon.
const FEW_CALLS: u64 = 3;
/// A beacon that goes on is said again after so much time.
const REPEAT_NS: u64 = 60 * 1_000_000_000;
/// A remote that this share of all hosts calls is a service of the place, if it is called by a few at least.
const POPULAR_SHARE: u64 = 2;
const POPULAR_AT_LEAST: u32 = 3;
/// The longest name of the DNS (RFC 1035, 2.3.4).
const MAX_NAME_BYTES: usize = 255;

/// A host that calls one remote end at a steady interval.
#[derive(Debug, Clone, PartialEq)]
pub struct BeaconFinding {
    /// Packet time of the judgement.
    pub time_ns: u64,
    /// Who calls.
    pub host: Address,
    /// Its hardware address, zero if unknown.
    pub mac: Mac,
    /// VLAN tags of its last call, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// Index of the interface.
    pub interface: u16,
    /// The remote end's name, if it is known; then its address may change from call to call.
    pub name: Option<Arc<str>>,
    /// The address that was called last.
    pub address: Address,
    /// The remote end's port.
    pub port: u16,
    /// EVE's name of the protocol.
    pub protocol: String,
    /// The first call.
    pub since_ns: u64,
    /// Calls since then; those that are opened side by side are one.
    pub calls: u64,
    /// The median distance of the last calls.
    pub interval_ns: u64,
    /// The median deviation from the beat, as a share of it.
    pub jitter_ratio: f64,
    /// The share of distances near a beat.
    pub fit_ratio: f64,
    /// Bytes that the host sent and received in all calls.
    pub bytes: [u64; 2],
}

/// The remote end of a call: by its name where it has one, so that changing addresses are one remote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Remote {
    name: Option<Arc<str>>,
    address: Option<Address>,
    port: u16,
    protocol: u8,
}

type Pair = (Address, Remote);

/// The calls of all hosts to outside ends.
#[derive(Debug)]
pub struct BeaconWatch {
    config: BeaconConfig,
    internal: Networks,
    mail_servers: Networks,
    max_pairs: usize,
    pairs: HashMap<Pair, Calls, RandomState>,
    /// How many hosts call a remote, and how many remotes a host calls, by the pairs.
    callers: HashMap<Remote, u32, RandomState>,
    hosts: HashMap<Address, u32, RandomState>,
    evicted: u64,
}

impl BeaconWatch {
    /// A watch that has seen nothing; calls inside `internal` and to `mail_servers` do not count.
    pub fn new(config: BeaconConfig, internal: Networks, mail_servers: Networks) -> Self {
        Self {
            config,
            internal,
            mail_servers,
            max_pairs: MAX_PAIRS,
            pairs: HashMap::default(),
            callers: HashMap::default(),
            hosts: HashMap::default(),
            evicted: 0,
        }
    }

    /// Pairs of host and remote in the table.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether no call is remembered.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Pairs of more than a few calls that were forgotten because too many were watched.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes the records of a second, named and in their order, and adds what they show.
    pub fn take(&mut self, records: &[FlowRecord], time_ns: u64, findings: &mut Vec<BeaconFinding>) {
        for record in records {
            // Of a flow that lasts, the first record tells of the call.
            if record.counts == record.totals && self.is_call(record) {
                findings.extend(self.call(record, time_ns));
            }
        }
    }

    fn is_call(&self, record: &FlowRecord) -> bool {
        let (host, remote) = (record.tuple.orig.address, record.tuple.resp);
        matches!(record.tuple.protocol, wire::protocol::TCP | wire::protocol::UDP)
            && self.internal.contains(host)
            && !self.internal.contains(remote.address)
            && is_far(remote.address)
            && !self.config.ignore_ports.contains(&remote.port)
            && !self.mail_servers.contains(remote.address)
            && !self.config.ignore_networks.contains(remote.address)
            && !record.name.as_ref().is_some_and(|(name, _)| self.is_ignored(name))
    }

    /// Whether the name is one of the ignored domains or lies in one.
    fn is_ignored(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        self.config.ignore_domains.iter().any(|domain| {
            let start = name.len().checked_sub(domain.len());
            let end = start.and_then(|start| name.get(start..).map(|end| (start, end)));
            end.is_some_and(|(start, end)| {
                end.eq_ignore_ascii_case(domain) && (start == 0 || name.as_bytes()[start - 1] == b'.')
            })
        })
    }

    fn call(&mut self, record: &FlowRecord, time_ns: u64) -> Option<BeaconFinding> {
        let host = record.tuple.orig.address;
        let pair = (host, Remote::of(record));
        let call = Call::new(record.start_ns, record.totals[ORIG].bytes, record.totals[RESP].bytes);
        let Some(calls) = self.pairs.get_mut(&pair) else {
            self.begin(pair, call, time_ns);
            return None;
        };
        let pace = if calls.add(call, time_ns) { calls.pace(&self.config)? } else { return None };
        if calls.said_ns + REPEAT_NS > time_ns || self.is_popular(&pair.1) {
            return None;
        }
        let calls = self.pairs.get_mut(&pair)?;
        calls.said_ns = time_ns;
        let (name, resp) = (pair.1.name, record.tuple.resp);
        Some(BeaconFinding {
            time_ns,
            host,
            mac: record.macs[ORIG],
            vlans: record.vlans.clone(),
            interface: record.interface,
            name,
            address: resp.address,
            port: resp.port,
            protocol: protocol_name(record.tuple.protocol),
            since_ns: calls.first_ns,
            calls: calls.count,
            interval_ns: pace.interval_ns,
            jitter_ratio: pace.jitter_ratio,
            fit_ratio: pace.fit_ratio,
            bytes: calls.bytes,
        })
    }

    /// Remembers the first call of a host to a remote.
    fn begin(&mut self, pair: Pair, call: Call, time_ns: u64) {
        if self.pairs.len() >= self.max_pairs {
            self.evict();
        }
        *self.callers.entry(pair.1.clone()).or_default() += 1;
        *self.hosts.entry(pair.0).or_default() += 1;
        self.pairs.entry(pair).or_default().add(call, time_ns);
    }

    /// Whether so many hosts call the remote that it is a service and no beacon.
    fn is_popular(&self, remote: &Remote) -> bool {
        let callers = self.callers.get(remote).copied().unwrap_or(0);
        let most = u64::from(callers) * POPULAR_SHARE >= self.hosts.len() as u64;
        u64::from(callers) >= self.config.popular_hosts || (callers >= POPULAR_AT_LEAST && most)
    }

    /// Forgets one pair in sixteen at once, so that a flood pays for the search: those of few calls, then those silent
    /// longest, with all that are as old.
    #[cold]
    fn evict(&mut self) {
        let worth = |calls: &Calls| (calls.count >= FEW_CALLS, calls.last_ns);
        let mut order: Vec<_> = self.pairs.values().map(worth).collect();
        let share = (self.max_pairs / 16).clamp(1, order.len());
        let (_, &mut last, _) = order.select_nth_unstable(share - 1);
        for ((host, remote), calls) in self.pairs.extract_if(|_, calls| worth(calls) <= last) {
            forget_one(&mut self.callers, &remote);
            forget_one(&mut self.hosts, &host);
            self.evicted += u64::from(calls.count >= FEW_CALLS);
        }
    }
}

fn forget_one<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, u32, RandomState>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Remote {
    fn of(record: &FlowRecord) -> Self {
        let resp = record.tuple.resp;
        let name = record.name.as_ref().and_then(|(name, _)| canonical(name));
        let address = if name.is_some() { None } else { Some(resp.address) };
        Self { name, address, port: resp.port, protocol: record.tuple.protocol }
    }
}

/// A name in small letters without dots at its end, shared where it is so already; none of one that the DNS cannot have.
fn canonical(name: &Arc<str>) -> Option<Arc<str>> {
    let bare = name.trim_end_matches('.');
    if bare.is_empty() || bare.len() > MAX_NAME_BYTES {
        return None;
    }
    let is_so = bare.len() == name.len() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if is_so { Arc::clone(name) } else { bare.to_ascii_lowercase().into() })
}

/// Whether an address is one far away: neither of the own link or machine (RFC 3927; RFC 4291, 2.5.6; RFC 1122, 3.2.1.3)
/// nor of a group, nor everybody's (RFC 5771; RFC 919).
fn is_far(address: Address) -> bool {
    match IpAddr::from(address) {
        IpAddr::V4(v4) => !(v4.is_link_local() || v4.is_loopback() || v4.octets()[0] >= 224 || v4.octets()[0] == 0),
        IpAddr::V6(v6) => {
            let link_local = v6.segments()[0] & 0xffc0 == 0xfe80;
            !(link_local || v6.is_multicast() || v6.is_loopback() || v6.is_unspecified())
        }
    }
}

#[cfg(test)]
#[path = "beacon_tests.rs"]
mod tests;
