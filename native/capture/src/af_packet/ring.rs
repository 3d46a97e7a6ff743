//! The receive ring: blocks that the kernel fills and this process gives back, and the frames in them.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::{TP_STATUS_KERNEL, TP_STATUS_USER, TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID};
use libc::{c_uint, tpacket_block_desc, tpacket3_hdr};

use super::socket::PacketSocket;
use crate::error::CaptureError;
use crate::frame::{Block, Frame, LinkType};

/// Room before each frame: one VLAN tag.
pub(super) const HEADROOM_BYTES: c_uint = VLAN_TAG_BYTES as c_uint;

const VLAN_TAG_BYTES: usize = 4;
/// Destination and source address, which stand before the tag.
const MAC_ADDRESSES_BYTES: usize = 12;
const TPID_8021Q: u16 = 0x8100;

/// A block holds some thousand frames: few enough for the cache, many enough that going round is cheap.
const PREFERRED_BLOCK_BYTES: usize = 1 << 20;
/// With fewer blocks the kernel would wait for this process too often.
const MIN_BLOCKS: usize = 4;
/// What goes before the largest frame in a block: block header, frame header, link-layer address, headroom, padding.
const BLOCK_OVERHEAD_BYTES: usize = 256;

/// Block size and number of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    block_bytes: usize,
    blocks: usize,
}

impl Geometry {
    /// As many whole blocks as `ring_bytes` holds, each of them large enough for a frame of `snaplen` bytes.
    pub(super) fn new(ring_bytes: usize, snaplen: u32, page_bytes: usize) -> Self {
        let smallest = (snaplen as usize + BLOCK_OVERHEAD_BYTES).next_power_of_two().max(page_bytes);
        let wanted = (ring_bytes / MIN_BLOCKS).min(PREFERRED_BLOCK_BYTES);
        let block_bytes = if wanted < smallest { smallest } else { 1 << wanted.ilog2() };
        // The kernel counts the ring's bytes in 32 bits.
        let most_blocks = u32::MAX as usize / block_bytes;
        Self { block_bytes, blocks: (ring_bytes / block_bytes).clamp(MIN_BLOCKS, most_blocks) }
    }

    fn halved(self) -> Option<Self> {
        (self.blocks > MIN_BLOCKS).then_some(Self { blocks: (self.blocks / 2).max(MIN_BLOCKS), ..self })
    }

    fn bytes(self) -> usize {
        self.block_bytes * self.blocks
    }

    fn request(self, block_timeout: Duration) -> libc::tpacket_req3 {
        libc::tpacket_req3 {
            tp_block_size: self.block_bytes as c_uint,
            tp_block_nr: self.blocks as c_uint,
            // Version 3 packs frames of any size; the kernel only checks that these two fit the blocks.
            tp_frame_size: self.block_bytes as c_uint,
            tp_frame_nr: self.blocks as c_uint,
            // 0 would let the kernel choose.
            tp_retire_blk_tov: c_uint::try_from(block_timeout.as_millis()).unwrap_or(c_uint::MAX).max(1),
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        }
    }
}

/// What all frames of a ring have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labels {
    pub(super) snaplen: u32,
    pub(super) link_type: LinkType,
    pub(super) interface: u16,
}

/// A mapped receive ring.
pub(super) struct Ring {
    memory: NonNull<u8>,
    geometry: Geometry,
    /// The block that the kernel fills next, or has filled.
    next: usize,
}

// SAFETY: the mapping belongs to this value alone and may be used from whichever thread has it.
unsafe impl Send for Ring {}

impl Ring {
    /// Makes and maps the socket's ring; where memory is short, half as large, and so on.
    pub(super) fn allocate(
        socket: &PacketSocket,
        mut geometry: Geometry,
        block_timeout: Duration,
    ) -> Result<Self, CaptureError> {
        while !socket.make_ring(&geometry.request(block_timeout))? {
            geometry = geometry.halved().ok_or_else(|| socket.out_of_memory())?;
        }
        let memory = socket.map_ring(geometry.bytes())?;
        Ok(Self { memory, geometry, next: 0 })
    }

    pub(super) fn bytes(&self) -> usize {
        self.geometry.bytes()
    }

    #[inline]
    pub(super) fn try_block(&mut self, labels: Labels) -> Option<KernelBlock<'_>> {
        // Acquire: what the kernel wrote into the block before it changed the status is seen after this.
        if self.status().load(Ordering::Acquire) & TP_STATUS_USER == 0 {
            return None;
        }
        let descriptor = self.descriptor();
        // SAFETY: the status says that the block is this process's, so its header is filled and no one writes to it;
        // the kernel places the first frame header inside the block.
        let (first, count) = unsafe {
            let header = (*descriptor).hdr.bh1;
            (descriptor.cast::<u8>().add(header.offset_to_first_pkt as usize), header.num_pkts)
        };
        Some(KernelBlock { ring: self, first, count, labels })
    }

    fn descriptor(&self) -> *mut tpacket_block_desc {
        // SAFETY: `next` is below the number of blocks, so that the result lies inside the mapping.
        unsafe { self.memory.as_ptr().add(self.next * self.geometry.block_bytes).cast() }
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the mapping lives as long as `self`, blocks begin on a page, and while both sides may write to the
        // status it is only used through such an atomic.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.descriptor()).hdr.bh1.block_status) }
    }

    fn give_back(&mut self) {
        // Release: all reading of and writing to the block happens before the kernel may fill it again.
        self.status().store(TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.geometry.blocks;
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that was made, and no block borrows from it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.bytes()) };
    }
}

/// A block of the ring, given back to the kernel when it is dropped.
///
/// The kernel takes the outer VLAN tag out of a frame and keeps it beside; here it stands in the bytes again.
pub struct KernelBlock<'a> {
    ring: &'a mut Ring,
    first: *mut u8,
    count: u32,
    labels: Labels,
}

impl KernelBlock<'_> {
    /// Number of frames.
    pub fn frame_count(&self) -> usize {
        self.count as usize
    }
}

impl Block for KernelBlock<'_> {
    fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        Frames { next: self.first, left: self.count, labels: self.labels, block: PhantomData }
    }
}

impl Drop for KernelBlock<'_> {
    fn drop(&mut self) {
        self.ring.give_back();
    }
}

struct Frames<'a> {
    next: *mut u8,
    left: u32,
    labels: Labels,
    block: PhantomData<&'a KernelBlock<'a>>,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        self.left = self.left.checked_sub(1)?;
        let header = self.next.cast::<tpacket3_hdr>();
        // SAFETY: the block holds `left + 1` more frames, each with an aligned header at the offset that the one before
        // says, and `tp_snaplen` bytes of data at `tp_mac`, all inside the block, which is this process's until `'a`
        // ends. A reference to a frame's bytes is only made after its tag is in place, and nothing writes there after
        // that: the block is used by one thread at a time (it holds raw pointers and so is not `Sync`).
        unsafe {
            if (*header).tp_status & TP_STATUS_VLAN_VALID != 0 {
                put_vlan_tag_back(header);
            }
            self.next = self.next.add((*header).tp_next_offset as usize);
            let caplen = (*header).tp_snaplen.min(self.labels.snaplen) as usize;
            let data = header.cast::<u8>().add(usize::from((*header).tp_mac));
            Some(Frame {
                timestamp_ns: u64::from((*header).tp_sec) * 1_000_000_000 + u64::from((*header).tp_nsec),
                data: std::slice::from_raw_parts(data, caplen),
                origlen: (*header).tp_len,
                link_type: self.labels.link_type,
                interface: self.labels.interface,
                number: 0,
                worker: None,
            })
        }
    }
}

/// Puts the outer VLAN tag back between the addresses and the EtherType, by moving the addresses into the headroom, and
/// corrects the header, so that it does not happen a second time.
///
/// # Safety
/// `header` is the header of a frame in a block of this process, with [`HEADROOM_BYTES`] before the frame, and no
/// reference to the frame's bytes exists.
unsafe fn put_vlan_tag_back(header: *mut tpacket3_hdr) {
    // SAFETY: the caller vouches for the header and the headroom; nothing before the headroom or behind the captured
    // bytes is touched, because all that is written lies between the headroom's start and the old EtherType.
    unsafe {
        let (status, tag) = ((*header).tp_status, (*header).hv1);
        (*header).tp_status = status & !TP_STATUS_VLAN_VALID;
        (*header).tp_len += VLAN_TAG_BYTES as u32;
        if ((*header).tp_snaplen as usize) < MAC_ADDRESSES_BYTES {
            // Cut off before the place of the tag.
            return;
        }
        (*header).tp_mac -= VLAN_TAG_BYTES as u16;
        (*header).tp_snaplen += VLAN_TAG_BYTES as u32;
        let frame = header.cast::<u8>().add(usize::from((*header).tp_mac));
        ptr::copy(frame.add(VLAN_TAG_BYTES), frame, MAC_ADDRESSES_BYTES);
        let tpid = if status & TP_STATUS_VLAN_TPID_VALID != 0 { tag.tp_vlan_tpid } else { TPID_8021Q };
        let bytes = (u32::from(tpid) << 16 | (tag.tp_vlan_tci & 0xffff)).to_be_bytes();
        ptr::copy_nonoverlapping(bytes.as_ptr(), frame.add(MAC_ADDRESSES_BYTES), VLAN_TAG_BYTES);
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
