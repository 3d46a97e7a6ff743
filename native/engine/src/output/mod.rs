//! The event log: one thread that writes the lines of the core and those that Python hands in.

mod app_event;
mod common;
mod dns_event;
mod eve;
mod layer;
mod log_file;
mod mail_event;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use crate::config::Mode;
use crate::counters::SinkState;
use crate::flow::FlowRecord;
use crate::names::AppRecord;

pub use eve::{EveContext, protocol_name, timestamp};
pub(crate) use eve::{is_icmp, ports};
pub(crate) use layer::layers_json;
use log_file::LogFile;

/// Batches that may wait for the log.
const QUEUE_BATCHES: usize = 1024;
/// How often a log without news looks whether its file was rotated away.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What the log is given.
#[derive(Debug)]
enum Entry {
    Flows(Arc<Vec<FlowRecord>>),
    Apps(Arc<Vec<AppRecord>>),
    Line(String),
}

/// The sending end of the event log. Live, what does not fit in the queue is counted as lost; in `read` it waits.
#[derive(Debug, Clone)]
pub struct EventLog {
    sender: Sender<Entry>,
    state: Arc<SinkState>,
    mode: Mode,
    types: Arc<[String]>,
}

impl EventLog {
    /// Starts the thread that writes; it ends when the last [`EventLog`] is dropped. `context.config.path` need not be
    /// writable yet: it is tried again as long as there are records.
    pub fn start(context: EveContext, mode: Mode, state: Arc<SinkState>) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = bounded(QUEUE_BATCHES);
        let types = context.config.types.clone().into();
        let writer_state = Arc::clone(&state);
        let thread = thread::Builder::new().name("event-log".into()).spawn(move || {
            write_entries(&context, &receiver, &writer_state);
        })?;
        Ok((Self { sender, state, mode, types }, thread))
    }

    /// Writes a flow event for each record.
    pub fn flows(&self, records: Arc<Vec<FlowRecord>>) {
        if self.writes("flow") && !records.is_empty() {
            let count = records.len() as u64;
            self.send(Entry::Flows(records), count);
        }
    }

    /// Writes an event for each record whose type is wanted.
    pub fn apps(&self, records: Arc<Vec<AppRecord>>) {
        let count = records.iter().filter(|record| self.writes(record.event.kind())).count() as u64;
        if count > 0 {
            self.send(Entry::Apps(records), count);
        }
    }

    fn writes(&self, event_type: &str) -> bool {
        self.types.iter().any(|wanted| wanted == event_type)
    }

    /// Writes a line of JSON that Python made, without its newline.
    pub fn line(&self, line: String) {
        self.send(Entry::Line(line), 1);
    }

    /// Batches that wait, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        (self.sender.len(), QUEUE_BATCHES)
    }

    fn send(&self, entry: Entry, records: u64) {
        let lost = match self.mode {
            Mode::Read => self.sender.send(entry).is_err(),
            Mode::Live => match self.sender.try_send(entry) {
                Ok(()) => false,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => true,
            },
        };
        if lost {
            self.state.lost(records, "the event log is behind");
        }
    }
}

fn write_entries(context: &EveContext, entries: &Receiver<Entry>, state: &SinkState) {
    let mut file = LogFile::new(context.config.path.clone());
    let mut text = Vec::new();
    loop {
        match entries.recv_timeout(CHECK_INTERVAL) {
            Ok(entry) => {
                text.clear();
                let lines = render(context, entry, &mut text);
                match file.append(&text) {
                    Ok(()) => {
                        state.wrote(lines);
                        state.recovered();
                    }
                    Err(error) => state.lost(lines, &error.to_string()),
                }
            }
            Err(RecvTimeoutError::Timeout) => file.reopen_if_rotated(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn render(context: &EveContext, entry: Entry, text: &mut Vec<u8>) -> u64 {
    match entry {
        Entry::Flows(records) => {
            for record in records.iter() {
                context.render_flow(record, text);
            }
            records.len() as u64
        }
        Entry::Apps(records) => {
            let mut lines = 0;
            for record in records.iter().filter(|record| context.config.writes(record.event.kind())) {
                context.render_app(record, text);
                lines += 1;
            }
            lines
        }
        Entry::Line(line) => {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
            1
        }
    }
}
