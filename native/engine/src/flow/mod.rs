//! Flows: what two endpoints say to each other, both directions in one entry.

mod begin;
mod delta;
mod fragments;
mod index;
mod links;
mod record;
mod seldom;
mod state;
mod table;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrayvec::ArrayVec;
use wire::{FiveTuple, FlowKey, IpPacket, Mac};

pub use delta::{Ending, FlowDelta};
pub(crate) use fragments::Fragments;
pub use record::{FlowEnd, FlowRecord, FlowState};
pub use state::{FlowFlags, TouchOutcome};
pub use table::{FlowLimits, FlowTable};

use delta::Published;
use links::Links;
use seldom::Seldom;

use app::AppProtocol;

use crate::names::{Conversation, Naming};

/// VLAN tags that a flow keeps, outermost first; deeper ones are left out.
pub const MAX_FLOW_VLANS: usize = 6;

/// The direction that the originator sends in, as an index.
pub const ORIG: usize = 0;
/// The direction that the responder sends in, as an index.
pub const RESP: usize = 1;

/// Packets, and bytes of innermost IP length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Sum of innermost IP lengths in bytes.
    pub bytes: u64,
}

impl Counts {
    pub(crate) fn minus(self, earlier: Self) -> Self {
        Self { packets: self.packets - earlier.packets, bytes: self.bytes - earlier.bytes }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

/// A live flow in four cache lines: every packet touches the first two, each second with traffic the other two as well.
/// Pairs are indexed by [`ORIG`] and [`RESP`].
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Flow {
    pub(crate) key: FlowKey,
    /// Generation of the watchlists that judged the flow last.
    pub(crate) generation: u32,
    /// Timer time of the last packet, in seconds.
    pub(crate) last_tick: u32,
    pub(crate) last_ns: u64,
    /// Running totals.
    pub(crate) totals: [Counts; 2],
    pub(crate) flags: FlowFlags,
    pub(crate) tcp_flags: [u8; 2],
    pub(crate) interface: u16,
    /// Whether bytes are missing, as [`Flow::gaps`] tells.
    gaps_open: bool,
    /// Whether anything more will be learned of what it is about.
    pub(crate) naming: Naming,
    /// Initial sequence number of the originator, 0 if its SYN was not seen.
    pub(crate) initial_sequence: u32,
    /// TCP: the sequence number after the last byte seen or acknowledged, 0 before the first segment.
    pub(crate) highest: [u32; 2],
    /// Slot of the timer wheel; none while the flow is not in the table.
    pub(crate) wheel_slot: u32,
    /// Place of the source of its first packet in the worker's table.
    pub(crate) source: u16,
    /// Index of the tunnel in the worker's table.
    pub(crate) tunnel: u16,
    /// What is listened to.
    pub(crate) conversation: Option<Box<Conversation>>,

    published: Published,
    pub(crate) start_ns: u64,
    /// Bytes of the last second with traffic, as far as 32 bits count them, and the tick of that second.
    rate_bytes: [u32; 2],
    rate_tick: u32,
    /// Timer time of the next record of a long flow.
    pub(crate) active_tick: u32,
    pub(crate) links: Links,

    pub(crate) macs: [Mac; 2],
    pub(crate) vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// What it speaks.
    pub(crate) app: AppProtocol,
    /// The server that the client asked for first.
    pub(crate) name: Option<Box<ServerName>>,
    seldom: Option<Box<Seldom>>,
    /// Number of its first frame among those that were read.
    pub(crate) first_frame: u64,
    /// Number of its first frame in the capture file, 0 live.
    pub(crate) file_frame: u64,
}

const _: () = assert!(size_of::<Flow>() == 256, "a flow is four cache lines");

/// A server as its client named it.
#[derive(Debug)]
pub(crate) struct ServerName {
    pub(crate) text: Arc<str>,
    /// What the flow spoke then.
    pub(crate) app: AppProtocol,
}

impl Flow {
    /// Endpoints and protocol, oriented by the originator.
    pub fn tuple(&self) -> FiveTuple {
        self.key.tuple(self.flags.contains(FlowFlags::SWAPPED))
    }

    /// Index of the direction that a packet goes in, from the side of the key that sent it.
    #[inline]
    pub(crate) fn direction(&self, swapped: bool) -> usize {
        usize::from(swapped != self.flags.contains(FlowFlags::SWAPPED))
    }

    /// Asks for the memory of what is listened to.
    #[inline]
    pub(crate) fn prefetch_conversation(&self) {
        if let Some(conversation) = &self.conversation {
            capture::prefetch_whole(&**conversation);
        }
    }

    /// Whether packets came since the last record.
    pub(crate) fn has_news(&self) -> bool {
        self.totals != self.recorded()
    }

    /// Bytes of both directions before this packet, which was the last one to be counted.
    #[inline]
    pub(crate) fn bytes_before(&self, packet: &IpPacket<'_>) -> u64 {
        let total = self.totals[ORIG].bytes + self.totals[RESP].bytes;
        total.saturating_sub(u64::from(packet.length_bytes))
    }

    /// Bytes of each direction in the last second that has closed; `tick` is timer time now.
    pub fn rates(&self, tick: u32) -> [u64; 2] {
        if self.rate_tick == tick { self.rate_bytes.map(u64::from) } else { [0; 2] }
    }

    /// A second with this traffic has closed.
    pub(crate) fn set_rates(&mut self, tick: u32, counts: &[Counts; 2]) {
        self.rate_bytes = counts.map(|side| u32::try_from(side.bytes).unwrap_or(u32::MAX));
        self.rate_tick = tick;
    }

    /// Takes the other end for the originator.
    pub(crate) fn reverse(&mut self) {
        self.flags.toggle(FlowFlags::SWAPPED);
        self.flags.swap_directions();
        self.totals.reverse();
        self.published.reverse();
        self.rate_bytes.reverse();
        self.tcp_flags.reverse();
        self.macs.reverse();
        self.highest.reverse();
        if let Some(seldom) = &mut self.seldom {
            seldom.reverse();
        }
        if let Some(conversation) = &mut self.conversation {
            conversation.reverse();
        }
    }

    /// The numbers of the next bytes of a TCP connection, as far as its directions were seen.
    pub(crate) fn beginnings(&self) -> [Option<u32>; 2] {
        self.highest.map(|number| (number != 0).then_some(number))
    }

    /// An identifier below 2^53 that is the same in every run, whichever end is taken for the originator.
    pub(crate) fn id(&self) -> u64 {
        let mut hash = IdHash::default();
        (self.key, self.start_ns).hash(&mut hash);
        hash.finish() & ((1 << 53) - 1)
    }
}

/// Mixes words into an identifier. Each step can be undone: hashes that differ stay different.
#[derive(Default)]
struct IdHash(u64);

impl Hasher for IdHash {
    fn write_u64(&mut self, word: u64) {
        // The odd number next to 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
        let product = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 32;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
