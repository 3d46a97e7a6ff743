//! The protocol of a conversation by what is said in it.

use crate::AppProtocol;

/// What the bytes so far say of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// It is this one.
    Known(AppProtocol),
    /// More bytes, or the other side's, may tell.
    More,
    /// It is none that is known, or its beginning was not seen.
    Unknown,
}

/// The protocol of a TCP connection by the contiguous beginnings of what its originator and its responder sent; either
/// may be empty. At most the first 512 bytes of each are looked at. The port decides only between protocols that the
/// bytes do not tell apart.
pub fn stream(orig: &[u8], resp: &[u8], resp_port: u16) -> Guess {
    let _ = (orig, resp, resp_port);
    Guess::Unknown
}

/// The protocol of one UDP datagram between these ports, the sender's first. The ports decide only between protocols
/// that the bytes do not tell apart.
pub fn datagram(payload: &[u8], ports: (u16, u16)) -> Guess {
    let _ = (payload, ports);
    Guess::Unknown
}
