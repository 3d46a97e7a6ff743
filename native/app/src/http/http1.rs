//! The messages of one direction of an HTTP/1 connection, one after the other (RFC 9112).

use super::direction::{Direction, Head, Kind, Sink};
use super::expected::{Asked, Expected};
use super::head::{Extent, Framing, fields, first_line, is_token};
use super::message::{Event, Request, Response};
use crate::text;

/// No registered method is longer.
const MAX_METHOD_BYTES: usize = 24;
/// As `HTTP/1.1`.
const VERSION_BYTES: usize = 8;

/// What a client sends. Keeps a head that is not whole yet, 32 KiB at the most.
#[derive(Debug, Default)]
pub struct Requests(Direction<Client>);

/// What a server sends. Keeps a head that is not whole yet, 32 KiB at the most, and what it is to answer.
#[derive(Debug, Default)]
pub struct Responses(Direction<Server>);

impl Requests {
    /// The next bytes, in order. False once they are not HTTP/1: what follows CONNECT or Upgrade is of another protocol
    /// unless it reads like a request, and so is a connection whose first bytes do not.
    pub fn feed(&mut self, data: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> bool {
        self.0.feed(data, sink)
    }

    /// `bytes` are missing here. In a body the reader goes on behind it; else it waits for a slice that begins like a
    /// request.
    pub fn gap(&mut self, bytes: u64) {
        self.0.gap(bytes);
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }

    /// The direction is closed, which ends some bodies. Afterwards nothing is read.
    pub fn end(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        self.0.end(sink);
    }
}

impl Responses {
    /// A request was seen. Its method says whether the response has a body: `HEAD`, `CONNECT`. One that is not told is
    /// taken for another.
    pub fn expect(&mut self, method: &str) {
        self.0.kind.0.push(method);
    }

    /// As [`Requests::feed`]; false also behind a 101 or a success of CONNECT, see [`Responses::switched`].
    pub fn feed(&mut self, data: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> bool {
        self.0.feed(data, sink)
    }

    /// Once a response has given the connection to another protocol: how many of the bytes that were fed last stand
    /// behind it.
    pub fn switched(&self) -> Option<usize> {
        self.0.switched()
    }

    /// As [`Requests::gap`]. If responses may be among what is missing, what they were to answer is forgotten.
    pub fn gap(&mut self, bytes: u64) {
        self.0.gap(bytes);
        if self.0.is_lost() {
            self.0.kind = Server::default();
        }
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }

    /// As [`Requests::end`].
    pub fn end(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        self.0.end(sink);
    }
}

#[derive(Debug, Default)]
struct Client;

impl Kind for Client {
    const DECIDES: bool = false;

    fn may_begin(data: &[u8]) -> bool {
        let method = data.iter().take_while(|byte| is_token(**byte)).count();
        method <= MAX_METHOD_BYTES && (method == data.len() || method > 0 && data[method] == b' ')
    }

    fn begins(data: &[u8]) -> bool {
        let method = data.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        (3..=MAX_METHOD_BYTES).contains(&method)
            && matches!(data[method..], [b' ', target, ..] if target.is_ascii_graphic())
    }

    fn head(&mut self, head: &[u8], sink: Sink<'_>) -> Option<Head> {
        let (line, lines) = first_line(head);
        let (target, version) = line.split_at_checked(line.len().checked_sub(VERSION_BYTES)?)?;
        let space = memchr::memchr(b' ', target).filter(|space| *space > 0)?;
        if !version.starts_with(b"HTTP/1.") || !target.ends_with(b" ") || !Self::may_begin(line) {
            return None;
        }
        let mut request = Request {
            method: text(&line[..space], MAX_METHOD_BYTES),
            version: version_text(version),
            ..Request::default()
        };
        request.set_uri(target[space..].trim_ascii());
        let mut framing = Framing::default();
        fields(lines, |name, value| {
            sink(Event::Field(name, value));
            request.field(name, value);
            framing.field(name, value);
        });
        let switches = framing.upgrade || &*request.method == "CONNECT";
        Some(Head { event: Event::Request(request), extent: framing.extent(Extent::Length(0)), switches })
    }
}

#[derive(Debug, Default)]
struct Server(Expected);

impl Kind for Server {
    const DECIDES: bool = true;

    fn may_begin(data: &[u8]) -> bool {
        data.iter().zip(b"HTTP/1.").all(|(byte, expected)| byte == expected)
    }

    fn begins(data: &[u8]) -> bool {
        data.starts_with(b"HTTP/1.")
    }

    fn head(&mut self, head: &[u8], sink: Sink<'_>) -> Option<Head> {
        let (line, lines) = first_line(head);
        let (version, rest) = line.split_at_checked(VERSION_BYTES)?;
        let status = rest.strip_prefix(b" ")?.first_chunk::<3>()?;
        if !Self::begins(version) || !status.iter().all(u8::is_ascii_digit) || status[0] == b'0' {
            return None;
        }
        let status = status.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
        let mut response = Response { status, version: version_text(version), ..Response::default() };
        let mut framing = Framing::default();
        fields(lines, |name, value| {
            sink(Event::Field(name, value));
            response.field(name, value);
            framing.field(name, value);
        });
        let (bodiless, switches) = self.meaning(status);
        let extent = if bodiless { Extent::Length(0) } else { framing.extent(Extent::Close) };
        Some(Head { event: Event::Response(response), extent, switches })
    }
}

impl Server {
    /// Whether a response of this status has no body whatever its fields say (RFC 9112 section 6.3), and whether it
    /// gives the connection to another protocol.
    fn meaning(&mut self, status: u16) -> (bool, bool) {
        if (100..200).contains(&status) && status != 101 {
            return (true, false);
        }
        let asked = self.0.pop();
        let switches = status == 101 || asked == Asked::Connect && (200..300).contains(&status);
        (switches || asked == Asked::Head || matches!(status, 204 | 304), switches)
    }
}

fn version_text(version: &[u8]) -> crate::Text {
    text(version, VERSION_BYTES)
}

#[cfg(test)]
#[path = "http1_tests.rs"]
mod tests;
