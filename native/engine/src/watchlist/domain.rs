//! Domain names in their one form: lower case, A-labels, without the dot at the end.

use std::fmt;

use arrayvec::ArrayVec;

use super::reason::{Reason, Refusal};

/// The longest name, written with dots between its labels (RFC 1035, 2.3.4).
pub(super) const MAX_NAME_BYTES: usize = 253;

/// The longest label (RFC 1035, 2.3.4).
pub(super) const MAX_LABEL_BYTES: usize = 63;

/// A letter of another script takes four bytes at most, and counts for at least one.
const MAX_INTERNATIONAL_BYTES: usize = 4 * MAX_NAME_BYTES;

/// A name, held without allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DomainName(ArrayVec<u8, MAX_NAME_BYTES>);

impl DomainName {
    /// Reads a list's name, which may be international (RFC 5890, UTS 46).
    ///
    /// # Errors
    /// The first thing that no name has, and its byte.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Refusal> {
        if text.is_ascii() {
            return Self::parse_ascii(text);
        }
        if text.len() > MAX_INTERNATIONAL_BYTES {
            return Err(Reason::NameTooLong.at(MAX_NAME_BYTES));
        }
        let ascii = idna::domain_to_ascii_cow(text, idna::AsciiDenyList::EMPTY);
        let ascii = ascii.map_err(|_| Reason::NotInternational.at(0))?;
        Self::parse_ascii(ascii.as_bytes()).map_err(|refusal| refusal.reason.at(0))
    }

    fn parse_ascii(text: &[u8]) -> Result<Self, Refusal> {
        let name = text.strip_suffix(b".").unwrap_or(text);
        if name.len() > MAX_NAME_BYTES {
            return Err(Reason::NameTooLong.at(MAX_NAME_BYTES));
        }
        let mut start = 0;
        for label in name.split(|byte| *byte == b'.') {
            check_label(label).map_err(|refusal| refusal.reason.at(start + refusal.offset))?;
            start += label.len() + 1;
        }
        if !ends_like_a_name(name) {
            return Err(Reason::LastLabel.at(name.len() - last_label(name).len()));
        }
        Ok(Self(name.iter().map(u8::to_ascii_lowercase).collect()))
    }

    /// A name as a packet has it; none for one that no list can have. Its bytes are not checked further.
    #[inline]
    pub(super) fn on_wire(text: &[u8]) -> Option<Self> {
        let name = text.strip_suffix(b".").unwrap_or(text);
        let fits = !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.is_ascii();
        fits.then(|| Self(name.iter().map(u8::to_ascii_lowercase).collect()))
    }

    /// Its labels, the last one first.
    #[inline]
    pub(super) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.0.rsplit(|byte| *byte == b'.')
    }

    /// Whether everything below it belongs to somebody else: a single label, or a suffix under which a registry sells
    /// names (the ICANN part of the public suffix list). Private suffixes, such as those of hosting companies, have an
    /// owner who can be meant.
    pub(super) fn is_public_suffix(&self) -> bool {
        let suffix = psl::suffix(&self.0);
        let is_icann =
            |suffix: psl::Suffix<'_>| suffix.as_bytes() == &self.0[..] && suffix.typ() == Some(psl::Type::Icann);
        !self.0.contains(&b'.') || suffix.is_some_and(is_icann)
    }
}

/// Whether a text, without the dot at its end, ends like a name and not like an address.
pub(super) fn ends_like_a_name(text: &[u8]) -> bool {
    last_label(text).first().is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
}

fn last_label(text: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b'.', text).map_or(0, |dot| dot + 1);
    &text[start..]
}

/// Letters, digits and hyphens (RFC 1123, 2.1), and the underscore that many names have.
fn check_label(label: &[u8]) -> Result<(), Refusal> {
    if label.is_empty() {
        return Err(Reason::EmptyLabel.at(0));
    }
    let is_usual = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if let Some(offset) = label.iter().position(|byte| !is_usual(byte)) {
        return Err(Reason::NotANameByte.at(offset));
    }
    if label.len() > MAX_LABEL_BYTES { Err(Reason::LabelTooLong.at(MAX_LABEL_BYTES)) } else { Ok(()) }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(text: &str) -> Result<String, (usize, Reason)> {
        let parsed = DomainName::parse(text.as_bytes());
        parsed.map(|name| name.to_string()).map_err(|refusal| (refusal.offset, refusal.reason))
    }

    #[test]
    fn a_name_has_one_form() {
        let cases = [
            ("evil.example", "evil.example"),
            ("EVIL.Example.", "evil.example"),
            ("_dmarc.evil.example", "_dmarc.evil.example"),
            ("-x-.evil.example", "-x-.evil.example"),
            ("localhost", "localhost"),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ];
        for (text, name) in cases {
            assert_eq!(outcome(text), Ok(name.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_where_it_goes_wrong() {
        let cases = [
            ("", 0, Reason::EmptyLabel),
            (".", 0, Reason::EmptyLabel),
            ("evil..example", 5, Reason::EmptyLabel),
            ("evil.example..", 13, Reason::EmptyLabel),
            ("ev il.example", 2, Reason::NotANameByte),
            ("evil.ex*mple", 7, Reason::NotANameByte),
            ("192.0.2.1", 8, Reason::LastLabel),
            ("evil.1example", 5, Reason::LastLabel),
            ("b\u{fc}cher.ex ample", 0, Reason::NotANameByte),
            ("evil.\u{378}", 0, Reason::NotInternational),
        ];
        for (text, offset, reason) in cases {
            assert_eq!(outcome(text), Err((offset, reason)), "{text}");
        }
    }

    #[test]
    fn labels_and_names_are_bounded() {
        let label = "a".repeat(MAX_LABEL_BYTES);
        assert!(outcome(&format!("{label}.example")).is_ok());
        assert_eq!(outcome(&format!("x.{label}a.example")), Err((2 + MAX_LABEL_BYTES, Reason::LabelTooLong)));
        let name = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        assert_eq!(outcome(&name), Ok(name.clone()));
        assert_eq!(outcome(&format!("{name}.")), Ok(name.clone()));
        assert_eq!(outcome(&format!("{name}c")), Err((MAX_NAME_BYTES, Reason::NameTooLong)));
        assert_eq!(outcome(&"é".repeat(1000)), Err((MAX_NAME_BYTES, Reason::NameTooLong)));
        assert!(DomainName::on_wire(name.as_bytes()).is_some());
        assert!(DomainName::on_wire(format!("{name}c").as_bytes()).is_none());
    }

    #[test]
    fn a_registry_is_no_owner_and_a_hosting_company_is() {
        let is_public = |text: &str| DomainName::parse(text.as_bytes()).map(|name| name.is_public_suffix());
        for public in ["com", "co.uk", "anything.ck", "公司.cn", "single", "xn--p1ai"] {
            assert_eq!(is_public(public), Ok(true), "{public}");
        }
        for owned in ["evil.com", "evil.co.uk", "duckdns.org", "github.io", "www.ck", "evil.corp", "a.evil.公司.cn"] {
            assert_eq!(is_public(owned), Ok(false), "{owned}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_and_met_in_capitals(text in "[a-zA-Z0-9_.-]{0,40}|\\PC{0,20}") {
            if let Ok(name) = DomainName::parse(text.as_bytes()) {
                let printed = name.to_string();
                prop_assert_eq!(DomainName::parse(printed.as_bytes()), Ok(name.clone()));
                let shouted = printed.to_ascii_uppercase() + ".";
                prop_assert_eq!(DomainName::on_wire(shouted.as_bytes()), Some(name));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(refusal) = DomainName::parse(&text) {
                prop_assert!(refusal.offset <= text.len());
            }
        }
    }
}
