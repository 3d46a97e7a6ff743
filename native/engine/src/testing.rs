//! Frames and a worker on a bench, for tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capture::{LinkType, OwnedBlock};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use wire::TunnelPorts;

use crate::config::{Deduplicate, Mode};
use crate::counters::Published;
use crate::flow::{FlowLimits, FlowRecord, FlowTable};
use crate::merge::{Notice, SecondDelta};
use crate::networks::Networks;
use crate::pipeline::{Worker, WorkerPorts, WorkerSetup};
use crate::scan::Question;
use crate::store::FrameStore;
use crate::watch::{WatchHold, WatchSlot};
use crate::watchlist::{ListFormat, ListText, Watchlists};
use crate::web::WatchedWeb;

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const START: u64 = 1_700_000_000 * SECOND;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const SYN_ACK: u8 = 0x12;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const FIN: u8 = 0x11;
pub(crate) const RST: u8 = 0x14;

/// One end of a conversation in a test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End(pub(crate) [u8; 4], pub(crate) u16);

/// Our own host, and somebody else's server.
pub(crate) const PC: End = End([10, 20, 3, 44], 50_000);
pub(crate) const SERVER: End = End([203, 0, 113, 9], 443);

/// An IPv4 packet in an Ethernet frame; the ends' ports count for nothing.
pub(crate) fn ipv4(from: End, to: End, protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, to.0[3], 2, 0, 0, 0, 0, from.0[3], 0x08, 0x00];
    let length = (20 + transport.len()) as u16;
    frame.extend([0x45, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    frame.extend(from.0);
    frame.extend(to.0);
    frame.extend(transport);
    frame
}

/// An Ethernet frame to everybody with this EtherType.
pub(crate) fn ethernet(type_field: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 44];
    frame.extend(type_field.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A fragment of a UDP datagram; `fragment` is its offset in units of eight bytes and whether more follow, `data` starts
/// with the UDP header where the offset is 0.
pub(crate) fn fragment(from: End, to: End, identification: u16, fragment: (u16, bool), data: &[u8]) -> Vec<u8> {
    let mut frame = ipv4(from, to, 17, data);
    frame[18..20].copy_from_slice(&identification.to_be_bytes());
    frame[20..22].copy_from_slice(&(fragment.0 | u16::from(fragment.1) << 13).to_be_bytes());
    frame
}

/// A TCP segment in an Ethernet frame.
pub(crate) fn tcp(from: End, to: End, flags: u8, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(from.1.to_be_bytes());
    segment.extend(to.1.to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    ipv4(from, to, 6, &segment)
}

/// A UDP datagram in an Ethernet frame.
pub(crate) fn udp(from: End, to: End, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(from.1.to_be_bytes());
    datagram.extend(to.1.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    ipv4(from, to, 17, &datagram)
}

/// A worker whose outlets can be looked into.
pub(crate) struct Bench {
    pub(crate) worker: Worker,
    watch: Arc<WatchSlot>,
    pub(crate) queries: Sender<Question>,
    pub(crate) seconds: Receiver<SecondDelta>,
    pub(crate) notices: Receiver<Notice>,
    pub(crate) published: Arc<Published>,
}

/// What a worker alone is told.
pub(crate) fn setup(mode: Mode) -> WorkerSetup {
    WorkerSetup {
        mode,
        index: 0,
        workers: 1,
        interfaces: vec!["test0".to_owned()].into(),
        internal: Networks::new(&[("10.0.0.0".parse().expect("an address"), 8)]),
        ports: TunnelPorts::new(&[4789]),
        web: WatchedWeb::default(),
        raw_mails: None,
        stored_elsewhere: false,
        deduplicate: Deduplicate::Measure,
        snaplens: Vec::new(),
        selection: None,
    }
}

impl Bench {
    /// A worker with room for `max` flows; idle times are 300 s for TCP and 60 s else, records come every 300 s.
    pub(crate) fn new(mode: Mode, max: usize) -> Self {
        Self::with(setup(mode), max, FrameStore::Off)
    }

    /// The same, with this to do about copies.
    pub(crate) fn deduplicating(mode: Mode, max: usize, deduplicate: Deduplicate) -> Self {
        Self::with(WorkerSetup { deduplicate, ..setup(mode) }, max, FrameStore::Off)
    }

    /// The same, told this, with a store for frames.
    pub(crate) fn with(setup: WorkerSetup, max: usize, store: FrameStore) -> Self {
        let limits = FlowLimits::new(max, Duration::from_secs(300), Duration::from_secs(60), Duration::from_secs(300));
        let (seconds, seconds_out) = unbounded();
        let (notices, notices_out) = unbounded();
        let (queries_in, queries) = bounded(1);
        let published = Arc::new(Published::new(1));
        let watch = Arc::new(WatchSlot::default());
        let ports = WorkerPorts { seconds, notices, queries, published: Arc::clone(&published) };
        let hold = WatchHold::new(Arc::clone(&watch));
        let worker = Worker::new(setup, ports, FlowTable::new(limits), hold, store);
        Self { worker, watch, queries: queries_in, seconds: seconds_out, notices: notices_out, published }
    }

    /// Puts a plain watchlist in force.
    pub(crate) fn watch(&self, text: &str) {
        let list = ListText {
            name: "test".into(),
            format: ListFormat::Plain,
            text: text.as_bytes().into(),
            default_severity: 1,
        };
        self.watch.replace(Arc::new(Watchlists::compile(&[list])));
    }

    /// Processes frames, each at its time in nanoseconds after [`START`], as one block.
    pub(crate) fn feed(&mut self, frames: &[(u64, Vec<u8>)]) {
        let frames: Vec<_> = frames.iter().map(|(after, data)| (START + after, data.clone())).collect();
        self.feed_at(&frames);
    }

    /// Processes frames, each at its time in nanoseconds since 1970, as one block.
    pub(crate) fn feed_at(&mut self, frames: &[(u64, Vec<u8>)]) {
        let frames = frames.iter().map(|(time, data)| (*time, &data[..]));
        let block = OwnedBlock::from_frames(frames, LinkType::ETHERNET, 0);
        self.worker.process_block(&block, Instant::now());
    }

    /// Processes frames as [`feed`](Self::feed) does, each told to be of one of the workers.
    pub(crate) fn feed_to(&mut self, frames: &[(u64, Vec<u8>)], workers: &[u8]) {
        let frames = frames.iter().map(|(after, data)| (START + after, &data[..]));
        let mut block = OwnedBlock::from_frames(frames, LinkType::ETHERNET, 0);
        for (frame, worker) in block.frames.iter_mut().zip(workers) {
            frame.worker = Some(*worker);
        }
        self.worker.process_block(&block, Instant::now());
    }

    /// Ends the worker and gives all that it said.
    pub(crate) fn finish(self) -> (Vec<SecondDelta>, Vec<Notice>) {
        self.worker.finish();
        (self.seconds.try_iter().collect(), self.notices.try_iter().collect())
    }

    /// Ends the worker and gives its flow records.
    pub(crate) fn records(self) -> Vec<FlowRecord> {
        self.finish().0.into_iter().flat_map(|second| second.records).collect()
    }
}
