//! Lines of a stream that comes in pieces.

/// The longest line that is kept; of a longer one the rest is left out (RFC 5321, 4.5.3.1.6: 1,000; RFC 2683: 8,000).
pub(crate) const MAX_LINE_BYTES: usize = 8 << 10;

/// Puts lines together.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    kept: Vec<u8>,
    /// The rest of this line belongs to one whose beginning was lost.
    torn: bool,
}

impl Lines {
    /// Takes from `data` what belongs to the next line; the line without its end, once it is whole.
    pub(crate) fn take(&mut self, data: &mut &[u8]) -> Option<Vec<u8>> {
        while !data.is_empty() {
            let end = memchr::memchr(b'\n', data);
            let (piece, rest) = data.split_at(end.map_or(data.len(), |end| end + 1));
            *data = rest;
            let room = MAX_LINE_BYTES.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
            end?;
            let mut line = std::mem::take(&mut self.kept);
            if !std::mem::take(&mut self.torn) {
                while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
                    line.pop();
                }
                return Some(line);
            }
        }
        None
    }

    /// Bytes are missing: the line that they belong to is none.
    pub(crate) fn tear(&mut self) {
        self.kept.clear();
        self.torn = true;
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.kept.capacity()
    }
}
