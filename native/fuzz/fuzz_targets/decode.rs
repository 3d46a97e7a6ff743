//! The first two bytes are the link type (little-endian), the third how much of the frame was not captured.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let [low, high, missing, frame @ ..] = data {
        fuzz::check(frame, u32::from(*missing), u16::from_le_bytes([*low, *high]));
    }
});
