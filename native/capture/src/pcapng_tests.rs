use super::*;
use crate::scan::Stop;

/// Writes blocks in one byte order.
#[derive(Clone, Copy)]
struct Writer(ByteOrder);

impl Writer {
    fn u16(self, number: u16) -> [u8; 2] {
        if self.0 == ByteOrder::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        if self.0 == ByteOrder::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let length = self.u32((FRAMING_BYTES + body.len() + padding.len()) as u32);
        [&self.u32(kind), &length, body, &padding, &length].concat()
    }

    fn section(self) -> Vec<u8> {
        self.block(SECTION_HEADER, &[&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat())
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [&self.u16(code)[..], &self.u16(value.len() as u16), value, &padding].concat()
    }

    fn interface(self, link_type: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        let body = [&self.u16(link_type)[..], &self.u16(0), &self.u32(snaplen), options].concat();
        self.block(INTERFACE_DESCRIPTION, &body)
    }

    fn packet(self, kind: u32, interface: [u8; 4], timestamp: u64, data: &[u8]) -> Vec<u8> {
        let (upper, lower) = (self.u32((timestamp >> 32) as u32), self.u32(timestamp as u32));
        let lengths = [self.u32(data.len() as u32), self.u32(1000)].concat();
        self.block(kind, &[&interface, &upper, &lower, &lengths[..], data].concat())
    }

    fn enhanced(self, interface: u32, timestamp: u64, data: &[u8]) -> Vec<u8> {
        self.packet(ENHANCED_PACKET, self.u32(interface), timestamp, data)
    }

    fn simple(self, origlen: u32, data: &[u8]) -> Vec<u8> {
        self.block(SIMPLE_PACKET, &[&self.u32(origlen), data].concat())
    }
}

const BOTH: [Writer; 2] = [Writer(ByteOrder::Little), Writer(ByteOrder::Big)];

/// Time, bytes, wire length and link type of each frame, and where and why the scan stopped.
type Scanned = (Vec<(u64, Vec<u8>, u32, u16)>, Scan);

fn scan(bytes: &[u8]) -> Scanned {
    let mut frames = Vec::new();
    let scan = PcapNg::new(5).scan(bytes, &mut frames);
    assert!(frames.iter().all(|frame| frame.interface == 5));
    let read = |frame: &FrameMeta| {
        let data = bytes[frame.offset as usize..][..frame.caplen as usize].to_vec();
        (frame.timestamp_ns, data, frame.origlen, frame.link_type.0)
    };
    (frames.iter().map(read).collect(), scan)
}

fn frames_of(blocks: &[Vec<u8>]) -> Vec<(u64, Vec<u8>, u32, u16)> {
    let bytes = blocks.concat();
    let (frames, stopped) = scan(&bytes);
    assert_eq!(stopped, Scan::need(bytes.len(), FRAMING_BYTES), "read to the end");
    frames
}

fn damage(blocks: &[Vec<u8>]) -> String {
    match scan(&blocks.concat()).1.stop {
        Stop::Damaged(reason) => reason,
        Stop::Need(bytes) => panic!("not damaged, wants {bytes}"),
    }
}

#[test]
fn the_three_packet_blocks_in_both_byte_orders() {
    for w in BOTH {
        let obsolete_interface = [w.u16(1), w.u16(77)].concat();
        let frames = frames_of(&[
            w.section(),
            w.interface(1, 3, &[]),
            w.interface(14, 0, &[]),
            w.enhanced(1, 0x1_0000_0002, b"abcde"),
            w.packet(OBSOLETE_PACKET, obsolete_interface.try_into().expect("four bytes"), 9, b"fg"),
            w.simple(1500, b"hij"),
            w.simple(2, b"kl"),
        ]);
        let expected = [
            (0x1_0000_0002 * 1000, b"abcde".to_vec(), 1000, 101),
            (9000, b"fg".to_vec(), 1000, 101),
            (9000, b"hij".to_vec(), 1500, 1),
            (9000, b"kl".to_vec(), 2, 1),
        ];
        assert_eq!(frames, expected);
    }
}

#[test]
fn sections_have_their_own_byte_order_and_interfaces() {
    let [little, big] = BOTH;
    let frames = frames_of(&[
        little.section(),
        little.interface(1, 0, &[]),
        little.enhanced(0, 1, b"a"),
        big.section(),
        big.interface(113, 0, &[]),
        big.enhanced(0, 2, b"b"),
        little.section(),
        little.interface(101, 0, &[]),
        little.enhanced(0, 3, b"c"),
    ]);
    assert_eq!(frames.iter().map(|frame| frame.3).collect::<Vec<_>>(), [1, 113, 101]);
    let forgotten =
        damage(&[little.section(), little.interface(1, 0, &[]), little.section(), little.enhanced(0, 1, b"")]);
    assert!(forgotten.contains("interface 0"), "{forgotten}");
}

#[test]
fn blocks_of_other_types_are_skipped_however_large() {
    for w in BOTH {
        let other = w.block(0x0bad, &vec![7; MAX_BLOCK_BYTES + 4]);
        let frames = frames_of(&[w.section(), other, w.interface(1, 0, &[]), w.block(5, b""), w.enhanced(0, 1, b"a")]);
        assert_eq!(frames.len(), 1);
    }
}

#[test]
fn clocks_follow_resolution_and_offset() {
    for w in BOTH {
        let offset = |seconds: i64| w.option(14, &[w.u32((seconds >> 32) as u32), w.u32(seconds as u32)].concat());
        let offset = |seconds| match w.0 {
            ByteOrder::Big => offset(seconds),
            ByteOrder::Little => w.option(14, &seconds.to_le_bytes()),
        };
        let cases = [
            (vec![], 5, 5_000),
            (w.option(9, &[9]), 5, 5),
            (w.option(9, &[3]), 5, 5_000_000),
            (w.option(9, &[0]), 5, 5_000_000_000),
            (w.option(9, &[12]), 5_999, 5),
            (w.option(9, &[0x80 | 10]), 1536, 1_500_000_000),
            (w.option(9, &[127]), u64::MAX, 0),
            (w.option(9, &[0]), u64::MAX, u64::MAX),
            ([w.option(2, b"eth0."), w.option(9, &[9]), offset(2)].concat(), 5, 2_000_000_005),
            ([w.option(9, &[0]), offset(-3)].concat(), 5, 2_000_000_000),
            (offset(-3), 5, 0),
            ([w.option(0, &[]), w.option(9, &[9])].concat(), 5, 5_000),
        ];
        for (options, timestamp, expected) in cases {
            let frames = frames_of(&[w.section(), w.interface(1, 0, &options), w.enhanced(0, timestamp, b"")]);
            assert_eq!(frames[0].0, expected, "{options:02x?}");
        }
    }
}

#[test]
fn lengths_and_fields_that_cannot_be_are_damage() {
    for w in BOTH {
        let start = [w.section(), w.interface(1, 0, &[])].concat();
        let edited = |block: &[u8], offset: usize, number: u32| {
            let mut block = block.to_vec();
            block[offset..offset + 4].copy_from_slice(&w.u32(number));
            vec![start.clone(), block]
        };
        let packet = w.enhanced(0, 1, b"abcd");
        let last = packet.len() - 4;
        for (offset, number) in [(4, 8), (4, 37), (4, u32::MAX - 3), (8, 1), (20, 5), (20, MAX_CAPLEN + 1), (last, 32)]
        {
            damage(&edited(&packet, offset, number));
        }
        let other = w.block(0x0bad, b"abcd");
        assert_eq!(damage(&edited(&other, other.len() - 4, 12)), LENGTHS_DIFFER);
        damage(&[start.clone(), w.block(ENHANCED_PACKET, &[0; 16])]);
        damage(&[start.clone(), w.block(INTERFACE_DESCRIPTION, &[0; 4])]);
        damage(&[start.clone(), w.simple(100, b"too short")]);
        damage(&edited(&w.section(), 8, 0));
        damage(&edited(&w.section(), 12, 0x0002_0002));
    }
}

#[test]
fn what_is_not_whole_is_waited_for() {
    for w in BOTH {
        let blocks = [w.section(), w.interface(1, 0, &[]), w.block(0x0bad, b"abcd"), w.enhanced(0, 1, b"abcd")];
        let bytes = blocks.concat();
        for cut in 12..bytes.len() {
            let (frames, stopped) = scan(&bytes[..cut]);
            let Stop::Need(needed) = stopped.stop else { panic!("{stopped:?}") };
            assert!(frames.is_empty() && stopped.consumed + needed <= bytes.len().max(cut + FRAMING_BYTES));
            assert!(stopped.consumed + needed > cut, "more than there is");
        }
        assert_eq!(scan(&bytes).0.len(), 1);
    }
}

#[test]
fn only_a_section_header_makes_a_pcapng_file() {
    for w in BOTH {
        assert!(PcapNg::recognises(&w.section()[..12]) && !PcapNg::recognises(&w.section()[..11]));
        assert!(!PcapNg::recognises(&w.interface(1, 0, &[])));
    }
}
