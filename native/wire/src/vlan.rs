//! VLAN tags (IEEE 802.1Q, 9.6).

use crate::cursor::{Cursor, be16};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethernet;

mod field {
    use std::ops::Range;
    pub(super) const CONTROL: Range<usize> = 0..2;
    pub(super) const TYPE: Range<usize> = 2..4;
}

/// Priority (3 bits) and drop eligible (1 bit) stand above the identifier.
const IDENTIFIER: u16 = 0x0fff;

/// Takes what follows the tag's own EtherType: the tag control information and the EtherType of the payload.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<(Encapsulation, u16), DecodeError> {
    let tag = cursor.take::<4>(Layer::Vlan)?;
    let id = be16(&tag[field::CONTROL]) & IDENTIFIER;
    Ok((Encapsulation::Vlan { id }, ethernet::payload_type(cursor, be16(&tag[field::TYPE]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ethertype;
    use crate::testing::hex;

    #[test]
    fn the_identifier_is_the_low_twelve_bits() {
        let tag = hex("b065 0800");
        let read = read(&mut Cursor::new(&tag, 4)).unwrap();
        assert_eq!(read, (Encapsulation::Vlan { id: 101 }, ethertype::IPV4));
    }

    #[test]
    fn a_length_behind_a_tag_is_llc() {
        let tag = hex("0001 0026 424203");
        assert_eq!(read(&mut Cursor::new(&tag, 64)).unwrap().1, ethertype::NONE);
    }

    #[test]
    fn cut_at_every_length() {
        for length in 0..4 {
            assert_eq!(read(&mut Cursor::new(&[0; 4][..length], 4)).unwrap_err().layer, Layer::Vlan);
        }
    }
}
