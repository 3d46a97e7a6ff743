//! Flow events in the field's common EVE form.

use std::sync::Arc;

use chrono::DateTime;
use serde::Serialize;
use wire::TcpFlags;

use super::common::{Common, Ether, Face};
use super::layer::LayerObject;
use crate::config::EveConfig;
use crate::flow::{FlowRecord, ORIG, RESP};

pub(super) const IPPROTO_ICMP: u8 = 1;
const IPPROTO_TCP: u8 = 6;
pub(super) const IPPROTO_ICMPV6: u8 = 58;

/// What all events of a sensor share.
#[derive(Debug, Clone)]
pub struct EveContext {
    /// EVE `host`.
    pub sensor_name: String,
    /// Names of the interfaces or files, by index.
    pub interfaces: Arc<[String]>,
    /// Where to, and which types.
    pub config: EveConfig,
}

/// EVE's timestamp, in UTC to the microsecond: `2026-11-22T07:46:05.123456+0000`.
pub fn timestamp(time_ns: u64) -> String {
    let time = DateTime::from_timestamp_nanos(i64::try_from(time_ns).unwrap_or(i64::MAX));
    time.format("%Y-%m-%dT%H:%M:%S%.6f+0000").to_string()
}

/// EVE's name of an IP protocol: the usual ones by name, the others by number.
pub fn protocol_name(protocol: u8) -> String {
    let name = match protocol {
        IPPROTO_ICMP => "ICMP",
        2 => "IGMP",
        IPPROTO_TCP => "TCP",
        17 => "UDP",
        33 => "DCCP",
        41 => "IPv6",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        IPPROTO_ICMPV6 => "IPv6-ICMP",
        132 => "SCTP",
        136 => "UDPLite",
        number => return number.to_string(),
    };
    name.to_owned()
}

#[derive(Serialize)]
struct FlowEvent<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    flow: FlowObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<TcpObject>,
    spanwatch: OwnObject<'a>,
}

#[derive(Serialize)]
struct FlowObject {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    start: String,
    end: String,
    age: u64,
    state: &'static str,
    reason: &'static str,
    alerted: bool,
}

#[derive(Serialize)]
struct TcpObject {
    tcp_flags: String,
    tcp_flags_ts: String,
    tcp_flags_tc: String,
    #[serde(skip_serializing_if = "is_false")]
    syn: bool,
    #[serde(skip_serializing_if = "is_false")]
    fin: bool,
    #[serde(skip_serializing_if = "is_false")]
    rst: bool,
    #[serde(skip_serializing_if = "is_false")]
    psh: bool,
    #[serde(skip_serializing_if = "is_false")]
    ack: bool,
}

/// What EVE has no names for: totals since the start of the flow, what its responder is called and according to which
/// protocol, and what carried its first frame.
#[derive(Serialize)]
struct OwnObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_source: Option<&'static str>,
    total_pkts_toserver: u64,
    total_pkts_toclient: u64,
    total_bytes_toserver: u64,
    total_bytes_toclient: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encapsulation: Vec<LayerObject<'a>>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_false(value: &bool) -> bool {
    !value
}

impl EveContext {
    /// Appends the line of a flow record, newline included.
    pub(super) fn render_flow(&self, record: &FlowRecord, text: &mut Vec<u8>) {
        let event = self.flow_event(record);
        // Writing to a Vec cannot fail, and every key of the event is a string.
        if serde_json::to_writer(&mut *text, &event).is_ok() {
            text.push(b'\n');
        }
    }

    fn flow_event<'a>(&'a self, record: &'a FlowRecord) -> FlowEvent<'a> {
        let layers = record.layers.as_deref().unwrap_or_default();
        let face = Face {
            time_ns: record.time_ns,
            flow_id: record.flow_id,
            tuple: &record.tuple,
            app: record.app,
            vlans: &record.vlans,
            layers,
            interface: record.interface,
            ether: Ether::of_flow(record.macs),
        };
        let name = record.name.as_ref();
        FlowEvent {
            common: Common::new(self, "flow", face),
            flow: FlowObject::new(record),
            tcp: (record.tuple.protocol == IPPROTO_TCP).then(|| TcpObject::new(record.tcp_flags)),
            spanwatch: OwnObject {
                name: name.map(|(name, _)| &**name),
                name_source: name.map(|(_, source)| source.name(record.app)),
                total_pkts_toserver: record.totals[ORIG].packets,
                total_pkts_toclient: record.totals[RESP].packets,
                total_bytes_toserver: record.totals[ORIG].bytes,
                total_bytes_toclient: record.totals[RESP].bytes,
                encapsulation: layers.iter().map(LayerObject::new).collect(),
            },
        }
    }
}

impl FlowObject {
    fn new(record: &FlowRecord) -> Self {
        Self {
            pkts_toserver: record.counts[ORIG].packets,
            pkts_toclient: record.counts[RESP].packets,
            bytes_toserver: record.counts[ORIG].bytes,
            bytes_toclient: record.counts[RESP].bytes,
            start: timestamp(record.start_ns),
            end: timestamp(record.last_ns),
            age: record.last_ns.saturating_sub(record.start_ns) / 1_000_000_000,
            state: record.state.name(),
            reason: record.end.name(),
            alerted: record.alerted,
        }
    }
}

impl TcpObject {
    fn new(flags: [u8; 2]) -> Self {
        let all = TcpFlags(flags[ORIG] | flags[RESP]);
        Self {
            tcp_flags: format!("{:02x}", all.0),
            tcp_flags_ts: format!("{:02x}", flags[ORIG]),
            tcp_flags_tc: format!("{:02x}", flags[RESP]),
            syn: all.contains(TcpFlags::SYN),
            fin: all.contains(TcpFlags::FIN),
            rst: all.contains(TcpFlags::RST),
            psh: all.contains(TcpFlags::PSH),
            ack: all.contains(TcpFlags::ACK),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_as_eve_writes_it() {
        assert_eq!(timestamp(1_795_333_565_123_456_789), "2026-11-22T07:46:05.123456+0000");
    }
}
