//! The watchlists in force, swapped as a whole while workers run.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::counters::lock;
use crate::watchlist::Watchlists;

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
}

impl WatchHold {
    /// A hold on what is in force now.
    pub fn new(slot: Arc<WatchSlot>) -> Self {
        let (generation, watchlists) = (slot.generation(), slot.current());
        Self { slot, watchlists, generation }
    }

    /// Takes newer lists if there are any.
    #[inline]
    pub fn refresh(&mut self) {
        let generation = self.slot.generation();
        if generation != self.generation {
            self.watchlists = self.slot.current();
            self.generation = generation;
        }
    }
}
