//! Whether an IP packet stands where nothing but a port or a number promises one.

use crate::cursor::{Cursor, be16};
use crate::ethertype;

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;

/// The length in bytes that the IP header here says of its packet; `None` where none stands that this EtherType names.
pub(crate) fn ip_length(cursor: &Cursor<'_>, ethertype: u16) -> Option<u32> {
    match ethertype {
        ethertype::IPV4 => {
            let header = cursor.rest().first_chunk::<IPV4_HEADER>()?;
            let own_length = u16::from(header[0] & 0x0f) * 4;
            let length = be16(&header[2..4]);
            let sound = header[0] >> 4 == 4 && usize::from(own_length) >= IPV4_HEADER && length >= own_length;
            sound.then_some(u32::from(length))
        }
        ethertype::IPV6 => {
            let header = cursor.rest().first_chunk::<IPV6_HEADER>()?;
            (header[0] >> 4 == 6).then(|| IPV6_HEADER as u32 + u32::from(be16(&header[4..6])))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn length(ethertype: u16, start: &str) -> Option<u32> {
        let bytes = [hex(start), vec![0; 34]].concat();
        ip_length(&Cursor::new(&bytes, 100), ethertype)
    }

    #[test]
    fn a_header_of_the_version_that_is_named_and_of_a_length_that_can_be() {
        assert_eq!(length(ethertype::IPV4, "45000054 0000"), Some(84));
        assert_eq!(length(ethertype::IPV6, "60000000 0010"), Some(56));
        for start in ["60000054 0000", "44000054 0000", "46000014 0000", "45000000 0000"] {
            assert_eq!(length(ethertype::IPV4, start), None, "{start}");
        }
        assert_eq!(length(ethertype::IPV6, "45000054 0000"), None);
        assert_eq!(length(0x0806, "45000054 0000"), None);
    }

    #[test]
    fn a_header_that_was_not_captured_is_none() {
        assert_eq!(ip_length(&Cursor::new(&hex("45000054 0000"), 84), ethertype::IPV4), None);
        assert_eq!(ip_length(&Cursor::new(&hex("60000000 0010"), 56), ethertype::IPV6), None);
    }
}
