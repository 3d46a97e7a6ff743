//! What stands in the ring of flows of which only the first bytes are stored.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;

use capture::{Block, FileReader, OwnedBlock};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::WorkerSetup;
use super::naming_tests::Connection;
use crate::config::{Deduplicate, Mode};
use crate::counters::WorkerCounters;
use crate::find::PacketSearch;
use crate::networks::Networks;
use crate::pcap_ring::{PcapRing, WhenFull};
use crate::store::{FrameStore, RingStore};
use crate::testing::*;
use crate::web::{WatchedWeb, WebConfig};

/// A worker that cuts flows, and its ring.
struct Cutting {
    bench: Bench,
    ring: Arc<PcapRing>,
    directory: TempDir,
}

/// What it left.
struct Left {
    stored: Vec<Vec<u8>>,
    counters: WorkerCounters,
}

impl Cutting {
    fn at(flow_bytes: u64) -> Self {
        Self::told(setup(Mode::Live), flow_bytes)
    }

    fn told(setup: WorkerSetup, flow_bytes: u64) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = json!({"directory": directory.path(), "segment_size_bytes": 1 << 20, "segment_time_seconds": 0.0,
            "max_size_bytes": 0, "max_segments": 0, "max_age_seconds": 0.0, "min_free_bytes": 0,
            "flow_cutoff_bytes": flow_bytes});
        let config = serde_json::from_value(config).expect("a configuration");
        let ring = Arc::new(PcapRing::open(&config, WhenFull::Wait).expect("a ring"));
        let store = RingStore::new(Arc::clone(&ring), 0, Arc::clone(&setup.interfaces), 65_535);
        let bench = Bench::with(setup, 100, FrameStore::Cut(store, flow_bytes));
        Self { bench, ring, directory }
    }

    fn watching_web(flow_bytes: u64, server: Ipv4Addr) -> Self {
        let servers = Networks::new(&[(server.into(), 32)]);
        let config = WebConfig { servers, rules: Vec::new(), scanner_paths: 1, scanner_ratio: 1.0, scanner_attacks: 1 };
        let web = WatchedWeb::new(&config).expect("no rules");
        Self::told(WorkerSetup { web, ..setup(Mode::Live) }, flow_bytes)
    }

    fn feed(&mut self, frames: &[(u64, Vec<u8>)]) {
        self.bench.feed(frames);
    }

    /// The frames in the ring, in their order, and the accounts, which close.
    fn finish(self) -> Left {
        let published = Arc::clone(&self.bench.published);
        self.bench.finish();
        self.ring.close();
        let counters = published.read();
        let accounts = self.ring.accounts();
        let stored = stored(self.directory.path());
        assert_eq!(stored.len() as u64, accounts.stored_frames);
        assert_eq!(counters.interfaces[0].captured_frames, accounts.stored_frames + counters.ring_cut);
        Left { stored, counters }
    }
}

fn stored(directory: &std::path::Path) -> Vec<Vec<u8>> {
    let paths = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|suffix| suffix == "pcap")).collect();
    paths.sort();
    let mut frames = Vec::new();
    for path in paths {
        let mut reader = FileReader::open(&path.display().to_string(), 0).expect("a segment");
        while let Some(block) = reader.next_block(OwnedBlock::default()).expect("readable") {
            frames.extend(block.frames().map(|frame| frame.data.to_vec()));
        }
    }
    frames
}

/// Datagrams of 100 bytes of IP to and fro, each with bytes of its own.
fn datagrams(from: End, to: End, count: u8) -> Vec<(u64, Vec<u8>)> {
    let side = |number: u8| if number % 2 == 0 { (from, to) } else { (to, from) };
    let datagram = |number| udp(side(number).0, side(number).1, &[0xf0 ^ number; 72]);
    (0..count).map(|number| (u64::from(number) * 1000, datagram(number))).collect()
}

fn bytes(frames: &[(u64, Vec<u8>)]) -> Vec<Vec<u8>> {
    frames.iter().map(|(_, frame)| frame.clone()).collect()
}

/// A conversation and so many pieces of 500 bytes that the server adds.
fn noisy(mut connection: Connection, pieces: u8) -> Vec<(u64, Vec<u8>)> {
    for number in 0..pieces {
        connection = connection.says(1, &[b'a' + number % 16; 500]);
    }
    connection.frames
}

#[test]
fn the_first_bytes_of_both_directions_are_stored_and_the_rest_is_counted() {
    let frames = datagrams(PC, SERVER, 20);
    let other = datagrams(End(PC.0, 50_001), SERVER, 5);
    let mut cutting = Cutting::at(750);
    cutting.feed(&frames);
    cutting.feed(&other);
    let left = cutting.finish();
    // The eighth begins at byte 700 and is whole.
    assert_eq!(left.stored, [&bytes(&frames)[..8], &bytes(&other)].concat());
    assert_eq!((left.counters.ring_cut, left.counters.ring_cut_bytes), (12, 12 * 114));
    assert_eq!(left.counters.analysis.flow, 25);
}

#[test]
fn a_connection_over_the_same_ports_begins_anew() {
    let first = Connection::new().says(0, &[1; 200]).says(0, &[2; 200]).frames;
    let again = vec![(9, tcp(PC, SERVER, SYN, 7000, b"")), (10, tcp(PC, SERVER, ACK, 7001, &[3; 200]))];
    let mut cutting = Cutting::at(100);
    cutting.feed(&first);
    cutting.feed(&again);
    assert_eq!(cutting.finish().stored, [&bytes(&first)[..3], &bytes(&again)].concat());
}

#[test]
fn a_listed_end_keeps_the_flow_whole() {
    for listed in ["203.0.113.9\n", "10.20.3.44\n"] {
        let frames = datagrams(PC, SERVER, 20);
        let mut cutting = Cutting::at(1);
        cutting.bench.watch(listed);
        cutting.feed(&frames);
        assert_eq!(cutting.finish().stored, bytes(&frames), "{listed}");
    }
}

#[test]
fn lists_that_are_replaced_keep_an_open_flow_from_then_on() {
    let frames = datagrams(PC, SERVER, 20);
    let mut cutting = Cutting::at(500);
    cutting.feed(&frames[..10]);
    cutting.bench.watch("203.0.113.9\n");
    cutting.feed(&frames[10..]);
    let left = cutting.finish();
    assert_eq!(left.stored, [&bytes(&frames)[..5], &bytes(&frames)[10..]].concat());
}

#[test]
fn the_frame_that_shows_a_listed_name_is_stored() {
    let ask = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    let connection = Connection::new().says(0, &ask("good.example")).says(0, &ask("good.example"));
    let frames = connection.says(0, &ask("bad.example")).says(0, &ask("good.example")).frames;
    let mut cutting = Cutting::at(1);
    cutting.bench.watch("bad.example\n");
    cutting.feed(&frames);
    assert_eq!(cutting.finish().stored, [&bytes(&frames)[..1], &bytes(&frames)[4..]].concat());
}

#[test]
fn mail_is_stored_whole_until_it_is_encrypted() {
    let greeting = || Connection::new().says(1, b"220 mx ESMTP\r\n").says(0, b"EHLO pc.example\r\n");
    let mail = noisy(greeting().says(1, b"250 mx\r\n").says(0, b"DATA\r\n"), 10);
    let encrypting = greeting().says(1, b"250 STARTTLS\r\n").says(0, b"STARTTLS\r\n").says(1, b"220 go on\r\n");
    let encrypted = noisy(encrypting, 10);
    let mut cutting = Cutting::at(200);
    cutting.feed(&mail);
    assert_eq!(cutting.finish().stored, bytes(&mail));
    let mut cutting = Cutting::at(200);
    cutting.feed(&encrypted);
    let left = cutting.finish();
    assert_eq!((left.stored, left.counters.ring_cut), (bytes(&encrypted)[..6].to_vec(), 11));
}

#[test]
fn the_web_is_stored_whole_on_watched_servers() {
    let ask = Connection::new().says(0, b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    let frames = noisy(ask.says(1, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), 10);
    let kept = |server: Ipv4Addr| {
        let mut cutting = Cutting::watching_web(300, server);
        cutting.feed(&frames);
        cutting.finish().stored.len()
    };
    assert_eq!(kept(SERVER.0.into()), frames.len());
    assert_eq!(kept(PC.0.into()), 5, "a client is no server");
}

#[test]
fn control_protocols_other_layers_and_damage_are_stored_whole() {
    let damaged = tcp(PC, SERVER, ACK, 1, b"")[..30].to_vec();
    let answer = udp(End([10, 0, 0, 53], 53), PC, &crate::names::testing::dns_query(7, "a.example"));
    for frame in [
        ethernet(0x0806, b"who has"),
        ethernet(0x88cc, &[0; 60]),
        ipv4(PC, SERVER, 1, &[8, 0, 0, 0, 0, 1, 0, 1, 9, 9, 9, 9]),
        ipv4(PC, SERVER, 89, &[2; 60]),
        udp(End(PC.0, 68), End([10, 0, 0, 1], 67), &[1; 240]),
        udp(End(PC.0, 5353), End([224, 0, 0, 251], 5353), &[0; 40]),
        damaged,
        answer,
    ] {
        let frames: Vec<_> = (0..5).map(|number| (number * SECOND, frame.clone())).collect();
        let mut cutting = Cutting::at(1);
        cutting.feed(&frames);
        assert_eq!(cutting.finish().stored, bytes(&frames), "{frame:02x?}");
    }
}

#[test]
fn a_copy_that_is_left_out_is_stored_or_cut_as_the_packet() {
    let mut frames = datagrams(PC, SERVER, 6);
    for (number, (_, frame)) in frames.iter_mut().enumerate() {
        frame[19] = number as u8 + 1;
    }
    let twice: Vec<_> = frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
    let setup = WorkerSetup { deduplicate: Deduplicate::On, ..setup(Mode::Live) };
    let mut cutting = Cutting::told(setup, 350);
    cutting.feed(&twice);
    let left = cutting.finish();
    assert_eq!((left.stored, left.counters.ring_cut), (bytes(&twice)[..8].to_vec(), 4));
    assert_eq!(left.counters.analysis.duplicate, 6);
}

#[test]
fn the_index_speaks_for_what_is_stored() {
    let mut cutting = Cutting::at(750);
    cutting.feed(&datagrams(PC, SERVER, 20));
    cutting.feed(&[(0, ethernet(0x0806, b"who has"))]);
    let Cutting { bench, ring, directory } = cutting;
    bench.finish();
    ring.close();
    let read_bytes = |port: u16| {
        let query = json!({"directory": directory.path(), "port": port, "decapsulation":
            {"vxlan_ports": [], "geneve_ports": [], "gtpu_ports": [], "tzsp_ports": []}});
        let query = serde_json::from_value(query).expect("a query");
        PacketSearch::new(query).expect("a search").plan().read_bytes
    };
    assert!(read_bytes(SERVER.1) > 0);
    assert_eq!(read_bytes(9), 0);
}

proptest! {
    /// Whatever comes, each frame is stored or counted as cut, and what is stored is in the frames' order.
    #[test]
    fn the_accounts_close(
        steps in prop::collection::vec((0_u16..6, any::<bool>(), 0_usize..300, 0_u8..4), 1..200),
        flow_bytes in 1_u64..2000,
        deduplicate in prop::sample::select(vec![Deduplicate::Measure, Deduplicate::On]),
    ) {
        let frames: Vec<_> = steps.iter().enumerate().map(|(at, &(port, there, length, kind))| {
            let (end, payload) = (End(PC.0, 1000 + port), vec![at as u8; length]);
            let (from, to) = if there { (end, SERVER) } else { (SERVER, end) };
            let frame = match kind {
                0 => tcp(from, to, ACK, at as u32, &payload),
                1 => udp(from, to, &payload),
                2 => ethernet(0x0806, &payload),
                _ => tcp(from, to, ACK, at as u32, &payload)[..14 + length.min(25)].to_vec(),
            };
            (at as u64 * 1000, frame)
        }).collect();
        let setup = WorkerSetup { deduplicate, ..setup(Mode::Live) };
        let mut cutting = Cutting::told(setup, flow_bytes);
        cutting.feed(&frames);
        let left = cutting.finish();
        let mut all = bytes(&frames).into_iter();
        prop_assert!(left.stored.iter().all(|frame| all.any(|other| other == *frame)));
    }
}
