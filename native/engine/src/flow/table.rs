//! The table of live flows: bounded, with timers, and with a stated order of eviction.

use std::time::Duration;

use ahash::RandomState;
use wire::FlowKey;

use super::index::Index;
use super::links::{Chain, List, NIL};
use super::{Flow, FlowFlags};

/// Slots of the timer wheel, one a second; a deadline further ahead is looked at again when the wheel comes round.
const WHEEL_SLOTS: u32 = 4096;
/// How long an ended TCP flow stays for its last packets.
const LINGER_SECONDS: u32 = 5;
const IPPROTO_TCP: u8 = 6;

/// How many flows, and how long they may be silent.
#[derive(Debug, Clone, Copy)]
pub struct FlowLimits {
    /// Live flows at most.
    pub max: usize,
    /// Silence that ends a TCP flow, in seconds.
    pub tcp_idle_seconds: u32,
    /// Silence that ends any other flow, in seconds.
    pub other_idle_seconds: u32,
    /// Interval of interim records, in seconds.
    pub active_seconds: u32,
}

impl FlowLimits {
    /// The limits from configured durations; timers count whole seconds and round up.
    pub fn new(max: usize, tcp_idle: Duration, other_idle: Duration, active: Duration) -> Self {
        let whole = |duration: Duration| u32::try_from(duration.as_secs_f64().ceil() as u64).unwrap_or(u32::MAX).max(1);
        Self {
            max,
            tcp_idle_seconds: whole(tcp_idle),
            other_idle_seconds: whole(other_idle),
            active_seconds: whole(active),
        }
    }
}

/// Live flows by key. When it is full, what was never answered goes first, oldest first; then what was silent longest.
#[derive(Debug)]
pub struct FlowTable {
    limits: FlowLimits,
    hasher: RandomState,
    index: Index,
    slab: Vec<Flow>,
    free: Vec<u32>,
    wheel: Vec<List>,
    wheel_tick: u32,
    unanswered: List,
}

impl FlowTable {
    /// An empty table. Room for all flows is reserved at once, and its pages are used as flows come.
    pub fn new(limits: FlowLimits) -> Self {
        let mut slab = Vec::with_capacity(limits.max);
        capture::prefer_large_pages(&mut slab);
        Self {
            limits,
            hasher: RandomState::new(),
            index: Index::new(),
            slab,
            free: Vec::new(),
            wheel: vec![List::default(); WHEEL_SLOTS as usize],
            wheel_tick: 0,
            unanswered: List::default(),
        }
    }

    /// Number of live flows.
    pub fn len(&self) -> usize {
        self.slab.len() - self.free.len()
    }

    /// Whether no flow is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of places that have ever been used; [`FlowTable::at`] answers below it.
    pub fn places(&self) -> u32 {
        self.slab.len() as u32
    }

    /// The live flow at a place, if one is there.
    pub fn at(&self, place: u32) -> Option<&Flow> {
        self.slab.get(place as usize).filter(|flow| flow.wheel_slot != NIL)
    }

    /// The hash by which a key is looked up.
    #[inline]
    pub fn hash(&self, key: &FlowKey) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Asks for the memory where the flow with this hash will be looked for.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.index.prefetch(hash);
    }

    /// The place where the flow with this hash most likely stands; whether it is that flow, [`FlowTable::holds`] says.
    /// Asks for the memory that its next packet will touch.
    #[inline]
    pub fn guess(&self, hash: u64) -> Option<u32> {
        let place = self.index.find(hash, |_| true)?;
        let flow = &self.slab[place as usize];
        capture::prefetch(&flow.key);
        capture::prefetch(&flow.initial_sequence);
        Some(place)
    }

    /// The place of the flow with this key.
    #[inline]
    pub fn find(&self, key: &FlowKey) -> Option<u32> {
        self.index.find(self.hash(key), |place| self.slab[place as usize].key == *key)
    }

    /// Whether the flow with this key is at this place now.
    #[inline]
    pub fn holds(&self, place: u32, key: &FlowKey) -> bool {
        self.at(place).is_some_and(|flow| flow.key == *key)
    }

    /// The flow at a place that [`FlowTable::find`] or [`FlowTable::insert`] gave.
    #[inline]
    pub fn get(&self, place: u32) -> &Flow {
        &self.slab[place as usize]
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, place: u32) -> &mut Flow {
        &mut self.slab[place as usize]
    }

    /// Whether a further flow needs one to go first.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len() >= self.limits.max
    }

    /// Adds a flow whose key is not in the table, which is not full; gives its place.
    pub fn insert(&mut self, mut flow: Flow) -> u32 {
        flow.active_tick = flow.last_tick.saturating_add(self.limits.active_seconds);
        let hash = self.hasher.hash_one(flow.key);
        let place = self.free.pop().unwrap_or(self.slab.len() as u32);
        if place as usize == self.slab.len() {
            self.slab.push(flow);
        } else {
            self.slab[place as usize] = flow;
        }
        self.index.insert(hash, place);
        self.unanswered.push(&mut self.slab, Chain::Unanswered, place);
        self.arm(place);
        place
    }

    /// The flow was answered: it is no longer among the first to be evicted.
    pub fn mark_answered(&mut self, place: u32) {
        self.unanswered.remove(&mut self.slab, Chain::Unanswered, place);
    }

    /// Takes a flow out of the table; its place stays readable through [`FlowTable::get_mut`] until the next insert.
    pub fn remove(&mut self, place: u32) {
        let flow = &self.slab[place as usize];
        let answered = flow.flags.contains(FlowFlags::ANSWERED);
        let hash = self.hasher.hash_one(flow.key);
        self.index.remove(hash, place);
        if !answered {
            self.unanswered.remove(&mut self.slab, Chain::Unanswered, place);
        }
        self.disarm(place);
        self.free.push(place);
    }

    /// Takes all flows out.
    pub fn clear(&mut self) {
        self.slab.clear();
        self.free.clear();
        self.index = Index::new();
        self.wheel.fill(List::default());
        self.unanswered = List::default();
    }

    /// The flow that goes first when the table is full.
    pub fn victim(&mut self) -> Option<u32> {
        if self.unanswered.first != NIL {
            return Some(self.unanswered.first);
        }
        for ahead in 1..=WHEEL_SLOTS {
            let slot = self.wheel_tick.wrapping_add(ahead) % WHEEL_SLOTS;
            while self.wheel[slot as usize].first != NIL {
                let place = self.wheel[slot as usize].first;
                let beyond_the_wheel = ahead >= WHEEL_SLOTS - 1;
                if beyond_the_wheel || self.idle_deadline(place).saturating_sub(self.wheel_tick) <= ahead {
                    return Some(place);
                }
                self.disarm(place);
                self.arm_at(place, self.idle_deadline(place));
            }
        }
        None
    }

    /// The flow's deadline has come nearer: it has ended, and leaves soon.
    pub fn rearm(&mut self, place: u32) {
        self.disarm(place);
        self.arm(place);
    }

    /// Puts a flow that [`FlowTable::expire`] gave out as active back on the wheel until its next record.
    pub fn arm_active(&mut self, place: u32) {
        let flow = &mut self.slab[place as usize];
        while flow.active_tick <= self.wheel_tick {
            flow.active_tick = flow.active_tick.saturating_add(self.limits.active_seconds);
        }
        self.disarm(place);
        self.arm(place);
    }

    /// Turns the wheel to timer second `tick` and collects into `due` the flows whose time has come, either by
    /// silence or for an interim record; they stay in the table until the caller has seen to them.
    pub fn expire(&mut self, tick: u32, due: &mut Vec<u32>) {
        let steps = tick.saturating_sub(self.wheel_tick).min(WHEEL_SLOTS);
        let from = tick - steps;
        for passed in from + 1..=tick {
            self.wheel_tick = passed;
            let mut place = self.wheel[(passed % WHEEL_SLOTS) as usize].first;
            while place != NIL {
                let next = List::after(&self.slab, Chain::Wheel, place);
                if self.deadline(place) <= tick {
                    due.push(place);
                } else {
                    self.disarm(place);
                    self.arm(place);
                }
                place = next;
            }
        }
    }

    /// Whether the flow has been silent for its idle time.
    pub fn is_idle(&self, place: u32, tick: u32) -> bool {
        self.idle_deadline(place) <= tick
    }

    /// Silence that ends this flow, in seconds.
    #[inline]
    pub fn idle_seconds(&self, flow: &Flow) -> u32 {
        if flow.key.protocol() != IPPROTO_TCP {
            self.limits.other_idle_seconds
        } else if flow.flags.is_closed() {
            LINGER_SECONDS.min(self.limits.tcp_idle_seconds)
        } else {
            self.limits.tcp_idle_seconds
        }
    }

    fn idle_deadline(&self, place: u32) -> u32 {
        let flow = &self.slab[place as usize];
        flow.last_tick.saturating_add(self.idle_seconds(flow))
    }

    fn deadline(&self, place: u32) -> u32 {
        self.idle_deadline(place).min(self.slab[place as usize].active_tick)
    }

    fn arm(&mut self, place: u32) {
        self.arm_at(place, self.deadline(place));
    }

    fn arm_at(&mut self, place: u32, deadline: u32) {
        let ahead = deadline.saturating_sub(self.wheel_tick).clamp(1, WHEEL_SLOTS - 1);
        let slot = self.wheel_tick.wrapping_add(ahead) % WHEEL_SLOTS;
        self.slab[place as usize].wheel_slot = slot;
        self.wheel[slot as usize].push(&mut self.slab, Chain::Wheel, place);
    }

    fn disarm(&mut self, place: u32) {
        let slot = self.slab[place as usize].wheel_slot;
        self.wheel[slot as usize].remove(&mut self.slab, Chain::Wheel, place);
        self.slab[place as usize].wheel_slot = NIL;
    }
}
