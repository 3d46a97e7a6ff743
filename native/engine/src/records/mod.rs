//! Records as Arrow batches: what the event log writes as lines, for whoever counts, keeps or looks through them.
//!
//! The merge thread hands over each second's records ([`RecordFeed`]), and whoever asks makes columns of them
//! ([`RecordReader`]), so that neither the workers nor the merge thread pay for it. One schema a kind, one file a kind;
//! times are nanoseconds since 1970-01-01 UTC.

mod columns;
mod common;
mod dns;
mod flow;
mod http;
mod queue;
mod ssh;
#[cfg(test)]
mod tests;
mod tls;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use serde::Deserialize;

use crate::flow::FlowRecord;
use crate::names::{AppEvent, AppRecord};

pub use queue::{RecordFeed, RecordReader, record_queue};

/// The objects of events that are all of one kind.
macro_rules! objects {
    ($rows:expr, $kind:ident) => {
        $rows
            .apps
            .iter()
            .filter_map(|record| match &record.event {
                AppEvent::$kind(object) => Some(&**object),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// A stretch of a flow.
    Flow,
    /// A DNS message.
    Dns,
    /// The beginning of a TLS connection.
    Tls,
    /// The beginning of a QUIC connection.
    Quic,
    /// A request and its response.
    Http,
    /// The beginning of an SSH connection.
    Ssh,
}

impl RecordKind {
    /// Every kind, in the order in which batches are given.
    pub const ALL: [Self; 6] = [Self::Flow, Self::Dns, Self::Tls, Self::Quic, Self::Http, Self::Ssh];

    /// EVE's `event_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Http => "http",
            Self::Ssh => "ssh",
        }
    }

    /// The kind of what was heard in a flow; none of what no batch tells.
    fn of(record: &AppRecord) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == record.event.kind())
    }

    /// These records, all of this kind, as Arrow; without any it is the schema that counts.
    ///
    /// # Errors
    /// Columns differ in length; a defect of the kind's file.
    pub fn batch(self, rows: &Rows<'_>, interfaces: &[String]) -> Result<RecordBatch, ArrowError> {
        if self == Self::Flow {
            return flow::batch(&rows.flows, interfaces);
        }
        let mut columns = common::of_apps(&rows.apps, interfaces);
        match self {
            Self::Flow => {}
            Self::Dns => dns::add(&mut columns, &objects!(rows, Dns)),
            Self::Tls => tls::add(&mut columns, &objects!(rows, Tls)),
            Self::Quic => tls::add_quic(&mut columns, &objects!(rows, Quic)),
            Self::Http => http::add(&mut columns, &objects!(rows, Http)),
            Self::Ssh => ssh::add(&mut columns, &objects!(rows, Ssh)),
        }
        columns.finish()
    }
}

/// Records that one batch is made of; only those of its own kind are filled.
#[derive(Debug, Default)]
pub struct Rows<'a> {
    flows: Vec<&'a FlowRecord>,
    apps: Vec<&'a AppRecord>,
}

impl<'a> Rows<'a> {
    fn len(&self) -> usize {
        self.flows.len() + self.apps.len()
    }
}
