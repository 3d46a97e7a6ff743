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
        let (mut ciphers, mut extensions) = (Numbers::new(), Numbers::new());
        sort_into(&mut ciphers, offer.ciphers());
        sort_into(&mut extensions, offer.extensions.map(|(kind, _)| kind));
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

/// Without those that have no meaning. Into a list that stays where it is: to move one would copy all of its room.
fn sort_into(list: &mut Numbers, numbers: impl Iterator<Item = u16>) {
    list.extend(numbers.filter(|number| !is_grease(*number)).take(list.capacity()));
    list.sort_unstable();
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

#[cfg(test)]
mod tests {
    use crate::Parse;
    use crate::tls::client_hello;
    use crate::tls::testing::{alpn, client_hello as message, counted, extension, list, record, server_name};

    /// The specification's example, in the order in which it stands there.
    const CIPHERS: [u16; 15] = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
        0x0035,
    ];
    const BEFORE_SIGNATURES: [u16; 6] = [0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017];
    const BEHIND_SIGNATURES: [u16; 9] = [0x002b, 0x0005, 0x0023, 0x0012, 0x002d, 0xff01, 0x000b, 0x000a, 0x0015];
    const SIGNATURES: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

    fn body(kind: u16) -> Vec<u8> {
        match kind {
            0x0000 => server_name(b"example.com"),
            0x0010 => alpn(&[b"h2", b"http/1.1"]),
            0x002b => extension(kind, &[4, 3, 4, 3, 3]),
            _ => extension(kind, &[]),
        }
    }

    fn extensions(signatures: &[u8]) -> Vec<u8> {
        let before = BEFORE_SIGNATURES.iter().flat_map(|kind| body(*kind));
        let behind = BEHIND_SIGNATURES.iter().flat_map(|kind| body(*kind));
        before.chain(extension(0x000d, signatures)).chain(behind).collect()
    }

    fn ja4(ciphers: &[u16], extensions: &[u8]) -> String {
        match client_hello(&record(22, &message(ciphers, extensions))) {
            Parse::Done(hello) => hello.ja4.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_of_the_specification_has_its_fingerprint() {
        let signatures = counted(&list(&SIGNATURES));
        assert_eq!(ja4(&CIPHERS, &extensions(&signatures)), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(ja4(&CIPHERS, &extensions(&[])), "t13d1516h2_8daaf6152771_6d807ffa2a79");
    }

    #[test]
    fn numbers_without_meaning_do_not_count_anywhere() {
        let ciphers = [&[0x0a0a], &CIPHERS[..], &[0xfafa]].concat();
        let signatures = counted(&list(&[&[0x1a1a], &SIGNATURES[..]].concat()));
        let extensions = [extension(0x5a5a, &[]), extensions(&signatures), extension(0xbaba, &[0])].concat();
        assert_eq!(ja4(&ciphers, &extensions), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_ne!(ja4(&[0x0a1a], &[]), ja4(&[], &[]));
    }

    #[test]
    fn lists_that_are_empty_have_zeros_for_a_hash() {
        assert_eq!(ja4(&[], &[]), "t12i000000_000000000000_000000000000");
        let named = [server_name(b"host"), alpn(&[b"h2"])].concat();
        assert_eq!(ja4(&[0x3a3a], &named), "t12d0002h2_000000000000_000000000000");
    }

    #[test]
    fn counts_end_at_99() {
        let ciphers: Vec<u16> = (0..120).collect();
        let kinds: Vec<u8> = (100..250).flat_map(|kind| extension(kind, &[])).collect();
        assert_eq!(&ja4(&ciphers, &kinds)[..10], "t12i999900");
        assert_eq!(&ja4(&ciphers[..99], &kinds[..4 * 9])[..10], "t12i990900");
    }

    #[test]
    fn the_ends_of_the_first_protocol_are_those_of_the_specification() {
        for (protocol, ends) in [
            (&b"h2"[..], "h2"),
            (b"http/1.1", "h1"),
            (b"", "00"),
            (b"x", "xx"),
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"\x30\xab", "3b"),
            (b"\x30\x31\xab\xcd", "3d"),
            (b"\x30\xab\xcd\x31", "01"),
            (b"Q", "QQ"),
        ] {
            assert_eq!(&ja4(&[0x1301], &alpn(&[protocol, b"h3"]))[8..10], ends, "{protocol:?}");
        }
        assert_eq!(&ja4(&[0x1301], &alpn(&[]))[..10], "t12i010100");
    }

    #[test]
    fn versions_have_their_letters() {
        for (version, letters) in [(0x0304, "13"), (0x0303, "12"), (0x0302, "11"), (0x0301, "10"), (0x7f1c, "00")] {
            let [high, low] = u16::to_be_bytes(version);
            assert_eq!(&ja4(&[], &extension(43, &[2, high, low]))[1..3], letters);
        }
    }
}
