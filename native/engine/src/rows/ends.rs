//! The columns that rows about flows begin with.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::{interface_name, mac_text};
use crate::flow::{ORIG, RESP};
use crate::names::AppRecord;
use crate::query::to_arrow;

/// The flow that a row is about; `src` is the originator.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EndsRow {
    time_ns: u64,
    start_ns: u64,
    flow_id: u64,
    community_id: String,
    src_ip: String,
    src_port: u16,
    dest_ip: String,
    dest_port: u16,
    src_internal: bool,
    dest_internal: bool,
    src_mac: Option<String>,
    dest_mac: Option<String>,
    vlan: Vec<u16>,
    in_iface: String,
    frame: Option<u64>,
}

impl EndsRow {
    pub(super) fn new(record: &AppRecord, interfaces: &[String]) -> Self {
        let (orig, resp) = (record.tuple.orig, record.tuple.resp);
        Self {
            time_ns: record.time_ns,
            start_ns: record.start_ns,
            flow_id: record.flow_id,
            community_id: wire::community_id(&record.tuple),
            src_ip: orig.address.to_string(),
            src_port: orig.port,
            dest_ip: resp.address.to_string(),
            dest_port: resp.port,
            src_internal: record.internal[ORIG],
            dest_internal: record.internal[RESP],
            src_mac: mac_text(record.macs[ORIG]),
            dest_mac: mac_text(record.macs[RESP]),
            vlan: record.vlans.to_vec(),
            in_iface: interface_name(interfaces, record.interface),
            frame: (record.file_frame != 0).then_some(record.file_frame),
        }
    }
}

/// The columns of the flows, then those of what was heard in them.
pub(super) fn beside_each_other<T>((ends, rows): (Vec<EndsRow>, Vec<T>)) -> Result<RecordBatch, serde_arrow::Error>
where
    T: Serialize + for<'de> Deserialize<'de> + 'static,
{
    let (ends, rows) = (to_arrow(&ends)?, to_arrow(&rows)?);
    let fields: Vec<_> = ends.schema().fields().iter().chain(rows.schema().fields()).cloned().collect();
    let columns = [ends.columns(), rows.columns()].concat();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(serde::ser::Error::custom)
}
