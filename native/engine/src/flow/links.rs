//! Doubly linked lists through the entries of a slab: removal from the middle without a search, no allocation.

use super::Flow;

/// The end of a list.
pub(super) const NIL: u32 = u32::MAX;

/// The lists that a flow can stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// Its slot of the timer wheel.
    Wheel = 0,
    /// Flows that were never answered, in order of creation.
    Unanswered = 1,
}

/// Neighbours of a flow in each list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links {
    previous: [u32; 2],
    next: [u32; 2],
}

impl Default for Links {
    fn default() -> Self {
        Self { previous: [NIL; 2], next: [NIL; 2] }
    }
}

/// Both ends of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NIL, last: NIL }
    }
}

impl List {
    /// Appends the flow, which stands in no list of this chain.
    pub(super) fn push(&mut self, slab: &mut [Flow], chain: Chain, index: u32) {
        let links = &mut slab[index as usize].links;
        links.previous[chain as usize] = self.last;
        links.next[chain as usize] = NIL;
        if self.last == NIL {
            self.first = index;
        } else {
            slab[self.last as usize].links.next[chain as usize] = index;
        }
        self.last = index;
    }

    /// Takes the flow out; it stands in this list.
    pub(super) fn remove(&mut self, slab: &mut [Flow], chain: Chain, index: u32) {
        let links = &slab[index as usize].links;
        let (previous, next) = (links.previous[chain as usize], links.next[chain as usize]);
        if previous == NIL {
            self.first = next;
        } else {
            slab[previous as usize].links.next[chain as usize] = next;
        }
        if next == NIL {
            self.last = previous;
        } else {
            slab[next as usize].links.previous[chain as usize] = previous;
        }
    }

    /// The flow behind this one, or [`NIL`].
    pub(super) fn after(slab: &[Flow], chain: Chain, index: u32) -> u32 {
        slab[index as usize].links.next[chain as usize]
    }
}
