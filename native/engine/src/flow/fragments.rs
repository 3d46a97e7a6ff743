//! To which flow the fragments belong that carry no ports: to that of the datagram's first fragment.

use ahash::RandomState;
use hashbrown::HashTable;
use wire::{Address, FiveTuple, IpPacket};

/// Datagrams that are remembered; the oldest makes room.
const MAX_DATAGRAMS: usize = 4096;
/// Half of what a receiver waits: "reassembly of that packet must be abandoned" after 60 seconds (RFC 8200, 4.5). A busy
/// sender uses an identification of IPv4 again within that time (RFC 6864, 1).
const LIFETIME_NS: u64 = 30 * 1_000_000_000;

/// A datagram whose first fragment was seen.
#[derive(Debug)]
struct Datagram {
    /// Of the first fragment, its sender as originator.
    tuple: FiveTuple,
    identification: u32,
    time_ns: u64,
    /// Whether its last fragment was seen.
    complete: bool,
}

impl Datagram {
    /// Whether a fragment is one of this datagram's: "source address, destination address, protocol, and identification"
    /// are the same (RFC 791, 3.2), in IPv6 without the protocol (RFC 8200, 4.5), which is that of the first header behind
    /// the fragment header.
    fn has(&self, packet: &IpPacket<'_>) -> bool {
        self.identification == packet.identification
            && self.tuple.orig.address == packet.source
            && self.tuple.resp.address == packet.destination
            && (self.tuple.protocol == packet.protocol || !packet.source.is_v4())
    }

    fn is_recent(&self, time_ns: u64) -> bool {
        time_ns.abs_diff(self.time_ns) <= LIFETIME_NS
    }
}

/// The datagrams of the last seconds that came in fragments.
#[derive(Debug)]
pub(crate) struct Fragments {
    datagrams: Vec<Datagram>,
    /// The oldest datagram, once there is no room for more.
    oldest: usize,
    index: HashTable<u16>,
    hasher: RandomState,
    forgotten: u64,
}

impl Default for Fragments {
    /// All room is reserved at once, and its pages are used as fragments come; the index has room for twice as many,
    /// so that it never grows.
    fn default() -> Self {
        Self {
            datagrams: Vec::with_capacity(MAX_DATAGRAMS),
            oldest: 0,
            index: HashTable::with_capacity(2 * MAX_DATAGRAMS),
            hasher: RandomState::new(),
            forgotten: 0,
        }
    }
}

impl Fragments {
    /// The five-tuple that a fragment is accounted to, its sender as originator: that of the datagram's first fragment, or
    /// its own, without ports, if that one was not seen before.
    #[inline(never)]
    pub(crate) fn tuple(&mut self, packet: &IpPacket<'_>, time_ns: u64) -> FiveTuple {
        let hash = self.hash((packet.source, packet.destination, packet.identification));
        let place = self.index.find(hash, |&place| self.datagrams[usize::from(place)].has(packet)).copied();
        let known = place.map(|place| &mut self.datagrams[usize::from(place)]);
        let own = packet.five_tuple();
        if packet.later_fragment {
            let Some(datagram) = known.filter(|datagram| datagram.is_recent(time_ns)) else { return own };
            datagram.complete |= !packet.more_fragments;
            return datagram.tuple;
        }
        let datagram = Datagram { tuple: own, identification: packet.identification, time_ns, complete: false };
        match known {
            Some(known) => *known = datagram,
            None => self.remember(hash, datagram),
        }
        own
    }

    /// Datagrams that newer ones pushed out before their last fragment came.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn remember(&mut self, hash: u64, datagram: Datagram) {
        let place = if self.datagrams.len() < MAX_DATAGRAMS {
            self.datagrams.push(datagram);
            self.datagrams.len() - 1
        } else {
            self.replace_oldest(datagram)
        };
        let (datagrams, hasher) = (&self.datagrams, &self.hasher);
        self.index.insert_unique(hash, place as u16, |&other| hasher.hash_one(ends(&datagrams[usize::from(other)])));
    }

    fn replace_oldest(&mut self, datagram: Datagram) -> usize {
        let place = self.oldest;
        self.oldest = (place + 1) % MAX_DATAGRAMS;
        let old = &self.datagrams[place];
        self.forgotten += u64::from(!old.complete && old.is_recent(datagram.time_ns));
        if let Ok(entry) = self.index.find_entry(self.hash(ends(old)), |&other| usize::from(other) == place) {
            entry.remove();
        }
        self.datagrams[place] = datagram;
        place
    }

    fn hash(&self, ends: (Address, Address, u32)) -> u64 {
        self.hasher.hash_one(ends)
    }
}

/// What is hashed of a datagram; the protocol only tells apart what has the same.
fn ends(datagram: &Datagram) -> (Address, Address, u32) {
    (datagram.tuple.orig.address, datagram.tuple.resp.address, datagram.identification)
}

#[cfg(test)]
#[path = "fragments_tests.rs"]
mod tests;
