//! Chunks of whole records, and the bounded store that they come from and go back to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use capture::{Frame, record_header};

use super::WhenFull;
use super::index::BLOCK_BYTES;
use super::keys::KeyFilter;

/// Bytes of a record's header in a capture file.
pub(super) const RECORD_HEADER_BYTES: usize = 16;

/// A part of a chunk of about [`BLOCK_BYTES`], and what its frames can be found by.
#[derive(Debug)]
pub(super) struct Described {
    /// First byte in the chunk.
    pub(super) start: usize,
    /// Earliest time of a frame.
    pub(super) oldest_ns: u64,
    /// Latest time of a frame.
    pub(super) newest_ns: u64,
    /// Frames that nothing was noted of: if there are any, the filter does not speak for the block.
    pub(super) undescribed: u32,
    /// What was noted.
    pub(super) filter: KeyFilter,
}

/// Records of one segment that follow one another, ready to be written as they are.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Record headers and frames.
    pub(super) bytes: Vec<u8>,
    /// Records in `bytes`.
    pub(super) frames: u64,
    /// Time of the first frame.
    pub(super) first_ns: u64,
    /// Earliest time of a frame.
    pub(super) oldest_ns: u64,
    /// Latest time of a frame.
    pub(super) newest_ns: u64,
    /// Which segment of its feed the records belong to.
    pub(super) segment: u64,
    /// Nothing more will come for the segment.
    pub(super) ends_segment: bool,
    /// What is in it, in blocks; each ends where the next begins.
    pub(super) blocks: Vec<Described>,
}

impl Chunk {
    fn new() -> Self {
        Self {
            bytes: Vec::new(),
            frames: 0,
            first_ns: 0,
            oldest_ns: u64::MAX,
            newest_ns: 0,
            segment: 0,
            ends_segment: false,
            blocks: Vec::new(),
        }
    }

    /// Appends a frame as a record; the caller has made sure that it fits.
    #[inline]
    pub(super) fn push(&mut self, frame: &Frame<'_>) {
        if self.frames == 0 {
            self.first_ns = frame.timestamp_ns;
        }
        self.frames += 1;
        self.oldest_ns = self.oldest_ns.min(frame.timestamp_ns);
        self.newest_ns = self.newest_ns.max(frame.timestamp_ns);
        self.note_time(frame);
        self.bytes.extend_from_slice(&record_header(frame));
        self.bytes.extend_from_slice(frame.data);
    }

    #[inline]
    fn note_time(&mut self, frame: &Frame<'_>) {
        let length = RECORD_HEADER_BYTES + frame.data.len();
        let fits = |block: &Described| self.bytes.len() + length - block.start <= BLOCK_BYTES;
        if !self.blocks.last().is_some_and(fits) {
            self.begin_block();
        }
        if let Some(block) = self.blocks.last_mut() {
            block.oldest_ns = block.oldest_ns.min(frame.timestamp_ns);
            block.newest_ns = block.newest_ns.max(frame.timestamp_ns);
            block.undescribed += 1;
        }
    }

    #[cold]
    fn begin_block(&mut self) {
        self.blocks.push(Described {
            start: self.bytes.len(),
            oldest_ns: u64::MAX,
            newest_ns: 0,
            undescribed: 0,
            filter: KeyFilter::default(),
        });
    }

    /// Notes what the frame that was pushed last can be found by; once a frame.
    #[inline]
    pub(super) fn describe(&mut self, note: impl FnOnce(&mut KeyFilter)) {
        if let Some(block) = self.blocks.last_mut() {
            note(&mut block.filter);
            block.undescribed -= 1;
        }
    }

    fn clear(&mut self, keep_bytes: usize) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        bytes.shrink_to(keep_bytes);
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.clear();
        *self = Self { bytes, blocks, ..Self::new() };
    }
}

/// How much memory the ring may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolSize {
    /// Bytes of a chunk; only a larger single frame makes one larger.
    pub(super) chunk_bytes: usize,
    /// Chunks in all.
    pub(super) chunks: usize,
}

/// The ring's memory. The chunk that came back last goes out first: it is still in the processor's cache, and chunks
/// that are never needed are never allocated.
#[derive(Debug)]
pub(super) struct ChunkPool {
    size: PoolSize,
    state: Mutex<PoolState>,
    returned: Condvar,
    /// All chunks are in use: spares who drops a frame the lock. A moment's delay only moves where drops begin or end.
    exhausted: AtomicBool,
}

#[derive(Debug, Default)]
struct PoolState {
    free: Vec<Chunk>,
    made: usize,
    at_writer: usize,
}

impl ChunkPool {
    pub(super) fn new(size: PoolSize) -> Self {
        Self { size, state: Mutex::default(), returned: Condvar::new(), exhausted: AtomicBool::new(false) }
    }

    /// Bytes of a chunk.
    pub(super) fn chunk_bytes(&self) -> usize {
        self.size.chunk_bytes
    }

    /// An empty chunk with room for at least `least_bytes`; `None` if all are in use and the caller shall not wait.
    ///
    /// A caller that waits gets one even beyond the ceiling when the writer holds none that could come back: feeds hand
    /// their chunks over at a block's end only, so that waiting would never end.
    pub(super) fn take(&self, least_bytes: usize, when_full: WhenFull) -> Option<Chunk> {
        if when_full == WhenFull::Drop && self.exhausted.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.lock();
        let mut chunk = loop {
            if let Some(chunk) = state.free.pop() {
                break chunk;
            }
            if state.made < self.size.chunks || (when_full == WhenFull::Wait && state.at_writer == 0) {
                state.made += 1;
                break Chunk::new();
            }
            if when_full == WhenFull::Drop {
                self.exhausted.store(true, Ordering::Relaxed);
                return None;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        chunk.bytes.reserve_exact(least_bytes.max(self.size.chunk_bytes));
        Some(chunk)
    }

    /// Notes that a chunk is on its way to the writer.
    pub(super) fn submitted(&self) {
        self.lock().at_writer += 1;
    }

    /// Takes a submitted chunk back.
    pub(super) fn give_back(&self, mut chunk: Chunk) {
        chunk.clear(self.size.chunk_bytes);
        let mut state = self.lock();
        state.at_writer -= 1;
        if state.made > self.size.chunks {
            state.made -= 1;
        } else {
            state.free.push(chunk);
            self.exhausted.store(false, Ordering::Relaxed);
        }
        self.returned.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        // The state is whole at every moment, so a holder that panicked has left nothing half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
