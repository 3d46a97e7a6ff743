//! Names that hosts have looked up: what a flow to an address is called if it does not say it itself.

use std::sync::Arc;

use ahash::RandomState;
use app::dns::{Data, Message};
use hashbrown::HashMap;
use wire::Address;

use super::dns::CNAME;
use super::event::{AppEvent, AppRecord};

/// Names that are remembered at most.
const MAX_NAMES: usize = 1 << 17;
/// A name holds at least so long, whatever its answer says: programs keep it longer than they should.
const MIN_SECONDS: u64 = 600;
/// A name holds no longer than this.
const MAX_SECONDS: u64 = 86_400;
const NS: u64 = 1_000_000_000;
/// An alias of an alias of …: so many of them are followed.
const MAX_ALIASES: usize = 16;

/// Who looked up, and which address was the answer.
type Pair = (Address, Address);
type Names = HashMap<Pair, Resolved, RandomState>;

/// What an address was called, from when until when.
#[derive(Debug, Clone)]
struct Name {
    text: Arc<str>,
    since_ns: u64,
    until_ns: u64,
}

/// The newest name of an address for a host, and the one before it, for flows that began under it.
#[derive(Debug, Clone)]
struct Resolved {
    now: Name,
    before: Option<Name>,
}

/// The names that answers gave to addresses, for each host that asked. When it is full, those go that were not given
/// again for longest, half of them at a time.
#[derive(Debug)]
pub struct ResolvedNames {
    young: Names,
    old: Names,
    max: usize,
    forgotten: u64,
}

impl Default for ResolvedNames {
    fn default() -> Self {
        Self::with_room(MAX_NAMES)
    }
}

impl ResolvedNames {
    /// Room for `max` names.
    fn with_room(max: usize) -> Self {
        Self { young: Names::default(), old: Names::default(), max, forgotten: 0 }
    }

    /// Names that are remembered.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names that went for want of room while they still held.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Learns from an event, if it is an answer to a look-up of addresses.
    pub fn learn(&mut self, record: &AppRecord) {
        let AppEvent::Dns(message) = &record.event else { return };
        let Some(question) = message.questions.first().filter(|_| message.response && message.rcode == 0) else {
            return;
        };
        let mut text: Option<Arc<str>> = None;
        for (address, ttl_seconds) in addresses(message) {
            let text = text.get_or_insert_with(|| Arc::from(&*question.name));
            let seconds = u64::from(ttl_seconds).clamp(MIN_SECONDS, MAX_SECONDS);
            let name = Name {
                text: Arc::clone(text),
                since_ns: record.time_ns,
                until_ns: record.time_ns.saturating_add(seconds * NS),
            };
            self.put((record.tuple.orig.address, address), name);
        }
    }

    /// What `host` had looked up for `address` when a flow between them began, at `start_ns`.
    pub fn name(&self, host: Address, address: Address, start_ns: u64) -> Option<&str> {
        let pair = (host, address);
        let resolved = self.young.get(&pair).or_else(|| self.old.get(&pair))?;
        let names = std::iter::once(&resolved.now).chain(&resolved.before);
        names.into_iter().find(|name| (name.since_ns..=name.until_ns).contains(&start_ns)).map(|name| &*name.text)
    }

    fn put(&mut self, pair: Pair, name: Name) {
        let known = self.young.remove(&pair).or_else(|| self.old.remove(&pair));
        let resolved = match known {
            None => Resolved { now: name, before: None },
            // The same again: it goes on to hold.
            Some(known) if known.now.text == name.text && name.since_ns <= known.now.until_ns => Resolved {
                now: Name { since_ns: known.now.since_ns.min(name.since_ns), ..name },
                before: known.before,
            },
            Some(known) => Resolved { now: name, before: Some(known.now) },
        };
        if self.young.len() >= self.max / 2 {
            let now_ns = resolved.now.since_ns;
            self.forgotten += self.old.values().filter(|name| name.now.until_ns >= now_ns).count() as u64;
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(pair, resolved);
    }
}

/// The addresses that a response gives to its question, through aliases, and how long each holds in seconds.
fn addresses(message: &Message) -> Vec<(Address, u32)> {
    let Some(question) = message.questions.first() else { return Vec::new() };
    let mut names: Vec<&str> = vec![&question.name];
    // Aliases usually stand in the order in which they lead on, but need not.
    loop {
        let leads = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let next = message.answers.iter().find_map(|answer| match &answer.data {
            Data::Name(target) if answer.kind == CNAME && leads(&answer.name) && !leads(target) => Some(&**target),
            _ => None,
        });
        match next {
            Some(name) if names.len() <= MAX_ALIASES => names.push(name),
            _ => break,
        }
    }
    let of_it = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let answers = message.answers.iter().filter(|answer| of_it(&answer.name));
    answers
        .filter_map(|answer| match answer.data {
            Data::Address(address) => Some((Address::from(address), answer.ttl_seconds)),
            _ => None,
        })
        .collect()
}
