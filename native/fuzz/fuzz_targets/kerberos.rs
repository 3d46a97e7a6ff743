//! The bytes are an answer of a key distribution centre.
#![no_main]

use app::kerberos::client;
use libfuzzer_sys::fuzz_target;

/// More than any name that is kept, were each of its bytes a character of three.
const MAX_NAME_BYTES: usize = 3 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some(principal) = client(data) else { return };
    assert!(!principal.name.is_empty());
    assert!(principal.name.len() <= MAX_NAME_BYTES && principal.realm.len() <= MAX_NAME_BYTES, "{principal:?}");
});
