//! The numbers that the outside sees: each worker publishes its own between two blocks, and a snapshot adds them up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::{AppError, AppProtocol};
use serde::Serialize;
use wire::{DecodeError, DecodeErrorKind, EncapsulationKind, Layer};

use crate::flow::FlowEnd;
use crate::punt::PuntCounts;

/// What became of a frame in the analysis; the second account of law 4.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Analysis {
    /// Counted in a flow.
    pub flow: u64,
    /// Carried no IP packet.
    pub non_ip: u64,
    /// Seen before, and left out of the accounting.
    pub duplicate: u64,
    /// Could not be decoded.
    pub undecodable: u64,
    /// Did not pass the filter.
    pub filtered: u64,
    /// Found no place in the flow table.
    pub table_full: u64,
}

/// What one interface has given.
#[derive(Debug, Clone, Default)]
pub struct InterfaceCounters {
    /// Frames taken from it.
    pub captured_frames: u64,
    /// Their lengths on the wire in bytes.
    pub captured_bytes: u64,
    /// Frames that the kernel counted, its drops included.
    pub kernel_packets: u64,
    /// Frames that the kernel dropped for want of room.
    pub kernel_dropped: u64,
    /// How often the kernel found the ring full.
    pub kernel_freezes: u64,
}

/// What one worker has counted since it started.
#[derive(Debug, Clone)]
pub struct WorkerCounters {
    /// By index of the interface.
    pub interfaces: Vec<InterfaceCounters>,
    /// What became of the frames.
    pub analysis: Analysis,
    /// Frames that went on their way to the ring.
    pub ring_handed: u64,
    /// Frames that were not stored because the ring's writer was behind.
    pub ring_dropped_slow: u64,
    /// Frames that were not stored because the ring is off.
    pub ring_off: u64,
    /// Frames that were not stored because they are behind the first bytes of their flow.
    pub ring_cut: u64,
    /// Their lengths on the wire in bytes.
    pub ring_cut_bytes: u64,
    /// By layer and kind.
    pub decode_errors: [[u64; DecodeErrorKind::ALL.len()]; Layer::ALL.len()],
    /// Frames by kind of encapsulation.
    pub encapsulations: [u64; EncapsulationKind::ALL.len()],
    /// Live flows.
    pub flows_active: u64,
    /// Records by reason.
    pub flows_ended: [u64; FlowEnd::ALL.len()],
    /// Meetings of flows with entries, by the list's name.
    pub list_hits: Vec<(String, u64)>,
    /// Rises while the worker lives.
    pub progress: u64,
    /// Lasting jumps of the clock.
    pub clock_jumps: u64,
    /// Records that were not handed on because the reader of the records was behind.
    pub records_dropped: u64,
    /// Reports of watchlist meetings that were not handed on because nobody took them.
    pub hits_dropped: u64,
    /// Names, URLs and fingerprints of lists that flows showed and that were not reported for want of room.
    pub meetings_forgotten: u64,
    /// Packets whose copies would go unseen, because too many were remembered.
    pub copies_forgotten: u64,
    /// What was heard in flows.
    pub names: NameCounters,
    /// Frames of control protocols by what became of them.
    pub punted: PuntCounts,
    /// Datagrams in fragments that were forgotten before their last fragment came, because too many were remembered.
    pub fragments_forgotten: u64,
    /// Flows that tell of no layers, because too many stacks of them were seen.
    pub flows_without_layers: u64,
    /// Frames of mirror sessions that are not told apart, because there were too many.
    pub frames_without_source: u64,
}

/// What one worker has heard in its flows.
#[derive(Debug, Clone)]
pub struct NameCounters {
    /// Flows by protocol, counted when it is known, or when it will not be.
    pub flows: [u64; AppProtocol::ALL.len()],
    /// What could not be read, by protocol and reason.
    pub errors: [[u64; AppError::ALL.len()]; AppProtocol::ALL.len()],
    /// Bytes that are kept of conversations now.
    pub held_bytes: u64,
    /// Flows that were no longer listened to for want of room.
    pub given_up: u64,
    /// Messages that passed by SMTP, whatever became of them.
    pub smtp_messages: u64,
}

impl Default for NameCounters {
    fn default() -> Self {
        Self {
            flows: [0; AppProtocol::ALL.len()],
            errors: [[0; AppError::ALL.len()]; AppProtocol::ALL.len()],
            held_bytes: 0,
            given_up: 0,
            smtp_messages: 0,
        }
    }
}

impl WorkerCounters {
    /// Zeros for this many interfaces.
    pub fn new(interfaces: usize) -> Self {
        Self {
            interfaces: vec![InterfaceCounters::default(); interfaces],
            analysis: Analysis::default(),
            ring_handed: 0,
            ring_dropped_slow: 0,
            ring_off: 0,
            ring_cut: 0,
            ring_cut_bytes: 0,
            decode_errors: Default::default(),
            encapsulations: Default::default(),
            flows_active: 0,
            flows_ended: Default::default(),
            list_hits: Vec::new(),
            progress: 0,
            clock_jumps: 0,
            records_dropped: 0,
            hits_dropped: 0,
            meetings_forgotten: 0,
            copies_forgotten: 0,
            names: NameCounters::default(),
            fragments_forgotten: 0,
            flows_without_layers: 0,
            frames_without_source: 0,
            punted: PuntCounts::default(),
        }
    }

    /// Counts a frame that could not be decoded.
    #[cold]
    pub fn count_error(&mut self, error: DecodeError) {
        self.analysis.undecodable += 1;
        self.decode_errors[error.layer as usize][error.kind as usize] += 1;
    }

    /// Counts a meeting of a flow with an entry of this list.
    pub fn count_list_hit(&mut self, list: &str) {
        match self.list_hits.iter_mut().find(|(name, _)| name == list) {
            Some((_, hits)) => *hits += 1,
            None => self.list_hits.push((list.to_owned(), 1)),
        }
    }
}

/// The last published numbers of one worker.
#[derive(Debug)]
pub struct Published(Mutex<WorkerCounters>);

impl Published {
    /// Zeros for this many interfaces.
    pub fn new(interfaces: usize) -> Self {
        Self(Mutex::new(WorkerCounters::new(interfaces)))
    }

    /// Replaces the numbers; called between two blocks.
    pub fn publish(&self, counters: &WorkerCounters) {
        lock(&self.0).clone_from(counters);
    }

    /// A copy of the numbers.
    pub fn read(&self) -> WorkerCounters {
        lock(&self.0).clone()
    }
}

/// Takes a lock that a panicked holder cannot have left half-written in a way that matters to a reader of numbers.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an interface gives frames; the label `state`.
#[derive(Debug, Default)]
pub struct LinkState {
    /// Whether frames can arrive now.
    pub up: AtomicBool,
    /// Bytes of ring that the kernel granted.
    pub granted_ring_bytes: AtomicU64,
    /// Link-layer type, LINKTYPE number.
    pub link_type: AtomicU64,
    /// Why it is not up.
    pub reason: Mutex<String>,
}

/// A log file or other receiver of records.
#[derive(Debug, Default)]
pub struct SinkState {
    /// Records written.
    pub written: AtomicU64,
    /// Records lost.
    pub dropped: AtomicU64,
    /// The last failure, empty when all is well.
    pub error: Mutex<String>,
}

impl SinkState {
    /// Counts one record as written.
    pub fn wrote(&self, records: u64) {
        self.written.fetch_add(records, Ordering::Relaxed);
    }

    /// Counts records as lost and keeps the reason.
    pub fn lost(&self, records: u64, reason: &str) {
        self.dropped.fetch_add(records, Ordering::Relaxed);
        reason.clone_into(&mut lock(&self.error));
    }

    /// All is well again.
    pub fn recovered(&self) {
        lock(&self.error).clear();
    }
}
