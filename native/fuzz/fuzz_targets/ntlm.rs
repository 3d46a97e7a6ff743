//! The bytes are a message, wrapped in whatever stands before it, and the value of a field of HTTP.
#![no_main]

use app::ntlm::{Logon, credentials, logon};
use libfuzzer_sys::fuzz_target;

/// A name of 512 bytes, each of which may become a character of three.
const MAX_NAME_BYTES: usize = 512 * 3;

fuzz_target!(|data: &[u8]| {
    let found = logon(data);
    found.iter().for_each(check);
    credentials(data).iter().for_each(check);
    for scheme in [&b"NTLM "[..], b"Negotiate "] {
        credentials(&[scheme, data].concat()).iter().for_each(check);
    }
});

/// Somebody logs on, and no name is longer than it may be.
fn check(logon: &Logon) {
    assert!(!logon.user.is_empty());
    for name in [&logon.user, &logon.domain, &logon.workstation] {
        assert!(name.len() <= MAX_NAME_BYTES, "{logon:?}");
    }
}
