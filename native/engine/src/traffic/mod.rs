//! Flow records added up over a whole run: protocols, conversations, hosts and a timeline, for the report.
//!
//! The merge thread adds each second's records as it hands them on, so that no record has to reach Python for it.

#[cfg(test)]
mod tests;
mod timeline;

use std::cmp::Reverse;
use std::hash::Hash;

use ahash::RandomState;
use app::AppProtocol;
use hashbrown::HashMap;
use serde::Serialize;
use wire::Address;

use self::timeline::{Step, Timeline};
use crate::flow::{FlowEnd, FlowRecord, ORIG, RESP};
use crate::output::{ports, protocol_name};

/// Conversations that are told apart; records of others count in protocols and timeline alone.
const MAX_CONVERSATIONS: usize = 200_000;

type Groups<K, V> = HashMap<K, V, RandomState>;

/// What all flow records so far come to.
#[derive(Debug, Default)]
pub struct Traffic {
    conversations: Groups<Ends, Conversation>,
    protocols: Groups<(u8, AppProtocol), Volume>,
    timeline: Timeline,
    left_out: u64,
}

/// Who speaks to whom about what: originator, responder, protocol, and the responder's port where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Ends {
    orig: Address,
    resp: Address,
    protocol: u8,
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Volume {
    flows: u64,
    packets: u64,
    bytes: [u64; 2],
}

/// Flows between the same ends. Interface and frame are those of the record that came first.
#[derive(Debug)]
struct Conversation {
    app: AppProtocol,
    volume: Volume,
    span: Span,
    internal: [bool; 2],
    interface: u16,
    frame: u64,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    first_ns: u64,
    last_ns: u64,
}

/// The sums as others see them, the most bytes first; times are nanoseconds since 1970-01-01 UTC.
#[derive(Debug, Serialize)]
pub struct TrafficRows {
    protocols: Vec<ProtocolRow>,
    conversations: Vec<ConversationRow>,
    hosts: Vec<HostRow>,
    timeline: Vec<Step>,
    /// Records of conversations that found no room.
    left_out: u64,
}

#[derive(Debug, Serialize)]
struct ProtocolRow {
    proto: String,
    app_proto: Option<&'static str>,
    flows: u64,
    packets: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct ConversationRow {
    source: String,
    destination: String,
    proto: String,
    port: Option<u16>,
    app_proto: Option<&'static str>,
    flows: u64,
    packets: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    first_ns: u64,
    last_ns: u64,
    file: String,
    frame: Option<u64>,
}

#[derive(Debug, Serialize)]
struct HostRow {
    ip: String,
    flows: u64,
    packets: u64,
    bytes_out: u64,
    bytes_in: u64,
    first_ns: u64,
    last_ns: u64,
}

impl Traffic {
    /// Adds records.
    pub fn take(&mut self, records: &[FlowRecord]) {
        records.iter().for_each(|record| self.add(record));
    }

    fn add(&mut self, record: &FlowRecord) {
        let volume = Volume::of(record);
        self.protocols.entry((record.tuple.protocol, record.app)).or_default().add(volume);
        self.timeline.add(record.start_ns, record.last_ns, [volume.packets, volume.total_bytes()]);
        let ends = Ends::of(record);
        if self.conversations.len() >= MAX_CONVERSATIONS && !self.conversations.contains_key(&ends) {
            self.left_out += 1;
            return;
        }
        self.conversations.entry(ends).or_insert_with(|| Conversation::new(record)).add(record, volume);
    }

    /// All protocols and steps, and the `limit` conversations and internal hosts with the most bytes; `interfaces` are
    /// names by index.
    pub fn rows(&self, limit: usize, interfaces: &[String]) -> TrafficRows {
        let conversations = self.conversations.iter().map(|(ends, talk)| ((talk.volume.total_bytes(), *ends), talk));
        let protocols = self.protocols.iter().map(|(key, volume)| ((volume.total_bytes(), *key), volume));
        TrafficRows {
            protocols: most(protocols, usize::MAX).map(|((_, key), volume)| ProtocolRow::new(key, volume)).collect(),
            conversations: most(conversations, limit)
                .map(|((_, ends), talk)| ConversationRow::new(&ends, talk, interfaces))
                .collect(),
            hosts: self.hosts(limit),
            timeline: self.timeline.steps(),
            left_out: self.left_out,
        }
    }

    fn hosts(&self, limit: usize) -> Vec<HostRow> {
        let mut hosts: Groups<Address, (Volume, Span)> = Groups::default();
        for (ends, talk) in &self.conversations {
            for (side, address) in [(ORIG, ends.orig), (RESP, ends.resp)] {
                if talk.internal[side] {
                    let out_and_in = [talk.volume.bytes[side], talk.volume.bytes[1 - side]];
                    let (volume, span) = hosts.entry(address).or_insert((Volume::default(), talk.span));
                    volume.add(Volume { bytes: out_and_in, ..talk.volume });
                    span.widen(talk.span);
                }
            }
        }
        let hosts = hosts.iter().map(|(address, host)| ((host.0.total_bytes(), *address), host));
        most(hosts, limit).map(|((_, address), (volume, span))| HostRow::new(address, volume, *span)).collect()
    }
}

/// The `limit` items with the most bytes, of those alike the ones whose keys come first.
fn most<K: Ord, V>(items: impl Iterator<Item = ((u64, K), V)>, limit: usize) -> impl Iterator<Item = ((u64, K), V)> {
    let mut ranked: Vec<_> = items.collect();
    ranked.sort_unstable_by(|((bytes, key), _), ((others, other), _)| {
        (Reverse(bytes), key).cmp(&(Reverse(others), other))
    });
    ranked.into_iter().take(limit)
}

impl Ends {
    fn of(record: &FlowRecord) -> Self {
        let tuple = &record.tuple;
        let [_, port] = ports(tuple);
        Self { orig: tuple.orig.address, resp: tuple.resp.address, protocol: tuple.protocol, port }
    }
}

impl Volume {
    fn of(record: &FlowRecord) -> Self {
        let [orig, resp] = &record.counts;
        Self {
            flows: u64::from(record.end != FlowEnd::Active),
            packets: orig.packets + resp.packets,
            bytes: [orig.bytes, resp.bytes],
        }
    }

    fn add(&mut self, other: Self) {
        self.flows += other.flows;
        self.packets += other.packets;
        self.bytes[ORIG] += other.bytes[ORIG];
        self.bytes[RESP] += other.bytes[RESP];
    }

    fn total_bytes(&self) -> u64 {
        self.bytes[ORIG] + self.bytes[RESP]
    }
}

impl Conversation {
    fn new(record: &FlowRecord) -> Self {
        Self {
            app: AppProtocol::Unknown,
            volume: Volume::default(),
            span: Span::of(record),
            internal: record.internal,
            interface: record.interface,
            frame: record.file_frame,
        }
    }

    fn add(&mut self, record: &FlowRecord, volume: Volume) {
        if self.app == AppProtocol::Unknown {
            self.app = record.app;
        }
        self.volume.add(volume);
        self.span.widen(Span::of(record));
    }
}

impl Span {
    fn of(record: &FlowRecord) -> Self {
        Self { first_ns: record.start_ns, last_ns: record.last_ns }
    }

    fn widen(&mut self, other: Self) {
        self.first_ns = self.first_ns.min(other.first_ns);
        self.last_ns = self.last_ns.max(other.last_ns);
    }
}

fn app_name(app: AppProtocol) -> Option<&'static str> {
    (app != AppProtocol::Unknown).then(|| app.name())
}

impl ProtocolRow {
    fn new((protocol, app): (u8, AppProtocol), volume: &Volume) -> Self {
        Self {
            proto: protocol_name(protocol),
            app_proto: app_name(app),
            flows: volume.flows,
            packets: volume.packets,
            bytes: volume.total_bytes(),
        }
    }
}

impl ConversationRow {
    fn new(ends: &Ends, talk: &Conversation, interfaces: &[String]) -> Self {
        Self {
            source: ends.orig.to_string(),
            destination: ends.resp.to_string(),
            proto: protocol_name(ends.protocol),
            port: ends.port,
            app_proto: app_name(talk.app),
            flows: talk.volume.flows,
            packets: talk.volume.packets,
            bytes_toserver: talk.volume.bytes[ORIG],
            bytes_toclient: talk.volume.bytes[RESP],
            first_ns: talk.span.first_ns,
            last_ns: talk.span.last_ns,
            file: interfaces.get(usize::from(talk.interface)).cloned().unwrap_or_default(),
            frame: (talk.frame != 0).then_some(talk.frame),
        }
    }
}

impl HostRow {
    fn new(address: Address, volume: &Volume, span: Span) -> Self {
        Self {
            ip: address.to_string(),
            flows: volume.flows,
            packets: volume.packets,
            bytes_out: volume.bytes[ORIG],
            bytes_in: volume.bytes[RESP],
            first_ns: span.first_ns,
            last_ns: span.last_ns,
        }
    }
}
