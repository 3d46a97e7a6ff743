//! 802.11 frames inside tunnels (IEEE 802.11, 9.2 and 9.3.2): what a data frame carries.

use crate::cursor::Cursor;
use crate::{ethertype, llc};

/// The first two bytes of a frame: type and subtype, then flags.
const VERSION: u8 = 0x03;
const TYPE: u8 = 0x0c;
const DATA: u8 = 0x08;
const WITHOUT_DATA: u8 = 0x40;
const QOS: u8 = 0x80;
const TO_AND_FROM_DISTRIBUTION: u8 = 0x03;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;

/// Takes the header and LLC's; gives the EtherType of the payload, [`ethertype::NONE`] where none can be told: a frame that
/// manages the air, is encrypted or cut.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> u16 {
    let Some(&[first, second]) = cursor.rest().first_chunk() else { return ethertype::NONE };
    // Some controllers swap the two bytes in CAPWAP: the protocol version, 0, stands in the low bits of the first.
    let (kind, flags) = if first & VERSION != 0 { (second, first) } else { (first, second) };
    if kind & (TYPE | WITHOUT_DATA) != DATA || flags & PROTECTED != 0 {
        return ethertype::NONE;
    }
    let qos = kind & QOS != 0;
    let fourth_address = if flags & TO_AND_FROM_DISTRIBUTION == TO_AND_FROM_DISTRIBUTION { 6 } else { 0 };
    let control = if qos && flags & HT_CONTROL != 0 { 4 } else { 0 };
    cursor.advance(24 + fourth_address + if qos { 2 } else { 0 } + control);
    llc::read(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn carried(head: &str, rest: usize) -> (u16, usize) {
        let mut bytes = hex(head);
        bytes.resize(2 + rest, 0);
        bytes.extend(hex("aaaa03 000000 0800 45"));
        let mut cursor = Cursor::new(&bytes, 200);
        (read(&mut cursor), cursor.rest().len())
    }

    #[test]
    fn a_data_frame_of_every_shape() {
        assert_eq!(carried("0802", 22), (ethertype::IPV4, 1));
        assert_eq!(carried("0803", 28), (ethertype::IPV4, 1));
        assert_eq!(carried("0188", 24), (ethertype::IPV4, 1));
        assert_eq!(carried("8801", 24), (ethertype::IPV4, 1));
        assert_eq!(carried("8881", 28), (ethertype::IPV4, 1));
    }

    #[test]
    fn nothing_is_told_of_the_others() {
        for head in ["8000", "4800", "0842", "d400"] {
            assert_eq!(carried(head, 22).0, ethertype::NONE, "{head}");
        }
        assert_eq!(read(&mut Cursor::new(&[8], 64)), ethertype::NONE);
    }
}
