//! One line or row of a list, as compiled.

/// The end of a chain.
const NO_ENTRY: u32 = u32::MAX;

/// There are millions of these: 28 bytes each.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The network's number, in bytes because a `u128` would make the entry larger.
    value: [u8; 16],
    /// Number of its terms.
    pub(super) terms: u32,
    /// Where its row starts in the list's text, in bytes; 0 in plain lists.
    pub(super) row: u32,
    next: u32,
}

impl Entry {
    /// An entry that ends its chain.
    #[inline]
    pub(super) fn new(value: u128, terms: u32, row: u32) -> Self {
        Self { value: value.to_ne_bytes(), terms, row, next: NO_ENTRY }
    }

    /// The network's number, of which the bits that its terms tell count.
    #[inline]
    pub(super) fn value(&self) -> u128 {
        u128::from_ne_bytes(self.value)
    }

    /// The next entry for the same address or network.
    #[inline]
    pub(super) fn next(&self) -> Option<u32> {
        (self.next != NO_ENTRY).then_some(self.next)
    }

    /// Puts `number` behind this entry, which was the last of its chain.
    pub(super) fn link(&mut self, number: u32) {
        self.next = number;
    }
}

/// The entries from number `head` on that are for the same address or network.
#[inline]
pub(super) fn chain(entries: &[Entry], head: u32) -> impl Iterator<Item = u32> + '_ {
    std::iter::successors(Some(head), |&number| entries[number as usize].next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_small() {
        assert_eq!(size_of::<Entry>(), 28);
    }
}
