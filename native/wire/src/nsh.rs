//! Network service header (RFC 8300).

use crate::cursor::{Cursor, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

mod field {
    use std::ops::Range;
    pub(super) const LENGTH: usize = 1;
    pub(super) const NEXT_PROTOCOL: usize = 3;
    pub(super) const SERVICE_PATH: Range<usize> = 4..8;
}

const MIN_LENGTH: usize = 8;

/// Takes the header with its contexts; nothing where it does not say what follows, or contradicts itself.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let header = cursor.peek::<MIN_LENGTH>(Layer::Nsh)?;
    // "Length: The total length, in 4-byte words, of the NSH" (2.2), in 6 bits.
    let length = usize::from(header[field::LENGTH] & 0x3f) * 4;
    let Some(carried) = next(header[field::NEXT_PROTOCOL]).filter(|_| length >= MIN_LENGTH) else { return Ok(None) };
    let service_path = be32(&header[field::SERVICE_PATH]);
    cursor.take_slice(length, Layer::Nsh)?;
    Ok(Some((Encapsulation::Nsh { path: service_path >> 8, index: service_path as u8 }, carried)))
}

/// What a next protocol stands for, which NSH and VXLAN-GPE number alike (RFC 8300, 2.2).
pub(crate) fn next(protocol: u8) -> Option<Carried> {
    Some(match protocol {
        1 => Carried::Payload(ethertype::IPV4),
        2 => Carried::Payload(ethertype::IPV6),
        3 => Carried::Ethernet,
        4 => Carried::Payload(ethertype::NSH),
        5 => Carried::Payload(ethertype::MPLS),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn path_and_contexts() {
        let bytes = hex("0fc6 0103 000064fe 00000000000000000000000000000000 ff");
        let mut cursor = Cursor::new(&bytes, 64);
        assert_eq!(read(&mut cursor), Ok(Some((Encapsulation::Nsh { path: 100, index: 254 }, Carried::Ethernet))));
        assert_eq!(cursor.rest(), [0xff]);
        assert_cut(&bytes[..24], Layer::Nsh, read);
    }

    #[test]
    fn what_is_not_known_is_none() {
        assert_eq!(read(&mut Cursor::new(&hex("0fc2 0106 000064fe"), 64)), Ok(None));
        assert_eq!(read(&mut Cursor::new(&hex("0fc1 0103 000064fe"), 64)), Ok(None));
    }
}
