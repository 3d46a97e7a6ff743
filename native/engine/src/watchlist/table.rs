//! The compiled lists.
//!
//! Most flows meet nothing, so that a miss is what counts: for each of the flow's two ends one hash and one word of a
//! filter per prefix length that occurs. Entries for the same address or network hang on one chain of bounded length.

use std::cmp::Reverse;

use super::entry::{Entry, chain};
use super::indicator::Indicator;
use super::level::Levels;
use super::network::Network;
use super::reason::Reason;
use super::terms::{Action, Interner, Terms};
use super::{Query, Side};

/// Bounds the work of a lookup: entries for one address or network that differ in list, port, protocol and so on.
pub(super) const MAX_ENTRIES_PER_NETWORK: usize = 256;

/// Numbers of entries end here; the number itself means none.
const MAX_ENTRIES: usize = u32::MAX as usize;

/// What [`TableBuilder::insert`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// There is a new entry.
    New,
    /// An entry with the same address and terms was there already and stays as it was.
    Duplicate,
}

/// Collects entries.
pub(super) struct TableBuilder {
    entries: Vec<Entry>,
    levels: Levels,
    interner: Interner,
}

impl TableBuilder {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), levels: Levels::new(), interner: Interner::new() }
    }

    /// Makes room for about as many more entries, most of them single addresses.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.entries.reserve(additional);
        self.levels.reserve_hosts(additional, &self.entries);
    }

    /// Adds an entry whose row starts at byte `row` of its list.
    ///
    /// # Errors
    /// [`Reason::TooManyEntries`] for one network, [`Reason::TableFull`].
    pub(super) fn insert(&mut self, network: Network, terms: &Terms, row: u32) -> Result<Inserted, Reason> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(Reason::TableFull);
        }
        let number = self.entries.len() as u32;
        if let Some(head) = self.levels.find_or_set(network, number, &self.entries) {
            let Some(last) = self.chain_end(head, terms)? else { return Ok(Inserted::Duplicate) };
            self.entries[last as usize].link(number);
        }
        self.entries.push(Entry::new(network.value, self.interner.number(terms), row));
        Ok(Inserted::New)
    }

    /// The last entry of the chain; none if one of them has these terms.
    fn chain_end(&self, head: u32, terms: &Terms) -> Result<Option<u32>, Reason> {
        let mut last = head;
        for (index, number) in chain(&self.entries, head).enumerate() {
            if self.interner.get(self.entries[number as usize].terms) == terms {
                return Ok(None);
            }
            if index + 1 == MAX_ENTRIES_PER_NETWORK {
                return Err(Reason::TooManyEntries);
            }
            last = number;
        }
        Ok(Some(last))
    }

    /// The table, ready for lookups.
    pub(super) fn finish(mut self) -> Table {
        self.entries.shrink_to_fit();
        let terms = self.interner.into_terms();
        self.levels
            .finish(&self.entries, |entry| Network { value: entry.value(), bits: terms[entry.terms as usize].bits });
        Table { entries: self.entries, terms, levels: self.levels }
    }
}

/// Entries that can be looked up.
pub(super) struct Table {
    entries: Vec<Entry>,
    terms: Vec<Terms>,
    levels: Levels,
}

/// The order of what one flow meets, by the fields as they stand; the least is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    action: Action,
    has_any_port: bool,
    bits: Reverse<u8>,
    severity: u8,
    list: u32,
    entry: u32,
    is_internal: bool,
    side: Reverse<Side>,
}

impl Table {
    /// The best entry that the flow meets, and the end whose address it is; none also if the best one allows the flow.
    #[inline]
    pub(super) fn lookup(&self, query: &Query) -> Option<(u32, Side)> {
        let mut best: Option<Rank> = None;
        for side in [Side::Resp, Side::Orig] {
            self.levels.visit(Network::host(query.end(side).0), &self.entries, |head| {
                let ranks = chain(&self.entries, head).filter_map(|number| self.rank(query, side, number));
                best = best.into_iter().chain(ranks).min();
            });
        }
        best.filter(|best| best.action == Action::Alert).map(|best| (best.entry, best.side.0))
    }

    fn rank(&self, query: &Query, side: Side, number: u32) -> Option<Rank> {
        let terms = &self.terms[self.entries[number as usize].terms as usize];
        terms.are_met(query, side).then(|| Rank {
            action: terms.action,
            has_any_port: terms.port.is_none(),
            bits: Reverse(terms.bits),
            severity: terms.severity,
            list: terms.list,
            entry: number,
            is_internal: query.is_internal(side),
            side: Reverse(side),
        })
    }

    /// An entry's terms.
    ///
    /// # Panics
    /// If this table has no such entry.
    pub(super) fn terms(&self, number: u32) -> &Terms {
        &self.terms[self.entries[number as usize].terms as usize]
    }

    /// Where an entry's row starts in its list's text, in bytes.
    ///
    /// # Panics
    /// If this table has no such entry.
    pub(super) fn row(&self, number: u32) -> usize {
        self.entries[number as usize].row as usize
    }

    /// What an entry lists.
    ///
    /// # Panics
    /// If this table has no such entry.
    pub(super) fn indicator(&self, number: u32) -> Indicator {
        let Terms { bits, port, .. } = *self.terms(number);
        Indicator { network: Network { value: self.entries[number as usize].value(), bits }, port }
    }
}
