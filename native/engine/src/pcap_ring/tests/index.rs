//! The index while its segment is written.

use super::*;
use crate::pcap_ring::index::BLOCK_BYTES;

#[test]
fn the_index_of_an_open_segment_is_at_most_a_block_behind() {
    let directory = tempfile::tempdir().expect("a directory");
    let ring = open(&unbounded(directory.path()), WhenFull::Wait);
    let mut feed = feed(&ring);
    let frames = series(600, 1000, 1000);
    let now = Instant::now();
    for (port, record) in frames.iter().enumerate() {
        record.store(&mut feed);
        feed.describe(|filter| filter.insert(Key::port(port as u16)));
        feed.end_block(now);
    }
    eventually(Duration::from_secs(5), || {
        feed.end_block(now + Duration::from_secs(1));
        ring.accounts().stored_frames == 600
    });
    let [segment] = &segments(directory.path(), OPEN_SUFFIX)[..] else { panic!("one segment is open") };
    let index = directory.path().join(format!("{}{INDEX_SUFFIX}", segment.name));
    let index = read_index(&index, segment.bytes).expect("an index");
    let indexed = index.blocks.last().expect("a block").end();
    assert!(!index.damaged && indexed <= segment.bytes, "{indexed} of {}", segment.bytes);
    assert!(segment.bytes - indexed <= BLOCK_BYTES as u64, "{indexed} of {}", segment.bytes);
    for (port, start) in (24..indexed).step_by(1016).enumerate() {
        let mut around = index.blocks.iter().filter(|block| (block.start..block.end()).contains(&start));
        assert!(around.any(|block| block.filter.may_hold(Key::port(port as u16))), "port {port}");
    }
}
