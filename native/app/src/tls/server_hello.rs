//! The ServerHello (RFC 8446, section 4.1.3).

use super::extension::{self, Extensions};
use super::version::TlsVersion;
use crate::AppError;
use crate::reader::Reader;
use crate::text::{Text, text};

const RANDOM_BYTES: usize = 32;
const MAX_SESSION_ID_BYTES: usize = 32;
/// ALPN counts a protocol in one byte.
const MAX_PROTOCOL_BYTES: usize = 255;

/// What a server chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The version; from `supported_versions` where it is there (RFC 8446, section 4.2.1).
    pub version: TlsVersion,
    /// The protocol (RFC 7301); TLS 1.3 encrypts it.
    pub alpn: Option<Text>,
    /// The cipher suite's number in IANA's registry.
    pub cipher: u16,
}

impl ServerHello {
    /// Reads the message's body.
    pub(super) fn read(body: &[u8]) -> Result<Self, AppError> {
        let mut reader = Reader::new(body);
        let (legacy_version, cipher) = before_extensions(&mut reader).ok_or(AppError::Malformed)?;
        let extensions = Extensions::read(reader.rest())?;
        let chosen = extensions.body(extension::SUPPORTED_VERSIONS).and_then(|body| Reader::new(body).u16());
        let protocol = extensions.body(extension::ALPN).and_then(extension::first_protocol);
        Ok(Self {
            version: TlsVersion(chosen.unwrap_or(legacy_version)),
            alpn: protocol.map(|protocol| text(protocol, MAX_PROTOCOL_BYTES)),
            cipher,
        })
    }
}

/// Version and cipher.
fn before_extensions(reader: &mut Reader<'_>) -> Option<(u16, u16)> {
    let version = reader.u16()?;
    reader.take(RANDOM_BYTES)?;
    let session_id = reader.counted_u8()?;
    let cipher = reader.u16()?;
    let _compression = reader.u8()?;
    (version >> 8 == 3 && session_id.len() <= MAX_SESSION_ID_BYTES).then_some((version, cipher))
}
