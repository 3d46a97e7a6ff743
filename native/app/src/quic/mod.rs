//! QUIC: the ClientHello within a client's Initial packets (RFC 9000, RFC 9001, RFC 9369).
//!
//! The keys of Initial packets follow from a connection id that stands in the first of them: they keep middleboxes from
//! meddling, and hide nothing from who looks. No other packet can be read.

mod crypto_stream;
mod frames;
mod header;
mod initial;
mod keys;
#[cfg(test)]
mod testing;
mod version;

pub use header::is_initial;
pub use initial::{Initials, MAX_PACKET_BYTES};
pub use version::QuicVersion;

#[cfg(test)]
mod tests;
