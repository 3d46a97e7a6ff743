//! The pcapng file format (draft-ietf-opsawg-pcapng): sections in either byte order, interfaces with their own link
//! type and clock, and the three kinds of packet block.

use crate::frame::{FrameMeta, LinkType};
use crate::pcap_file::as_registered;
use crate::scan::{ByteOrder, MAX_CAPLEN, Scan};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Blocks of other types are skipped.
const KNOWN_BLOCKS: [u32; 5] = [SECTION_HEADER, INTERFACE_DESCRIPTION, OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET];
const LENGTHS_DIFFER: &str = "the lengths before and behind a block differ";

/// Block type, total length, and the total length again at the end.
const FRAMING_BYTES: usize = 12;
const BODY_OFFSET: usize = 8;
/// A block that must be read whole may be this large: the largest frame and ample room for options.
const MAX_BLOCK_BYTES: usize = MAX_CAPLEN as usize + (1 << 20);
/// Interfaces of a section that are remembered; the obsolete packet block cannot name more either.
const MAX_INTERFACES: usize = 1 << 16;

/// What has been said so far in the section that is being read.
#[derive(Debug)]
pub(crate) struct PcapNg {
    /// What the frames are to say, as in [`Frame`](crate::Frame).
    interface: u16,
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Bytes still to skip of a block that is of no interest, and its total length, which must stand behind them.
    skipping: Option<(u64, u32)>,
    /// A simple packet block has no time of its own: the last one known stands in.
    last_timestamp_ns: u64,
    /// Frames that were found so far.
    frames: u64,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link_type: LinkType,
    snaplen: u32,
    clock: Clock,
}

/// How an interface counts time: `if_tsresol` and `if_tsoffset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    /// Units in a second; `None` if it is more than any 64-bit timestamp can count a nanosecond of.
    units_per_second: Option<u128>,
    offset_seconds: i64,
}

/// What came of looking at the block at the front of the data.
enum Step {
    Done(usize),
    /// As `Done`, and a frame whose offset counts from the block's start.
    Frame(usize, FrameMeta),
    Need(usize),
    Damaged(String),
}

/// Where the fields of a packet block lie, and what they say.
struct Packet {
    interface: usize,
    timestamp: Option<u64>,
    data_offset: usize,
    caplen: u32,
    origlen: u32,
}

impl PcapNg {
    /// Whether a file that begins like this is in the pcapng format.
    pub(crate) fn recognises(start: &[u8]) -> bool {
        start.len() >= 12 && ByteOrder::Little.u32_at(start, 0) == SECTION_HEADER && section_order(start).is_some()
    }

    /// State before the first section header, which the scan then requires.
    pub(crate) fn new(interface: u16) -> Self {
        Self {
            interface,
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            skipping: None,
            last_timestamp_ns: 0,
            frames: 0,
        }
    }

    /// Whether the file may end here: not inside a block that is being skipped.
    pub(crate) fn at_block_boundary(&self) -> bool {
        self.skipping.is_none()
    }

    /// Finds the whole blocks in `data` and appends where their frames lie.
    pub(crate) fn scan(&mut self, data: &[u8], frames: &mut Vec<FrameMeta>) -> Scan {
        let mut at = 0;
        loop {
            let rest = &data[at..];
            let step = match self.skipping {
                Some((bytes, total_length)) => self.skip(rest, bytes, total_length),
                None => self.block(rest),
            };
            match step {
                Step::Done(bytes) => at += bytes,
                Step::Frame(bytes, frame) => {
                    frames.push(FrameMeta { offset: frame.offset + at as u32, ..frame });
                    at += bytes;
                }
                Step::Need(bytes) => return Scan::need(at, bytes),
                Step::Damaged(reason) => return Scan::damaged(at, reason),
            }
        }
    }

    fn skip(&mut self, rest: &[u8], bytes: u64, total_length: u32) -> Step {
        if bytes > 0 {
            let now = bytes.min(rest.len() as u64);
            self.skipping = Some((bytes - now, total_length));
            return if now > 0 { Step::Done(now as usize) } else { Step::Need(1) };
        }
        if rest.len() < 4 {
            return Step::Need(4);
        }
        if self.order.u32_at(rest, 0) != total_length {
            return Step::Damaged(LENGTHS_DIFFER.into());
        }
        self.skipping = None;
        Step::Done(4)
    }

    fn block(&mut self, rest: &[u8]) -> Step {
        if rest.len() < FRAMING_BYTES {
            return Step::Need(FRAMING_BYTES);
        }
        let (kind, total_length) = match self.framing(rest) {
            Ok(framing) => framing,
            Err(reason) => return Step::Damaged(reason),
        };
        if !KNOWN_BLOCKS.contains(&kind) {
            self.skipping = Some((u64::from(total_length) - 4, total_length));
            return Step::Done(0);
        }
        let bytes = total_length as usize;
        let Some(block) = rest.get(..bytes) else { return Step::Need(bytes) };
        if self.order.u32_at(block, bytes - 4) != total_length {
            return Step::Damaged(LENGTHS_DIFFER.into());
        }
        match self.known_block(kind, &block[..bytes - 4]) {
            Ok(Some(frame)) => Step::Frame(bytes, frame),
            Ok(None) => Step::Done(bytes),
            Err(reason) => Step::Damaged(reason),
        }
    }

    /// A block's type and total length, which is right in itself; a section header also sets the byte order.
    fn framing(&mut self, start: &[u8]) -> Result<(u32, u32), String> {
        // The type of a section header reads the same in both byte orders, so that it can be met in either.
        let kind = self.order.u32_at(start, 0);
        if kind == SECTION_HEADER {
            self.order = section_order(start).ok_or("a section header has no byte-order magic")?;
        }
        let total_length = self.order.u32_at(start, 4);
        let bytes = total_length as usize;
        let is_too_large = KNOWN_BLOCKS.contains(&kind) && bytes > MAX_BLOCK_BYTES;
        if bytes < FRAMING_BYTES || bytes % 4 != 0 || is_too_large {
            return Err(format!("a block claims {total_length} bytes"));
        }
        Ok((kind, total_length))
    }

    /// Reads a block without its trailing length.
    fn known_block(&mut self, kind: u32, block: &[u8]) -> Result<Option<FrameMeta>, String> {
        let packet = match kind {
            SECTION_HEADER => return self.start_section(block).map(|()| None),
            INTERFACE_DESCRIPTION => return self.add_interface(block).map(|()| None),
            ENHANCED_PACKET | OBSOLETE_PACKET => full_packet(self.order, block, kind),
            _ => simple_packet(self.order, block, self.interfaces.first().map_or(0, |first| first.snaplen)),
        };
        let packet = packet.ok_or("a packet block is too short for its fields")?;
        self.frame(&packet, block.len()).map(Some)
    }

    fn start_section(&mut self, block: &[u8]) -> Result<(), String> {
        if block.len() < 24 {
            return Err("a section header is too short for its fields".into());
        }
        let major = self.order.u16_at(block, 12);
        if major != 1 {
            return Err(format!("pcapng version {major}, only 1 is known"));
        }
        self.interfaces.clear();
        Ok(())
    }

    fn add_interface(&mut self, block: &[u8]) -> Result<(), String> {
        if block.len() < 16 {
            return Err("an interface description is too short for its fields".into());
        }
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(format!("a section describes more than {MAX_INTERFACES} interfaces"));
        }
        self.interfaces.push(Interface {
            link_type: as_registered(self.order.u16_at(block, 8)),
            snaplen: self.order.u32_at(block, 12),
            clock: Clock::from_options(self.order, &block[16..]),
        });
        Ok(())
    }

    fn frame(&mut self, packet: &Packet, block_bytes: usize) -> Result<FrameMeta, String> {
        let described = self
            .interfaces
            .get(packet.interface)
            .ok_or_else(|| format!("a packet names interface {}, which is not described", packet.interface))?;
        if packet.caplen > MAX_CAPLEN || packet.data_offset + packet.caplen as usize > block_bytes {
            return Err(format!("a packet claims {} captured bytes", packet.caplen));
        }
        if let Some(timestamp) = packet.timestamp {
            self.last_timestamp_ns = described.clock.to_ns(timestamp);
        }
        self.frames += 1;
        Ok(FrameMeta {
            timestamp_ns: self.last_timestamp_ns,
            offset: packet.data_offset as u32,
            caplen: packet.caplen,
            origlen: packet.origlen.max(packet.caplen),
            link_type: described.link_type,
            interface: self.interface,
            number: self.frames,
            worker: None,
        })
    }
}

/// The byte order of a section, by the magic behind type and length.
fn section_order(start: &[u8]) -> Option<ByteOrder> {
    const MAGIC: u32 = 0x1a2b_3c4d;
    [ByteOrder::Little, ByteOrder::Big].into_iter().find(|order| order.u32_at(start, BODY_OFFSET) == MAGIC)
}

/// An enhanced packet block, or the obsolete one, which differs in naming its interface with 16 bits.
fn full_packet(order: ByteOrder, block: &[u8], kind: u32) -> Option<Packet> {
    const DATA_OFFSET: usize = 28;
    if block.len() < DATA_OFFSET {
        return None;
    }
    let is_obsolete = kind == OBSOLETE_PACKET;
    Some(Packet {
        interface: if is_obsolete { order.u16_at(block, 8).into() } else { order.u32_at(block, 8) as usize },
        // The upper half comes first in either byte order.
        timestamp: Some(u64::from(order.u32_at(block, 12)) << 32 | u64::from(order.u32_at(block, 16))),
        data_offset: DATA_OFFSET,
        caplen: order.u32_at(block, 20),
        origlen: order.u32_at(block, 24),
    })
}

/// A simple packet block belongs to the first interface and says only the length on the wire: what was captured
/// follows from that interface's snaplen, where 0 is no limit.
fn simple_packet(order: ByteOrder, block: &[u8], snaplen: u32) -> Option<Packet> {
    const DATA_OFFSET: usize = 12;
    if block.len() < DATA_OFFSET {
        return None;
    }
    let origlen = order.u32_at(block, 8);
    let caplen = if snaplen == 0 { origlen } else { origlen.min(snaplen) };
    Some(Packet { interface: 0, timestamp: None, data_offset: DATA_OFFSET, caplen, origlen })
}

impl Clock {
    /// Reads the options of an interface description; without any, the clock counts microseconds since 1970.
    /// Options behind a malformed one are not looked for: the block's own length is already known to be right.
    fn from_options(order: ByteOrder, mut options: &[u8]) -> Self {
        const END: u16 = 0;
        const TIME_RESOLUTION: u16 = 9;
        const TIME_OFFSET: u16 = 14;
        let mut clock = Self { units_per_second: Some(1_000_000), offset_seconds: 0 };
        while options.len() >= 4 {
            let (code, length) = (order.u16_at(options, 0), usize::from(order.u16_at(options, 2)));
            let Some(value) = options.get(4..4 + length) else { break };
            match code {
                END => break,
                TIME_RESOLUTION if length == 1 => clock.units_per_second = units_per_second(value[0]),
                TIME_OFFSET if length == 8 => clock.offset_seconds = order.u64_at(value, 0) as i64,
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        clock
    }

    /// Nanoseconds since 1970 of a timestamp, held to what 64 bits can say.
    fn to_ns(self, timestamp: u64) -> u64 {
        let since_offset = match self.units_per_second {
            Some(1_000_000_000) => u128::from(timestamp),
            Some(1_000_000) => u128::from(timestamp) * 1000,
            Some(units) => u128::from(timestamp) * 1_000_000_000 / units,
            None => 0,
        };
        let ns = since_offset as i128 + i128::from(self.offset_seconds) * 1_000_000_000;
        ns.clamp(0, i128::from(u64::MAX)) as u64
    }
}

/// `if_tsresol`: a negative power of 2 if the top bit is set, of 10 if not.
fn units_per_second(resolution: u8) -> Option<u128> {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 != 0 { 1u128.checked_shl(exponent) } else { 10u128.checked_pow(exponent) }
}

#[cfg(test)]
#[path = "pcapng_tests.rs"]
mod tests;
