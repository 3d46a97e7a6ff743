//! Hash tables by prefix length, each behind a bit filter.

use ahash::RandomState;
use hashbrown::{HashTable, hash_table};

use super::entry::Entry;
use super::network::{HOST_BITS, Network, leading_bits};

/// Filter bits per address: with three bits set for each, one miss in about 150 passes.
const FILTER_BITS_PER_KEY: usize = 16;

/// A Bloom filter whose bits for one key lie in one word: a miss costs one memory access.
struct Filter {
    /// A power of two of words.
    words: Vec<u64>,
}

impl Filter {
    fn with_room(keys: usize) -> Self {
        let words = (keys * FILTER_BITS_PER_KEY).div_ceil(u64::BITS as usize).next_power_of_two();
        Self { words: vec![0; words] }
    }

    fn add(&mut self, hash: u64) {
        let word = self.word(hash);
        self.words[word] |= Self::bits(hash);
    }

    /// The bits below 32 choose the word, others the bits in it.
    #[inline]
    fn word(&self, hash: u64) -> usize {
        hash as u32 as usize & (self.words.len() - 1)
    }

    #[inline]
    fn bits(hash: u64) -> u64 {
        1 << (hash >> 32 & 63) | 1 << (hash >> 38 & 63) | 1 << (hash >> 44 & 63)
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        let bits = Self::bits(hash);
        self.words[self.word(hash)] & bits == bits
    }
}

/// The addresses of one prefix length, each with the number of its first entry.
struct Level {
    bits: u8,
    heads: HashTable<u32>,
    filter: Filter,
}

impl Level {
    fn new(bits: u8) -> Self {
        Self { bits, heads: HashTable::new(), filter: Filter::with_room(0) }
    }

    /// The first entry for the network of this level that holds the address.
    #[inline]
    fn find(&self, value: u128, entries: &[Entry], hasher: &RandomState) -> Option<u32> {
        let network = leading_bits(value, self.bits);
        let hash = hasher.hash_one(network);
        if !self.filter.may_hold(hash) {
            return None;
        }
        self.heads.find(hash, |&head| entries[head as usize].value() == network).copied()
    }

    /// The first entry for the network `value`; if there is none, `number` becomes it. The filter does not know it yet.
    #[inline]
    fn find_or_set(&mut self, value: u128, number: u32, entries: &[Entry], hasher: &RandomState) -> Option<u32> {
        let is_same = |&head: &u32| entries[head as usize].value() == value;
        let rehash = |&head: &u32| hasher.hash_one(entries[head as usize].value());
        match self.heads.entry(hasher.hash_one(value), is_same, rehash) {
            hash_table::Entry::Occupied(head) => Some(*head.get()),
            hash_table::Entry::Vacant(room) => {
                room.insert(number);
                None
            }
        }
    }

    fn reserve(&mut self, additional: usize, entries: &[Entry], hasher: &RandomState) {
        self.heads.reserve(additional, |&head| hasher.hash_one(entries[head as usize].value()));
    }

    /// Gives back what was reserved in vain, and prepares the filter.
    fn finish(&mut self, entries: &[Entry], hasher: &RandomState) {
        self.heads.shrink_to_fit(|&head| hasher.hash_one(entries[head as usize].value()));
        self.filter = Filter::with_room(self.heads.len());
    }
}

/// The levels by family: an IPv4 address never walks the prefix lengths of IPv6.
pub(super) struct Levels {
    hosts: Level,
    v4_networks: Vec<Level>,
    v6_networks: Vec<Level>,
    /// Keyed at random: who writes a list, or sends from chosen addresses, cannot choose what collides.
    hasher: RandomState,
}

impl Levels {
    /// No addresses.
    pub(super) fn new() -> Self {
        let hosts = Level::new(HOST_BITS);
        Self { hosts, v4_networks: Vec::new(), v6_networks: Vec::new(), hasher: RandomState::new() }
    }

    /// Makes room for about as many more single addresses.
    pub(super) fn reserve_hosts(&mut self, additional: usize, entries: &[Entry]) {
        self.hosts.reserve(additional, entries, &self.hasher);
    }

    /// The first entry for the network; if it has none, `number` becomes that.
    #[inline]
    pub(super) fn find_or_set(&mut self, network: Network, number: u32, entries: &[Entry]) -> Option<u32> {
        let (level, hasher) = self.level_of(network);
        level.find_or_set(network.value, number, entries, hasher)
    }

    #[inline]
    fn level_of(&mut self, network: Network) -> (&mut Level, &RandomState) {
        let Self { hosts, v4_networks, v6_networks, hasher } = self;
        if network.is_host() {
            return (hosts, hasher);
        }
        let networks = if network.is_v4() { v4_networks } else { v6_networks };
        let at = networks.iter().position(|level| level.bits == network.bits).unwrap_or_else(|| {
            networks.push(Level::new(network.bits));
            networks.len() - 1
        });
        (&mut networks[at], hasher)
    }

    /// Fills the filters, after the last entry; `network` tells what an entry is for.
    pub(super) fn finish(&mut self, entries: &[Entry], network: impl Fn(&Entry) -> Network) {
        let networks = self.v4_networks.iter_mut().chain(&mut self.v6_networks);
        for level in std::iter::once(&mut self.hosts).chain(networks) {
            level.finish(entries, &self.hasher);
        }
        // In the order of the entries: their memory is read once, from start to end.
        for entry in entries {
            let (level, hasher) = self.level_of(network(entry));
            level.filter.add(hasher.hash_one(entry.value()));
        }
    }

    /// Calls `visit` with the first entry for the address and for every network that holds it.
    #[inline]
    pub(super) fn visit(&self, address: Network, entries: &[Entry], mut visit: impl FnMut(u32)) {
        let value = address.value;
        if let Some(head) = self.hosts.find(value, entries, &self.hasher) {
            visit(head);
        }
        for level in if address.is_v4() { &self.v4_networks } else { &self.v6_networks } {
            if let Some(head) = level.find(value, entries, &self.hasher) {
                visit(head);
            }
        }
    }
}
