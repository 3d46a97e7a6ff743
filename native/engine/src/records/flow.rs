//! Flow records as columns.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::common;
use crate::flow::{FlowRecord, ORIG, RESP};
use crate::output::layers_json;

/// Counts are since the flow's last record, `total_*` since its start; bytes are the sum of the innermost IP lengths.
pub(super) fn batch(records: &[&FlowRecord], interfaces: &[String]) -> Result<RecordBatch, ArrowError> {
    let rows = || records.iter();
    let name = |record: &&FlowRecord| record.name.as_ref().map(|(_, source)| source.name());
    common::of_flows(records, interfaces)
        .u64("start_ns", rows().map(|record| record.start_ns))
        .u64("end_ns", rows().map(|record| record.last_ns))
        .u64("packets_toserver", rows().map(|record| record.counts[ORIG].packets))
        .u64("packets_toclient", rows().map(|record| record.counts[RESP].packets))
        .u64("bytes_toserver", rows().map(|record| record.counts[ORIG].bytes))
        .u64("bytes_toclient", rows().map(|record| record.counts[RESP].bytes))
        .u64("total_packets_toserver", rows().map(|record| record.totals[ORIG].packets))
        .u64("total_packets_toclient", rows().map(|record| record.totals[RESP].packets))
        .u64("total_bytes_toserver", rows().map(|record| record.totals[ORIG].bytes))
        .u64("total_bytes_toclient", rows().map(|record| record.totals[RESP].bytes))
        .u8("tcp_flags_toserver", rows().map(|record| record.tcp_flags[ORIG]))
        .u8("tcp_flags_toclient", rows().map(|record| record.tcp_flags[RESP]))
        .text("state", rows().map(|record| Some(record.state.name())))
        .text("reason", rows().map(|record| Some(record.end.name())))
        .flags("alerted", rows().map(|record| record.alerted))
        .flags("src_internal", rows().map(|record| record.internal[ORIG]))
        .flags("dest_internal", rows().map(|record| record.internal[RESP]))
        .text("name", rows().map(|record| record.name.as_ref().map(|(name, _)| name)))
        .text("name_source", rows().map(name))
        .text("encapsulation", rows().map(|record| record.layers.as_ref().map(|layers| layers_json(layers))))
        .finish()
}
