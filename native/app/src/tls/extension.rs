//! Extensions (RFC 8446, section 4.2): their block, and the bodies of those that are told.

use crate::AppError;
use crate::reader::Reader;

/// `server_name` (RFC 6066, section 3).
pub(crate) const SERVER_NAME: u16 = 0;
/// `signature_algorithms` (RFC 8446, section 4.2.3).
pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
/// `application_layer_protocol_negotiation` (RFC 7301).
pub(crate) const ALPN: u16 = 16;
/// `supported_versions` (RFC 8446, section 4.2.1).
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
/// `encrypted_client_hello` (RFC 9849).
pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// The extensions of a hello, as pairs of type and body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extensions<'a>(Reader<'a>);

impl<'a> Extensions<'a> {
    /// Reads the block with which a hello ends; before TLS 1.2 there may be none.
    pub(super) fn read(end_of_hello: &'a [u8]) -> Result<Self, AppError> {
        let mut reader = Reader::new(end_of_hello);
        let block = if end_of_hello.is_empty() { &[] } else { reader.counted_u16().ok_or(AppError::Malformed)? };
        let extensions = Self(Reader::new(block));
        let mut walked = extensions;
        walked.by_ref().for_each(drop);
        let whole = walked.0.rest().is_empty() && reader.rest().is_empty();
        if whole { Ok(extensions) } else { Err(AppError::Malformed) }
    }

    /// The body of the first extension of this type.
    pub(super) fn body(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|extension| extension.0 == kind).map(|extension| extension.1)
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.0;
        let extension = (reader.u16()?, reader.counted_u16()?);
        self.0 = reader;
        Some(extension)
    }
}

/// The first host name of a body of `server_name`.
pub(super) fn host_name(body: &[u8]) -> Option<&[u8]> {
    const HOST_NAME: u8 = 0;
    let mut names = Reader::new(Reader::new(body).counted_u16()?);
    loop {
        let (kind, name) = (names.u8()?, names.counted_u16()?);
        if kind == HOST_NAME {
            return Some(name).filter(|name| !name.is_empty());
        }
    }
}

/// The first protocol of a body of ALPN.
pub(super) fn first_protocol(body: &[u8]) -> Option<&[u8]> {
    Reader::new(Reader::new(body).counted_u16()?).counted_u8().filter(|name| !name.is_empty())
}

/// The numbers of two bytes that follow each other; half a one at the end is left out.
pub(crate) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|number| u16::from_be_bytes([number[0], number[1]]))
}

/// Numbers without meaning that clients mix in (RFC 8701, section 2), so that servers stay tolerant.
pub(crate) fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}
