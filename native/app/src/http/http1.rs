//! The messages of one direction of an HTTP/1 connection, one after the other (RFC 9112).

use super::chunk::{Chunks, EmptyLine, Step};
use super::expected::{Asked, Expected};
use super::head::{Extent, Framing, end, fields, first_line, is_token};
use super::message::{Event, Request, Response};
use crate::text;

/// The part of a head that is read. Of a longer one the rest is passed over.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// No registered method is longer.
const MAX_METHOD_BYTES: usize = 24;
/// As `HTTP/1.1`.
const VERSION_BYTES: usize = 8;

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

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
        self.0.head.len()
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
        if let State::Switched(rest_bytes) = self.0.state { Some(rest_bytes) } else { None }
    }

    /// As [`Requests::gap`]. If responses may be among what is missing, what they were to answer is forgotten.
    pub fn gap(&mut self, bytes: u64) {
        self.0.gap(bytes);
        if matches!(self.0.state, State::Seek) {
            self.0.kind = Server::default();
        }
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.0.head.len()
    }

    /// As [`Requests::end`].
    pub fn end(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        self.0.end(sink);
    }
}

/// What differs between the directions.
trait Kind: Default {
    /// Whether a message that agrees on another protocol is the last one.
    const DECIDES: bool;
    /// Whether a message may begin with these bytes; they may be its first few only.
    fn may_begin(data: &[u8]) -> bool;
    /// Whether these bytes are surely a message's beginning, to find one among others.
    fn begins(data: &[u8]) -> bool;
    /// Reads a head.
    fn head(&mut self, head: &[u8], sink: Sink<'_>) -> Option<Head>;
}

/// A head, and what follows from it.
struct Head {
    event: Event<'static>,
    extent: Extent,
    /// Whether what follows the message may be another protocol.
    switches: bool,
}

#[derive(Debug, Default)]
struct Direction<K> {
    kind: K,
    state: State,
    /// The head as far as it came; empty elsewhere.
    head: Vec<u8>,
    /// A message was over in a gap: its end is told before what follows.
    owes_end: bool,
    /// What is not HTTP here is another protocol, rather than damage.
    may_leave: Leave,
}

/// Whether bytes that do not begin a message end the reading.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// They do: nothing was HTTP yet, or another protocol was agreed on.
    #[default]
    Yes,
    /// The next beginning is looked for.
    No,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    /// Behind what is read of a long head; then the body.
    LongHead(EmptyLine, Extent),
    Length(u64),
    Chunks(Chunks),
    Close,
    /// Somewhere unknown.
    Seek,
    /// Of another protocol, or closed.
    Over,
    /// Of another protocol from here on, which so many bytes belong to.
    Switched(usize),
}

impl<K: Kind> Direction<K> {
    fn feed(&mut self, mut data: &[u8], sink: Sink<'_>) -> bool {
        if std::mem::take(&mut self.owes_end) {
            sink(Event::BodyEnd);
        }
        while !data.is_empty() {
            match &mut self.state {
                State::Head => self.take_head(&mut data, sink),
                State::LongHead(line, extent) => {
                    let extent = *extent;
                    match data.iter().position(|byte| line.ends_with(*byte)) {
                        Some(at) => {
                            data = &data[at + 1..];
                            self.begin_body(extent, sink);
                        }
                        None => data = &[],
                    }
                }
                State::Seek if K::begins(data) => self.state = State::Head,
                State::Seek => data = &[],
                State::Over => return false,
                State::Switched(rest_bytes) => {
                    *rest_bytes = data.len();
                    return false;
                }
                _ => self.take_body(&mut data, sink),
            }
        }
        !matches!(self.state, State::Over | State::Switched(_))
    }

    fn take_head(&mut self, data: &mut &[u8], sink: Sink<'_>) {
        if self.head.is_empty() {
            // RFC 9112 section 2.2: empty lines before a message are ignored.
            let empty = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            *data = &data[empty..];
            if data.is_empty() {
                return;
            }
            if let Some(length) = end(&data[..data.len().min(MAX_HEAD_BYTES)], 0) {
                let (head, rest) = data.split_at(length);
                *data = rest;
                return self.read_head(head, false, sink);
            }
        }
        let known = self.head.len();
        let (now, rest) = data.split_at(data.len().min(MAX_HEAD_BYTES - known));
        self.head.extend_from_slice(now);
        if !K::may_begin(&self.head) {
            return self.leave();
        }
        match end(&self.head, known) {
            Some(length) => {
                *data = &data[length - known..];
                let mut head = std::mem::take(&mut self.head);
                head.truncate(length);
                self.read_head(&head, false, sink);
            }
            None if self.head.len() == MAX_HEAD_BYTES => {
                *data = rest;
                let head = std::mem::take(&mut self.head);
                self.read_head(&head, true, sink);
            }
            None => *data = rest,
        }
    }

    /// Tells of a head; of a long one its rest is still to come.
    fn read_head(&mut self, head: &[u8], long: bool, sink: Sink<'_>) {
        let Some(read) = self.kind.head(head, sink) else { return self.leave() };
        self.may_leave = if read.switches { Leave::Yes } else { Leave::No };
        sink(read.event);
        if long {
            let mut line = EmptyLine::inside();
            head[head.len() - 2..].iter().for_each(|byte| _ = line.ends_with(*byte));
            self.state = State::LongHead(line, read.extent);
        } else {
            self.begin_body(read.extent, sink);
        }
    }

    fn begin_body(&mut self, extent: Extent, sink: Sink<'_>) {
        self.state = match extent {
            Extent::Length(0) => return self.end_body(sink),
            Extent::Length(length) => State::Length(length),
            Extent::Chunks => State::Chunks(Chunks::new()),
            Extent::Close => State::Close,
        };
    }

    fn take_body(&mut self, data: &mut &[u8], sink: Sink<'_>) {
        match &mut self.state {
            State::Length(left) => {
                let (now, rest) = data.split_at(usize::try_from(*left).unwrap_or(usize::MAX).min(data.len()));
                *data = rest;
                *left -= now.len() as u64;
                let over = *left == 0;
                if !now.is_empty() {
                    sink(Event::Body(now));
                }
                if over {
                    self.end_body(sink);
                }
            }
            State::Chunks(chunks) => match chunks.step(data, &mut |body| sink(Event::Body(body))) {
                Step::More => (),
                Step::End => self.end_body(sink),
                Step::Bad => {
                    self.end_body(sink);
                    self.state = State::Seek;
                    *data = &[];
                }
            },
            _ => sink(Event::Body(std::mem::take(data))),
        }
    }

    fn end_body(&mut self, sink: Sink<'_>) {
        let switched = K::DECIDES && self.may_leave == Leave::Yes;
        self.state = if switched { State::Switched(0) } else { State::Head };
        sink(Event::BodyEnd);
    }

    /// What is here begins no message.
    fn leave(&mut self) {
        self.head = Vec::new();
        self.state = if self.may_leave == Leave::Yes { State::Over } else { State::Seek };
    }

    fn gap(&mut self, bytes: u64) {
        let passed = match &mut self.state {
            State::Length(left) => {
                let passed = bytes <= *left;
                *left = left.saturating_sub(bytes);
                passed
            }
            State::Chunks(chunks) => chunks.pass(bytes),
            State::Close | State::Over | State::Switched(_) => true,
            State::Head | State::LongHead(..) | State::Seek => bytes == 0,
        };
        let over = !passed || matches!(self.state, State::Length(0));
        if over {
            self.owes_end |= self.in_message();
            self.head = Vec::new();
            self.state = if passed { State::Head } else { State::Seek };
        }
    }

    /// Whether a head was told and its end was not.
    fn in_message(&self) -> bool {
        !matches!(self.state, State::Head | State::Seek | State::Over | State::Switched(_))
    }

    fn end(&mut self, sink: Sink<'_>) {
        if self.owes_end || self.in_message() {
            sink(Event::BodyEnd);
        }
        *self = Self { state: State::Over, ..Self::default() };
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
