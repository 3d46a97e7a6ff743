//! What is told of requests and responses.

use crate::ntlm::{Logon, credentials};
use crate::{Text, text};

/// The longest part of a target, and of an address that a header names.
const MAX_URI_BYTES: usize = 4096;
/// The longest part of any other value.
const MAX_VALUE_BYTES: usize = 1024;

/// What happens in one direction. A message's events are its head, its body in slices, and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A field of the head that comes next: name and value as on the wire. Of a head that is refused afterwards the
    /// fields were told, too.
    Field(&'a [u8], &'a [u8]),
    /// A request's head.
    Request(Request),
    /// A response's head, of interim responses (1xx) too.
    Response(Response),
    /// The next bytes of the body, without the framing of chunks or frames; never empty.
    Body(&'a [u8]),
    /// The message is over. It comes after each head, whether or not there was a body.
    BodyEnd,
}

/// The head of a request. Each text is bounded: target, referer 4 KiB, others 1 KiB; what is longer is cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// As `GET`.
    pub method: Text,
    /// The target as on the wire, with the spaces that it should not have; the first 4 KiB.
    pub uri: Text,
    /// As `HTTP/1.1`.
    pub version: Text,
    /// `Host`, or `:authority`.
    pub host: Option<Text>,
    /// `User-Agent`.
    pub user_agent: Option<Text>,
    /// `Referer`.
    pub referer: Option<Text>,
    /// `Content-Type`.
    pub content_type: Option<Text>,
    /// `Content-Length`, if it is one number.
    pub content_length: Option<u64>,
    /// Whether there is a `Cookie`; it is not kept.
    pub cookie: bool,
    /// The scheme of `Authorization`, as `Basic`; the credentials are not kept.
    pub authorization: Option<Text>,
    /// Who logs on by NTLM in it, or to a proxy; nothing else of the credentials is kept.
    pub logon: Option<Logon>,
    /// `X-Forwarded-For`.
    pub xff: Option<Text>,
}

/// The head of a response. Texts are bounded as a request's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// As 200.
    pub status: u16,
    /// As `HTTP/1.1`.
    pub version: Text,
    /// `Content-Type`.
    pub content_type: Option<Text>,
    /// `Content-Length`, if it is one number.
    pub content_length: Option<u64>,
    /// `Location`.
    pub location: Option<Text>,
    /// `Server`.
    pub server: Option<Text>,
    /// `Upgrade`.
    pub upgrade: Option<Text>,
    /// `Content-Disposition`.
    pub disposition: Option<Text>,
    /// `Content-Encoding`.
    pub encoding: Option<Text>,
    /// Whether there is a `Set-Cookie`; it is not kept.
    pub sets_cookie: bool,
}

impl Request {
    /// Takes what a field says; of fields that come twice the first counts.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        let (kept, longest) = match lower(name, &mut [0; LONGEST_NAME]) {
            b"host" | b":authority" => (&mut self.host, MAX_VALUE_BYTES),
            b"user-agent" => (&mut self.user_agent, MAX_VALUE_BYTES),
            b"referer" => (&mut self.referer, MAX_URI_BYTES),
            b"content-type" => (&mut self.content_type, MAX_VALUE_BYTES),
            b"x-forwarded-for" => (&mut self.xff, MAX_VALUE_BYTES),
            b"proxy-authorization" => {
                self.logon = self.logon.take().or_else(|| credentials(value));
                return;
            }
            b"authorization" => {
                self.logon = self.logon.take().or_else(|| credentials(value));
                return keep(&mut self.authorization, scheme(value), MAX_SCHEME_BYTES);
            }
            b"cookie" => {
                self.cookie = true;
                return;
            }
            b"content-length" => {
                self.content_length = self.content_length.or_else(|| number(value));
                return;
            }
            _ => return,
        };
        keep(kept, value, longest);
    }

    pub(super) fn set_uri(&mut self, uri: &[u8]) {
        self.uri = text(uri, MAX_URI_BYTES);
    }
}

impl Response {
    /// As [`Request::field`].
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        let (kept, longest) = match lower(name, &mut [0; LONGEST_NAME]) {
            b"content-type" => (&mut self.content_type, MAX_VALUE_BYTES),
            b"location" => (&mut self.location, MAX_URI_BYTES),
            b"server" => (&mut self.server, MAX_VALUE_BYTES),
            b"upgrade" => (&mut self.upgrade, MAX_VALUE_BYTES),
            b"content-disposition" => (&mut self.disposition, MAX_VALUE_BYTES),
            b"content-encoding" => (&mut self.encoding, MAX_SCHEME_BYTES),
            b"set-cookie" => {
                self.sets_cookie = true;
                return;
            }
            b"content-length" => {
                self.content_length = self.content_length.or_else(|| number(value));
                return;
            }
            _ => return,
        };
        keep(kept, value, longest);
    }
}

/// Longer than the names of all fields that are read.
pub(super) const LONGEST_NAME: usize = 24;
/// Longer than every registered scheme.
const MAX_SCHEME_BYTES: usize = 32;

/// The name in small letters, empty for one that is none of ours.
pub(super) fn lower<'a>(name: &[u8], buffer: &'a mut [u8; LONGEST_NAME]) -> &'a [u8] {
    let Some(lower) = buffer.get_mut(..name.len()) else { return &[] };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    lower
}

fn keep(kept: &mut Option<Text>, value: &[u8], longest: usize) {
    if kept.is_none() {
        *kept = Some(text(value, longest));
    }
}

/// The scheme of credentials (RFC 9110 section 11.4). What has no scheme may be nothing but a secret.
fn scheme(value: &[u8]) -> &[u8] {
    match value.iter().position(|byte| *byte == b' ') {
        Some(space) if space <= MAX_SCHEME_BYTES => &value[..space],
        _ => b"",
    }
}

/// A length (RFC 9110 section 8.6). A list of the same number, as of merged fields, is that number.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    let mut parts = value.split(|byte| *byte == b',').map(|part| decimal(part.trim_ascii()));
    let first = parts.next()?;
    parts.all(|part| part == first).then_some(first)?
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_kept() {
        for (value, scheme) in [(&b"Basic dXNlcjpwYXNz"[..], "Basic"), (b"NTLM TlRM", "NTLM"), (b"dXNlcjpwYXNz", "")] {
            let mut request = Request::default();
            request.field(b"AUTHORIZATION", value);
            assert_eq!(request.authorization.as_deref(), Some(scheme));
        }
    }

    #[test]
    fn the_first_of_two_fields_counts() {
        let mut request = Request::default();
        request.field(b"Host", b"a");
        request.field(b"host", b"b");
        request.field(b"X-Some-Name-That-Is-Longer-Than-Ours", b"c");
        assert_eq!(request, Request { host: Some("a".into()), ..Request::default() });
    }

    #[test]
    fn values_are_cut() {
        let mut response = Response::default();
        response.field(b"server", &[b's'; 5000]);
        response.field(b"location", &[b'l'; 5000]);
        assert_eq!(response.server.map(|server| server.len()), Some(1024));
        assert_eq!(response.location.map(|location| location.len()), Some(4096));
    }

    #[test]
    fn a_length_is_one_number() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(number(b"5, 5"), Some(5));
        for value in [&b"18446744073709551616"[..], b"", b"5, 6", b"+5", b"0x5", b"5,"] {
            assert_eq!(number(value), None);
        }
    }
}
