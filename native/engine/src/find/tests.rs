//! Searches over rings, compared with what was put into them.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use capture::{Block, FileReader, Frame, LinkType, OwnedBlock};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::{Address, EncapStack, TunnelPorts};

use super::*;
use crate::pcap_ring::{PcapRing, RingConfig, WhenFull};
use crate::store::RingStore;
use crate::testing::{End, fragment, tcp, udp};

const START_NS: u64 = 1_795_333_565_000_000_000;
const STEP_NS: u64 = 1_000_000;

/// A frame and what can be asked about it.
#[derive(Debug, Clone)]
struct Sample {
    time_ns: u64,
    worker: usize,
    ends: [End; 2],
    ports: [u16; 2],
    vlan: Option<u16>,
    data: Vec<u8>,
}

/// Conversations among 250 clients and 30 servers on two workers, some tagged, some UDP, all different.
fn samples(count: usize, seed: u64) -> Vec<Sample> {
    let mut state = seed | 1;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let sample = |number: usize| {
        // Clients come and go, so that blocks differ.
        let client = End([10, 0, (number / 500) as u8, next(25) as u8], 40_000 + next(50) as u16);
        let server = End([203, 0, 113, next(30) as u8], [25, 80, 443, 8080][next(4) as usize]);
        let ends = if next(2) == 0 { [client, server] } else { [server, client] };
        let payload = vec![number as u8; next(900) as usize];
        let mut data = match server.1 {
            443 => udp(ends[0], ends[1], &payload),
            _ => tcp(ends[0], ends[1], 0x10, number as u32, &payload),
        };
        let vlan = (next(3) == 0).then(|| 100 + (number / 700) as u16);
        if let Some(id) = vlan {
            data.splice(12..12, [[0x81, 0], id.to_be_bytes()].concat());
        }
        let (time_ns, worker) = (START_NS + number as u64 * STEP_NS, next(2) as usize);
        Sample { time_ns, worker, ends, ports: [ends[0].1, ends[1].1], vlan, data }
    };
    (0..count).map(sample).collect()
}

fn ring(directory: &Path, segment_bytes: u64) -> Arc<PcapRing> {
    let config = json!({"directory": directory, "segment_size_bytes": segment_bytes, "segment_time_seconds": 0.0,
        "max_size_bytes": 0, "max_segments": 0, "max_age_seconds": 0.0, "min_free_bytes": 0, "flow_cutoff_bytes": 0});
    let config: RingConfig = serde_json::from_value(config).expect("a configuration");
    Arc::new(PcapRing::open(&config, WhenFull::Wait).expect("a ring"))
}

fn store(ring: &Arc<PcapRing>, samples: &[Sample]) {
    let interfaces: Arc<[String]> = ["eth1".to_owned()].into();
    let store = |worker| RingStore::new(Arc::clone(ring), worker, Arc::clone(&interfaces), 65_535);
    let mut stores: Vec<_> = (0..2).map(store).collect();
    let (ports, mut stack) = (TunnelPorts::default(), EncapStack::new());
    for sample in samples {
        let (data, origlen) = (sample.data.as_slice(), sample.data.len() as u32);
        let frame = Frame {
            timestamp_ns: sample.time_ns,
            data,
            origlen,
            link_type: LinkType::ETHERNET,
            interface: 0,
            number: 0,
            worker: None,
        };
        let store = &mut stores[sample.worker];
        store.store(&frame);
        let decoded = wire::decode(data, origlen, 1, &ports, &mut stack);
        store.describe(&frame, &decoded, &stack);
        store.end_block(Instant::now());
    }
}

fn query(directory: &Path, asked: &Value) -> PacketQuery {
    let mut whole = json!({"directory": directory, "decapsulation":
        {"vxlan_ports": [4789], "geneve_ports": [], "gtpu_ports": [], "tzsp_ports": []}});
    whole.as_object_mut().expect("an object").extend(asked.as_object().expect("an object").clone());
    serde_json::from_value(whole).expect("a query")
}

/// The frames that a search writes, and what it says.
fn find(directory: &Path, asked: &Value) -> (Vec<(u64, Vec<u8>)>, PlanNumbers, Found) {
    // In memory where that is to be had: each answer is synced.
    let memory = Path::new("/dev/shm");
    let out = tempfile::tempdir_in(if memory.is_dir() { memory.into() } else { std::env::temp_dir() });
    let out = out.expect("a directory");
    let path = out.path().join("out.pcap").display().to_string();
    let mut search = PacketSearch::new(query(directory, asked)).expect("a search");
    search.write_to(&path, Form::default()).expect("an output");
    while search.step().expect("a step") {}
    let found = search.finish().expect("an end");
    (read(&path), search.plan().clone(), found)
}

fn read(path: &str) -> Vec<(u64, Vec<u8>)> {
    let mut frames = Vec::new();
    let Ok(mut reader) = FileReader::open(path, 0) else { return frames };
    while let Some(block) = reader.next_block(OwnedBlock::default()).expect("readable") {
        frames.extend(block.frames().map(|frame| (frame.timestamp_ns, frame.data.to_vec())));
    }
    assert_eq!(reader.warning(), None);
    frames
}

fn wanted(samples: &[Sample], matches: impl Fn(&Sample) -> bool) -> Vec<(u64, Vec<u8>)> {
    samples.iter().filter(|sample| matches(sample)).map(|sample| (sample.time_ns, sample.data.clone())).collect()
}

fn text(end: End) -> String {
    end.0.map(|byte| byte.to_string()).join(".")
}

#[test]
fn random_questions_find_what_was_stored_and_read_little() {
    let samples = samples(8000, 7);
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 1 << 20);
    store(&ring, &samples);
    ring.close();
    let cases = std::env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000);
    let mut narrow = 0;
    for case in 0..cases {
        let sample = &samples[case * 7919 % samples.len()];
        let [a, b] = sample.ends;
        let (host, peer, port, vlan) = (case & 1 == 1, case & 3 == 3, case & 4 == 4, case & 8 == 8);
        let vlan = sample.vlan.filter(|_| vlan);
        let since_ns = if case & 16 == 16 { sample.time_ns.saturating_sub(500 * STEP_NS) } else { 0 };
        let until_ns = (case & 32 == 32).then_some(sample.time_ns + 20 * STEP_NS);
        let mut asked = json!({"since_ns": since_ns, "until_ns": until_ns, "vlan": vlan});
        host.then(|| asked["host"] = json!(text(a)));
        peer.then(|| asked["peer"] = json!(text(b)));
        port.then(|| asked["port"] = json!(b.1));
        let expected = wanted(&samples, |other| {
            let ends = other.ends.map(|end| end.0);
            let both = [[a.0, b.0], [b.0, a.0]].contains(&ends);
            (!host || ends.contains(&a.0))
                && (!peer || both)
                && (!port || other.ports.contains(&b.1))
                && (vlan.is_none() || other.vlan == vlan)
                && (since_ns..=until_ns.unwrap_or(u64::MAX)).contains(&other.time_ns)
        });
        let (found, plan, _) = find(directory.path(), &asked);
        assert_eq!(found.len(), expected.len(), "{asked}");
        assert_eq!(found, expected, "{asked}");
        assert_eq!(plan.unindexed_segments, 0);
        narrow += u32::from(plan.read_bytes * 2 < plan.bytes);
    }
    assert!(narrow as usize > cases / 3, "{narrow} of {cases} read less than half");
}

#[test]
fn the_index_is_small_and_goes_with_its_segment() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 1 << 20);
    store(&ring, &samples(8000, 3));
    let bytes = ring.status().bytes;
    ring.close();
    let (_, plan, _) = find(directory.path(), &json!({}));
    assert!(plan.index_bytes > 0 && plan.index_bytes * 50 < plan.bytes, "{plan:?}");
    assert!(bytes <= plan.bytes + plan.index_bytes);
}

#[test]
fn of_segments_of_other_times_the_end_of_the_index_is_read_alone() {
    let samples = samples(8000, 3);
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 1 << 18);
    store(&ring, &samples);
    ring.close();
    let (_, whole, _) = find(directory.path(), &json!({}));
    let (since_ns, until_ns) = (samples[4000].time_ns, samples[4009].time_ns);
    let (found, plan, _) = find(directory.path(), &json!({"since_ns": since_ns, "until_ns": until_ns}));
    assert_eq!(found, wanted(&samples, |sample| (since_ns..=until_ns).contains(&sample.time_ns)));
    assert!(whole.segments > 10 && plan.index_bytes * 3 < whole.index_bytes, "{plan:?} of {whole:?}");
}

#[test]
fn a_clock_that_was_set_back_hides_nothing() {
    let mut samples = samples(8000, 3);
    // Ten minutes on in the middle of a segment, and back again in another one's: no name tells of it.
    let (jumped, back) = (3000, 3010);
    samples[jumped..back].iter_mut().for_each(|sample| sample.time_ns += 600_000_000_000);
    let earlier = 5000;
    samples[earlier..].iter_mut().for_each(|sample| sample.time_ns -= 3_600_000_000_000);
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 1 << 20);
    store(&ring, &samples);
    ring.close();
    for asked in [
        json!({"since_ns": samples[jumped].time_ns}),
        json!({"until_ns": samples[earlier + 50].time_ns}),
        json!({"since_ns": samples[earlier - 1].time_ns - 50 * STEP_NS}),
    ] {
        let since_ns = asked["since_ns"].as_u64().unwrap_or(0);
        let until_ns = asked["until_ns"].as_u64().unwrap_or(u64::MAX);
        let mut expected = wanted(&samples, |sample| (since_ns..=until_ns).contains(&sample.time_ns));
        let (mut found, ..) = find(directory.path(), &asked);
        expected.sort();
        found.sort();
        assert!(!expected.is_empty() && found == expected, "{asked}: {} of {}", found.len(), expected.len());
    }
}

#[test]
fn a_ring_without_indexes_or_with_damaged_ones_answers_the_same() {
    let samples = samples(3000, 5);
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 1 << 19);
    store(&ring, &samples);
    ring.close();
    let asked = json!({"host": text(samples[9].ends[0])});
    let (expected, ..) = find(directory.path(), &asked);
    assert!(!expected.is_empty());
    let indexes = || {
        let entries =
            std::fs::read_dir(directory.path()).expect("readable").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.extension().is_some_and(|suffix| suffix == "idx")).collect::<Vec<_>>()
    };
    assert!(indexes().len() > 2);
    for path in indexes() {
        let mut bytes = std::fs::read(&path).expect("an index");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("written");
    }
    let (found, plan, answer) = find(directory.path(), &asked);
    assert_eq!(found, expected);
    assert_eq!((plan.unindexed_segments as usize, answer.notes.len()), (indexes().len(), indexes().len()));
    indexes().iter().for_each(|path| std::fs::remove_file(path).expect("removed"));
    let (found, plan, answer) = find(directory.path(), &asked);
    assert_eq!((found, plan.read_bytes), (expected, plan.bytes - 24 * plan.segments));
    assert_eq!(answer.notes, Vec::<String>::new());
}

#[test]
fn the_open_segment_answers_and_one_that_is_rotated_away_is_said() {
    let samples = samples(500, 5);
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 0);
    store(&ring, &samples);
    ring.close();
    let entries =
        || std::fs::read_dir(directory.path()).expect("readable").map(|entry| entry.expect("an entry").path());
    let segments: Vec<_> = entries().filter(|path| path.extension().is_some_and(|suffix| suffix == "pcap")).collect();
    assert_eq!(segments.len(), 2);
    let (expected, ..) = find(directory.path(), &json!({}));
    // As a kill leaves it: the open name, a piece of a frame at the end.
    let open = segments[0].with_extension("pcap.part");
    std::fs::rename(&segments[0], &open).expect("renamed");
    let mut torn = std::fs::read(&open).expect("a segment");
    torn.extend_from_within(24..60);
    std::fs::write(&open, torn).expect("written");
    assert_eq!(find(directory.path(), &json!({})).0, expected);
    let mut search = PacketSearch::new(query(directory.path(), &json!({}))).expect("a search");
    std::fs::remove_file(&segments[1]).expect("removed");
    while search.step().expect("a step") {}
    let found = search.finish().expect("an end");
    assert!(found.packets > 0 && found.packets < expected.len() as u64);
    assert!(found.notes.len() == 1 && found.notes[0].contains("rotated away"), "{:?}", found.notes);
}

#[test]
fn fragments_and_quoted_packets_belong_to_their_flow() {
    let (client, server) = (End([10, 0, 0, 1], 5000), End([203, 0, 113, 9], 53));
    let other = End([10, 0, 0, 2], 5000);
    let datagram = udp(client, server, &[7; 64]);
    let mut unreachable = vec![3, 3, 0, 0, 0, 0, 0, 0];
    unreachable.extend(&datagram[14..]);
    let frames = [
        fragment(client, server, 77, (0, true), &datagram[34..]),
        fragment(client, server, 77, (9, false), &[1; 40]),
        fragment(client, server, 78, (9, false), &[1; 40]),
        crate::testing::ipv4(End([10, 0, 0, 254], 0), client, 1, &unreachable),
        udp(other, server, b"x"),
    ];
    let sample = |(number, data): (usize, &Vec<u8>)| Sample {
        time_ns: START_NS + number as u64,
        worker: 0,
        ends: [client, server],
        ports: [0, 0],
        vlan: None,
        data: data.clone(),
    };
    let samples: Vec<_> = frames.iter().enumerate().map(sample).collect();
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 0);
    store(&ring, &samples);
    ring.close();
    let times = |asked: &Value| {
        let (found, ..) = find(directory.path(), asked);
        found.iter().map(|(time_ns, _)| time_ns - START_NS).collect::<Vec<_>>()
    };
    assert_eq!(times(&json!({"host": "10.0.0.1", "peer": "203.0.113.9", "port": 53})), [0, 1, 3]);
    assert_eq!(times(&json!({"host": "10.0.0.1", "peer": "203.0.113.9"})), [0, 1, 2, 3]);
    assert_eq!(times(&json!({"host": "203.0.113.9"})), [0, 1, 2, 3, 4]);
    let end = |end: End| wire::Endpoint { address: Address::v4(end.0), port: end.1 };
    let tuple = wire::FiveTuple { orig: end(server), resp: end(client), protocol: 17 };
    assert_eq!(times(&json!({"community_id": wire::community_id(&tuple)})), [0, 1, 3]);
    assert_eq!(times(&json!({"filter": "icmp"})), [3]);
    assert_eq!(times(&json!({"filter": "udp", "host": "10.0.0.2"})), [4]);
}

#[test]
fn limits_end_a_search_and_wrong_questions_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 0);
    store(&ring, &samples(100, 5));
    ring.close();
    let (found, _, answer) = find(directory.path(), &json!({"limit_packets": 10}));
    assert_eq!((found.len(), answer.packets, answer.limited), (10, 10, true));
    let (found, _, answer) = find(directory.path(), &json!({"limit_bytes": 3000}));
    assert!(answer.limited && answer.bytes + 16 * answer.packets <= 3000 && !found.is_empty());
    let refused = |asked| PacketSearch::new(query(directory.path(), &asked)).err().expect("a refusal").to_string();
    assert!(refused(json!({"peer": "10.0.0.1"})).contains("give both"));
    assert!(refused(json!({"filter": "host and"})).contains("syntax error"));
    let gone = directory.path().join("gone");
    assert!(PacketSearch::new(query(&gone, &json!({}))).is_err());
}

#[test]
fn a_file_has_its_name_when_it_is_whole_and_a_search_that_is_given_up_leaves_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 0);
    store(&ring, &samples(100, 5));
    ring.close();
    let out = tempfile::tempdir().expect("a directory");
    let names = || {
        let entries =
            std::fs::read_dir(out.path()).expect("readable").map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let path = out.path().join("x.pcap").display().to_string();
    let begin = || {
        let mut search = PacketSearch::new(query(directory.path(), &json!({}))).expect("a search");
        search.write_to(&path, Form::default()).expect("an output");
        while search.step().expect("a step") {}
        search
    };
    let mut search = begin();
    assert_eq!(names(), ["x.pcap.tmp"]);
    drop(begin());
    assert_eq!(names(), Vec::<String>::new());
    assert!(search.finish().is_err(), "the other one has taken the name");
    let mut search = begin();
    search.finish().expect("an end");
    assert_eq!(names(), ["x.pcap"]);
    assert_eq!(read(&path).len(), 100);
    assert!(begin().finish().is_ok(), "an earlier file is replaced");
    assert_eq!(names(), ["x.pcap"]);
}

#[test]
fn a_pipe_is_written_to_and_not_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = ring(directory.path(), 0);
    store(&ring, &samples(10, 5));
    ring.close();
    let mut search = PacketSearch::new(query(directory.path(), &json!({}))).expect("a search");
    search.write_to("/dev/null", Form::default()).expect("an output");
    while search.step().expect("a step") {}
    assert_eq!(search.finish().expect("an end").packets, 10);
    assert!(!Path::new("/dev/null").metadata().expect("a device").is_file());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn damaged_segments_do_no_harm(at in 0.0..1.0f64, junk in prop::collection::vec(any::<u8>(), 1..200)) {
        let directory = tempfile::tempdir().expect("a directory");
        let ring = ring(directory.path(), 1 << 17);
        store(&ring, &samples(400, 11));
        ring.close();
        for entry in std::fs::read_dir(directory.path()).expect("readable") {
            let path = entry.expect("an entry").path();
            let mut bytes = std::fs::read(&path).expect("readable");
            let at = (at * bytes.len() as f64) as usize;
            bytes.splice(at..bytes.len().min(at + junk.len()), junk.iter().copied());
            std::fs::write(&path, bytes).expect("written");
        }
        let (_, _, answer) = find(directory.path(), &json!({"host": "203.0.113.5"}));
        prop_assert!(answer.packets <= 400);
    }
}
