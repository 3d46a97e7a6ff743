//! One list on its way into the table.

use std::fmt::Display;

use super::csv_header::Header;
use super::indicator::Indicator;
use super::reason::{Reason, Refusal};
use super::table::{Inserted, TableBuilder};
use super::terms::{Action, Direction, Terms};
use super::{IndicatorKind, ListFormat, ListSummary, ListText, Refused, parse_csv, parse_plain};

/// Refused lines of one list that are told; more are only counted.
pub const MAX_REFUSED_KEPT: usize = 1000;

/// Rows are found again by a byte offset of this type.
const MAX_TEXT_BYTES: usize = u32::MAX as usize;

/// The shortest line that gives an entry, for a first guess: `1.1.1.1` and a line end.
const MIN_USUAL_LINE_BYTES: usize = 8;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A list that was read.
pub(super) struct List {
    summary: ListSummary,
    /// Where the metadata of a CSV list's hits come from.
    rows: Option<(Header, Vec<u8>)>,
}

impl List {
    /// Reads a list into `table`.
    pub(super) fn read(index: u32, list: ListText, table: &mut TableBuilder) -> Self {
        let ListText { name, format, text, default_severity } = list;
        let summary = ListSummary { name, ..ListSummary::default() };
        let mut builder = ListBuilder { index, default_severity: default_severity.clamp(1, 4), table, summary };
        let header = builder.read(format, &text);
        Self { summary: builder.summary, rows: header.map(|header| (header, text)) }
    }

    /// The list's name.
    pub(super) fn name(&self) -> &str {
        &self.summary.name
    }

    /// What became of it.
    pub(super) fn summary(&self) -> &ListSummary {
        &self.summary
    }

    /// The columns of the row that starts at byte `row`; none in a plain list.
    pub(super) fn metadata(&self, row: usize) -> Vec<(&'static str, String)> {
        self.rows.as_ref().map_or_else(Vec::new, |(header, text)| header.metadata(&text[row..]))
    }
}

/// Where the parsers put what they read.
pub(super) struct ListBuilder<'a> {
    index: u32,
    default_severity: u8,
    table: &'a mut TableBuilder,
    summary: ListSummary,
}

impl ListBuilder<'_> {
    fn read(&mut self, format: ListFormat, text: &[u8]) -> Option<Header> {
        if let Some(reason) = unreadable(text) {
            self.refuse(1, 1, &reason);
            return None;
        }
        let lines = memchr::memchr_iter(b'\n', text).count() + 1;
        self.table.reserve(lines.min(text.len() / MIN_USUAL_LINE_BYTES));
        let start = if text.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        match format {
            ListFormat::Plain => {
                parse_plain::parse(&text[start..], self);
                None
            }
            ListFormat::Csv => parse_csv::parse(text, start, self),
        }
    }

    /// The terms of an entry for which the list says nothing more.
    #[inline]
    pub(super) fn default_terms(&self, indicator: &Indicator) -> Terms {
        Terms {
            valid_until_ns: super::expiry::NEVER_NS,
            list: self.index,
            port: indicator.port,
            protocol: None,
            bits: indicator.network.bits,
            severity: self.default_severity,
            direction: Direction::Any,
            action: Action::Alert,
        }
    }

    /// Adds an entry whose row starts at byte `row`.
    ///
    /// # Errors
    /// When the table has no room for it.
    #[inline]
    pub(super) fn add(&mut self, indicator: &Indicator, terms: &Terms, row: u32) -> Result<(), Refusal> {
        match self.table.insert(indicator.network, terms, row).map_err(|reason| reason.at(0))? {
            Inserted::Duplicate => self.summary.duplicates += 1,
            Inserted::New => {
                self.summary.entries += 1;
                *match terms.kind() {
                    IndicatorKind::Ip => &mut self.summary.by_kind.ip,
                    IndicatorKind::Cidr => &mut self.summary.by_kind.cidr,
                    IndicatorKind::IpPort => &mut self.summary.by_kind.ip_port,
                } += 1;
            }
        }
        Ok(())
    }

    /// Whether the next refused line will be told, so that its place is worth finding out.
    pub(super) fn tells_refused(&self) -> bool {
        self.summary.refused.len() < MAX_REFUSED_KEPT
    }

    /// Counts a refused line, and tells it if it is among the first.
    pub(super) fn refuse(&mut self, line: usize, column: usize, reason: &dyn Display) {
        self.summary.refused_total += 1;
        if self.tells_refused() {
            let narrow = |place| u32::try_from(place).unwrap_or(u32::MAX);
            let refused = Refused { line: narrow(line), column: narrow(column), reason: reason.to_string() };
            self.summary.refused.push(refused);
        }
    }
}

/// What makes every line of a text unreadable.
fn unreadable(text: &[u8]) -> Option<Reason> {
    if UTF16_MARKS.iter().any(|mark| text.starts_with(mark)) {
        return Some(Reason::Utf16);
    }
    (text.len() > MAX_TEXT_BYTES).then_some(Reason::ListTooLong)
}

/// Characters in `text`, also where it is not UTF-8.
pub(super) fn count_characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}
