//! What a conversation is about: the names of its other side, and its application protocol by content.
//!
//! A parser is given the bytes of one direction in their order, or a datagram, and gives names, [`Parse::More`] while it
//! needs more, or says why the bytes are none of its own. None reads a clock or does I/O; each bounds what it keeps.

#![forbid(unsafe_code)]

mod parse;
mod protocol;
mod text;

pub use parse::{AppError, Parse};
pub use protocol::AppProtocol;
pub use text::{Text, text};
