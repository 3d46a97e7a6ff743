//! The first two bytes say where the stream was cut at first (little-endian), the rest is the stream.
#![no_main]

use app::Parse;
use app::tls::{client_hello, server_hello};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [low, high, stream @ ..] = data else { return };
    let cut = usize::from(u16::from_le_bytes([*low, *high])).min(stream.len());
    let client = client_hello(stream);
    if let Parse::Done(hello) = &client {
        assert_eq!(hello.ja4.as_str().len(), 36);
        assert!(hello.sni.as_ref().is_none_or(|name| !name.is_empty()));
    }
    // What was said of the beginning holds when more is there.
    let early = client_hello(&stream[..cut]);
    assert!(early == Parse::More || early == client);
    let early = server_hello(&stream[..cut]);
    assert!(early == Parse::More || early == server_hello(stream));
});
