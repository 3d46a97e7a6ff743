//! The watchlists in force, swapped as a whole while workers run.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use ahash::RandomState;
use hashbrown::HashMap;

use crate::counters::lock;
use crate::watchlist::{Description, Match, Watchlists};

/// Where new watchlists are put; workers look at the generation at the edge of each block.
#[derive(Debug, Default)]
pub struct WatchSlot {
    generation: AtomicU32,
    watchlists: Mutex<Arc<Watchlists>>,
}

impl WatchSlot {
    /// Puts lists in force and gives their generation.
    pub fn replace(&self, watchlists: Arc<Watchlists>) -> u32 {
        *lock(&self.watchlists) = watchlists;
        self.generation.fetch_add(1, Ordering::Release) + 1
    }

    /// The lists in force.
    pub fn current(&self) -> Arc<Watchlists> {
        Arc::clone(&lock(&self.watchlists))
    }

    /// How often lists were put in force.
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }
}

/// A worker's own hold on the lists in force.
#[derive(Debug)]
pub struct WatchHold {
    slot: Arc<WatchSlot>,
    /// The lists that flows are judged by.
    pub watchlists: Arc<Watchlists>,
    /// Their generation.
    pub generation: u32,
    /// What entries of these lists say, as far as somebody still holds it.
    described: HashMap<u32, Weak<Description>, RandomState>,
}

impl WatchHold {
    /// A hold on what is in force now.
    pub fn new(slot: Arc<WatchSlot>) -> Self {
        let (generation, watchlists) = (slot.generation(), slot.current());
        Self { slot, watchlists, generation, described: HashMap::default() }
    }

    /// Takes newer lists if there are any.
    #[inline]
    pub fn refresh(&mut self) {
        let generation = self.slot.generation();
        if generation != self.generation {
            self.watchlists = self.slot.current();
            self.generation = generation;
            self.described = HashMap::default();
        }
    }

    /// What the matched entry of these lists says. All flows that meet an entry share it.
    pub fn describe(&mut self, found: &Match) -> Arc<Description> {
        if let Some(known) = self.described.get(&found.entry).and_then(Weak::upgrade) {
            return known;
        }
        if self.described.len() == self.described.capacity() {
            self.described.retain(|_, entry| entry.strong_count() > 0);
            // As much room as is in use: a look through all of them comes once in so many new ones.
            self.described.reserve(self.described.len() + 1);
        }
        let entry = Arc::new(self.watchlists.describe(found));
        self.described.insert(found.entry, Arc::downgrade(&entry));
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watchlist::{ListFormat, ListText};

    fn lists(text: &str) -> Arc<Watchlists> {
        let text = text.as_bytes().to_vec().into();
        let list = ListText { name: "test".to_owned(), format: ListFormat::Plain, text, default_severity: 1 };
        Arc::new(Watchlists::compile(&[list]))
    }

    #[test]
    fn what_an_entry_says_is_shared_and_keeps_no_lists() {
        let slot = Arc::new(WatchSlot::default());
        let first = lists("evil.example\n");
        slot.replace(Arc::clone(&first));
        let mut hold = WatchHold::new(Arc::clone(&slot));
        let found = first.domain(b"evil.example", 1).expect("listed");
        let entry = hold.describe(&found);
        assert!(Arc::ptr_eq(&entry, &hold.describe(&found)));
        let old = Arc::downgrade(&first);
        drop(first);
        slot.replace(lists("worse.example\n"));
        hold.refresh();
        assert!(old.upgrade().is_none());
        let found = hold.watchlists.domain(b"worse.example", 1).expect("listed");
        assert_eq!(
            (entry.indicator.as_str(), hold.describe(&found).indicator.as_str()),
            ("evil.example", "worse.example")
        );
    }

    #[test]
    fn what_nobody_holds_any_more_is_forgotten() {
        let text: String = (0..1000).map(|number| format!("n{number}.example\n")).collect();
        let slot = Arc::new(WatchSlot::default());
        slot.replace(lists(&text));
        let mut hold = WatchHold::new(slot);
        for number in 0..1000 {
            let found = hold.watchlists.domain(format!("n{number}.example").as_bytes(), 1).expect("listed");
            hold.describe(&found);
        }
        assert!(hold.described.len() < 100);
    }
}
