//! How the threads of an engine hang together: everything is opened first, then they start, the last in the line first.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use capture::{AfPacketConfig, Fanout, LinkType, OwnedBlock};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::config::{Backend, InterfaceConfig, Mode};
use crate::detect::{BeaconWatch, ClickWatch, SmtpWatch};
use crate::engine::{Engine, EngineError, Running};
use crate::extract::{FrameFiles, Written, extract};
use crate::flow::{FlowLimits, FlowTable};
use crate::host::HostTable;
use crate::live::{self, LiveSource, Rings};
use crate::merge::{Merge, Notice, Outlets, SecondDelta, Tables};
use crate::offline::{self, FileSource};
use crate::output::{EveContext, EventLog};
use crate::pcap_ring::{PcapRing, WhenFull};
use crate::pipeline::{Worker, WorkerPorts, WorkerSetup};
use crate::query::HostQuery;
use crate::records::{RecordFeed, record_queue};
use crate::scan::Question;
use crate::store::{FrameStore, RingStore};
use crate::watch::WatchHold;
use crate::web::WebWatch;

/// Seconds of one worker that may wait to be merged.
const SECONDS_WAITING: usize = 64;
/// Notices that Python may leave waiting: live so many that none is lost; files wait, and few go ahead of the judgement.
const NOTICES_WAITING: usize = 4096;
const READ_NOTICES_WAITING: usize = 16;
/// Blocks between who hands frames in and the worker.
const HANDED_IN_WAITING: usize = 16;
/// Blocks between the reader of files and each worker: few, so that their memory is still in the cache when it is used
/// again.
const READ_WAITING: usize = 3;
/// Questions that may wait.
const QUERIES_WAITING: usize = 16;

/// Where frames come from, opened.
enum Inputs {
    /// For each worker its ring of every interface.
    Interfaces(Vec<Vec<LiveSource>>),
    Files(Box<FileSource>),
}

/// Both ends of a queue.
struct Queue<T> {
    into: Sender<T>,
    out: Receiver<T>,
}

impl<T> Queue<T> {
    fn of(places: usize) -> Self {
        let (into, out) = bounded(places);
        Self { into, out }
    }
}

/// The queues that all workers share.
struct Queues {
    seconds: Queue<SecondDelta>,
    notices: Queue<Notice>,
    acknowledged: Queue<()>,
    host_queries: Queue<HostQuery>,
    handed_in: Queue<OwnedBlock>,
}

impl Engine {
    /// Opens everything in the calling thread, whose network namespace counts, and starts the threads. Evidence first:
    /// the ring stores from here on, before any list is loaded.
    ///
    /// # Errors
    /// Something cannot be opened; nothing stays half-started.
    pub fn start(&self) -> Result<(), EngineError> {
        if self.is_stopping() || self.running().is_some() {
            return Err(EngineError::State("the engine was started before"));
        }
        self.open_ring()?;
        let inputs = self.open_inputs()?;
        let (log, log_writer) = self.start_log()?.unzip();
        let queues = Queues {
            seconds: Queue::of(SECONDS_WAITING * self.shared.config.workers),
            notices: Queue::of(match self.shared.config.mode {
                Mode::Live => NOTICES_WAITING,
                Mode::Read => READ_NOTICES_WAITING,
            }),
            acknowledged: Queue::of(1),
            host_queries: Queue::of(QUERIES_WAITING),
            handed_in: Queue::of(HANDED_IN_WAITING),
        };
        let (workers, flow_queries) = self.make_workers(&queues);
        let mut others = vec![self.start_merge(log.clone(), &queues)?];
        let workers = match inputs {
            Inputs::Interfaces(sources) => self.start_live(workers, sources, &queues.handed_in.out)?,
            Inputs::Files(files) => {
                let (workers, reader) = self.start_offline(workers, *files)?;
                others.push(reader);
                workers
            }
        };
        self.set_running(Running {
            log,
            notices: queues.notices.out,
            seconds: queues.seconds.into,
            acknowledge: queues.acknowledged.into,
            host_queries: queues.host_queries.into,
            flow_queries,
            handed_in: queues.handed_in.into,
            workers,
            others,
            log_writer,
        });
        Ok(())
    }

    fn open_ring(&self) -> Result<(), EngineError> {
        let when_full = if self.shared.config.mode == Mode::Live { WhenFull::Drop } else { WhenFull::Wait };
        if let Some(ring) = &self.shared.config.pcap_ring {
            // Started once only, so it is not set yet.
            let _ = self.shared.ring.set(Arc::new(PcapRing::open(ring, when_full)?));
        }
        Ok(())
    }

    fn open_inputs(&self) -> Result<Inputs, EngineError> {
        let config = &self.shared.config;
        if config.mode == Mode::Live {
            return self.open_interfaces().map(Inputs::Interfaces);
        }
        let files = FileSource::open(&self.shared.interfaces, &config.filter, Arc::clone(&self.shared.read))?;
        // A ring stores what the first worker sees: all frames.
        let shared = config.workers > 1 && config.pcap_ring.is_none();
        let files = if shared { files.shared_by(config.workers, config.decapsulation.ports()) } else { files };
        Ok(Inputs::Files(Box::new(files)))
    }

    /// After the end: reads the files again and writes the frames of the wanted flows, or all that pass the filter.
    ///
    /// # Errors
    /// The engine still runs, the files cannot be read again, or the frames not be written.
    pub fn write_frames(&self, output: FrameFiles) -> Result<Written, EngineError> {
        let config = &self.shared.config;
        if config.mode == Mode::Live || self.running().is_some() {
            return Err(EngineError::State("frames are written once the files have been read"));
        }
        let files = FileSource::open(&self.shared.interfaces, &config.filter, Arc::default())?;
        Ok(extract(files, self.shared.selection.as_deref(), config.decapsulation.ports(), output)?)
    }

    /// The sources of each worker: worker i has ring i of every interface.
    fn open_interfaces(&self) -> Result<Vec<Vec<LiveSource>>, EngineError> {
        let config = &self.shared.config;
        let mut sources: Vec<Vec<LiveSource>> = (0..config.workers).map(|_| Vec::new()).collect();
        for (index, interface) in config.interfaces.iter().enumerate() {
            let state = &self.shared.links[index];
            if interface.backend == Backend::Libpcap {
                state.link_type.store(u64::from(LinkType::ETHERNET.0), Ordering::Relaxed);
                state.up.store(true, Ordering::Relaxed);
                continue;
            }
            let ring = capture_config(interface, index, config.workers);
            let rings = Arc::new(Rings::new(ring, self.fanout(), config.workers));
            for (worker, own) in sources.iter_mut().enumerate() {
                own.push(LiveSource::open(index, worker, Arc::clone(&rings), Arc::clone(state))?);
            }
        }
        Ok(sources)
    }

    fn fanout(&self) -> Fanout {
        Fanout { group: std::process::id() as u16, ports: self.shared.config.decapsulation.ports() }
    }

    fn start_log(&self) -> Result<Option<(EventLog, JoinHandle<()>)>, EngineError> {
        let config = &self.shared.config;
        let Some(eve) = &config.eve else { return Ok(None) };
        let context = EveContext {
            sensor_name: config.sensor_name.clone(),
            interfaces: Arc::clone(&self.shared.interfaces),
            config: eve.clone(),
        };
        Ok(Some(EventLog::start(context, config.mode, Arc::clone(&self.shared.eve))?))
    }

    fn start_merge(&self, log: Option<EventLog>, queues: &Queues) -> Result<JoinHandle<()>, EngineError> {
        let config = &self.shared.config;
        let (notices, acknowledged) = (queues.notices.into.clone(), queues.acknowledged.out.clone());
        let records = self.open_records();
        let outlets = Outlets { log, records, notices, acknowledged };
        let smtp = SmtpWatch::new(config.smtp.clone(), config.networks.mail_servers.clone());
        let (internal, mail_servers) = (config.networks.internal.clone(), config.networks.mail_servers.clone());
        let web = config.web.clone().map(WebWatch::new);
        let beacons = BeaconWatch::new(config.beacon.clone(), internal, mail_servers);
        let clicks = ClickWatch::new(config.networks.mail_servers.clone());
        let hosts = HostTable::new(config.hosts.max);
        let tables = Tables { hosts, smtp, beacons, clicks, web };
        let merge = Merge::new(config.mode, config.workers, tables, outlets, Arc::clone(&self.shared.merge));
        let (seconds, queries) = (queues.seconds.out.clone(), queues.host_queries.out.clone());
        spawn("merge", move || merge.run(&seconds, &queries))
    }

    /// The merge thread's end of the records' queue, if any are wanted.
    fn open_records(&self) -> Option<RecordFeed> {
        let (config, state) = (&self.shared.config, &self.shared.records_state);
        if config.records.is_empty() {
            return None;
        }
        let (feed, reader) = record_queue(config.mode, &config.records, Arc::clone(&self.shared.interfaces), state);
        // Started once only, so it is not set yet.
        let _ = self.shared.records.set(reader);
        Some(feed)
    }

    /// The workers, and the way to ask each.
    fn make_workers(&self, queues: &Queues) -> (Vec<Worker>, Vec<Sender<Question>>) {
        let config = &self.shared.config;
        let each = config.flows.max.div_ceil(config.workers).max(1);
        let limits = FlowLimits::new(each, config.flows.tcp_idle, config.flows.udp_idle, config.flows.active);
        let worker = |index: usize| {
            let questions = Queue::of(QUERIES_WAITING);
            let ports = WorkerPorts {
                seconds: queues.seconds.into.clone(),
                notices: queues.notices.into.clone(),
                queries: questions.out,
                published: Arc::clone(&self.shared.published[index]),
            };
            let watch = WatchHold::new(Arc::clone(&self.shared.watch));
            let store = self.store(index);
            (Worker::new(self.setup(index), ports, FlowTable::new(limits), watch, store), questions.into)
        };
        (0..config.workers).map(worker).unzip()
    }

    fn setup(&self, index: usize) -> WorkerSetup {
        let config = &self.shared.config;
        WorkerSetup {
            mode: config.mode,
            index,
            workers: config.workers,
            interfaces: Arc::clone(&self.shared.interfaces),
            internal: config.networks.internal.clone(),
            ports: config.decapsulation.ports(),
            deduplicate: config.deduplicate,
            web: self.shared.web.clone(),
            raw_mails: self.shared.raw_mails.clone(),
            snaplens: config.interfaces.iter().map(|interface| interface.snaplen).collect(),
            stored_elsewhere: self.shared.ring.get().is_some() && !self.stores(index),
            selection: self.shared.selection.clone(),
        }
    }

    /// In `read` every worker sees every frame, and the first one stores them all; with a flow cutoff each stores its own,
    /// because it alone knows their flows.
    fn stores(&self, index: usize) -> bool {
        self.shared.config.mode == Mode::Live || index == 0 || self.flow_cutoff_bytes() > 0
    }

    fn flow_cutoff_bytes(&self) -> u64 {
        self.shared.config.pcap_ring.as_ref().map_or(0, |ring| ring.flow_cutoff_bytes)
    }

    fn store(&self, index: usize) -> FrameStore {
        let Some(ring) = self.shared.ring.get().filter(|_| self.stores(index)) else { return FrameStore::Off };
        let snaplens = self.shared.config.interfaces.iter().map(|interface| interface.snaplen);
        let snaplen = snaplens.max().unwrap_or(capture::MAX_SNAPLEN);
        let store = RingStore::new(Arc::clone(ring), index, Arc::clone(&self.shared.interfaces), snaplen);
        match self.flow_cutoff_bytes() {
            0 => FrameStore::All(store),
            bytes => FrameStore::Cut(store, bytes),
        }
    }

    fn start_live(
        &self,
        workers: Vec<Worker>,
        sources: Vec<Vec<LiveSource>>,
        handed_in: &Receiver<OwnedBlock>,
    ) -> Result<Vec<JoinHandle<()>>, EngineError> {
        let start = |(worker, own)| {
            let (handed_in, stop) = (handed_in.clone(), self.stop_flag());
            spawn("worker", move || live::run(worker, own, &handed_in, &stop))
        };
        workers.into_iter().zip(sources).map(start).collect()
    }

    fn start_offline(
        &self,
        workers: Vec<Worker>,
        files: FileSource,
    ) -> Result<(Vec<JoinHandle<()>>, JoinHandle<()>), EngineError> {
        let recycling = Queue::of(READ_WAITING * 2);
        let mut lanes = Vec::new();
        let mut threads = Vec::new();
        for worker in workers {
            let blocks = Queue::of(READ_WAITING);
            lanes.push(blocks.into);
            let recycle = recycling.into.clone();
            threads.push(spawn("worker", move || offline::run(worker, &blocks.out, &recycle))?);
        }
        let stop = self.stop_flag();
        let reader = spawn("reader", move || files.run(&lanes, &recycling.out, &stop))?;
        Ok((threads, reader))
    }
}

fn capture_config(interface: &InterfaceConfig, index: usize, workers: usize) -> AfPacketConfig {
    AfPacketConfig {
        interface: interface.name.clone(),
        index: index as u16,
        snaplen: interface.snaplen,
        promiscuous: interface.promiscuous,
        ring_bytes: interface.ring_memory_bytes / workers,
        block_timeout: live::BLOCK_TIMEOUT,
        filter: interface.filter.clone(),
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, EngineError> {
    Ok(thread::Builder::new().name(name.into()).spawn(run)?)
}
