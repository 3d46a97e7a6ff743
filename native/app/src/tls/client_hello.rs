//! The ClientHello (RFC 8446, section 4.1.2).

use super::extension::{self, Extensions, is_grease, numbers};
use super::version::TlsVersion;
use crate::AppError;
use crate::ja4::{Ja4, Transport};
use crate::reader::Reader;
use crate::text::{Text, text};

/// The longest server name that is kept, in bytes: DNS has no longer ones.
const MAX_NAME_BYTES: usize = 255;
const RANDOM_BYTES: usize = 32;
const MAX_SESSION_ID_BYTES: usize = 32;

/// What a client says of itself and of the server it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The server's name (RFC 6066, section 3) as the client wrote it, at most 255 bytes of it. With Encrypted
    /// ClientHello this is the name of the provider, not of the server.
    pub sni: Option<Text>,
    /// The protocol that the client offers first (RFC 7301), e.g. `h2`.
    pub alpn: Option<Text>,
    /// The highest version that the client offers, numbers without meaning (RFC 8701) left out.
    pub version: TlsVersion,
    /// The fingerprint of the client's software.
    pub ja4: Ja4,
    /// Whether the extension Encrypted ClientHello (RFC 9849) is there. Many clients send it with random content where
    /// they know no key of the server (section 6.2), which looks the same.
    pub ech: bool,
}

impl ClientHello {
    /// Reads the message's body.
    pub(crate) fn read(body: &[u8], transport: Transport) -> Result<Self, AppError> {
        let offer = Offer::read(body)?;
        Ok(Self {
            sni: offer.server_name().map(|name| text(name, MAX_NAME_BYTES)),
            alpn: offer.first_protocol().map(|protocol| text(protocol, MAX_NAME_BYTES)),
            version: offer.version(),
            ja4: Ja4::new(&offer, transport),
            ech: offer.extensions.body(extension::ENCRYPTED_CLIENT_HELLO).is_some(),
        })
    }
}

/// The lists of a ClientHello as they stand on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer<'a> {
    legacy_version: u16,
    ciphers: &'a [u8],
    /// In their order.
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> Offer<'a> {
    fn read(body: &'a [u8]) -> Result<Self, AppError> {
        let mut reader = Reader::new(body);
        let (legacy_version, ciphers) = Self::before_extensions(&mut reader).ok_or(AppError::Malformed)?;
        Ok(Self { legacy_version, ciphers, extensions: Extensions::read(reader.rest())? })
    }

    fn before_extensions(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
        let version = reader.u16()?;
        reader.take(RANDOM_BYTES)?;
        let session_id = reader.counted_u8()?;
        let ciphers = reader.counted_u16()?;
        let compressions = reader.counted_u8()?;
        let holds = version >> 8 == 3
            && session_id.len() <= MAX_SESSION_ID_BYTES
            && ciphers.len() % 2 == 0
            && !compressions.is_empty();
        holds.then_some((version, ciphers))
    }

    pub(crate) fn ciphers(&self) -> impl Iterator<Item = u16> + 'a {
        numbers(self.ciphers)
    }

    /// In the client's order; empty without the extension.
    pub(crate) fn signature_algorithms(&self) -> impl Iterator<Item = u16> + 'a {
        let body = self.extensions.body(extension::SIGNATURE_ALGORITHMS);
        numbers(body.and_then(|body| Reader::new(body).counted_u16()).unwrap_or_default())
    }

    pub(crate) fn first_protocol(&self) -> Option<&'a [u8]> {
        self.extensions.body(extension::ALPN).and_then(extension::first_protocol)
    }

    pub(crate) fn version(&self) -> TlsVersion {
        let body = self.extensions.body(extension::SUPPORTED_VERSIONS);
        let versions = body.and_then(|body| Reader::new(body).counted_u8()).unwrap_or_default();
        let highest = numbers(versions).filter(|version| !is_grease(*version)).max();
        TlsVersion(highest.unwrap_or(self.legacy_version))
    }

    fn server_name(&self) -> Option<&'a [u8]> {
        self.extensions.body(extension::SERVER_NAME).and_then(extension::host_name)
    }
}
