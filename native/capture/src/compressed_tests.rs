use std::io::Write;

use proptest::prelude::*;

use super::tests::{Content, contents, pcap, pcapng, read_all, reader};
use super::*;
use crate::compression::Compression;

const ALL: [Compression; 3] = [Compression::Gzip, Compression::Zstandard, Compression::Lz4];

fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        Compression::Zstandard => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
            encoder.include_checksum(true).expect("an option");
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        Compression::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new().block_checksums(true).content_checksum(true);
            let info = info.block_size(lz4_flex::frame::BlockSize::Max64KB);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
    }
}

/// Two members, split anywhere: nothing but their order is said by where one ends.
fn pack_in_two(compression: Compression, bytes: &[u8], place: prop::sample::Index) -> Vec<u8> {
    let (first, second) = bytes.split_at(place.index(bytes.len()));
    [pack(compression, first), pack(compression, second)].concat()
}

/// All frames of what can be opened and read.
fn read_what_can_be(bytes: &[u8]) -> Option<(Vec<Content>, Option<String>)> {
    reader(bytes, 300).ok()?.next_block(OwnedBlock::default()).ok()?;
    Some(read_all(bytes, 300))
}

proptest! {
    // A case makes a dozen encoders and decoders; the fuzz target `capture_file` goes further.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn compressed_files_read_as_they_were(
        contents in contents(),
        place in any::<prop::sample::Index>(),
        chunk_bytes in 1..300usize,
    ) {
        for compression in ALL {
            for bytes in [pcap(&contents), pcapng(&contents)] {
                let packed = pack_in_two(compression, &bytes, place);
                prop_assert_eq!(read_all(&packed, chunk_bytes), (contents.clone(), None), "{:?}", compression);
            }
        }
    }

    #[test]
    fn a_cut_compressed_file_gives_a_prefix_and_a_warning(
        contents in contents(),
        place in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        for compression in ALL {
            let mut packed = pack_in_two(compression, &pcap(&contents), place);
            packed.truncate(cut.index(packed.len()));
            if let Some((frames, warning)) = read_what_can_be(&packed) {
                prop_assert!(contents.starts_with(&frames));
                prop_assert!(warning.is_some() || is_between_records(&packed, &frames));
            }
        }
    }

    #[test]
    fn a_changed_byte_of_a_compressed_file_ends_without_a_panic(
        contents in contents(),
        place in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        for compression in ALL {
            let mut packed = pack(compression, &pcap(&contents));
            let place = place.index(packed.len());
            packed[place] = value;
            read_what_can_be(&packed);
        }
    }

    #[test]
    fn any_bytes_behind_a_magic_number_end_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        for magic in [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"] {
            read_what_can_be(&[magic, &noise].concat());
        }
    }
}

/// Whether a file was cut where a member ends and no record is open: nothing tells such a cut.
fn is_between_records(packed: &[u8], frames: &[Content]) -> bool {
    let mut input = Input::new(io::Cursor::new(packed.to_vec())).expect("memory");
    let mut unpacked_bytes = 0;
    while let Ok(bytes @ 1..) = input.read(&mut [0; 4096], 1) {
        unpacked_bytes += bytes;
    }
    unpacked_bytes == pcap(frames).len()
}

#[test]
fn what_common_tools_write_is_read() {
    // One frame of 4 bytes, as gzip -9, zstd -19, lz4 -9 -BD, lz4 -l and pzstd wrote it.
    const PACKED: [&str; 5] = [
        "1f8b0800000000000203bb7278d3422606160618f8ff9f818111483303313b1083646c8038312939050052f458632c000000",
        "28b52ffd046845010042020812d0670d0060cc2916806469c10af016429ba4e89872f2fbb838b8b53724b558010004e002de5d6a1b",
        "04224d186440a72700000084d4c3b2a1020004000100f100ffff000001000000030000000700001a00803c00000061626364000000001b\
         45c5bc",
        "02214c182700000084d4c3b2a1020004000100f100ffff000001000000030000000700001a00803c00000061626364",
        "502a4d18040000003400000028b52ffd04583d0100f8d4c3b2a102000400ffff000001000000030000000700003c0000006162636402003d\
         4525401cde5d6a1b",
    ];
    for packed in PACKED {
        let hex: Vec<u8> = packed.bytes().collect();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
        let packed: Vec<u8> = hex.chunks(2).map(byte).collect();
        assert_eq!(read_all(&packed, 64), (vec![(3_000_007_000, b"abcd".to_vec(), 60)], None));
        let mut reader = reader(&packed, 64).expect("a capture");
        while reader.next_block(OwnedBlock::default()).expect("readable").is_some() {}
        assert_eq!(reader.taken_bytes(), packed.len() as u64, "progress counts the compressed bytes");
    }
}

#[test]
fn damage_costs_little_of_what_stands_before_it() {
    let contents: Vec<Content> = (0..20_000u32).map(|n| (n.into(), n.to_le_bytes().to_vec(), 4)).collect();
    for compression in ALL {
        let packed = pack(compression, &pcap(&contents));
        let mut damaged = packed[..packed.len() / 2].to_vec();
        damaged.extend([0xff; 64]);
        let (frames, warning) = read_all(&damaged, 1 << 20);
        assert!(warning.is_some_and(|text| text.contains(" when unpacked")), "{compression:?}");
        assert!(frames.len() > 3000 && contents.starts_with(&frames[..3000]), "{compression:?}: {}", frames.len());
    }
}

#[test]
fn what_grows_without_end_stays_small_in_memory() {
    let zeros = vec![0; 8 << 20];
    for compression in ALL {
        let packed = pack(compression, &[pcap(&[]), zeros.clone()].concat());
        assert!(packed.len() < 1 << 20);
        let mut reader = reader(&packed, 1 << 16).expect("a capture");
        let (mut frames, mut block) = (0, OwnedBlock::default());
        while let Some(next) = reader.next_block(block).expect("readable") {
            assert!(next.data.len() <= 1 << 16 && next.frames.len() <= 1 << 12);
            frames += next.frames.len();
            block = next;
        }
        assert_eq!(frames, zeros.len() / 16, "each is an empty frame");
    }
}

#[test]
fn compressed_bytes_that_hold_no_capture_are_refused_with_the_reason() {
    let good = pack(Compression::Gzip, &pcap(&[]));
    let twice = pack(Compression::Lz4, &good);
    let cases = [
        (pack(Compression::Zstandard, b""), "the file is empty"),
        (pack(Compression::Gzip, b"hello"), "68 65 6c 6c"),
        (twice, "gzip data inside compressed data"),
        (good[..12].to_vec(), "its gzip data ends too early"),
        (b"\x28\xb5\x2f\xfdgarbage".to_vec(), "its zstd data is damaged"),
        (b"\x04\x22\x4d\x18garbage".to_vec(), "its lz4 data is damaged"),
    ];
    for (bytes, text) in cases {
        let refusal = reader(&bytes, 64).err().expect("a refusal");
        assert!(matches!(refusal, CaptureError::NotACapture { .. }), "{refusal}");
        assert!(refusal.to_string().contains(text), "{refusal}");
    }
}
