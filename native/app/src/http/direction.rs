//! Messages of HTTP/1 one after the other, whichever side sends them: heads, bodies, and what is missing (RFC 9112).

use super::chunk::{Chunks, EmptyLine, Step};
use super::head::{Extent, end};
use super::message::Event;

/// The part of a head that is read. Of a longer one the rest is passed over.
pub(super) const MAX_HEAD_BYTES: usize = 32 * 1024;

pub(super) type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

/// What differs between the directions.
pub(super) trait Kind: Default {
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
pub(super) struct Head {
    pub(super) event: Event<'static>,
    pub(super) extent: Extent,
    /// Whether what follows the message may be another protocol.
    pub(super) switches: bool,
}

/// One direction of a connection, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Direction<K> {
    pub(super) kind: K,
    state: State,
    /// The head as far as it came; empty elsewhere.
    pub(super) head: Vec<u8>,
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
    /// The next bytes, in order; false once they are not HTTP/1.
    pub(super) fn feed(&mut self, mut data: &[u8], sink: Sink<'_>) -> bool {
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

    /// `bytes` are missing here.
    pub(super) fn gap(&mut self, bytes: u64) {
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

    /// Bytes of a head that is not whole yet.
    pub(super) fn held_bytes(&self) -> usize {
        self.head.len()
    }

    /// Once another protocol goes on here: how many of the bytes that were fed last belong to it.
    pub(super) fn switched(&self) -> Option<usize> {
        if let State::Switched(rest_bytes) = self.state { Some(rest_bytes) } else { None }
    }

    /// Whether it is not known which message stands here.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, State::Seek)
    }

    /// Whether a head was told and its end was not.
    fn in_message(&self) -> bool {
        !matches!(self.state, State::Head | State::Seek | State::Over | State::Switched(_))
    }

    /// It is closed.
    pub(super) fn end(&mut self, sink: Sink<'_>) {
        if self.owes_end || self.in_message() {
            sink(Event::BodyEnd);
        }
        *self = Self { state: State::Over, ..Self::default() };
    }
}
