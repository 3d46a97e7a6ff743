//! The pcapng files that the sensor writes (draft-ietf-opsawg-pcapng): little-endian, nanoseconds, one section.

use std::io::{self, Write};

use crate::frame::{Frame, LinkType};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const OPTION_COMMENT: u16 = 1;
const OPTION_NAME: u16 = 2;
const OPTION_APPLICATION: u16 = 4;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_START: u16 = 2;
const OPTION_END: u16 = 3;
const OPTION_RECEIVED: u16 = 4;
const OPTION_DROPPED: u16 = 5;
/// 10^-9 seconds.
const NANOSECONDS: u8 = 9;
const LONGEST_OPTION: usize = 4096;

/// Writes the section header (4.1) and one interface description (4.2) each; no text that is longer than 4 KiB.
///
/// # Errors
/// What writing says.
pub fn pcapng_header(out: &mut impl Write, comment: &str, interfaces: &[(String, LinkType)]) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend([1, 0, 0, 0]);
    body.extend(u64::MAX.to_le_bytes());
    option(&mut body, OPTION_COMMENT, comment.as_bytes());
    option(&mut body, OPTION_APPLICATION, b"spanwatch");
    body.extend([0; 4]);
    block(out, SECTION, &[&body])?;
    for (name, link_type) in interfaces {
        let mut body = Vec::new();
        body.extend(u32::from(link_type.0).to_le_bytes());
        body.extend(0_u32.to_le_bytes());
        option(&mut body, OPTION_NAME, name.as_bytes());
        option(&mut body, OPTION_RESOLUTION, &[NANOSECONDS]);
        body.extend([0; 4]);
        block(out, INTERFACE, &[&body])?;
    }
    Ok(())
}

/// Writes an enhanced packet (4.3) of the interface at a place in the header.
///
/// # Errors
/// What writing says.
pub fn pcapng_packet(out: &mut impl Write, frame: &Frame<'_>, interface: u32) -> io::Result<()> {
    let mut head = [0; 20];
    let words = [
        interface,
        (frame.timestamp_ns >> 32) as u32,
        frame.timestamp_ns as u32,
        frame.data.len() as u32,
        frame.origlen,
    ];
    for (place, word) in head.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    block(out, PACKET, &[&head, frame.data])
}

/// What a capture counted on an interface, and from when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceCounts {
    /// Begin of the count, nanoseconds since 1970-01-01 UTC.
    pub since_ns: u64,
    /// Its end.
    pub until_ns: u64,
    /// Frames that arrived.
    pub received: u64,
    /// Frames that were lost for want of room between kernel and capture.
    pub dropped: u64,
}

/// Writes the statistics (4.6) of the interface at a place in the header.
///
/// # Errors
/// What writing says.
pub fn pcapng_statistics(out: &mut impl Write, interface: u32, counts: &InterfaceCounts) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(interface.to_le_bytes());
    body.extend(time_words(counts.until_ns));
    option(&mut body, OPTION_START, &time_words(counts.since_ns));
    option(&mut body, OPTION_END, &time_words(counts.until_ns));
    option(&mut body, OPTION_RECEIVED, &counts.received.to_le_bytes());
    option(&mut body, OPTION_DROPPED, &counts.dropped.to_le_bytes());
    body.extend([0; 4]);
    block(out, STATISTICS, &[&body])
}

/// A time as the format has it: the upper half first, whatever the order of the bytes in each.
fn time_words(time_ns: u64) -> [u8; 8] {
    (time_ns.rotate_left(32)).to_le_bytes()
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(LONGEST_OPTION)];
    if !value.is_empty() {
        body.extend(code.to_le_bytes());
        body.extend((value.len() as u16).to_le_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
}

/// Every block has its length in front and behind, and is padded to 32 bits (3.1).
fn block(out: &mut impl Write, kind: u32, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let padding = length.next_multiple_of(4) - length;
    let total = ((12 + length + padding) as u32).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&total)?;
    for part in parts {
        out.write_all(part)?;
    }
    out.write_all(&[0; 3][..padding])?;
    out.write_all(&total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FileReader;
    use crate::frame::{Block, OwnedBlock};

    #[test]
    fn what_is_written_is_read_again() {
        let interfaces = [("eth1".to_owned(), LinkType::ETHERNET), ("tun0".to_owned(), LinkType::RAW)];
        let mut bytes = Vec::new();
        pcapng_header(&mut bytes, "packets of a test", &interfaces).expect("memory");
        for (interface, data) in [(0, &b"abcde"[..]), (1, b"wxyz")] {
            let (link_type, timestamp_ns) = (interfaces[interface].1, 1_795_333_565_123_456_789 + interface as u64);
            let frame = Frame { timestamp_ns, data, origlen: 60, link_type, interface: 0, number: 0, worker: None };
            pcapng_packet(&mut bytes, &frame, interface as u32).expect("memory");
        }
        let counts = InterfaceCounts { since_ns: 1, until_ns: (7 << 32) + 9, received: 300, dropped: 4 };
        pcapng_statistics(&mut bytes, 1, &counts).expect("memory");
        let statistics = &bytes[bytes.len() - 76..];
        assert_eq!(statistics[..20], [5, 0, 0, 0, 76, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0]);
        assert_eq!(statistics[20..32], [2, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(statistics[44..68], [4, 0, 8, 0, 44, 1, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        let mut reader = FileReader::from_source(io::Cursor::new(bytes), "test", 0).expect("a capture");
        let block = reader.next_block(OwnedBlock::default()).expect("readable").expect("frames");
        let frames: Vec<_> = block.frames().map(|f| (f.timestamp_ns, f.data, f.origlen, f.link_type)).collect();
        let expected = [
            (1_795_333_565_123_456_789, &b"abcde"[..], 60, LinkType::ETHERNET),
            (1_795_333_565_123_456_790, &b"wxyz"[..], 60, LinkType::RAW),
        ];
        assert_eq!(frames, expected);
        assert!(reader.next_block(OwnedBlock::default()).expect("readable").is_none() && reader.warning().is_none());
    }
}
