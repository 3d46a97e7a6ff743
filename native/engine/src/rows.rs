//! What a poll gives, as rows for Python: JSON, or Arrow where somebody takes the columns.

mod click;
mod ends;
mod mail;
mod web;

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use wire::{Address, Mac};

use crate::detect::{BeaconFinding, Finding, Hit};
use crate::flow::{ORIG, RESP};
use crate::mirror::ConditionChange;
use crate::output::protocol_name;
use crate::watchlist::Side;

pub use click::clicks_to_json;
pub use mail::{logins_to_arrow, mails_to_arrow, raw_messages};
pub use web::web_to_json;

/// A report of a flow that meets a watchlist entry; `src` is the originator, counts are since the last report of the
/// flow under this entry.
#[derive(Debug, Serialize)]
struct HitRow {
    time_ns: u64,
    event: String,
    stage: String,
    flow_id: u64,
    community_id: String,
    start_ns: u64,
    src_ip: String,
    src_port: u16,
    dest_ip: String,
    dest_port: u16,
    proto: String,
    src_mac: Option<String>,
    dest_mac: Option<String>,
    vlan: Vec<u16>,
    tunnel_src: Option<String>,
    tunnel_dest: Option<String>,
    tunnel_proto: Option<String>,
    tunnel_depth: u8,
    in_iface: String,
    frame: Option<u64>,
    packets_toserver: u64,
    packets_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    src_internal: bool,
    dest_internal: bool,
    first_sender: String,
    list: String,
    indicator: String,
    r#type: String,
    severity: u8,
    metadata: String,
    matched: String,
    observed: Option<String>,
    observed_in: Option<String>,
}

/// A host that sends mail in bulk.
#[derive(Debug, Serialize)]
struct FindingRow {
    time_ns: u64,
    rule: String,
    host: String,
    mac: Option<String>,
    vlan: Vec<u16>,
    in_iface: String,
    window_seconds: u32,
    count: u64,
    connections: u64,
    servers: u64,
    rejects: u64,
    examples: Vec<String>,
}

/// Hits as a JSON list; `interfaces` are names by index.
///
/// # Errors
/// A row has no form in JSON; a defect of the row type.
pub fn hits_to_json(hits: &[Hit], interfaces: &[String]) -> serde_json::Result<String> {
    serde_json::to_string(&hits.iter().map(|hit| HitRow::new(hit, interfaces)).collect::<Vec<_>>())
}

/// Findings as a JSON list; `interfaces` are names by index.
///
/// # Errors
/// A row has no form in JSON; a defect of the row type.
pub fn findings_to_json(findings: &[Finding], interfaces: &[String]) -> serde_json::Result<String> {
    serde_json::to_string(&findings.iter().map(|finding| FindingRow::new(finding, interfaces)).collect::<Vec<_>>())
}

/// Changes of the mirror as a JSON list: there are few, and their figures differ.
pub fn conditions_to_json(changes: &[ConditionChange]) -> String {
    let row = |change: &ConditionChange| {
        json!({
            "time_ns": change.time_ns,
            "rule": change.rule,
            "source": change.source,
            "over": change.over,
            "blind": change.blind,
            "figures": change.figures,
        })
    };
    serde_json::Value::Array(changes.iter().map(row).collect()).to_string()
}

/// Beacons as a JSON list: there are few.
pub fn beacons_to_json(beacons: &[BeaconFinding], interfaces: &[String]) -> String {
    let row = |beacon: &BeaconFinding| {
        json!({
            "time_ns": beacon.time_ns,
            "rule": "host.beacon",
            "host": beacon.host.to_string(),
            "mac": mac_text(beacon.mac),
            "vlan": beacon.vlans.as_slice(),
            "in_iface": interface_name(interfaces, beacon.interface),
            "name": beacon.name.as_deref(),
            "remote": beacon.address.to_string(),
            "port": beacon.port,
            "proto": beacon.protocol,
            "since_ns": beacon.since_ns,
            "calls": beacon.calls,
            "interval_seconds": Duration::from_nanos(beacon.interval_ns).as_secs_f64(),
            "jitter_ratio": beacon.jitter_ratio,
            "fit_ratio": beacon.fit_ratio,
            "bytes_out": beacon.bytes[ORIG],
            "bytes_in": beacon.bytes[RESP],
        })
    };
    serde_json::Value::Array(beacons.iter().map(row).collect()).to_string()
}

/// The own columns of a list's entry as a JSON object.
pub fn metadata_json(metadata: Vec<(&'static str, String)>) -> String {
    let columns = metadata.into_iter().map(|(column, value)| (column.to_owned(), value.into()));
    serde_json::Value::Object(columns.collect()).to_string()
}

fn mac_text(mac: Mac) -> Option<String> {
    (!mac.is_zero()).then(|| mac.to_string())
}

fn interface_name(interfaces: &[String], index: u16) -> String {
    interfaces.get(usize::from(index)).cloned().unwrap_or_default()
}

impl HitRow {
    fn new(hit: &Hit, interfaces: &[String]) -> Self {
        let entry = &*hit.entry;
        let (orig, resp) = (hit.tuple.orig, hit.tuple.resp);
        let first = if hit.orig_first { orig } else { resp };
        let end = |of: fn(&wire::Tunnel) -> Address| hit.tunnel.as_ref().map(|tunnel| of(tunnel).to_string());
        Self {
            time_ns: hit.time_ns,
            event: hit.event.name().to_owned(),
            stage: hit.stage.name().to_owned(),
            flow_id: hit.flow_id,
            community_id: wire::community_id(&hit.tuple),
            start_ns: hit.start_ns,
            src_ip: orig.address.to_string(),
            src_port: orig.port,
            dest_ip: resp.address.to_string(),
            dest_port: resp.port,
            proto: protocol_name(hit.tuple.protocol),
            src_mac: mac_text(hit.macs[ORIG]),
            dest_mac: mac_text(hit.macs[RESP]),
            vlan: hit.vlans.to_vec(),
            tunnel_src: end(|tunnel| tunnel.source),
            tunnel_dest: end(|tunnel| tunnel.destination),
            tunnel_proto: hit.tunnel.map(|tunnel| tunnel.protocol.to_string()),
            tunnel_depth: hit.tunnel.map_or(0, |tunnel| tunnel.depth),
            in_iface: interface_name(interfaces, hit.interface),
            frame: (hit.file_frame != 0).then_some(hit.file_frame),
            packets_toserver: hit.counts[ORIG].packets,
            packets_toclient: hit.counts[RESP].packets,
            bytes_toserver: hit.counts[ORIG].bytes,
            bytes_toclient: hit.counts[RESP].bytes,
            src_internal: hit.internal[ORIG],
            dest_internal: hit.internal[RESP],
            first_sender: first.address.to_string(),
            list: entry.list.clone(),
            indicator: entry.indicator.clone(),
            r#type: entry.kind.as_str().to_owned(),
            severity: entry.severity,
            metadata: metadata_json(entry.metadata.clone()),
            matched: if hit.matched == Side::Orig { "src" } else { "dest" }.to_owned(),
            observed: hit.observed.as_ref().map(|observed| observed.text.to_string()),
            observed_in: hit.observed.as_ref().map(|observed| observed.seen_in.name().to_owned()),
        }
    }
}

impl FindingRow {
    fn new(finding: &Finding, interfaces: &[String]) -> Self {
        Self {
            time_ns: finding.time_ns,
            rule: finding.rule.to_owned(),
            host: finding.host.to_string(),
            mac: mac_text(finding.mac),
            vlan: finding.vlans.to_vec(),
            in_iface: interface_name(interfaces, finding.interface),
            window_seconds: finding.window_seconds,
            count: finding.count,
            connections: finding.connections,
            servers: finding.servers,
            rejects: finding.rejects,
            examples: finding.examples.iter().map(ToString::to_string).collect(),
        }
    }
}
