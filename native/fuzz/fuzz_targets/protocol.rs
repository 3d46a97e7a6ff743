//! The first byte chooses the protocol that the rest is, the second how much of the frame was not captured.
#![no_main]

use fuzz::{ETHERNET, OUTERS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let [choice, missing, inner @ ..] = data {
        let frame = OUTERS[usize::from(*choice) % OUTERS.len()].carry(inner);
        fuzz::check(&frame, u32::from(*missing), ETHERNET);
    }
});
