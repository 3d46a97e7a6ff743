//! Bulk mail by its flows: it must show when the mail itself is encrypted, too.

use std::collections::VecDeque;

use ahash::RandomState;
use arrayvec::ArrayVec;
use hashbrown::HashMap;
use wire::{Address, Mac};

use crate::config::SmtpConfig;
use crate::flow::{Ending, FlowDelta, MAX_FLOW_VLANS};
use crate::networks::Networks;

const IPPROTO_TCP: u8 = 6;
const SMTP: u16 = 25;
const MAIL_PORTS: [u16; 3] = [SMTP, 465, 587];
/// Seconds of the short and the long window.
const WINDOW: u64 = 600;
const LONG_WINDOW: u64 = 3600;
/// A finding whose condition lasts is said again after so many seconds.
const REPEAT_SECONDS: u64 = 10;
/// Hosts that are watched at once, servers and seconds that are remembered of each.
const MAX_HOSTS: usize = 10_000;
const MAX_SERVERS: usize = 4096;
const EXAMPLES: usize = 5;
/// IP and TCP headers of a packet without options: what is not mail.
const HEADER_BYTES: u64 = 40;

/// A host that sends mail in bulk; counts are those of the window that ends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Packet time of the second that was judged.
    pub time_ns: u64,
    /// Name of the rule.
    pub rule: &'static str,
    /// Who sends.
    pub host: Address,
    /// Its hardware address, zero if unknown.
    pub mac: Mac,
    /// VLAN tags of its last connection, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// Index of the interface.
    pub interface: u16,
    /// Length of the window in seconds.
    pub window_seconds: u32,
    /// The number that crossed its threshold.
    pub count: u64,
    /// Connections in the window.
    pub connections: u64,
    /// Distinct servers in the last 10 minutes.
    pub servers: u64,
    /// Connections that the server ended early in the last 10 minutes.
    pub rejects: u64,
    /// Some of the servers.
    pub examples: Vec<Address>,
}

/// The sliding windows of all hosts that connect to mail servers.
#[derive(Debug)]
pub struct SmtpWatch {
    config: SmtpConfig,
    mail_servers: Networks,
    senders: HashMap<Address, Sender, RandomState>,
    changed: Vec<Address>,
    evicted: u64,
}

#[derive(Debug, Default)]
struct Sender {
    mac: Mac,
    vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    interface: u16,
    last_ns: u64,
    last_second: u64,
    /// Second, connections, and connections ended early, for the long window.
    seconds: VecDeque<(u64, u32, u32)>,
    /// Server: last second on any mail port, and on port 25 (0 for never).
    servers: HashMap<Address, (u64, u64), RandomState>,
    said: [u64; 3],
}

impl SmtpWatch {
    /// Empty windows; hosts in `mail_servers` are exempt.
    pub fn new(config: SmtpConfig, mail_servers: Networks) -> Self {
        Self { config, mail_servers, senders: HashMap::default(), changed: Vec::new(), evicted: 0 }
    }

    /// Senders that were forgotten because too many were watched.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes what a flow did in second number `second`.
    pub fn apply(&mut self, delta: &FlowDelta, second: u64) {
        let tuple = &delta.tuple;
        let mail = tuple.protocol == IPPROTO_TCP && MAIL_PORTS.contains(&tuple.resp.port);
        if !mail || !delta.internal[0] || !(delta.opened || delta.ended.is_some()) {
            return;
        }
        if self.mail_servers.contains(tuple.orig.address) {
            return;
        }
        let rejected = delta.ended.is_some_and(|ending| self.is_rejected(&ending));
        if self.senders.len() >= MAX_HOSTS && !self.senders.contains_key(&tuple.orig.address) {
            self.evict();
        }
        let sender = self.senders.entry(tuple.orig.address).or_default();
        sender.count(delta, second, rejected);
        self.changed.push(tuple.orig.address);
    }

    /// Judges the hosts that second number `second` has changed, in the order of their addresses.
    pub fn judge(&mut self, second: u64, time_ns: u64, findings: &mut Vec<Finding>) {
        self.changed.sort_unstable();
        self.changed.dedup();
        for host in std::mem::take(&mut self.changed) {
            if let Some(sender) = self.senders.get_mut(&host) {
                sender.forget(second);
                sender.judge(&self.config, (host, second, time_ns), findings);
            }
        }
    }

    fn is_rejected(&self, ending: &Ending) -> bool {
        let sent = ending.orig.bytes.saturating_sub(HEADER_BYTES * ending.orig.packets);
        let quick = u128::from(ending.duration_ns) < self.config.reject_time.as_nanos();
        ending.by_responder && (quick || sent < self.config.reject_bytes)
    }

    /// Forgets those silent longest, one in sixteen at once, so that a flood pays for the search.
    #[cold]
    fn evict(&mut self) {
        let mut order: Vec<_> = self.senders.iter().map(|(address, sender)| (sender.last_second, *address)).collect();
        let share = MAX_HOSTS / 16;
        order.select_nth_unstable(share - 1);
        for (_, address) in &order[..share] {
            self.senders.remove(address);
            self.evicted += 1;
        }
    }
}

impl Sender {
    fn count(&mut self, delta: &FlowDelta, second: u64, rejected: bool) {
        self.last_second = second;
        let seen = (delta.last_ns, delta.macs[0], &delta.vlans, delta.interface);
        if seen > (self.last_ns, self.mac, &self.vlans, self.interface) {
            self.last_ns = delta.last_ns;
            self.mac = delta.macs[0];
            self.vlans.clone_from(&delta.vlans);
            self.interface = delta.interface;
        }
        if self.seconds.back().is_none_or(|&(last, ..)| last != second) {
            self.seconds.push_back((second, 0, 0));
        }
        if let Some((_, connections, rejects)) = self.seconds.back_mut() {
            *connections += u32::from(delta.opened);
            *rejects += u32::from(rejected);
        }
        let server = delta.tuple.resp;
        if self.servers.len() < MAX_SERVERS || self.servers.contains_key(&server.address) {
            let seen = self.servers.entry(server.address).or_default();
            seen.0 = second;
            if server.port == SMTP {
                seen.1 = second;
            }
        }
    }

    fn forget(&mut self, second: u64) {
        while self.seconds.front().is_some_and(|&(first, ..)| first + LONG_WINDOW <= second) {
            self.seconds.pop_front();
        }
        self.servers.retain(|_, seen| seen.0 + WINDOW > second);
    }

    fn judge(&mut self, config: &SmtpConfig, at: (Address, u64, u64), findings: &mut Vec<Finding>) {
        let (_, second, _) = at;
        let sum = |window: u64| {
            let inside = self.seconds.iter().filter(|&&(then, ..)| then + window > second);
            inside.fold((0, 0), |sum, &(_, c, r)| (sum.0 + u64::from(c), sum.1 + u64::from(r)))
        };
        let ((connections, rejects), (in_hour, _)) = (sum(WINDOW), sum(LONG_WINDOW));
        let servers = self.servers.len() as u64;
        let fanout = self.servers.values().filter(|seen| seen.1 > 0 && seen.1 + WINDOW > second).count() as u64;
        let by_hour = servers < config.bulk_servers && connections < config.bulk_connections_10m;
        let bulk = !by_hour || in_hour >= config.bulk_connections_1h;
        let share = rejects as f64 / connections.max(1) as f64;
        let rejected = connections >= config.reject_connections && share >= config.reject_ratio;
        let long = by_hour && bulk;
        let window = |long: bool| if long { LONG_WINDOW } else { WINDOW } as u32;
        let verdicts = [
            ("smtp.fanout", fanout >= config.fanout_servers, fanout, false),
            ("smtp.bulk", bulk, if long { in_hour } else { connections.max(servers) }, long),
            ("smtp.rejects", rejected, rejects, false),
        ];
        for (number, (rule, holds, count, long)) in verdicts.into_iter().enumerate() {
            if !holds || self.said[number] + REPEAT_SECONDS > second {
                continue;
            }
            self.said[number] = second;
            let connections = if long { in_hour } else { connections };
            findings.push(Finding {
                time_ns: at.2,
                rule,
                host: at.0,
                mac: self.mac,
                vlans: self.vlans.clone(),
                interface: self.interface,
                window_seconds: window(long),
                count,
                connections,
                servers,
                rejects,
                examples: self.examples(),
            });
        }
    }

    fn examples(&self) -> Vec<Address> {
        let mut servers: Vec<Address> = self.servers.keys().copied().collect();
        servers.sort_unstable();
        servers.truncate(EXAMPLES);
        servers
    }
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
