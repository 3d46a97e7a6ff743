//! Flow events in the field's common EVE form.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike};
use serde::Serialize;
use wire::{FiveTuple, TcpFlags};

use super::common::{Common, Ether, Face};
use super::layer::LayerObject;
use crate::config::EveConfig;
use crate::flow::{FlowRecord, ORIG, RESP};

const IPPROTO_ICMP: u8 = 1;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_ICMPV6: u8 = 58;

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
    // Digit by digit: a line has up to three of them, and a general formatter takes longer than all the rest of it.
    let mut text = *b"0000-00-00T00:00:00.000000+0000";
    let micros = time.timestamp_subsec_micros();
    for (place, number) in [
        (0..4, time.year().unsigned_abs()),
        (5..7, time.month()),
        (8..10, time.day()),
        (11..13, time.hour()),
        (14..16, time.minute()),
        (17..19, time.second()),
        (20..26, micros),
    ] {
        let mut rest = number;
        for digit in text[place].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
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
/// protocol, what carried its first frame, and of which packet an ICMP error speaks.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted: Option<QuotedObject>,
}

#[derive(Serialize)]
struct QuotedObject {
    src_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: String,
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
            app_before: record.app_before,
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
                name_source: name.map(|(_, source)| source.name()),
                total_pkts_toserver: record.totals[ORIG].packets,
                total_pkts_toclient: record.totals[RESP].packets,
                total_bytes_toserver: record.totals[ORIG].bytes,
                total_bytes_toclient: record.totals[RESP].bytes,
                encapsulation: layers.iter().map(LayerObject::new).collect(),
                quoted: record.quoted.as_ref().map(QuotedObject::new),
            },
        }
    }
}

pub(crate) fn is_icmp(tuple: &FiveTuple) -> bool {
    matches!(tuple.protocol, IPPROTO_ICMP | IPPROTO_ICMPV6)
}

/// The ports of both ends, where there are any.
pub(crate) fn ports(tuple: &FiveTuple) -> [Option<u16>; 2] {
    [tuple.orig.port, tuple.resp.port].map(|port| (!is_icmp(tuple) && port != 0).then_some(port))
}

impl QuotedObject {
    fn new(tuple: &FiveTuple) -> Self {
        let [src_port, dest_port] = ports(tuple);
        Self {
            src_ip: tuple.orig.address.to_string(),
            src_port,
            dest_ip: tuple.resp.address.to_string(),
            dest_port,
            proto: protocol_name(tuple.protocol),
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
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Mode;
    use crate::testing::*;

    /// The flow events that frames give, in the order of their originators.
    fn events(frames: Vec<Vec<u8>>) -> Vec<Value> {
        let mut bench = Bench::new(Mode::Read, 10);
        bench.feed(&frames.into_iter().map(|frame| (0, frame)).collect::<Vec<_>>());
        let config = EveConfig { path: "eve.json".into(), types: Vec::new() };
        let context = EveContext { sensor_name: "s".into(), interfaces: vec!["eth1".into()].into(), config };
        let event = |record| {
            let mut text = Vec::new();
            context.render_flow(record, &mut text);
            serde_json::from_slice(&text).expect("an event")
        };
        let mut events: Vec<Value> = bench.records().iter().map(event).collect();
        events.sort_by_key(|event| event["src_ip"].to_string());
        events
    }

    #[test]
    fn an_error_of_icmp_tells_of_which_packet_it_speaks() {
        let router = End([10, 20, 3, 1], 0);
        let unreachable = |port| {
            let query = udp(PC, End([8, 8, 8, 8], port), b"query");
            ipv4(router, PC, 1, &[&[3, 1, 0, 0, 0, 0, 0, 0][..], &query[14..14 + 28]].concat())
        };
        let cut = ipv4(SERVER, PC, 1, &[11, 0, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 60]);
        let [error, plain, exceeded] = events(vec![unreachable(53), unreachable(99), cut, udp(PC, SERVER, b"")])
            .try_into()
            .unwrap_or_else(|events| panic!("{events:?}"));
        assert_eq!((&error["icmp_type"], &error["icmp_code"]), (&json!(3), &json!(1)));
        assert_eq!(error["flow"]["pkts_toserver"], 2);
        assert_eq!(
            error["spanwatch"]["quoted"],
            json!({"src_ip": "10.20.3.44", "src_port": 50_000, "dest_ip": "8.8.8.8", "dest_port": 53, "proto": "UDP"})
        );
        // A quote that is cut tells nothing, and a datagram quotes nothing.
        assert_eq!((&exceeded["icmp_type"], &exceeded["spanwatch"]["quoted"]), (&json!(11), &Value::Null));
        assert_eq!((&plain["proto"], &plain["spanwatch"]["quoted"]), (&json!("UDP"), &Value::Null));
    }

    #[test]
    fn a_timestamp_reads_as_eve_writes_it() {
        assert_eq!(timestamp(1_795_333_565_123_456_789), "2026-11-22T07:46:05.123456+0000");
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000000+0000");
        assert_eq!(timestamp(951_782_399_999_999_999), "2000-02-28T23:59:59.999999+0000");
        assert_eq!(timestamp(u64::MAX), "2262-04-11T23:47:16.854775+0000");
    }
}
