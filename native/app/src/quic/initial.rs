//! A flow's Initial packets, until the client's hello is whole.

use std::fmt;
use std::ops::Range;

use super::crypto_stream::CryptoStream;
use super::frames;
use super::header::{self, Initial};
use super::keys::Keys;
use super::version::QuicVersion;
use crate::ja4::Transport;
use crate::tls::{ClientHello, handshake};
use crate::{AppError, Parse};

/// The longest Initial packet that is opened, in bytes: that of Ethernet's jumbo frames.
pub const MAX_PACKET_BYTES: usize = 9216;

/// What a flow may cost: one for each datagram, and one for each Initial packet in it. Ordinary clients need four;
/// with losses some more.
const MAX_LOOKS: u8 = 32;

/// The Initial packets that a client sent. One for each flow; it takes memory only while part of a hello is there.
#[derive(Debug, Default)]
pub struct Initials {
    looks: u8,
    pending: Option<Box<Pending>>,
}

/// What is known once a packet could be opened.
struct Pending {
    keys: Keys,
    stream: CryptoStream,
}

/// Without the keys.
impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.fmt(formatter)
    }
}

impl Initials {
    /// Takes the next datagram of the client. Datagrams may be lost, come twice or in another order; those in which
    /// there is nothing to open are passed over.
    ///
    /// [`Parse::Done`] gives the version of the packet with which the hello was whole; nothing is kept then. The hello
    /// may have 16 KiB, in 64 pieces with gaps between.
    ///
    /// The keys stay those of the first Initial that could be opened, until one comes that only its own connection id
    /// opens: so it is after a Retry (RFC 9001, section 5.2), and the hello starts anew.
    ///
    /// Rejects a first datagram without a long header, a hello that can be none or is longer, and a flow that gave none
    /// within about 16 datagrams (too long).
    pub fn client(&mut self, datagram: &[u8]) -> Parse<(QuicVersion, ClientHello)> {
        if self.looks == 0 && !header::is_long(datagram) {
            return Parse::Reject(AppError::Malformed);
        }
        let answer = self.read(datagram).unwrap_or_else(Parse::Reject);
        if answer != Parse::More {
            self.pending = None;
        }
        answer
    }

    /// The memory that is held for a hello that is not whole, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| size_of::<Pending>() + pending.stream.held_bytes())
    }

    fn read(&mut self, datagram: &[u8]) -> Result<Parse<(QuicVersion, ClientHello)>, AppError> {
        self.look()?;
        for initial in header::initials(datagram) {
            self.look()?;
            if let Some(hello) = self.take(&initial)? {
                return Ok(Parse::Done((initial.version, hello)));
            }
        }
        Ok(Parse::More)
    }

    fn look(&mut self) -> Result<(), AppError> {
        self.looks = self.looks.saturating_add(1);
        if self.looks > MAX_LOOKS { Err(AppError::TooLong) } else { Ok(()) }
    }

    /// Takes a packet; gives the hello when it is whole.
    fn take(&mut self, initial: &Initial<'_>) -> Result<Option<ClientHello>, AppError> {
        let mut buffer = [0; MAX_PACKET_BYTES];
        let Some(packet) = buffer.get_mut(..initial.bytes.len()) else { return Ok(None) };
        let Some(frames) = self.open(initial, packet) else { return Ok(None) };
        let Some(pending) = self.pending.as_mut() else { return Ok(None) };
        frames::read(&packet[frames], &mut pending.stream)?;
        match handshake::body(pending.stream.beginning(), handshake::CLIENT_HELLO) {
            Parse::Done(body) => ClientHello::read(body, Transport::Quic).map(Some),
            Parse::More => Ok(None),
            Parse::Reject(error) => Err(error),
        }
    }

    /// Opens a packet into `packet`, with the keys that are known or else with those that its own connection id gives.
    fn open(&mut self, initial: &Initial<'_>, packet: &mut [u8]) -> Option<Range<usize>> {
        if let Some(pending) = &self.pending {
            packet.copy_from_slice(initial.bytes);
            if let Some(frames) = pending.keys.open(packet, initial.number_at) {
                return Some(frames);
            }
        }
        packet.copy_from_slice(initial.bytes);
        let keys = Keys::client(initial.protection, initial.destination)?;
        let frames = keys.open(packet, initial.number_at)?;
        self.pending = Some(Box::new(Pending { keys, stream: CryptoStream::default() }));
        Some(frames)
    }
}
