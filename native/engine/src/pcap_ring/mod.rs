//! The pcap ring: raw frames, in capture files that replace one another when their bounds are reached.
//!
//! Each worker has a [`RingFeed`] for each interface and link type. It copies frames as records into chunks of memory
//! and decides where a segment ends, by size and by packet time. At the end of a block it hands chunks to one writer
//! thread, which writes each with one write(2), closes and opens segments, deletes the oldest, and gives the chunk
//! back. Memory is bounded; when the disk is too slow, frames are dropped and counted, or waited for ([`WhenFull`]).
//!
//! # Files
//!
//! `<interface>-<worker>-<UTC time>-<sequence>.pcap`, nanosecond pcap, one link type each, frames in the order in which
//! they arrived. The one that is being written ends in `.pcap.part` and is a prefix of whole frames, at most a second
//! behind: a visible `.pcap` is a whole file. Most Linux file systems show a write(2) to readers page by page, so who
//! reads the open file just then sees a piece of a frame at its end. `.pcap.damaged` is one that a crash left
//! unreadable; it counts and is deleted as the others. `.lock` keeps a second process out. `<name>.idx` tells which parts
//! of a segment have to do with what; it counts and goes with its segment.
//!
//! # Accounts
//!
//! Every frame given to [`RingFeed::store`] is counted by the feed as handed or dropped_slow, and every handed one ends
//! as stored, dropped_full or dropped_error in [`RingAccounts`]. A snapshot closes to the frame if it is taken in this
//! order: first [`PcapRing::accounts`], then the numbers that the worker published *before* [`RingFeed::end_block`].
//! Then handed >= stored + dropped_full + dropped_error; the difference is in flight, and 0 after [`PcapRing::close`].

mod chunk;
mod directory;
mod feed;
mod index;
mod keys;
mod name;
mod retention;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use capture::LinkType;
use crossbeam_channel::bounded;
use serde::{Deserialize, Serialize};

use chunk::{ChunkPool, PoolSize};
use directory::Directory;
pub use feed::RingFeed;
use feed::{Link, SegmentLimits, Stream};

pub(crate) use index::{INDEX_SUFFIX, IndexBlock, ReadIndex, SegmentSpan, read_index, read_span};
pub(crate) use keys::{Key, note_frame};
pub(crate) use name::{FileTime, SegmentName};
use retention::{Limits, Retention};
pub(crate) use segment::{CLOSED_SUFFIX, DAMAGED_SUFFIX, FILE_HEADER_BYTES, OPEN_SUFFIX};
use writer::{Message, Shared, Writer, WriterConfig};

/// 64 MiB in all: half a second at 1 Gbit/s.
const POOL: PoolSize = PoolSize { chunk_bytes: 1 << 20, chunks: 64 };
/// Places in the queue beside those for chunks, for feeds that end.
const QUEUE_RESERVE: usize = 64;
/// A ring that has room for fewer segments than this would mostly be empty: it loses a whole one each time.
const LEAST_SEGMENTS: u64 = 4;
/// No bound makes segments smaller than this, in bytes.
const LEAST_SEGMENT_BYTES: u64 = 1 << 16;

/// Where the ring is and what bounds it; 0 is no bound.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingConfig {
    /// Where the segments are; created if it is not there.
    pub directory: PathBuf,
    /// Largest size of a segment, except that a single frame may be larger. A quarter of `max_size_bytes`, or of what
    /// the file system has beyond `min_free_bytes`, if that is less.
    pub segment_size_bytes: u64,
    /// Longest packet time in a segment.
    pub segment_time_seconds: f64,
    /// Bytes of all segments together.
    pub max_size_bytes: u64,
    /// Segments in all; those being written count, but are never deleted.
    pub max_segments: u64,
    /// Segments without a younger record are deleted; counted from the newest record in the ring.
    pub max_age_seconds: f64,
    /// Bytes that stay free on the file system.
    pub min_free_bytes: u64,
    /// Bytes of each flow that workers hand to the ring, as the flow's records count them; 0 for all frames.
    pub flow_cutoff_bytes: u64,
}

/// What [`RingFeed::store`] does when all of the ring's memory waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Live: drops the frame and counts it. Time also passes when no frame comes: silence ends a segment.
    Drop,
    /// Capture files: waits. Time is the packets' only.
    Wait,
}

/// Why a ring cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// Another ring has the directory.
    #[error("pcap ring: directory {} is held by another process (pid {})", path.display(), shown(*pid))]
    Held {
        /// The directory.
        path: PathBuf,
        /// The holder, as it wrote into the lock file.
        pid: Option<u32>,
    },
    /// The system refuses.
    #[error("pcap ring: cannot {operation} {}: {cause}", path.display())]
    Io {
        /// The step.
        operation: &'static str,
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Where frames that were handed to the writer have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RingAccounts {
    /// Written to a segment.
    pub stored_frames: u64,
    /// Dropped because there was no space and nothing left to delete.
    pub dropped_full_frames: u64,
    /// Dropped because the system refused to write.
    pub dropped_error_frames: u64,
}

/// What the ring holds, as the counters show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RingStatus {
    /// Bytes of all segments and their indexes.
    pub bytes: u64,
    /// Number of segments, those being written included.
    pub segments: u64,
    /// Time of the first frame of the oldest segment, nanoseconds since 1970-01-01 UTC; 0 if there is none.
    pub oldest_time_ns: u64,
    /// Bytes of segments and indexes written since the ring was opened.
    pub written_bytes: u64,
    /// Indexes that could not be written to their end.
    pub index_errors: u64,
    /// Free bytes of the file system.
    pub free_bytes: u64,
    /// Why the last frames were not stored; `None` once frames are stored again.
    pub error: Option<String>,
}

/// An open ring: the directory is held and the writer runs until it is closed or dropped.
#[derive(Debug)]
pub struct PcapRing {
    link: Link,
    limits: SegmentLimits,
    feeds: AtomicU64,
    writer: Mutex<Option<JoinHandle<()>>>,
    notes: Vec<String>,
}

impl PcapRing {
    /// Takes the directory, makes whole what a crash left, adopts the segments that are there, and starts the writer.
    ///
    /// # Errors
    /// [`RingError::Held`] if another ring has the directory; [`RingError::Io`] if it cannot be created, locked or
    /// read, or no thread can be started.
    pub fn open(config: &RingConfig, when_full: WhenFull) -> Result<Self, RingError> {
        Self::open_sized(config, when_full, POOL)
    }

    fn open_sized(config: &RingConfig, when_full: WhenFull, size: PoolSize) -> Result<Self, RingError> {
        let path = &config.directory;
        let io_error = |operation| move |cause| RingError::Io { operation, path: path.clone(), cause };
        let directory = Directory::open(path)?;
        let limits = segment_limits(config).map_err(io_error("ask for free space in"))?;
        let found = directory.adopt(limits.time_ns)?;
        let live = when_full == WhenFull::Drop;
        let retention = Retention::new(path, retention_limits(config), live, found.segments);
        let (queue, messages) = bounded(size.chunks + QUEUE_RESERVE);
        let (pool, shared) = (Arc::new(ChunkPool::new(size)), Arc::new(Shared::default()));
        let writer_config = WriterConfig { directory: path.clone(), segment_time_ns: limits.time_ns, live };
        let writer = Writer::new(writer_config, directory, retention, Arc::clone(&pool), Arc::clone(&shared));
        let thread = thread::Builder::new().name("pcap-ring".to_owned());
        let writer = thread.spawn(move || writer.run(&messages)).map_err(io_error("start the writer of"))?;
        let link = Link { queue, pool, shared, when_full };
        Ok(Self { link, limits, feeds: AtomicU64::new(0), writer: Mutex::new(Some(writer)), notes: found.notes })
    }

    /// What had to be repaired when the ring was opened, a sentence for each file.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A new feed: one for each interface, link type and worker. `snaplen` in bytes, for the file header.
    pub fn feed(&self, interface: &str, worker: usize, link_type: LinkType, snaplen: u32) -> RingFeed {
        let stream = Stream {
            id: self.feeds.fetch_add(1, Ordering::Relaxed),
            interface: name::file_safe(interface),
            worker,
            link_type,
            snaplen,
            done_chunks: AtomicU64::new(0),
        };
        RingFeed::new(stream, self.link.clone(), self.limits)
    }

    /// Where handed frames have ended; to be read before the feeds' published numbers (see the module).
    pub fn accounts(&self) -> RingAccounts {
        let shared = &self.link.shared;
        RingAccounts {
            stored_frames: shared.stored_frames.load(Ordering::Acquire),
            dropped_full_frames: shared.dropped_full_frames.load(Ordering::Acquire),
            dropped_error_frames: shared.dropped_error_frames.load(Ordering::Acquire),
        }
    }

    /// What the ring holds.
    pub fn status(&self) -> RingStatus {
        let shared = &self.link.shared;
        RingStatus {
            bytes: shared.bytes.load(Ordering::Relaxed),
            segments: shared.segments.load(Ordering::Relaxed),
            oldest_time_ns: shared.oldest_time_ns.load(Ordering::Relaxed),
            written_bytes: shared.written_bytes.load(Ordering::Relaxed),
            index_errors: shared.index_errors.load(Ordering::Relaxed),
            free_bytes: shared.free_bytes.load(Ordering::Relaxed),
            error: shared.error(),
        }
    }

    /// Chunks that wait for the writer, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        (self.link.queue.len(), self.link.queue.capacity().unwrap_or(0))
    }

    /// Writes all that feeds have handed over, closes every segment, and lets go of the directory. Close the feeds
    /// first: what they hand over later counts as dropped_error.
    pub fn close(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // Neither fails unless the writer is dead already.
            let _ = self.link.queue.send(Message::Stop);
            let _ = writer.join();
        }
    }
}

impl Drop for PcapRing {
    fn drop(&mut self) {
        self.close();
    }
}

fn segment_limits(config: &RingConfig) -> io::Result<SegmentLimits> {
    let space = rustix::fs::statvfs(&config.directory)?;
    let usable = space.f_blocks.saturating_mul(space.f_frsize).saturating_sub(config.min_free_bytes);
    let share = usable.min(bound(config.max_size_bytes)) / LEAST_SEGMENTS;
    let bytes = bound(config.segment_size_bytes).min(share.max(LEAST_SEGMENT_BYTES));
    Ok(SegmentLimits { bytes, time_ns: bound(nanoseconds(config.segment_time_seconds)) })
}

fn retention_limits(config: &RingConfig) -> Limits {
    Limits {
        bytes: bound(config.max_size_bytes),
        segments: bound(config.max_segments),
        age_ns: bound(nanoseconds(config.max_age_seconds)),
        free_bytes: config.min_free_bytes,
    }
}

fn shown(pid: Option<u32>) -> String {
    pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string())
}

/// 0 is no bound.
fn bound(limit: u64) -> u64 {
    if limit == 0 { u64::MAX } else { limit }
}

fn nanoseconds(seconds: f64) -> u64 {
    // A cast from float saturates, which is right here: longer than 584 years is no bound.
    (seconds * 1e9) as u64
}
