//! What the frames of a block of a segment have to do with: a small filter that says "surely not" or "maybe".

use wire::{Address, DecodeError, EncapStack, Encapsulation, FiveTuple, Network, Packet, vlan_ids};

/// 64-bit words of a filter: 2 KiB a block of 128 KiB are 1.6 %, the most that an index takes.
pub(crate) const FILTER_WORDS: usize = 256;
const POSITION_MASK: u64 = FILTER_WORDS as u64 * 64 - 1;

/// A Bloom filter with two bits a key. With 300 keys about one block in 750 is read in vain, with 3,000 one in ten.
///
/// The hash is fixed, because files outlive the process. Whoever chooses addresses so that they collide makes a search
/// read more, never miss anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFilter(pub(crate) [u64; FILTER_WORDS]);

impl Default for KeyFilter {
    fn default() -> Self {
        Self([0; FILTER_WORDS])
    }
}

impl KeyFilter {
    /// Notes a key.
    #[inline]
    pub(crate) fn insert(&mut self, key: Key) {
        for position in key.positions() {
            self.0[position >> 6] |= 1 << (position & 63);
        }
    }

    /// Whether the key may have been noted; `false` is sure.
    pub(crate) fn may_hold(&self, key: Key) -> bool {
        key.positions().iter().all(|position| self.0[position >> 6] & 1 << (position & 63) != 0)
    }

    /// Notes all keys of another filter.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }
}

/// Something that a search asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// A packet that is a fragment behind the first: its ports stand in another frame.
    pub(crate) const LATER_FRAGMENT: Self = Self(mixed(0, 0x33));

    /// An address: of either end of the innermost packet, or of a tunnel around it.
    #[inline]
    pub(crate) fn address(address: Address) -> Self {
        let number = u128::from_ne_bytes(*address.bytes());
        Self(mixed(number as u64 ^ 0x11, (number >> 64) as u64))
    }

    /// A port of either end of the innermost packet.
    #[inline]
    pub(crate) fn port(port: u16) -> Self {
        Self(mixed(u64::from(port), 0x22))
    }

    /// The identifier of a VLAN.
    #[inline]
    pub(crate) fn vlan(id: u16) -> Self {
        Self(mixed(u64::from(id), 0x44))
    }

    #[inline]
    fn positions(self) -> [usize; 2] {
        [(self.0 & POSITION_MASK) as usize, (self.0 >> 32 & POSITION_MASK) as usize]
    }
}

/// Both halves of a product: each bit of the numbers reaches most bits of the result.
#[inline]
const fn mixed(a: u64, b: u64) -> u64 {
    let product = (a ^ 0x9e37_79b9_7f4a_7c15) as u128 * (b ^ 0xd1b5_4a32_d192_ed03) as u128;
    let folded = (product >> 64) as u64 ^ product as u64;
    let again = folded as u128 * 0xa076_1d64_78bd_642f_u128;
    (again >> 64) as u64 ^ again as u64
}

/// Notes all that a frame can be found by. Nothing is known of a frame that cannot be decoded but what carried it.
#[inline]
pub(crate) fn note_frame(filter: &mut KeyFilter, decoded: &Result<Packet<'_>, DecodeError>, stack: &EncapStack) {
    if !stack.is_empty() {
        note_layers(filter, stack);
    }
    let Ok(Packet { network: Network::Ip(packet), .. }) = decoded else { return };
    note_tuple(filter, &packet.five_tuple());
    if packet.later_fragment {
        filter.insert(Key::LATER_FRAGMENT);
    }
    if let Some(quoted) = packet.quoted() {
        note_tuple(filter, &quoted);
    }
}

#[inline]
fn note_tuple(filter: &mut KeyFilter, tuple: &FiveTuple) {
    for end in [&tuple.orig, &tuple.resp] {
        filter.insert(Key::address(end.address));
        filter.insert(Key::port(end.port));
    }
}

fn note_layers(filter: &mut KeyFilter, stack: &EncapStack) {
    for id in vlan_ids(stack) {
        filter.insert(Key::vlan(id));
    }
    for layer in stack {
        if let Encapsulation::Ip { source, destination } = *layer {
            filter.insert(Key::address(source));
            filter.insert(Key::address(destination));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Key {
        Key::address(Address::v4(number.to_be_bytes()))
    }

    #[test]
    fn what_was_noted_is_found_and_little_else() {
        let mut filter = KeyFilter::default();
        (0..300).for_each(|number| filter.insert(address(0x0a00_0000 + number)));
        assert!((0..300).all(|number| filter.may_hold(address(0x0a00_0000 + number))));
        let wrong = (0..100_000).filter(|number| filter.may_hold(address(0xc0a8_0000 + number))).count();
        assert!(wrong < 400, "{wrong} of 100,000");
        assert!(!KeyFilter::default().may_hold(Key::LATER_FRAGMENT));
    }

    #[test]
    fn kinds_of_keys_do_not_meet() {
        let mut filter = KeyFilter::default();
        (0..100).for_each(|number| filter.insert(Key::port(number)));
        let vlans = (0..100).filter(|&id| filter.may_hold(Key::vlan(id))).count();
        assert!(vlans < 3, "{vlans}");
    }

    #[test]
    fn merged_filters_hold_both_sides() {
        let (mut one, mut other) = (KeyFilter::default(), KeyFilter::default());
        one.insert(Key::vlan(20));
        other.insert(Key::port(443));
        one.merge(&other);
        assert!(one.may_hold(Key::vlan(20)) && one.may_hold(Key::port(443)));
    }
}
