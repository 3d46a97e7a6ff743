//! Directories, remote desktops, file servers, data bases and message brokers.

use super::seen::Seen::{self, Maybe, No, Probably, Surely};
use super::seen::{ANY, element, line, number, pattern, prefix, prefixes, whether, word, word_of};

/// A message behind its length, of any version ([MS-SMB2] section 2.1), or a session request of NetBIOS (RFC 1002
/// section 4.3.2).
pub(super) fn smb(data: &[u8]) -> Seen {
    let magic = |first: u16| pattern(data, &[0, ANY, ANY, ANY, first, b'S'.into(), b'M'.into(), b'B'.into()]);
    let netbios = || pattern(data, &[0x81, 0, 0, 0x44, 0x20]).or(|| pattern(data, &[0x82, 0, 0, 0]).weak());
    magic(0xff).or(|| magic(0xfe)).or(|| magic(0xfd)).or(|| magic(0xfc)).or(netbios)
}

/// A connection request with a cookie or what it negotiates ([MS-RDPBCGR] section 2.2.1.1).
pub(super) fn rdp_client(data: &[u8]) -> Seen {
    match pattern(data, &[3, 0, ANY, ANY, ANY, 0xe0, 0, 0, ANY, ANY, 0]) {
        Surely if word(data, 2) == 11 => Probably,
        Surely if word(data, 2) != usize::from(data[4]) + 5 => No,
        Surely => prefixes(&data[11..], &[b"Cookie: mst", b"Cookie: MST"]).or(|| negotiation(&data[11..], 1)),
        seen => seen,
    }
}

/// The confirmation ([MS-RDPBCGR] section 2.2.1.2).
pub(super) fn rdp_server(data: &[u8]) -> Seen {
    match pattern(data, &[3, 0, 0, ANY, ANY, 0xd0, ANY, ANY, ANY, ANY, 0]) {
        Surely if data[3] == 11 => Probably,
        Surely if data[3] != 19 => No,
        Surely => negotiation(&data[11..], 2).max(negotiation(&data[11..], 3)),
        seen => seen,
    }
}

fn negotiation(data: &[u8], kind: u16) -> Seen {
    pattern(data, &[kind, ANY, 8, 0])
}

/// A message whose operation is of the form that it should have (RFC 4511 section 4).
pub(super) fn ldap(data: &[u8]) -> Seen {
    let Some((0x30, start, length)) = element(data, 0) else { return short(data, 0x30) };
    let Some((2, number, bytes @ 1..=4)) = element(data, start) else { return short(&data[start..], 2) };
    let operation = number + bytes;
    let Some((tag, content, inner)) = element(data, operation) else {
        return if data.len() < operation + 2 { Maybe } else { No };
    };
    if inner > length {
        return No;
    }
    let rest = data.get(content..).unwrap_or_default();
    match tag {
        0x60 => pattern(rest, &[2, 1, ANY, 4]).and(|| matches!(rest[2], 2 | 3)),
        0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78 => pattern(rest, &[0x0a, 1, ANY, 4]),
        0x63 => match element(data, content) {
            Some((4, name, bytes)) => pattern(data.get(name + bytes..).unwrap_or_default(), &[0x0a, 1, ANY, 0x0a, 1]),
            _ => short(rest, 4),
        },
        0x77 => pattern(rest, &[0x80, ANY, b'1'.into(), b'.'.into()]),
        0x64 | 0x73 | 0x66 | 0x68 | 0x4a | 0x6c | 0x6e => whether(matches!(rest, [4 | 0x30, ..])).weak(),
        0x42 => whether(inner == 0 && length == bytes + 4).weak(),
        _ => No,
    }
}

/// For an element that is not whole: whether it may have this tag.
fn short(data: &[u8], tag: u8) -> Seen {
    if data.len() < 6 && data.first().is_none_or(|first| *first == tag) { Maybe } else { No }
}

/// A message of any version with a request or response in it (RFC 3416, RFC 3412 section 6).
pub(super) fn snmp(data: &[u8]) -> Seen {
    let Some((0x30, start, length)) = element(data, 0) else { return No };
    if start + length > data.len() || !matches!(data[start..], [2, 1, 0 | 1 | 3, ..]) {
        return No;
    }
    let body = element(data, start + 3);
    match (data[start + 2], body) {
        (3, Some((0x30, global, _))) => whether(data.get(global) == Some(&2)),
        (0 | 1, Some((4, community, bytes))) => whether(matches!(data.get(community + bytes), Some(0xa0..=0xa8))),
        _ => No,
    }
}

/// A message with the protocol's version in it (RFC 4120 section 5.4).
pub(super) fn kerberos(data: &[u8]) -> Seen {
    let Some((0x6a..=0x6f | 0x7e, start, _)) = element(data, 0) else { return No };
    let Some((0x30, inner, _)) = element(data, start) else { return No };
    whether(matches!(data.get(inner..), Some([0xa0 | 0xa1, 3, 2, 1, 5, ..])))
}

/// As [`kerberos`], behind its length (RFC 4120 section 7.2.2).
pub(super) fn kerberos_stream(data: &[u8]) -> Seen {
    match data {
        [0, 0..=15, _, _, message @ ..] if message.len() >= 20 => kerberos(message),
        [0, 0..=15, _, _, 0x6a..=0x6f | 0x7e, ..] | [0, 0..=15, _, _] | [0, 0..=15, _] | [0, 0..=15] | [0] => Maybe,
        _ => No,
    }
}

/// A call, or what begins an association (C706 section 12.6.1).
pub(super) fn dcerpc_client(data: &[u8]) -> Seen {
    dcerpc(data, &[0, 11, 14, 16])
}

/// What answers it.
pub(super) fn dcerpc_server(data: &[u8]) -> Seen {
    dcerpc(data, &[2, 3, 12, 13, 15])
}

/// A fragment of one of these types, in ASCII and IEEE's numbers, no shorter than its header (C706 section 12.6.3.1).
fn dcerpc(data: &[u8], kinds: &[u8]) -> Seen {
    pattern(data, &[5, ANY, ANY, ANY, ANY, 0, 0, 0, ANY, ANY]).and(|| {
        let length = if data[4] == 0 { word(data, 8) } else { usize::from(data[8]) | usize::from(data[9]) << 8 };
        data[1] <= 1 && kinds.contains(&data[2]) && matches!(data[4], 0 | 0x10) && length >= 16
    })
}

/// The server's greeting (MySQL internals, "Protocol::HandshakeV10"), or the error in its place.
pub(super) fn mysql_server(data: &[u8]) -> Seen {
    let length = usize::from(data[0]) | usize::from(*data.get(1).unwrap_or(&0)) << 8;
    if data.len() < 7 {
        return pattern(data, &[ANY, ANY, 0, 0, ANY, ANY, ANY]);
    }
    match data[..7] {
        [_, _, 0, 0, 10, b'0'..=b'9', _] => {
            let Some(version) = data[5..].iter().position(|byte| *byte == 0) else { return Maybe };
            // Behind the version: the connection's number, eight bytes of challenge, and a zero.
            let filler = 5 + version + 1 + 12;
            let plausible = version < 64 && data[5..5 + version].contains(&b'.') && length > version + 14;
            if plausible && data.len() <= filler { Maybe } else { whether(plausible && data[filler] == 0) }
        }
        // "Too many connections", "Host is blocked", "Host is not allowed".
        [_, _, 0, 0, 0xff, low, high] => {
            whether(matches!(u16::from_le_bytes([low, high]), 1040 | 1129 | 1130) && length < 512)
        }
        _ => No,
    }
}

/// The client's answer (MySQL internals, "Protocol::HandshakeResponse41" and "SSLRequest").
pub(super) fn mysql_client(data: &[u8]) -> Seen {
    let seen = pattern(data, &[ANY, ANY, 0, 1]);
    if seen == Surely && data.len() < 32 {
        return Maybe;
    }
    // Capabilities with the protocol of 4.1 among them, the longest packet, a character set, zeros.
    seen.and(|| data[5] & 2 != 0 && data[13..32].iter().all(|byte| *byte == 0) && word(&[data[1], data[0]], 0) >= 32)
}

/// The client's first message (PostgreSQL, "Message Formats": StartupMessage, SSLRequest, CancelRequest,
/// GSSENCRequest).
pub(super) fn postgresql_client(data: &[u8]) -> Seen {
    let code = |length: u16, code: [u8; 4]| {
        let code = code.map(u16::from);
        pattern(data, &[0, 0, ANY, length, code[0], code[1], code[2], code[3]])
    };
    let startup = code(ANY, [0, 3, 0, 0]).or(|| code(ANY, [0, 3, 0, 2]));
    let startup = match startup {
        Surely => prefixes(&data[8..], &[b"user\0", b"database\0", b"application_name\0", b"client_encoding\0"]),
        seen => seen,
    };
    startup
        .or(|| code(8, [4, 0xd2, 0x16, 0x2f]))
        .or(|| code(8, [4, 0xd2, 0x16, 0x30]))
        .or(|| code(16, [4, 0xd2, 0x16, 0x2e]))
}

/// What the server asks or answers first (PostgreSQL, "Message Formats": Authentication…, ErrorResponse).
pub(super) fn postgresql_server(data: &[u8]) -> Seen {
    if let [b'S' | b'N'] = data {
        return Probably;
    }
    let authentication = pattern(data, &[b'R'.into(), 0, 0, 0, ANY, 0, 0, 0, ANY])
        .and(|| matches!((data[4], data[8]), (8, 0 | 2 | 3 | 7 | 9) | (12, 5) | (_, 8 | 10..=12)));
    authentication.or(|| match pattern(data, &[b'E'.into(), 0, 0, ANY, ANY, b'S'.into()]) {
        Surely => prefixes(&data[6..], &[b"ERROR\0", b"FATAL\0", b"PANIC\0"]),
        seen => seen,
    })
}

/// An array of strings (Redis serialization protocol).
pub(super) fn redis_client(data: &[u8]) -> Seen {
    if data[0] != b'*' {
        return word_of(data, &[b"PING", b"INFO"]).weak();
    }
    let count = data[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    match &data[1 + count..] {
        [] if count <= 6 => Maybe,
        rest if count > 0 => prefix(rest, b"\r\n$"),
        _ => No,
    }
}

/// A simple answer, error, number or string (Redis serialization protocol).
pub(super) fn redis_server(data: &[u8]) -> Seen {
    let named = prefixes(data, &[b"-NOAUTH ", b"-WRONGTYPE ", b"-DENIED Redis", b"+PONG\r\n"]);
    named.or(|| match (data[0], line(data)) {
        (b'+' | b'-', Some(_)) => prefixes(data, &[b"+OK\r\n", b"-ERR "]).weak(),
        (b':' | b'$' | b'*' | b'%', Some(line)) => {
            let digits = line[1..].strip_prefix(b"-").unwrap_or(&line[1..]);
            whether(!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).weak()
        }
        (b'+' | b'-' | b':' | b'$' | b'*' | b'%', None) => Maybe,
        _ => No,
    })
}

/// CONNECT (MQTT 5 section 3.1, MQTT 3.1.1; "MQIsdp" by version 3.1).
pub(super) fn mqtt_client(data: &[u8]) -> Seen {
    if data[0] != 0x10 {
        return No;
    }
    let length = data[1..].iter().take(4).take_while(|byte| **byte & 0x80 != 0).count() + 1;
    match data.get(1 + length..) {
        None | Some([]) => whether(length <= 4).min(Maybe),
        Some(rest) => prefixes(rest, &[b"\0\x04MQTT\x03", b"\0\x04MQTT\x04", b"\0\x04MQTT\x05", b"\0\x06MQIsdp\x03"]),
    }
}

/// CONNACK (MQTT 5 section 3.2).
pub(super) fn mqtt_server(data: &[u8]) -> Seen {
    pattern(data, &[0x20, ANY, ANY, ANY]).and(|| (2..128).contains(&data[1]) && data[2] <= 1).weak()
}

/// A message of a client's directory look-up by UDP ([MS-ADTS] section 6.3.3), whole.
pub(super) fn cldap(data: &[u8]) -> Seen {
    match element(data, 0) {
        Some((0x30, start, length)) if start + length <= data.len() => ldap(data),
        _ => No,
    }
}

/// The number of a time that a sender may have: from 2001 on.
pub(super) fn is_unix_time(data: &[u8], at: usize) -> bool {
    (1_000_000_000..0xf000_0000).contains(&number(data, at, 4))
}
