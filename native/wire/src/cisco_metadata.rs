//! Cisco metadata: the security group tag of TrustSec between Ethernet header and payload (as Wireshark documents it).

use crate::cursor::{Cursor, be16};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

mod field {
    use std::ops::Range;
    pub(super) const FIRST: Range<usize> = 0..2;
    pub(super) const GROUP: Range<usize> = 4..6;
    pub(super) const TYPE: Range<usize> = 6..8;
    pub(super) const GROUP_IN_GRE: Range<usize> = 6..8;
}

/// Takes version, length, option and tag with the EtherType of what follows: behind them in a frame, in GRE before them, where
/// version and length, both 1, are no EtherType.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let header = cursor.take::<8>(Layer::CiscoMetadata)?;
    let first = be16(&header[field::FIRST]);
    let (ethertype, group) = if first < ethertype::MIN {
        (be16(&header[field::TYPE]), be16(&header[field::GROUP]))
    } else {
        (first, be16(&header[field::GROUP_IN_GRE]))
    };
    Ok(Some((Encapsulation::CiscoMetadata { group }, Carried::of(ethertype))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn the_group_is_kept() {
        let bytes = hex("0101 0001 0064 0800");
        let expected = (Encapsulation::CiscoMetadata { group: 100 }, Carried::Payload(ethertype::IPV4));
        assert_eq!(read(&mut Cursor::new(&bytes, 64)), Ok(Some(expected)));
        assert_eq!(read(&mut Cursor::new(&hex("0800 0101 0001 0064"), 64)), Ok(Some(expected)));
        assert_cut(&bytes, Layer::CiscoMetadata, read);
    }
}
