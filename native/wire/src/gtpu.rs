//! GTP-U (3GPP TS 29.281).

use crate::cursor::{Cursor, be16, be32};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::ethertype;

mod field {
    use std::ops::Range;
    pub(super) const FLAGS: usize = 0;
    pub(super) const MESSAGE: usize = 1;
    pub(super) const LENGTH: Range<usize> = 2..4;
    pub(super) const TUNNEL: Range<usize> = 4..8;
    pub(super) const NEXT_EXTENSION: usize = 3;
}

const LENGTH: usize = 8;

/// Version 1 and protocol type GTP, above the spare bit (5.1).
const VERSION_AND_TYPE: u8 = 0xf0;
const VERSION_1_GTP: u8 = 0x30;
/// "If any one or more of the E, S or PN flags are set", all three optional fields are there (5.1).
const OPTIONAL_FIELDS: u8 = 0x07;
const EXTENSION: u8 = 0x04;
const T_PDU: u8 = 255;

/// Extension headers that are passed; a user's packet has one or two.
const MAX_EXTENSIONS: usize = 8;

/// Takes the header of a T-PDU that carries IP; anything else on the port is none, as other messages of GTP are.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let start = *cursor;
    let header = cursor.take::<LENGTH>(Layer::Gtpu)?;
    let flags = header[field::FLAGS];
    let length = u32::from(be16(&header[field::LENGTH]));
    if flags & VERSION_AND_TYPE != VERSION_1_GTP || header[field::MESSAGE] != T_PDU || length > cursor.wire_left() {
        return Ok(None);
    }
    cursor.limit(length as usize);
    if flags & OPTIONAL_FIELDS != 0 && !skip_optional(cursor, flags & EXTENSION != 0, &start)? {
        return Ok(None);
    }
    let ethertype = match cursor.peek::<1>(Layer::Gtpu).map_err(|_| truncated(&start))?[0] >> 4 {
        4 => ethertype::IPV4,
        6 => ethertype::IPV6,
        _ => return Ok(None),
    };
    Ok(Some((Encapsulation::Gtpu { teid: be32(&header[field::TUNNEL]) }, Carried::Payload(ethertype))))
}

/// Takes sequence number, N-PDU number and the chain of extension headers; gives whether the chain has an end.
fn skip_optional(cursor: &mut Cursor<'_>, extended: bool, start: &Cursor<'_>) -> Result<bool, DecodeError> {
    let optional = cursor.take::<4>(Layer::Gtpu).map_err(|_| truncated(start))?;
    let mut next = if extended { optional[field::NEXT_EXTENSION] } else { 0 };
    for _ in 0..MAX_EXTENSIONS {
        if next == 0 {
            return Ok(true);
        }
        // "The Extension Header Length field specifies the length of the particular Extension header in 4 octets units",
        // and the type of the next stands in its last octet (5.2.1).
        let [units] = *cursor.peek::<1>(Layer::Gtpu).map_err(|_| truncated(start))?;
        let extension = cursor.take_slice(usize::from(units) * 4, Layer::Gtpu).map_err(|_| truncated(start))?;
        let Some(last) = extension.last() else { return Ok(false) };
        next = *last;
    }
    Ok(false)
}

fn truncated(start: &Cursor<'_>) -> DecodeError {
    start.error(Layer::Gtpu, DecodeErrorKind::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    fn teid(bytes: &str) -> (Layered, usize) {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, bytes.len() as u32);
        (read(&mut cursor).unwrap(), cursor.rest().len())
    }

    #[test]
    fn a_user_packet() {
        let carried = Some((Encapsulation::Gtpu { teid: 9 }, Carried::Payload(ethertype::IPV4)));
        assert_eq!(teid("30ff 0002 00000009 4500"), (carried, 2));
        assert_eq!(teid("32ff 0006 00000009 00010000 4500"), (carried, 2));
        assert_eq!(teid("34ff 000a 00000009 00010085 01100900 4500"), (carried, 2));
    }

    #[test]
    fn what_is_no_user_packet_is_none() {
        for bytes in ["3201 0004 00000000 00010000", "30ff 0002 00000009 0000", "50ff 0002 00000009 4500"] {
            assert_eq!(teid(bytes).0, None, "{bytes}");
        }
        assert_eq!(teid("30ff 0003 00000009 4500").0, None); // longer than the datagram
        assert_eq!(teid("34ff 000a 00000009 00010085 00000000 4500").0, None); // an extension of no length
    }

    #[test]
    fn cut_at_every_length() {
        assert_cut(&hex("34ff 000a 00000009 00010085 01100900 45"), Layer::Gtpu, read);
    }
}
