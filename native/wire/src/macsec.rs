//! MACsec (IEEE 802.1AE, 9.3): the SecTAG, behind which a frame may stand in the clear.

use crate::cursor::{Cursor, be16};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, DecodeErrorKind, Layer};

mod field {
    pub(super) const CONTROL: usize = 0;
}

const EXPLICIT_CHANNEL: u8 = 0x20;
/// E and C: the user data is encrypted, or changed in another way.
const CHANGED: u8 = 0x0c;
/// The integrity check value of the default cipher suite (IEEE 802.1AE, 14.5).
const CHECK_VALUE_LENGTH: u32 = 16;

/// Takes the tag and the EtherType behind it; nothing where the data is encrypted.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let start = *cursor;
    let control = cursor.take::<6>(Layer::Macsec)?[field::CONTROL];
    if control & CHANGED != 0 {
        return Ok(None);
    }
    let cut = |_| start.error(Layer::Macsec, DecodeErrorKind::Truncated);
    if control & EXPLICIT_CHANNEL != 0 {
        cursor.take::<8>(Layer::Macsec).map_err(cut)?;
    }
    let ethertype = be16(cursor.take::<2>(Layer::Macsec).map_err(cut)?);
    cursor.limit(cursor.wire_left().saturating_sub(CHECK_VALUE_LENGTH) as usize);
    Ok(Some((Encapsulation::Macsec, Carried::of(ethertype))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ethertype;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn clear_data_is_entered_with_and_without_channel() {
        let clear = Ok(Some((Encapsulation::Macsec, Carried::Payload(ethertype::IPV4))));
        let bytes = hex("2000 00000001 001b44113ab70001 0800");
        assert_eq!(read(&mut Cursor::new(&bytes, 64)), clear);
        assert_eq!(read(&mut Cursor::new(&hex("0000 00000001 0800"), 64)), clear);
        assert_cut(&bytes, Layer::Macsec, read);
    }

    #[test]
    fn encrypted_data_is_not() {
        assert_eq!(read(&mut Cursor::new(&hex("2c00 00000001 001b44113ab70001 0800"), 64)), Ok(None));
    }
}
