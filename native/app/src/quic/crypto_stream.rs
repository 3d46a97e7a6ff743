//! The handshake's bytes, put in order (RFC 9000, section 19.6).

use std::ops::Range;

use arrayvec::ArrayVec;

use crate::AppError;
use crate::tls::handshake::MAX_MESSAGE_BYTES;

/// The most pieces with gaps between them. Browsers cut a hello into a dozen, and shuffle them on purpose.
const MAX_PIECES: usize = 64;

/// The beginning of the stream of CRYPTO frames, of which some pieces are there.
#[derive(Debug, Default)]
pub(super) struct CryptoStream {
    bytes: Vec<u8>,
    /// Which of `bytes` are there: in order, with gaps between.
    pieces: ArrayVec<Range<usize>, MAX_PIECES>,
}

impl CryptoStream {
    /// Takes a frame's data. It may repeat what is there: a peer that sends different bytes then breaks the protocol.
    ///
    /// # Errors
    ///
    /// It reaches behind the longest message that is read, or there are too many gaps.
    pub(super) fn insert(&mut self, offset: u64, data: &[u8]) -> Result<(), AppError> {
        let start = usize::try_from(offset).map_err(|_| AppError::TooLong)?;
        let end = start.checked_add(data.len()).filter(|end| *end <= MAX_MESSAGE_BYTES).ok_or(AppError::TooLong)?;
        if data.is_empty() {
            return Ok(());
        }
        self.bytes.resize(self.bytes.len().max(end), 0);
        self.bytes[start..end].copy_from_slice(data);
        self.join(start..end)
    }

    /// Joins a piece with those that it meets.
    fn join(&mut self, piece: Range<usize>) -> Result<(), AppError> {
        let from = self.pieces.partition_point(|other| other.end < piece.start);
        let to = self.pieces.partition_point(|other| other.start <= piece.end);
        let met = &self.pieces[from..to];
        let start = met.first().map_or(piece.start, |first| first.start.min(piece.start));
        let end = met.last().map_or(piece.end, |last| last.end.max(piece.end));
        self.pieces.drain(from..to);
        self.pieces.try_insert(from, start..end).map_err(|_| AppError::TooLong)
    }

    /// The bytes from the first on without a gap.
    pub(super) fn beginning(&self) -> &[u8] {
        match self.pieces.first() {
            Some(first) if first.start == 0 => &self.bytes[..first.end],
            _ => &[],
        }
    }

    /// The memory that is held, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
