//! Findings on web servers, as rows.

use std::time::Duration;

use serde::Serialize;

use super::ends::EndsRow;
use crate::output::protocol_name;
use crate::web::WebRecord;

/// A request to a watched server that a rule matches; `src` asks, `dest` is the server.
#[derive(Debug, Serialize)]
struct WebRow {
    #[serde(flatten)]
    ends: EndsRow,
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

/// Findings as a JSON list; `interfaces` are names by index.
///
/// # Errors
/// A row has no form in JSON; a defect of the row type.
pub fn web_to_json(found: &[WebRecord], interfaces: &[String]) -> serde_json::Result<String> {
    serde_json::to_string(&found.iter().map(|record| WebRow::new(record, interfaces)).collect::<Vec<_>>())
}

fn seconds(time_ns: u64) -> f64 {
    Duration::from_nanos(time_ns).as_secs_f64()
}

impl WebRow {
    fn new(record: &WebRecord, interfaces: &[String]) -> Self {
        let finding = &record.finding;
        Self {
            ends: EndsRow::new(&record.flow, interfaces),
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
