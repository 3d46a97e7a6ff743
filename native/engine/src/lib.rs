//! State over time: frames in, flows, hosts, alerts' raw material and the event log out.
//!
//! [`Engine`] starts one thread a worker. A worker stores each frame in the [`pcap_ring`], decodes it, and counts it in
//! its [`flow`] table ([`pipeline`] shows this on one screen), and listens to what is said in flows ([`stream`], [`names`]). What reaches across flows goes by the second to one
//! [`merge`] thread, which keeps the [`host`] table and judges the mail windows of [`detect`]; records go on to the
//! thread of the event log ([`output`]).
#![forbid(unsafe_code)]

mod ask;
mod claims;
mod clock;
pub mod config;
mod counters;
pub mod detect;
mod engine;
pub mod extract;
pub mod find;
pub mod flow;
pub mod host;
mod live;
pub mod merge;
pub mod mirror;
pub mod names;
mod networks;
mod offline;
pub mod output;
pub mod pcap_ring;
pub mod pipeline;
pub mod punt;
mod query;
mod raw_mails;
pub mod records;
pub mod rows;
mod scan;
mod snapshot;
mod store;
pub mod stream;
pub mod sums;
#[cfg(test)]
mod testing;
pub mod traffic;
mod tunnels;
mod watch;
pub mod watchlist;
pub mod web;
mod wiring;

pub use config::EngineConfig;
pub use engine::{Engine, EngineError, Polled};
