//! The table of names, URLs and fingerprints.
//!
//! An entry is the 128 bits of a keyed hash of its text, sorted and filtered as IPv6 addresses are: the text itself stays
//! where it is, in the list. The key is chosen at random at each start, and the hash is one that resists those who
//! choose what is hashed, so that nobody can make two texts meet.

use std::fmt::{self, Write};
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

use arrayvec::ArrayVec;

use super::domain::DomainName;
use super::entry::Entry;
use super::level::{Dropped, Level};
use super::name::Name;
use super::terms::Terms;

/// The hash of a text.
type Key = [u64; 2];

const KEY_BITS: u8 = 128;

/// What each kind of text begins with in the hash.
#[derive(Clone, Copy)]
enum Sort {
    Domain,
    Url,
    Ja4,
}

/// An entry that was found: its number, its terms' and its row.
pub(super) type Found = (u32, u32, u32);

/// Entries that are no addresses.
pub(super) struct Names {
    entries: Level<Key>,
    keys: RandomState,
    /// Labels of the longest name that is listed: a longer one has nothing further to be found by.
    most_labels: usize,
}

impl Names {
    /// No entries.
    pub(super) fn new() -> Self {
        Self { entries: Level::new(KEY_BITS), keys: RandomState::new(), most_labels: 0 }
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, name: &Name<'_>, terms: u32, row: u32) {
        if let Name::Domain(domain) | Name::Suffix(domain) = name {
            self.most_labels = self.most_labels.max(domain.labels().count());
        }
        let value = self.key_of(name);
        self.entries.entries.push(Entry { value, terms, row });
    }

    /// Finishes the table, of which the first entry has the number `first`; the number behind the last.
    pub(super) fn finish(
        &mut self,
        first: u32,
        terms: &[Terms],
        hasher: &ahash::RandomState,
        dropped: &mut Vec<Dropped>,
    ) -> u32 {
        self.entries.finish(first, terms, hasher, dropped);
        self.end()
    }

    /// Whether there is nothing to be found.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.entries.is_empty()
    }

    /// Calls `visit` with every entry for the name or a suffix of it, and the number of labels of that.
    #[inline]
    pub(super) fn visit_suffixes(
        &self,
        name: &DomainName,
        hasher: &ahash::RandomState,
        mut visit: impl FnMut(usize, Found),
    ) {
        let mut trail = self.begin(Sort::Domain);
        for (label, labels) in name.labels().zip(1..=self.most_labels) {
            push_label(&mut trail, label);
            self.visit(key(&trail), hasher, |found| visit(labels, found));
        }
    }

    /// Calls `visit` with every entry for this text.
    #[inline]
    pub(super) fn visit_whole(&self, name: &Name<'_>, hasher: &ahash::RandomState, visit: impl FnMut(Found)) {
        self.visit(self.key_of(name), hasher, visit);
    }

    #[inline]
    fn visit(&self, key: Key, hasher: &ahash::RandomState, mut visit: impl FnMut(Found)) {
        if let Some((first, entries)) = self.entries.find(key, hasher) {
            entries.iter().zip(first..).for_each(|(entry, number)| visit((number, entry.terms, entry.row)));
        }
    }

    /// The number behind the last entry's.
    pub(super) fn end(&self) -> u32 {
        self.entries.first + self.entries.entries.len() as u32
    }

    /// Terms and row of the entry with this number, if it is one of these.
    pub(super) fn get(&self, number: u32) -> Option<(u32, u32)> {
        let entry = self.entries.entries.get(number.checked_sub(self.entries.first)? as usize)?;
        Some((entry.terms, entry.row))
    }

    fn begin(&self, sort: Sort) -> DefaultHasher {
        let mut hasher = self.keys.build_hasher();
        hasher.write_u8(sort as u8);
        hasher
    }

    fn key_of(&self, name: &Name<'_>) -> Key {
        match name {
            Name::Domain(domain) | Name::Suffix(domain) => {
                let mut hasher = self.begin(Sort::Domain);
                domain.labels().for_each(|label| push_label(&mut hasher, label));
                key(&hasher)
            }
            Name::Url(url) => Digest::new(self.begin(Sort::Url)).of(url),
            Name::Ja4(ja4) => {
                let mut hasher = self.begin(Sort::Ja4);
                hasher.write(ja4.as_bytes());
                key(&hasher)
            }
        }
    }
}

fn push_label(hasher: &mut DefaultHasher, label: &[u8]) {
    hasher.write(label);
    hasher.write_u8(b'.');
}

/// Two words of one hash: what it gives, and what it gives with one byte more.
fn key(hasher: &DefaultHasher) -> Key {
    let mut further = hasher.clone();
    further.write_u8(u8::MAX);
    [hasher.finish(), further.finish()]
}

/// Hashes what is printed, in pieces whose length does not depend on how it is printed.
struct Digest {
    hasher: DefaultHasher,
    piece: ArrayVec<u8, 64>,
}

impl Digest {
    fn new(hasher: DefaultHasher) -> Self {
        Self { hasher, piece: ArrayVec::new() }
    }

    fn of(mut self, printed: &dyn fmt::Display) -> Key {
        // Neither the text nor the hasher has a reason to fail.
        let _ = write!(self, "{printed}");
        self.hasher.write(&self.piece);
        key(&self.hasher)
    }
}

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.piece.remaining_capacity()));
            self.piece.extend(now.iter().copied());
            if self.piece.is_full() {
                self.hasher.write(&self.piece);
                self.piece.clear();
            }
            rest = later;
        }
        Ok(())
    }
}
