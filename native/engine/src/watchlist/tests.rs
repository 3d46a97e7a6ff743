//! Whole lists: what is taken, what is refused where, and what a flow meets.

mod bounds;
mod csv;
mod lookup;
mod model;
mod plain;

use std::net::IpAddr;

use super::*;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const NOT_AN_INDICATOR: &str = "not an address, a network, address:port, a name, a URL or a JA4 fingerprint";
const NOON_NS: u64 = 1_795_348_800_000_000_000; // 2026-11-22T12:00:00Z

fn list(name: &str, format: ListFormat, text: &[u8]) -> ListText<'static> {
    ListText { name: name.to_owned(), format, text: text.to_vec().into(), default_severity: 2 }
}

fn plain(text: &str) -> Watchlists {
    Watchlists::compile(&[list("plain", ListFormat::Plain, text.as_bytes())])
}

fn csv(text: &str) -> Watchlists {
    Watchlists::compile(&[list("csv", ListFormat::Csv, text.as_bytes())])
}

fn address(text: &str) -> Address {
    text.parse::<IpAddr>().expect("an address").into()
}

/// A TCP connection from 10.0.0.7, ours, to `resp` port `port`.
fn outward(resp: &str, port: u16) -> Query {
    Query {
        orig: (address("10.0.0.7"), 50_000),
        resp: (address(resp), port),
        protocol: TCP,
        orig_internal: true,
        resp_internal: false,
        time_ns: NOON_NS,
    }
}

/// The same connection, opened by the other side.
fn inward(orig: &str, port: u16) -> Query {
    let Query { orig: ours, resp: theirs, .. } = outward(orig, port);
    Query { orig: theirs, resp: ours, orig_internal: false, resp_internal: true, ..outward(orig, port) }
}

/// The indicator and list that a flow meets.
fn met(lists: &Watchlists, query: &Query) -> Option<(String, String)> {
    let description = lists.describe(&lists.lookup(query)?);
    Some((description.indicator, description.list))
}

fn indicator(lists: &Watchlists, query: &Query) -> Option<String> {
    met(lists, query).map(|(indicator, _)| indicator)
}

/// Line, column and reason of everything that the first list refused.
fn refused(lists: &Watchlists) -> Vec<(u32, u32, String)> {
    let summary = lists.summary().remove(0);
    assert_eq!(summary.refused_total, summary.refused.len() as u64);
    summary.refused.into_iter().map(|refused| (refused.line, refused.column, refused.reason)).collect()
}

/// The kinds that a list has, with their entries.
fn kinds(summary: &ListSummary) -> Vec<(&'static str, u64)> {
    summary.by_kind.iter().filter(|(_, entries)| *entries > 0).map(|(kind, entries)| (kind.as_str(), entries)).collect()
}

fn only_refusal(lists: &Watchlists) -> (u32, u32, String) {
    let mut all = refused(lists);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}
