//! TLS until both ends have greeted (RFC 8446, 4.1).

use app::tls::{ClientHello, MAX_STREAM_BYTES, ServerHello, client_hello, server_hello};
use app::{AppError, Parse};

use super::dialog::{Listener, Next};
use super::event::{AppEvent, TlsHellos};
use super::{Sink, Told};
use crate::stream::Piece;

/// After so many further bytes of one direction the other one's hello is not waited for: the mirror shows one side.
const PATIENCE_BYTES: usize = 32 * 1024;

/// So often a beginning is looked at that could be whole: each look reads it from the start.
const MAX_LOOKS: u8 = 64;
/// Headers of a record and of the message in it (RFC 8446, 5.1 and 4).
const HEADERS_BYTES: usize = 9;

/// A beginning that is read as it comes.
#[derive(Debug)]
enum Half<T> {
    Reading(Vec<u8>, u8),
    Read(T),
    /// Not there, not whole, or something else.
    Lost,
}

impl<T> Default for Half<T> {
    fn default() -> Self {
        Self::Reading(Vec::new(), 0)
    }
}

impl<T> Half<T> {
    /// Takes the next bytes; gives why they cannot be read.
    fn take(&mut self, piece: Piece<'_>, parse: fn(&[u8]) -> Parse<T>) -> Option<AppError> {
        let Self::Reading(head, looks) = self else { return None };
        let parsed = match piece {
            Piece::Data(data) if head.is_empty() => parse(data),
            Piece::Data(data) => {
                head.extend_from_slice(data);
                if head.len() < least_bytes(head) && head.len() <= MAX_STREAM_BYTES {
                    return None;
                }
                *looks += 1;
                if *looks < MAX_LOOKS { parse(head) } else { Parse::Reject(AppError::TooLong) }
            }
            Piece::Gap(_) | Piece::End => {
                *self = Self::Lost;
                return None;
            }
        };
        match (parsed, piece) {
            (Parse::Done(hello), _) => *self = Self::Read(hello),
            (Parse::More, _) if head.len() > MAX_STREAM_BYTES => {
                *self = Self::Lost;
                return Some(AppError::TooLong);
            }
            (Parse::More, Piece::Data(data)) if head.is_empty() => head.extend_from_slice(data),
            (Parse::More, _) => {}
            (Parse::Reject(error), _) => {
                *self = Self::Lost;
                return Some(error);
            }
        }
        None
    }

    fn held_bytes(&self) -> usize {
        if let Self::Reading(head, _) = self { head.len() } else { 0 }
    }

    fn is_open(&self) -> bool {
        matches!(self, Self::Reading(..))
    }

    fn into_read(self) -> Option<T> {
        if let Self::Read(hello) = self { Some(hello) } else { None }
    }
}

/// A stream is not whole with fewer bytes: what its first message's length says, if the first record has that length.
fn least_bytes(stream: &[u8]) -> usize {
    match stream.first_chunk::<HEADERS_BYTES>() {
        Some([_, _, _, record @ .., _, high, middle, low]) if u16::from_be_bytes(*record) >= 4 => {
            HEADERS_BYTES + u32::from_be_bytes([0, *high, *middle, *low]) as usize
        }
        _ => 0,
    }
}

/// Listens to a TLS connection.
#[derive(Debug, Default)]
pub(super) struct TlsTalk {
    client: Half<ClientHello>,
    server: Half<ServerHello>,
    /// Bytes of a direction whose hello was read, while the other's is waited for.
    waited_bytes: usize,
}

impl Listener for TlsTalk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        let own_open = if from_client { self.client.is_open() } else { self.server.is_open() };
        if !own_open {
            self.waited_bytes += if let Piece::Data(data) = piece { data.len() } else { 0 };
        } else if from_client {
            self.client.take(piece, client_hello).into_iter().for_each(|error| sink(Told::Error(error)));
            if let Half::Read(hello) = &self.client {
                tell_client(hello, sink);
            }
        } else {
            self.server.take(piece, server_hello).into_iter().for_each(|error| sink(Told::Error(error)));
        }
        let over = !(self.client.is_open() || self.server.is_open()) || self.waited_bytes > PATIENCE_BYTES;
        if over {
            self.tell(sink);
        }
        Next::until(over)
    }

    fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.server.held_bytes()
    }
}

/// What a client's greeting says of whom it wants, and of itself.
pub(super) fn tell_client(hello: &ClientHello, sink: Sink<'_>) {
    if let Some(name) = &hello.sni {
        sink(Told::Server(name));
    }
    sink(Told::Ja4(hello.ja4.as_str()));
}

impl TlsTalk {
    fn tell(&mut self, sink: Sink<'_>) {
        let client = std::mem::replace(&mut self.client, Half::Lost).into_read();
        let server = std::mem::replace(&mut self.server, Half::Lost).into_read();
        if client.is_some() || server.is_some() {
            sink(Told::Event(AppEvent::Tls(Box::new(TlsHellos { client, server }))));
        }
    }
}
