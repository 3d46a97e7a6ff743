use std::io::Cursor;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::frame::{Block, Frame, LinkType};
use crate::write::{file_header, record_header};

/// Time, bytes and wire length.
pub(super) type Content = (u64, Vec<u8>, u32);

pub(super) fn reader(bytes: &[u8], chunk_bytes: usize) -> Result<FileReader, CaptureError> {
    FileReader::with_input(Input::new(Cursor::new(bytes.to_vec())), "test.pcap", 2, chunk_bytes)
}

/// All frames, and the warning; the same block is used again and again.
pub(super) fn read_all(bytes: &[u8], chunk_bytes: usize) -> (Vec<Content>, Option<String>) {
    let mut reader = reader(bytes, chunk_bytes).expect("a capture");
    let mut frames = Vec::new();
    let mut block = OwnedBlock::default();
    while let Some(next) = reader.next_block(block).expect("a readable source") {
        assert!(!next.frames.is_empty());
        frames.extend(next.frames().map(|frame| (frame.timestamp_ns, frame.data.to_vec(), frame.origlen)));
        block = next;
    }
    (frames, reader.warning().map(str::to_owned))
}

pub(super) fn pcap(contents: &[Content]) -> Vec<u8> {
    let mut bytes = file_header(LinkType::ETHERNET, 65535).to_vec();
    for (timestamp_ns, data, origlen) in contents {
        let frame = Frame {
            timestamp_ns: *timestamp_ns,
            data,
            origlen: *origlen,
            link_type: LinkType::ETHERNET,
            interface: 0,
            number: 0,
            worker: None,
        };
        bytes.extend(record_header(&frame));
        bytes.extend(data);
    }
    bytes
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = (12 + padded as u32).to_le_bytes();
    [&kind.to_le_bytes(), &length, body, &vec![0; padded - body.len()][..], &length].concat()
}

pub(super) fn pcapng(contents: &[Content]) -> Vec<u8> {
    let section = [&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let nanoseconds = [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0];
    let mut bytes = [block(0x0a0d_0d0a, &section), block(1, &nanoseconds)].concat();
    for (timestamp_ns, data, origlen) in contents {
        let (upper, lower) = ((timestamp_ns >> 32) as u32, *timestamp_ns as u32);
        let fields = [0, upper, lower, data.len() as u32, *origlen].map(u32::to_le_bytes).concat();
        bytes.extend(block(6, &[&fields[..], data].concat()));
        bytes.extend(block(0x0bad, data));
    }
    bytes
}

pub(super) fn contents() -> impl Strategy<Value = Vec<Content>> {
    // The pcap format counts seconds in 32 bits.
    let time = 0..u64::from(u32::MAX) * 1_000_000_000;
    vec((time, vec(any::<u8>(), 0..100), 0..2000u32), 0..12).prop_map(|contents| {
        contents.into_iter().map(|(time, data, more)| (time, data.clone(), data.len() as u32 + more)).collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(contents in contents(), chunk_bytes in 1..300usize) {
        for bytes in [pcap(&contents), pcapng(&contents)] {
            prop_assert_eq!(read_all(&bytes, chunk_bytes), (contents.clone(), None));
        }
    }

    #[test]
    fn a_cut_file_gives_a_prefix_and_a_warning(contents in contents(), chunk_bytes in 1..300usize) {
        let whole = (pcap(&contents), pcapng(&contents));
        for (bytes, least) in [(whole.0, FILE_HEADER_BYTES), (whole.1, 12)] {
            for cut in least..bytes.len() {
                let (frames, warning) = read_all(&bytes[..cut], chunk_bytes);
                prop_assert!(contents.starts_with(&frames));
                prop_assert!(warning.is_none() || warning.is_some_and(|text| text.contains("cut short")));
            }
            for cut in 0..least {
                let is_refused = matches!(reader(&bytes[..cut], chunk_bytes), Err(CaptureError::NotACapture { .. }));
                prop_assert!(is_refused);
            }
        }
    }

    #[test]
    fn any_bytes_end_without_a_panic(
        start in 0..2usize,
        noise in vec(any::<u8>(), 0..400),
        chunk_bytes in 1..300usize,
    ) {
        let contents = [(1, vec![7; 20], 60)];
        let bytes = [[pcap(&contents), pcapng(&contents)][start].clone(), noise].concat();
        let (frames, _) = read_all(&bytes, chunk_bytes);
        prop_assert_eq!(&frames[0], &contents[0]);
    }

    #[test]
    fn a_changed_byte_costs_nothing_before_it(
        contents in contents(),
        place in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        for (mut bytes, first) in [(pcap(&contents), FILE_HEADER_BYTES), (pcapng(&contents), 28 + 28)] {
            if bytes.len() == first {
                continue;
            }
            let place = first + place.index(bytes.len() - first);
            let (before, _) = read_all(&bytes[..place], 1 << 16);
            bytes[place] = value;
            prop_assert!(read_all(&bytes, 1 << 16).0.starts_with(&before));
        }
    }

    #[test]
    fn any_start_is_a_capture_or_refused(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(mut reader) = reader(&bytes, 64) {
            while let Ok(Some(_)) = reader.next_block(OwnedBlock::default()) {}
        }
    }
}

#[test]
fn the_warning_tells_file_and_place() {
    let bytes = pcap(&[(1, vec![1; 10], 10), (2, vec![2; 10], 10)]);
    let (frames, warning) = read_all(&bytes[..bytes.len() - 1], 1 << 16);
    assert_eq!(frames.len(), 1);
    let warning = warning.expect("a warning");
    assert_eq!(warning, "test.pcap is cut short in the middle of a record, at byte 50; what stands before was read");
}

#[test]
fn a_cut_inside_a_skipped_block_is_noticed() {
    let bytes = [pcapng(&[]), block(0x0bad, &[0; 40])].concat();
    for cut in 1..52 {
        assert!(read_all(&bytes[..bytes.len() - cut], 16).1.is_some(), "cut by {cut}");
    }
    assert!(read_all(&bytes, 16).1.is_none());
}

#[test]
fn what_is_not_a_capture_is_refused_with_its_first_bytes() {
    for (bytes, text) in
        [(&b""[..], "empty"), (b"\x01\x02\x03\x04none", "01 02 03 04"), (b"snoop\0\0\0", "snoop"), (b"x", "78")]
    {
        let refusal = reader(bytes, 64).err().expect("a refusal").to_string();
        assert!(refusal.contains("test.pcap") && refusal.contains(text), "{refusal}");
    }
    assert!(matches!(FileReader::open("/nonexistent.pcap", 0), Err(CaptureError::Unreadable { .. })));
    assert!(matches!(FileReader::open("/", 0), Err(CaptureError::Unreadable { .. })));
}

/// Gives some bytes, then fails.
struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("medium error")),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn a_read_error_is_a_warning_once_something_was_read() {
    let whole = pcap(&[(1, vec![1; 10], 10)]);
    let open = |bytes: &[u8]| FileReader::with_input(Input::new(Failing(Cursor::new(bytes.to_vec()))), "disk", 0, 64);
    let mut after_a_frame = open(&whole).expect("a capture");
    assert!(after_a_frame.next_block(OwnedBlock::default()).expect("frames").is_some());
    assert!(after_a_frame.next_block(OwnedBlock::default()).expect("the end").is_none());
    assert!(after_a_frame.warning().is_some_and(|text| text.contains("medium error")));
    let mut at_once = open(&whole[..FILE_HEADER_BYTES]).expect("a capture");
    assert!(matches!(at_once.next_block(OwnedBlock::default()), Err(CaptureError::Unreadable { .. })));
}
