//! Findings on web servers as rows for Arrow.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::watch::WebRecord;
use crate::flow::{ORIG, RESP};
use crate::output::protocol_name;
use crate::query::to_arrow;
use crate::rows::{interface_name, mac_text};

/// A request to a watched server that a rule matches; `src` asks, `dest` is the server.
#[derive(Debug, Serialize, Deserialize)]
struct WebRow {
    time_ns: u64,
    start_ns: u64,
    flow_id: u64,
    community_id: String,
    src_ip: String,
    src_port: u16,
    dest_ip: String,
    dest_port: u16,
    proto: String,
    src_internal: bool,
    dest_internal: bool,
    src_mac: Option<String>,
    dest_mac: Option<String>,
    vlan: Vec<u16>,
    in_iface: String,
    category: String,
    rule: String,
    weakness: String,
    severity: u8,
    method: String,
    host: String,
    path: String,
    place: String,
    parameter: String,
    excerpt: String,
    user_agent: String,
    status: u16,
    length: u64,
    evidence: String,
    succeeded: bool,
    count: u32,
}

/// Findings as Arrow; `interfaces` are names by index.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn web_to_arrow(found: &[WebRecord], interfaces: &[String]) -> Result<RecordBatch, serde_arrow::Error> {
    to_arrow(&found.iter().map(|record| WebRow::new(record, interfaces)).collect::<Vec<_>>())
}

impl WebRow {
    fn new(record: &WebRecord, interfaces: &[String]) -> Self {
        let (flow, finding) = (&record.flow, &record.finding);
        let (orig, resp) = (flow.tuple.orig, flow.tuple.resp);
        Self {
            time_ns: flow.time_ns,
            start_ns: flow.start_ns,
            flow_id: flow.flow_id,
            community_id: wire::community_id(&flow.tuple),
            src_ip: orig.address.to_string(),
            src_port: orig.port,
            dest_ip: resp.address.to_string(),
            dest_port: resp.port,
            proto: protocol_name(flow.tuple.protocol),
            src_internal: record.flow.internal[ORIG],
            dest_internal: record.flow.internal[RESP],
            src_mac: mac_text(flow.macs[ORIG]),
            dest_mac: mac_text(flow.macs[RESP]),
            vlan: flow.vlans.to_vec(),
            in_iface: interface_name(interfaces, flow.interface),
            category: finding.label.category.clone(),
            rule: finding.label.name.clone(),
            weakness: finding.label.weakness.clone(),
            severity: finding.label.severity,
            method: finding.method.to_string(),
            host: finding.host.to_string(),
            path: finding.path.to_string(),
            place: finding.place.name().to_owned(),
            parameter: finding.parameter.to_string(),
            excerpt: finding.excerpt.to_string(),
            user_agent: finding.user_agent.to_string(),
            status: finding.status,
            length: finding.length,
            evidence: finding.evidence.to_string(),
            succeeded: finding.succeeded,
            count: finding.count,
        }
    }
}
