//! The one place where the seconds of all workers meet: hosts, mail windows, and the order of records.

mod notice;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Select, Sender, TrySendError};
use wire::Mac;

use crate::claims::ClaimGate;
use crate::config::Mode;
use crate::counters::lock;
use crate::detect::{BeaconWatch, ClickWatch, Hit, SmtpWatch};
use crate::flow::{FlowDelta, FlowRecord};
use crate::host::HostTable;
use crate::mirror::{MirrorHealth, SourceDelta};
use crate::names::{AppRecord, NameSource, ResolvedNames};
use crate::output::EventLog;
use crate::punt::{PuntedFrame, PuntedFrames};
use crate::query::HostQuery;
use crate::records::RecordFeed;
use crate::traffic::Traffic;
use crate::web::WebWatch;

use notice::MAX_JUDGED;
pub use notice::Notice;

/// In `read`, so many frames of control protocols go over together at most, if nothing else has to go before.
const PUNTED_TOGETHER: usize = 1000;
/// Live, so many notices may wait with frames of control protocols in them; Python is behind by as many seconds.
const PUNTED_WAITING: usize = 60;
/// A worker that says nothing more has closed every second.
const ALL_CLOSED: u64 = u64::MAX;

/// What a worker hands over when a second of packet time has closed.
#[derive(Debug, Default)]
pub struct SecondDelta {
    /// Index of the worker.
    pub worker: usize,
    /// Number of the last second that has closed; the worker says nothing more about it or any before.
    pub second: u64,
    /// Whether these are only the first deltas of that second, and it has not closed.
    pub ahead: bool,
    /// Whether the worker says nothing more at all.
    pub last: bool,
    /// Packet time.
    pub time_ns: u64,
    /// Flows that changed.
    pub deltas: Vec<FlowDelta>,
    /// Flows that ended, and interim records.
    pub records: Vec<FlowRecord>,
    /// What was heard in flows.
    pub apps: Vec<AppRecord>,
    /// Meetings with watchlist entries (in `read`; live they go straight out).
    pub hits: Vec<Hit>,
    /// What the sources of frames have shown.
    pub sources: Vec<SourceDelta>,
    /// Frames of control protocols.
    pub punted: PuntedFrames,
    /// What hosts said of themselves.
    pub claims: PuntedFrames,
}

impl SecondDelta {
    /// An empty one of a worker, with a little more room than an earlier one needed: seconds are alike.
    pub fn with_room_of(worker: usize, earlier: &Self) -> Self {
        let room = |needed: usize| needed + needed / 4;
        Self {
            worker,
            deltas: Vec::with_capacity(room(earlier.deltas.len())),
            records: Vec::with_capacity(room(earlier.records.len())),
            apps: Vec::with_capacity(room(earlier.apps.len())),
            ..Self::default()
        }
    }
}

/// Numbers of the merge thread that others read.
#[derive(Debug, Default)]
pub struct MergeState {
    /// Packet time that every worker has passed.
    pub time_ns: AtomicU64,
    /// Hosts in the table.
    pub hosts_active: AtomicU64,
    /// Hosts that went because the table was full.
    pub hosts_evicted: AtomicU64,
    /// Peers that were not remembered.
    pub peers_forgotten: AtomicU64,
    /// Senders of mail that were forgotten because too many were watched.
    pub senders_evicted: AtomicU64,
    /// Sources of web requests that were forgotten because too many were watched.
    pub askers_evicted: AtomicU64,
    /// Pairs of host and remote end whose calls are remembered.
    pub beacon_pairs: AtomicU64,
    /// Those of more than a few calls that were forgotten because too many were watched.
    pub beacon_pairs_evicted: AtomicU64,
    /// Hosts of links, and who followed them, that were forgotten too early.
    pub clicks_forgotten: AtomicU64,
    /// Findings and reports that Python did not take in time.
    pub notices_dropped: AtomicU64,
    /// What hosts have looked up.
    pub names: Mutex<ResolvedNames>,
    /// Frames of control protocols that Python did not take in time.
    pub punted_dropped: AtomicU64,
    /// How the mirror is.
    pub mirror: Mutex<MirrorHealth>,
    /// Flow records added up, if somebody wants that.
    pub traffic: Option<Mutex<Traffic>>,
}

/// Where the merge thread speaks to.
#[derive(Debug)]
pub struct Outlets {
    /// Flow records.
    pub log: Option<EventLog>,
    /// Records for whoever wants them as Arrow.
    pub records: Option<RecordFeed>,
    /// Findings, and in `read` hits.
    pub notices: Sender<Notice>,
    /// In `read` with a log: Python has dealt with the last notice.
    pub acknowledged: Receiver<()>,
}

/// What is known across flows.
#[derive(Debug)]
pub struct Tables {
    /// Hosts.
    pub hosts: HostTable,
    /// Senders of mail.
    pub smtp: SmtpWatch,
    /// Calls at a machine's pace.
    pub beacons: BeaconWatch,
    /// Links of mails.
    pub clicks: ClickWatch,
    /// Who asks web servers, if those are watched.
    pub web: Option<WebWatch>,
}

/// Merges the seconds of all workers in a fixed order.
#[derive(Debug)]
pub struct Merge {
    mode: Mode,
    waiting: Vec<VecDeque<SecondDelta>>,
    closed: Vec<u64>,
    hosts: HostTable,
    smtp: SmtpWatch,
    web: Option<WebWatch>,
    beacons: BeaconWatch,
    clicks: ClickWatch,
    outlets: Outlets,
    /// What tells who hosts are and has not gone over yet.
    punted: Vec<PuntedFrame>,
    claims: ClaimGate,
    routers: Vec<Mac>,
    state: Arc<MergeState>,
}

impl Merge {
    /// A merge of `workers` workers that keeps its numbers in `state`.
    pub fn new(mode: Mode, workers: usize, tables: Tables, outlets: Outlets, state: Arc<MergeState>) -> Self {
        Self {
            mode,
            waiting: (0..workers).map(|_| VecDeque::new()).collect(),
            closed: vec![0; workers],
            hosts: tables.hosts,
            smtp: tables.smtp,
            web: tables.web,
            beacons: tables.beacons,
            clicks: tables.clicks,
            outlets,
            punted: Vec::new(),
            claims: ClaimGate::default(),
            routers: Vec::new(),
            state,
        }
    }

    /// Runs until every worker has said its last second, then answers questions until nobody can ask any more.
    pub fn run(mut self, seconds: &Receiver<SecondDelta>, queries: &Receiver<HostQuery>) {
        let mut select = Select::new();
        let from_workers = select.recv(seconds);
        select.recv(queries);
        while self.closed.iter().any(|&second| second != ALL_CLOSED) {
            let ready = select.select();
            if ready.index() == from_workers {
                match ready.recv(seconds) {
                    Ok(delta) => self.take(delta),
                    Err(_) => break,
                }
            } else if let Ok(query) = ready.recv(queries) {
                query.answer(&self.hosts);
            } else {
                select.remove(1);
            }
        }
        if self.mode == Mode::Read {
            let time_ns = self.state.time_ns.load(Ordering::Relaxed);
            let conditions = lock(&self.state.mirror).finish(time_ns);
            self.notify(Notice { time_ns, conditions, ..Notice::default() }, true);
        }
        self.outlets.log = None;
        self.outlets.records = None;
        drop(std::mem::replace(&mut self.outlets.notices, crossbeam_channel::bounded(0).0));
        for query in queries {
            query.answer(&self.hosts);
        }
    }

    fn take(&mut self, delta: SecondDelta) {
        if !delta.ahead {
            self.closed[delta.worker] = if delta.last { ALL_CLOSED } else { delta.second };
        }
        self.waiting[delta.worker].push_back(delta);
        let passed = self.closed.iter().copied().min().unwrap_or(0);
        loop {
            let fronts = self.waiting.iter().filter_map(VecDeque::front);
            match fronts.map(|delta| delta.second).min() {
                Some(second) if second <= passed => self.merge(second),
                Some(second) if second == passed + 1 => return self.merge_ahead(second),
                _ => return,
            }
        }
    }

    /// All seconds before this one are merged: deltas that have come ahead of it need not wait.
    fn merge_ahead(&mut self, second: u64) {
        for worker in 0..self.waiting.len() {
            while let Some(ahead) = pop_if(&mut self.waiting[worker], |own| own.ahead && own.second == second) {
                self.apply(&ahead.deltas, second);
            }
        }
    }

    /// Takes what flows did in a second; the order within it does not matter.
    fn apply(&mut self, deltas: &[FlowDelta], second: u64) {
        let mut mirror = lock(&self.state.mirror);
        self.hosts.open_second(second);
        for delta in deltas {
            self.hosts.apply(delta);
            self.smtp.apply(delta, second);
            mirror.meet(delta, second);
        }
    }

    /// Takes what all workers say of a second. Tables do not depend on the order within a second; what is written does,
    /// and is sorted.
    fn merge(&mut self, second: u64) {
        let mut notice = Notice::default();
        let mut records = Vec::new();
        let mut apps = Vec::new();
        let mut sources = Vec::new();
        let mut punted = Vec::new();
        self.merge_ahead(second);
        for worker in 0..self.waiting.len() {
            let Some(own) = pop_if(&mut self.waiting[worker], |own| own.second == second) else { continue };
            self.apply(&own.deltas, second);
            notice.time_ns = notice.time_ns.max(own.time_ns);
            append(&mut notice.hits, own.hits);
            append(&mut records, own.records);
            append(&mut apps, own.apps);
            append(&mut sources, own.sources);
            punted.extend(own.punted.into_frames());
            punted.extend(own.claims.into_frames());
        }
        punted.sort_unstable();
        punted.retain(|frame| self.claims.passes(frame));
        self.punted.append(&mut punted);
        self.routers.append(&mut self.hosts.take_routers());
        notice.hits.sort_by_key(|hit| (hit.time_ns, hit.flow_id, hit.event));
        // Records are large: their keys are sorted, and each record moves once.
        records.sort_by_cached_key(|record: &FlowRecord| (record.time_ns, record.start_ns, record.flow_id, record.end));
        self.smtp.judge(second, notice.time_ns, &mut notice.findings);
        notice.conditions = lock(&self.state.mirror).take(second, notice.time_ns, sources);
        // Of one flow the order is the one in which its worker heard it.
        apps.sort_by_cached_key(|app: &AppRecord| (app.time_ns, app.flow_id));
        if let Some(web) = &mut self.web {
            notice.web = web.take(second, &mut apps);
        }
        let mut lost = notice.take_apps(&apps, self.mode);
        notice.clicks = self.clicks.take(&apps);
        if self.mode == Mode::Live {
            lost += notice.web.len().saturating_sub(MAX_JUDGED) as u64;
            notice.web.truncate(MAX_JUDGED);
        }
        self.state.notices_dropped.fetch_add(lost, Ordering::Relaxed);
        self.name_flows(&apps, &mut records);
        self.beacons.take(&records, notice.time_ns, &mut notice.beacons);
        if let Some(traffic) = &self.state.traffic {
            lock(traffic).take(&records);
        }
        self.publish(notice.time_ns);
        self.notify(notice, false);
        let (apps, records) = (Arc::new(apps), Arc::new(records));
        if let Some(feed) = &self.outlets.records {
            feed.send(&records, &apps);
        }
        if let Some(log) = &self.outlets.log {
            log.apps(apps);
            log.flows(records);
        }
    }

    /// Learns what was looked up, and gives flows without a name of their own the one that led to them.
    fn name_flows(&self, apps: &[AppRecord], records: &mut [FlowRecord]) {
        let mut names = lock(&self.state.names);
        for app in apps {
            names.learn(app);
        }
        for record in records.iter_mut().filter(|record| record.name.is_none()) {
            let name = names.name(record.tuple.orig.address, record.tuple.resp.address, record.start_ns);
            record.name = name.map(|name| (Arc::clone(name), NameSource::Resolved));
        }
    }

    fn publish(&self, time_ns: u64) {
        self.state.time_ns.fetch_max(time_ns, Ordering::Relaxed);
        self.state.hosts_active.store(self.hosts.len() as u64, Ordering::Relaxed);
        self.state.hosts_evicted.store(self.hosts.evicted(), Ordering::Relaxed);
        self.state.peers_forgotten.store(self.hosts.peers_forgotten(), Ordering::Relaxed);
        self.state.senders_evicted.store(self.smtp.evicted(), Ordering::Relaxed);
        let askers_evicted = self.web.as_ref().map_or(0, WebWatch::evicted);
        self.state.askers_evicted.store(askers_evicted, Ordering::Relaxed);
        self.state.beacon_pairs.store(self.beacons.len() as u64, Ordering::Relaxed);
        self.state.beacon_pairs_evicted.store(self.beacons.evicted(), Ordering::Relaxed);
        self.state.clicks_forgotten.store(self.clicks.forgotten(), Ordering::Relaxed);
    }

    /// Tells Python. Where `read` writes a log the next records wait until Python has written its own lines, so that the
    /// log is the same in every run; in `read` who hosts are waits until somebody asks for it.
    fn notify(&mut self, mut notice: Notice, last: bool) {
        let can_wait = self.mode == Mode::Read && !last && self.punted.len() < PUNTED_TOGETHER;
        if !(can_wait && notice.is_empty()) {
            notice.punted = std::mem::take(&mut self.punted);
            notice.routers = std::mem::take(&mut self.routers);
        }
        if notice.is_silent() {
            return;
        }
        if self.mode == Mode::Live && self.outlets.notices.len() >= PUNTED_WAITING {
            let lost = std::mem::take(&mut notice.punted).len() as u64;
            self.state.punted_dropped.fetch_add(lost, Ordering::Relaxed);
        }
        match self.mode {
            Mode::Read => {
                // A closed channel means that nobody listens any more.
                if self.outlets.notices.send(notice).is_ok() && self.outlets.log.is_some() {
                    let _ = self.outlets.acknowledged.recv();
                }
            }
            Mode::Live => {
                if let Err(TrySendError::Full(notice) | TrySendError::Disconnected(notice)) =
                    self.outlets.notices.try_send(notice)
                {
                    self.state.notices_dropped.fetch_add(notice.len() as u64, Ordering::Relaxed);
                    self.state.punted_dropped.fetch_add(notice.punted.len() as u64, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Takes what comes first if it is wanted.
fn pop_if(queue: &mut VecDeque<SecondDelta>, wanted: impl Fn(&SecondDelta) -> bool) -> Option<SecondDelta> {
    if queue.front().is_some_and(wanted) { queue.pop_front() } else { None }
}

/// Puts `more` behind `all`; what one worker says is not copied.
fn append<T>(all: &mut Vec<T>, more: Vec<T>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.extend(more);
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
