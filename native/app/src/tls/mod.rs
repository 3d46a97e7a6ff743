//! TLS: what both hellos say in the clear (RFC 8446, RFC 5246).
//!
//! Only the first handshake message of each direction is read: the certificate and the request are encrypted, or are
//! not asked for. No extension beyond those that are told is understood; one whose body can't be read says nothing, as
//! clients and servers differ in what they forgive, but the message's own structure has to hold.

mod client_hello;
mod extension;
pub(crate) mod handshake;
mod record;
mod server_hello;
#[cfg(test)]
pub(crate) mod testing;
mod version;

pub use client_hello::ClientHello;
pub(crate) use client_hello::Offer;
pub(crate) use extension::{ALPN, SERVER_NAME, is_grease};
pub use record::MAX_STREAM_BYTES;
pub use server_hello::ServerHello;
pub use version::TlsVersion;

use crate::Parse;
use crate::ja4::Transport;

/// The ClientHello with which a client's direction begins.
///
/// `stream` is the contiguous beginning of what the client sent; after [`Parse::More`] it is given again with more. The
/// message may be spread over records, and is read as soon as its last byte is there.
///
/// Rejects what is not TLS at the first byte that can't be, and a message of more than 16 KiB or that is not whole
/// within [`MAX_STREAM_BYTES`]. The hello of SSL 2, which some clients before 2010 sent, is not read.
pub fn client_hello(stream: &[u8]) -> Parse<ClientHello> {
    record::first_message(stream, handshake::CLIENT_HELLO, |body| ClientHello::read(body, Transport::Tcp))
}

/// The ServerHello with which a server's direction begins; as [`client_hello`].
///
/// A HelloRetryRequest is one as well: it tells the version and the cipher that were chosen (RFC 8446, section 4.1.4).
/// A server that answers with an alert is rejected as unsupported.
pub fn server_hello(stream: &[u8]) -> Parse<ServerHello> {
    record::first_message(stream, handshake::SERVER_HELLO, ServerHello::read)
}

#[cfg(test)]
mod tests;
