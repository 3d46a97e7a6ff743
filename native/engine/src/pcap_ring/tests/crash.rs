//! What an earlier run left is made whole and adopted; a second one is kept out.

use super::*;

/// One segment of five frames, closed; gives its bytes and frames.
fn one_segment() -> (String, Vec<u8>, Vec<Record>) {
    let directory = tempfile::tempdir().expect("a directory");
    let frames: Vec<_> = (0..5).map(|n| Record::new(n, START_NS + n as u64 * SECOND_NS, 10 + n * 7)).collect();
    let ring = open(&unbounded(directory.path()), WhenFull::Wait);
    let mut feed = feed(&ring);
    store_all(&mut feed, &frames);
    feed.close();
    ring.close();
    let name = file_names(directory.path()).remove(0);
    let bytes = fs::read(directory.path().join(&name)).expect("a segment");
    (name, bytes, frames)
}

#[test]
fn a_file_that_was_cut_anywhere_is_made_whole() {
    let (name, bytes, frames) = one_segment();
    for cut in 0..=bytes.len() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join(format!("{name}.part")), &bytes[..cut]).expect("a file");
        let ring = open(&unbounded(directory.path()), WhenFull::Drop);
        let mut whole = frames.clone();
        while 24 + whole.iter().map(|record| 16 + record.data.len()).sum::<usize>() > cut.max(24) {
            whole.pop();
        }
        let expected_names = if whole.is_empty() { Vec::new() } else { vec![name.clone()] };
        assert_eq!(file_names(directory.path()), expected_names, "cut at {cut}");
        assert_eq!(records(&closed(directory.path())), whole, "cut at {cut}");
        assert_eq!(ring.status().segments, u64::from(!whole.is_empty()));
        assert_eq!(ring.notes().len(), 1);
    }
}

#[test]
fn an_unreadable_file_is_set_aside_and_counts() {
    let directory = tempfile::tempdir().expect("a directory");
    let (name, mut bytes, _) = one_segment();
    bytes[0] = 0;
    fs::write(directory.path().join(format!("{name}.part")), &bytes).expect("a file");
    let ring = open(&unbounded(directory.path()), WhenFull::Drop);
    assert_eq!(file_names(directory.path()), [format!("{name}.damaged")]);
    assert_eq!(ring.status().bytes, bytes.len() as u64);
}

#[test]
fn a_closed_file_is_checked_only_after_a_disorderly_end() {
    let (name, bytes, frames) = one_segment();
    for (holder, whole) in [("", false), ("4711\n", true)] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(&name);
        fs::write(&path, &bytes[..bytes.len() - 1]).expect("a file");
        fs::write(directory.path().join(".lock"), holder).expect("a lock file");
        let ring = open(&unbounded(directory.path()), WhenFull::Drop);
        assert_eq!(ring.notes().len(), usize::from(whole), "{:?}", ring.notes());
        if whole {
            assert_eq!(records(&closed(directory.path())), frames[..4]);
        } else {
            assert_eq!(fs::read(&path).expect("a file"), bytes[..bytes.len() - 1]);
        }
    }
}

#[test]
fn an_orderly_end_leaves_an_empty_lock_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let lock = directory.path().join(".lock");
    let ring = open(&unbounded(directory.path()), WhenFull::Drop);
    assert_eq!(fs::read_to_string(&lock).expect("a lock file"), format!("{}\n", std::process::id()));
    ring.close();
    assert_eq!(fs::read_to_string(&lock).expect("a lock file"), "");
}

#[test]
fn earlier_segments_are_adopted_and_numbers_go_on() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("notes.txt"), "foreign").expect("a file");
    let frames = series(30, 60, 1000);
    for run in frames.chunks(10) {
        let ring = open(&unbounded(directory.path()), WhenFull::Wait);
        let mut feed = feed(&ring);
        store_all(&mut feed, run);
        feed.close();
        ring.close();
    }
    let files = closed(directory.path());
    assert_eq!(files.iter().map(|file| file.name.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(records(&files), frames);
    let status = open(&unbounded(directory.path()), WhenFull::Drop).status();
    assert_eq!((status.segments, status.bytes), (3, files.iter().map(|file| file.bytes).sum()));
    assert_eq!(status.oldest_time_ns, START_NS);
    assert!(directory.path().join("notes.txt").exists());
}

#[test]
fn a_directory_has_one_holder() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = unbounded(directory.path());
    let ring = open(&config, WhenFull::Drop);
    let refused = PcapRing::open(&config, WhenFull::Drop).expect_err("the directory is held");
    let expected = format!("held by another process (pid {})", std::process::id());
    assert!(refused.to_string().ends_with(&expected), "{refused}");
    drop(ring);
    open(&config, WhenFull::Drop);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("a file");
    let error = PcapRing::open(&unbounded(&file.join("ring")), WhenFull::Drop).expect_err("not a directory");
    assert!(error.to_string().contains("file/ring: Not a directory"), "{error}");
}
