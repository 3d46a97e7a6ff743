//! Followed links, as rows for Arrow.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::mail::EndsRow;
use crate::detect::Click;
use crate::names::AppEvent;
use crate::query::to_arrow;

/// Somebody inside (`src`) asks for the host of a mail's link.
#[derive(Debug, Serialize, Deserialize)]
struct ClickRow {
    #[serde(flatten)]
    ends: EndsRow,
    protocol: String,
    host: String,
    target: String,
    exact: bool,
    visited_before: bool,
    mail_ns: u64,
}

/// Followed links as Arrow; `interfaces` are names by index.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn clicks_to_arrow(clicks: &[Click], interfaces: &[String]) -> Result<RecordBatch, serde_arrow::Error> {
    to_arrow(&clicks.iter().map(|click| ClickRow::new(click, interfaces)).collect::<Vec<_>>())
}

impl ClickRow {
    fn new(click: &Click, interfaces: &[String]) -> Self {
        let target = match &click.record.event {
            AppEvent::Http(exchange) => exchange.request.as_ref().map(|request| request.uri.to_string()),
            _ => None,
        };
        Self {
            ends: EndsRow::new(&click.record, interfaces),
            protocol: click.record.event.kind().to_owned(),
            host: click.host.to_string(),
            // A link's own query tells who was written to; any other may hold what nobody should read here.
            target: target.filter(|_| click.exact).unwrap_or_default(),
            exact: click.exact,
            visited_before: click.visited_before,
            mail_ns: click.mail_ns,
        }
    }
}
