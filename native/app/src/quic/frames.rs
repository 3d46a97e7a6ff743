//! Frames of an Initial packet (RFC 9000, section 12.4: PADDING, PING, ACK, CRYPTO, CONNECTION_CLOSE).

use super::crypto_stream::CryptoStream;
use crate::AppError;
use crate::reader::Reader;

const PADDING: u64 = 0x00;
const PING: u64 = 0x01;
const ACK: u64 = 0x02;
const ACK_WITH_ECN: u64 = 0x03;
const CRYPTO: u64 = 0x06;
const CONNECTION_CLOSE: u64 = 0x1c;

/// Gives the data of a packet's CRYPTO frames to the stream, and passes over the others.
///
/// # Errors
///
/// A frame that an Initial must not have or that is not whole; data that the stream does not take.
pub(super) fn read(frames: &[u8], stream: &mut CryptoStream) -> Result<(), AppError> {
    let mut reader = Reader::new(frames);
    while !reader.rest().is_empty() {
        let (offset, data) = next(&mut reader).ok_or(AppError::Malformed)?;
        stream.insert(offset, data)?;
    }
    Ok(())
}

/// Passes over a frame; gives offset and data of a CRYPTO frame, of others nothing at 0.
fn next<'a>(reader: &mut Reader<'a>) -> Option<(u64, &'a [u8])> {
    match reader.varint()? {
        PADDING | PING => {}
        ACK => acknowledgement(reader)?,
        ACK_WITH_ECN => {
            acknowledgement(reader)?;
            skip(reader, 3)?;
        }
        CRYPTO => return Some((reader.varint()?, reader.counted_varint()?)),
        CONNECTION_CLOSE => {
            skip(reader, 2)?;
            reader.counted_varint()?;
        }
        _ => return None,
    }
    Some((0, &[]))
}

/// Section 19.3: largest, delay, number of ranges, first range, then gap and length of each.
fn acknowledgement(reader: &mut Reader<'_>) -> Option<()> {
    skip(reader, 2)?;
    let ranges = reader.varint()?;
    skip(reader, ranges.checked_mul(2)?.checked_add(1)?)
}

/// Passes over integers; ends with the frames, however many there should be.
fn skip(reader: &mut Reader<'_>, integers: u64) -> Option<()> {
    (0..integers).try_for_each(|_| reader.varint().map(drop))
}
