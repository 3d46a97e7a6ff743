//! Ethernet II and 802.3 frames (IEEE 802.3, 3.2).

use crate::address::Mac;
use crate::cursor::{Cursor, be16};
use crate::error::{DecodeError, Layer};
use crate::packet::Ether;
use crate::{ethertype, llc};

mod field {
    use std::ops::Range;
    pub(super) const DESTINATION: Range<usize> = 0..6;
    pub(super) const SOURCE: Range<usize> = 6..12;
    pub(super) const TYPE: Range<usize> = 12..14;
}

const LENGTH: usize = 14;

/// The largest value of the type field that is a length, in bytes; a type is at least [`ethertype::MIN`], and between lies
/// nothing (IEEE 802.3, 3.2.6).
const MAX_LENGTH_FIELD: u16 = 1500;

/// A header that was taken; only the innermost one's addresses are copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a>(&'a [u8; LENGTH]);

impl Header<'_> {
    /// The addresses.
    #[inline]
    pub(crate) fn ether(&self) -> Ether {
        Ether { source: mac(&self.0[field::SOURCE]), destination: mac(&self.0[field::DESTINATION]) }
    }
}

/// Takes the header; gives the EtherType of the payload with it.
#[inline]
pub(crate) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<(Header<'a>, u16), DecodeError> {
    let header = cursor.take(Layer::Ethernet)?;
    let ethertype = payload_type(cursor, be16(&header[field::TYPE]));
    Ok((Header(header), ethertype))
}

/// What a type field with this value says about the payload that starts at the cursor.
#[inline]
pub(crate) fn payload_type(cursor: &mut Cursor<'_>, type_field: u16) -> u16 {
    match type_field {
        ethertype::MIN.. => type_field,
        ..=MAX_LENGTH_FIELD => llc::read(cursor),
        _ => ethertype::NONE,
    }
}

#[inline]
fn mac(field: &[u8]) -> Mac {
    Mac([field[0], field[1], field[2], field[3], field[4], field[5]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;
    use crate::testing::hex;

    const ARP: &str = "ffffffffffff 001b44113ab7 0806";

    #[test]
    fn addresses_and_type() {
        let frame = hex(ARP);
        let (header, ethertype) = read(&mut Cursor::new(&frame, 14)).unwrap();
        let ether = header.ether();
        assert_eq!(ether.source.to_string(), "00:1b:44:11:3a:b7");
        assert!(ether.destination.is_group());
        assert_eq!(ethertype, 0x0806);
    }

    #[test]
    fn cut_at_every_length() {
        let frame = hex(ARP);
        for length in 0..LENGTH {
            let error = read(&mut Cursor::new(&frame[..length], 14)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Ethernet, DecodeErrorKind::Truncated, 0));
        }
    }

    #[test]
    fn a_type_field_between_length_and_ethertype_names_nothing() {
        let mut cursor = Cursor::new(&[0xaa; 8], 8);
        assert_eq!(payload_type(&mut cursor, 1501), ethertype::NONE);
        assert_eq!(payload_type(&mut cursor, 0x05ff), ethertype::NONE);
        assert_eq!(payload_type(&mut cursor, 0x0600), 0x0600);
    }
}
