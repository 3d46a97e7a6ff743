//! Links of mails that somebody inside follows: their hosts are learned from mails, and met again in what is looked up
//! and asked for.
//!
//! A resolver asks for what others have asked it, and a mail server looks at what it lets in: neither follows a link.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;
use app::mail::Message;
use hashbrown::{HashMap, HashSet};
use wire::Address;

use crate::flow::{ORIG, RESP};
use crate::names::{AppEvent, AppRecord, without_port};
use crate::networks::Networks;
use crate::watchlist::Link;

const NS: u64 = 1_000_000_000;
/// A link can be followed for so long after the last mail that held it.
const REMEMBERED_NS: u64 = 7 * 24 * 3600 * NS;
/// The same machine, host and protocol are told again after so long.
const REPEAT_NS: u64 = 600 * NS;
/// Hosts of links that are remembered in each of two generations.
const MAX_HOSTS: usize = 25_000;
/// Names that were asked for before any mail held them, in each of two generations.
const MAX_VISITED: usize = 100_000;
/// Paths of one host, and machines that were told of one host.
const MAX_TARGETS: usize = 16;
const MAX_TOLD: usize = 256;
/// Bytes of a name that are digested at once.
const NAME_PIECE_BYTES: usize = 64;
/// Resolvers and mail servers inside.
const MAX_SERVERS: usize = 1000;

/// Somebody inside asks for the host of a mail's link.
#[derive(Debug, Clone)]
pub struct Click {
    /// What asked for it.
    pub record: AppRecord,
    /// The host, as the record names it, in small letters.
    pub host: Box<str>,
    /// Whether path and query are those of a link, too; only HTTP in the clear shows them.
    pub exact: bool,
    /// Whether somebody had asked for the host before the first mail with it.
    pub visited_before: bool,
    /// Packet time of that mail.
    pub mail_ns: u64,
}

/// Remembers hosts of links, and who else asked for what before.
#[derive(Debug)]
pub struct ClickWatch {
    mail_servers: Networks,
    hash: RandomState,
    /// Hosts of links by the digests of their names.
    young: HashMap<u64, Learned, RandomState>,
    old: HashMap<u64, Learned, RandomState>,
    visited: [HashSet<u64, RandomState>; 2],
    servers: HashSet<Address, RandomState>,
    forgotten: u64,
}

/// The host of a link.
#[derive(Debug, Default)]
struct Learned {
    first_ns: u64,
    last_ns: u64,
    visited_before: bool,
    /// Digests of path and query.
    targets: Vec<u64>,
    /// Who was told to ask for it by which protocol, and when.
    told: Vec<(Address, &'static str, u64)>,
}

impl ClickWatch {
    /// Nothing is known yet; `mail_servers` are those of the configuration.
    pub fn new(mail_servers: Networks) -> Self {
        Self {
            mail_servers,
            hash: RandomState::new(),
            young: HashMap::default(),
            old: HashMap::default(),
            visited: Default::default(),
            servers: HashSet::default(),
            forgotten: 0,
        }
    }

    /// Hosts that were forgotten while a mail with them was young, and machines that could not be told.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Learns from mails and finds who asks for what they hold; `apps` are in the order of time.
    pub fn take(&mut self, apps: &[AppRecord]) -> Vec<Click> {
        let mut clicks = Vec::new();
        for record in apps {
            match &record.event {
                AppEvent::Smtp(mail) => {
                    self.learn_server(record, !record.internal[ORIG] && mail.message.is_some());
                    self.learn_message(record, mail.message.as_ref());
                }
                AppEvent::Pop3(read) | AppEvent::Imap(read) => self.learn_message(record, read.message.as_ref()),
                _ => self.take_question(record, &mut clicks),
            }
        }
        clicks
    }

    fn take_question(&mut self, record: &AppRecord, clicks: &mut Vec<Click>) {
        let client = record.tuple.orig.address;
        if let AppEvent::Dns(_) = record.event {
            self.learn_server(record, true);
        }
        if !record.internal[ORIG] || self.servers.contains(&client) || self.mail_servers.contains(client) {
            return;
        }
        match &record.event {
            AppEvent::Dns(message) => {
                for question in &message.questions {
                    self.meet(record, &question.name, None, clicks);
                }
            }
            AppEvent::Tls(hellos) => {
                let name = hellos.client.as_ref().and_then(|client| client.sni.as_deref());
                name.into_iter().for_each(|name| self.meet(record, name, None, clicks));
            }
            AppEvent::Quic(quic) => {
                let name = quic.hello.sni.as_deref();
                name.into_iter().for_each(|name| self.meet(record, name, None, clicks));
            }
            AppEvent::Http(exchange) => {
                let Some(request) = &exchange.request else { return };
                let Some(host) = &request.host else { return };
                self.meet(record, without_port(host).0, Some(&request.uri), clicks);
            }
            _ => {}
        }
    }

    /// The responder serves the whole network if `serves`.
    fn learn_server(&mut self, record: &AppRecord, serves: bool) {
        if serves && record.internal[RESP] && self.servers.len() < MAX_SERVERS {
            self.servers.insert(record.tuple.resp.address);
        }
    }

    fn learn_message(&mut self, record: &AppRecord, message: Option<&Message>) {
        for url in message.into_iter().flat_map(|message| &message.urls) {
            if let Some(link) = Link::parse(&url.url) {
                self.learn(record.time_ns, &link);
            }
        }
    }

    fn learn(&mut self, time_ns: u64, link: &Link<'_>) {
        let (host, target) = (self.digest_name(&link.host), self.hash.hash_one(link.target));
        let known = self.young.remove(&host).or_else(|| self.old.remove(&host));
        let known = known.filter(|known| known.last_ns + REMEMBERED_NS > time_ns);
        let mut learned = known.unwrap_or_else(|| {
            let visited_before = self.visited.iter().any(|names| names.contains(&host));
            Learned { first_ns: time_ns, visited_before, ..Learned::default() }
        });
        learned.last_ns = learned.last_ns.max(time_ns);
        if learned.targets.len() < MAX_TARGETS && !learned.targets.contains(&target) {
            learned.targets.push(target);
        }
        if self.young.len() >= MAX_HOSTS {
            let recent = self.old.values().filter(|host| host.last_ns + REMEMBERED_NS > time_ns);
            self.forgotten += recent.count() as u64;
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(host, learned);
    }

    /// Somebody asks for a name, over HTTP with a target.
    fn meet(&mut self, record: &AppRecord, name: &str, target: Option<&str>, clicks: &mut Vec<Click>) {
        let name = name.strip_suffix('.').unwrap_or(name);
        let (host, time_ns) = (self.digest_name(name), record.time_ns);
        let learned = self.young.get_mut(&host).or_else(|| self.old.get_mut(&host));
        let Some(learned) = learned.filter(|learned| learned.last_ns + REMEMBERED_NS > time_ns) else {
            return self.remember(host);
        };
        let target = target.map(|target| self.hash.hash_one(target.split('#').next().unwrap_or(target).as_bytes()));
        let exact = target.is_some_and(|target| learned.targets.contains(&target));
        match learned.tell(record.tuple.orig.address, record.event.kind(), time_ns) {
            Told::Before => {}
            Told::Full => self.forgotten += 1,
            Told::Now => clicks.push(Click {
                record: record.clone(),
                host: name.to_ascii_lowercase().into(),
                exact,
                visited_before: learned.visited_before,
                mail_ns: learned.first_ns,
            }),
        }
    }

    /// A name that no mail has held so far.
    fn remember(&mut self, name: u64) {
        if self.visited[0].len() >= MAX_VISITED {
            self.visited[1] = std::mem::take(&mut self.visited[0]);
        }
        self.visited[0].insert(name);
    }

    /// The same for small letters and large ones. Nobody else knows the key of it.
    fn digest_name(&self, name: &str) -> u64 {
        let mut hasher = self.hash.build_hasher();
        let mut lower = [0; NAME_PIECE_BYTES];
        for piece in name.as_bytes().chunks(NAME_PIECE_BYTES) {
            let lower = &mut lower[..piece.len()];
            lower.copy_from_slice(piece);
            lower.make_ascii_lowercase();
            hasher.write(lower);
        }
        hasher.finish()
    }
}

enum Told {
    Now,
    Before,
    Full,
}

impl Learned {
    fn tell(&mut self, client: Address, protocol: &'static str, time_ns: u64) -> Told {
        self.told.retain(|&(.., told_ns)| told_ns + REPEAT_NS > time_ns);
        if self.told.iter().any(|&(other, by, _)| (other, by) == (client, protocol)) {
            return Told::Before;
        }
        if self.told.len() >= MAX_TOLD {
            return Told::Full;
        }
        self.told.push((client, protocol, time_ns));
        Told::Now
    }
}

#[cfg(test)]
#[path = "clicks_tests.rs"]
mod tests;
