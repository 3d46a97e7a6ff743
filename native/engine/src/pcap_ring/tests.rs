//! The ring as a whole: frames in, files out.

mod accounts;
mod crash;
mod disk;
mod index;
mod retention;
mod rotation;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use capture::{Frame, LinkType};

use super::chunk::PoolSize;
use super::name::SegmentName;
use super::*;

const SECOND_NS: u64 = 1_000_000_000;
/// 2026-11-22 07:46:05 UTC
const START_NS: u64 = 1_795_333_565 * SECOND_NS;
const SMALL_POOL: PoolSize = PoolSize { chunk_bytes: 4096, chunks: 8 };

/// A ring without bounds.
fn unbounded(directory: &Path) -> RingConfig {
    RingConfig {
        directory: directory.to_owned(),
        segment_size_bytes: 0,
        segment_time_seconds: 0.0,
        max_size_bytes: 0,
        max_segments: 0,
        max_age_seconds: 0.0,
        min_free_bytes: 0,
        flow_cutoff_bytes: 0,
    }
}

fn open(config: &RingConfig, when_full: WhenFull) -> PcapRing {
    PcapRing::open_sized(config, when_full, SMALL_POOL).expect("the ring opens")
}

fn feed(ring: &PcapRing) -> RingFeed {
    ring.feed("eth1", 0, LinkType::ETHERNET, 65535)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    timestamp_ns: u64,
    origlen: u32,
    data: Vec<u8>,
}

impl Record {
    /// A frame whose bytes tell it from any other.
    fn new(number: usize, timestamp_ns: u64, length: usize) -> Self {
        let data = (0..length).map(|at| (at.wrapping_mul(31) ^ number.wrapping_mul(97)) as u8).collect();
        Self { timestamp_ns, origlen: length as u32 + 4, data }
    }

    fn store(&self, feed: &mut RingFeed) {
        feed.store(&Frame {
            timestamp_ns: self.timestamp_ns,
            data: &self.data,
            origlen: self.origlen,
            link_type: LinkType::ETHERNET,
            interface: 0,
            number: 0,
            worker: None,
        });
    }
}

/// `count` frames of `length` bytes, `step_ns` apart.
fn series(count: usize, length: usize, step_ns: u64) -> Vec<Record> {
    (0..count).map(|number| Record::new(number, START_NS + number as u64 * step_ns, length)).collect()
}

fn store_all(feed: &mut RingFeed, records: &[Record]) {
    for record in records {
        record.store(feed);
        feed.end_block(Instant::now());
    }
}

struct SegmentFile {
    name: SegmentName,
    bytes: u64,
    records: Vec<Record>,
}

/// The records of a nanosecond pcap; panics unless the file is whole.
fn parse(bytes: &[u8]) -> Vec<Record> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((word(0), word(16), word(20)), (0xa1b2_3c4d, 65535, 1), "file header");
    let mut at = 24;
    let mut records = Vec::new();
    while at < bytes.len() {
        let (seconds, nanoseconds, caplen, origlen) = (word(at), word(at + 4), word(at + 8) as usize, word(at + 12));
        let timestamp_ns = u64::from(seconds) * SECOND_NS + u64::from(nanoseconds);
        records.push(Record { timestamp_ns, origlen, data: bytes[at + 16..][..caplen].to_vec() });
        at += 16 + caplen;
    }
    records
}

/// The ring's files with this suffix, in order of creation.
fn segments(directory: &Path, suffix: &str) -> Vec<SegmentFile> {
    let read = |file_name: &str| {
        let name = SegmentName::parse(file_name.strip_suffix(suffix)?)?;
        let bytes = fs::read(directory.join(file_name)).expect("a readable segment");
        Some(SegmentFile { name, bytes: bytes.len() as u64, records: parse(&bytes) })
    };
    let mut files: Vec<_> = file_names(directory).iter().filter_map(|file_name| read(file_name)).collect();
    files.sort_by_key(|file| file.name.sequence);
    files
}

fn closed(directory: &Path) -> Vec<SegmentFile> {
    segments(directory, ".pcap")
}

fn records(files: &[SegmentFile]) -> Vec<Record> {
    files.iter().flat_map(|file| file.records.iter().cloned()).collect()
}

/// Everything in the directory but the lock.
fn file_names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a readable directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
    names.sort();
    names
}

/// Waits until something that the writer does has happened.
fn eventually(limit: Duration, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < limit, "it has not happened within {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
