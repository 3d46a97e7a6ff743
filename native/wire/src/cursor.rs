//! A place in a frame: what was captured from here on, and what was on the wire.

use crate::error::{DecodeError, DecodeErrorKind, Layer};

/// Walks down a frame. A header is taken whole or not at all, so that an error names the header's first byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
    /// Never below `rest.len()`.
    wire_left: usize,
}

impl<'a> Cursor<'a> {
    /// At the first byte of a frame that had `origlen` bytes on the wire.
    #[inline]
    pub(crate) fn new(frame: &'a [u8], origlen: u32) -> Self {
        Self { rest: frame, offset: 0, wire_left: frame.len().max(origlen as usize) }
    }

    /// The captured bytes from here to the end of the enclosing layer.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes the enclosing layer had from here on the wire, captured or not.
    #[inline]
    pub(crate) fn wire_left(&self) -> u32 {
        u32::try_from(self.wire_left).unwrap_or(u32::MAX)
    }

    /// The header of `N` bytes that starts here.
    #[inline]
    pub(crate) fn peek<const N: usize>(&self, layer: Layer) -> Result<&'a [u8; N], DecodeError> {
        match self.rest.first_chunk() {
            Some(header) => Ok(header),
            None => Err(self.error(layer, DecodeErrorKind::Truncated)),
        }
    }

    /// As [`Self::peek`], and moves behind the header.
    #[inline]
    pub(crate) fn take<const N: usize>(&mut self, layer: Layer) -> Result<&'a [u8; N], DecodeError> {
        let header = self.peek(layer)?;
        self.advance(N);
        Ok(header)
    }

    /// Takes a header of `length` bytes.
    #[inline]
    pub(crate) fn take_slice(&mut self, length: usize, layer: Layer) -> Result<&'a [u8], DecodeError> {
        match self.rest.get(..length) {
            Some(header) => {
                self.advance(length);
                Ok(header)
            }
            None => Err(self.error(layer, DecodeErrorKind::Truncated)),
        }
    }

    /// The header of `N` bytes that starts here, zeros for what was not captured; `None` if not even `least` bytes were.
    #[inline]
    pub(crate) fn peek_padded<const N: usize>(&self, least: usize) -> Option<[u8; N]> {
        if let Some(header) = self.rest.first_chunk() {
            return Some(*header);
        }
        if self.rest.len() < least {
            return None;
        }
        let mut header = [0; N];
        header[..self.rest.len()].copy_from_slice(self.rest);
        Some(header)
    }

    /// Moves `length` bytes on, or to the end of what was captured.
    #[inline]
    pub(crate) fn advance(&mut self, length: usize) {
        let captured = length.min(self.rest.len());
        self.rest = &self.rest[captured..];
        self.offset += captured;
        self.wire_left = self.wire_left.saturating_sub(length);
    }

    /// The layer that starts here has `length` bytes on the wire: what is captured behind them is padding.
    ///
    /// `length` may exceed what the enclosing layer has, as in frames that a switch cut while mirroring: a header's own
    /// word about the packet is the better one.
    #[inline]
    pub(crate) fn limit(&mut self, length: usize) {
        self.rest = &self.rest[..length.min(self.rest.len())];
        self.wire_left = length;
    }

    /// Nothing from here on is known to be payload.
    #[inline]
    pub(crate) fn close(&mut self) {
        self.limit(0);
    }

    /// Decoding stops at the header that starts here.
    #[cold]
    pub(crate) fn error(&self, layer: Layer, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { layer, kind, offset: u32::try_from(self.offset).unwrap_or(u32::MAX) }
    }
}

/// The two bytes of a field, network order.
#[inline]
pub(crate) fn be16(field: &[u8]) -> u16 {
    u16::from_be_bytes([field[0], field[1]])
}

/// The four bytes of a field, network order.
#[inline]
pub(crate) fn be32(field: &[u8]) -> u32 {
    u32::from_be_bytes([field[0], field[1], field[2], field[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_cut_is_an_error_at_its_first_byte() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5], 9);
        assert_eq!(cursor.take::<3>(Layer::Gre), Ok(&[1, 2, 3]));
        let error = cursor.take::<3>(Layer::Gre).unwrap_err();
        assert_eq!(error, DecodeError { layer: Layer::Gre, kind: DecodeErrorKind::Truncated, offset: 3 });
        assert_eq!(error.to_string(), "gre at byte 3: truncated");
        assert_eq!((cursor.rest(), cursor.wire_left()), (&[4, 5][..], 6));
    }

    #[test]
    fn moving_beyond_the_capture_still_counts_the_wire() {
        let mut cursor = Cursor::new(&[0; 10], 100);
        cursor.advance(40);
        assert_eq!((cursor.rest().len(), cursor.wire_left()), (0, 60));
        assert_eq!(cursor.error(Layer::Gre, DecodeErrorKind::Truncated).offset, 10);
    }

    #[test]
    fn a_limit_cuts_padding_and_believes_a_longer_length() {
        let mut cursor = Cursor::new(&[0; 10], 10);
        cursor.limit(20);
        assert_eq!((cursor.rest().len(), cursor.wire_left()), (10, 20));
        cursor.limit(4);
        assert_eq!((cursor.rest().len(), cursor.wire_left()), (4, 4));
    }

    #[test]
    fn a_cut_header_reads_as_zeros() {
        let cursor = Cursor::new(&[1, 2, 3], 3);
        assert_eq!(cursor.peek_padded::<5>(2), Some([1, 2, 3, 0, 0]));
        assert_eq!(cursor.peek_padded::<5>(4), None);
    }
}
