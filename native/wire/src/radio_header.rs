//! What cards put before a captured 802.11 frame: the header of Prism chips, and AVS's (both as tcpdump and Wireshark
//! document them, LINKTYPE_IEEE802_11_PRISM and LINKTYPE_IEEE802_11_AVS).

use crate::cursor::{Cursor, be32};
use crate::error::{DecodeError, Layer};

mod field {
    use std::ops::Range;
    /// AVS: a mark above the version; Prism: the kind of message.
    pub(super) const MARK: Range<usize> = 0..4;
    /// Of the whole header, in bytes.
    pub(super) const LENGTH: Range<usize> = 4..8;
}

const AVS_MARK: u32 = 0x8021_1000;
const AVS_VERSION: u32 = 0x0000_0fff;

/// Mark, length and the name of a device, or what AVS has in its place.
const MIN_LENGTH: u32 = 24;

/// Takes the header; gives `false` where none stands that ends within the frame. Which of the two it is its mark tells:
/// drivers put AVS's header where Prism's is named.
pub(crate) fn skip(cursor: &mut Cursor<'_>, layer: Layer) -> Result<bool, DecodeError> {
    let start = cursor.peek::<8>(layer)?;
    let said = be32(&start[field::LENGTH]);
    let is_avs = be32(&start[field::MARK]) & !AVS_VERSION == AVS_MARK;
    // Prism's numbers have the byte order of the machine that captured; the wrong one makes a length beyond any frame.
    let length = if is_avs { said } else { said.min(said.swap_bytes()) };
    if !(MIN_LENGTH..=cursor.wire_left()).contains(&length) {
        return Ok(false);
    }
    cursor.take_slice(length as usize, layer)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cut, hex};

    fn skipped(start: &str, length: usize) -> Option<usize> {
        let mut bytes = hex(start);
        bytes.resize(length, 0);
        let mut cursor = Cursor::new(&bytes, length as u32);
        skip(&mut cursor, Layer::Tzsp).expect("not cut").then_some(length - cursor.rest().len())
    }

    #[test]
    fn each_by_its_own_length() {
        assert_eq!(skipped("44000000 90000000", 200), Some(144));
        assert_eq!(skipped("00000044 00000090", 200), Some(144));
        assert_eq!(skipped("80211001 00000040", 200), Some(64));
        assert_eq!(skipped("80211002 00000044", 200), Some(68));
    }

    #[test]
    fn what_ends_beyond_the_frame_or_before_it_begins_is_none() {
        assert_eq!(skipped("44000000 90000000", 143), None);
        assert_eq!(skipped("44000000 90000000", 144), Some(144));
        assert_eq!(skipped("44000000 17000000", 200), None);
        assert_eq!(skipped("44000000 00000000", 200), None);
        assert_eq!(skipped("80211001 40000000", 200), None);
    }

    #[test]
    fn a_cut_header_is_an_error() {
        let mut bytes = hex("80211001 00000040");
        bytes.resize(64, 0);
        assert_cut(&bytes, Layer::Tzsp, |cursor| skip(cursor, Layer::Tzsp));
    }
}
