//! What an entry asks for besides its address; shared, because most entries of a list ask for the same.

use std::num::NonZeroU16;

use ahash::RandomState;

use super::{IndicatorKind, Query, Side};

/// Protocols that have ports (TCP, UDP, DCCP, SCTP, UDP-Lite; IANA protocol numbers): of others, `Query` may hold
/// something else in their place, as ICMP's type and code.
const PROTOCOLS_WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// Who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// Either end.
    Any,
    /// Our side.
    Out,
    /// The listed end.
    In,
}

/// What an entry does when it is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Action {
    /// Silences what the same flow meets otherwise.
    Allow,
    /// Is a hit.
    Alert,
}

/// Everything of an entry but its indicator and its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Terms {
    /// The time in ns since 1970 from which on the entry does not count.
    pub(super) valid_until_ns: u64,
    /// Index of the list.
    pub(super) list: u32,
    /// The listed end's port; `None` is any.
    pub(super) port: Option<NonZeroU16>,
    /// IANA protocol number; `None` is any.
    pub(super) protocol: Option<u8>,
    /// Leading bits of the address that count, 128 for one address and for what is none.
    pub(super) bits: u8,
    /// What the entry lists.
    pub(super) kind: IndicatorKind,
    /// 1 (high) to 4 (info).
    pub(super) severity: u8,
    /// Who opens.
    pub(super) direction: Direction,
    /// Alert or allow.
    pub(super) action: Action,
}

impl Terms {
    /// Whether the flow meets these terms, given that the address of the end `side` is the entry's.
    #[inline]
    pub(super) fn are_met(&self, query: &Query, side: Side) -> bool {
        self.are_valid(query.time_ns)
            && self.protocol.is_none_or(|protocol| protocol == query.protocol)
            && self.port.is_none_or(|port| port.get() == query.end(side).1 && has_ports(query.protocol))
            && self.direction_fits(query, side)
    }

    /// Whether the entry still counts at this packet time.
    #[inline]
    pub(super) fn are_valid(&self, time_ns: u64) -> bool {
        time_ns < self.valid_until_ns
    }

    /// Position alone decides, except that a foreign host that opens to a listed host of ours is not "our side opens",
    /// and the reverse. With both ends foreign (the operator's networks may be incomplete), position decides.
    fn direction_fits(&self, query: &Query, side: Side) -> bool {
        match self.direction {
            Direction::Any => true,
            Direction::Out => side == Side::Resp && (query.orig_internal || !query.resp_internal),
            Direction::In => side == Side::Orig && (query.resp_internal || !query.orig_internal),
        }
    }
}

/// Whether the protocol's packets carry ports.
pub(super) fn has_ports(protocol: u8) -> bool {
    PROTOCOLS_WITH_PORTS.contains(&protocol)
}

/// Slots of the [`Interner`]'s memory; a power of two. Lists rarely have more different terms at a time.
const RECENT_TERMS: usize = 4096;

/// Terms by number.
///
/// It remembers recent terms, not all: those of a list with a time or a port of its own in every row are never the
/// same, and looking for them would cost more than keeping them.
pub(super) struct Interner {
    terms: Vec<Terms>,
    /// The number that was given last.
    last: u32,
    /// For each slot the number of the terms that were last seen there.
    recent: Vec<u32>,
    hasher: RandomState,
}

impl Interner {
    /// No terms.
    pub(super) fn new() -> Self {
        Self { terms: Vec::new(), last: 0, recent: vec![0; RECENT_TERMS], hasher: RandomState::new() }
    }

    /// A number for `terms`. Terms that are the same mostly have the same one, but not always.
    #[inline]
    pub(super) fn number(&mut self, terms: &Terms) -> u32 {
        if self.terms.get(self.last as usize) != Some(terms) {
            self.last = self.find_or_add(terms);
        }
        self.last
    }

    fn find_or_add(&mut self, terms: &Terms) -> u32 {
        let slot = &mut self.recent[self.hasher.hash_one(terms) as usize % RECENT_TERMS];
        if self.terms.get(*slot as usize) != Some(terms) {
            // Never more than there are entries, whose number fits.
            *slot = self.terms.len() as u32;
            self.terms.push(*terms);
        }
        *slot
    }

    /// All terms by their numbers.
    pub(super) fn into_terms(mut self) -> Vec<Terms> {
        self.terms.shrink_to_fit();
        self.terms
    }
}
