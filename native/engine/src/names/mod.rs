//! What conversations are about: the protocol of each flow by its content, the name that its client asked for, and what
//! the event log tells of it.
//!
//! A [`Talk`] listens to a TCP connection and is let go of as soon as nothing more will be learned from it. What it hears
//! is told at once, as [`Told`]; [`ResolvedNames`] gives flows without a name of their own the one that was looked up.

mod dialog;
mod dns;
mod event;
mod exchange;
mod http;
mod kerberos;
mod logon;
mod mail;
mod quic;
mod resolved;
mod ssh;
mod talk;
#[cfg(test)]
pub(crate) mod testing;
mod tls;

use std::sync::Arc;

use app::{AppError, AppProtocol};

use crate::punt::PuntProtocol;
use crate::web::WebRules;

pub(crate) use dns::tell_message;
pub use event::{AppEvent, AppRecord, HttpExchange, NameSource, QuicHello, SshBanners, TlsHellos};
pub(crate) use exchange::without_port;
pub use http::inspect;
pub(crate) use kerberos::tell_client;
pub use quic::QuicTalk;
pub use resolved::ResolvedNames;
pub use talk::Talk;

/// What is wanted of a conversation beside what is always told.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What its requests are matched against, if the server is watched.
    pub web: Option<Arc<WebRules>>,
    /// Whether messages carry their bytes.
    pub raw_mails: bool,
}

/// A conversation that is listened to.
#[derive(Debug)]
pub enum Conversation {
    /// Over TCP.
    Stream(Talk),
    /// Over QUIC.
    Quic(QuicTalk),
}

impl Conversation {
    /// Bytes that are kept of it.
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Stream(talk) => talk.held_bytes(),
            Self::Quic(talk) => talk.held_bytes(),
        }
    }

    /// Whether nothing more will be learned.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Stream(talk) => talk.is_over(),
            Self::Quic(talk) => talk.is_over(),
        }
    }

    /// The other end is the originator.
    pub fn reverse(&mut self) {
        if let Self::Stream(talk) = self {
            talk.reverse();
        }
    }
}

/// Whether a flow is still listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Naming {
    /// It is.
    #[default]
    Open,
    /// Nothing more will be learned of it.
    Done,
}

/// What is heard of a flow, as soon as it is known. The protocol comes first, and again where the conversation becomes
/// another one.
#[derive(Debug)]
pub enum Told<'a> {
    /// The flow's protocol.
    Protocol(AppProtocol),
    /// The name of the server that the client wants: SNI, or the Host field.
    Server(&'a str),
    /// A name that was looked up, or that a look-up led to.
    LookedUp(&'a str),
    /// What the client asks the server for: Host field and target.
    Url(&'a str, &'a str),
    /// How the client greets.
    Ja4(&'a str),
    /// What the client says of its machine or its user.
    Claim(PuntProtocol, &'a [u8]),
    /// Something is complete.
    Event(AppEvent),
    /// Something could not be read.
    Error(AppError),
}

/// Where what is heard goes.
pub type Sink<'s> = &'s mut dyn FnMut(Told<'_>);
