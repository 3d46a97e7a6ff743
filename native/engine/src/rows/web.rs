//! Findings on web servers, as rows for Arrow.

use std::time::Duration;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::ends::{EndsRow, beside_each_other};
use crate::output::protocol_name;
use crate::web::WebRecord;

/// A request to a watched server that a rule matches; `src` asks, `dest` is the server.
#[derive(Debug, Serialize, Deserialize)]
struct WebRow {
    proto: String,
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
    page_bytes: Option<u64>,
    delay_seconds: Option<f64>,
    usual_seconds: Option<f64>,
    evidence: String,
    succeeded: bool,
    count: u32,
}

/// Findings as Arrow; `interfaces` are names by index.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn web_to_arrow(found: &[WebRecord], interfaces: &[String]) -> Result<RecordBatch, serde_arrow::Error> {
    let rows = found.iter().map(|record| (EndsRow::new(&record.flow, interfaces), WebRow::new(record)));
    beside_each_other(rows.unzip())
}

fn seconds(time_ns: u64) -> f64 {
    Duration::from_nanos(time_ns).as_secs_f64()
}

impl WebRow {
    fn new(record: &WebRecord) -> Self {
        let finding = &record.finding;
        Self {
            proto: protocol_name(record.flow.tuple.protocol),
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
            page_bytes: finding.page_bytes,
            delay_seconds: finding.delay_ns.map(seconds),
            usual_seconds: finding.usual_ns.map(seconds),
            evidence: finding.evidence.to_string(),
            succeeded: finding.succeeded,
            count: finding.count,
        }
    }
}
