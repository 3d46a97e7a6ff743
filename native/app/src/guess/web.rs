//! TLS, HTTP, and the protocols that were made in its likeness: SIP, RTSP.

use super::seen::Seen::{self, Maybe, No, Probably, Surely};
use super::seen::{ANY, line, number, pattern, prefix, prefixes, whether, word};

/// Behind so many bytes a target without an end is believed.
const LONG_TARGET_BYTES: usize = 256;
/// The longest record and its expansion (RFC 8446 section 5.2, RFC 5246 section 6.2.3).
const MAX_TLS_RECORD_BYTES: usize = 0x4000 + 2048;

/// A ClientHello (RFC 8446 section 4.1.2), also in the form of SSL 2 (RFC 5246 Appendix E.2).
pub(super) fn tls_client(data: &[u8]) -> Seen {
    tls_hello(data, 1).or(|| tls_record(data)).or(|| sslv2_hello(data))
}

/// A ServerHello (RFC 8446 section 4.1.3), or an alert.
pub(super) fn tls_server(data: &[u8]) -> Seen {
    tls_hello(data, 2).or(|| tls_record(data))
}

fn tls_hello(data: &[u8], kind: u16) -> Seen {
    let seen = pattern(data, &[0x16, 3, ANY, ANY, ANY, kind, 0, ANY, ANY, 3, ANY]);
    seen.and(|| data[2] <= 4 && (4..=MAX_TLS_RECORD_BYTES).contains(&word(data, 3)) && data[10] <= 4)
}

/// Any other record, as a connection has it in its midst. One is little to go by; two that follow each other are not.
fn tls_record(data: &[u8]) -> Seen {
    let header = |at: usize| {
        matches!(data[at..], [0x14..=0x17, 3, 1..=4, ..]) && (1..=MAX_TLS_RECORD_BYTES).contains(&word(data, at + 3))
    };
    if data.len() < 5 {
        return pattern(data, &[u16::from(data[0].clamp(0x14, 0x17)), 3, ANY, ANY, ANY]);
    }
    if !header(0) {
        return No;
    }
    let (next, length) = (5 + word(data, 3), word(data, 3));
    match data[0] {
        // A ChangeCipherSpec is one byte, an alert in the clear two.
        0x14 => whether(length == 1).and(|| data.get(5) == Some(&1)),
        0x15 if length == 2 => whether(matches!(data.get(5), Some(1 | 2))),
        _ if data.len() >= next + 5 => whether(header(next)),
        // Encrypted.
        0x15 | 0x17 if length >= 16 => Probably,
        _ => No,
    }
}

fn sslv2_hello(data: &[u8]) -> Seen {
    let seen = pattern(data, &[ANY, ANY, 1, 3, ANY, ANY, ANY, 0, ANY, 0, ANY]);
    if data[0] & 0x80 == 0 {
        return No;
    }
    seen.and(|| {
        let (ciphers, session, challenge) = (word(data, 5), word(data, 7), word(data, 9));
        let length = word(data, 0) & 0x7fff;
        ciphers % 3 == 0 && matches!(session, 0 | 16) && length == 9 + ciphers + session + challenge && data[4] <= 4
    })
}

/// A request line (RFC 9112 section 3).
pub(super) fn http_client(data: &[u8]) -> Seen {
    request_line(data, &[b" HTTP/1.1", b" HTTP/1.0"]).or(|| {
        let methods: &[&[u8]] = &[b"GET /", b"POST /", b"HEAD /", b"PUT /", b"GET http://", b"POST http://"];
        let seen = prefixes(data, methods);
        match line(data) {
            None if data.len() >= LONG_TARGET_BYTES => seen.and(|| is_target(data)),
            None => seen.min(Maybe),
            Some(_) => No,
        }
    })
}

fn is_target(data: &[u8]) -> bool {
    !data.iter().any(u8::is_ascii_control)
}

/// A status line (RFC 9112 section 4).
pub(super) fn http_server(data: &[u8]) -> Seen {
    prefix(data, b"HTTP/1.")
}

/// The preface (RFC 9113 section 3.4).
pub(super) fn http2_client(data: &[u8]) -> Seen {
    prefix(data, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
}

/// SETTINGS (RFC 9113 section 6.5), the first of which is of a registered number.
pub(super) fn http2_server(data: &[u8]) -> Seen {
    let seen = pattern(data, &[0, 0, ANY, 4, 0, 0, 0, 0, 0]).and(|| data[2] % 6 == 0);
    match seen {
        Surely if data[2] == 0 => Probably,
        Surely if data.len() < 11 => Maybe,
        _ => seen.and(|| (1..=9).contains(&word(data, 9))),
    }
}

/// A request or a response of either side (RFC 3261 section 7).
pub(super) fn sip(data: &[u8]) -> Seen {
    prefix(data, b"SIP/2.0 ").or(|| request_line(data, &[b" SIP/2.0"]))
}

/// A request or a response of either side (RFC 7826, RFC 2326).
pub(super) fn rtsp(data: &[u8]) -> Seen {
    prefixes(data, &[b"RTSP/1.0 ", b"RTSP/2.0 "]).or(|| request_line(data, &[b" RTSP/1.0", b" RTSP/2.0"]))
}

/// A method in capitals, a target, and at the line's end one of the versions.
fn request_line(data: &[u8], versions: &[&[u8]]) -> Seen {
    let method = data.iter().take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')).count();
    if !(1..=24).contains(&method) || data.get(method).is_some_and(|byte| *byte != b' ') {
        return No;
    }
    match line(data) {
        Some(line) => whether(versions.iter().any(|version| line.ends_with(version))),
        None if is_target(data.trim_ascii_end()) => Maybe,
        None => No,
    }
}

/// A long header of a known version (RFC 9000 section 17.2, RFC 9369; RFC 8999 for those that negotiate), or the header
/// of Google's versions before.
pub(super) fn quic(data: &[u8]) -> Seen {
    let long = data[0] & 0x80 != 0 && data.len() >= 7;
    if long && number(data, 1, 4) == 0 {
        let versions = 6 + usize::from(data[5]) + 1 + usize::from(*data.get(6 + usize::from(data[5])).unwrap_or(&255));
        return whether((0..16).any(|place| is_quic_version(number(data, versions + 4 * place, 4))));
    }
    let google = data.len() > 13 && data[0] & 0x89 == 9 && data[9] == b'Q' && is_quic_version(number(data, 9, 4));
    whether(google || long && data[0] & 0x40 != 0 && data[5] <= 20 && is_quic_version(number(data, 1, 4)))
}

fn is_quic_version(version: usize) -> bool {
    match version {
        1 | 0x6b33_43cf => true,
        // Drafts, and those of Google and Meta.
        0xff00_0011..=0xff00_0022 | 0xface_b000..=0xface_b00f => true,
        _ => {
            let [letter, digits @ ..] = (version as u32).to_be_bytes();
            matches!(letter, b'Q' | b'T') && digits[0] == b'0' && digits.iter().all(u8::is_ascii_digit)
        }
    }
}
