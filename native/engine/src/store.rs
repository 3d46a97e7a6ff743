//! A worker's hold on the pcap ring: which frames it stores, and one feed for each interface and link type.

use std::sync::Arc;
use std::time::Instant;

use capture::Frame;
use wire::{DecodeError, EncapStack, Packet};

use crate::pcap_ring::{PcapRing, RingFeed, note_frame};

/// Which frames a worker stores, and when.
#[derive(Debug)]
pub enum FrameStore {
    /// None.
    Off,
    /// All, before anything parses them.
    All(RingStore),
    /// So many first bytes of each flow and what is kept whole, once the frame's flow is known.
    Cut(RingStore, u64),
}

impl FrameStore {
    /// The ring, if frames are stored.
    pub fn ring(&self) -> Option<&RingStore> {
        match self {
            Self::Off => None,
            Self::All(ring) | Self::Cut(ring, _) => Some(ring),
        }
    }

    /// The same, to be changed.
    pub fn ring_mut(&mut self) -> Option<&mut RingStore> {
        match self {
            Self::Off => None,
            Self::All(ring) | Self::Cut(ring, _) => Some(ring),
        }
    }
}

/// Puts raw frames into the ring.
#[derive(Debug)]
pub struct RingStore {
    ring: Arc<PcapRing>,
    worker: usize,
    interfaces: Arc<[String]>,
    snaplen: u32,
    feeds: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    interface: u16,
    link_type: capture::LinkType,
    feed: RingFeed,
}

impl RingStore {
    /// A store for the frames of one worker; `interfaces` are names by index.
    pub fn new(ring: Arc<PcapRing>, worker: usize, interfaces: Arc<[String]>, snaplen: u32) -> Self {
        Self { ring, worker, interfaces, snaplen, feeds: Vec::new() }
    }

    /// Stores a frame as captured.
    #[inline]
    pub fn store(&mut self, frame: &Frame<'_>) {
        let fits = |feed: &Feed| feed.interface == frame.interface && feed.link_type == frame.link_type;
        if let Some(feed) = self.feeds.iter_mut().find(|feed| fits(feed)) {
            feed.feed.store(frame);
        } else {
            self.open(frame).feed.store(frame);
        }
    }

    /// Notes what a frame that was just stored can be found by.
    #[inline]
    pub fn describe(&mut self, frame: &Frame<'_>, decoded: &Result<Packet<'_>, DecodeError>, stack: &EncapStack) {
        let fits = |feed: &Feed| feed.interface == frame.interface && feed.link_type == frame.link_type;
        if let Some(feed) = self.feeds.iter_mut().find(|feed| fits(feed)) {
            feed.feed.describe(|filter| note_frame(filter, decoded, stack));
        }
    }

    #[cold]
    fn open(&mut self, frame: &Frame<'_>) -> &mut Feed {
        let name = self.interfaces.get(usize::from(frame.interface)).map_or("capture", String::as_str);
        let feed = self.ring.feed(name, self.worker, frame.link_type, self.snaplen);
        self.feeds.push(Feed { interface: frame.interface, link_type: frame.link_type, feed });
        let last = self.feeds.len() - 1;
        &mut self.feeds[last]
    }

    /// Frames handed to the writer, and dropped because it was behind, since the start.
    pub fn accounts(&self) -> (u64, u64) {
        let sum = |of: fn(&RingFeed) -> u64| self.feeds.iter().map(|feed| of(&feed.feed)).sum();
        (sum(RingFeed::handed_frames), sum(RingFeed::dropped_slow_frames))
    }

    /// Gives full chunks to the writer; the numbers must have been published before.
    pub fn end_block(&mut self, now: Instant) {
        for feed in &mut self.feeds {
            feed.feed.end_block(now);
        }
    }
}
