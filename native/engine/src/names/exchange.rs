//! Requests and their responses, brought together.

use std::collections::VecDeque;

use app::http::{Event, Request, Response};

use super::event::{AppEvent, HttpExchange};
use super::smb::tell_logon;
use super::{Sink, Told};
use crate::punt::PuntProtocol;

/// Requests that wait for their responses; further ones let the oldest go without.
const MAX_OPEN: usize = 32;
/// The only interim response that is a connection's last (RFC 9110, 15.2.2).
pub(super) const SWITCHING_PROTOCOLS: u16 = 101;

/// The exchanges of a connection that are not over.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    /// In the order of their first message, each with its number.
    open: VecDeque<(u32, HttpExchange)>,
}

impl Exchanges {
    /// Takes what a client sends as exchange `number`.
    pub(super) fn asked(&mut self, number: u32, request: Request, sink: Sink<'_>) {
        if let Some(host) = &request.host {
            sink(Told::Server(without_port(host).0));
            sink(Told::Url(host, &request.uri));
        }
        tell_claims(&request, sink);
        match self.find(number) {
            Some(exchange) if exchange.request.is_none() => exchange.request = Some(request),
            _ => self.push(number, HttpExchange { request: Some(request), ..HttpExchange::default() }, sink),
        }
    }

    /// Takes what a server sends as exchange `number`; `true` when the exchange is over by it.
    pub(super) fn answered(&mut self, number: u32, event: Event<'_>, sink: Sink<'_>) -> bool {
        match event {
            Event::Response(response) => match self.find(number) {
                Some(exchange) => exchange.response = Some(response),
                None => {
                    let exchange = HttpExchange { response: Some(response), ..HttpExchange::default() };
                    self.push(number, exchange, sink);
                }
            },
            Event::Body(data) => {
                if let Some(exchange) = self.find(number) {
                    exchange.length += data.len() as u64;
                }
            }
            Event::BodyEnd => return self.close(number, sink),
            Event::Request(_) => {}
        }
        false
    }

    /// Exchange `number` alone, as exchange `renamed`; the others are told as far as they came.
    pub(super) fn only(mut self, number: u32, renamed: u32, sink: Sink<'_>) -> Self {
        let place = self.open.iter().position(|(other, _)| *other == number);
        let kept = place.and_then(|place| self.open.remove(place)).map(|(_, exchange)| (renamed, exchange));
        self.finish(sink);
        Self { open: kept.into_iter().collect() }
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        while let Some((_, exchange)) = self.open.pop_front() {
            sink(Told::Event(AppEvent::Http(Box::new(exchange))));
        }
    }

    fn find(&mut self, number: u32) -> Option<&mut HttpExchange> {
        self.open.iter_mut().find(|(other, _)| *other == number).map(|(_, exchange)| exchange)
    }

    fn push(&mut self, number: u32, exchange: HttpExchange, sink: Sink<'_>) {
        if self.open.len() == MAX_OPEN {
            if let Some((_, oldest)) = self.open.pop_front() {
                sink(Told::Event(AppEvent::Http(Box::new(oldest))));
            }
        }
        self.open.push_back((number, exchange));
    }

    /// The response's message is over: an interim one waits for the final one (RFC 9110, 15.2).
    fn close(&mut self, number: u32, sink: Sink<'_>) -> bool {
        let Some(place) = self.open.iter().position(|(other, _)| *other == number) else { return true };
        let Some(response) = &self.open[place].1.response else { return false };
        if is_interim(response) {
            self.open[place].1.response = None;
            return false;
        }
        if let Some((_, exchange)) = self.open.remove(place) {
            sink(Told::Event(AppEvent::Http(Box::new(exchange))));
        }
        true
    }
}

/// What a request says of the machine that it comes from. One that a proxy passes on speaks of somebody else.
fn tell_claims(request: &Request, sink: Sink<'_>) {
    if request.xff.is_some() {
        return;
    }
    if let Some(agent) = &request.user_agent {
        sink(Told::Claim(PuntProtocol::Agent, agent.as_bytes()));
    }
    if let Some(logon) = &request.logon {
        tell_logon(logon, sink);
    }
}

fn is_interim(response: &Response) -> bool {
    (100..200).contains(&response.status) && response.status != SWITCHING_PROTOCOLS
}

/// A Host field's name, and its port if it has one (RFC 9110, 7.2).
pub(crate) fn without_port(host: &str) -> (&str, Option<u16>) {
    let whole = (host, None);
    let Some((name, port)) = host.rsplit_once(':') else { return whole };
    // An IPv6 address stands in brackets; a colon inside of them is none of a port.
    match port.parse() {
        Ok(port) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => whole,
    }
}
