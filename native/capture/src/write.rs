//! The pcap files that the sensor writes: little-endian, nanoseconds; and how far such a file is whole.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use crate::frame::{Frame, LinkType};
use crate::pcap_file::{FILE_HEADER_BYTES, MAGIC_NANOSECONDS, RECORD_HEADER_BYTES};
use crate::scan::{ByteOrder, MAX_CAPLEN};

const NS_PER_SECOND: u64 = 1_000_000_000;
const READ_BUFFER_BYTES: usize = 1 << 18;

/// The file header (draft-ietf-opsawg-pcap, version 2.4).
pub fn file_header(link_type: LinkType, snaplen: u32) -> [u8; FILE_HEADER_BYTES] {
    let mut header = [0; FILE_HEADER_BYTES];
    header[0..4].copy_from_slice(&MAGIC_NANOSECONDS.to_le_bytes());
    header[4..6].copy_from_slice(&2u16.to_le_bytes());
    header[6..8].copy_from_slice(&4u16.to_le_bytes());
    header[16..20].copy_from_slice(&snaplen.to_le_bytes());
    header[20..24].copy_from_slice(&u32::from(link_type.0).to_le_bytes());
    header
}

/// The record header that goes before a frame's bytes. The format counts seconds in 32 bits: until 2106.
#[inline]
pub fn record_header(frame: &Frame<'_>) -> [u8; RECORD_HEADER_BYTES] {
    let seconds = (frame.timestamp_ns / NS_PER_SECOND) as u32;
    let nanoseconds = (frame.timestamp_ns % NS_PER_SECOND) as u32;
    let mut header = [0; RECORD_HEADER_BYTES];
    header[0..4].copy_from_slice(&seconds.to_le_bytes());
    header[4..8].copy_from_slice(&nanoseconds.to_le_bytes());
    header[8..12].copy_from_slice(&(frame.data.len() as u32).to_le_bytes());
    header[12..16].copy_from_slice(&frame.origlen.to_le_bytes());
    header
}

/// How far a file that the sensor wrote is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WholeFrames {
    /// Length in bytes up to the end of the last whole frame; 0 if not even the file header is right.
    pub bytes: u64,
    /// Time of the last whole frame.
    pub last_timestamp_ns: Option<u64>,
    /// Whole frames.
    pub frames: u64,
}

/// Finds how far a pcap file of the sensor's own is whole, so that one that a crash cut off can be cut back to that.
///
/// A record that this module would not have written ends the whole part too: after a power failure a file system may
/// show a tail of zeros. Reads from the file's beginning and leaves its position unspecified.
///
/// # Errors
/// What reading says.
pub fn whole_frames_length(file: &File) -> io::Result<WholeFrames> {
    let file_bytes = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, file);
    reader.rewind()?;
    let mut whole = WholeFrames::default();
    if file_bytes < FILE_HEADER_BYTES as u64 {
        return Ok(whole);
    }
    let mut header = [0; FILE_HEADER_BYTES];
    reader.read_exact(&mut header)?;
    if ByteOrder::Little.u32_at(&header, 0) != MAGIC_NANOSECONDS {
        return Ok(whole);
    }
    whole.bytes = FILE_HEADER_BYTES as u64;
    let mut header = [0; RECORD_HEADER_BYTES];
    while file_bytes - whole.bytes >= RECORD_HEADER_BYTES as u64 {
        reader.read_exact(&mut header)?;
        let Some((timestamp_ns, caplen)) = parse_record(&header) else { break };
        let end = whole.bytes + RECORD_HEADER_BYTES as u64 + u64::from(caplen);
        if end > file_bytes {
            break;
        }
        reader.seek_relative(i64::from(caplen))?;
        whole = WholeFrames { bytes: end, last_timestamp_ns: Some(timestamp_ns), frames: whole.frames + 1 };
    }
    Ok(whole)
}

/// A record of a file that the sensor wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnRecord {
    timestamp_ns: u64,
    caplen: u32,
    origlen: u32,
}

impl OwnRecord {
    /// Bytes of header and frame.
    pub fn length(&self) -> usize {
        RECORD_HEADER_BYTES + self.caplen as usize
    }

    /// The frame, out of the bytes that the record begins; empty where they end before it does.
    pub fn frame<'a>(&self, bytes: &'a [u8], link_type: LinkType) -> Frame<'a> {
        let data = bytes.get(RECORD_HEADER_BYTES..self.length()).unwrap_or_default();
        Frame {
            timestamp_ns: self.timestamp_ns,
            data,
            origlen: self.origlen,
            link_type,
            interface: 0,
            number: 0,
            worker: None,
        }
    }
}

/// The record that `bytes` begin with, or `None` if more bytes are needed for it to be whole.
///
/// # Errors
/// What stands there is not a record that the sensor would have written.
pub fn own_record(bytes: &[u8]) -> Result<Option<OwnRecord>, NoRecord> {
    let Some(header) = bytes.first_chunk() else { return Ok(None) };
    let (timestamp_ns, caplen) = parse_record(header).ok_or(NoRecord)?;
    let record = OwnRecord { timestamp_ns, caplen, origlen: ByteOrder::Little.u32_at(header, 12) };
    Ok((bytes.len() >= record.length()).then_some(record))
}

/// Something else stands where a record should begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRecord;

/// The link type of a file that begins with a header of the sensor's own.
pub fn own_link_type(header: &[u8; FILE_HEADER_BYTES]) -> Option<LinkType> {
    let own = ByteOrder::Little.u32_at(header, 0) == MAGIC_NANOSECONDS;
    own.then(|| LinkType(ByteOrder::Little.u16_at(header, 20)))
}

/// Time and captured length of a record, unless [`record_header`] cannot have written it for a captured frame.
fn parse_record(header: &[u8; RECORD_HEADER_BYTES]) -> Option<(u64, u32)> {
    let [seconds, nanoseconds, caplen, origlen] = [0, 4, 8, 12].map(|at| ByteOrder::Little.u32_at(header, at));
    let is_own = u64::from(nanoseconds) < NS_PER_SECOND && caplen <= MAX_CAPLEN && caplen <= origlen && origlen > 0;
    is_own.then(|| (u64::from(seconds) * NS_PER_SECOND + u64::from(nanoseconds), caplen))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::frame::{Block, OwnedBlock};

    fn own_file(frames: &[(u64, &[u8])]) -> Vec<u8> {
        let mut bytes = file_header(LinkType::ETHERNET, 96).to_vec();
        for frame in OwnedBlock::from_frames(frames.iter().copied(), LinkType::ETHERNET, 0).frames() {
            bytes.extend(record_header(&frame));
            bytes.extend(frame.data);
        }
        bytes
    }

    fn measure(bytes: &[u8]) -> WholeFrames {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("file written");
        whole_frames_length(&file).expect("a readable file")
    }

    #[test]
    fn headers_are_those_of_a_nanosecond_pcap() {
        let frame = Frame {
            timestamp_ns: 5_000_000_006,
            data: &[1, 2, 3],
            origlen: 60,
            link_type: LinkType::ETHERNET,
            interface: 0,
            number: 0,
            worker: None,
        };
        let expected = [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 96, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(file_header(LinkType::ETHERNET, 96), expected);
        assert_eq!(record_header(&frame), [5, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 60, 0, 0, 0]);
    }

    #[test]
    fn every_cut_is_cut_back_to_whole_frames() {
        let bytes = own_file(&[(1, b"abcde"), (2_000_000_000, b"fg")]);
        assert_eq!(bytes.len(), 24 + 21 + 18);
        for cut in 0..=bytes.len() {
            let (bytes_whole, last_timestamp_ns, frames) = match cut {
                0..24 => (0, None, 0),
                24..45 => (24, None, 0),
                45..63 => (45, Some(1), 1),
                _ => (63, Some(2_000_000_000), 2),
            };
            let expected = WholeFrames { bytes: bytes_whole, last_timestamp_ns, frames };
            assert_eq!(measure(&bytes[..cut]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_tail_that_was_never_written_is_not_whole() {
        let whole = own_file(&[(1, b"abcde")]);
        for tail in [&[0; 4096][..], &[0xff; 64]] {
            assert_eq!(measure(&[&whole, tail].concat()), measure(&whole));
        }
    }

    #[test]
    fn a_file_of_another_kind_has_nothing_whole() {
        assert_eq!(measure(&[0; 100]), WholeFrames::default());
    }
}
