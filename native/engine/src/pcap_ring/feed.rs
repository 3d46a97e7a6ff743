//! A worker's end of the ring: frames go into chunks, and at a block's end chunks go to the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use capture::{Frame, LinkType};
use crossbeam_channel::Sender;

use super::WhenFull;
use super::chunk::{Chunk, ChunkPool, RECORD_HEADER_BYTES};
use super::keys::KeyFilter;
use super::segment::FILE_HEADER_BYTES;
use super::writer::{Message, Shared};

/// A chunk that is not full is handed over this often, so that the open file is at most a second behind.
const FLUSH_INTERVAL: Duration = Duration::from_millis(500);

/// What all segments of a feed have in common.
#[derive(Debug)]
pub(super) struct Stream {
    /// Number of the feed in the ring.
    pub(super) id: u64,
    /// Interface as a part of file names.
    pub(super) interface: String,
    /// Which worker feeds.
    pub(super) worker: usize,
    /// Link-layer header type of every frame.
    pub(super) link_type: LinkType,
    /// For the file header.
    pub(super) snaplen: u32,
    /// Chunks that the writer is done with.
    pub(super) done_chunks: AtomicU64,
}

/// When a segment is full.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentLimits {
    /// Largest file in bytes; only a larger single frame makes one larger.
    pub(super) bytes: u64,
    /// Packet time from the first frame; a frame so much later begins the next segment. `u64::MAX` for no limit.
    pub(super) time_ns: u64,
}

/// What feeds and ring share.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) queue: Sender<Message>,
    pub(super) pool: Arc<ChunkPool>,
    pub(super) shared: Arc<Shared>,
    pub(super) when_full: WhenFull,
}

/// Takes the frames of one interface, link type and worker. Dropping it hands over what is left and closes the segment.
#[derive(Debug)]
pub struct RingFeed {
    stream: Arc<Stream>,
    link: Link,
    limits: SegmentLimits,
    filling: Option<Chunk>,
    full: Vec<Chunk>,
    /// Bytes that still fit into the chunk being filled and into the segment.
    room_bytes: usize,
    /// Counts the feed's segments.
    segment: u64,
    /// Bytes of the segment without the chunk being filled, its header included.
    segment_bytes: u64,
    /// A frame from this time on begins the next segment.
    rotate_at_ns: u64,
    flushed_at: Instant,
    submitted_chunks: u64,
    handed_frames: u64,
    dropped_slow_frames: u64,
    /// The last frame was taken, and nothing was noted of it yet.
    describes: bool,
}

impl RingFeed {
    pub(super) fn new(stream: Stream, link: Link, limits: SegmentLimits) -> Self {
        Self {
            stream: Arc::new(stream),
            link,
            limits,
            filling: None,
            full: Vec::new(),
            room_bytes: 0,
            segment: 0,
            segment_bytes: FILE_HEADER_BYTES,
            rotate_at_ns: 0,
            flushed_at: Instant::now(),
            submitted_chunks: 0,
            handed_frames: 0,
            dropped_slow_frames: 0,
            describes: false,
        }
    }

    /// Copies a frame into the ring's memory, or counts it as dropped when the writer is too slow ([`WhenFull`]).
    #[inline]
    pub fn store(&mut self, frame: &Frame<'_>) {
        debug_assert_eq!(frame.link_type, self.stream.link_type);
        // No allocation, lock, log or clock on the way of a frame that fits; others are about one in thousands.
        let length = RECORD_HEADER_BYTES + frame.data.len();
        let fits = length <= self.room_bytes && frame.timestamp_ns < self.rotate_at_ns;
        if !fits && !self.make_room(length, frame.timestamp_ns) {
            self.dropped_slow_frames += 1;
            self.describes = false;
            return;
        }
        if let Some(chunk) = &mut self.filling {
            chunk.push(frame);
            self.room_bytes -= length;
            self.handed_frames += 1;
            self.describes = true;
        }
    }

    /// Notes for the index what the frame that was stored last can be found by. What is left out makes the frames around
    /// it be read at each search.
    #[inline]
    pub(crate) fn describe(&mut self, note: impl FnOnce(&mut KeyFilter)) {
        if let (Some(chunk), true) = (&mut self.filling, self.describes) {
            self.describes = false;
            chunk.describe(note);
        }
    }

    /// Frames taken so far. Each is or will be stored, dropped_full or dropped_error ([`super::RingAccounts`]).
    pub fn handed_frames(&self) -> u64 {
        self.handed_frames
    }

    /// Frames dropped so far because all of the ring's memory waited for the disk.
    pub fn dropped_slow_frames(&self) -> u64 {
        self.dropped_slow_frames
    }

    /// Hands full chunks to the writer, and twice a second one that is not full. To be called after each block and,
    /// when no frames come, at least every 100 ms.
    ///
    /// **Publish the counters first**: the writer counts a frame as stored any moment after this, and a reader that
    /// then saw an older [`Self::handed_frames`] would find more frames stored than there were. `now` is monotonic; a
    /// caller without a clock (capture files) passes the same instant each time and hands over full chunks only.
    pub fn end_block(&mut self, now: Instant) {
        self.submit_full();
        if now.saturating_duration_since(self.flushed_at) < FLUSH_INTERVAL {
            return;
        }
        // While the writer is busy with an earlier chunk, small ones would only use up the memory that a stall needs.
        if self.stream.done_chunks.load(Ordering::Relaxed) == self.submitted_chunks {
            self.flushed_at = now;
            self.seal();
            self.submit_full();
        }
    }

    /// Hands everything over and closes the segment. Returns before it is written: [`super::PcapRing::close`] waits.
    /// Publish the counters first, as for [`Self::end_block`].
    pub fn close(self) {
        drop(self);
    }

    /// Begins a chunk that has room for `length` bytes, in a new segment if the current one may not take them.
    #[cold]
    fn make_room(&mut self, length: usize, timestamp_ns: u64) -> bool {
        let Some(chunk) = self.link.pool.take(length, self.link.when_full) else { return false };
        self.seal();
        if timestamp_ns >= self.rotate_at_ns || self.segment_bytes + length as u64 > self.limits.bytes {
            self.begin_segment(timestamp_ns);
        }
        let segment_room = usize::try_from(self.limits.bytes.saturating_sub(self.segment_bytes)).unwrap_or(usize::MAX);
        self.room_bytes = segment_room.min(self.link.pool.chunk_bytes()).max(length);
        self.filling = Some(Chunk { segment: self.segment, ..chunk });
        true
    }

    /// Time that runs backwards, or to and fro, cannot rotate without end: a rotation by time puts the next one later
    /// than any time before, and only a rotation by size, which is rare, takes an earlier time again.
    fn begin_segment(&mut self, timestamp_ns: u64) {
        if self.segment_bytes > FILE_HEADER_BYTES {
            if let Some(last) = self.full.last_mut() {
                last.ends_segment = true;
            }
            self.segment += 1;
            self.segment_bytes = FILE_HEADER_BYTES;
        }
        self.rotate_at_ns = timestamp_ns.saturating_add(self.limits.time_ns);
    }

    /// Ends the chunk being filled.
    fn seal(&mut self) {
        self.room_bytes = 0;
        if let Some(chunk) = self.filling.take() {
            self.segment_bytes += chunk.bytes.len() as u64;
            self.full.push(chunk);
        }
    }

    fn submit_full(&mut self) {
        for chunk in self.full.drain(..) {
            self.submitted_chunks += 1;
            self.link.pool.submitted();
            // The queue has a place for every chunk there is, so this does not wait.
            if let Err(refused) = self.link.queue.send(Message::Chunk(Arc::clone(&self.stream), chunk)) {
                let Message::Chunk(stream, chunk) = refused.into_inner() else { continue };
                self.link.shared.dropped_error_frames.fetch_add(chunk.frames, Ordering::Release);
                stream.done_chunks.fetch_add(1, Ordering::Relaxed);
                self.link.pool.give_back(chunk);
            }
        }
    }
}

impl Drop for RingFeed {
    fn drop(&mut self) {
        self.seal();
        self.submit_full();
        // Without a writer there is no segment to close.
        let _ = self.link.queue.send(Message::End(self.stream.id));
    }
}
