//! The compiled lists.
//!
//! Most flows meet nothing, so that a miss is what counts: for each of the flow's two ends one hash and one word of a
//! filter per prefix length that occurs. Sorting makes the table small and quick to build, because its memory is gone
//! through in order: a hash table of a million addresses is written all over. Names have a level of their own, sorted by
//! their hashes.

use std::cmp::Reverse;

use ahash::RandomState;

use super::domain::DomainName;
use super::entry::{Entry, Value};
use super::level::{Dropped, Level};
use super::name::Name;
use super::names::{Found, Names};
use super::network::Network;
use super::reason::Reason;
use super::terms::{Action, Interner, Terms};
use super::{IndicatorKind, Query, Side};

/// Numbers of entries end here.
const MAX_ENTRIES: usize = u32::MAX as usize;

/// The levels of one family: an IPv4 address never walks the prefix lengths of IPv6.
struct Family<V> {
    hosts: Level<V>,
    networks: Vec<Level<V>>,
}

impl<V: Value> Family<V> {
    fn new() -> Self {
        Self { hosts: Level::new(V::BITS), networks: Vec::new() }
    }

    #[inline]
    fn insert(&mut self, network: Network, terms: u32, row: u32) {
        let entry = Entry { value: V::from_number(network.value), terms, row };
        self.level(network.prefix()).entries.push(entry);
    }

    #[inline]
    fn level(&mut self, bits: u8) -> &mut Level<V> {
        if bits == V::BITS {
            return &mut self.hosts;
        }
        let at = self.networks.iter().position(|level| level.bits == bits).unwrap_or_else(|| {
            self.networks.push(Level::new(bits));
            self.networks.len() - 1
        });
        &mut self.networks[at]
    }

    fn levels(&self) -> impl Iterator<Item = &Level<V>> {
        std::iter::once(&self.hosts).chain(&self.networks)
    }

    /// Finishes all levels, of which the first entry has the number `first`; the number behind the last.
    fn finish(&mut self, mut first: u32, terms: &[Terms], hasher: &RandomState, dropped: &mut Vec<Dropped>) -> u32 {
        for level in std::iter::once(&mut self.hosts).chain(&mut self.networks) {
            level.finish(first, terms, hasher, dropped);
            first += level.entries.len() as u32;
        }
        first
    }

    /// Calls `visit` with number, terms and row of every entry for the address or a network that holds it.
    #[inline]
    fn visit(&self, address: V, hasher: &RandomState, mut visit: impl FnMut(u32, u32, u32)) {
        for level in self.levels() {
            if let Some((first, entries)) = level.find(address, hasher) {
                entries.iter().zip(first..).for_each(|(entry, number)| visit(number, entry.terms, entry.row));
            }
        }
    }

    /// The entry with this number, if the family has it: the network's number, its terms' and its row.
    fn get(&self, number: u32) -> Option<(u128, u32, u32)> {
        self.levels().find_map(|level| {
            let entry = level.entries.get(number.checked_sub(level.first)? as usize)?;
            Some((entry.value.number(), entry.terms, entry.row))
        })
    }
}

/// Collects entries.
pub(super) struct TableBuilder {
    v4: Family<u32>,
    v6: Family<[u64; 2]>,
    names: Names,
    entries: usize,
    interner: Interner,
}

impl TableBuilder {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self { v4: Family::new(), v6: Family::new(), names: Names::new(), entries: 0, interner: Interner::new() }
    }

    /// Adds an entry for an address or a network whose line or row starts at byte `row` of its list.
    ///
    /// # Errors
    /// [`Reason::TableFull`].
    #[inline]
    pub(super) fn insert(&mut self, network: Network, terms: &Terms, row: u32) -> Result<(), Reason> {
        let terms = self.next(terms)?;
        match network.is_v4() {
            true => self.v4.insert(network, terms, row),
            false => self.v6.insert(network, terms, row),
        }
        Ok(())
    }

    /// Adds an entry for a name.
    ///
    /// # Errors
    /// [`Reason::TableFull`].
    #[inline]
    pub(super) fn insert_name(&mut self, name: &Name<'_>, terms: &Terms, row: u32) -> Result<(), Reason> {
        let terms = self.next(terms)?;
        self.names.insert(name, terms, row);
        Ok(())
    }

    /// Makes room for one more entry, and gives the number of its terms.
    #[inline]
    fn next(&mut self, terms: &Terms) -> Result<u32, Reason> {
        if self.entries == MAX_ENTRIES {
            return Err(Reason::TableFull);
        }
        self.entries += 1;
        Ok(self.interner.number(terms))
    }

    /// The table, ready for lookups, and what did not come into it.
    pub(super) fn finish(mut self) -> (Table, Vec<Dropped>) {
        let terms = self.interner.into_terms();
        // Keyed at random: who writes a list, or sends from chosen addresses, cannot choose what collides.
        let hasher = RandomState::new();
        let mut dropped = Vec::new();
        let first = self.v4.finish(0, &terms, &hasher, &mut dropped);
        let first = self.v6.finish(first, &terms, &hasher, &mut dropped);
        self.names.finish(first, &terms, &hasher, &mut dropped);
        (Table { v4: self.v4, v6: self.v6, names: self.names, terms, hasher }, dropped)
    }
}

/// Entries that can be looked up.
pub(super) struct Table {
    v4: Family<u32>,
    v6: Family<[u64; 2]>,
    names: Names,
    terms: Vec<Terms>,
    hasher: RandomState,
}

/// The order of what one flow meets, by the fields as they stand; the least is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    action: Action,
    has_any_port: bool,
    bits: Reverse<u8>,
    severity: u8,
    list: u32,
    row: u32,
    is_internal: bool,
    side: Reverse<Side>,
    entry: u32,
}

/// The order of the entries that one name, URL or fingerprint meets, by the fields as they stand; the least is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct NameRank {
    action: Action,
    is_suffix: bool,
    labels: Reverse<usize>,
    severity: u8,
    list: u32,
    row: u32,
    entry: u32,
}

impl NameRank {
    fn new(labels: usize, (entry, _, row): Found, terms: &Terms) -> Self {
        let is_suffix = terms.kind == IndicatorKind::Suffix;
        let &Terms { action, severity, list, .. } = terms;
        Self { action, is_suffix, labels: Reverse(labels), severity, list, row, entry }
    }
}

impl Table {
    /// The best entry that the flow meets, and the end whose address it is; none also if the best one allows the flow.
    #[inline]
    pub(super) fn lookup(&self, query: &Query) -> Option<(u32, Side)> {
        let mut best: Option<Rank> = None;
        for side in [Side::Resp, Side::Orig] {
            let mut visit = |number, terms, row| {
                best = best.into_iter().chain(self.rank(query, side, (number, terms, row))).min();
            };
            let address = Network::host(query.end(side).0);
            match address.is_v4() {
                true => self.v4.visit(Value::from_number(address.value), &self.hasher, &mut visit),
                false => self.v6.visit(Value::from_number(address.value), &self.hasher, &mut visit),
            }
        }
        best.filter(|best| best.action == Action::Alert).map(|best| (best.entry, best.side.0))
    }

    fn rank(&self, query: &Query, side: Side, (entry, terms, row): (u32, u32, u32)) -> Option<Rank> {
        let terms = &self.terms[terms as usize];
        terms.are_met(query, side).then(|| Rank {
            action: terms.action,
            has_any_port: terms.port.is_none(),
            bits: Reverse(terms.bits),
            severity: terms.severity,
            list: terms.list,
            row,
            is_internal: query.is_internal(side),
            side: Reverse(side),
            entry,
        })
    }

    /// The best entry that a name meets; none also if one allows the name.
    #[inline]
    pub(super) fn domain(&self, name: &[u8], time_ns: u64) -> Option<u32> {
        if self.names.is_empty() {
            return None;
        }
        let name = DomainName::on_wire(name)?;
        let all = name.labels().count();
        let mut best: Option<NameRank> = None;
        self.names.visit_suffixes(&name, &self.hasher, |labels, found| {
            let terms = &self.terms[found.1 as usize];
            if terms.are_valid(time_ns) && (terms.kind == IndicatorKind::Suffix || labels == all) {
                best = best.into_iter().chain([NameRank::new(labels, found, terms)]).min();
            }
        });
        alerting(best)
    }

    /// The best entry that lists this URL or fingerprint; none also if one allows it.
    #[inline]
    pub(super) fn whole(&self, name: &Name<'_>, time_ns: u64) -> Option<u32> {
        let mut best: Option<NameRank> = None;
        self.names.visit_whole(name, &self.hasher, |found| {
            let terms = &self.terms[found.1 as usize];
            if terms.are_valid(time_ns) {
                best = best.into_iter().chain([NameRank::new(0, found, terms)]).min();
            }
        });
        alerting(best)
    }

    /// Number of entries, which are numbered from 0.
    pub(super) fn len(&self) -> u32 {
        self.names.end()
    }

    /// Whether there is any entry that is no address.
    #[inline]
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// The network that an entry lists, if it lists one, its terms, and where its line or row starts in its list's
    /// text, in bytes.
    ///
    /// # Panics
    /// If this table has no such entry.
    pub(super) fn get(&self, number: u32) -> (Option<Network>, &Terms, usize) {
        let address = self.v4.get(number).or_else(|| self.v6.get(number));
        let address = address.map(|(value, terms, row)| (Some(value), terms, row));
        let found = address.or_else(|| self.names.get(number).map(|(terms, row)| (None, terms, row)));
        let (value, terms, row) = found.expect("a number that this table gave");
        let terms = &self.terms[terms as usize];
        (value.map(|value| Network { value, bits: terms.bits }), terms, row as usize)
    }
}

fn alerting(best: Option<NameRank>) -> Option<u32> {
    best.filter(|best| best.action == Action::Alert).map(|best| best.entry)
}
