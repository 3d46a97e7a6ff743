//! The pcap file format (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, and Kuznetzov's variant.

use crate::frame::{FrameMeta, LinkType};
use crate::scan::{ByteOrder, MAX_CAPLEN, Scan};

/// Bytes of the file header.
pub(crate) const FILE_HEADER_BYTES: usize = 24;
/// Bytes of a record header.
pub(crate) const RECORD_HEADER_BYTES: usize = 16;
/// Magic number of a file whose timestamps have nanoseconds.
pub(crate) const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
/// Alexey Kuznetzov's variant: each record header has interface, protocol and packet type, 8 bytes, at its end.
const MAGIC_KUZNETZOV: u32 = 0xa1b2_cd34;
const KUZNETZOV_RECORD_HEADER_BYTES: usize = 24;

/// What the file header says about the records.
#[derive(Debug)]
pub(crate) struct PcapFile {
    /// What the frames are to say, as in [`Frame`](crate::Frame).
    interface: u16,
    order: ByteOrder,
    ns_per_fraction: u64,
    record_header_bytes: usize,
    lengths: Lengths,
    link_type: LinkType,
    /// Frames that were found so far.
    frames: u64,
}

/// Which of a record's two lengths is which: writers of version 2.2 and before had them the other way round, and with
/// 2.3 there were both kinds (libpcap, `sf-pcap.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

impl PcapFile {
    /// Whether a file that begins like this is in the pcap format.
    pub(crate) fn recognises(start: &[u8]) -> bool {
        start.len() >= 4 && Self::layout(start).is_some()
    }

    /// Byte order, nanoseconds a unit of the fraction, and record header length, by the magic number.
    fn layout(start: &[u8]) -> Option<(ByteOrder, u64, usize)> {
        [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| match order.u32_at(start, 0) {
            MAGIC_MICROSECONDS => Some((order, 1000, RECORD_HEADER_BYTES)),
            MAGIC_NANOSECONDS => Some((order, 1, RECORD_HEADER_BYTES)),
            MAGIC_KUZNETZOV => Some((order, 1000, KUZNETZOV_RECORD_HEADER_BYTES)),
            _ => None,
        })
    }

    /// Reads the file header; the reason if it is not one.
    pub(crate) fn parse(start: &[u8], interface: u16) -> Result<Self, String> {
        let header = start.get(..FILE_HEADER_BYTES).ok_or("the file ends inside the file header")?;
        let (order, ns_per_fraction, record_header_bytes) = Self::layout(header).ok_or("no pcap magic number")?;
        let major = order.u16_at(header, 4);
        if major != 2 {
            return Err(format!("pcap version {major}, only 2 is known"));
        }
        let lengths = match order.u16_at(header, 6) {
            0..=2 => Lengths::WireFirst,
            3 => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        // The upper bits tell the length of a frame check sequence at each frame's end.
        let number = order.u32_at(header, 20) & 0x03ff_ffff;
        let link_type = u16::try_from(number).map_err(|_| format!("unknown link type {number}"))?;
        Ok(Self {
            interface,
            order,
            ns_per_fraction,
            record_header_bytes,
            lengths,
            link_type: as_registered(link_type),
            frames: 0,
        })
    }

    /// Finds the whole records in `data` and appends where their frames lie.
    pub(crate) fn scan(&mut self, data: &[u8], frames: &mut Vec<FrameMeta>) -> Scan {
        let mut at = 0;
        loop {
            let start = at + self.record_header_bytes;
            let Some(header) = data.get(at..start) else {
                return Scan::need(at, self.record_header_bytes);
            };
            let (caplen, origlen) = self.lengths(header);
            if caplen > MAX_CAPLEN {
                return Scan::damaged(at, format!("a record claims {caplen} captured bytes"));
            }
            let end = start + caplen as usize;
            if end > data.len() {
                return Scan::need(at, end - at);
            }
            self.frames += 1;
            frames.push(FrameMeta {
                timestamp_ns: self.timestamp_ns(header),
                offset: start as u32,
                caplen,
                origlen: origlen.max(caplen),
                link_type: self.link_type,
                interface: self.interface,
                number: self.frames,
                worker: None,
            });
            at = end;
        }
    }

    #[inline]
    fn timestamp_ns(&self, record_header: &[u8]) -> u64 {
        let (seconds, fraction) = (self.order.u32_at(record_header, 0), self.order.u32_at(record_header, 4));
        u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.ns_per_fraction
    }

    /// Captured length and length on the wire.
    #[inline]
    fn lengths(&self, record_header: &[u8]) -> (u32, u32) {
        let (first, second) = (self.order.u32_at(record_header, 8), self.order.u32_at(record_header, 12));
        match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::WireFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        }
    }
}

/// Some writers put the DLT_RAW number of their system where the registry's number belongs.
pub(crate) fn as_registered(link_type: u16) -> LinkType {
    match link_type {
        12 | 14 => LinkType::RAW,
        number => LinkType(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Stop;

    const RECORD: [u32; 4] = [3, 7, 2, 60];

    fn file(magic: u32, record_tail: &[u8], to_bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        // Version 2.4 is one 32-bit number here, and its halves change places with the byte order.
        let version = if to_bytes(1)[0] == 1 { 0x0004_0002 } else { 0x0002_0004 };
        let mut bytes: Vec<u8> = [magic, version, 0, 0, 65535, 1].into_iter().flat_map(to_bytes).collect();
        bytes.extend(RECORD.into_iter().flat_map(to_bytes));
        bytes.extend(record_tail);
        bytes.extend([0xaa, 0xbb]);
        bytes
    }

    fn only_frame(bytes: &[u8]) -> (u64, Vec<u8>, u32) {
        assert!(PcapFile::recognises(bytes));
        let mut format = PcapFile::parse(bytes, 0).expect("a pcap header");
        let mut frames = Vec::new();
        let records = &bytes[FILE_HEADER_BYTES..];
        let scan = format.scan(records, &mut frames);
        assert_eq!(scan, Scan::need(records.len(), format.record_header_bytes));
        let [frame] = frames[..] else { panic!("one frame, not {}", frames.len()) };
        assert_eq!(frame.link_type, LinkType::ETHERNET);
        (frame.timestamp_ns, records[frame.offset as usize..][..frame.caplen as usize].to_vec(), frame.origlen)
    }

    #[test]
    fn every_variant_reads_alike() {
        for to_bytes in [u32::to_le_bytes as fn(u32) -> [u8; 4], u32::to_be_bytes] {
            for (magic, tail, time_ns) in [
                (MAGIC_MICROSECONDS, &[][..], 3_000_007_000),
                (MAGIC_NANOSECONDS, &[][..], 3_000_000_007),
                (MAGIC_KUZNETZOV, &[9; 8][..], 3_000_007_000),
            ] {
                assert_eq!(only_frame(&file(magic, tail, to_bytes)), (time_ns, vec![0xaa, 0xbb], 60), "{magic:x}");
            }
        }
    }

    #[test]
    fn lengths_of_old_versions_are_told_apart() {
        let mut bytes = file(MAGIC_NANOSECONDS, &[], u32::to_le_bytes);
        let swapped = [60u32.to_le_bytes(), 2u32.to_le_bytes()].concat();
        for (minor, lengths_are_swapped) in [(4, false), (3, false), (3, true), (2, true), (0, true)] {
            bytes[6] = minor;
            let lengths = &mut bytes[FILE_HEADER_BYTES + 8..][..8];
            if lengths_are_swapped {
                lengths.copy_from_slice(&swapped);
            }
            assert_eq!(only_frame(&bytes), (3_000_000_007, vec![0xaa, 0xbb], 60), "2.{minor} {lengths_are_swapped}");
        }
    }

    #[test]
    fn a_wire_length_below_the_captured_length_is_corrected() {
        let mut bytes = file(MAGIC_NANOSECONDS, &[], u32::to_le_bytes);
        bytes[FILE_HEADER_BYTES + 12..][..4].copy_from_slice(&1u32.to_le_bytes());
        assert_eq!(only_frame(&bytes).2, 2);
    }

    #[test]
    fn an_incredible_length_is_damage_and_the_bound_itself_is_not() {
        let mut bytes = file(MAGIC_NANOSECONDS, &[], u32::to_le_bytes);
        let mut format = PcapFile::parse(&bytes, 0).expect("a pcap header");
        let mut scan_with_caplen = |caplen: u32| {
            bytes[FILE_HEADER_BYTES + 8..][..4].copy_from_slice(&caplen.to_le_bytes());
            format.scan(&bytes[FILE_HEADER_BYTES..], &mut Vec::new())
        };
        assert_eq!(scan_with_caplen(MAX_CAPLEN), Scan::need(0, RECORD_HEADER_BYTES + MAX_CAPLEN as usize));
        assert!(matches!(scan_with_caplen(MAX_CAPLEN + 1), Scan { consumed: 0, stop: Stop::Damaged(_) }));
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        let good = file(MAGIC_NANOSECONDS, &[], u32::to_le_bytes);
        assert!(PcapFile::parse(&good[..23], 0).is_err());
        let mut version = good.clone();
        version[4] = 1;
        assert!(PcapFile::parse(&version, 0).is_err());
        let mut magic = good.clone();
        magic[0] ^= 1;
        assert!(!PcapFile::recognises(&magic) && PcapFile::parse(&magic, 0).is_err());
        assert!(!PcapFile::recognises(&good[..3]));
    }

    #[test]
    fn frame_check_sequence_bits_and_foreign_raw_numbers_do_not_change_the_link_type() {
        let mut bytes = file(MAGIC_NANOSECONDS, &[], u32::to_le_bytes);
        bytes[20..24].copy_from_slice(&0x4400_000cu32.to_le_bytes());
        assert_eq!(PcapFile::parse(&bytes, 0).expect("a pcap header").link_type, LinkType::RAW);
    }
}
