//! Replies of a server (RFC 5321, 4.2).

use crate::mail::lines::Lines;

/// A reply: its code, and the text of its last line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) text: Vec<u8>,
}

/// Puts replies together.
#[derive(Debug, Default)]
pub(super) struct Replies {
    lines: Lines,
}

impl Replies {
    /// Takes from `data` what belongs to the next reply; the reply, once it is whole.
    pub(super) fn take(&mut self, data: &mut &[u8]) -> Option<Reply> {
        while let Some(line) = self.lines.take(data) {
            let code = line.get(..3).filter(|code| code.iter().all(u8::is_ascii_digit));
            let Some(code) = code.map(|code| code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
            else {
                continue;
            };
            // A hyphen behind the code says that more lines follow.
            if line.get(3) != Some(&b'-') {
                return Some(Reply { code, text: line.get(4..).unwrap_or_default().to_vec() });
            }
        }
        None
    }

    pub(super) fn tear(&mut self) {
        self.lines.tear();
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.lines.held_bytes()
    }
}
