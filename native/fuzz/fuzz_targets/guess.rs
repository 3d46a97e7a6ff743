//! The first two bytes are the port, the third how many bytes the originator sent; the rest is what both sides sent.
#![no_main]

use app::{Guess, guess};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [high, low, sent, rest @ ..] = data else { return };
    let port = u16::from_be_bytes([*high, *low]);
    let (orig, resp) = rest.split_at(rest.len().min(usize::from(*sent) * 4));
    assert_ne!(guess::datagram(rest, (port, 0)), Guess::More);
    let guessed = guess::stream(orig, resp, port);
    assert!(guessed != Guess::More || orig.len() < 512 || resp.len() < 512);
});
