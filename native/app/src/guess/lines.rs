//! Protocols of lines that people could type: SMTP, POP3, IMAP, FTP, SSH's first line, and telnet.

use super::seen::Seen::{self, Maybe, No, Probably, Surely};
use super::seen::{contains, is_text, line, prefix, prefixes, whether, word_of};

/// RFC 5321 section 4.1.1; LHLO by RFC 2033.
pub(super) fn smtp_client(data: &[u8]) -> Seen {
    word_of(data, &[b"EHLO", b"HELO", b"LHLO"])
        .and(|| is_text(data))
        .or(|| word_of(data, &[b"MAIL"]).and(|| contains(data, b" from:")))
        .or(|| word_of(data, &[b"STARTTLS", b"QUIT", b"NOOP", b"RSET", b"DATA"]).weak())
}

/// RFC 5321 section 4.2: most servers name the protocol in their greeting.
pub(super) fn smtp_server(data: &[u8]) -> Seen {
    greeting(data, &[b"220", b"421", b"554"], b"smtp", b"ftp")
}

/// RFC 959 section 4.1, RFC 4217, RFC 2389.
pub(super) fn ftp_client(data: &[u8]) -> Seen {
    word_of(data, &[b"USER", b"PASS", b"AUTH", b"FEAT", b"SYST", b"OPTS", b"PASV", b"EPSV", b"PORT", b"TYPE", b"QUIT"])
        .weak()
}

/// RFC 959 section 4.2: as SMTP's greeting, and the answer to USER.
pub(super) fn ftp_server(data: &[u8]) -> Seen {
    greeting(data, &[b"220", b"421", b"331", b"230"], b"ftp", b"smtp")
}

/// A reply of these codes that names the protocol, or at least does not name the other one.
fn greeting(data: &[u8], codes: &[&[u8]], own: &[u8], other: &[u8]) -> Seen {
    match prefixes(data, codes) {
        Surely => (),
        seen => return seen,
    }
    match data.get(3) {
        None => return Maybe,
        Some(b' ' | b'-') if is_text(data) => (),
        Some(_) => return No,
    }
    match (contains(data, own), contains(data, other)) {
        (true, false) => Surely,
        // The other one may be part of the host's name.
        (true, true) => Probably,
        (false, true) => No,
        (false, false) if line(data).is_none() => Maybe,
        (false, false) => Probably,
    }
}

/// RFC 1939, RFC 2449, RFC 2595.
pub(super) fn pop3_client(data: &[u8]) -> Seen {
    let strong = word_of(data, &[b"APOP", b"CAPA", b"STLS"]).and(|| is_text(data));
    strong.or(|| word_of(data, &[b"USER", b"AUTH", b"QUIT"]).weak())
}

/// RFC 1939 section 3.
pub(super) fn pop3_server(data: &[u8]) -> Seen {
    let named = prefix(data, b"+OK").and(|| is_text(data) && contains(data, b"pop"));
    named.or(|| prefixes(data, &[b"+OK ", b"+OK\r", b"-ERR "]).weak())
}

/// RFC 9051 section 6: a tag, and a command.
pub(super) fn imap_client(data: &[u8]) -> Seen {
    let tag = data.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.').count();
    if tag == data.len() {
        return if tag <= 16 { Maybe } else { No };
    }
    if !(1..=16).contains(&tag) || data[tag] != b' ' || !is_text(data) {
        return No;
    }
    let command = &data[tag + 1..];
    if command.is_empty() {
        return Maybe;
    }
    let strong = word_of(command, &[b"CAPABILITY", b"LOGIN", b"AUTHENTICATE", b"STARTTLS", b"NAMESPACE"]);
    // "230 Login successful" is a reply of another protocol.
    let reply = tag == 3 && data[..tag].iter().all(u8::is_ascii_digit);
    let strong = if reply { strong.weak() } else { strong };
    strong.or(|| word_of(command, &[b"ID", b"NOOP", b"LOGOUT", b"SELECT", b"EXAMINE", b"LIST", b"IDLE"]).weak())
}

/// RFC 9051 section 7.1.
pub(super) fn imap_server(data: &[u8]) -> Seen {
    let greeting = prefixes(data, &[b"* OK", b"* PREAUTH", b"* BYE"]);
    match greeting {
        Surely if contains(data, b"imap") => Surely,
        _ => greeting.weak().or(|| prefix(data, b"* CAPABILITY ").and(|| contains(data, b"imap4"))),
    }
}

/// Whether these are the first lines of SSH; both sides begin alike (RFC 4253 section 4.2).
pub(super) fn ssh(data: &[u8]) -> Seen {
    prefixes(data, &[b"SSH-2.0-", b"SSH-1.99-", b"SSH-1.5-", b"SSH-1.3-"])
}

/// The options that either side asks for and refuses (RFC 854, RFC 855).
pub(super) fn telnet(data: &[u8]) -> Seen {
    let (mut at, mut commands) = (0, 0);
    loop {
        match data[at..] {
            [0xff, 0xfb..=0xfe, 0..=49, ..] => at += 3,
            [0xff, 0xfa, 0..=49, ..] => match data[at..].windows(2).position(|pair| pair == [0xff, 0xf0]) {
                Some(end) => at += end + 2,
                None => return if commands > 0 { Surely } else { Maybe },
            },
            [0xff] | [0xff, 0xfa..=0xfe] | [] if commands < 2 => {
                return if commands == 0 { Maybe } else { Probably };
            }
            [0xff, ..] if commands < 2 => return No,
            _ => break,
        }
        commands += 1;
    }
    match commands {
        0 => No,
        1 => whether(is_text(&data[at..])).weak(),
        _ => Surely,
    }
}
