//! Followed links, as rows for Arrow.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::ends::{EndsRow, beside_each_other};
use crate::detect::Click;
use crate::names::AppEvent;

/// Somebody inside (`src`) asks for the host of a mail's link.
#[derive(Debug, Serialize, Deserialize)]
struct ClickRow {
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
    let rows = clicks.iter().map(|click| (EndsRow::new(&click.record, interfaces), ClickRow::new(click)));
    beside_each_other(rows.unzip())
}

impl ClickRow {
    fn new(click: &Click) -> Self {
        let target = match &click.record.event {
            AppEvent::Http(exchange) => exchange.request.as_ref().map(|request| request.uri.to_string()),
            _ => None,
        };
        Self {
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
    use arrow_array::cast::AsArray;

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
        let rows = clicks_to_arrow(&[click(true), click(false)], &[]).expect("rows");
        let column = |name: &str| rows.column_by_name(name).expect("a column").as_string::<i32>().clone();
        assert_eq!((column("host").value(0), column("protocol").value(0)), ("lure.example", "http"));
        assert_eq!([column("target").value(0), column("target").value(1)], ["/a?password=x", ""]);
        assert_eq!(column("src_ip").value(0), "10.20.3.44");
    }
}
