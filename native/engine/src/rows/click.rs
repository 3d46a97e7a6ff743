//! Followed links, as rows.

use serde::Serialize;

use super::ends::EndsRow;
use crate::detect::Click;
use crate::names::AppEvent;

/// Somebody inside (`src`) asks for the host of a mail's link.
#[derive(Debug, Serialize)]
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

/// Followed links as a JSON list; `interfaces` are names by index.
///
/// # Errors
/// A row has no form in JSON; a defect of the row type.
pub fn clicks_to_json(clicks: &[Click], interfaces: &[String]) -> serde_json::Result<String> {
    serde_json::to_string(&clicks.iter().map(|click| ClickRow::new(click, interfaces)).collect::<Vec<_>>())
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

#[cfg(test)]
mod tests {
    use app::http::Request;
    use serde_json::Value;

    use super::*;
    use crate::names::{AppRecord, HttpExchange};
    use crate::testing::{PC, START};

    #[test]
    fn a_click_is_a_row_which_tells_the_target_of_a_link_alone() {
        let click = |exact| {
            let request = Request { uri: "/a?password=x".into(), ..Request::default() };
            let exchange = HttpExchange { request: Some(request), ..HttpExchange::default() };
            let record = AppRecord::sample(START, wire::Address::v4(PC.0), AppEvent::Http(Box::new(exchange)));
            Click { record, host: "lure.example".into(), exact, visited_before: false, mail_ns: START - 1 }
        };
        let rows = clicks_to_json(&[click(true), click(false)], &[]).expect("rows");
        let rows: Value = serde_json::from_str(&rows).expect("JSON");
        assert_eq!((&rows[0]["host"], &rows[0]["protocol"]), (&"lure.example".into(), &"http".into()));
        assert_eq!([&rows[0]["target"], &rows[1]["target"]], ["/a?password=x", ""]);
        assert_eq!(rows[0]["src_ip"], "10.20.3.44");
    }
}
