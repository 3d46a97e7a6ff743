//! HTTP requests with their responses as columns.

use app::Text;
use app::http::{Request, Response};

use super::columns::Columns;
use crate::names::HttpExchange;

/// Adds what was asked and answered; `host` is as on the wire, `response_bytes` what was seen of the response's body.
pub(super) fn add(columns: &mut Columns, exchanges: &[&HttpExchange]) {
    let asked = |of: fn(&Request) -> Option<&Text>| {
        exchanges.iter().map(move |exchange| exchange.request.as_ref().and_then(of))
    };
    let answered = |of: fn(&Response) -> Option<&Text>| {
        exchanges.iter().map(move |exchange| exchange.response.as_ref().and_then(of))
    };
    let status = |exchange: &&HttpExchange| exchange.response.as_ref().map(|response| response.status);
    columns
        .text("method", asked(|request| Some(&request.method)))
        .text("host", asked(|request| request.host.as_ref()))
        .text("url", asked(|request| Some(&request.uri)))
        .text("version", asked(|request| Some(&request.version)))
        .text("user_agent", asked(|request| request.user_agent.as_ref()))
        .text("referer", asked(|request| request.referer.as_ref()))
        .text("request_content_type", asked(|request| request.content_type.as_ref()))
        .text("xff", asked(|request| request.xff.as_ref()))
        .maybe_u16("status", exchanges.iter().map(status))
        .text("content_type", answered(|response| response.content_type.as_ref()))
        .text("location", answered(|response| response.location.as_ref()))
        .text("server", answered(|response| response.server.as_ref()))
        .u64("response_bytes", exchanges.iter().map(|exchange| exchange.length));
}
