//! Names that hosts have looked up: what a flow to an address is called if it does not say it itself.

use std::sync::Arc;

use ahash::RandomState;
use app::dns::{Data, Message};
use arrayvec::ArrayVec;
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
        let names = aliases(&question.name, message);
        for (address, ttl_seconds) in addresses(&names, message) {
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
    pub fn name(&self, host: Address, address: Address, start_ns: u64) -> Option<&Arc<str>> {
        let pair = (host, address);
        let resolved = self.young.get(&pair).or_else(|| self.old.get(&pair))?;
        let names = std::iter::once(&resolved.now).chain(&resolved.before);
        names.into_iter().find(|name| (name.since_ns..=name.until_ns).contains(&start_ns)).map(|name| &name.text)
    }

    fn put(&mut self, pair: Pair, name: Name) {
        if let Some(known) = self.young.get_mut(&pair) {
            return known.take(name);
        }
        let resolved = match self.old.remove(&pair) {
            None => Resolved { now: name, before: None },
            Some(mut known) => {
                known.take(name);
                known
            }
        };
        if self.young.len() >= self.max / 2 {
            let now_ns = resolved.now.since_ns;
            self.forgotten += self.old.values().filter(|name| name.now.until_ns >= now_ns).count() as u64;
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(pair, resolved);
    }
}

impl Resolved {
    /// Takes a newer name; the same again goes on to hold.
    fn take(&mut self, name: Name) {
        if self.now.text == name.text && name.since_ns <= self.now.until_ns {
            self.now.since_ns = self.now.since_ns.min(name.since_ns);
            self.now.until_ns = name.until_ns;
        } else {
            self.before = Some(std::mem::replace(&mut self.now, name));
        }
    }
}

/// A name and those that it is an alias of.
type Aliases<'a> = ArrayVec<&'a str, { MAX_ALIASES + 1 }>;

/// The name that a response is about, and where its aliases lead.
fn aliases<'a>(name: &'a str, message: &'a Message) -> Aliases<'a> {
    let mut names = Aliases::from_iter([name]);
    // Aliases usually stand in the order in which they lead on, but need not.
    loop {
        let next = message.answers.iter().find_map(|answer| match &answer.data {
            Data::Name(target) if answer.kind == CNAME && holds(&names, &answer.name) && !holds(&names, target) => {
                Some(&**target)
            }
            _ => None,
        });
        match next {
            Some(name) if names.len() <= MAX_ALIASES => names.push(name),
            _ => return names,
        }
    }
}

/// The addresses of these names in a response, and how long each holds in seconds.
fn addresses<'a>(names: &Aliases<'a>, message: &'a Message) -> impl Iterator<Item = (Address, u32)> {
    message.answers.iter().filter_map(|answer| match answer.data {
        Data::Address(address) if holds(names, &answer.name) => Some((Address::from(address), answer.ttl_seconds)),
        _ => None,
    })
}

fn holds(names: &Aliases<'_>, name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::testing::dns_response;
    use crate::testing::{PC, SECOND, SERVER, START};
    use app::dns;

    fn address(bytes: [u8; 4]) -> Address {
        Address::v4(bytes)
    }

    /// What [`PC`] looked up is told `after` seconds after the start.
    fn answer(after: u64, name: &str, server: [u8; 4]) -> AppRecord {
        let message = dns::message(&dns_response(1, name, "cdn.example.net", server)).expect("a message");
        AppRecord::sample(START + after * SECOND, address(PC.0), AppEvent::Dns(Box::new(message)))
    }

    fn name(names: &ResolvedNames, host: [u8; 4], after: u64) -> Option<&str> {
        names.name(address(host), address(SERVER.0), START + after * SECOND).map(|name| &**name)
    }

    #[test]
    fn an_address_is_called_what_the_host_asked_for_and_not_its_alias() {
        let mut names = ResolvedNames::default();
        names.learn(&answer(10, "www.example.com", SERVER.0));
        assert_eq!(name(&names, PC.0, 10), Some("www.example.com"));
        assert_eq!(name(&names, PC.0, 9), None, "it was not looked up yet");
        assert_eq!(name(&names, [10, 20, 3, 45], 10), None, "another host has not asked");
        assert_eq!(name(&names, PC.0, 10 + 600), Some("www.example.com"), "longer than its 60 seconds");
        assert_eq!(name(&names, PC.0, 10 + 601), None);
    }

    #[test]
    fn a_flow_keeps_the_name_under_which_it_began() {
        let mut names = ResolvedNames::default();
        names.learn(&answer(0, "old.example", SERVER.0));
        names.learn(&answer(100, "old.example", SERVER.0));
        names.learn(&answer(200, "new.example", SERVER.0));
        assert_eq!(name(&names, PC.0, 0), Some("old.example"));
        assert_eq!(name(&names, PC.0, 199), Some("old.example"));
        assert_eq!(name(&names, PC.0, 200), Some("new.example"));
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn a_question_or_a_failure_teaches_nothing() {
        let mut names = ResolvedNames::default();
        for (response, rcode) in [(false, 0), (true, 3)] {
            let mut record = answer(0, "www.example.com", SERVER.0);
            if let AppEvent::Dns(message) = &mut record.event {
                (message.response, message.rcode) = (response, rcode);
            }
            names.learn(&record);
        }
        assert!(names.is_empty());
    }

    #[test]
    fn addresses_of_other_names_are_nobodys() {
        let mut record = answer(0, "www.example.com", SERVER.0);
        if let AppEvent::Dns(message) = &mut record.event {
            message.answers.remove(0);
        }
        let mut names = ResolvedNames::default();
        names.learn(&record);
        assert!(names.is_empty(), "without the alias nothing leads to the address");
    }

    #[test]
    fn aliases_lead_on_in_any_order() {
        let mut record = answer(0, "www.example.com", SERVER.0);
        if let AppEvent::Dns(message) = &mut record.event {
            message.answers.reverse();
        }
        let mut names = ResolvedNames::default();
        names.learn(&record);
        assert_eq!(name(&names, PC.0, 0), Some("www.example.com"));
    }

    #[test]
    fn a_flood_pushes_out_the_oldest_and_is_counted() {
        let mut names = ResolvedNames::with_room(100);
        for number in 0..=255 {
            names.learn(&answer(0, "www.example.com", [192, 0, 2, number]));
            names.learn(&answer(1, "often.example", SERVER.0));
            assert!(names.len() <= 100);
        }
        assert_eq!(name(&names, PC.0, 1), Some("often.example"), "what is given again stays");
        assert_eq!(names.len() as u64 + names.forgotten(), 257);
    }
}
