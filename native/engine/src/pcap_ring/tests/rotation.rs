//! Where segments begin and end, and that nothing is lost between them.

use proptest::prelude::*;

use super::*;

fn fill(config: &RingConfig, frames: &[Record]) -> Vec<SegmentFile> {
    let ring = open(config, WhenFull::Wait);
    let mut feed = feed(&ring);
    store_all(&mut feed, frames);
    feed.close();
    ring.close();
    assert_eq!(segments(&config.directory, ".pcap.part").len(), 0);
    closed(&config.directory)
}

#[test]
fn a_segment_is_named_after_its_first_frame() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = Record::new(0, START_NS + 123_456_789, 60);
    fill(&unbounded(directory.path()), &[first]);
    assert_eq!(file_names(directory.path()), ["eth1-0-20261122T074605.123456Z-000001.pcap"]);
}

#[test]
fn no_frame_is_lost_over_many_rotations() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_size_bytes: 256 << 10, ..unbounded(directory.path()) };
    let frames = series(20_000, 380, 1000);
    let ring = PcapRing::open(&config, WhenFull::Wait).expect("the ring opens");
    let mut feed = feed(&ring);
    for block in frames.chunks(700) {
        block.iter().for_each(|frame| frame.store(&mut feed));
        feed.end_block(Instant::now());
    }
    feed.close();
    ring.close();
    let files = closed(directory.path());
    assert!(files.len() >= 20, "{} files", files.len());
    assert!(files.iter().all(|file| file.bytes <= 256 << 10));
    // Full to the last frame that fits.
    assert!(files[..files.len() - 1].iter().all(|file| file.bytes + 396 > 256 << 10));
    assert_eq!(records(&files), frames);
}

#[test]
fn packet_time_rotates() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_time_seconds: 10.0, ..unbounded(directory.path()) };
    let files = fill(&config, &series(35, 60, SECOND_NS));
    let lengths: Vec<_> = files.iter().map(|file| file.records.len()).collect();
    assert_eq!(lengths, [10, 10, 10, 5]);
}

#[test]
fn time_that_runs_to_and_fro_does_not_rotate_without_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_time_seconds: 10.0, ..unbounded(directory.path()) };
    let to_and_fro = |number: usize| {
        let jump_ns = if number % 2 == 0 { 0 } else { 3600 * SECOND_NS };
        Record::new(number, START_NS + jump_ns + number as u64 * 1_000_000, 60)
    };
    let frames: Vec<_> = (0..1000).map(to_and_fro).collect();
    let files = fill(&config, &frames);
    assert_eq!(files.len(), 2);
    assert_eq!(records(&files), frames);
}

#[test]
fn a_frame_larger_than_a_segment_stands_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_size_bytes: 2000, ..unbounded(directory.path()) };
    let frames: Vec<_> =
        [60, 9000, 60, 60].into_iter().enumerate().map(|(n, length)| Record::new(n, START_NS, length)).collect();
    let files = fill(&config, &frames);
    let lengths: Vec<_> = files.iter().map(|file| file.records.len()).collect();
    assert_eq!(lengths, [1, 1, 2]);
    assert_eq!(records(&files), frames);
}

#[test]
fn a_small_ring_makes_small_segments() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_size_bytes: 1 << 30, max_size_bytes: 1 << 20, ..unbounded(directory.path()) };
    let files = fill(&config, &series(4000, 380, 1000));
    assert!(files.iter().all(|file| file.bytes <= 1 << 18));
    assert_eq!(records(&files).last(), series(4000, 380, 1000).last());
}

#[test]
fn feeds_write_files_of_their_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = open(&unbounded(directory.path()), WhenFull::Wait);
    let frames = series(50, 100, 1000);
    let mut feeds = Vec::new();
    for (interface, worker) in [("eth1", 0), ("eth1", 1), ("a/b", 0), ("a_b", 0)] {
        feeds.push(ring.feed(interface, worker, LinkType::ETHERNET, 65535));
    }
    for frame in &frames {
        feeds.iter_mut().for_each(|feed| frame.store(feed));
    }
    drop(feeds);
    ring.close();
    let files = closed(directory.path());
    let mut names: Vec<_> = files.iter().map(|file| format!("{}-{}", file.name.interface, file.name.worker)).collect();
    names.sort();
    assert_eq!(names, ["a_b-0", "a_b-0", "eth1-0", "eth1-1"]);
    assert!(files.iter().all(|file| file.records == frames));
}

#[test]
fn silence_ends_a_live_segment() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_time_seconds: 0.1, ..unbounded(directory.path()) };
    let ring = open(&config, WhenFull::Drop);
    let mut feed = feed(&ring);
    let frames = series(2, 60, 1000);
    frames[0].store(&mut feed);
    feed.end_block(Instant::now() + Duration::from_secs(1));
    eventually(Duration::from_secs(6), || closed(directory.path()).len() == 1);
    frames[1].store(&mut feed);
    feed.end_block(Instant::now() + Duration::from_secs(2));
    eventually(Duration::from_secs(6), || records(&closed(directory.path())) == frames);
}

#[test]
fn the_open_file_is_less_than_a_second_behind() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = open(&unbounded(directory.path()), WhenFull::Drop);
    let mut feed = feed(&ring);
    let frames = series(4, 60, 1000);
    for (stored, frame) in (1..).zip(&frames) {
        frame.store(&mut feed);
        eventually(Duration::from_secs(1), || {
            feed.end_block(Instant::now());
            records(&segments(directory.path(), ".pcap.part")) == frames[..stored]
        });
    }
}

#[derive(Debug, Clone)]
struct Step {
    length: usize,
    forward_ns: i64,
    ends_block: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![8 => 0usize..200, 2 => 200usize..1600, 1 => 1600usize..9000];
    let forward_ns = prop_oneof![6 => 0i64..1_000_000, 2 => 0i64..3_000_000_000, 1 => -5_000_000_000i64..0];
    (length, forward_ns, prop::bool::weighted(0.2)).prop_map(|(length, forward_ns, ends_block)| Step {
        length,
        forward_ns,
        ends_block,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What the feed took stands in the files, byte for byte and in order, and every file keeps within its limits.
    #[test]
    fn files_in_order_are_the_frames(steps in prop::collection::vec(step(), 0..300), waits: bool,
                                     segment_size in 100u64..20_000, chunks in 1usize..6) {
        let directory = tempfile::tempdir().expect("a directory");
        let config = RingConfig {
            segment_size_bytes: segment_size, segment_time_seconds: 2.0, ..unbounded(directory.path())
        };
        let when_full = if waits { WhenFull::Wait } else { WhenFull::Drop };
        let size = PoolSize { chunk_bytes: 1000, chunks };
        let ring = PcapRing::open_sized(&config, when_full, size).expect("the ring opens");
        let mut feed = feed(&ring);
        let (mut taken, mut dropped, mut time_ns) = (Vec::new(), 0, START_NS);
        for (number, step) in steps.iter().enumerate() {
            time_ns = time_ns.saturating_add_signed(step.forward_ns);
            let record = Record::new(number, time_ns, step.length);
            record.store(&mut feed);
            if feed.handed_frames() > taken.len() as u64 { taken.push(record) } else { dropped += 1 }
            if step.ends_block {
                feed.end_block(Instant::now());
            }
        }
        prop_assert_eq!(feed.dropped_slow_frames(), dropped);
        prop_assert!(!waits || dropped == 0);
        feed.close();
        ring.close();
        let accounts = RingAccounts { stored_frames: taken.len() as u64, ..RingAccounts::default() };
        prop_assert_eq!(ring.accounts(), accounts);
        let files = closed(directory.path());
        prop_assert_eq!(file_names(directory.path()).len(), files.len());
        prop_assert_eq!(ring.status().bytes, files.iter().map(|file| file.bytes).sum::<u64>());
        for file in &files {
            prop_assert!(file.bytes <= segment_size || file.records.len() == 1);
            let first_ns = file.records[0].timestamp_ns;
            prop_assert!(file.records.iter().all(|record| record.timestamp_ns < first_ns + 2 * SECOND_NS));
            prop_assert_eq!(file.name.start_ns, first_ns / 1000 * 1000);
        }
        prop_assert_eq!(records(&files), taken);
    }
}
