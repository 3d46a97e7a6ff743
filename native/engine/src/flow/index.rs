//! Where in the slab the flow with a hash stands: one probe is one cache line, which can be asked for ahead of its use.

/// Places at first; a power of two. The index grows, since a sparse one would cost a cache miss more for each packet.
const FIRST_SLOTS: usize = 1 << 14;

/// Open addressing with linear probing, at most half full; removal shifts back what stands behind (Knuth, The Art of
/// Computer Programming, 6.4, algorithm R). The hash must be keyed: attackers choose what is hashed.
#[derive(Debug)]
pub(super) struct Index {
    slots: Vec<Slot>,
    used: usize,
}

/// A flow's place and the half of its hash that says where it is looked for; free where `place` is [`FREE`].
#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    place: u32,
}

const FREE: u32 = u32::MAX;
const EMPTY: Slot = Slot { hash: 0, place: FREE };

/// Half the bits of a hash, by which slots are found and told apart.
#[inline]
fn half(hash: u64) -> u32 {
    (hash >> 32) as u32 ^ hash as u32
}

impl Index {
    pub(super) fn new() -> Self {
        Self { slots: vec![EMPTY; FIRST_SLOTS], used: 0 }
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }

    /// Asks for the memory where a flow will be looked for.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        capture::prefetch(&self.slots[self.home(half(hash))]);
    }

    /// The place with this hash that `is_it` accepts.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let slot = self.slot(half(hash), is_it)?;
        Some(self.slots[slot].place)
    }

    #[inline]
    fn slot(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let mut slot = self.home(hash);
        loop {
            let Slot { hash: own, place } = self.slots[slot];
            if place == FREE {
                return None;
            }
            if own == hash && is_it(place) {
                return Some(slot);
            }
            slot = self.next(slot);
        }
    }

    /// Adds a place, which is not in the index.
    pub(super) fn insert(&mut self, hash: u64, place: u32) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.used += 1;
        self.put(Slot { hash: half(hash), place });
    }

    fn put(&mut self, entry: Slot) {
        let mut slot = self.home(entry.hash);
        while self.slots[slot].place != FREE {
            slot = self.next(slot);
        }
        self.slots[slot] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = vec![EMPTY; self.slots.len() * 2];
        for entry in std::mem::replace(&mut self.slots, doubled) {
            if entry.place != FREE {
                self.put(entry);
            }
        }
    }

    /// Takes a place out.
    pub(super) fn remove(&mut self, hash: u64, place: u32) {
        let Some(mut gap) = self.slot(half(hash), |other| other == place) else { return };
        self.used -= 1;
        let mut slot = self.next(gap);
        while self.slots[slot].place != FREE {
            // It may move to the gap if its home is not behind that: counted round from its home, the gap comes first.
            let home = self.home(self.slots[slot].hash);
            let mask = self.slots.len() - 1;
            if gap.wrapping_sub(home) & mask <= slot.wrapping_sub(home) & mask {
                self.slots[gap] = self.slots[slot];
                gap = slot;
            }
            slot = self.next(slot);
        }
        self.slots[gap] = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Few hashes, so that many places share one or stand close, at the end of the table too.
    fn crowded(number: u8) -> u64 {
        u64::from(number % 16).wrapping_sub(8)
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(steps in prop::collection::vec((any::<u8>(), any::<bool>()), 0..400)) {
            let mut index = Index::new();
            let mut model: HashMap<u32, u64> = HashMap::new();
            for (number, add) in steps {
                let (hash, place) = (crowded(number), u32::from(number));
                if add && !model.contains_key(&place) {
                    index.insert(hash, place);
                    model.insert(place, hash);
                } else if !add && model.remove(&place).is_some() {
                    index.remove(hash, place);
                }
            }
            for number in 0..=u8::MAX {
                let place = u32::from(number);
                let found = index.find(crowded(number), |other| other == place);
                prop_assert_eq!(found, model.contains_key(&place).then_some(place));
            }
        }
    }

    #[test]
    fn it_grows_and_finds_all_again() {
        let mut index = Index::new();
        let hash = |place: u32| u64::from(place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut places = 0..3 * FIRST_SLOTS as u32;
        places.clone().for_each(|place| index.insert(hash(place), place));
        assert!(places.clone().all(|place| index.find(hash(place), |other| other == place) == Some(place)));
        places.clone().for_each(|place| index.remove(hash(place), place));
        assert!(places.all(|place| index.find(hash(place), |_| true).is_none()));
    }
}
