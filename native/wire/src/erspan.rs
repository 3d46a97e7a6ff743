//! ERSPAN: a mirrored frame in GRE (draft-foschiano-erspan-03).

use crate::cursor::{Cursor, be16, be32};
use crate::encapsulation::Encapsulation;
use crate::error::{DecodeError, DecodeErrorKind, Layer};

mod field {
    use std::ops::Range;
    pub(super) const VERSION_AND_VLAN: Range<usize> = 0..2;
    pub(super) const TRUNCATED_AND_SESSION: Range<usize> = 2..4;
    pub(super) const II_INDEX: Range<usize> = 4..8;
    pub(super) const III_TIMESTAMP: Range<usize> = 4..8;
    pub(super) const III_FLAGS: Range<usize> = 10..12;
    pub(super) const SUBHEADER_INDEX_LOW: Range<usize> = 2..4;
    pub(super) const SUBHEADER_INDEX: Range<usize> = 4..8;
}

/// The version stands above the VLAN, and does not decide anything: GRE's protocol and sequence bit do.
const VLAN: u16 = 0x0fff;
const TRUNCATED: u16 = 0x0400;
const SESSION: u16 = 0x03ff;
const II_INDEX: u32 = 0x000f_ffff;
const III_FRAME_TYPE_SHIFT: u32 = 10;
const III_FRAME_TYPE: u16 = 0x1f;
const III_HARDWARE_SHIFT: u32 = 4;
const III_HARDWARE: u16 = 0x3f;
const III_GRANULARITY_SHIFT: u32 = 1;
const III_GRANULARITY: u16 = 0x03;
const III_EGRESS: u16 = 0x0008;
const III_PLATFORM_SUBHEADER: u16 = 0x0001;
const PLATFORM_SUBHEADER_LENGTH: usize = 8;

/// What an ERSPAN type III header carries: its field FT is 0 for an Ethernet frame, 2 for an IP packet (4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameType {
    Ethernet,
    Ip,
    Unknown,
}

/// Takes what stands behind a GRE header of protocol 0x88BE: a header if there is a sequence number, else nothing.
pub(crate) fn read_i_or_ii(cursor: &mut Cursor<'_>, sequence: Option<u32>) -> Result<Encapsulation, DecodeError> {
    let Some(sequence) = sequence else { return Ok(Encapsulation::ErspanI) };
    let header = cursor.take::<8>(Layer::Erspan)?;
    let flags = be16(&header[field::TRUNCATED_AND_SESSION]);
    Ok(Encapsulation::ErspanII {
        sequence,
        session: flags & SESSION,
        vlan: be16(&header[field::VERSION_AND_VLAN]) & VLAN,
        truncated: flags & TRUNCATED != 0,
        index: be32(&header[field::II_INDEX]) & II_INDEX,
    })
}

/// Takes a type III header with its platform specific subheader.
pub(crate) fn read_iii(
    cursor: &mut Cursor<'_>,
    sequence: Option<u32>,
) -> Result<(Encapsulation, FrameType), DecodeError> {
    let start = *cursor;
    let header = cursor.take::<12>(Layer::Erspan)?;
    let session = be16(&header[field::TRUNCATED_AND_SESSION]);
    let flags = be16(&header[field::III_FLAGS]);
    // The O bit says that the optional platform specific subheader is present (4.3).
    let index = if flags & III_PLATFORM_SUBHEADER == 0 {
        None
    } else {
        let subheader = cursor.take::<PLATFORM_SUBHEADER_LENGTH>(Layer::Erspan);
        port_index(subheader.map_err(|_| start.error(Layer::Erspan, DecodeErrorKind::Truncated))?)
    };
    let encapsulation = Encapsulation::ErspanIII {
        sequence,
        session: session & SESSION,
        vlan: be16(&header[field::VERSION_AND_VLAN]) & VLAN,
        truncated: session & TRUNCATED != 0,
        egress: flags & III_EGRESS != 0,
        timestamp: be32(&header[field::III_TIMESTAMP]),
        granularity: (flags >> III_GRANULARITY_SHIFT & III_GRANULARITY) as u8,
        hardware: (flags >> III_HARDWARE_SHIFT & III_HARDWARE) as u8,
        index,
    };
    let frame_type = match flags >> III_FRAME_TYPE_SHIFT & III_FRAME_TYPE {
        0 => FrameType::Ethernet,
        2 => FrameType::Ip,
        _ => FrameType::Unknown,
    };
    Ok((encapsulation, frame_type))
}

/// The port that a platform specific subheader names; its first 6 bits say whose format it is (4.3, Platf ID).
fn port_index(subheader: &[u8; PLATFORM_SUBHEADER_LENGTH]) -> Option<u32> {
    match subheader[0] >> 2 {
        1 => Some(be32(&subheader[field::SUBHEADER_INDEX])),
        5 | 6 => Some(u32::from(be16(&subheader[field::SUBHEADER_INDEX_LOW]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn without_sequence_number_there_is_no_header() {
        let mut cursor = Cursor::new(&[1, 2], 2);
        assert_eq!(read_i_or_ii(&mut cursor, None), Ok(Encapsulation::ErspanI));
        assert_eq!(cursor.rest().len(), 2);
    }

    #[test]
    fn type_ii() {
        let bytes = hex("10ab e456 fff00107");
        let read = read_i_or_ii(&mut Cursor::new(&bytes, 8), Some(9)).unwrap();
        let expected =
            Encapsulation::ErspanII { sequence: 9, session: 0x56, vlan: 0xab, truncated: true, index: 0x00107 };
        assert_eq!(read, expected);
    }

    #[test]
    fn type_iii() {
        let erspan = |vlan, session, truncated, egress, timestamp| Encapsulation::ErspanIII {
            sequence: None,
            session,
            vlan,
            truncated,
            egress,
            timestamp,
            granularity: if egress { 0 } else { 3 },
            hardware: 0,
            index: egress.then_some(0x0102_0304),
        };
        let bytes = hex("2014 0000 a3595bff 0000 0006 aa");
        let mut cursor = Cursor::new(&bytes, 13);
        let read = read_iii(&mut cursor, None).unwrap();
        assert_eq!(read, (erspan(20, 0, false, false, 0xa359_5bff), FrameType::Ethernet));
        assert_eq!(cursor.rest(), [0xaa]);

        let bytes = hex("2001 0465 00000001 0000 8809 0400000001020304 45");
        let mut cursor = Cursor::new(&bytes, 21);
        assert_eq!(read_iii(&mut cursor, None).unwrap(), (erspan(1, 0x65, true, true, 1), FrameType::Ip));
        assert_eq!(cursor.rest(), [0x45]);

        let bytes = hex("2001 0065 00000001 0000 1c00");
        assert_eq!(read_iii(&mut Cursor::new(&bytes, 12), None).unwrap().1, FrameType::Unknown);
    }

    #[test]
    fn cut_at_every_length() {
        for length in 0..8 {
            let error = read_i_or_ii(&mut Cursor::new(&[0; 8][..length], 64), Some(1)).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Erspan, DecodeErrorKind::Truncated, 0));
        }
        let with_subheader = hex("2001 0065 00000001 0000 0001 0000000000000000");
        for length in 0..with_subheader.len() {
            let error = read_iii(&mut Cursor::new(&with_subheader[..length], 64), None).unwrap_err();
            assert_eq!((error.layer, error.kind, error.offset), (Layer::Erspan, DecodeErrorKind::Truncated, 0));
        }
    }
}
