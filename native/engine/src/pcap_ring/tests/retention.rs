//! Which segments stay.

use super::*;

/// Ten frames of 100 bytes a segment, a second apart.
fn run(config: &RingConfig, frames: &[Record]) -> (PcapRing, Vec<SegmentFile>) {
    let config = RingConfig { segment_time_seconds: 10.0, ..config.clone() };
    let ring = open(&config, WhenFull::Wait);
    let mut feed = feed(&ring);
    store_all(&mut feed, frames);
    feed.close();
    ring.close();
    let files = closed(&config.directory);
    assert_eq!(ring.status().segments, files.len() as u64);
    assert_eq!(ring.status().bytes, files.iter().map(|file| file.bytes).sum::<u64>());
    (ring, files)
}

/// Bytes of a segment of ten frames.
const SEGMENT_BYTES: u64 = 24 + 10 * 116;

#[test]
fn the_number_of_segments_is_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { max_segments: 3, ..unbounded(directory.path()) };
    let frames = series(100, 100, SECOND_NS);
    let (ring, files) = run(&config, &frames);
    assert_eq!(records(&files), frames[70..]);
    assert_eq!(ring.status().oldest_time_ns, frames[70].timestamp_ns);
    assert_eq!(ring.accounts().stored_frames, 100);
}

#[test]
fn the_size_is_bounded_at_every_moment() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { max_size_bytes: 5 * SEGMENT_BYTES, ..unbounded(directory.path()) };
    let frames = series(200, 100, SECOND_NS);
    let ring = open(&RingConfig { segment_time_seconds: 10.0, ..config.clone() }, WhenFull::Wait);
    let mut feed = feed(&ring);
    for (number, frame) in frames.iter().enumerate() {
        frame.store(&mut feed);
        let due = Instant::now() + Duration::from_secs(number as u64 + 1);
        eventually(Duration::from_secs(5), || {
            feed.end_block(due);
            ring.accounts().stored_frames == number as u64 + 1
        });
        let files = [closed(directory.path()), segments(directory.path(), ".pcap.part")];
        let held: u64 = files.iter().flatten().map(|file| file.bytes).sum();
        assert!(held <= config.max_size_bytes, "{held} bytes after {number} frames");
    }
    feed.close();
    drop(ring);
    let files = closed(directory.path());
    assert!(files.len() >= 4);
    assert!(frames.ends_with(&records(&files)));
}

#[test]
fn age_counts_from_the_newest_record() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { max_age_seconds: 30.0, ..unbounded(directory.path()) };
    // Packets of 2026 in whatever year this runs: the wall clock has no say.
    let frames = series(100, 100, SECOND_NS);
    let (_, files) = run(&config, &frames);
    assert_eq!(files.len(), 10, "nothing is deleted before the first tick");
    let ring = open(&config, WhenFull::Wait);
    // The newest known time is the start of the last segment, at 90 s; a segment without a time limit may be endless.
    assert_eq!(ring.status().segments, 10);
    drop(ring);
    let timed = RingConfig { segment_time_seconds: 10.0, ..config };
    let ring = open(&timed, WhenFull::Wait);
    assert_eq!(records(&closed(directory.path())), frames[50..]);
    let mut feed = feed(&ring);
    let late = [Record::new(0, START_NS + 111 * SECOND_NS, 100)];
    store_all(&mut feed, &late);
    feed.close();
    eventually(Duration::from_secs(5), || records(&closed(directory.path())) == [&frames[80..], &late].concat());
}

#[test]
fn one_frame_with_a_wrong_time_expires_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { max_age_seconds: 3600.0, ..unbounded(directory.path()) };
    let ring = open(&config, WhenFull::Wait);
    let mut feed = feed(&ring);
    let mut frames = series(20, 100, SECOND_NS);
    frames[15].timestamp_ns += 365 * 86_400 * SECOND_NS;
    frames.iter().for_each(|frame| frame.store(&mut feed));
    feed.close();
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(records(&closed(directory.path())), frames);
}

#[test]
fn the_space_of_others_is_kept_free() {
    let directory = tempfile::tempdir().expect("a directory");
    let frames = series(100, 100, SECOND_NS);
    let (ring, _) = run(&unbounded(directory.path()), &frames);
    let status = ring.status();
    assert_eq!((status.segments, status.error), (10, None));
    fs::write(directory.path().join("eth1.pcap"), "foreign").expect("a file");
    // More than any disk has: everything of the ring's own goes, and nothing else.
    let config = RingConfig { min_free_bytes: 1 << 60, ..unbounded(directory.path()) };
    let (ring, files) = run(&config, &frames);
    assert_eq!(files.len(), 0);
    assert_eq!(file_names(directory.path()), ["eth1.pcap"]);
    assert_eq!(ring.accounts(), RingAccounts { dropped_full_frames: 100, ..RingAccounts::default() });
    let error = ring.status().error.expect("an error");
    assert!(error.ends_with("must stay free, nothing left to delete"), "{error}");
}

#[test]
fn a_segment_that_somebody_deleted_is_not_missed() {
    let directory = tempfile::tempdir().expect("a directory");
    let frames = series(50, 100, SECOND_NS);
    run(&unbounded(directory.path()), &frames);
    let config = RingConfig { segment_time_seconds: 10.0, max_segments: 5, ..unbounded(directory.path()) };
    let ring = open(&config, WhenFull::Wait);
    for name in &file_names(directory.path())[..4] {
        fs::remove_file(directory.path().join(name)).expect("removed");
    }
    let mut feed = feed(&ring);
    let later: Vec<_> = (0..40).map(|n| Record::new(n, START_NS + (60 + n as u64) * SECOND_NS, 100)).collect();
    store_all(&mut feed, &later);
    feed.close();
    drop(ring);
    assert_eq!(records(&closed(directory.path())), [&frames[40..], &later].concat());
}
