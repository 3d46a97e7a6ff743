//! Packets that Linux's netfilter logged (LINKTYPE_NFLOG).

use crate::cursor::Cursor;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::ethertype;

mod field {
    pub(super) const FAMILY: usize = 0;
    pub(super) const VERSION: usize = 1;
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// "NFULNL_PAYLOAD", the item that holds the packet; the others tell of it.
const PAYLOAD: u16 = 9;
/// An item starts with its length, these four bytes included, and its type, both in the capturing host's byte order.
const ITEM_HEADER: u16 = 4;

/// Takes the header and every item before the packet; gives the EtherType of the packet.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let header = cursor.take::<4>(Layer::Link)?;
    let ethertype = match (header[field::VERSION], header[field::FAMILY]) {
        (0, AF_INET) => ethertype::IPV4,
        (0, AF_INET6) => ethertype::IPV6,
        _ => return Ok(ethertype::NONE),
    };
    while !cursor.rest().is_empty() {
        let item = cursor.peek::<4>(Layer::Link)?;
        let length = u16::from_le_bytes([item[0], item[1]]);
        if length < ITEM_HEADER {
            return Err(cursor.error(Layer::Link, DecodeErrorKind::Malformed));
        }
        if u16::from_le_bytes([item[2], item[3]]) == PAYLOAD {
            cursor.advance(usize::from(ITEM_HEADER));
            return Ok(ethertype);
        }
        // Items stand at multiples of four bytes.
        cursor.advance(usize::from(length).next_multiple_of(4));
    }
    Ok(ethertype::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn the_packet_stands_behind_other_items() {
        let bytes = hex("02000000 0500 0a00 00000000 0800 0900 45000014");
        let mut cursor = Cursor::new(&bytes, 20);
        assert_eq!(read(&mut cursor), Ok(ethertype::IPV4));
        assert_eq!(cursor.rest(), [0x45, 0, 0, 0x14]);
        assert_eq!(read(&mut Cursor::new(&hex("02000000 0500 0a00 00000000"), 12)), Ok(ethertype::NONE));
    }

    #[test]
    fn an_item_of_no_length_is_malformed() {
        let error = read(&mut Cursor::new(&hex("0a000000 0000 0a00"), 8)).unwrap_err();
        assert_eq!((error.layer, error.kind, error.offset), (Layer::Link, DecodeErrorKind::Malformed, 4));
    }
}
