//! Records out of parts of a segment.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use capture::{Frame, LinkType, OwnRecord, own_record};

use super::plan::{SegmentPart, open};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// The records of a segment, part after part.
pub(super) struct SegmentReader {
    file: File,
    link_type: LinkType,
    ranges: VecDeque<Range<u64>>,
    buffer: Vec<u8>,
    /// Where in the buffer the next record begins.
    at: usize,
    /// The record that was read last.
    record: Option<OwnRecord>,
    /// Bytes read.
    pub(super) read_bytes: u64,
}

impl SegmentReader {
    /// Opens a segment; `buffer` is memory that served before.
    pub(super) fn open(part: SegmentPart, link_type: LinkType, buffer: Vec<u8>) -> io::Result<Self> {
        let file = open(&part.stem)?;
        let mut ranges: VecDeque<_> = part.ranges.into();
        if part.open_end {
            let bytes = file.metadata()?.len();
            match ranges.back_mut() {
                Some(last) => last.end = last.end.max(bytes),
                None => ranges.push_back(bytes..bytes),
            }
        }
        let mut buffer = buffer;
        buffer.clear();
        Ok(Self { file, link_type, ranges, buffer, at: 0, record: None, read_bytes: 0 })
    }

    /// Goes to the next record; `false` at the end.
    ///
    /// # Errors
    /// What the system says, and [`io::ErrorKind::InvalidData`] for what is no record: the rest of that part is left out,
    /// and the next call goes on behind it.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        if let Some(record) = self.record.take() {
            self.at += record.length();
        }
        loop {
            match own_record(&self.buffer[self.at..]) {
                Ok(Some(record)) => {
                    self.record = Some(record);
                    return Ok(true);
                }
                Ok(None) if self.fill()? => {}
                Ok(None) if self.ranges.is_empty() => return Ok(false),
                Ok(None) => {}
                Err(_) => {
                    self.leave_range();
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
    }

    /// The record that was read last.
    pub(super) fn frame(&self) -> Frame<'_> {
        let record = self.record.unwrap_or_default();
        record.frame(&self.buffer[self.at..], self.link_type)
    }

    /// Whether a record was read.
    pub(super) fn is_at_record(&self) -> bool {
        self.record.is_some()
    }

    /// The memory back.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    fn leave_range(&mut self) {
        self.ranges.pop_front();
        self.buffer.clear();
        self.at = 0;
    }

    /// Reads on in the part, or begins the next one; `false` if nothing more came.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let Some(range) = self.ranges.front_mut() else { return Ok(false) };
        let wanted = usize::try_from(range.end - range.start).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let filled = self.buffer.len();
        self.buffer.resize(filled + wanted, 0);
        let read = self.file.read_at(&mut self.buffer[filled..], range.start);
        let bytes = *read.as_ref().unwrap_or(&0);
        self.buffer.truncate(filled + bytes);
        range.start += bytes as u64;
        self.read_bytes += bytes as u64;
        if bytes == 0 {
            // A piece of a record at the end of an open segment; what was cut off meanwhile is gone.
            self.leave_range();
        }
        read.map(|bytes| bytes > 0)
    }
}
