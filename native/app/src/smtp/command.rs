//! Commands of SMTP, as far as they matter (RFC 5321, 4.1.1; BDAT: RFC 3030; AUTH: RFC 4954; STARTTLS: RFC 3207).

use crate::mail::MAX_ADDRESS_BYTES;
use crate::{Text, text};

/// A command, or another thing that the server answers; numbers are transactions'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Mail(u32),
    /// And which recipient.
    Rcpt(u32, usize),
    /// DATA itself.
    Data(u32),
    /// A message, for one of several recipients.
    Part(u32),
    /// A message.
    End(u32),
    Auth,
    StartTls,
    Other,
    /// No command: the transaction is over behind what came before.
    Aborted(u32),
}

impl Command {
    pub(super) fn belongs_to(self, transaction: u32) -> bool {
        matches!(self, Self::Mail(serial) | Self::Rcpt(serial, _) | Self::Data(serial) | Self::Part(serial) | Self::End(serial)
            if serial == transaction)
    }
}

/// What a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    /// Length of the chunk in bytes, and whether it is the last.
    Bdat(u64, bool),
    Auth,
    StartTls,
    Reset,
    Other,
}

/// What a line asks for, and the rest of it.
pub(super) fn verb(line: &[u8]) -> (Verb, &[u8]) {
    let line = line.trim_ascii();
    let end = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let (word, argument) = (&line[..end], line[end..].trim_ascii());
    let verb = match word.to_ascii_uppercase().as_slice() {
        b"HELO" | b"EHLO" => Verb::Helo,
        b"LHLO" => Verb::Lhlo,
        b"MAIL" | b"SEND" | b"SOML" | b"SAML" => Verb::Mail,
        b"RCPT" => Verb::Rcpt,
        b"DATA" => Verb::Data,
        b"BDAT" => chunk(argument),
        b"AUTH" => Verb::Auth,
        b"STARTTLS" => Verb::StartTls,
        b"RSET" | b"QUIT" => Verb::Reset,
        _ => Verb::Other,
    };
    (verb, argument)
}

fn chunk(argument: &[u8]) -> Verb {
    let argument = String::from_utf8_lossy(argument).to_ascii_uppercase();
    let mut words = argument.split_ascii_whitespace();
    match words.next().and_then(|length| length.parse().ok()) {
        Some(length) => Verb::Bdat(length, words.next() == Some("LAST")),
        None => Verb::Other,
    }
}

/// The address of `FROM:<…>` or `TO:<…>`, without its parameters and without a route (RFC 5321, 4.1.2).
pub(super) fn path(argument: &[u8]) -> Text {
    let colon = memchr::memchr(b':', argument).map_or(0, |colon| colon + 1);
    let path = argument[colon..].trim_ascii();
    let path = match path.strip_prefix(b"<") {
        Some(inner) => &inner[..memchr::memchr(b'>', inner).unwrap_or(inner.len())],
        None => path.split(|&byte| byte == b' ').next().unwrap_or_default(),
    };
    let routed = path.starts_with(b"@").then(|| memchr::memchr(b':', path)).flatten();
    text(routed.map_or(path, |colon| &path[colon + 1..]), MAX_ADDRESS_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_brackets_parameters_and_routes() {
        for (argument, address) in [
            ("FROM:<it@t3sec.cc> SIZE=1000 BODY=8BITMIME", "it@t3sec.cc"),
            ("from: <a@b.example>", "a@b.example"),
            ("TO:a@b.example NOTIFY=NEVER", "a@b.example"),
            ("TO:<@relay.example,@other.example:a@b.example>", "a@b.example"),
            ("FROM:<>", ""),
            ("FROM:<\"a b\"@c.example>", "\"a b\"@c.example"),
            ("FROM:<unclosed@x.example", "unclosed@x.example"),
            ("", ""),
        ] {
            assert_eq!(&*path(argument.as_bytes()), address, "{argument}");
        }
    }

    #[test]
    fn commands_are_read_in_any_case() {
        assert_eq!(verb(b"ehlo  pc "), (Verb::Helo, &b"pc"[..]));
        assert_eq!(verb(b"bdat 20 last").0, Verb::Bdat(20, true));
        assert_eq!(verb(b"BDAT 20").0, Verb::Bdat(20, false));
        assert_eq!(verb(b"BDAT -1").0, Verb::Other);
        assert_eq!(verb(b"").0, Verb::Other);
    }
}
