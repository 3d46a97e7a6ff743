//! Frames from interfaces: the loop of a worker that captures.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use capture::{AfPacket, AfPacketConfig, CaptureError, Fanout, OwnedBlock, wait};
use crossbeam_channel::Receiver;

use crate::counters::{LinkState, lock};
use crate::pipeline::Worker;

/// An idle interface hands its last frames over after this time.
pub const BLOCK_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a worker without frames waits before it looks up.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// How often the kernel's statistics are fetched and a lost interface is tried again.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A frame may wait in the kernel's block and in ours: idle time passes this much behind the clock.
const IDLE_LAG_NS: u64 = 500_000_000;
/// Blocks of one interface that are taken before the next one is looked at.
const BLOCKS_A_TURN: usize = 8;

/// The rings of one interface, one for each worker. The kernel knows them by the order in which they were opened, and
/// anew when one of them is closed: so they are opened together, and given up together.
pub struct Rings {
    config: AfPacketConfig,
    /// Where there is more than one ring.
    fanout: Option<Fanout>,
    places: Mutex<Places>,
}

/// Where the rings of an interface are.
struct Places {
    /// Opened and not yet taken by their workers.
    waiting: Vec<Option<AfPacket>>,
    /// How many the workers have.
    taken: usize,
}

impl Places {
    fn open(&self) -> usize {
        self.taken + self.waiting.iter().flatten().count()
    }
}

impl Rings {
    /// As many rings as workers; with a fanout where that is more than one. Nothing is opened yet.
    pub fn new(config: AfPacketConfig, fanout: Fanout, workers: usize) -> Self {
        let waiting = (0..workers).map(|_| None).collect();
        let fanout = (workers > 1).then_some(fanout);
        Self { config, fanout, places: Mutex::new(Places { waiting, taken: 0 }) }
    }

    /// The ring of a worker that has none, if it is there. The first one who asks when all are given up opens all.
    fn take(&self, worker: usize) -> Result<Option<AfPacket>, CaptureError> {
        let mut places = lock(&self.places);
        if places.open() == 0 {
            let opened = match &self.fanout {
                Some(fanout) => AfPacket::open_group(&self.config, fanout, places.waiting.len())?,
                None => vec![AfPacket::open(&self.config)?],
            };
            places.waiting = opened.into_iter().map(Some).collect();
        }
        let socket = places.waiting[worker].take();
        places.taken += usize::from(socket.is_some());
        Ok(socket)
    }

    /// Closes the ring that a worker has, and what the others have not yet taken.
    fn give_up(&self, socket: AfPacket) {
        let mut places = lock(&self.places);
        drop(socket);
        places.taken -= 1;
        places.waiting.fill_with(|| None);
    }

    /// Takes a ring back that stays open: as long as one worker reads, the places of the others must not change.
    fn put_back(&self, worker: usize, socket: AfPacket) {
        let mut places = lock(&self.places);
        places.taken -= 1;
        places.waiting[worker] = Some(socket);
    }

    /// Whether no worker has given its ring up.
    fn are_whole(&self) -> bool {
        let places = lock(&self.places);
        places.open() == places.waiting.len()
    }
}

/// A worker's ring of one interface, opened again when the interface comes back.
pub struct LiveSource {
    index: usize,
    worker: usize,
    rings: Arc<Rings>,
    socket: Option<AfPacket>,
    state: Arc<LinkState>,
}

impl LiveSource {
    /// Takes the ring of a worker; an interface that is down is waited for.
    ///
    /// # Errors
    /// The interface does not exist, may not be opened, or the filter is wrong.
    pub fn open(index: usize, worker: usize, rings: Arc<Rings>, state: Arc<LinkState>) -> Result<Self, CaptureError> {
        let mut source = Self { index, worker, rings, socket: None, state };
        match source.reopen() {
            Ok(()) | Err(CaptureError::InterfaceDown { .. }) => Ok(source),
            Err(error) => Err(error),
        }
    }

    fn reopen(&mut self) -> Result<(), CaptureError> {
        match self.rings.take(self.worker) {
            Ok(Some(socket)) => {
                self.state.link_type.store(u64::from(socket.link_type().0), Ordering::Relaxed);
                self.state.granted_ring_bytes.store(socket.granted_ring_bytes() as u64, Ordering::Relaxed);
                self.socket = Some(socket);
                self.set_up(None);
                Ok(())
            }
            // Other workers have yet to see that the interface went away.
            Ok(None) => Ok(()),
            Err(error) => {
                self.set_up(Some(&error));
                Err(error)
            }
        }
    }

    fn set_up(&self, error: Option<&CaptureError>) {
        self.state.up.store(error.is_none(), Ordering::Relaxed);
        *lock(&self.state.reason) = error.map(ToString::to_string).unwrap_or_default();
    }

    /// Takes what the kernel has ready, a few blocks at most; `true` if there was anything.
    fn turn(&mut self, worker: &mut Worker) -> bool {
        let Some(socket) = &mut self.socket else { return false };
        for taken in 0..BLOCKS_A_TURN {
            match socket.try_block() {
                Some(block) => worker.process_block(&block, Instant::now()),
                None => return taken > 0,
            }
        }
        true
    }

    fn give_up(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.rings.give_up(socket);
        }
    }

    /// Fetches the kernel's statistics and sees whether the interface is still there.
    fn check(&mut self, worker: &mut Worker) {
        let Some(socket) = &mut self.socket else {
            // The reason is kept for whoever asks; the next try is a second away.
            let _ = self.reopen();
            return;
        };
        if let Ok(statistics) = socket.statistics() {
            worker.count_kernel(self.index, statistics);
        }
        match socket.check() {
            Ok(()) if self.rings.are_whole() => self.set_up(None),
            Ok(()) => self.give_up(),
            Err(error) => {
                if !matches!(error, CaptureError::InterfaceDown { .. }) {
                    self.give_up();
                }
                self.set_up(Some(&error));
            }
        }
    }
}

/// Captures until `stop` is set, then takes what has arrived by then.
pub fn run(mut worker: Worker, mut sources: Vec<LiveSource>, handed_in: &Receiver<OwnedBlock>, stop: &AtomicBool) {
    let mut checked = Instant::now();
    let mut stopping: Option<Instant> = None;
    loop {
        let mut busy = false;
        for source in &mut sources {
            busy |= source.turn(&mut worker);
        }
        while let Ok(block) = handed_in.try_recv() {
            worker.process_block(&block, Instant::now());
            busy = true;
        }
        if stopping.is_none() && stop.load(Ordering::Acquire) {
            stopping = Some(Instant::now());
        }
        if stopping.is_some_and(|since| since.elapsed() > BLOCK_TIMEOUT * 3) {
            break;
        }
        let failed = if busy { false } else { idle(&mut worker, &sources, handed_in) };
        if failed || checked.elapsed() >= CHECK_INTERVAL {
            checked = Instant::now();
            for source in &mut sources {
                source.check(&mut worker);
            }
        }
    }
    for source in &mut sources {
        source.check(&mut worker);
        if let Some(socket) = source.socket.take() {
            source.rings.put_back(source.worker, socket);
        }
    }
    worker.finish();
}

/// Waits for frames and lets time pass; `true` if a socket has an error.
fn idle(worker: &mut Worker, sources: &[LiveSource], handed_in: &Receiver<OwnedBlock>) -> bool {
    let fds: Vec<RawFd> = sources.iter().filter_map(|source| source.socket.as_ref().map(AfPacket::fd)).collect();
    let wake = if fds.is_empty() {
        if let Ok(block) = handed_in.recv_timeout(IDLE_WAIT) {
            worker.process_block(&block, Instant::now());
            return false;
        }
        capture::Wake::default()
    } else {
        wait(&fds, IDLE_WAIT).unwrap_or_default()
    };
    if !wake.ready {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ns = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX);
        worker.idle(wall_ns.saturating_sub(IDLE_LAG_NS), Instant::now());
    }
    wake.failed
}
