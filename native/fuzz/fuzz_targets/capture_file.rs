//! The bytes are a capture file, of whatever format, compressed or not.
#![no_main]

use std::cell::RefCell;
use std::io::Cursor;

use capture::{Block, FileReader, OwnedBlock};
use libfuzzer_sys::fuzz_target;

/// Decompressed bytes of one input that are looked at: some grow by a factor of a thousand.
const MAX_FRAME_BYTES: usize = 1 << 22;

thread_local! {
    /// Its memory is filled with zeros once, not for each input.
    static BLOCK: RefCell<OwnedBlock> = RefCell::default();
}

fuzz_target!(|data: &[u8]| {
    let Ok(mut reader) = FileReader::from_source(Cursor::new(data.to_vec()), "input", 0) else { return };
    let mut block = BLOCK.take();
    let mut frame_bytes = 0;
    while let Ok(Some(next)) = reader.next_block(std::mem::take(&mut block)) {
        for frame in next.frames() {
            assert!(frame.origlen as usize >= frame.data.len());
            frame_bytes += 16 + frame.data.len();
        }
        block = next;
        if frame_bytes > MAX_FRAME_BYTES {
            break;
        }
    }
    assert!(reader.taken_bytes() <= data.len() as u64);
    BLOCK.set(block);
});
