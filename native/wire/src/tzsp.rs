//! TaZmen Sniffer Protocol, in which MikroTik's sniffer and wireless probes stream frames (as Wireshark documents it).

use crate::cursor::{Cursor, be16};
use crate::decode::{Carried, Layered};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, DecodeErrorKind, Layer};
use crate::{radio_header, wlan};

mod field {
    use std::ops::Range;
    pub(super) const VERSION: usize = 0;
    pub(super) const TYPE: usize = 1;
    pub(super) const PROTOCOL: Range<usize> = 2..4;
}

const VERSION: u8 = 1;
/// A received frame, and one that is to be sent; the other types carry none.
const LAST_TYPE_WITH_FRAME: u8 = 1;

const ETHERNET: u16 = 1;
const WLAN: u16 = 18;
const WLAN_PRISM: u16 = 119;
const WLAN_AVS: u16 = 127;

/// A tag of one byte; any but these two has a length behind it.
const TAG_PADDING: u8 = 0;
const TAG_END: u8 = 1;

/// Takes header and tags; nothing if this is no frame in TZSP.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Layered, DecodeError> {
    let start = *cursor;
    let header = cursor.take::<4>(Layer::Tzsp)?;
    if header[field::VERSION] != VERSION || header[field::TYPE] > LAST_TYPE_WITH_FRAME {
        return Ok(None);
    }
    let cut = |_| start.error(Layer::Tzsp, DecodeErrorKind::Truncated);
    skip_tags(cursor).map_err(cut)?;
    Ok(match be16(&header[field::PROTOCOL]) {
        ETHERNET => Some((Encapsulation::Tzsp, Carried::Ethernet)),
        WLAN => Some((Encapsulation::Tzsp, Carried::Frame(wlan::read(cursor)))),
        WLAN_PRISM | WLAN_AVS if radio_header::skip(cursor, Layer::Tzsp).map_err(cut)? => {
            Some((Encapsulation::Tzsp, Carried::Frame(wlan::read(cursor))))
        }
        _ => None,
    })
}

fn skip_tags(cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
    loop {
        match cursor.take::<1>(Layer::Tzsp)? {
            [TAG_END] => return Ok(()),
            [TAG_PADDING] => {}
            _ => {
                let [length] = *cursor.take::<1>(Layer::Tzsp)?;
                cursor.take_slice(usize::from(length), Layer::Tzsp)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ethertype;
    use crate::testing::{assert_cut, hex};

    #[test]
    fn tags_are_passed() {
        let bytes = hex("0100 0001 0a01d4 00 0c010b 01 ff");
        let mut cursor = Cursor::new(&bytes, 64);
        assert_eq!(read(&mut cursor), Ok(Some((Encapsulation::Tzsp, Carried::Ethernet))));
        assert_eq!(cursor.rest(), [0xff]);
        assert_cut(&bytes[..bytes.len() - 1], Layer::Tzsp, read);
    }

    #[test]
    fn a_frame_of_the_air_with_and_without_a_header_of_the_card() {
        let frame = format!("0802 {} aaaa03 000000 0800 45", "00".repeat(22));
        let prism = format!("44000000 90000000 {}", "00".repeat(136));
        let avs = format!("80211001 00000040 {}", "00".repeat(56));
        for header in [
            format!("0100 0012 01 {frame}"),
            format!("0101 0077 00 01 {prism} {frame}"),
            format!("0100 007f 01 {avs} {frame}"),
        ] {
            let bytes = hex(&header);
            let mut cursor = Cursor::new(&bytes, bytes.len() as u32);
            assert_eq!(read(&mut cursor), Ok(Some((Encapsulation::Tzsp, Carried::Frame(ethertype::IPV4)))), "{header}");
            assert_eq!(cursor.rest(), [0x45], "{header}");
        }
        assert_cut(&hex(&format!("0100 0077 01 {prism}")), Layer::Tzsp, read);
        let short = hex(&format!("0100 0077 01 {prism}"));
        assert_eq!(read(&mut Cursor::new(&short[..100], 100)), Ok(None));
    }

    #[test]
    fn what_carries_no_frame_is_none() {
        for bytes in ["0104 0001 01", "0200 0001 01", "0100 0002 01"] {
            assert_eq!(read(&mut Cursor::new(&hex(bytes), 64)), Ok(None), "{bytes}");
        }
    }
}
