//! What a flow shows that lists may hold: names, URLs, fingerprints.

use std::fmt::Write;
use std::sync::Arc;

use app::AppProtocol;

use super::hits::Observed;
use crate::watchlist::{Match, Watchlists};

/// The longest text of an [`Observed`]; of a URL that is longer the rest is left out.
pub const MAX_OBSERVED_BYTES: usize = 512;

/// The default port of HTTP, which a URL does not name (RFC 9110, 4.2.1).
const HTTP_PORT: u16 = 80;

/// Something that a flow shows, as the packets have it.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// A name that is asked for or contacted.
    Name(&'a [u8]),
    /// What an HTTP request asks for.
    Url {
        /// Of its Host field, or what stands in its place.
        host: &'a [u8],
        /// Path and query, or a whole URL.
        target: &'a [u8],
    },
    /// The fingerprint of a TLS client.
    Ja4(&'a [u8]),
}

impl Shown<'_> {
    /// The entry that lists it; `port` is the responder's, `time_ns` packet time. Does not allocate.
    #[inline]
    pub fn look_up(&self, lists: &Watchlists, port: u16, time_ns: u64) -> Option<Match> {
        match *self {
            Self::Name(name) => lists.domain(name, time_ns),
            Self::Url { host, target } => lists.url(host, port, target, time_ns),
            Self::Ja4(fingerprint) => lists.ja4(fingerprint, time_ns),
        }
    }

    /// What is reported of it.
    pub fn observed(&self, port: u16, seen_in: AppProtocol) -> Observed {
        let bytes = match *self {
            Self::Name(text) | Self::Ja4(text) => text.to_vec(),
            Self::Url { host, target } => url(host, port, target),
        };
        let kept = &bytes[..bytes.len().min(MAX_OBSERVED_BYTES)];
        Observed { text: Arc::from(&*String::from_utf8_lossy(kept)), seen_in }
    }
}

/// The request's URL as one text.
fn url(host: &[u8], port: u16, target: &[u8]) -> Vec<u8> {
    if !target.starts_with(b"/") {
        return target.to_vec();
    }
    let names_port = memchr::memrchr(b':', host).is_some_and(|colon| !host[colon..].contains(&b']'));
    let mut authority = String::from_utf8_lossy(host).into_owned();
    if !names_port && port != HTTP_PORT {
        // Writing to a string does not fail.
        let _ = write!(authority, ":{port}");
    }
    [b"http://", authority.as_bytes(), target].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_told_as_one_text() {
        let told = |shown: Shown<'_>, port| shown.observed(port, AppProtocol::Http).text.to_string();
        let url =
            |host: &'static str, target: &'static str| Shown::Url { host: host.as_bytes(), target: target.as_bytes() };
        assert_eq!(told(Shown::Name(b"Evil.Example"), 53), "Evil.Example");
        assert_eq!(told(url("evil.example", "/a?b"), 80), "http://evil.example/a?b");
        assert_eq!(told(url("evil.example", "/"), 8080), "http://evil.example:8080/");
        assert_eq!(told(url("evil.example:81", "/"), 8080), "http://evil.example:81/");
        assert_eq!(told(url("[2001:db8::1]", "/"), 8080), "http://[2001:db8::1]:8080/");
        assert_eq!(told(url("proxy", "http://evil.example/a"), 3128), "http://evil.example/a");
        assert_eq!(told(Shown::Name(b"ev\xffil"), 53), "ev\u{fffd}il");
        assert_eq!(told(Shown::Name(&[b'a'; 1000]), 53).len(), MAX_OBSERVED_BYTES);
    }
}
