//! Watchlists of addresses, names, URLs and TLS fingerprints: parse, compile, look up.
//!
//! [`Watchlists::compile`] reads plain and CSV lists and never fails as a whole: every line that is refused is counted,
//! and the first [`MAX_REFUSED_KEPT`] of a list are told with line, column and reason. The result does not change any
//! more and is shared by all workers; a new one replaces it. [`Watchlists::lookup`] is called once a flow, the other
//! look-ups for each name, URL and fingerprint that a flow shows.
//!
//! An indicator is an address, a network, `address:port`, a domain (`evil.example`: that name alone), a suffix
//! (`*.evil.example` or `.evil.example`: the name and all below it), a URL (with `http://` or `https://`: that scheme,
//! host, port, path and query) or a JA4 fingerprint. What it is, its text tells, or the column `type`.
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
mod domain;
mod entries;
mod entry;
mod expiry;
mod indicator;
mod ja4;
mod known;
mod level;
mod link;
mod listed;
mod name;
#[cfg(test)]
mod name_tests;
mod names;
mod network;
mod parse_csv;
mod parse_plain;
mod reason;
mod table;
mod terms;
#[cfg(test)]
mod tests;
mod url;

use std::borrow::Cow;
use std::fmt;

use wire::Address;

pub use build::MAX_REFUSED_KEPT;
pub use csv_header::COLUMNS;
pub use link::Link;

use build::List;
use indicator::Indicator;
use ja4::Ja4;
use name::Name;
use table::{Table, TableBuilder};
use url::Url;

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
    /// The file's bytes. A copy of them is kept.
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
    /// The end whose address is listed; of a name, a URL or a fingerprint the responder, which is what it leads to.
    pub matched: Side,
}

/// What an entry lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndicatorKind {
    /// One address.
    Ip,
    /// A network, with or without a port.
    Cidr,
    /// One address with a port.
    IpPort,
    /// A name, and none below it.
    Domain,
    /// A name and all below it.
    Suffix,
    /// A URL.
    Url,
    /// The JA4 fingerprint of a TLS client.
    Ja4,
}

impl IndicatorKind {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Ip, Self::Cidr, Self::IpPort, Self::Domain, Self::Suffix, Self::Url, Self::Ja4];

    /// `ip`, `cidr`, `ip_port`, `domain`, `suffix`, `url` or `ja4`, as in the `type` column and the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Cidr => "cidr",
            Self::IpPort => "ip_port",
            Self::Domain => "domain",
            Self::Suffix => "suffix",
            Self::Url => "url",
            Self::Ja4 => "ja4",
        }
    }
}

/// An entry for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name of the list.
    pub list: String,
    /// The indicator in its usual form, with the port of a `port` column: `203.0.113.9:443`, `*.evil.example`.
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
pub struct KindCounts([u64; IndicatorKind::ALL.len()]);

impl KindCounts {
    /// Entries of this kind.
    pub fn get(&self, kind: IndicatorKind) -> u64 {
        self.0[kind as usize]
    }

    /// All kinds with their entries.
    pub fn iter(&self) -> impl Iterator<Item = (IndicatorKind, u64)> + '_ {
        IndicatorKind::ALL.into_iter().map(|kind| (kind, self.get(kind)))
    }

    fn of(&mut self, kind: IndicatorKind) -> &mut u64 {
        &mut self.0[kind as usize]
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
        Some(self.found(entry, matched))
    }

    /// The entry that lists a name or a suffix of it, if there is one.
    ///
    /// The name is as a packet has it: labels with dots between them, in any case, with or without one at the end.
    /// Of several entries the one that is named is, in this order: the one for that name alone, with the longer suffix,
    /// with the lower severity number, of the earlier list, in the earlier line. If any of them has the action `allow`
    /// there is no match. `time_ns` is the packet time, at which `valid_until` is judged. Does not allocate.
    #[inline]
    pub fn domain(&self, name: &[u8], time_ns: u64) -> Option<Match> {
        self.table.domain(name, time_ns).map(|entry| self.found(entry, Side::Resp))
    }

    /// The entry that lists the URL of an HTTP request, if there is one.
    ///
    /// `host` is what the request's Host field says (without one, its authority), `port` the server's, which counts
    /// where the field names none, and `target` what it asks for; a target with a scheme, as a proxy gets it, stands
    /// for itself, whatever the host. Order, `allow` and time as for [`Self::domain`]. Does not allocate.
    #[inline]
    pub fn url(&self, host: &[u8], port: u16, target: &[u8], time_ns: u64) -> Option<Match> {
        if !self.table.has_names() {
            return None;
        }
        let url = Name::Url(Url::on_wire(host, port, target)?);
        self.table.whole(&url, time_ns).map(|entry| self.found(entry, Side::Resp))
    }

    /// The entry that lists a TLS client's JA4 fingerprint, if there is one. Order, `allow` and time as for
    /// [`Self::domain`]. Does not allocate.
    #[inline]
    pub fn ja4(&self, fingerprint: &[u8], time_ns: u64) -> Option<Match> {
        if !self.table.has_names() {
            return None;
        }
        let ja4 = Name::Ja4(Ja4::parse(fingerprint)?);
        self.table.whole(&ja4, time_ns).map(|entry| self.found(entry, Side::Resp))
    }

    fn found(&self, entry: u32, matched: Side) -> Match {
        Match { list: self.table.get(entry).1.list, entry, matched }
    }

    /// What the matched entry says. Reads a CSV row again: for hits, not for packets.
    ///
    /// # Panics
    /// If `found` was not found in these lists.
    pub fn describe(&self, found: &Match) -> Description {
        let list = &self.lists[found.list as usize];
        let (network, terms, row) = self.table.get(found.entry);
        let address = network.map(|network| Indicator { network, port: terms.port }.to_string());
        Description {
            list: list.name().to_owned(),
            indicator: address.unwrap_or_else(|| list.name_at(row, terms.kind)),
            kind: terms.kind,
            severity: terms.severity,
            metadata: list.metadata(row),
        }
    }

    /// What a list was compiled from; none if there are not so many.
    pub fn text(&self, list: usize) -> Option<&[u8]> {
        self.lists.get(list).map(List::text)
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
