//! Plain lists: one indicator a line.

use super::build::{ListBuilder, count_characters};
use super::indicator::Indicator;
use super::reason::{MAX_LINE_BYTES, Reason, Refusal};

/// Reads all lines of `text` from byte `start` on into `list`.
pub(super) fn parse(text: &[u8], start: usize, list: &mut ListBuilder<'_>) {
    let mut line_start = start;
    for (index, line) in text[start..].split(|&byte| byte == b'\n').enumerate() {
        let content = line.trim_ascii();
        let blanks = line.len() - line.trim_ascii_start().len();
        // Never above what `ListBuilder` lets in.
        let row = (line_start + blanks) as u32;
        line_start += line.len() + 1;
        if content.is_empty() || content[0] == b'#' {
            continue;
        }
        let Err(refusal) = parse_line(content, row, list) else { continue };
        let before = blanks + refusal.offset;
        let column = if list.tells_refused() { 1 + count_characters(&line[..before]) } else { 0 };
        list.refuse(index + 1, column, &refusal.reason);
    }
}

/// Reads a line that holds more than white space or a comment.
fn parse_line(content: &[u8], row: u32, list: &mut ListBuilder<'_>) -> Result<(), Refusal> {
    if content.len() > MAX_LINE_BYTES {
        return Err(Reason::LineTooLong.at(0));
    }
    let end = content.iter().position(u8::is_ascii_whitespace).unwrap_or(content.len());
    let indicator = Indicator::parse(&content[..end])?;
    let rest = content[end..].trim_ascii_start();
    if !rest.is_empty() && rest[0] != b'#' {
        return Err(Reason::TextAfter.at(content.len() - rest.len()));
    }
    list.add(&indicator, &list.default_terms(&indicator), row)
}
