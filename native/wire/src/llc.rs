//! LLC (IEEE 802.2) and the sub-network access protocol on top of it (RFC 1042).

use crate::cursor::{Cursor, be16};
use crate::ethertype;

/// "The K1 value is 170 (decimal). The K2 value is 0 (zero). The control value is 3 (Unnumbered Information)" (RFC 1042):
/// DSAP and SSAP, control, and the organization code behind which an EtherType stands.
const SNAP_OF_ETHERTYPES: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

mod field {
    use std::ops::Range;
    pub(super) const LLC_AND_ORGANIZATION: Range<usize> = 0..6;
    pub(super) const ETHERTYPE: Range<usize> = 6..8;
}

/// Takes a SNAP header that carries an EtherType and gives that; any other LLC stays, and is [`ethertype::NONE`].
pub(crate) fn read(cursor: &mut Cursor<'_>) -> u16 {
    let Some(header) = cursor.rest().first_chunk::<8>() else { return ethertype::NONE };
    let ethertype = be16(&header[field::ETHERTYPE]);
    if header[field::LLC_AND_ORGANIZATION] != SNAP_OF_ETHERTYPES || ethertype < ethertype::MIN {
        return ethertype::NONE;
    }
    cursor.advance(header.len());
    ethertype
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn ethertype_of(bytes: &str) -> u16 {
        read(&mut Cursor::new(&hex(bytes), 64))
    }

    #[test]
    fn snap_with_organization_zero_carries_an_ethertype() {
        let bytes = hex("aaaa03 000000 0800 45");
        let mut cursor = Cursor::new(&bytes, 9);
        assert_eq!(read(&mut cursor), 0x0800);
        assert_eq!(cursor.rest(), [0x45]);
    }

    #[test]
    fn anything_else_names_no_ethertype() {
        assert_eq!(ethertype_of("424203 0000 000000"), ethertype::NONE); // spanning tree
        assert_eq!(ethertype_of("aaaa03 00000c 2000"), ethertype::NONE); // CDP: Cisco's organization code
        assert_eq!(ethertype_of("aaaa03 000000 0026"), ethertype::NONE); // a length where a type should be
        assert_eq!(ethertype_of("aaaa03 000000 08"), ethertype::NONE); // cut
    }
}
