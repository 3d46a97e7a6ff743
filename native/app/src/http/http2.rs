//! The messages of one direction of an HTTP/2 connection without TLS, by prior knowledge (RFC 9113 section 3.3).

use super::hpack::Table;
use super::message::{Event, Request, Response};
use crate::text;

/// What a client sends first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER_BYTES: usize = 9;
/// The longest block of fields, with its padding.
const MAX_BLOCK_BYTES: usize = 32 * 1024;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

type Sink<'s> = &'s mut dyn FnMut(u32, Event<'_>);
type Tell<'s> = &'s mut dyn FnMut(&[u8], &[u8]);

/// One direction of a connection. Keeps the fields that both sides remember, 64 KiB at the most and usually 4 KiB, and
/// a block of fields that is not whole yet, 32 KiB at the most.
#[derive(Debug)]
pub struct Http2 {
    client: bool,
    /// What of the preface is still to come.
    preface: &'static [u8],
    /// The frame's header as far as it came.
    header: [u8; HEADER_BYTES],
    header_bytes: usize,
    frame: Option<Frame>,
    /// Whether a frame was seen: the first is SETTINGS.
    begun: bool,
    /// Fields of HEADERS and the CONTINUATIONs behind it.
    block: Vec<u8>,
    /// The frame that the block began with, while it waits for more.
    open: Option<Frame>,
    table: Table,
    over: bool,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    /// Bytes that are still to come.
    left: usize,
    /// Of them, the padding of DATA; `None` before its length was read.
    padding: Option<usize>,
}

impl Http2 {
    /// The client's direction; it begins with the preface.
    pub fn client() -> Self {
        Self::new(true, PREFACE)
    }

    /// The server's direction.
    pub fn server() -> Self {
        Self::new(false, &[])
    }

    fn new(client: bool, preface: &'static [u8]) -> Self {
        Self {
            client,
            preface,
            header: [0; HEADER_BYTES],
            header_bytes: 0,
            frame: None,
            begun: false,
            block: Vec::new(),
            open: None,
            table: Table::default(),
            over: false,
        }
    }

    /// The next bytes, in order; `sink` is given the stream's number with each event. Trailers and promised requests
    /// are not told. False once nothing more can be read: it is not HTTP/2, or what both sides remember is lost.
    pub fn feed(&mut self, mut data: &[u8], sink: &mut dyn FnMut(u32, Event<'_>)) -> bool {
        while !self.over {
            if let Some(frame) = self.frame.filter(|frame| frame.left == 0) {
                self.frame = None;
                self.end_frame(frame, sink);
            } else if data.is_empty() {
                return true;
            } else if !self.preface.is_empty() {
                let (now, later) = self.preface.split_at(self.preface.len().min(data.len()));
                self.over = !data.starts_with(now);
                (self.preface, data) = (later, &data[now.len()..]);
            } else if let Some(frame) = self.frame {
                data = self.take_payload(frame, data, sink);
            } else {
                data = self.take_header(data);
            }
        }
        self.block = Vec::new();
        false
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.block.len() + self.table.bytes()
    }

    /// `bytes` are missing here. Within a frame that has no fields the reader goes on behind it; elsewhere all is lost.
    pub fn gap(&mut self, bytes: u64) {
        match &mut self.frame {
            Some(frame) if !frame.has_fields() && bytes <= frame.left as u64 => {
                frame.left -= bytes as usize;
                frame.padding.get_or_insert(0);
            }
            _ => self.over |= bytes > 0,
        }
    }

    fn take_header<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let (now, later) = data.split_at((HEADER_BYTES - self.header_bytes).min(data.len()));
        self.header[self.header_bytes..][..now.len()].copy_from_slice(now);
        self.header_bytes += now.len();
        if self.header_bytes == HEADER_BYTES {
            self.header_bytes = 0;
            let frame = Frame::new(&self.header);
            self.over = !self.may_follow(&frame);
            self.begun = true;
            self.frame = Some(frame);
        }
        later
    }

    /// RFC 9113 sections 3.4 and 6.10: SETTINGS first, nothing but CONTINUATION in a block; and the block's bound.
    fn may_follow(&self, frame: &Frame) -> bool {
        let in_order = match self.open {
            Some(open) => frame.kind == CONTINUATION && frame.stream == open.stream,
            None => frame.kind != CONTINUATION && (self.begun || frame.kind == SETTINGS && frame.stream == 0),
        };
        in_order && (!frame.has_fields() || self.block.len() + frame.left <= MAX_BLOCK_BYTES)
    }

    fn take_payload<'a>(&mut self, mut frame: Frame, data: &'a [u8], sink: Sink<'_>) -> &'a [u8] {
        let (mut now, later) = data.split_at(frame.left.min(data.len()));
        frame.left -= now.len();
        if frame.has_fields() {
            self.block.extend_from_slice(now);
        } else if frame.kind == DATA {
            if frame.padding.is_none() {
                frame.padding = Some(usize::from(now[0]));
                now = &now[1..];
            }
            let padding_now = (frame.padding.unwrap_or(0)).saturating_sub(frame.left).min(now.len());
            let body = &now[..now.len() - padding_now];
            if !body.is_empty() {
                sink(frame.stream, Event::Body(body));
            }
        }
        self.frame = Some(frame);
        later
    }

    fn end_frame(&mut self, frame: Frame, sink: Sink<'_>) {
        if frame.has_fields() {
            if frame.kind != CONTINUATION && !strip(&mut self.block, frame) {
                self.over = true;
                return;
            }
            let first = self.open.take().unwrap_or(frame);
            if frame.flags & END_HEADERS == 0 {
                self.open = Some(first);
                return;
            }
            let block = std::mem::take(&mut self.block);
            self.over = !self.read_block(&block, first, sink);
            if self.over || first.kind == PUSH_PROMISE {
                return;
            }
            end_stream(first, sink);
        } else if frame.kind == DATA {
            end_stream(frame, sink);
        }
    }

    /// Tells of the message that the block is the head of.
    fn read_block(&mut self, block: &[u8], first: Frame, sink: Sink<'_>) -> bool {
        let mut tell = |name: &[u8], value: &[u8]| sink(first.stream, Event::Field(name, value));
        let read = if self.client { self.read_request(block, &mut tell) } else { self.read_response(block, &mut tell) };
        let Some(message) = read else { return false };
        if let Some(event) = message.filter(|_| first.kind == HEADERS) {
            sink(first.stream, event);
        }
        true
    }

    /// `None` if the block cannot be read; without a method it is a trailer.
    fn read_request(&mut self, block: &[u8], tell: Tell<'_>) -> Option<Option<Event<'static>>> {
        let mut request = Request::default();
        let each = &mut |name: &[u8], value: &[u8]| match name {
            b":method" => request.method = text(value, MAX_METHOD_BYTES),
            b":path" => request.set_uri(value),
            _ => {
                tell(name, value);
                request.field(name, value);
            }
        };
        self.table.read(block, each).ok()?;
        if request.method.is_empty() {
            return Some(None);
        }
        // RFC 9113 section 8.5: CONNECT has no path, its target is the authority.
        if request.uri.is_empty() {
            request.uri = request.host.clone().unwrap_or_default();
        }
        request.version = VERSION.into();
        Some(Some(Event::Request(request)))
    }

    /// `None` if the block cannot be read; without a status it is a trailer.
    fn read_response(&mut self, block: &[u8], tell: Tell<'_>) -> Option<Option<Event<'static>>> {
        let mut response = Response::default();
        let each = &mut |name: &[u8], value: &[u8]| match name {
            b":status" => response.status = status(value),
            _ => {
                tell(name, value);
                response.field(name, value);
            }
        };
        self.table.read(block, each).ok()?;
        if response.status == 0 {
            return Some(None);
        }
        response.version = VERSION.into();
        Some(Some(Event::Response(response)))
    }
}

const VERSION: &str = "HTTP/2";
const MAX_METHOD_BYTES: usize = 24;

impl Frame {
    /// RFC 9113 section 4.1.
    fn new(header: &[u8; HEADER_BYTES]) -> Self {
        let [a, b, c, kind, flags, d, e, f, g] = *header;
        let padding = if flags & PADDED == 0 { Some(0) } else { None };
        let stream = u32::from_be_bytes([d, e, f, g]) & 0x7fff_ffff;
        Self { kind, flags, stream, left: u32::from_be_bytes([0, a, b, c]) as usize, padding }
    }

    fn has_fields(&self) -> bool {
        matches!(self.kind, HEADERS | PUSH_PROMISE | CONTINUATION)
    }
}

/// Takes from the payload of HEADERS or PUSH_PROMISE what is no part of the block (RFC 9113 sections 6.2 and 6.6).
fn strip(block: &mut Vec<u8>, frame: Frame) -> bool {
    let padded = frame.flags & PADDED != 0;
    let padding = if padded { block.first().map_or(0, |length| usize::from(*length)) } else { 0 };
    let before = match frame.kind {
        PUSH_PROMISE => 4,
        _ if frame.flags & PRIORITY != 0 => 5,
        _ => 0,
    } + usize::from(padded);
    if before + padding > block.len() {
        return false;
    }
    block.truncate(block.len() - padding);
    block.drain(..before);
    true
}

fn end_stream(frame: Frame, sink: Sink<'_>) {
    if frame.flags & END_STREAM != 0 {
        sink(frame.stream, Event::BodyEnd);
    }
}

/// Three digits, or 0.
fn status(value: &[u8]) -> u16 {
    let digits = value.len() == 3 && value.iter().all(u8::is_ascii_digit);
    if digits { value.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0')) } else { 0 }
}

#[cfg(test)]
#[path = "http2_tests.rs"]
mod tests;
