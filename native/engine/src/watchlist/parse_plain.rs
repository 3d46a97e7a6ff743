//! Plain lists: one indicator a line.

use super::build::{ListBuilder, count_characters, first_word};
use super::indicator::Indicator;
use super::listed::Listed;
use super::reason::{MAX_LINE_BYTES, Reason, Refusal};

/// Reads all lines of `text` from byte `start` on into `list`.
pub(super) fn parse(text: &[u8], start: usize, list: &mut ListBuilder<'_>) {
    let (mut at, mut line) = (start, 0);
    while at < text.len() {
        line += 1;
        at += match Indicator::parse_common_line(&text[at..]) {
            // What nearly every line of a long list is.
            Some((indicator, length)) => {
                let added = list.add(&indicator, &list.address_terms(&indicator), row(at));
                added.unwrap_or_else(|refusal| list.refuse(line, 1, &refusal.reason));
                length
            }
            None => parse_any_line(&text[at..], (at, line), list),
        };
    }
}

/// Never above what `ListBuilder` lets in.
#[inline]
fn row(at: usize) -> u32 {
    at as u32
}

/// Reads the line that `rest` starts with, byte `at` of the list; its length with its end.
fn parse_any_line(rest: &[u8], (at, number): (usize, usize), list: &mut ListBuilder<'_>) -> usize {
    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let line = &rest[..length];
    let content = line.trim_ascii();
    if content.is_empty() || content[0] == b'#' {
        return length + 1;
    }
    let blanks = line.len() - line.trim_ascii_start().len();
    if let Err(refusal) = parse_line(content, row(at + blanks), list) {
        let before = &line[..blanks + refusal.offset];
        let column = if list.tells_refused() { 1 + count_characters(before) } else { 0 };
        list.refuse(number, column, &refusal.reason);
    }
    length + 1
}

/// Reads a line that holds more than white space or a comment.
fn parse_line(content: &[u8], row: u32, list: &mut ListBuilder<'_>) -> Result<(), Refusal> {
    if content.len() > MAX_LINE_BYTES {
        return Err(Reason::LineTooLong.at(0));
    }
    let word = first_word(content);
    let listed = Listed::parse(word, None)?;
    let rest = content[word.len()..].trim_ascii_start();
    if !rest.is_empty() && rest[0] != b'#' {
        return Err(Reason::TextAfter.at(content.len() - rest.len()));
    }
    match listed {
        Listed::Address(indicator) => list.add(&indicator, &list.address_terms(&indicator), row),
        Listed::Name(name) => list.add_name(&name, &list.default_terms(name.kind()), row),
    }
}
