//! HTTP, every request of a connection (RFC 9112, RFC 9113).

use std::sync::Arc;

use app::AppProtocol;
use app::http::{Event, Http2, Requests, Responses};

use super::dialog::{Listener, Next};
use super::event::AppEvent;
use super::exchange::{Exchanges, SWITCHING_PROTOCOLS};
use super::{Sink, Told};
use crate::stream::Piece;
use crate::web::{WebFinding, WebRules};

/// Listens to an HTTP/1 connection: messages are numbered, and the nth response answers the nth request.
#[derive(Debug, Default)]
pub(super) struct Http1Talk {
    requests: Requests,
    responses: Responses,
    exchanges: Exchanges,
    /// Numbers of the next request and of the next response.
    asked: u32,
    answered: u32,
    /// By server and client: messages may be missing.
    gap: [bool; 2],
    /// By server and client: nothing more will come.
    over: [bool; 2],
    /// What a 101 names: the connection speaks it from there on (RFC 9110, 7.8).
    upgrade: Option<Upgrade>,
    /// The connection once it has become HTTP/2.
    upgraded: Option<Box<Http2Talk>>,
}

/// What a connection may become by a 101.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    /// HTTP/2 without TLS (RFC 7540, 3.2).
    Http2,
    /// WebSocket (RFC 6455), of which nothing is told.
    WebSocket,
    /// Told by what is said in it.
    Other,
}

impl Upgrade {
    fn named(name: Option<&str>) -> Self {
        match name {
            Some(name) if name.eq_ignore_ascii_case("h2c") => Self::Http2,
            Some(name) if name.eq_ignore_ascii_case("websocket") => Self::WebSocket,
            _ => Self::Other,
        }
    }
}

impl Http1Talk {
    /// Of a connection to a server; `web` if that is watched.
    pub(super) fn new(web: Option<Arc<WebRules>>) -> Self {
        Self { exchanges: Exchanges::new(web), ..Self::default() }
    }
}

impl Listener for Http1Talk {
    fn at(&mut self, time_ns: u64) {
        match &mut self.upgraded {
            Some(upgraded) => upgraded.at(time_ns),
            None => self.exchanges.at(time_ns),
        }
    }

    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        if let Some(upgraded) = &mut self.upgraded {
            return upgraded.take(from_client, piece, sink);
        }
        let side = usize::from(from_client);
        if !self.over[side] {
            let goes_on = if from_client { self.take_request(piece, sink) } else { self.take_response(piece, sink) };
            self.over[side] = !goes_on || piece == Piece::End;
            if let Piece::Gap(_) = piece {
                self.gap[side] = true;
                self.exchanges.gap(from_client);
            }
        }
        if let (false, Piece::Data(data), Some(rest_bytes)) = (from_client, piece, self.responses.switched()) {
            return self.become_another(&data[data.len() - rest_bytes..], sink);
        }
        let over = self.over == [true; 2];
        if over {
            self.exchanges.finish(sink);
        }
        Next::until(over)
    }

    fn held_bytes(&self) -> usize {
        let upgraded = self.upgraded.as_ref().map_or(0, |talk| talk.held_bytes());
        self.requests.held_bytes() + self.responses.held_bytes() + self.exchanges.held_bytes() + upgraded
    }
}

impl Http1Talk {
    /// The server has given the connection to another protocol, which `rest` belongs to.
    fn become_another(&mut self, rest: &[u8], sink: Sink<'_>) -> Next {
        match self.upgrade {
            Some(Upgrade::Http2) => {
                // RFC 7540, 3.2: the request that was upgraded is the first stream's.
                let exchanges = std::mem::take(&mut self.exchanges).only(self.answered, 1, sink);
                let mut talk = Box::new(Http2Talk::new(exchanges));
                sink(Told::Protocol(AppProtocol::Http2));
                let next = if rest.is_empty() { Next::Continue } else { talk.take(false, Piece::Data(rest), sink) };
                self.upgraded = Some(talk);
                return next;
            }
            Some(Upgrade::WebSocket) => {
                self.exchanges.finish(sink);
                return Next::Over;
            }
            Some(Upgrade::Other) | None => self.exchanges.finish(sink),
        }
        Next::Becomes(AppProtocol::Unknown, rest.len())
    }

    fn take_request(&mut self, piece: Piece<'_>, sink: Sink<'_>) -> bool {
        let Self { requests, responses, exchanges, asked, answered, gap, .. } = self;
        let mut heard = |event: Event<'_>| {
            let request = match event {
                Event::Request(request) => request,
                Event::Field(name, value) => return exchanges.field(name, value),
                Event::Body(data) => return exchanges.sent(asked.wrapping_sub(1), data),
                Event::BodyEnd => return exchanges.sent_all(asked.wrapping_sub(1)),
                Event::Response(_) => return,
            };
            if std::mem::take(&mut gap[1]) {
                *asked = (*asked).max(*answered);
            }
            responses.expect(&request.method);
            exchanges.asked(*asked, request, sink);
            *asked = asked.wrapping_add(1);
        };
        match piece {
            Piece::Data(data) => return requests.feed(data, &mut heard),
            Piece::Gap(bytes) => requests.gap(u64::from(bytes)),
            Piece::End => requests.end(&mut heard),
        }
        true
    }

    fn take_response(&mut self, piece: Piece<'_>, sink: Sink<'_>) -> bool {
        let Self { responses, exchanges, asked, answered, gap, upgrade, .. } = self;
        let mut heard = |event: Event<'_>| {
            if let Event::Response(response) = &event {
                let switching = response.status == SWITCHING_PROTOCOLS;
                *upgrade = switching.then(|| Upgrade::named(response.upgrade.as_deref()));
            }
            // Behind a gap the next response most likely answers the last request.
            if matches!(event, Event::Response(_)) && std::mem::take(&mut gap[0]) {
                *answered = (*answered).max(asked.saturating_sub(1));
            }
            // The response itself comes over HTTP/2.
            if *upgrade == Some(Upgrade::Http2) {
                return;
            }
            if exchanges.answered(*answered, event, sink) {
                *answered = answered.wrapping_add(1);
            }
        };
        match piece {
            Piece::Data(data) => return responses.feed(data, &mut heard),
            Piece::Gap(bytes) => responses.gap(u64::from(bytes)),
            Piece::End => responses.end(&mut heard),
        }
        true
    }
}

/// What `rules` find in a request and its answer, as they stand on the wire: what whoever writes rules tries them with.
pub fn inspect(rules: Arc<WebRules>, request: &[u8], response: &[u8]) -> Vec<WebFinding> {
    let mut found = Vec::new();
    let mut talk = Http1Talk::new(Some(rules));
    let mut sink = |told: Told<'_>| {
        if let Told::Event(AppEvent::Web(finding)) = told {
            found.push(*finding);
        }
    };
    for (from_client, said) in [(true, request), (false, response)] {
        talk.take(from_client, Piece::Data(said), &mut sink);
    }
    for from_client in [true, false] {
        talk.take(from_client, Piece::End, &mut sink);
    }
    found
}

/// Listens to an HTTP/2 connection without TLS: an exchange has the number of its stream.
#[derive(Debug)]
pub(super) struct Http2Talk {
    client: Http2,
    server: Http2,
    exchanges: Exchanges,
    over: [bool; 2],
}

impl Http2Talk {
    /// Of a connection in which these exchanges are open.
    pub(super) fn new(exchanges: Exchanges) -> Self {
        Self { client: Http2::client(), server: Http2::server(), exchanges, over: [false; 2] }
    }
}

impl Listener for Http2Talk {
    fn at(&mut self, time_ns: u64) {
        self.exchanges.at(time_ns);
    }

    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        let Self { client, server, exchanges, over } = self;
        let reader = if from_client { client } else { server };
        let mut heard = |stream: u32, event: Event<'_>| match event {
            event if !from_client => {
                exchanges.answered(stream, event, sink);
            }
            Event::Request(request) => exchanges.asked(stream, request, sink),
            Event::Field(name, value) => exchanges.field(name, value),
            Event::Body(data) => exchanges.sent(stream, data),
            Event::BodyEnd => exchanges.sent_all(stream),
            Event::Response(_) => {}
        };
        match piece {
            Piece::Data(data) => over[usize::from(from_client)] |= !reader.feed(data, &mut heard),
            Piece::Gap(bytes) => {
                reader.gap(u64::from(bytes));
                exchanges.gap(from_client);
            }
            Piece::End => over[usize::from(from_client)] = true,
        }
        let all = *over == [true; 2];
        if all {
            exchanges.finish(sink);
        }
        Next::until(all)
    }

    fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.server.held_bytes() + self.exchanges.held_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::testing::http2_frame;
    use crate::web::RuleConfig;

    const RULES: &str = r#"[{"name": "u", "category": "web.sqli", "weakness": "union", "where": ["path", "query"],
        "words": [], "pattern": "union select"}]"#;

    fn talk() -> Http1Talk {
        let configs: Vec<RuleConfig> = serde_json::from_str(RULES).expect("rules");
        Http1Talk::new(Some(Arc::new(WebRules::compile(configs).expect("rules"))))
    }

    #[test]
    fn an_answers_delay_is_from_the_requests_end_to_the_final_head() {
        let mut talk = talk();
        let mut told = Vec::new();
        let mut sink = |heard: Told<'_>| match heard {
            Told::Event(AppEvent::Http(exchange)) => told.push((exchange.attacked, exchange.delay_ns)),
            Told::Event(AppEvent::Web(finding)) => told.push((true, finding.delay_ns)),
            _ => {}
        };
        let said: [(u64, bool, &[u8]); 8] = [
            (10, true, b"POST /?a=union+select HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"),
            (20, false, b"HTTP/1.1 100 Continue\r\n\r\n"),
            (30, true, b"a=1"),
            (40, false, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
            (90, false, b"abc"),
            (100, true, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            (105, false, b"HTTP/1.1 204 No Content\r\n\r\n"),
            (110, false, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ];
        for (time_ns, from_client, data) in said {
            talk.at(time_ns);
            talk.take(from_client, Piece::Data(data), &mut sink);
        }
        assert_eq!(told, [(true, Some(10)), (true, Some(10)), (false, Some(5)), (false, None)]);
    }

    #[test]
    fn rules_see_the_requests_behind_an_upgrade() {
        let mut talk = talk();
        let mut found = Vec::new();
        let mut sink = |told: Told<'_>| {
            if let Told::Event(AppEvent::Web(finding)) = told {
                found.push((finding.path.to_string(), finding.status));
            }
        };
        let upgrade = b"GET /first?a=union+select HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n";
        let switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n";
        // GET, http, the path and the authority as literals (RFC 7541, 6).
        let request = http2_frame(1, 5, 3, b"\x82\x86\x04\x18/second?a=union%20select\x41\x01h");
        let said = [
            (true, upgrade.to_vec()),
            (false, [&switched[..], &http2_frame(4, 0, 0, b""), &http2_frame(1, 5, 1, b"\x88")].concat()),
            (true, [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &http2_frame(4, 0, 0, b""), &request].concat()),
            (false, http2_frame(1, 5, 3, b"\x8d")),
        ];
        for (from_client, data) in &said {
            talk.take(*from_client, Piece::Data(data), &mut sink);
        }
        assert_eq!(found, [("/first".to_owned(), 200), ("/second".to_owned(), 404)]);
    }
}
