//! JA4, the fingerprint of a TLS client (FoxIO's JA4 technical details, version 0.18):
//! `t13d1516h2_8daaf6152771_e5627efa2ab1`.

use std::fmt;

/// Ten characters that can be read, and two hashes of twelve.
pub(super) const JA4_BYTES: usize = 36;

/// A fingerprint in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ja4([u8; JA4_BYTES]);

impl Ja4 {
    /// Reads a fingerprint; `None` for anything that is none.
    #[inline]
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut lower = <[u8; JA4_BYTES]>::try_from(text).ok()?;
        lower.make_ascii_lowercase();
        let fits = lower.iter().enumerate().all(|(place, byte)| fits(place, *byte));
        fits.then_some(Self(lower))
    }

    /// Its text.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether a fingerprint may have `byte` at `place`.
fn fits(place: usize, byte: u8) -> bool {
    match place {
        // The transport: TLS over TCP, QUIC, DTLS.
        0 => matches!(byte, b't' | b'q' | b'd'),
        // Whether there was a server name.
        3 => matches!(byte, b'd' | b'i'),
        // The numbers of ciphers and of extensions.
        4..=7 => byte.is_ascii_digit(),
        // The version and the first ALPN value.
        1..=2 | 8..=9 => byte.is_ascii_alphanumeric(),
        10 | 23 => byte == b'_',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    }
}

impl fmt::Display for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_told_by_its_pattern() {
        let good = "t13d1516h2_8daaf6152771_e5627efa2ab1";
        for text in [good, "q13i0310h3_55b375c5d22e_cd85d2d88918", "T12D1516H2_8DAAF6152771_E5627EFA2AB1"] {
            assert_eq!(Ja4::parse(text.as_bytes()).map(|ja4| ja4.to_string()), Some(text.to_ascii_lowercase()));
        }
        for place in 0..good.len() {
            let mut wrong = good.as_bytes().to_vec();
            wrong[place] = b'-';
            assert_eq!(Ja4::parse(&wrong), None, "{place}");
            assert_eq!(Ja4::parse(&good.as_bytes()[..place]), None, "{place}");
        }
        assert_eq!(Ja4::parse(format!("{good}0").as_bytes()), None);
    }
}
