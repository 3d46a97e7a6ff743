//! Text from the wire, bounded.

use compact_str::CompactString;

/// Text as it is kept and shown; what was no UTF-8 in it is replaced (U+FFFD). Control characters stay: whoever writes it
/// to a terminal, a log line or a page escapes them.
pub type Text = CompactString;

/// The first `longest` bytes as text.
pub fn text(bytes: &[u8], longest: usize) -> Text {
    CompactString::from_utf8_lossy(&bytes[..bytes.len().min(longest)])
}
