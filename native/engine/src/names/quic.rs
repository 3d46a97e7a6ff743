//! QUIC until the client has greeted (RFC 9001, 4).

use app::Parse;
use app::quic::Initials;

use super::event::{AppEvent, QuicHello};
use super::tls::tell_client;
use super::{Sink, Told};

/// A QUIC connection until its client has greeted.
#[derive(Debug, Default)]
pub struct QuicTalk {
    initials: Initials,
    over: bool,
}

impl QuicTalk {
    /// Takes a datagram of the client.
    pub fn client(&mut self, datagram: &[u8], sink: Sink<'_>) {
        match self.initials.client(datagram) {
            Parse::More => return,
            Parse::Done((version, hello)) => {
                tell_client(&hello, sink);
                sink(Told::Event(AppEvent::Quic(Box::new(QuicHello { version, hello }))));
            }
            Parse::Reject(error) => sink(Told::Error(error)),
        }
        self.over = true;
    }

    /// Whether nothing more will be learned.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.initials.held_bytes()
    }
}
