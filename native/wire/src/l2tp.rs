//! L2TP version 2 data messages (RFC 2661, 3.1).

use crate::cursor::{Cursor, be16};
use crate::decode::Layered;
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::ppp;

const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;
const VERSION: u16 = 0x000f;

/// Takes the header and PPP's protocol; nothing for control messages, other versions and what is no L2TP.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let start = *cursor;
    let flags = be16(cursor.take::<2>(Layer::L2tp)?);
    if flags & CONTROL != 0 || flags & VERSION != 2 {
        return Ok(None);
    }
    let session = ids(cursor, flags).map_err(|_| start.error(Layer::L2tp, DecodeErrorKind::Truncated))?;
    Ok(Some((session, ppp::read(cursor)?)))
}

/// The fields in their order, of which all but the two numbers are optional.
fn ids(cursor: &mut Cursor<'_>, flags: u16) -> Result<Encapsulation, DecodeError> {
    if flags & LENGTH != 0 {
        // "The Length field indicates the total length of the message in octets", these four included.
        let length = usize::from(be16(cursor.take::<2>(Layer::L2tp)?)).saturating_sub(4);
        cursor.limit(length.min(cursor.wire_left() as usize));
    }
    let tunnel = be16(cursor.take::<2>(Layer::L2tp)?);
    let session = be16(cursor.take::<2>(Layer::L2tp)?);
    if flags & SEQUENCE != 0 {
        cursor.take::<4>(Layer::L2tp)?;
    }
    if flags & OFFSET != 0 {
        let padding = usize::from(be16(cursor.take::<2>(Layer::L2tp)?));
        cursor.take_slice(padding, Layer::L2tp)?;
    }
    Ok(Encapsulation::L2tp { tunnel, session })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Carried;
    use crate::ethertype;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn every_optional_field() {
        let session = Encapsulation::L2tp { tunnel: 1, session: 2 };
        for header in ["0002 0001 0002", "4002 000d 0001 0002", "4a02 0015 0001 0002 0009 0008 0002 ffff"] {
            let bytes = hex(&format!("{header} ff03 0021 45"));
            let mut cursor = Cursor::new(&bytes, bytes.len() as u32);
            assert_eq!(read(&mut cursor), Ok(Some((session, Carried::Payload(ethertype::IPV4)))), "{header}");
            assert_eq!(cursor.rest(), [0x45], "{header}");
            assert_cut(&hex(header), Layer::L2tp, read);
        }
    }

    #[test]
    fn control_messages_and_other_versions_are_none() {
        assert_eq!(read(&mut Cursor::new(&hex("c802 000c 0001"), 64)), Ok(None));
        assert_eq!(read(&mut Cursor::new(&hex("0003 0000 0001"), 64)), Ok(None));
    }
}
