//! URLs in their one form (RFC 3986, 6.2.2 and 6.2.3): scheme and host in lower case, the default port and the fragment
//! left out, `/` for an empty path, and one way of percent-encoding. Path and query are what they are: no dot segments
//! are resolved, because what asks for a URL has resolved them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use super::domain::DomainName;
use super::indicator::parse_port_text;
use super::reason::{Reason, Refusal};

/// The longest URL, as a list or a packet has it.
pub(super) const MAX_URL_BYTES: usize = 4096;

/// What stands between the scheme and the rest.
pub(super) const SCHEME_END: &[u8] = b"://";

/// The schemes, each with its default port.
const SCHEMES: [(&str, u16); 2] = [("http", 80), ("https", 443)];

/// A URL; its parts are still as they were written, and are printed in their one form.
#[derive(Clone, Debug)]
pub(super) struct Url<'a> {
    scheme: &'static str,
    host: Host,
    /// Other than the scheme's.
    port: Option<NonZeroU16>,
    /// Path and query.
    target: &'a [u8],
}

#[allow(clippy::large_enum_variant)] // it never leaves the stack
#[derive(Clone, Debug)]
enum Host {
    Name(DomainName),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// How a host's name is read.
type ReadName = fn(&[u8]) -> Result<DomainName, Refusal>;

impl<'a> Url<'a> {
    /// Reads a list's URL.
    ///
    /// # Errors
    /// The first thing that is wrong, and its byte.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, Refusal> {
        if let Some(offset) = text.iter().position(u8::is_ascii_control) {
            return Err(Reason::ControlCharacter.at(offset));
        }
        if let Err(error) = std::str::from_utf8(text) {
            return Err(Reason::NotUtf8.at(error.valid_up_to()));
        }
        Self::read(text, DomainName::parse)
    }

    /// The URL of a request: `host` is what its Host field says, `port` the server's, and `target` what it asks for. An
    /// absolute target, as a proxy gets it (RFC 9112, 3.2.2), stands for itself.
    pub(super) fn on_wire(host: &[u8], port: u16, target: &'a [u8]) -> Option<Self> {
        let name = |text: &[u8]| DomainName::on_wire(text).ok_or(Reason::EmptyLabel.at(0));
        if !target.starts_with(b"/") {
            return Self::read(target, name).ok();
        }
        let (host, named) = read_authority(host, name).ok()?;
        let port = named.or(NonZeroU16::new(port));
        let is_short = target.len() <= MAX_URL_BYTES;
        is_short.then(|| Self::new(SCHEMES[0], host, port, target))
    }

    fn read(text: &'a [u8], name: ReadName) -> Result<Self, Refusal> {
        if text.len() > MAX_URL_BYTES {
            return Err(Reason::UrlTooLong.at(MAX_URL_BYTES));
        }
        let colon = memchr::memchr(b':', text).filter(|colon| text[*colon..].starts_with(SCHEME_END));
        let scheme = colon.and_then(|colon| find_scheme(&text[..colon])).ok_or(Reason::NoScheme.at(0))?;
        let start = scheme.0.len() + SCHEME_END.len();
        let rest = &text[start..];
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        // Who logs in is no part of what is asked for.
        let at = start + memchr::memrchr(b'@', &rest[..end]).map_or(0, |at| at + 1);
        let read = read_authority(&text[at..start + end], name);
        let (host, port) = read.map_err(|refusal| refusal.reason.at(at + refusal.offset))?;
        Ok(Self::new(scheme, host, port, &rest[end..]))
    }

    /// The host in its one form.
    pub(super) fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.to_string(),
            Host::V4(address) => address.to_string(),
            Host::V6(address) => format!("[{address}]"),
        }
    }

    /// Path and query, as they were written.
    pub(super) fn target(&self) -> &'a [u8] {
        if self.target.is_empty() { b"/" } else { self.target }
    }

    /// The host's address if it is one, and the port.
    pub(super) fn address(&self) -> Option<(IpAddr, u16)> {
        let address = match &self.host {
            Host::Name(_) => return None,
            Host::V4(address) => IpAddr::V4(*address),
            Host::V6(address) => IpAddr::V6(*address),
        };
        let default = SCHEMES.iter().find(|(name, _)| *name == self.scheme).map_or(80, |(_, port)| *port);
        Some((address, self.port.map_or(default, NonZeroU16::get)))
    }

    fn new((scheme, default): (&'static str, u16), host: Host, port: Option<NonZeroU16>, target: &'a [u8]) -> Self {
        let end = memchr::memchr(b'#', target).unwrap_or(target.len());
        Self { scheme, host, port: port.filter(|port| port.get() != default), target: &target[..end] }
    }
}

fn find_scheme(text: &[u8]) -> Option<(&'static str, u16)> {
    SCHEMES.into_iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text))
}

/// Reads `host`, `host:` or `host:port` (RFC 3986, 3.2).
fn read_authority(text: &[u8], name: ReadName) -> Result<(Host, Option<NonZeroU16>), Refusal> {
    let close = text.first().filter(|byte| **byte == b'[').and_then(|_| memchr::memchr(b']', text));
    let host_end = close.map_or_else(|| memchr::memchr(b':', text).unwrap_or(text.len()), |close| close + 1);
    let host = match close {
        Some(close) => Host::V6(parse_ip(&text[1..close]).ok_or(Reason::NotIpv6.at(1))?),
        None => match parse_ip(&text[..host_end]) {
            Some(address) => Host::V4(address),
            None => Host::Name(name(&text[..host_end])?),
        },
    };
    match text[host_end..].split_first() {
        None | Some((b':', [])) => Ok((host, None)),
        Some((b':', port)) => parse_port_text(port)
            .map(|port| (host, port))
            .map_err(|refusal| refusal.reason.at(host_end + 1 + refusal.offset)),
        Some(_) => Err(Reason::PortMissing.at(host_end)),
    }
}

fn parse_ip<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl fmt::Display for Url<'_> {
    /// The one form, in ASCII.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Host::Name(name) => name.fmt(f)?,
            Host::V4(address) => address.fmt(f)?,
            Host::V6(address) => write!(f, "[{address}]")?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if !self.target.starts_with(b"/") {
            f.write_str("/")?;
        }
        write_target(self.target, f)
    }
}

/// Writes what is neither unreserved nor a delimiter as `%XX`, and what is unreserved as itself (RFC 3986, 6.2.2.2).
fn write_target(mut rest: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    loop {
        let plain = rest.iter().take_while(|byte| is_unreserved(**byte) || is_delimiter(**byte)).count();
        f.write_str(std::str::from_utf8(&rest[..plain]).map_err(|_| fmt::Error)?)?;
        let Some(&next) = rest.get(plain) else { return Ok(()) };
        let encoded = decode(&rest[plain..]);
        match encoded {
            Some(byte) if is_unreserved(byte) => write!(f, "{}", char::from(byte))?,
            byte => write!(f, "%{:02X}", byte.unwrap_or(next))?,
        }
        rest = &rest[plain + if encoded.is_some() { 3 } else { 1 }..];
    }
}

/// The byte of the `%XX` that `text` starts with.
fn decode(text: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What stands for itself in a path or a query and is not the same when it is encoded (RFC 3986, 3.3 and 3.4).
fn is_delimiter(byte: u8) -> bool {
    b"!$&'()*+,;=:@/?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(text: &str) -> Result<String, (usize, Reason)> {
        let parsed = Url::parse(text.as_bytes());
        parsed.map(|url| url.to_string()).map_err(|refusal| (refusal.offset, refusal.reason))
    }

    #[test]
    fn a_url_has_one_form() {
        let cases = [
            ("HTTP://Evil.Example.", "http://evil.example/"),
            ("http://evil.example?", "http://evil.example/?"),
            ("http://evil.example#top", "http://evil.example/"),
            ("http://evil.example:80/a", "http://evil.example/a"),
            ("http://evil.example:/a", "http://evil.example/a"),
            ("https://evil.example:443/a", "https://evil.example/a"),
            ("https://evil.example:80/a", "https://evil.example:80/a"),
            ("http://user:pw@evil.example:8080/A?b=C#d", "http://evil.example:8080/A?b=C"),
            ("http://a@b@evil.example/x@y", "http://evil.example/x@y"),
            ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
            ("http://192.0.2.1:8080/bin.sh", "http://192.0.2.1:8080/bin.sh"),
            ("http://[2001:DB8:0::1]:81/", "http://[2001:db8::1]:81/"),
            ("http://e.example/%41%7e%2f%2F%zz%", "http://e.example/A~%2F%2F%25zz%25"),
            ("http://e.example/a b|c[d]", "http://e.example/a%20b%7Cc%5Bd%5D"),
            ("http://e.example/a/../b//c", "http://e.example/a/../b//c"),
        ];
        for (text, url) in cases {
            assert_eq!(outcome(text), Ok(url.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_where_it_goes_wrong() {
        let cases = [
            ("", 0, Reason::NoScheme),
            ("evil.example/a", 0, Reason::NoScheme),
            ("ftp://evil.example/", 0, Reason::NoScheme),
            ("hxxp://evil.example/", 0, Reason::NoScheme),
            ("http:/evil.example/", 0, Reason::NoScheme),
            ("http:///a", 7, Reason::EmptyLabel),
            ("http://ev[il.example/", 9, Reason::NotANameByte),
            ("http://u@ev[il.example/", 11, Reason::NotANameByte),
            ("http://evil.example:x/", 20, Reason::NotAPort),
            ("http://evil.example:99999/", 20, Reason::PortTooLarge),
            ("http://[2001:db8::x]/", 8, Reason::NotIpv6),
            ("http://[2001:db8::1]x/", 20, Reason::PortMissing),
            ("http://0x7f.1/", 12, Reason::LastLabel),
            ("http://evil.example/\u{7}", 20, Reason::ControlCharacter),
        ];
        for (text, offset, reason) in cases {
            assert_eq!(outcome(text), Err((offset, reason)), "{text}");
        }
        let long = format!("http://evil.example/{}", "a".repeat(MAX_URL_BYTES));
        assert_eq!(outcome(&long), Err((MAX_URL_BYTES, Reason::UrlTooLong)));
    }

    #[test]
    fn a_request_is_put_together_from_its_parts() {
        let wire = |host: &str, port, target| Url::on_wire(host.as_bytes(), port, target).map(|url| url.to_string());
        let found = |text: &str| Some(text.to_owned());
        assert_eq!(wire("Evil.Example", 80, b"/a?b"), found("http://evil.example/a?b"));
        assert_eq!(wire("evil.example", 8080, b"/"), found("http://evil.example:8080/"));
        assert_eq!(wire("evil.example:80", 8080, b"/"), found("http://evil.example/"));
        assert_eq!(wire("[2001:db8::1]:81", 8080, b"/"), found("http://[2001:db8::1]:81/"));
        assert_eq!(wire("proxy", 3128, b"http://evil.example/a"), found("http://evil.example/a"));
        assert_eq!(wire("", 80, b"/"), None);
        assert_eq!(wire("evil.example", 80, b"*"), None);
        assert_eq!(wire("evil.example", 80, b""), None);
        assert_eq!(wire("evil.example", 80, &[b'/'; MAX_URL_BYTES + 1]), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(text in "https?://[a-z.0-9@:]{1,12}[/?#]\\PC{0,20}") {
            if let Ok(printed) = outcome(&text) {
                let again = outcome(&printed);
                prop_assert_eq!(again, Ok(printed));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(
            text in proptest::collection::vec(any::<u8>(), 0..100),
            host in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            if let Err(refusal) = Url::parse(&text) {
                prop_assert!(refusal.offset <= text.len());
            }
            let whole = [b"http://", &text[..]].concat();
            let printed = Url::on_wire(&host, 1, &whole).map(|url| url.to_string());
            prop_assert!(printed.is_none_or(|url| url.starts_with("http://")));
        }
    }
}
