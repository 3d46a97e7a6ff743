//! Handshake messages (RFC 8446, section 4): type, length in 24 bits, body. QUIC carries them without records.

use crate::{AppError, Parse};

pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const SERVER_HELLO: u8 = 2;

/// The longest message that is read, with its header. Hellos with post-quantum keys have about 2 KiB.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 << 10;

const HEADER_BYTES: usize = 4;

/// The body of the message of this type with which `bytes` begin.
pub(crate) fn body(bytes: &[u8], kind: u8) -> Parse<&[u8]> {
    match bytes.first() {
        Some(first) if *first != kind => return Parse::Reject(AppError::Malformed),
        _ => {}
    }
    let Some([_, length @ ..]) = bytes.first_chunk::<HEADER_BYTES>() else { return Parse::More };
    let end = HEADER_BYTES + u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize;
    if end > MAX_MESSAGE_BYTES {
        return Parse::Reject(AppError::TooLong);
    }
    bytes.get(HEADER_BYTES..end).map_or(Parse::More, Parse::Done)
}
