use super::*;

const SLOT_BYTES: usize = 256;
const FIRST_OFFSET: usize = 48;
const MAC_OFFSET: usize = 86;
const BLOCK_BYTES: usize = 4096;

/// What the kernel says about a frame beside its bytes.
struct Received {
    bytes: Vec<u8>,
    origlen: u32,
    status: u32,
    tci: u32,
    tpid: u16,
}

fn untagged(bytes: &[u8]) -> Received {
    Received { bytes: bytes.to_vec(), origlen: bytes.len() as u32, status: TP_STATUS_USER, tci: 0, tpid: 0 }
}

fn tagged(bytes: &[u8], tci: u32, tpid: Option<u16>) -> Received {
    let tpid_valid = if tpid.is_some() { TP_STATUS_VLAN_TPID_VALID } else { 0 };
    let status = TP_STATUS_USER | TP_STATUS_VLAN_VALID | tpid_valid;
    Received { status, tci, tpid: tpid.unwrap_or(0x9999), ..untagged(bytes) }
}

/// A ring of two blocks in ordinary memory, with this test in the kernel's place.
fn ring() -> Ring {
    let geometry = Geometry { block_bytes: BLOCK_BYTES, blocks: 2 };
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory that is in use.
    let memory = unsafe { libc::mmap(ptr::null_mut(), geometry.bytes(), protection, flags, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED);
    Ring { memory: NonNull::new(memory.cast()).expect("memory"), geometry, next: 0 }
}

fn fill(ring: &Ring, block: usize, received: &[Received]) {
    assert!(FIRST_OFFSET + received.len() * SLOT_BYTES <= BLOCK_BYTES);
    for (slot, frame) in received.iter().enumerate() {
        assert!(MAC_OFFSET + frame.bytes.len() <= SLOT_BYTES);
        // SAFETY: slot and frame lie inside the block (asserted above) and nothing else uses the memory.
        unsafe {
            let header = ring.memory.as_ptr().add(block * BLOCK_BYTES + FIRST_OFFSET + slot * SLOT_BYTES);
            header.add(68).write_bytes(0xee, MAC_OFFSET - 68);
            ptr::copy_nonoverlapping(frame.bytes.as_ptr(), header.add(MAC_OFFSET), frame.bytes.len());
            let header = header.cast::<tpacket3_hdr>();
            (*header).tp_next_offset = SLOT_BYTES as u32;
            ((*header).tp_sec, (*header).tp_nsec) = (7, slot as u32);
            ((*header).tp_snaplen, (*header).tp_len) = (frame.bytes.len() as u32, frame.origlen);
            ((*header).tp_status, (*header).tp_mac) = (frame.status, MAC_OFFSET as u16);
            ((*header).hv1.tp_vlan_tci, (*header).hv1.tp_vlan_tpid) = (frame.tci, frame.tpid);
        }
    }
    // SAFETY: the descriptor is the block's beginning, and nothing else uses the memory.
    unsafe {
        let descriptor = ring.memory.as_ptr().add(block * BLOCK_BYTES).cast::<tpacket_block_desc>();
        (*descriptor).hdr.bh1.offset_to_first_pkt = FIRST_OFFSET as u32;
        (*descriptor).hdr.bh1.num_pkts = received.len() as u32;
        (*descriptor).hdr.bh1.block_status = TP_STATUS_USER;
    }
}

fn labels(snaplen: u32) -> Labels {
    Labels { snaplen, link_type: LinkType::ETHERNET, interface: 3 }
}

/// Bytes and wire length of each frame, read twice from the same block.
fn read_block(ring: &mut Ring, snaplen: u32) -> Option<Vec<(Vec<u8>, u32)>> {
    let block = ring.try_block(labels(snaplen))?;
    let read = || block.frames().map(|frame| (frame.data.to_vec(), frame.origlen)).collect::<Vec<_>>();
    let first = read();
    assert_eq!(first, read(), "a second iteration sees the same");
    assert_eq!(first.len(), block.frame_count());
    Some(first)
}

/// Twelve bytes of addresses, then what follows.
fn frame(rest: &[u8]) -> Vec<u8> {
    [&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], rest].concat()
}

#[test]
fn blocks_come_in_turn_and_go_back_to_the_kernel() {
    let mut ring = ring();
    assert!(read_block(&mut ring, 65535).is_none());
    fill(&ring, 1, &[untagged(&frame(b"b"))]);
    assert!(read_block(&mut ring, 65535).is_none(), "the first block is not finished");
    fill(&ring, 0, &[untagged(&frame(b"a"))]);
    assert_eq!(read_block(&mut ring, 65535), Some(vec![(frame(b"a"), 13)]));
    assert_eq!(read_block(&mut ring, 65535), Some(vec![(frame(b"b"), 13)]));
    assert!(read_block(&mut ring, 65535).is_none(), "both blocks are the kernel's again");
    fill(&ring, 0, &[]);
    assert_eq!(read_block(&mut ring, 65535), Some(vec![]));
}

#[test]
fn a_frame_carries_its_time_and_labels() {
    let mut ring = ring();
    fill(&ring, 0, &[untagged(&frame(b"a")), untagged(&frame(b"b"))]);
    let block = ring.try_block(labels(65535)).expect("a block");
    let seen: Vec<_> = block.frames().map(|f| (f.timestamp_ns, f.link_type, f.interface)).collect();
    assert_eq!(seen, [(7_000_000_000, LinkType::ETHERNET, 3), (7_000_000_001, LinkType::ETHERNET, 3)]);
}

#[test]
fn the_tag_is_put_back_once() {
    let mut ring = ring();
    fill(
        &ring,
        0,
        &[
            tagged(&frame(b"\x08\x00x"), 0x6005, Some(0x88a8)),
            untagged(&frame(b"\x08\x00y")),
            tagged(&frame(b"\x08\x00z"), 7, None),
        ],
    );
    let expected = vec![
        (frame(b"\x88\xa8\x60\x05\x08\x00x"), 19),
        (frame(b"\x08\x00y"), 15),
        (frame(b"\x81\x00\x00\x07\x08\x00z"), 19),
    ];
    assert_eq!(read_block(&mut ring, 65535), Some(expected));
}

#[test]
fn snaplen_counts_the_tag_and_leaves_the_wire_length() {
    for snaplen in 1..40 {
        let mut ring = ring();
        let bytes = frame(b"\x08\x00 and so on, up to here");
        let cut = &bytes[..bytes.len().min(snaplen)];
        fill(&ring, 0, &[Received { origlen: 1500, ..tagged(cut, 5, Some(0x8100)) }]);
        let whole = frame(b"\x81\x00\x00\x05\x08\x00 and so on, up to here");
        let expected = whole[..whole.len().min(snaplen)].to_vec();
        assert_eq!(read_block(&mut ring, snaplen as u32), Some(vec![(expected, 1504)]), "snaplen {snaplen}");
    }
}

#[test]
fn a_ring_is_as_large_as_asked_and_holds_the_largest_frame() {
    let megabyte = 1 << 20;
    let geometry = |ring_bytes, snaplen, page| {
        let geometry = Geometry::new(ring_bytes, snaplen, page);
        (geometry.block_bytes, geometry.blocks)
    };
    assert_eq!(geometry(64 * megabyte, 262_144, 4096), (megabyte, 64));
    assert_eq!(geometry(3 * megabyte, 96, 4096), (megabyte / 2, 6));
    assert_eq!(geometry(0, 262_144, 4096), (megabyte / 2, 4));
    assert_eq!(geometry(0, 96, 65536), (65536, 4));
    assert_eq!(geometry(1 << 33, 96, 4096), (megabyte, 4095));
}

#[test]
fn a_ring_that_is_not_granted_is_halved_down_to_the_least() {
    let sizes: Vec<_> =
        std::iter::successors(Some(Geometry::new(9 << 20, 96, 4096)), |geometry| geometry.halved()).collect();
    assert_eq!(sizes.iter().map(|geometry| geometry.blocks).collect::<Vec<_>>(), [9, 4]);
}
