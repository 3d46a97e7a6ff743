//! One list on its way into the table.

use std::fmt::Display;

use super::csv_header::Header;
use super::indicator::Indicator;
use super::level::Dropped;
use super::listed::Listed;
use super::name::Name;
use super::network::HOST_BITS;
use super::reason::{Reason, Refusal};
use super::table::TableBuilder;
use super::terms::{Action, Direction, Terms};
use super::{IndicatorKind, ListFormat, ListSummary, ListText, Refused, parse_csv, parse_plain};

/// Refused lines of one list that are told; more are only counted.
pub const MAX_REFUSED_KEPT: usize = 1000;

/// Rows are found again by a byte offset of this type.
const MAX_TEXT_BYTES: usize = u32::MAX as usize;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A list that was read.
pub(super) struct List {
    summary: ListSummary,
    /// None in a plain list.
    header: Option<Header>,
    /// Where hits have their names and metadata from, and a later load the list, should its file be bad by then.
    text: Vec<u8>,
}

impl List {
    /// Reads a list into `table`.
    pub(super) fn read(index: u32, list: &ListText<'_>, table: &mut TableBuilder) -> Self {
        let summary = ListSummary { name: list.name.clone(), ..ListSummary::default() };
        let mut builder = ListBuilder { index, default_severity: list.default_severity.clamp(1, 4), table, summary };
        let header = builder.read(list.format, &list.text);
        Self { summary: builder.summary, header, text: list.text.to_vec() }
    }

    /// These entries of this list, in the order of their rows in `text`, did not come into the table.
    pub(super) fn drop_entries(&mut self, dropped: &[Dropped], text: &[u8]) {
        let (mut passed, mut line) = (0, 1);
        for entry in dropped {
            self.summary.entries -= 1;
            *self.summary.by_kind.of(entry.terms.kind) -= 1;
            if entry.is_duplicate {
                self.summary.duplicates += 1;
                continue;
            }
            let row = entry.row as usize;
            line += memchr::memchr_iter(b'\n', &text[passed..row]).count();
            passed = row;
            let line_start = memchr::memrchr(b'\n', &text[..row]).map_or(0, |end| end + 1);
            refuse(&mut self.summary, line, 1 + count_characters(&text[line_start..row]), &Reason::TooManyEntries);
        }
    }

    /// The list's name.
    pub(super) fn name(&self) -> &str {
        &self.summary.name
    }

    /// What it was read from.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// What became of it.
    pub(super) fn summary(&self) -> &ListSummary {
        &self.summary
    }

    /// The columns of the row that starts at byte `row`; none in a plain list.
    pub(super) fn metadata(&self, row: usize) -> Vec<(&'static str, String)> {
        self.header.as_ref().map_or_else(Vec::new, |header| header.metadata(&self.text[row..]))
    }

    /// The name, URL or fingerprint of the line or row that starts at byte `row`, in its one form.
    pub(super) fn name_at(&self, row: usize, kind: IndicatorKind) -> String {
        let text = &self.text[row..];
        let written = match &self.header {
            Some(header) => header.indicator(text),
            None => first_word(text).to_vec(),
        };
        match Listed::parse(&written, Some(kind)) {
            Ok(Listed::Name(name)) => name.to_string(),
            _ => String::from_utf8_lossy(&written).into_owned(),
        }
    }
}

/// Counts a refused line, and tells it if it is among the first.
fn refuse(summary: &mut ListSummary, line: usize, column: usize, reason: &dyn Display) {
    summary.refused_total += 1;
    let narrow = |place| u32::try_from(place).unwrap_or(u32::MAX);
    let (line, column) = (narrow(line), narrow(column));
    let told = &mut summary.refused;
    let place = told.partition_point(|earlier| (earlier.line, earlier.column) <= (line, column));
    if place < MAX_REFUSED_KEPT {
        told.truncate(MAX_REFUSED_KEPT - 1);
        told.insert(place, Refused { line, column, reason: reason.to_string() });
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
        let start = if text.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        match format {
            ListFormat::Plain => {
                parse_plain::parse(text, start, self);
                None
            }
            ListFormat::Csv => parse_csv::parse(text, start, self),
        }
    }

    /// The terms of an address for which the list says nothing more.
    #[inline]
    pub(super) fn address_terms(&self, indicator: &Indicator) -> Terms {
        let bits = indicator.network.bits;
        Terms { port: indicator.port, bits, ..self.default_terms(indicator.kind()) }
    }

    /// The terms of a name for which the list says nothing more.
    #[inline]
    pub(super) fn default_terms(&self, kind: IndicatorKind) -> Terms {
        Terms {
            valid_until_ns: super::expiry::NEVER_NS,
            list: self.index,
            port: None,
            protocol: None,
            bits: HOST_BITS,
            kind,
            severity: self.default_severity,
            direction: Direction::Any,
            action: Action::Alert,
        }
    }

    /// Adds an entry whose line or row starts at byte `row`.
    ///
    /// # Errors
    /// When the table has no room for it.
    #[inline]
    pub(super) fn add(&mut self, indicator: &Indicator, terms: &Terms, row: u32) -> Result<(), Refusal> {
        self.table.insert(indicator.network, terms, row).map_err(|reason| reason.at(0))?;
        self.count(terms.kind);
        Ok(())
    }

    /// The same for a name.
    ///
    /// # Errors
    /// When the table has no room for it.
    #[inline]
    pub(super) fn add_name(&mut self, name: &Name<'_>, terms: &Terms, row: u32) -> Result<(), Refusal> {
        self.table.insert_name(name, terms, row).map_err(|reason| reason.at(0))?;
        self.count(terms.kind);
        Ok(())
    }

    #[inline]
    fn count(&mut self, kind: IndicatorKind) {
        self.summary.entries += 1;
        *self.summary.by_kind.of(kind) += 1;
    }

    /// Whether the next refused line will be told, so that its place is worth finding out.
    pub(super) fn tells_refused(&self) -> bool {
        self.summary.refused.len() < MAX_REFUSED_KEPT
    }

    /// Counts a refused line, and tells it if it is among the first.
    pub(super) fn refuse(&mut self, line: usize, column: usize, reason: &dyn Display) {
        refuse(&mut self.summary, line, column, reason);
    }
}

/// What makes every line of a text unreadable.
fn unreadable(text: &[u8]) -> Option<Reason> {
    if UTF16_MARKS.iter().any(|mark| text.starts_with(mark)) {
        return Some(Reason::Utf16);
    }
    (text.len() > MAX_TEXT_BYTES).then_some(Reason::ListTooLong)
}

/// What `text` starts with, to the first white space.
pub(super) fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    &text[..end]
}

/// Characters in `text`, also where it is not UTF-8.
pub(super) fn count_characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}
