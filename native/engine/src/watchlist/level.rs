//! The networks of one prefix length: sorted, behind a bit filter.

use ahash::RandomState;

use super::entry::{Entry, Value};
use super::terms::Terms;

/// Bounds the work of a lookup: entries for one address or network that differ in list, port, protocol and so on.
pub(super) const MAX_ENTRIES_PER_NETWORK: usize = 256;

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

/// An entry that did not come into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Its terms.
    pub(super) terms: Terms,
    /// Where its line or row starts in the list's text, in bytes.
    pub(super) row: u32,
    /// Whether an entry with the same network and terms is there; else there are too many for the network.
    pub(super) is_duplicate: bool,
}

/// Bits that one pass of the sort goes by.
const DIGIT_BITS: u32 = 11;

/// Fewer entries than this are sorted by comparing.
const FEW_ENTRIES: usize = 1 << DIGIT_BITS;

/// Sorts by value and leaves equal ones in their order: digit by digit, the lowest first, which for a million addresses
/// takes a third of the time of a sort that compares.
fn sort<V: Value>(entries: &mut Vec<Entry<V>>) {
    if entries.len() < FEW_ENTRIES {
        entries.sort_by_key(|entry| entry.value);
        return;
    }
    let mut sorted = entries.clone();
    for low in (0..u32::from(V::BITS)).step_by(DIGIT_BITS as usize) {
        let digit = |entry: &Entry<V>| entry.value.bits_from(low) & ((1 << DIGIT_BITS) - 1);
        let mut places = [0_u32; 1 << DIGIT_BITS];
        entries.iter().for_each(|entry| places[digit(entry)] += 1);
        if places[digit(&entries[0])] as usize == entries.len() {
            continue;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for entry in entries.iter() {
            let place = &mut places[digit(entry)];
            sorted[*place as usize] = *entry;
            *place += 1;
        }
        std::mem::swap(entries, &mut sorted);
    }
}

/// The entries of one prefix length. Those for one network stand side by side, in the order of lists and rows.
pub(super) struct Level<V> {
    pub(super) bits: u8,
    pub(super) entries: Vec<Entry<V>>,
    /// Number of the first entry.
    pub(super) first: u32,
    filter: Filter,
}

impl<V: Value> Level<V> {
    pub(super) fn new(bits: u8) -> Self {
        Self { bits, entries: Vec::new(), first: 0, filter: Filter::with_room(0) }
    }

    /// Sorts, and drops what is there twice or too often; `first` is the number of the first entry.
    pub(super) fn finish(&mut self, first: u32, terms: &[Terms], hasher: &RandomState, dropped: &mut Vec<Dropped>) {
        self.first = first;
        sort(&mut self.entries);
        let mut kept = 0;
        let mut start = 0;
        while start < self.entries.len() {
            let value = self.entries[start].value;
            let length = self.entries[start..].iter().take_while(|entry| entry.value == value).count();
            kept = self.keep(start..start + length, kept, terms, dropped);
            start += length;
        }
        self.entries.truncate(kept);
        self.entries.shrink_to_fit();
        self.filter = Filter::with_room(self.entries.len());
        for entry in &self.entries {
            self.filter.add(hasher.hash_one(entry.value));
        }
    }

    /// Moves the entries of one network to place `to`, in their order; the place behind the last that was kept.
    #[inline]
    fn keep(&mut self, run: std::ops::Range<usize>, to: usize, terms: &[Terms], dropped: &mut Vec<Dropped>) -> usize {
        if run.len() == 1 {
            self.entries[to] = self.entries[run.start];
            return to + 1;
        }
        let of = |entry: &Entry<V>| terms[entry.terms as usize];
        let mut end = to;
        for place in run {
            let entry = self.entries[place];
            let is_duplicate = self.entries[to..end].iter().any(|other| of(other) == of(&entry));
            if is_duplicate || end - to == MAX_ENTRIES_PER_NETWORK {
                dropped.push(Dropped { terms: of(&entry), row: entry.row, is_duplicate });
            } else {
                self.entries[end] = entry;
                end += 1;
            }
        }
        end
    }

    /// The entries for the network of this level that holds the address, and the number of the first.
    #[inline]
    pub(super) fn find(&self, address: V, hasher: &RandomState) -> Option<(u32, &[Entry<V>])> {
        let network = address.leading_bits(self.bits);
        if !self.filter.may_hold(hasher.hash_one(network)) {
            return None;
        }
        let start = self.entries.partition_point(|entry| entry.value < network);
        let found = &self.entries[start..];
        let length = found.iter().take_while(|entry| entry.value == network).count();
        (length > 0).then(|| (self.first + start as u32, &found[..length]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn many_entries_are_sorted_and_equal_ones_keep_their_order(
            values in proptest::collection::vec(prop_oneof![any::<u128>(), 0..3_u128, (0..3_u128).prop_map(|n| n << 100)], 2048..2500),
        ) {
            let entry = |(row, &number)| Entry { value: <[u64; 2]>::from_number(number), terms: 0, row };
            let mut entries: Vec<_> = (0..).zip(&values).map(entry).collect();
            sort(&mut entries);
            prop_assert!(entries.is_sorted_by_key(|entry| (entry.value, entry.row)));
            prop_assert!(entries.iter().all(|entry| entry.value.number() == values[entry.row as usize]));
        }
    }
}
