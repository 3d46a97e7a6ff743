//! Teredo: IPv6 in UDP (RFC 4380).

use crate::cursor::{Cursor, be16};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, Layer};
use crate::ethertype;

/// Authentication stands first, origin indication second, and both may be left out (5.1.1).
const AUTHENTICATION: [u8; 2] = [0, 1];
const ORIGIN: [u8; 2] = [0, 0];
const ORIGIN_LENGTH: usize = 8;

const IPV6_LENGTH: u32 = 40;

/// Takes the indications; nothing unless an IPv6 packet of exactly the length that is left follows them.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    if cursor.rest().starts_with(&AUTHENTICATION) {
        // Type, the lengths of client identifier and authentication value, those two, 8 bytes of nonce, a confirmation.
        let [_, _, identifier, value] = *cursor.peek::<4>(Layer::Teredo)?;
        cursor.advance(13 + usize::from(identifier) + usize::from(value));
    }
    if cursor.rest().starts_with(&ORIGIN) {
        cursor.advance(ORIGIN_LENGTH);
    }
    let Some(header) = cursor.rest().first_chunk::<6>() else { return Ok(None) };
    let whole = u32::from(be16(&header[4..])) + IPV6_LENGTH == cursor.wire_left();
    let carried = (Encapsulation::Teredo, Carried::Payload(ethertype::IPV6));
    Ok((header[0] >> 4 == 6 && whole).then_some(carried))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn left(bytes: &str) -> Option<usize> {
        let bytes = hex(bytes);
        let mut cursor = Cursor::new(&bytes, bytes.len() as u32 + 34);
        read(&mut cursor).unwrap().map(|_| cursor.rest().len())
    }

    #[test]
    fn an_ipv6_packet_with_and_without_indications() {
        assert_eq!(left("60000000 0000"), Some(6));
        assert_eq!(left("0000 1234 01020304 60000000 0000"), Some(6));
        assert_eq!(left("0001 0000 0011223344556677 00 0000 1234 01020304 60000000 0000"), Some(6));
    }

    #[test]
    fn other_udp_on_the_port_is_none() {
        assert_eq!(left("60000000 0001"), None);
        assert_eq!(left("40000000 0000"), None);
        assert_eq!(left("0000"), None);
    }
}
