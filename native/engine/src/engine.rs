//! The engine as its owner sees it: inert until started, asked by polling, drained when stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use capture::{CaptureError, LinkType, OwnedBlock};
use crossbeam_channel::{Receiver, RecvTimeoutError, Select, Sender, TryRecvError};
use thiserror::Error;

use crate::config::{Backend, EngineConfig, Mode};
use crate::counters::{LinkState, Published, SinkState};
use crate::extract::{ExtractError, Selection};
use crate::merge::{MergeState, Notice, SecondDelta};
use crate::mirror::MirrorHealth;
use crate::offline::ReadState;
use crate::output::EventLog;
use crate::pcap_ring::{PcapRing, RingError};
use crate::query::HostQuery;
use crate::raw_mails::RawMails;
use crate::records::{RecordKind, RecordReader};
use crate::scan::Question;
use crate::watch::WatchSlot;
use crate::watchlist::Watchlists;
use crate::web::{WatchedWeb, WebRules};

/// What went wrong: operation, object and cause.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The configuration contradicts itself.
    #[error("engine configuration: {0}")]
    Config(String),
    /// Frames cannot be had.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The ring cannot be opened.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Frames cannot be written.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The system gave no thread.
    #[error("start thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The engine is not in a state for this.
    #[error("{0}")]
    State(&'static str),
    /// A thread of the engine has died; the process must end.
    #[error("a thread of the engine has died: {0}")]
    Dead(String),
    /// A question cannot be understood.
    #[error("{0}")]
    Query(String),
    /// An answer cannot be given as Arrow.
    #[error("make Arrow records: {0}")]
    Arrow(#[from] serde_arrow::Error),
    /// Records cannot be given as Arrow.
    #[error("make Arrow records: {0}")]
    Records(#[from] ArrowError),
}

/// What one poll gives.
#[derive(Debug, Default)]
pub struct Polled {
    /// Findings and hits, with packet time.
    pub notice: Notice,
    /// Whether no more will come.
    pub ended: bool,
}

/// Everything that others may look at while the engine runs.
pub(crate) struct Shared {
    pub(crate) config: EngineConfig,
    pub(crate) interfaces: Arc<[String]>,
    pub(crate) links: Vec<Arc<LinkState>>,
    pub(crate) published: Vec<Arc<Published>>,
    pub(crate) watch: Arc<WatchSlot>,
    pub(crate) eve: Arc<SinkState>,
    pub(crate) read: Arc<ReadState>,
    pub(crate) merge: Arc<MergeState>,
    pub(crate) web: WatchedWeb,
    /// How many messages may carry their bytes, if any do.
    pub(crate) raw_mails: Option<Arc<RawMails>>,
    /// Flows whose frames are wanted afterwards.
    pub(crate) selection: Option<Arc<Selection>>,
    /// Set once it is open; its accounts are asked for after the end, too.
    pub(crate) ring: OnceLock<Arc<PcapRing>>,
    /// Set once the engine has started, if any records are wanted; they are taken after the end, too.
    pub(crate) records: OnceLock<RecordReader>,
    pub(crate) records_state: Arc<SinkState>,
}

/// What exists only while the engine runs.
pub(crate) struct Running {
    pub(crate) log: Option<EventLog>,
    pub(crate) notices: Receiver<Notice>,
    pub(crate) seconds: Sender<SecondDelta>,
    pub(crate) acknowledge: Sender<()>,
    pub(crate) host_queries: Sender<HostQuery>,
    pub(crate) flow_queries: Vec<Sender<Question>>,
    pub(crate) handed_in: Sender<OwnedBlock>,
    pub(crate) workers: Vec<JoinHandle<()>>,
    pub(crate) others: Vec<JoinHandle<()>>,
    pub(crate) log_writer: Option<JoinHandle<()>>,
}

/// Captures, stores, decodes, accounts and judges, in threads of its own.
pub struct Engine {
    pub(crate) shared: Shared,
    running: RwLock<Option<Running>>,
    stop: Arc<AtomicBool>,
    /// Python has a notice that it has not yet dealt with (`read`).
    unacknowledged: AtomicBool,
}

impl Engine {
    /// An engine that has opened nothing.
    ///
    /// # Errors
    /// The configuration contradicts itself.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        let interfaces: Arc<[String]> = match config.mode {
            Mode::Live => config.interfaces.iter().map(|interface| interface.name.clone()).collect(),
            Mode::Read => config.files.iter().map(|file| file.to_string_lossy().into_owned()).collect(),
        };
        let libpcap = config.interfaces.iter().any(|interface| interface.backend == Backend::Libpcap);
        if interfaces.is_empty() || interfaces.len() > usize::from(u16::MAX) {
            return Err(EngineError::Config("between 1 and 65535 interfaces or files are needed".into()));
        }
        if config.workers == 0 || config.workers > 256 || (libpcap && config.workers > 1) {
            return Err(EngineError::Config("workers: 1 to 256, and exactly 1 with the libpcap backend".into()));
        }
        let web = config.web.as_ref().map(WatchedWeb::new).transpose();
        let web = web.map_err(|error| EngineError::Config(format!("web rule {}: {error}", error.index)))?;
        let web = web.unwrap_or_default();
        let links = interfaces.iter().map(|_| Arc::default()).collect();
        let published = (0..config.workers).map(|_| Arc::new(Published::new(interfaces.len()))).collect();
        let mirror = Mutex::new(MirrorHealth::new(config.mirror.clone(), Arc::clone(&interfaces)));
        let traffic = config.traffic.then(Mutex::default);
        let wanted = (!config.apps.is_empty()).then(|| Selection::new(&config.apps));
        let selection = wanted.transpose().map_err(EngineError::Config)?.map(Arc::new);
        let shared = Shared {
            selection,
            raw_mails: config.raw_mails.then(Arc::default),
            config,
            interfaces,
            links,
            published,
            watch: Arc::default(),
            eve: Arc::default(),
            read: Arc::default(),
            web,
            merge: Arc::new(MergeState { mirror, traffic, ..MergeState::default() }),
            ring: OnceLock::new(),
            records: OnceLock::new(),
            records_state: Arc::default(),
        };
        Ok(Self { shared, running: RwLock::new(None), stop: Arc::default(), unacknowledged: AtomicBool::new(false) })
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(crate) fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    pub(crate) fn set_running(&self, running: Running) {
        *self.running.write().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }

    /// What exists only while the engine runs.
    pub(crate) fn running(&self) -> RwLockReadGuard<'_, Option<Running>> {
        self.running.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news, at most `timeout`; returns at once when there are any. The call says as well that the last
    /// notice has been dealt with.
    ///
    /// # Errors
    /// A thread has died.
    pub fn poll(&self, timeout: Duration) -> Result<Polled, EngineError> {
        let notices = match &*self.running() {
            None => return Ok(Polled { ended: true, ..Polled::default() }),
            Some(running) => {
                if self.unacknowledged.swap(false, Ordering::AcqRel) {
                    // The merge thread waits for it where a log is written; if it is gone, the channel of notices says so below.
                    let _ = running.acknowledge.try_send(());
                }
                running.notices.clone()
            }
        };
        // Nothing is locked while this waits: others ask and count meanwhile.
        let mut polled = Polled::default();
        match self.next_notice(&notices, timeout) {
            Ok(notice) => polled.notice = self.gather(notice, &notices),
            Err(RecvTimeoutError::Timeout) => self.check_alive()?,
            Err(RecvTimeoutError::Disconnected) => {
                self.finish()?;
                polled.ended = true;
            }
        }
        if self.shared.config.mode == Mode::Live || polled.notice.time_ns == 0 {
            polled.notice.time_ns = polled.notice.time_ns.max(self.shared.merge.time_ns.load(Ordering::Relaxed));
        }
        Ok(polled)
    }

    /// In `read` nobody gets on while records wait to be taken, so that they end the wait, too.
    fn next_notice(&self, notices: &Receiver<Notice>, timeout: Duration) -> Result<Notice, RecvTimeoutError> {
        let records = self.shared.records.get().filter(|_| self.shared.config.mode == Mode::Read);
        let Some(records) = records else { return notices.recv_timeout(timeout) };
        let mut select = Select::new();
        select.recv(notices);
        records.select(&mut select);
        if !records.has_begun() && select.ready_timeout(timeout).is_err() {
            return Err(RecvTimeoutError::Timeout);
        }
        notices.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// Records that have gathered, as Arrow, one batch a kind at most; waits at most `timeout` for the first. `None` when
    /// no more will come, or none are wanted.
    ///
    /// # Errors
    /// A batch cannot be made.
    pub fn records(&self, timeout: Duration) -> Result<Option<Vec<(RecordKind, RecordBatch)>>, EngineError> {
        self.shared.records.get().map_or(Ok(None), |records| Ok(records.take(timeout)?))
    }

    /// Live, all that waits goes out together; in `read` one second after the other, each acknowledged for the log's sake.
    fn gather(&self, mut notice: Notice, notices: &Receiver<Notice>) -> Notice {
        if self.shared.config.mode == Mode::Read {
            self.unacknowledged.store(true, Ordering::Release);
            return notice;
        }
        while let Ok(more) = notices.try_recv() {
            notice.time_ns = notice.time_ns.max(more.time_ns);
            notice.hits.extend(more.hits);
            notice.findings.extend(more.findings);
            notice.web.extend(more.web);
            notice.beacons.extend(more.beacons);
            notice.conditions.extend(more.conditions);
            notice.punted.extend(more.punted);
            notice.routers.extend(more.routers);
            notice.mails.extend(more.mails);
            notice.logins.extend(more.logins);
        }
        notice
    }

    fn check_alive(&self) -> Result<(), EngineError> {
        let stopping = self.stop.load(Ordering::Acquire) || self.shared.config.mode == Mode::Read;
        let dead = |threads: &[JoinHandle<()>]| threads.iter().any(JoinHandle::is_finished);
        match &*self.running() {
            Some(running) if !stopping && (dead(&running.workers) || dead(&running.others)) => {
                Err(EngineError::Dead("it ended while frames were being captured".into()))
            }
            _ => Ok(()),
        }
    }

    /// Tells the threads to take what has arrived and end; [`Engine::poll`] gives the rest, until it says `ended`.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Joins all threads, the event log last.
    fn finish(&self) -> Result<(), EngineError> {
        let running = self.running.write().unwrap_or_else(PoisonError::into_inner).take();
        let Some(running) = running else { return Ok(()) };
        self.stop();
        let mut dead = None;
        drop((running.host_queries, running.flow_queries, running.seconds, running.handed_in));
        for thread in running.workers.into_iter().chain(running.others) {
            dead = thread.join().err().or(dead);
        }
        if let Some(ring) = self.shared.ring.get() {
            ring.close();
        }
        drop(running.log);
        if let Some(thread) = running.log_writer {
            dead = thread.join().err().or(dead);
        }
        match dead {
            None => Ok(()),
            Some(cause) => Err(EngineError::Dead(panic_text(cause.as_ref()))),
        }
    }

    /// Names of the interfaces or files, by index.
    pub fn interfaces(&self) -> Arc<[String]> {
        Arc::clone(&self.shared.interfaces)
    }

    /// Puts watchlists in force and gives their generation; flows that are open are judged at their next packet.
    pub fn replace_watchlists(&self, watchlists: Arc<Watchlists>) -> u32 {
        self.shared.watch.replace(watchlists)
    }

    /// Puts rules of web attacks in force, for conversations that begin from now on.
    pub fn replace_web_rules(&self, rules: Arc<WebRules>) {
        self.shared.web.replace(rules);
    }

    /// Writes a line of JSON to the event log, if there is one.
    pub fn log_event(&self, line: String) {
        if let Some(log) = self.running().as_ref().and_then(|running| running.log.as_ref()) {
            log.line(line);
        }
    }

    /// Takes frames, `(timestamp_ns, bytes)` each, from whoever captures on interface number `interface`.
    ///
    /// # Errors
    /// No such interface, or the engine does not run.
    pub fn hand_in(&self, interface: usize, frames: &[(u64, Vec<u8>)]) -> Result<(), EngineError> {
        let index = u16::try_from(interface).ok().filter(|&index| usize::from(index) < self.shared.links.len());
        let index = index.ok_or(EngineError::State("no such interface"))?;
        let guard = self.running();
        let running = guard.as_ref().ok_or(EngineError::State("the engine does not run"))?;
        let link_type = LinkType(self.shared.links[interface].link_type.load(Ordering::Relaxed) as u16);
        let block = OwnedBlock::from_frames(frames.iter().map(|(time, data)| (*time, &data[..])), link_type, index);
        running.handed_in.send(block).map_err(|_| EngineError::State("the engine has stopped"))
    }
}

fn panic_text(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".into())
}
