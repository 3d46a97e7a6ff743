//! What lists hold besides addresses: names, URLs and fingerprints.

use std::fmt;

use super::IndicatorKind;
use super::domain::DomainName;
use super::ja4::Ja4;
use super::reason::{Reason, Refusal};
use super::url::Url;

/// An indicator that is no address, in its one form.
#[derive(Clone, Debug)]
pub(super) enum Name<'a> {
    /// That name alone.
    Domain(DomainName),
    /// That name and all below it.
    Suffix(DomainName),
    /// Scheme, host, port, path and query.
    Url(Url<'a>),
    /// A TLS client.
    Ja4(Ja4),
}

impl<'a> Name<'a> {
    /// Reads a domain.
    ///
    /// # Errors
    /// As [`DomainName::parse`].
    pub(super) fn domain(text: &[u8]) -> Result<Self, Refusal> {
        DomainName::parse(text).map(Self::Domain)
    }

    /// Reads `example.com`, `.example.com` or `*.example.com`.
    ///
    /// # Errors
    /// As [`DomainName::parse`], and [`Reason::PublicSuffix`].
    pub(super) fn suffix(text: &[u8]) -> Result<Self, Refusal> {
        let name = text.strip_prefix(b"*").filter(|rest| rest.starts_with(b".")).unwrap_or(text);
        let name = name.strip_prefix(b".").unwrap_or(name);
        let offset = text.len() - name.len();
        let suffix = DomainName::parse(name).map_err(|refusal| refusal.reason.at(offset + refusal.offset))?;
        if suffix.is_public_suffix() { Err(Reason::PublicSuffix.at(0)) } else { Ok(Self::Suffix(suffix)) }
    }

    /// Reads a URL.
    ///
    /// # Errors
    /// As [`Url::parse`].
    pub(super) fn url(text: &'a [u8]) -> Result<Self, Refusal> {
        Url::parse(text).map(Self::Url)
    }

    /// Reads a fingerprint.
    ///
    /// # Errors
    /// [`Reason::NotJa4`].
    pub(super) fn ja4(text: &[u8]) -> Result<Self, Refusal> {
        Ja4::parse(text).map(Self::Ja4).ok_or(Reason::NotJa4.at(0))
    }

    /// The kind that it counts as.
    pub(super) fn kind(&self) -> IndicatorKind {
        match self {
            Self::Domain(_) => IndicatorKind::Domain,
            Self::Suffix(_) => IndicatorKind::Suffix,
            Self::Url(_) => IndicatorKind::Url,
            Self::Ja4(_) => IndicatorKind::Ja4,
        }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => name.fmt(f),
            Self::Suffix(name) => write!(f, "*.{name}"),
            Self::Url(url) => url.fmt(f),
            Self::Ja4(ja4) => ja4.fmt(f),
        }
    }
}
