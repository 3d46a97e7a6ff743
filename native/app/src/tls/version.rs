//! Versions of TLS.

use std::borrow::Cow;

/// A version as it stands on the wire, e.g. 0x0304 for TLS 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    /// SSL 3.0 (RFC 6101).
    pub const SSL_3: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS_1_0: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS_1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS_1_3: Self = Self(0x0304);

    /// The name as EVE spells it, e.g. `TLS 1.3`, `TLSv1`, `TLS 1.3 draft-28`; of others the number, e.g. `0x1234`.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::SSL_3 => "SSLv3".into(),
            Self::TLS_1_0 => "TLSv1".into(),
            Self::TLS_1_1 => "TLS 1.1".into(),
            Self::TLS_1_2 => "TLS 1.2".into(),
            Self::TLS_1_3 => "TLS 1.3".into(),
            // Drafts of TLS 1.3 are 0x7f00 and their number (RFC 8446, draft 28, section 4.2.1.1).
            Self(draft @ 0x7f10..=0x7f1c) => format!("TLS 1.3 draft-{}", draft & 0xff).into(),
            Self(number) => format!("0x{number:04x}").into(),
        }
    }
}
