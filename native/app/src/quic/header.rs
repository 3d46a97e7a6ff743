//! Long headers (RFC 9000, section 17.2), and the packets of a datagram (section 12.2).

use super::version::{Protection, QuicVersion};
use crate::reader::Reader;

/// Section 17.2: versions 1 and 2 have no longer ones.
const MAX_CONNECTION_ID_BYTES: usize = 20;
/// Form bit and fixed bit.
const LONG_HEADER: u8 = 0b1100_0000;
/// The types, counted from the version's Initial; version 2 turned them round by one (RFC 9369, section 3.2).
const INITIAL: u8 = 0;
const RETRY: u8 = 3;

/// An Initial packet, still protected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Initial<'a> {
    pub(super) version: QuicVersion,
    pub(super) protection: &'static Protection,
    /// The connection id that the sender gave as destination.
    pub(super) destination: &'a [u8],
    /// The packet from its first byte to its last.
    pub(super) bytes: &'a [u8],
    /// Where in it the packet number stands.
    pub(super) number_at: usize,
}

/// What a long header says.
struct Header<'a> {
    version: QuicVersion,
    protection: &'static Protection,
    kind: u8,
    destination: &'a [u8],
    number_at: usize,
    /// Where the packet ends, if the datagram is as long.
    end: usize,
}

/// The version, if a datagram begins with an Initial packet of a version that is read. Nothing is decrypted: four bytes
/// of version and the lengths have to fit.
pub fn is_initial(datagram: &[u8]) -> Option<QuicVersion> {
    header(datagram).filter(|header| header.kind == INITIAL).map(|header| header.version)
}

/// Whether this may be a packet with a long header, of whatever version.
pub(super) fn is_long(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first & LONG_HEADER == LONG_HEADER)
}

/// The Initial packets of a datagram, in their order.
pub(super) fn initials(datagram: &[u8]) -> impl Iterator<Item = Initial<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        loop {
            let header = header(rest)?;
            let (bytes, behind) = rest.split_at_checked(header.end)?;
            rest = behind;
            if header.kind == INITIAL {
                let Header { version, protection, destination, number_at, .. } = header;
                return Some(Initial { version, protection, destination, bytes, number_at });
            }
        }
    })
}

fn header(packet: &[u8]) -> Option<Header<'_>> {
    let mut reader = Reader::new(packet);
    let first = reader.u8()?;
    let version = QuicVersion(reader.u32()?);
    let protection = version.protection().filter(|_| is_long(packet))?;
    let kind = (first >> 4).wrapping_sub(protection.initial_type) & 0b11;
    let destination = reader.counted_u8()?;
    let source = reader.counted_u8()?;
    if destination.len().max(source.len()) > MAX_CONNECTION_ID_BYTES || kind == RETRY {
        return None;
    }
    if kind == INITIAL {
        let _token = reader.counted_varint()?;
    }
    let length = usize::try_from(reader.varint()?).ok()?;
    let number_at = packet.len() - reader.rest().len();
    Some(Header { version, protection, kind, destination, number_at, end: number_at.checked_add(length)? })
}
