//! From the merge thread to whoever wants records.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Select, Sender, TrySendError, bounded};

use super::{RecordKind, Rows};
use crate::config::Mode;
use crate::counters::{SinkState, lock};
use crate::flow::FlowRecord;
use crate::names::AppRecord;

/// Live, seconds that may wait.
const LIVE_SECONDS: usize = 120;
/// Live, records that may wait; about half a gigabyte at most.
const LIVE_RECORDS: usize = 1 << 20;
/// In `read`, seconds that may wait: whoever takes them is not far behind.
const READ_SECONDS: usize = 8;
/// Records that one answer holds at most, all kinds together.
const ANSWER_RECORDS: usize = 8192;

/// The records of a second, which the event log may have as well.
#[derive(Debug, Default)]
struct Second {
    flows: Arc<Vec<FlowRecord>>,
    apps: Arc<Vec<AppRecord>>,
}

impl Second {
    fn len(&self) -> usize {
        self.flows.len() + self.apps.len()
    }
}

/// The merge thread's end. Live, what does not fit is counted as lost; in `read` it waits.
#[derive(Debug)]
pub struct RecordFeed {
    sender: Sender<Second>,
    state: Arc<SinkState>,
    waiting: Arc<Mutex<usize>>,
    mode: Mode,
    flows: bool,
    apps: bool,
}

/// The end of whoever wants records.
#[derive(Debug)]
pub struct RecordReader {
    receiver: Receiver<Second>,
    state: Arc<SinkState>,
    waiting: Arc<Mutex<usize>>,
    kinds: Box<[RecordKind]>,
    interfaces: Arc<[String]>,
    /// What was received and not yet given, and how much of the first second was.
    begun: Mutex<(VecDeque<Second>, usize)>,
}

/// A queue for records of these kinds; `interfaces` are names by index.
pub fn record_queue(
    mode: Mode,
    kinds: &[RecordKind],
    interfaces: Arc<[String]>,
    state: &Arc<SinkState>,
) -> (RecordFeed, RecordReader) {
    let (sender, receiver) = bounded(if mode == Mode::Live { LIVE_SECONDS } else { READ_SECONDS });
    let waiting = Arc::default();
    let feed = RecordFeed {
        sender,
        state: Arc::clone(state),
        waiting: Arc::clone(&waiting),
        mode,
        flows: kinds.contains(&RecordKind::Flow),
        apps: kinds.iter().any(|&kind| kind != RecordKind::Flow),
    };
    let kinds = RecordKind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect();
    let begun = Mutex::default();
    (feed, RecordReader { receiver, state: Arc::clone(state), waiting, kinds, interfaces, begun })
}

impl RecordFeed {
    /// Hands a second over, without those records that nobody wants.
    pub fn send(&self, flows: &Arc<Vec<FlowRecord>>, apps: &Arc<Vec<AppRecord>>) {
        let second = Second {
            flows: if self.flows { Arc::clone(flows) } else { Arc::default() },
            apps: if self.apps { Arc::clone(apps) } else { Arc::default() },
        };
        let records = second.len();
        if records == 0 {
            return;
        }
        if self.mode == Mode::Read {
            // Nobody may want them any more.
            let _ = self.sender.send(second);
            return;
        }
        let mut waiting = lock(&self.waiting);
        let fits = *waiting == 0 || *waiting + records <= LIVE_RECORDS;
        let sent = fits && !matches!(self.sender.try_send(second), Err(TrySendError::Full(_)));
        if sent {
            *waiting += records;
        } else {
            self.state.lost(records as u64, "whoever takes the records is behind");
        }
    }
}

impl RecordReader {
    /// What has gathered, as one batch a kind that there is anything of: 8192 records at most, the rest at the next call.
    /// Waits at most `timeout` for the first; `None` when no more will come.
    ///
    /// # Errors
    /// A defect: the columns of a batch differ.
    pub fn take(&self, timeout: Duration) -> Result<Option<Vec<(RecordKind, RecordBatch)>>, ArrowError> {
        let mut begun = lock(&self.begun);
        let (seconds, given) = &mut *begun;
        if seconds.is_empty() {
            match self.receiver.recv_timeout(timeout) {
                Ok(second) => seconds.push_back(self.received(second)),
                Err(RecvTimeoutError::Timeout) => return Ok(Some(Vec::new())),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        let mut held: usize = seconds.iter().map(Second::len).sum::<usize>() - *given;
        while held < ANSWER_RECORDS {
            let Ok(second) = self.receiver.try_recv() else { break };
            held += second.len();
            seconds.push_back(self.received(second));
        }
        let batches = self.batches(seconds, *given)?;
        let mut over = *given + held.min(ANSWER_RECORDS);
        while seconds.front().is_some_and(|second| second.len() <= over) {
            over -= seconds.pop_front().map_or(0, |second| second.len());
        }
        *given = over;
        Ok(Some(batches))
    }

    /// Whether an answer was not enough for all that was received.
    pub(crate) fn has_begun(&self) -> bool {
        !lock(&self.begun).0.is_empty()
    }

    /// Lets somebody wait for records among other things.
    pub(crate) fn select<'a>(&'a self, select: &mut Select<'a>) {
        select.recv(&self.receiver);
    }

    /// Seconds that wait, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        (self.receiver.len(), self.receiver.capacity().unwrap_or(0))
    }

    fn received(&self, second: Second) -> Second {
        let mut waiting = lock(&self.waiting);
        *waiting = waiting.saturating_sub(second.len());
        second
    }

    /// The next records behind those that were given.
    fn batches(&self, seconds: &VecDeque<Second>, given: usize) -> Result<Vec<(RecordKind, RecordBatch)>, ArrowError> {
        let mut rows: [Rows<'_>; RecordKind::ALL.len()] = Default::default();
        let (mut skip, mut room) = (given, ANSWER_RECORDS);
        for second in seconds {
            let flows = second.flows.iter().skip(skip).take(room);
            let before = rows[RecordKind::Flow as usize].flows.len();
            rows[RecordKind::Flow as usize].flows.extend(flows);
            room -= rows[RecordKind::Flow as usize].flows.len() - before;
            skip = skip.saturating_sub(second.flows.len());
            for app in second.apps.iter().skip(skip).take(room) {
                room -= 1;
                if let Some(kind) = RecordKind::of(app) {
                    rows[kind as usize].apps.push(app);
                }
            }
            skip = skip.saturating_sub(second.apps.len());
        }
        let mut batches = Vec::new();
        for &kind in &self.kinds {
            let rows = &rows[kind as usize];
            if rows.len() > 0 {
                batches.push((kind, kind.batch(rows, &self.interfaces)?));
            }
        }
        self.state.wrote(batches.iter().map(|(_, batch)| batch.num_rows() as u64).sum());
        Ok(batches)
    }
}
