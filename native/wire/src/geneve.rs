//! Geneve (RFC 8926).

use crate::cursor::{Cursor, be16, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};

mod field {
    use std::ops::Range;
    pub(super) const VERSION_AND_OPTIONS_LENGTH: usize = 0;
    pub(super) const PROTOCOL: Range<usize> = 2..4;
    pub(super) const NETWORK_IDENTIFIER: Range<usize> = 4..8;
}

const LENGTH: usize = 8;

/// Takes header and options; nothing if this is no Geneve after all. "The current version number is 0 … The length of the
/// option fields, expressed in 4-byte multiples" (3.4).
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let start = *cursor;
    let header = cursor.take::<LENGTH>(Layer::Geneve)?;
    let first = header[field::VERSION_AND_OPTIONS_LENGTH];
    let options_length = usize::from(first & 0x3f) * 4;
    if first >> 6 != 0 || options_length > cursor.wire_left() as usize {
        return Ok(None);
    }
    if cursor.take_slice(options_length, Layer::Geneve).is_err() {
        return Err(start.error(Layer::Geneve, crate::DecodeErrorKind::Truncated));
    }
    let vni = be32(&header[field::NETWORK_IDENTIFIER]) >> 8;
    Ok(Some((Encapsulation::Geneve { vni }, Carried::of(be16(&header[field::PROTOCOL])))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn options_are_passed() {
        let bytes = hex("0240 6558 00000a00 0102 8001 00000000 45");
        let mut cursor = Cursor::new(&bytes, 17);
        assert_eq!(read(&mut cursor), Ok(Some((Encapsulation::Geneve { vni: 10 }, Carried::Ethernet))));
        assert_eq!(cursor.rest(), [0x45]);
        assert_cut(&bytes[..16], Layer::Geneve, read);
    }

    #[test]
    fn other_udp_on_the_port_is_none() {
        assert_eq!(read(&mut Cursor::new(&hex("4040 6558 00000a00"), 64)), Ok(None));
        assert_eq!(read(&mut Cursor::new(&hex("3f40 6558 00000a00"), 64)), Ok(None));
    }
}
