//! Questions about live flows and hosts: a filter, an order, a limit; the answer is Arrow.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Schema};
use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};
use serde_arrow::schema::{SchemaLike, TracingOptions};
use wire::{Address, FiveTuple};

use crate::counters::lock;
use crate::flow::{Flow, ORIG, RESP};
use crate::host::{Host, HostTable};
use crate::networks::Networks;
use crate::output::protocol_name;

/// A bound on what one question may ask for.
pub const MAX_ROWS: usize = 100_000;

/// What rows must fulfil: all of its terms.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Term {
    Network(Networks),
    Port(u16),
    Protocol(String),
    Vlan(u16),
}

impl Filter {
    /// Reads terms separated by spaces: an address or network (`10.1.2.3`, `10.1.0.0/16`), a port (`443`), a protocol
    /// (`tcp`), a VLAN (`vlan:20`).
    ///
    /// # Errors
    /// The term that is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = text.split_whitespace().map(Term::parse).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    fn admits_flow(&self, tuple: &FiveTuple, vlans: &[u16]) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Network(networks) => networks.contains(tuple.orig.address) || networks.contains(tuple.resp.address),
            Term::Port(port) => tuple.orig.port == *port || tuple.resp.port == *port,
            Term::Protocol(name) => protocol_name(tuple.protocol).eq_ignore_ascii_case(name),
            Term::Vlan(id) => vlans.contains(id),
        })
    }

    fn admits_host(&self, address: &Address, host: &Host) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Network(networks) => networks.contains(*address),
            Term::Port(port) => host.served.iter().any(|(_, served)| served == port),
            Term::Protocol(name) => host.served.iter().any(|(p, _)| protocol_name(*p).eq_ignore_ascii_case(name)),
            Term::Vlan(id) => host.vlans.contains(id),
        })
    }
}

impl Term {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(id) = text.strip_prefix("vlan:") {
            return id.parse().map(Self::Vlan).map_err(|_| format!("'{text}': a VLAN is a number"));
        }
        if let Ok(port) = text.parse() {
            return Ok(Self::Port(port));
        }
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        if let Ok(address) = address.parse::<IpAddr>() {
            let width = if address.is_ipv4() { 32 } else { 128 };
            let length = length.map_or(Ok(width), str::parse).ok().filter(|&length| length <= width);
            let length = length.ok_or_else(|| format!("'{text}': a prefix has 0 to {width} bits"))?;
            return Ok(Self::Network(Networks::new(&[(address, length)])));
        }
        if text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && text.starts_with(|c: char| c.is_alphabetic())
        {
            return Ok(Self::Protocol(text.to_owned()));
        }
        Err(format!("'{text}' is no address, network, port, protocol or vlan:ID"))
    }
}

/// What rows are ordered by, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Bytes a second now.
    Rate,
    /// Bytes in all.
    Bytes,
    /// Packets in all.
    Packets,
    /// The newest first.
    Start,
    /// The last heard first.
    Last,
    /// Flows (hosts only; of a flow it is 1).
    Flows,
    /// Distinct peers (hosts only; of a flow it is 1).
    Peers,
}

impl Order {
    /// Reads `rate`, `bytes`, `packets`, `start`, `last`, `flows` or `peers`.
    ///
    /// # Errors
    /// Any other word.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" | "rate" => Ok(Self::Rate),
            "bytes" => Ok(Self::Bytes),
            "packets" => Ok(Self::Packets),
            "start" => Ok(Self::Start),
            "last" => Ok(Self::Last),
            "flows" => Ok(Self::Flows),
            "peers" => Ok(Self::Peers),
            other => Err(format!("cannot order by '{other}': rate, bytes, packets, start, last, flows or peers")),
        }
    }
}

/// A live flow as others see it; `orig` and `resp` are its ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // the names are the documentation, units included
pub struct FlowRow {
    pub flow_id: u64,
    pub community_id: String,
    pub proto: String,
    pub orig_ip: String,
    pub orig_port: u16,
    pub resp_ip: String,
    pub resp_port: u16,
    pub orig_mac: Option<String>,
    pub resp_mac: Option<String>,
    pub vlan: Vec<u16>,
    pub tunnel: Option<String>,
    /// The layers as the flow events tell them, a JSON list.
    pub encapsulation: String,
    pub interface: String,
    pub state: String,
    pub alerted: bool,
    pub start_ns: u64,
    pub last_ns: u64,
    pub orig_packets: u64,
    pub resp_packets: u64,
    pub orig_bytes: u64,
    pub resp_bytes: u64,
    pub orig_bytes_per_second: u64,
    pub resp_bytes_per_second: u64,
    pub app_proto: Option<String>,
    pub name: Option<String>,
}

/// A host as others see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // the names are the documentation, units included
pub struct HostRow {
    pub ip: String,
    pub mac: Option<String>,
    pub vlan: Vec<u16>,
    pub interface: String,
    pub first_seen_ns: u64,
    pub last_seen_ns: u64,
    pub peers: u64,
    pub flows: u64,
    pub bytes_out: u64,
    pub bytes_in: u64,
    pub packets_out: u64,
    pub packets_in: u64,
    pub bytes_out_per_second: u64,
    pub bytes_in_per_second: u64,
    pub ports_served: Vec<String>,
}

/// A question about flows, for one worker.
#[derive(Debug, Clone)]
pub struct FlowQuery {
    /// Which flows.
    pub filter: Filter,
    /// What comes first.
    pub order: Order,
    /// Rows at most.
    pub limit: usize,
    /// Where the answer goes, once.
    pub reply: Sender<Vec<(u64, FlowRow)>>,
}

impl FlowQuery {
    /// The place of a flow in the order, if the filter admits it; `tick` is timer time now.
    pub fn rank(&self, flow: &Flow, tick: u32) -> Option<u64> {
        let tuple = flow.tuple();
        if !self.filter.admits_flow(&tuple, &flow.vlans) {
            return None;
        }
        Some(match self.order {
            Order::Rate => flow.rates(tick).iter().sum(),
            Order::Bytes => flow.totals[ORIG].bytes + flow.totals[RESP].bytes,
            Order::Packets => flow.totals[ORIG].packets + flow.totals[RESP].packets,
            Order::Start => flow.start_ns,
            Order::Last => flow.last_ns,
            Order::Flows | Order::Peers => 1,
        })
    }
}

/// A question about hosts.
#[derive(Debug)]
pub struct HostQuery {
    /// Which hosts.
    pub filter: Filter,
    /// What comes first.
    pub order: Order,
    /// Rows at most.
    pub limit: usize,
    /// Names of the interfaces, by index.
    pub interfaces: Arc<[String]>,
    /// Where the answer goes, once.
    pub reply: Sender<Vec<HostRow>>,
}

impl HostQuery {
    /// Answers from the table.
    pub fn answer(self, hosts: &HostTable) {
        let rank = |host: &Host| match self.order {
            Order::Rate => hosts.rates(host).iter().sum(),
            Order::Bytes => host.sent.bytes + host.received.bytes,
            Order::Packets => host.sent.packets + host.received.packets,
            Order::Start => host.first_seen_ns,
            Order::Last => host.last_seen_ns,
            Order::Flows => host.flows,
            Order::Peers => host.peers() as u64,
        };
        let admitted = hosts.iter().filter(|(address, host)| self.filter.admits_host(address, host));
        let mut order: Vec<_> = admitted.map(|(address, host)| (rank(host), *address, host)).collect();
        order.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        order.truncate(self.limit);
        let rows = order.into_iter().map(|(_, address, host)| self.row(&address, host, hosts.rates(host))).collect();
        // Whoever asked may have gone.
        let _ = self.reply.send(rows);
    }

    fn row(&self, address: &Address, host: &Host, rates: [u64; 2]) -> HostRow {
        let served = host.served.iter().map(|(p, port)| format!("{}/{port}", protocol_name(*p).to_lowercase()));
        HostRow {
            ip: address.to_string(),
            mac: (!host.mac.is_zero()).then(|| host.mac.to_string()),
            vlan: host.vlans.to_vec(),
            interface: self.interfaces.get(usize::from(host.interface)).cloned().unwrap_or_default(),
            first_seen_ns: host.first_seen_ns,
            last_seen_ns: host.last_seen_ns,
            peers: host.peers() as u64,
            flows: host.flows,
            bytes_out: host.sent.bytes,
            bytes_in: host.received.bytes,
            packets_out: host.sent.packets,
            packets_in: host.received.packets,
            bytes_out_per_second: rates[0],
            bytes_in_per_second: rates[1],
            ports_served: served.collect(),
        }
    }
}

/// Rows as one Arrow record batch.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn to_arrow<T>(rows: &[T]) -> Result<RecordBatch, serde_arrow::Error>
where
    T: Serialize + for<'de> Deserialize<'de> + 'static,
{
    let fields = fields_of::<T>()?;
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::new(Schema::new(fields))));
    }
    serde_arrow::to_record_batch(&fields, &rows)
}

/// The columns of a row type, found out once: that takes as long as to write a hundred rows.
fn fields_of<T>() -> Result<Vec<FieldRef>, serde_arrow::Error>
where
    T: for<'de> Deserialize<'de> + 'static,
{
    static KNOWN: Mutex<BTreeMap<TypeId, Vec<FieldRef>>> = Mutex::new(BTreeMap::new());
    let mut known = lock(&KNOWN);
    if let Some(fields) = known.get(&TypeId::of::<T>()) {
        return Ok(fields.clone());
    }
    let options = TracingOptions::default().strings_as_large_utf8(false).sequence_as_large_list(false);
    let fields = Vec::<FieldRef>::from_type::<T>(options)?;
    known.insert(TypeId::of::<T>(), fields.clone());
    Ok(fields)
}
