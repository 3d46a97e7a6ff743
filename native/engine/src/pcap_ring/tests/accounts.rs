//! Law 4: every frame is counted once, at every moment.

use std::sync::atomic::AtomicBool;

use super::*;

fn ended(accounts: RingAccounts) -> u64 {
    accounts.stored_frames + accounts.dropped_full_frames + accounts.dropped_error_frames
}

#[test]
fn a_slow_writer_costs_frames_and_counts_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let size = PoolSize { chunk_bytes: 4096, chunks: 2 };
    let ring = PcapRing::open_sized(&unbounded(directory.path()), WhenFull::Drop, size).expect("the ring opens");
    let mut feed = feed(&ring);
    // Within a block nothing reaches the writer: two chunks of ten frames are all there is.
    let frames = series(50, 384, 1000);
    frames.iter().for_each(|frame| frame.store(&mut feed));
    assert_eq!((feed.handed_frames(), feed.dropped_slow_frames()), (20, 30));
    feed.end_block(Instant::now());
    eventually(Duration::from_secs(5), || ring.accounts().stored_frames >= 10);
    frames[0].store(&mut feed);
    assert_eq!((feed.handed_frames(), feed.dropped_slow_frames()), (21, 30));
    feed.close();
    ring.close();
    assert_eq!(records(&closed(directory.path()))[..20], frames[..20]);
}

#[test]
fn snapshots_close_while_frames_pass() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_size_bytes: 50_000, max_segments: 5, ..unbounded(directory.path()) };
    let ring = open(&config, WhenFull::Drop);
    let mut feed = feed(&ring);
    let (published, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let frames = series(300, 100, 1000);
    thread::scope(|scope| {
        scope.spawn(|| {
            for block in 0..2000 {
                frames[..block % 300].iter().for_each(|frame| frame.store(&mut feed));
                published.store(feed.handed_frames(), Ordering::Release);
                feed.end_block(Instant::now());
            }
            published.store(feed.handed_frames(), Ordering::Release);
            feed.close();
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let ended = ended(ring.accounts());
            let handed = published.load(Ordering::Acquire);
            assert!(handed >= ended, "{handed} handed, {ended} ended");
        }
    });
    ring.close();
    assert_eq!(ended(ring.accounts()), published.into_inner());
    assert!(ring.accounts().stored_frames > 0);
}

#[test]
fn waiting_workers_never_wait_for_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = RingConfig { segment_size_bytes: 30_000, ..unbounded(directory.path()) };
    let size = PoolSize { chunk_bytes: 1000, chunks: 2 };
    let ring = PcapRing::open_sized(&config, WhenFull::Wait, size).expect("the ring opens");
    let frames = series(3000, 300, 1000);
    thread::scope(|scope| {
        for worker in 0..4 {
            let mut feed = ring.feed("eth1", worker, LinkType::ETHERNET, 65535);
            let frames = &frames;
            scope.spawn(move || {
                for block in frames.chunks(50) {
                    block.iter().for_each(|frame| frame.store(&mut feed));
                    feed.end_block(Instant::now());
                }
            });
        }
    });
    ring.close();
    let files = closed(directory.path());
    for worker in 0..4 {
        let of_worker = files.iter().filter(|file| file.name.worker == worker).flat_map(|file| file.records.clone());
        assert_eq!(of_worker.collect::<Vec<_>>(), frames);
    }
}

#[test]
fn frames_for_a_closed_ring_are_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = open(&unbounded(directory.path()), WhenFull::Drop);
    let mut feed = feed(&ring);
    ring.close();
    series(100, 380, 1000).iter().for_each(|frame| frame.store(&mut feed));
    let handed = feed.handed_frames();
    feed.close();
    assert!(handed > 0);
    assert_eq!(ring.accounts().dropped_error_frames, handed);
}

#[test]
fn configuration_and_status_are_those_of_the_contract() {
    let text = r#"{"directory":"/ring","segment_size_bytes":268435456,"segment_time_seconds":300.0,"max_size_bytes":1,
                   "max_segments":2,"max_age_seconds":0.5,"min_free_bytes":3,"flow_cutoff_bytes":4}"#;
    let config: RingConfig = serde_json::from_str(text).expect("a configuration");
    assert_eq!((config.segment_size_bytes, config.max_age_seconds), (268_435_456, 0.5));
    let status = RingStatus {
        bytes: 1,
        segments: 2,
        oldest_time_ns: 3,
        written_bytes: 4,
        index_errors: 5,
        free_bytes: 6,
        error: None,
    };
    let expected =
        r#"{"bytes":1,"segments":2,"oldest_time_ns":3,"written_bytes":4,"index_errors":5,"free_bytes":6,"error":null}"#;
    assert_eq!(serde_json::to_string(&status).expect("JSON"), expected);
}
