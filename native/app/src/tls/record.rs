//! Records (RFC 8446, section 5.1): they cut the handshake's messages where they like.

use arrayvec::ArrayVec;

use super::handshake::{self, MAX_MESSAGE_BYTES};
use crate::{AppError, Parse};

/// How much of a direction's beginning is looked at for a hello, in bytes, records' headers included: who keeps a
/// stream for the parsers need not keep more. A hello in records of one byte each, which hides the name from those who
/// do not put records together, is read up to a sixth of this.
pub const MAX_STREAM_BYTES: usize = 32 << 10;

const HEADER_BYTES: usize = 5;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Section 5.1: a longer record is a fatal error.
const MAX_FRAGMENT_BYTES: usize = 1 << 14;

type Message = ArrayVec<u8, MAX_MESSAGE_BYTES>;

/// Reads the body of the first handshake message of `stream`, which has to be of this type.
pub(super) fn first_message<T>(stream: &[u8], kind: u8, read: impl FnOnce(&[u8]) -> Result<T, AppError>) -> Parse<T> {
    let mut message = Message::new();
    if let Err(error) = gather(&stream[..stream.len().min(MAX_STREAM_BYTES)], kind, &mut message) {
        return Parse::Reject(error);
    }
    match handshake::body(&message, kind) {
        Parse::Done(body) => read(body).map_or_else(Parse::Reject, Parse::Done),
        Parse::More if stream.len() >= MAX_STREAM_BYTES => Parse::Reject(AppError::TooLong),
        Parse::More => Parse::More,
        Parse::Reject(error) => Parse::Reject(error),
    }
}

/// Puts fragments together until the message is whole or can be none, or the stream ends.
fn gather(stream: &[u8], kind: u8, message: &mut Message) -> Result<(), AppError> {
    let mut rest = stream;
    while matches!(handshake::body(message, kind), Parse::More) && !rest.is_empty() {
        let Some(length) = fragment_length(rest)? else { break };
        let (fragment, behind) = rest[HEADER_BYTES..].split_at(length.min(rest.len() - HEADER_BYTES));
        let room = message.remaining_capacity();
        // What has no room is left out, so that this cannot fail.
        let _ = message.try_extend_from_slice(&fragment[..fragment.len().min(room)]);
        rest = behind;
    }
    Ok(())
}

/// The length of the first record's fragment; none while its header is not whole.
fn fragment_length(record: &[u8]) -> Result<Option<usize>, AppError> {
    match record {
        [ALERT, 3, 0..=4, ..] => return Err(AppError::Unsupported),
        [] | [HANDSHAKE] | [HANDSHAKE, 3] | [HANDSHAKE, 3, 0..=4, ..] | [ALERT] | [ALERT, 3] => {}
        _ => return Err(AppError::Malformed),
    }
    let Some([_, _, _, length @ ..]) = record.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    match u16::from_be_bytes(*length).into() {
        // Section 5.1: a handshake record is never empty.
        0 => Err(AppError::Malformed),
        length if length > MAX_FRAGMENT_BYTES => Err(AppError::Malformed),
        length => Ok(Some(length)),
    }
}
