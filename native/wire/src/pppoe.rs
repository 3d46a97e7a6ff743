//! PPPoE session stage (RFC 2516).

use crate::cursor::{Cursor, be16};
use crate::decode::Layered;
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ppp;

mod field {
    use std::ops::Range;
    pub(super) const VERSION_TYPE_CODE: Range<usize> = 0..2;
    pub(super) const SESSION: Range<usize> = 2..4;
    pub(super) const LENGTH: Range<usize> = 4..6;
}

/// "The VER field … MUST be set to 0x1 … The TYPE field … MUST be set to 0x1", and the code of session data is 0 (5).
const SESSION_DATA: [u8; 2] = [0x11, 0];

/// Takes the header and PPP's protocol.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let header = cursor.take::<6>(Layer::Pppoe)?;
    if header[field::VERSION_TYPE_CODE] != SESSION_DATA {
        return Ok(None);
    }
    // "The LENGTH field … indicates the length of the PPPoE payload": Ethernet's padding stands behind it.
    let length = usize::from(be16(&header[field::LENGTH]));
    cursor.limit(length.min(cursor.wire_left() as usize));
    let session = be16(&header[field::SESSION]);
    Ok(Some((Encapsulation::Pppoe { session }, ppp::read(cursor)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Carried;
    use crate::ethertype;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn a_session_carries_ppp_without_padding() {
        let bytes = hex("1100 0011 0003 0021 45 0000");
        let mut cursor = Cursor::new(&bytes, 11);
        let expected = (Encapsulation::Pppoe { session: 0x11 }, Carried::Payload(ethertype::IPV4));
        assert_eq!(read(&mut cursor), Ok(Some(expected)));
        assert_eq!(cursor.rest(), [0x45]);
        assert_cut(&bytes[..6], Layer::Pppoe, read);
    }

    #[test]
    fn anything_but_session_data_is_none() {
        assert_eq!(read(&mut Cursor::new(&hex("11a7 0011 0000"), 6)), Ok(None));
    }
}
