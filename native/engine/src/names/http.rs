//! HTTP, every request of a connection (RFC 9112, RFC 9113).

use app::http::{Event, Http2, Requests, Responses};

use super::Sink;
use super::dialog::Listener;
use super::exchange::Exchanges;
use crate::stream::Piece;

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
}

impl Listener for Http1Talk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> bool {
        let side = usize::from(from_client);
        if !self.over[side] {
            let goes_on = if from_client { self.take_request(piece, sink) } else { self.take_response(piece, sink) };
            self.over[side] = !goes_on || piece == Piece::End;
            if let Piece::Gap(_) = piece {
                self.gap[side] = true;
            }
        }
        let over = self.over == [true; 2];
        if over {
            self.exchanges.finish(sink);
        }
        !over
    }

    fn held_bytes(&self) -> usize {
        self.requests.held_bytes() + self.responses.held_bytes()
    }
}

impl Http1Talk {
    fn take_request(&mut self, piece: Piece<'_>, sink: Sink<'_>) -> bool {
        let Self { requests, responses, exchanges, asked, answered, gap, .. } = self;
        let mut heard = |event: Event<'_>| {
            let Event::Request(request) = event else { return };
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
        let Self { responses, exchanges, asked, answered, gap, .. } = self;
        let mut heard = |event: Event<'_>| {
            // Behind a gap the next response most likely answers the last request.
            if matches!(event, Event::Response(_)) && std::mem::take(&mut gap[0]) {
                *answered = (*answered).max(asked.saturating_sub(1));
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

/// Listens to an HTTP/2 connection without TLS: an exchange has the number of its stream.
#[derive(Debug)]
pub(super) struct Http2Talk {
    client: Http2,
    server: Http2,
    exchanges: Exchanges,
    over: [bool; 2],
}

impl Default for Http2Talk {
    fn default() -> Self {
        Self { client: Http2::client(), server: Http2::server(), exchanges: Exchanges::default(), over: [false; 2] }
    }
}

impl Listener for Http2Talk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> bool {
        let Self { client, server, exchanges, over } = self;
        let reader = if from_client { client } else { server };
        let mut heard = |stream: u32, event: Event<'_>| match event {
            Event::Request(request) => exchanges.asked(stream, request, sink),
            event if !from_client => {
                exchanges.answered(stream, event, sink);
            }
            _ => {}
        };
        match piece {
            Piece::Data(data) => over[usize::from(from_client)] |= !reader.feed(data, &mut heard),
            Piece::Gap(bytes) => reader.gap(u64::from(bytes)),
            Piece::End => over[usize::from(from_client)] = true,
        }
        let all = *over == [true; 2];
        if all {
            exchanges.finish(sink);
        }
        !all
    }

    fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.server.held_bytes()
    }
}
