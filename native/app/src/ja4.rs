//! JA4, the fingerprint of TLS clients: <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>.

use std::fmt;

use arrayvec::ArrayVec;
use sha2::{Digest, Sha256};

use crate::tls::handshake::MAX_MESSAGE_BYTES;
use crate::tls::{ALPN, Offer, SERVER_NAME, TlsVersion, is_grease};

/// A fingerprint, e.g. `t13d1516h2_8daaf6152771_e5627efa2ab1`: clients of the same software have the same, whatever
/// name they ask for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ja4([u8; 36]);

/// What carries the ClientHello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Quic,
}

/// As many numbers as a message has room for.
type Numbers = ArrayVec<u16, { MAX_MESSAGE_BYTES / 2 }>;

/// The first characters of a hash, in hexadecimal.
type ShortHash = [u8; 12];

impl Ja4 {
    /// The fingerprint of an offer.
    pub(crate) fn new(offer: &Offer<'_>, transport: Transport) -> Self {
        let ciphers = sorted(offer.ciphers());
        let extensions = sorted(offer.extensions.map(|(kind, _)| kind));
        let mut text = [b'_'; 36];
        text[0] = match transport {
            Transport::Tcp => b't',
            Transport::Quic => b'q',
        };
        text[1..3].copy_from_slice(version(offer.version()));
        text[3] = if extensions.contains(&SERVER_NAME) { b'd' } else { b'i' };
        text[4..6].copy_from_slice(&count(ciphers.len()));
        text[6..8].copy_from_slice(&count(extensions.len()));
        text[8..10].copy_from_slice(&ends(offer.first_protocol().unwrap_or_default()));
        text[11..23].copy_from_slice(&cipher_hash(&ciphers));
        text[24..36].copy_from_slice(&extension_hash(&extensions, offer));
        Self(text)
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Ja4 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ja4({})", self.as_str())
    }
}

/// Without those that have no meaning.
fn sorted(numbers: impl Iterator<Item = u16>) -> Numbers {
    let meant = numbers.filter(|number| !is_grease(*number));
    let mut list: Numbers = meant.take(Numbers::new_const().capacity()).collect();
    list.sort_unstable();
    list
}

fn version(version: TlsVersion) -> &'static [u8; 2] {
    match version {
        TlsVersion::TLS_1_3 => b"13",
        TlsVersion::TLS_1_2 => b"12",
        TlsVersion::TLS_1_1 => b"11",
        TlsVersion::TLS_1_0 => b"10",
        TlsVersion::SSL_3 => b"s3",
        TlsVersion(0x0002) => b"s2",
        _ => b"00",
    }
}

/// Two digits, at most 99.
fn count(length: usize) -> [u8; 2] {
    let length = length.min(99) as u8;
    [b'0' + length / 10, b'0' + length % 10]
}

/// First and last character of a protocol's name; of its hexadecimal form unless both are letters or digits.
fn ends(protocol: &[u8]) -> [u8; 2] {
    match (protocol.first(), protocol.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => [*first, *last],
        (Some(first), Some(last)) => [hex_digit(first >> 4), hex_digit(last & 0xf)],
        _ => *b"00",
    }
}

fn cipher_hash(ciphers: &[u16]) -> ShortHash {
    if ciphers.is_empty() {
        return [b'0'; 12];
    }
    let mut hash = Sha256::new();
    hash_list(&mut hash, ciphers.iter().copied());
    short(hash)
}

/// Extensions in order, but for the two that stand in the fingerprint's first part, then the signature algorithms.
fn extension_hash(extensions: &[u16], offer: &Offer<'_>) -> ShortHash {
    let mut others = extensions.iter().copied().filter(|kind| !matches!(*kind, SERVER_NAME | ALPN)).peekable();
    if others.peek().is_none() {
        return [b'0'; 12];
    }
    let mut hash = Sha256::new();
    hash_list(&mut hash, others);
    let mut algorithms = offer.signature_algorithms().filter(|number| !is_grease(*number)).peekable();
    if algorithms.peek().is_some() {
        hash.update(b"_");
    }
    hash_list(&mut hash, algorithms);
    short(hash)
}

/// Four digits each, separated by commas.
fn hash_list(hash: &mut Sha256, numbers: impl Iterator<Item = u16>) {
    for (place, number) in numbers.enumerate() {
        if place > 0 {
            hash.update(b",");
        }
        let [high, low] = number.to_be_bytes();
        hash.update([high >> 4, high & 0xf, low >> 4, low & 0xf].map(hex_digit));
    }
}

fn short(hash: Sha256) -> ShortHash {
    let digest = hash.finalize();
    std::array::from_fn(|place| {
        let byte = digest[place / 2];
        hex_digit(if place % 2 == 0 { byte >> 4 } else { byte & 0xf })
    })
}

/// Of a number below 16.
fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble & 0xf)]
}
