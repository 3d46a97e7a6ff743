//! Address watchlists: parse, compile, look up.
//!
//! [`Watchlists::compile`] reads plain and CSV lists and never fails as a whole: every line that is refused is counted,
//! and the first [`MAX_REFUSED_KEPT`] of a list are told with line, column and reason. The result does not change any
//! more and is shared by all workers; a new one replaces it. [`Watchlists::lookup`] is called once a flow.
//!
//! A **plain** list has one indicator a line; `#` starts a comment at the start of a line or after white space.
//!
//! A **CSV** list (RFC 4180) has a header with any of the columns [`COLUMNS`], in any order, of which only `indicator`
//! is required. A line that starts with `#` is a comment; a row whose first value does is written in quotes.
//!
//! Both are UTF-8, with or without a byte order mark, with LF or CRLF.

mod build;
mod csv_header;
mod csv_row;
mod entry;
mod expiry;
mod indicator;
mod level;
mod network;
mod parse_csv;
mod parse_plain;
mod reason;
mod table;
mod terms;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use wire::Address;

pub use build::MAX_REFUSED_KEPT;
pub use csv_header::COLUMNS;

use build::List;
use table::{Table, TableBuilder};

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// One indicator a line.
    Plain,
    /// The sensor's own CSV.
    Csv,
}

/// A list as read from its file.
#[derive(Clone, Debug)]
pub struct ListText<'a> {
    /// What hits, metrics and messages call it.
    pub name: String,
    /// How it is written.
    pub format: ListFormat,
    /// The file's bytes. Of a CSV list they are kept, for the metadata of its hits.
    pub text: Cow<'a, [u8]>,
    /// Severity of entries that name none, 1 (high) to 4 (info); anything else counts as the nearest of these.
    pub default_severity: u8,
}

/// An end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The originator.
    Orig,
    /// The responder.
    Resp,
}

/// A flow to be looked up.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Address and port of the originator.
    pub orig: (Address, u16),
    /// Address and port of the responder.
    pub resp: (Address, u16),
    /// IANA protocol number; entries with a port are met only by TCP, UDP, SCTP, DCCP and UDP-Lite.
    pub protocol: u8,
    /// Whether the originator is one of the operator's own hosts.
    pub orig_internal: bool,
    /// Whether the responder is one of the operator's own hosts.
    pub resp_internal: bool,
    /// Packet time in ns since 1970, at which `valid_until` is judged.
    pub time_ns: u64,
}

impl Query {
    #[inline]
    fn end(&self, side: Side) -> (Address, u16) {
        match side {
            Side::Orig => self.orig,
            Side::Resp => self.resp,
        }
    }

    #[inline]
    fn is_internal(&self, side: Side) -> bool {
        match side {
            Side::Orig => self.orig_internal,
            Side::Resp => self.resp_internal,
        }
    }
}

/// A flow meets an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Index of the list, as given to [`Watchlists::compile`].
    pub list: u32,
    /// Number of the entry in these [`Watchlists`].
    pub entry: u32,
    /// The end whose address is listed.
    pub matched: Side,
}

/// What an entry lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndicatorKind {
    /// One address.
    Ip,
    /// A network, with or without a port.
    Cidr,
    /// One address with a port.
    IpPort,
}

impl IndicatorKind {
    /// `ip`, `cidr` or `ip_port`, as in the `type` column and the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Cidr => "cidr",
            Self::IpPort => "ip_port",
        }
    }
}

/// An entry for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name of the list.
    pub list: String,
    /// The indicator in its usual form, with the port of a `port` column: `203.0.113.9:443`.
    pub indicator: String,
    /// What it lists.
    pub kind: IndicatorKind,
    /// 1 (high) to 4 (info).
    pub severity: u8,
    /// The row's columns that are not empty and not told above, in the header's order. Text from outside.
    pub metadata: Vec<(&'static str, String)>,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Entries by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCounts {
    /// Single addresses.
    pub ip: u64,
    /// Networks.
    pub cidr: u64,
    /// Addresses with a port.
    pub ip_port: u64,
}

impl KindCounts {
    fn of(&mut self, kind: IndicatorKind) -> &mut u64 {
        match kind {
            IndicatorKind::Ip => &mut self.ip,
            IndicatorKind::Cidr => &mut self.cidr,
            IndicatorKind::IpPort => &mut self.ip_port,
        }
    }
}

/// What became of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListSummary {
    /// Its name.
    pub name: String,
    /// Entries that are matched.
    pub entries: u64,
    /// The same by kind.
    pub by_kind: KindCounts,
    /// Lines that say what an earlier line of the list says; the earlier one's metadata counts.
    pub duplicates: u64,
    /// The first [`MAX_REFUSED_KEPT`] lines that were refused.
    pub refused: Vec<Refused>,
    /// All lines that were refused.
    pub refused_total: u64,
}

/// Compiled lists.
pub struct Watchlists {
    lists: Vec<List>,
    table: Table,
}

impl Watchlists {
    /// Reads the lists. Takes a fraction of a second for a million entries: not for a thread that handles packets.
    pub fn compile(texts: &[ListText<'_>]) -> Self {
        let mut builder = TableBuilder::new();
        let mut lists: Vec<List> =
            (0..).zip(texts).map(|(index, list)| List::read(index, list, &mut builder)).collect();
        let (table, mut dropped) = builder.finish();
        dropped.sort_unstable_by_key(|entry| (entry.terms.list, entry.row));
        for entries in dropped.chunk_by(|one, next| one.terms.list == next.terms.list) {
            let index = entries[0].terms.list as usize;
            lists[index].drop_entries(entries, &texts[index].text);
        }
        Self { lists, table }
    }

    /// The entry that best explains why the flow is of interest, if there is one.
    ///
    /// Both ends are looked up. Of several entries the one that is named is, in this order: the one with a port, with
    /// the longer prefix, with the lower severity number, of the earlier list, in the earlier line. If an entry
    /// with the action `allow` is met at either end, there is no match.
    #[inline]
    pub fn lookup(&self, query: &Query) -> Option<Match> {
        let (entry, matched) = self.table.lookup(query)?;
        Some(Match { list: self.table.get(entry).1.list, entry, matched })
    }

    /// What the matched entry says. Reads a CSV row again: for hits, not for packets.
    ///
    /// # Panics
    /// If `found` was not found in these lists.
    pub fn describe(&self, found: &Match) -> Description {
        let list = &self.lists[found.list as usize];
        let (indicator, terms, row) = self.table.get(found.entry);
        Description {
            list: list.name().to_owned(),
            indicator: indicator.to_string(),
            kind: terms.kind(),
            severity: terms.severity,
            metadata: list.metadata(row),
        }
    }

    /// What became of each list, in the order given.
    pub fn summary(&self) -> Vec<ListSummary> {
        self.lists.iter().map(|list| list.summary().clone()).collect()
    }
}

impl Default for Watchlists {
    /// No lists.
    fn default() -> Self {
        Self::compile(&[])
    }
}

impl fmt::Debug for Watchlists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lists.iter().map(List::name)).finish()
    }
}
