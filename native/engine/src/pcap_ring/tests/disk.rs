//! Directories that vanish and disks that fill up.

use std::env;
use std::process::Command;

use super::*;

#[test]
fn a_removed_directory_is_made_again() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("ring");
    let ring = open(&unbounded(&directory), WhenFull::Drop);
    let mut feed = feed(&ring);
    let frames = series(3, 60, 1000);
    let now = Instant::now();
    frames[0].store(&mut feed);
    feed.end_block(now + Duration::from_secs(1));
    eventually(Duration::from_secs(5), || ring.accounts().stored_frames == 1);
    fs::remove_dir_all(&directory).expect("removed");
    eventually(Duration::from_secs(5), || directory.join(".lock").exists());
    eventually(Duration::from_secs(5), || ring.status().bytes == 0);
    frames[1].store(&mut feed);
    feed.end_block(now + Duration::from_secs(2));
    feed.close();
    drop(ring);
    assert_eq!(records(&closed(&directory)), frames[1..2]);
}

#[test]
fn an_unusable_directory_costs_frames_until_it_is_back() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("ring");
    let ring = open(&unbounded(&directory), WhenFull::Drop);
    let mut feed = feed(&ring);
    fs::rename(&directory, parent.path().join("elsewhere")).expect("moved");
    fs::write(&directory, "in the way").expect("a file");
    let start = Instant::now();
    let frames = series(1000, 60, 1000);
    let mut given = 0;
    let mut store = |ring: &PcapRing, until: &dyn Fn(RingAccounts) -> bool| {
        eventually(Duration::from_secs(5), || {
            frames[given].store(&mut feed);
            given += 1;
            feed.end_block(start + Duration::from_secs(given as u64));
            until(ring.accounts())
        });
    };
    store(&ring, &|accounts| accounts.dropped_error_frames >= 10);
    assert_eq!(ring.accounts().stored_frames, 0);
    let error = ring.status().error.expect("an error");
    assert!(error.contains("ring: ") && error.contains("exist"), "{error}");
    fs::remove_file(&directory).expect("removed");
    store(&ring, &|accounts| accounts.stored_frames >= 10);
    assert_eq!(ring.status().error, None);
    feed.close();
    ring.close();
    let accounts = ring.accounts();
    assert_eq!(accounts.stored_frames + accounts.dropped_error_frames, given as u64);
    assert_eq!(records(&closed(&directory)).len() as u64, accounts.stored_frames);
}

/// Names the small file system to the test that runs on it.
const SMALL_DISK: &str = "SPANWATCH_TEST_SMALL_DISK";

/// Runs the test below on a tmpfs of 4 MiB, in a mount namespace of its own.
#[test]
fn a_full_disk() {
    let mount_point = tempfile::tempdir().expect("a directory");
    let inner = concat!(module_path!(), "::on_a_small_disk");
    let inner = inner.split_once("::").expect("a crate's name").1;
    let script = r#"mount -t tmpfs -o size=4m none "$1" || exit 77; shift; exec "$@""#;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(mount_point.path())
        .arg(env::current_exe().expect("this test"))
        .args(["--exact", inner, "--ignored", "--nocapture"])
        .env(SMALL_DISK, mount_point.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
        }
        Ok(output) if output.status.code() == Some(101) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        cannot => {
            assert!(env::var_os("CI").is_none(), "a full disk was not tested: {cannot:?}");
            eprintln!("SKIPPED: a full disk is tested as root only, who may mount a small one: {cannot:?}");
        }
    }
}

#[test]
#[ignore = "run by a_full_disk on a file system of its own"]
fn on_a_small_disk() {
    let directory = env::var_os(SMALL_DISK).map(PathBuf::from).expect("a small disk");
    a_ring_fits_itself_into_the_disk(&directory.join("alone"));
    foreign_files_fill_the_disk(&directory);
    a_floor_of_free_space_holds(&directory.join("floor"));
}

fn a_ring_fits_itself_into_the_disk(directory: &Path) {
    let ring = PcapRing::open(&unbounded(directory), WhenFull::Wait).expect("the ring opens");
    let mut feed = feed(&ring);
    let frames = series(40_000, 380, 1000);
    store_all(&mut feed, &frames);
    feed.close();
    ring.close();
    assert_eq!(ring.accounts(), RingAccounts { stored_frames: 40_000, ..RingAccounts::default() });
    let files = closed(directory);
    assert!(files.len() >= 3, "{} files", files.len());
    assert!(frames.ends_with(&records(&files)), "the newest stay");
    fs::remove_dir_all(directory).expect("removed");
}

fn foreign_files_fill_the_disk(disk: &Path) {
    let (directory, foreign) = (disk.join("ring"), disk.join("foreign"));
    let config = RingConfig { segment_size_bytes: 100_000, ..unbounded(&directory) };
    let ring = open(&config, WhenFull::Wait);
    let mut feed = feed(&ring);
    // Leaves less than a segment, and not a multiple of a chunk.
    fs::write(&foreign, vec![1; (4 << 20) - 85_000]).expect("a foreign file");
    // All of one segment, so that there is never one to delete.
    let frames = series(5000, 379, 1000);
    store_all(&mut feed, &frames[..240]);
    eventually(Duration::from_secs(5), || ring.accounts().dropped_full_frames > 0);
    let error = ring.status().error.expect("an error");
    assert!(error.contains("No space left on device") && error.ends_with("nothing left to delete"), "{error}");
    let written = records(&segments(&directory, ".pcap.part"));
    assert!(written.len() > 100 && frames.starts_with(&written), "whole frames from the first on");
    fs::remove_file(&foreign).expect("removed");
    store_all(&mut feed, &frames[240..]);
    feed.close();
    ring.close();
    let RingAccounts { stored_frames, dropped_full_frames, dropped_error_frames } = ring.accounts();
    assert_eq!((stored_frames + dropped_full_frames, dropped_error_frames), (5000, 0));
    let kept = records(&closed(&directory));
    assert_eq!(kept.len() as u64, stored_frames);
    assert!(kept.ends_with(&frames[260..]), "it resumed by itself");
    assert_eq!(ring.status().error, None);
    fs::remove_dir_all(directory).expect("removed");
}

fn a_floor_of_free_space_holds(directory: &Path) {
    let config = RingConfig { min_free_bytes: 2 << 20, segment_size_bytes: 100_000, ..unbounded(directory) };
    let ring = open(&config, WhenFull::Wait);
    let mut feed = feed(&ring);
    for (number, block) in series(20_000, 380, 1000).chunks(10).enumerate() {
        store_all(&mut feed, block);
        if number % 100 == 0 {
            let space = rustix::fs::statvfs(directory).expect("statvfs");
            // A page for the end of each file is more than the bytes in it.
            assert!(space.f_bavail * space.f_frsize + 100 * 4096 > 2 << 20);
        }
    }
    feed.close();
    ring.close();
    assert_eq!(ring.accounts().stored_frames, 20_000);
    let bytes = ring.status().bytes;
    assert!((1 << 20..=2 << 20).contains(&bytes), "{bytes}");
}
