//! VXLAN (RFC 7348).

use crate::cursor::{Cursor, be32};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};

mod field {
    use std::ops::Range;
    pub(super) const NETWORK_IDENTIFIER: Range<usize> = 4..8;
}

const LENGTH: usize = 8;

/// "The I flag MUST be set to 1 for a valid VXLAN Network ID (VNI)" (RFC 7348, 5).
const VALID_IDENTIFIER: u8 = 0x08;

/// Takes the header; `None` and nothing taken if this is no VXLAN after all: UDP on that port with a shorter payload, or
/// without the I flag.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Option<Encapsulation>, DecodeError> {
    let flagged = cursor.rest().first().is_none_or(|flags| flags & VALID_IDENTIFIER != 0);
    if !flagged || (cursor.wire_left() as usize) < LENGTH {
        return Ok(None);
    }
    let header = cursor.take::<LENGTH>(Layer::Vxlan)?;
    // The identifier's 24 bits stand above 8 reserved ones.
    Ok(Some(Encapsulation::Vxlan { vni: be32(&header[field::NETWORK_IDENTIFIER]) >> 8 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;
    use crate::testing::hex;

    const HEADER: &str = "08000000 00006400";

    #[test]
    fn identifier() {
        assert_eq!(read(&mut Cursor::new(&hex(HEADER), 64)), Ok(Some(Encapsulation::Vxlan { vni: 100 })));
    }

    #[test]
    fn other_udp_on_the_port_is_not_taken() {
        let bytes = hex("00000000 00006400");
        let mut cursor = Cursor::new(&bytes, 64);
        assert_eq!((read(&mut cursor), cursor.rest().len()), (Ok(None), 8));
        assert_eq!(read(&mut Cursor::new(&hex(HEADER)[..7], 7)), Ok(None));
    }

    #[test]
    fn cut_at_every_length() {
        for length in 0..LENGTH {
            let error = read(&mut Cursor::new(&hex(HEADER)[..length], 64)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Vxlan, DecodeErrorKind::Truncated, 0));
        }
    }
}
