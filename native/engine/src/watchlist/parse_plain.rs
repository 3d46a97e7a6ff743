//! Plain lists: one indicator a line.

use super::build::{ListBuilder, count_characters};
use super::indicator::Indicator;
use super::reason::{MAX_LINE_BYTES, Reason, Refusal};

/// Reads all lines of `text` into `list`.
pub(super) fn parse(text: &[u8], list: &mut ListBuilder<'_>) {
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let content = line.trim_ascii();
        if content.is_empty() || content[0] == b'#' {
            continue;
        }
        let Err(refusal) = parse_line(content, list) else { continue };
        let before = line.len() - line.trim_ascii_start().len() + refusal.offset;
        let column = if list.tells_refused() { 1 + count_characters(&line[..before]) } else { 0 };
        list.refuse(index + 1, column, &refusal.reason);
    }
}

/// Reads a line that holds more than white space or a comment.
fn parse_line(content: &[u8], list: &mut ListBuilder<'_>) -> Result<(), Refusal> {
    if content.len() > MAX_LINE_BYTES {
        return Err(Reason::LineTooLong.at(0));
    }
    let end = content.iter().position(u8::is_ascii_whitespace).unwrap_or(content.len());
    let indicator = Indicator::parse(&content[..end])?;
    let rest = content[end..].trim_ascii_start();
    if !rest.is_empty() && rest[0] != b'#' {
        return Err(Reason::TextAfter.at(content.len() - rest.len()));
    }
    list.add(&indicator, &list.default_terms(&indicator), 0)
}
