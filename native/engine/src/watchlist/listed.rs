//! The text of an indicator, whatever it lists.

use super::IndicatorKind;
use super::domain::ends_like_a_name;
use super::indicator::{Indicator, plainest};
use super::ja4::Ja4;
use super::name::Name;
use super::reason::{Reason, Refusal};
use super::url::SCHEME_END;

/// An indicator that was read.
#[allow(clippy::large_enum_variant)] // it never leaves the stack
#[derive(Clone, Debug)]
pub(super) enum Listed<'a> {
    /// What an end's address is or lies in.
    Address(Indicator),
    /// What a flow shows.
    Name(Name<'a>),
}

impl<'a> Listed<'a> {
    /// Reads an indicator, without white space around it, of the kind that is told, or as what it looks like.
    ///
    /// # Errors
    /// The first thing that is wrong, and its byte.
    #[inline]
    pub(super) fn parse(text: &'a [u8], kind: Option<IndicatorKind>) -> Result<Self, Refusal> {
        match kind.unwrap_or_else(|| looks_like(text)) {
            IndicatorKind::Ip | IndicatorKind::Cidr | IndicatorKind::IpPort => {
                Indicator::parse(text).map(Self::Address).map_err(|refusal| nearer(text, kind, refusal))
            }
            _ if text.is_empty() => Err(Reason::Empty.at(0)),
            name => read_name(text, name).map(Self::Name).map_err(|refusal| plainest(text, refusal)),
        }
    }
}

fn read_name(text: &[u8], kind: IndicatorKind) -> Result<Name<'_>, Refusal> {
    match kind {
        IndicatorKind::Suffix => Name::suffix(text),
        IndicatorKind::Url => Name::url(text),
        IndicatorKind::Ja4 => Name::ja4(text),
        _ => Name::domain(text),
    }
}

/// The kind of an indicator whose type is not told; of addresses any, and it is an address if it is nothing else.
fn looks_like(text: &[u8]) -> IndicatorKind {
    let is_suffix = matches!(text, [b'.', ..] | [b'*', b'.', ..]);
    let is_name = || ends_like_a_name(text.strip_suffix(b".").unwrap_or(text)) && memchr::memchr(b'.', text).is_some();
    // No scheme begins with a digit, as most addresses do.
    let is_url = || !text.first().is_none_or(u8::is_ascii_digit) && scheme_end(text).is_some();
    if is_url() {
        IndicatorKind::Url
    } else if is_suffix {
        IndicatorKind::Suffix
    } else if is_name() && memchr::memchr3(b':', b'/', b'[', text).is_none() {
        IndicatorKind::Domain
    } else if Ja4::parse(text).is_some() {
        IndicatorKind::Ja4
    } else {
        IndicatorKind::Ip
    }
}

fn scheme_end(text: &[u8]) -> Option<usize> {
    memchr::memchr(b':', text).filter(|colon| text[*colon..].starts_with(SCHEME_END))
}

/// What an untyped text that is no address was probably meant to be explains more.
fn nearer(text: &[u8], kind: Option<IndicatorKind>, refusal: Refusal) -> Refusal {
    let end = memchr::memchr2(b':', b'/', text).unwrap_or(text.len());
    let has_name = end > 0 && ends_like_a_name(&text[..end]) && text[..end].contains(&b'.');
    match text.get(end) {
        _ if kind.is_some() || refusal.reason != Reason::NotAnIndicator => refusal,
        Some(b':') if has_name => Reason::NameWithPort.at(end),
        Some(b'/') if has_name => Reason::NoScheme.at(0),
        _ => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Result<(IndicatorKind, String), (usize, Reason)> {
        match Listed::parse(text.as_bytes(), None) {
            Ok(Listed::Address(indicator)) => Ok((indicator.kind(), indicator.to_string())),
            Ok(Listed::Name(name)) => Ok((name.kind(), name.to_string())),
            Err(refusal) => Err((refusal.offset, refusal.reason)),
        }
    }

    #[test]
    fn the_kind_is_told_by_the_text() {
        let cases = [
            ("203.0.113.9", IndicatorKind::Ip, "203.0.113.9"),
            ("2001:db8::1", IndicatorKind::Ip, "2001:db8::1"),
            ("203.0.113.0/24", IndicatorKind::Cidr, "203.0.113.0/24"),
            ("203.0.113.9:443", IndicatorKind::IpPort, "203.0.113.9:443"),
            ("[2001:db8::1]:443", IndicatorKind::IpPort, "[2001:db8::1]:443"),
            ("Evil.Example", IndicatorKind::Domain, "evil.example"),
            ("evil.example.", IndicatorKind::Domain, "evil.example"),
            ("bücher.example", IndicatorKind::Domain, "xn--bcher-kva.example"),
            ("*.evil.example", IndicatorKind::Suffix, "*.evil.example"),
            (".evil.example", IndicatorKind::Suffix, "*.evil.example"),
            ("http://evil.example", IndicatorKind::Url, "http://evil.example/"),
            ("HTTPS://192.0.2.1/x", IndicatorKind::Url, "https://192.0.2.1/x"),
            ("t13d1516h2_8daaf6152771_E5627EFA2AB1", IndicatorKind::Ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1"),
        ];
        for (text, kind, printed) in cases {
            assert_eq!(outcome(text), Ok((kind, printed.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_none_of_them_is_refused_as_what_it_comes_nearest_to() {
        let cases = [
            ("", 0, Reason::Empty),
            ("garbage", 0, Reason::NotAnIndicator),
            ("203.0.113.400", 10, Reason::OctetTooLarge),
            ("evil.example:443", 12, Reason::NameWithPort),
            ("evil.example/a", 0, Reason::NoScheme),
            ("ftp://evil.example/a", 0, Reason::NoScheme),
            ("*.co.uk", 0, Reason::PublicSuffix),
            (".com", 0, Reason::PublicSuffix),
            ("*.ev il.example", 4, Reason::NotANameByte),
            ("*evil.example", 0, Reason::NotANameByte),
            ("ev\u{7}il.example", 2, Reason::ControlCharacter),
        ];
        for (text, offset, reason) in cases {
            assert_eq!(outcome(text), Err((offset, reason)), "{text}");
        }
        let broken =
            Listed::parse(b"evil.\xe9xample", None).map(|_| ()).map_err(|refusal| (refusal.offset, refusal.reason));
        assert_eq!(broken, Err((5, Reason::NotUtf8)));
    }
}
