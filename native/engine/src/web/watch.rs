//! Who tries many things, judged over all flows; and how much is told of a flood.

use ahash::RandomState;
use app::{Login, Text};
use hashbrown::HashMap;
use serde::Deserialize;
use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::Arc;
use wire::Address;

use super::finding::WebFinding;
use super::login::WebLogin;
use super::rules::{Label, Place, RuleConfig};
use super::usual::UsualDelays;
use crate::names::{AppEvent, AppRecord, HttpExchange};
use crate::networks::Networks;

/// Seconds of packet time that a source's requests are remembered.
const WINDOW: u64 = 600;
/// What lasts is told again after so many seconds.
const REPEAT_SECONDS: u64 = 60;
/// Sources that are watched at once, and paths that are remembered of each.
const MAX_SOURCES: usize = 4096;
const MAX_PATHS: usize = 512;
/// An answer that came so often is how a form turns down; different answers that are remembered of a place.
const USUAL: u32 = 3;
const MAX_ANSWERS: usize = 8;
/// Findings of one source, server and category in a second, of which each is told; the rest is counted in the last.
const MAX_TOLD: usize = 16;

/// What is judged of web servers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    /// Servers that are watched.
    #[serde(deserialize_with = "crate::config::networks")]
    pub servers: Networks,
    /// What requests are matched against.
    pub rules: Vec<RuleConfig>,
    /// `web.scanner`: distinct paths that were refused in 10 minutes.
    pub scanner_paths: usize,
    /// `web.scanner`: the share of a source's requests that were refused, at least.
    pub scanner_ratio: f64,
    /// `web.scanner`: distinct parameters and paths with attacks in 10 minutes.
    pub scanner_attacks: usize,
}

/// A finding and the flow that it belongs to.
#[derive(Debug, Clone)]
pub struct WebRecord {
    /// The flow; its event is of no interest.
    pub flow: AppRecord,
    /// What was found.
    pub finding: WebFinding,
}

/// All sources that ask watched servers.
#[derive(Debug)]
pub struct WebWatch {
    config: WebConfig,
    sources: HashMap<Address, Source, RandomState>,
    logins: Logins,
    usual: UsualDelays,
    missing: Arc<Label>,
    many: Arc<Label>,
    evicted: u64,
}

#[derive(Debug, Default)]
struct Source {
    last_second: u64,
    /// Seconds and their requests.
    requests: VecDeque<(u64, u32)>,
    /// Hash of a path that was refused, and of a place of an attack: the second it was last seen in.
    refused: HashMap<u64, u64, RandomState>,
    attacked: HashMap<u64, u64, RandomState>,
    said: Option<u64>,
}

impl WebWatch {
    /// Nothing was seen.
    pub fn new(config: WebConfig) -> Self {
        let label = |name: &str, weakness: &str| {
            let (name, category, weakness) = (name.to_owned(), "web.scanner".to_owned(), weakness.to_owned());
            Arc::new(Label { name, category, weakness, severity: 3 })
        };
        Self {
            config,
            sources: HashMap::default(),
            logins: Logins::default(),
            usual: UsualDelays::default(),
            missing: label("scan-paths", "paths that are not there"),
            many: label("scan-attacks", "attacks on many places"),
            evicted: 0,
        }
    }

    /// Sources that were forgotten because too many were watched.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes the findings out of the events of second number `second`, which stand in their order, and judges.
    pub fn take(&mut self, second: u64, events: &mut Vec<AppRecord>) -> Vec<WebRecord> {
        let mut told = Told::default();
        // Most stay where they are.
        events.retain_mut(|record| {
            if let Some(finding) = self.note(second, record) {
                told.push(WebRecord { flow: record.clone(), finding });
            }
            let is_ours = matches!(record.event, AppEvent::Web(_) | AppEvent::WebLogin(_));
            !is_ours || self.settle(second, record, &mut told)
        });
        told.records
    }

    /// Judges what only a web server's events say; whether the record is one for the log now.
    fn settle(&mut self, second: u64, record: &mut AppRecord, told: &mut Told) -> bool {
        match std::mem::replace(&mut record.event, AppEvent::Http(Box::default())) {
            AppEvent::Web(finding) => {
                let usual_ns = self.usual.of(record.tuple.resp.address, &finding.host, &finding.path);
                told.push(WebRecord { flow: record.clone(), finding: WebFinding { usual_ns, ..*finding } });
                return false;
            }
            AppEvent::WebLogin(login) => match self.logins.judge(second, record.tuple, *login) {
                Some(login) => record.event = AppEvent::Login(Box::new(login)),
                None => return false,
            },
            other => record.event = other,
        }
        true
    }

    /// Counts what an event says of its source; what has become known of the source by it.
    fn note(&mut self, second: u64, record: &AppRecord) -> Option<WebFinding> {
        let place = match &record.event {
            AppEvent::Http(exchange) => {
                exchange.request.as_ref().filter(|_| self.config.servers.contains(record.tuple.resp.address))?;
                self.usual.learn(second, record.tuple.resp.address, exchange);
                refused_path(exchange)
            }
            AppEvent::Web(finding) => Some(hash(&[&finding.path, &finding.parameter, &finding.label.category])),
            _ => return None,
        };
        let address = record.tuple.orig.address;
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&address) {
            self.evicted += evict_oldest(&mut self.sources, |source| source.last_second);
        }
        let source = self.sources.entry(address).or_default();
        let attack = matches!(record.event, AppEvent::Web(_));
        source.count(second, place, attack);
        let label = source.verdict(second, &self.config)?;
        Some(source.finding(if label { &self.many } else { &self.missing }, label, record))
    }
}

/// Forgets those silent longest, one in sixteen at once, so that a flood pays for the search; how many that is.
#[cold]
pub(super) fn evict_oldest<K: Copy + Ord + Hash, V>(
    table: &mut HashMap<K, V, RandomState>,
    last_second: impl Fn(&V) -> u64,
) -> u64 {
    let mut order: Vec<_> = table.iter().map(|(key, value)| (last_second(value), *key)).collect();
    let share = order.len().div_ceil(16);
    order.select_nth_unstable(share - 1);
    for (_, key) in &order[..share] {
        table.remove(key);
    }
    share as u64
}

impl Source {
    fn count(&mut self, second: u64, place: Option<u64>, attack: bool) {
        self.last_second = second;
        while self.requests.front().is_some_and(|&(then, _)| then + WINDOW <= second) {
            self.requests.pop_front();
        }
        match self.requests.back_mut() {
            Some((last, requests)) if *last == second => *requests += u32::from(!attack),
            _ => self.requests.push_back((second, u32::from(!attack))),
        }
        let places = if attack { &mut self.attacked } else { &mut self.refused };
        let Some(place) = place else { return };
        if places.len() >= MAX_PATHS && !places.contains_key(&place) {
            places.retain(|_, seen| *seen + WINDOW > second);
        }
        if places.len() < MAX_PATHS {
            places.insert(place, second);
        }
    }

    /// Whether it scans, which is not said too often; `true` where it is by its attacks.
    fn verdict(&mut self, second: u64, config: &WebConfig) -> Option<bool> {
        if self.attacked.len() < config.scanner_attacks && self.refused.len() < config.scanner_paths {
            return None;
        }
        if self.said.is_some_and(|said| said + REPEAT_SECONDS > second) {
            return None;
        }
        self.attacked.retain(|_, seen| *seen + WINDOW > second);
        self.refused.retain(|_, seen| *seen + WINDOW > second);
        let requests: u64 = self.requests.iter().map(|&(_, requests)| u64::from(requests)).sum();
        let by_attacks = self.attacked.len() >= config.scanner_attacks;
        let refused = self.refused.len() as f64;
        let by_paths = self.refused.len() >= config.scanner_paths && refused >= config.scanner_ratio * requests as f64;
        (by_attacks || by_paths).then(|| {
            self.said = Some(second);
            by_attacks
        })
    }

    fn finding(&self, label: &Arc<Label>, by_attacks: bool, record: &AppRecord) -> WebFinding {
        let places = if by_attacks { self.attacked.len() } else { self.refused.len() };
        let blank = |exchange: &HttpExchange| {
            let request = exchange.request.clone().unwrap_or_default();
            (request.method, request.host.unwrap_or_default(), request.uri, request.user_agent.unwrap_or_default())
        };
        let (method, host, path, user_agent) = match &record.event {
            AppEvent::Http(exchange) => blank(exchange),
            AppEvent::Web(found) => {
                (found.method.clone(), found.host.clone(), found.path.clone(), found.user_agent.clone())
            }
            _ => Default::default(),
        };
        WebFinding {
            label: Arc::clone(label),
            place: Place::Path,
            parameter: Text::default(),
            excerpt: format!("{places} {} in 10m", label.weakness).into(),
            method,
            host,
            path,
            user_agent,
            status: 0,
            length: 0,
            page_bytes: None,
            delay_ns: None,
            usual_ns: None,
            evidence: Text::default(),
            succeeded: false,
            count: 1,
        }
    }
}

/// Of a request that was refused, the hash of its path.
fn refused_path(exchange: &HttpExchange) -> Option<u64> {
    let status = exchange.response.as_ref()?.status;
    let uri = &exchange.request.as_ref()?.uri;
    matches!(status, 400 | 403 | 404 | 405 | 410 | 501).then(|| hash(&[app::http::form::target_text(uri)]))
}

/// The same in every run: what is judged does not depend on it but through collisions.
fn hash(parts: &[&str]) -> u64 {
    hash_of(&parts)
}

pub(super) fn hash_of(what: &impl Hash) -> u64 {
    RandomState::with_seeds(1, 2, 3, 4).hash_one(what)
}

/// The second of the last answer of a place, and how often each came.
type Answers = (u64, Vec<(u64, u32)>);

/// How logins to each place were answered.
#[derive(Debug, Default)]
struct Logins {
    /// By source, server and place: how often each answer came, and the second of the last.
    answers: HashMap<(Address, Address, u64), Answers, RandomState>,
    /// By source, server and user: when a success by Basic credentials, which come with every request, was told.
    told: HashMap<u64, u64, RandomState>,
}

impl Logins {
    /// The login, whose success its answer among the others tells where it does not by itself; none if it is known.
    fn judge(&mut self, second: u64, tuple: wire::FiveTuple, web: WebLogin) -> Option<Login> {
        let WebLogin { mut login, place, answer } = web;
        let (source, server) = (tuple.orig.address, tuple.resp.address);
        if &*login.mechanism == "BASIC" && login.success == Some(true) {
            let known = hash_of(&(source.to_string(), server.to_string(), &login.user));
            if self.told.len() >= MAX_SOURCES {
                self.told.retain(|_, told| *told + WINDOW > second);
            }
            let fresh = self.told.get(&known).is_none_or(|told| *told + WINDOW <= second);
            if fresh && self.told.len() < MAX_SOURCES {
                self.told.insert(known, second);
            }
            return fresh.then_some(login);
        }
        if login.success.is_none() {
            login.success = self.compare(second, (source, server, place), answer);
        }
        Some(login)
    }

    /// An answer that came again and again turns down; another one than that does not.
    fn compare(&mut self, second: u64, key: (Address, Address, u64), answer: u64) -> Option<bool> {
        if self.answers.len() >= MAX_SOURCES && !self.answers.contains_key(&key) {
            self.answers.retain(|_, (last, _)| *last + WINDOW > second);
            if self.answers.len() >= MAX_SOURCES {
                return None;
            }
        }
        let (last, answers) = self.answers.entry(key).or_default();
        *last = second;
        let others = answers.iter().any(|(other, times)| *other != answer && *times >= USUAL);
        match answers.iter_mut().find(|(other, _)| *other == answer) {
            Some((_, times)) => {
                *times += 1;
                (*times >= USUAL).then_some(false)
            }
            None => {
                if answers.len() < MAX_ANSWERS {
                    answers.push((answer, 1));
                }
                others.then_some(true)
            }
        }
    }
}

/// Findings as they are told: of one source, server and category in a second only the first 16; later ones are counted
/// in the last, unless they succeeded.
#[derive(Default)]
struct Told {
    records: Vec<WebRecord>,
    /// By source, server and category: how many were told, and where the last stands.
    groups: HashMap<(Address, Address, String), (usize, usize), RandomState>,
}

impl Told {
    fn push(&mut self, record: WebRecord) {
        let (tuple, finding) = (&record.flow.tuple, &record.finding);
        let group = (tuple.orig.address, tuple.resp.address, finding.label.category.clone());
        let (told, last) = self.groups.entry(group).or_default();
        let most = if finding.succeeded { 4 * MAX_TOLD } else { MAX_TOLD };
        if *told >= most {
            self.records[*last].finding.count += finding.count;
            return;
        }
        *told += 1;
        *last = self.records.len();
        self.records.push(record);
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
