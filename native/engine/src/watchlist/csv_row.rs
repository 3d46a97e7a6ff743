//! Rows of a CSV list (RFC 4180).
//!
//! A row without a quote is a line split at its commas, which is fast; rows with quotes go through `csv-core`.

use std::ops::Range;

use csv_core::{ReadFieldResult, ReadRecordResult, Reader, ReaderBuilder, Terminator};
use memchr::{memchr, memchr2};

use super::build::count_characters;
use super::csv_header::COLUMN_COUNT;
use super::reason::{MAX_ROW_BYTES, Reason};

/// A row, split and without its quotes.
pub(super) struct Row<'a> {
    text: &'a [u8],
    fields: &'a [Range<u32>],
    /// Bytes of the row in the list, its line end included.
    pub(super) source_bytes: usize,
}

impl<'a> Row<'a> {
    /// Fields in the row.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field without white space around it.
    ///
    /// # Panics
    /// If the row has no such field.
    #[inline]
    pub(super) fn field(&self, index: usize) -> &'a [u8] {
        let Range { start, end } = self.fields[index];
        self.text[start as usize..end as usize].trim_ascii()
    }
}

/// Reads rows; keeps its buffers from row to row.
#[derive(Default)]
pub(super) struct RowReader {
    fields: Vec<Range<u32>>,
    quoted: Option<Box<Quoted>>,
}

/// What rows with quotes need besides.
struct Quoted {
    reader: Reader,
    text: Vec<u8>,
}

impl Default for Quoted {
    fn default() -> Self {
        Self { reader: new_reader(), text: Vec::new() }
    }
}

impl RowReader {
    /// The row that `text` starts with; `text` is not empty.
    ///
    /// # Errors
    /// [`Reason::RowTooLong`], [`Reason::OpenQuote`]: the row's end is not known then.
    #[inline]
    pub(super) fn read<'a>(&'a mut self, text: &'a [u8]) -> Result<Row<'a>, Reason> {
        let window = &text[..text.len().min(MAX_ROW_BYTES)];
        match memchr2(b'\n', b'"', window) {
            Some(end) if window[end] == b'\n' => self.split(&window[..end], end + 1),
            Some(_) => self.unquote(window, window.len() == text.len()),
            None if window.len() == text.len() => self.split(window, window.len()),
            None => Err(Reason::RowTooLong),
        }
    }

    fn split<'a>(&'a mut self, line: &'a [u8], source_bytes: usize) -> Result<Row<'a>, Reason> {
        self.fields.clear();
        let mut start = 0;
        for comma in line.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(index, _)| index) {
            self.fields.push(start..comma as u32);
            start = comma as u32 + 1;
        }
        self.fields.push(start..line.len() as u32);
        Ok(Row { text: line, fields: &self.fields, source_bytes })
    }

    fn unquote(&mut self, window: &[u8], is_whole: bool) -> Result<Row<'_>, Reason> {
        let Quoted { reader, text } = &mut **self.quoted.get_or_insert_with(Box::default);
        // Unquoting never makes a row longer; the room besides is because a full buffer ends the reading.
        text.resize(text.len().max(window.len() + 2), 0);
        reader.reset();
        self.fields.clear();
        let mut ends = [0; COLUMN_COUNT];
        let (mut input, mut written, mut start) = (window, 0, 0);
        let mut is_closed = !is_whole;
        loop {
            let (result, read, wrote, ended) = reader.read_record(input, &mut text[written..], &mut ends);
            (input, written) = (&input[read..], written + wrote);
            for &end in &ends[..ended] {
                self.fields.push(start..end as u32);
                start = end as u32;
            }
            match result {
                ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::Record => break,
                // A line end closes the list's last row, unless that stands within quotes.
                _ if !is_closed => (input, is_closed) = (b"\n", true),
                _ if is_whole => return Err(Reason::OpenQuote),
                _ => return Err(Reason::RowTooLong),
            }
        }
        let source_bytes = window.len().saturating_sub(input.len());
        Ok(Row { text: &text[..written], fields: &self.fields, source_bytes })
    }
}

fn new_reader() -> Reader {
    // A CR ends no row: it stays at the end of the last field, and is trimmed there.
    ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build()
}

/// Where byte `offset` of a field's value stands: lines before it in the row, and its column in characters from 1.
pub(super) fn locate(row: &[u8], field: usize, offset: usize) -> (usize, usize) {
    let start = field_start(row, field);
    let blanks = row[start..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let source = &row[start + blanks..];
    let value = source.strip_prefix(b"\"").map_or(source, <[u8]>::trim_ascii_start);
    let before = &row[..(row.len() - value.len() + offset).min(row.len())];
    let lines = memchr::memchr_iter(b'\n', before).count();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    (lines, 1 + count_characters(&before[line_start..]))
}

/// The byte of the row where a field starts, or the row's end.
fn field_start(row: &[u8], field: usize) -> usize {
    let mut reader = new_reader();
    let mut scratch = [0; 256];
    let (mut at, mut passed) = (0, 0);
    while passed < field && at < row.len() {
        let (result, read, _) = reader.read_field(&row[at..], &mut scratch);
        at += read;
        match result {
            ReadFieldResult::Field { .. } => passed += 1,
            ReadFieldResult::OutputFull => {}
            ReadFieldResult::InputEmpty | ReadFieldResult::End => break,
        }
    }
    at
}

/// The first byte after the line that `text` starts with.
pub(super) fn line_bytes(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |end| end + 1)
}
