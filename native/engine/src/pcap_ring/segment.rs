//! One capture file while it is being written: `<name>.pcap.part`, after every write a prefix of whole frames.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use capture::file_header;
use rustix::io::Errno;

use super::chunk::{Chunk, RECORD_HEADER_BYTES};
use super::feed::Stream;
use super::index::{INDEX_SUFFIX, IndexBlock, IndexWriter};
use super::name::SegmentName;

/// Suffix of a closed segment.
pub(crate) const CLOSED_SUFFIX: &str = ".pcap";
/// Suffix of the segment that is being written.
pub(crate) const OPEN_SUFFIX: &str = ".pcap.part";
/// Suffix of a segment that a crash left unreadable.
pub(crate) const DAMAGED_SUFFIX: &str = ".pcap.damaged";
/// Bytes of a capture file's header.
pub(crate) const FILE_HEADER_BYTES: u64 = 24;

/// A segment that is being written.
#[derive(Debug)]
pub(super) struct OpenSegment {
    /// Its name.
    pub(super) name: SegmentName,
    /// Which segment of its feed it is.
    pub(super) segment: u64,
    /// Length of the file, always the end of a frame.
    pub(super) bytes: u64,
    /// Latest time of a frame in it.
    pub(super) newest_ns: u64,
    /// When it was created.
    pub(super) opened: Instant,
    file: File,
    path: PathBuf,
    /// The file ends in a piece of a frame that could not be cut off.
    torn: bool,
    index: IndexWriter,
}

/// What an append achieved: whole frames only.
#[derive(Debug)]
pub(super) struct Appended {
    /// Bytes that stand in the file now.
    pub(super) bytes: usize,
    /// Frames that stand in the file now.
    pub(super) frames: u64,
    /// Why it is not all of them.
    pub(super) error: Option<io::Error>,
}

impl OpenSegment {
    /// Creates the file with its header; a file that is already there is left alone and is an error.
    ///
    /// # Errors
    /// What the file system says; nothing is left behind then.
    pub(super) fn create(directory: &Path, name: SegmentName, stream: &Stream, segment: u64) -> io::Result<Self> {
        let path = directory.join(format!("{name}{OPEN_SUFFIX}"));
        // Packets are private: nobody but the service and its group may read them.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&path)?;
        if let Err(error) = file.write_all_at(&file_header(stream.link_type, stream.snaplen), 0) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        let index = IndexWriter::new(directory.join(format!("{name}{INDEX_SUFFIX}")));
        let opened = Instant::now();
        Ok(Self { name, segment, bytes: FILE_HEADER_BYTES, newest_ns: 0, opened, file, path, torn: false, index })
    }

    /// Appends `frames` records with one write(2), or as many as the kernel needs. After an error the file is cut back
    /// to the last whole frame and can be appended to again.
    pub(super) fn append(&mut self, records: &[u8], frames: u64) -> Appended {
        let mut written = 0;
        let error = loop {
            match self.file.write_at(&records[written..], self.bytes + written as u64) {
                Ok(0) => break io::Error::from(io::ErrorKind::WriteZero),
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error,
            }
            if written == records.len() {
                self.bytes += written as u64;
                return Appended { bytes: written, frames, error: None };
            }
        };
        let (bytes, frames) = whole_records(&records[..written]);
        self.bytes += bytes as u64;
        if written > bytes {
            self.torn = self.file.set_len(self.bytes).is_err();
        }
        Appended { bytes, frames, error: Some(error) }
    }

    /// Notes in the index what stands in the file since `start`: the chunk's bytes from `from` on.
    pub(super) fn describe(&mut self, chunk: &Chunk, from: usize, start: u64) {
        let to = from + (self.bytes - start) as usize;
        let ends = chunk.blocks.iter().skip(1).map(|block| block.start).chain([chunk.bytes.len()]);
        for (block, end) in chunk.blocks.iter().zip(ends) {
            let (first, last) = (block.start.max(from), end.min(to));
            if first < last && block.undescribed == 0 {
                self.index.add(IndexBlock {
                    start: start + (first - from) as u64,
                    bytes: (last - first) as u32,
                    oldest_ns: block.oldest_ns,
                    newest_ns: block.newest_ns,
                    filter: block.filter.clone(),
                });
            }
        }
        self.index.write_gathered();
    }

    /// Bytes of the index.
    pub(super) fn index_bytes(&self) -> u64 {
        self.index.bytes
    }

    /// Whether the index ends before the segment does, because it could not be written.
    pub(super) fn index_failed(&self) -> bool {
        self.index.error.is_some()
    }

    /// Writes the rest of the index.
    pub(super) fn end_index(&mut self) {
        self.index.end(self.bytes);
    }

    /// Whether nothing more can be appended because the file does not end with a frame.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }

    /// Whether the file still stands in its directory.
    pub(super) fn is_linked(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    /// Gives the file the name of a closed segment; `None` if there was no frame in it, or if it is left to the repair
    /// at the next start because it is torn.
    ///
    /// Nothing is synced here: a sync of 256 MiB holds the one writer of the ring up for longer than the ring's memory
    /// lasts at 1 Gbit/s. The kernel writes back within half a minute anyway, and what a power failure cuts off is cut
    /// to whole frames at the next start.
    ///
    /// # Errors
    /// What the file system says; the file keeps its name then.
    pub(super) fn close(self) -> io::Result<Option<SegmentName>> {
        if self.torn {
            return Ok(None);
        }
        if self.bytes == FILE_HEADER_BYTES {
            fs::remove_file(&self.path)?;
            return Ok(None);
        }
        fs::rename(&self.path, self.path.with_file_name(format!("{}{CLOSED_SUFFIX}", self.name)))?;
        Ok(Some(self.name))
    }
}

/// Length and number of the whole records that `records` begins with.
fn whole_records(records: &[u8]) -> (usize, u64) {
    let (mut end, mut frames) = (0, 0);
    while let Some(&[a, b, c, d]) = records.get(end + 8..end + 12) {
        let next = end + RECORD_HEADER_BYTES + u32::from_le_bytes([a, b, c, d]) as usize;
        if next > records.len() {
            break;
        }
        (end, frames) = (next, frames + 1);
    }
    (end, frames)
}

/// Whether an error means that there is no space, so that deleting helps.
pub(super) fn is_no_space(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::NOSPC | Errno::DQUOT))
}

#[cfg(test)]
mod tests {
    use capture::{Frame, LinkType, record_header};

    use super::*;

    #[test]
    fn whole_records_end_where_a_frame_ends() {
        let mut records = Vec::new();
        let mut ends = vec![0];
        for length in [0, 1, 60, 1514] {
            let data = vec![7; length];
            let frame = Frame {
                timestamp_ns: 1,
                data: &data,
                origlen: 1514,
                link_type: LinkType::ETHERNET,
                interface: 0,
                number: 0,
                worker: None,
            };
            records.extend_from_slice(&record_header(&frame));
            records.extend_from_slice(&data);
            ends.push(records.len());
        }
        for cut in 0..=records.len() {
            let frames = ends.iter().rposition(|&end| end <= cut).expect("0 is an end");
            assert_eq!(whole_records(&records[..cut]), (ends[frames], frames as u64), "cut at {cut}");
        }
    }
}
