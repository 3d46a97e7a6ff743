//! The one thread of a ring that writes, closes and deletes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::chunk::{Chunk, ChunkPool};
use super::directory::{Directory, Found};
use super::feed::Stream;
use super::name::SegmentName;
use super::retention::{ClosedSegment, OpenTotals, Retention};
use super::segment::{CLOSED_SUFFIX, FILE_HEADER_BYTES, OpenSegment, is_no_space};

/// How often the bounds are held when nothing is written.
const TICK: Duration = Duration::from_secs(1);
/// How long after an error the next segment is tried.
const RETRY: Duration = Duration::from_secs(1);
/// A silent segment is closed so much after its time: rotation by packet time, which lags by the time that a chunk
/// waits, comes first where frames come.
const SILENCE_GRACE: Duration = Duration::from_secs(2);

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Records to write.
    Chunk(Arc<Stream>, Chunk),
    /// The feed of this number is gone.
    End(u64),
    /// Close everything and end.
    Stop,
}

/// What the writer publishes. Only its thread adds, except that feeds count what they hand to a dead writer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) stored_frames: AtomicU64,
    pub(super) dropped_full_frames: AtomicU64,
    pub(super) dropped_error_frames: AtomicU64,
    pub(super) written_bytes: AtomicU64,
    pub(super) index_errors: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) segments: AtomicU64,
    pub(super) oldest_time_ns: AtomicU64,
    pub(super) free_bytes: AtomicU64,
    error: Mutex<Option<String>>,
}

impl Shared {
    /// Why the last chunk was not stored.
    pub(super) fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_error(&self, error: Option<String>) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

/// Why the rest of a chunk is not stored.
#[derive(Debug)]
enum Loss {
    Full(String),
    Error(String),
}

/// How the writer works.
#[derive(Debug, Clone)]
pub(super) struct WriterConfig {
    /// The ring's directory.
    pub(super) directory: PathBuf,
    /// Packet time of a segment in nanoseconds.
    pub(super) segment_time_ns: u64,
    /// Packet time keeps step with the clock, so that silence can end a segment.
    pub(super) live: bool,
}

/// The writer's state.
#[derive(Debug)]
pub(super) struct Writer {
    config: WriterConfig,
    directory: Directory,
    retention: Retention,
    open: BTreeMap<u64, OpenSegment>,
    next_sequence: u64,
    retry_at: Option<Instant>,
    /// What [`Shared::error`] says, so that its lock is taken on a change only.
    failing: bool,
    pool: Arc<ChunkPool>,
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn new(
        config: WriterConfig,
        directory: Directory,
        retention: Retention,
        pool: Arc<ChunkPool>,
        shared: Arc<Shared>,
    ) -> Self {
        let next_sequence = retention.newest_sequence() + 1;
        let open = BTreeMap::new();
        let mut writer =
            Self { config, directory, retention, open, next_sequence, retry_at: None, failing: false, pool, shared };
        writer.tick(Instant::now());
        writer.publish();
        writer
    }

    /// Works until it is told to stop and everything that was handed over before is written.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        let mut tick_at = Instant::now() + TICK;
        loop {
            match queue.recv_deadline(tick_at) {
                Ok(Message::Chunk(stream, chunk)) => self.take(&stream, chunk),
                Ok(Message::End(stream)) => self.close(stream),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = Instant::now();
            if now >= tick_at {
                self.tick(now);
                tick_at = now + TICK;
            }
            self.publish();
        }
        while let Some(&stream) = self.open.keys().next() {
            self.close(stream);
        }
        self.publish();
        self.directory.leave_in_order();
    }

    fn take(&mut self, stream: &Stream, chunk: Chunk) {
        let mut left = chunk.frames;
        match self.store(stream, &chunk, &mut left) {
            Ok(()) if self.failing => self.recovered(),
            Ok(()) => {}
            Err(Loss::Full(why)) => {
                self.failed(why);
                self.shared.dropped_full_frames.fetch_add(left, Ordering::Release);
            }
            Err(Loss::Error(why)) => {
                self.failed(why);
                self.shared.dropped_error_frames.fetch_add(left, Ordering::Release);
            }
        }
        if chunk.ends_segment {
            self.close(stream.id);
        }
        self.pool.give_back(chunk);
        stream.done_chunks.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes a chunk; `left` are the frames that are not stored yet.
    fn store(&mut self, stream: &Stream, chunk: &Chunk, left: &mut u64) -> Result<(), Loss> {
        let mut rest = chunk.bytes.as_slice();
        loop {
            self.make_place(stream, chunk, rest.len() as u64)?;
            let Some(segment) = self.open.get_mut(&stream.id) else { continue };
            segment.newest_ns = segment.newest_ns.max(chunk.newest_ns);
            let (from, start) = (chunk.bytes.len() - rest.len(), segment.bytes);
            let index_bytes = segment.index_bytes();
            let appended = segment.append(rest, *left);
            segment.describe(chunk, from, start);
            let index_bytes = segment.index_bytes() - index_bytes;
            *left -= appended.frames;
            rest = &rest[appended.bytes..];
            self.shared.stored_frames.fetch_add(appended.frames, Ordering::Release);
            self.account(appended.bytes as u64 + index_bytes, chunk.oldest_ns);
            match appended.error {
                None => return Ok(()),
                Some(error) => self.make_usable(stream, &error)?,
            }
        }
    }

    /// Makes sure that the chunk's segment is open and that `bytes` may be appended to it.
    fn make_place(&mut self, stream: &Stream, chunk: &Chunk, bytes: u64) -> Result<(), Loss> {
        if self.open.get(&stream.id).is_some_and(|open| open.segment != chunk.segment) {
            self.close(stream.id);
        }
        let header_bytes = if self.open.contains_key(&stream.id) { 0 } else { FILE_HEADER_BYTES };
        self.retention.make_room(self.open_totals(), bytes + header_bytes).map_err(Loss::Full)?;
        if header_bytes > 0 {
            let segment = self.create(stream, chunk)?;
            self.open.insert(stream.id, segment);
            self.account(header_bytes, chunk.oldest_ns);
        }
        Ok(())
    }

    /// After a failed write: makes space, or gives the segment up.
    fn make_usable(&mut self, stream: &Stream, error: &io::Error) -> Result<(), Loss> {
        let torn = self.open.get(&stream.id).is_some_and(OpenSegment::is_torn);
        let text = format!("cannot write to {}: {error}", self.config.directory.display());
        if is_no_space(error) && !torn {
            return self.retention.delete_oldest().map_err(|why| Loss::Full(format!("{text}, {why}")));
        }
        self.close(stream.id);
        self.retry_at = Some(Instant::now() + RETRY);
        Err(Loss::Error(text))
    }

    fn create(&mut self, stream: &Stream, chunk: &Chunk) -> Result<OpenSegment, Loss> {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return Err(Loss::Error(self.shared.error().unwrap_or_default()));
        }
        self.retry_at = None;
        loop {
            self.retention.make_room_for_segment(self.open_totals());
            let name = self.next_name(stream, chunk.first_ns);
            match OpenSegment::create(&self.config.directory, name, stream, chunk.segment) {
                Ok(segment) => return Ok(segment),
                Err(error) => self.make_creatable(&error)?,
            }
        }
    }

    fn next_name(&mut self, stream: &Stream, start_ns: u64) -> SegmentName {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        SegmentName { interface: stream.interface.clone(), worker: stream.worker, start_ns, sequence }
    }

    /// After a segment could not be created: makes space, or the directory.
    fn make_creatable(&mut self, error: &io::Error) -> Result<(), Loss> {
        let text = format!("cannot create a segment in {}: {error}", self.config.directory.display());
        if is_no_space(error) {
            return self.retention.delete_oldest().map_err(|why| Loss::Full(format!("{text}, {why}")));
        }
        let made = if self.directory.is_in_place() { Err(text) } else { self.find_directory() };
        made.map_err(|why| {
            self.retry_at = Some(Instant::now() + RETRY);
            Loss::Error(why)
        })
    }

    fn close(&mut self, stream: u64) {
        let Some(mut segment) = self.open.remove(&stream) else { return };
        segment.end_index();
        let index_errors = u64::from(segment.index_failed());
        self.shared.index_errors.fetch_add(index_errors, Ordering::Relaxed);
        let (bytes, newest_ns) = (segment.bytes + segment.index_bytes(), segment.newest_ns);
        match segment.close() {
            Ok(Some(name)) => {
                self.retention.add(ClosedSegment { name, suffix: CLOSED_SUFFIX, bytes, newest_ns });
            }
            Ok(None) => {}
            Err(error) => {
                self.failed(format!("cannot close a segment in {}: {error}", self.config.directory.display()));
            }
        }
    }

    fn tick(&mut self, now: Instant) {
        if !self.directory.is_in_place() {
            // Where that fails the next chunk tells.
            let _ = self.find_directory();
        }
        // A file that somebody deleted takes writes as before, and keeps none.
        self.open.retain(|_, segment| segment.is_linked());
        if self.config.live {
            let silence = Duration::from_nanos(self.config.segment_time_ns).saturating_add(SILENCE_GRACE);
            let over = |segment: &OpenSegment| now.saturating_duration_since(segment.opened) >= silence;
            let silent: Vec<u64> = self.open.iter().filter(|(_, s)| over(s)).map(|(&stream, _)| stream).collect();
            for stream in silent {
                self.close(stream);
            }
        }
        // Whether there is space for frames is told when there are frames.
        let _ = self.retention.enforce(self.open_totals(), now);
    }

    /// Makes the directory again after it was removed or moved away; what was open went with it.
    ///
    /// # Errors
    /// In words, if it cannot be made or somebody else has it now.
    fn find_directory(&mut self) -> Result<(), String> {
        let path: &Path = &self.config.directory;
        let reopened = Directory::open(path).and_then(|directory| {
            let found = directory.adopt(self.config.segment_time_ns)?;
            Ok((directory, found))
        });
        self.open.clear();
        self.retention.replace(Vec::new());
        let (directory, Found { segments, .. }) = reopened.map_err(|error| error.to_string())?;
        self.directory = directory;
        self.retention.replace(segments);
        self.next_sequence = self.next_sequence.max(self.retention.newest_sequence() + 1);
        Ok(())
    }

    fn account(&mut self, bytes: u64, oldest_ns: u64) {
        self.shared.written_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.retention.stored(bytes, oldest_ns, Instant::now());
    }

    fn open_totals(&self) -> OpenTotals {
        OpenTotals {
            bytes: self.open.values().map(|s| s.bytes + s.index_bytes()).sum(),
            segments: self.open.len() as u64,
        }
    }

    fn failed(&mut self, why: String) {
        self.failing = true;
        self.shared.set_error(Some(why));
    }

    fn recovered(&mut self) {
        self.failing = false;
        self.shared.set_error(None);
    }

    fn publish(&self) {
        let open = self.open_totals();
        let open_names = self.open.values().map(|segment| &segment.name);
        let oldest = open_names.chain(self.retention.oldest()).min_by_key(|name| name.sequence);
        let shared = &self.shared;
        shared.bytes.store(self.retention.closed_bytes() + open.bytes, Ordering::Relaxed);
        shared.segments.store(self.retention.closed_segments() + open.segments, Ordering::Relaxed);
        shared.oldest_time_ns.store(oldest.map_or(0, |name| name.start_ns), Ordering::Relaxed);
        shared.free_bytes.store(self.retention.free_bytes(), Ordering::Relaxed);
    }
}
