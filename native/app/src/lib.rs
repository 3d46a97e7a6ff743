//! What a conversation is about: the names of its other side, and its application protocol by content.
//!
//! A parser is given the bytes of one direction in their order, or a datagram, and gives names, [`Parse::More`] while it
//! needs more, or says why the bytes are none of its own. None reads a clock or does I/O; each bounds what it keeps.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that fails may panic

pub mod dns;
pub mod guess;
pub mod http;
pub mod imap;
mod ja4;
pub mod kerberos;
mod login;
pub mod mail;
pub mod ntlm;
mod parse;
pub mod pop3;
mod protocol;
pub mod quic;
mod reader;
pub mod smtp;
pub mod ssh;
mod text;
pub mod tls;

pub use guess::Guess;
pub use ja4::Ja4;
pub use login::{Login, MAX_USER_BYTES};
pub use parse::{AppError, Parse};
pub use protocol::AppProtocol;
pub use text::{Text, text};
