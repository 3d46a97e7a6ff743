//! Header compression of HTTP/2 (RFC 7541).

use std::borrow::Cow;
use std::collections::VecDeque;

use super::huffman;
use crate::AppError;

/// The table's size until the sender says another (RFC 9113 section 6.5.2).
const USUAL_TABLE_BYTES: usize = 4096;
/// The largest table that is followed.
const MAX_TABLE_BYTES: usize = 64 * 1024;
/// What an entry counts beside its strings (RFC 7541 section 4.1).
const ENTRY_BYTES: usize = 32;

/// A name and a value.
type Entry = (Box<[u8]>, Box<[u8]>);

/// What both sides of one direction know: the fields that were sent last.
#[derive(Debug)]
pub(super) struct Table {
    /// The newest first.
    entries: VecDeque<Entry>,
    bytes: usize,
    max_bytes: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: VecDeque::new(), bytes: 0, max_bytes: USUAL_TABLE_BYTES }
    }
}

impl Table {
    /// What its entries take, as the specification counts (RFC 7541 section 4.1).
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads a whole block and gives each field. After an error the table is not the sender's any more.
    pub(super) fn read(&mut self, mut block: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), AppError> {
        while let Some(&first) = block.first() {
            if first & 0x80 != 0 {
                let index = integer(&mut block, 7)?;
                let (name, value) = self.entry(index)?;
                each(name, value);
            } else if first & 0xe0 == 0x20 {
                self.resize(integer(&mut block, 5)?)?;
            } else {
                let keeps = first & 0xc0 == 0x40;
                let index = integer(&mut block, if keeps { 6 } else { 4 })?;
                let name = if index == 0 { string(&mut block)? } else { self.entry(index)?.0.to_vec().into() };
                let value = string(&mut block)?;
                each(&name, &value);
                if keeps {
                    self.insert(&name, &value);
                }
            }
        }
        Ok(())
    }

    /// The entry at `index`, counted from 1: those of the static table, then the newest (RFC 7541 section 2.3.3).
    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), AppError> {
        let index = index.checked_sub(1).ok_or(AppError::Malformed)?;
        match STATIC.get(index) {
            Some(entry) => Ok(*entry),
            None => {
                let (name, value) = self.entries.get(index - STATIC.len()).ok_or(AppError::Malformed)?;
                Ok((name, value))
            }
        }
    }

    fn insert(&mut self, name: &[u8], value: &[u8]) {
        let bytes = name.len() + value.len() + ENTRY_BYTES;
        self.evict(self.max_bytes.saturating_sub(bytes));
        // RFC 7541 section 4.4: an entry that is larger than the table empties it.
        if bytes <= self.max_bytes {
            self.bytes += bytes;
            self.entries.push_front((name.into(), value.into()));
        }
    }

    fn resize(&mut self, max_bytes: usize) -> Result<(), AppError> {
        if max_bytes > MAX_TABLE_BYTES {
            return Err(AppError::TooLong);
        }
        self.max_bytes = max_bytes;
        self.evict(max_bytes);
        Ok(())
    }

    fn evict(&mut self, upto_bytes: usize) {
        while self.bytes > upto_bytes {
            let Some((name, value)) = self.entries.pop_back() else { return };
            self.bytes -= name.len() + value.len() + ENTRY_BYTES;
        }
    }
}

/// An integer whose first `bits` are the lowest of the first byte (RFC 7541 section 5.1), of at most 28 bits behind it.
fn integer(block: &mut &[u8], bits: u32) -> Result<usize, AppError> {
    let (first, mut rest) = block.split_first().ok_or(AppError::Malformed)?;
    let most = (1usize << bits) - 1;
    let mut number = usize::from(*first) & most;
    if number == most {
        for shift in (0..).step_by(7) {
            let (byte, behind) = rest.split_first().ok_or(AppError::Malformed)?;
            if shift > 21 {
                return Err(AppError::TooLong);
            }
            number += usize::from(byte & 0x7f) << shift;
            rest = behind;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *block = rest;
    Ok(number)
}

/// A string behind its length (RFC 7541 section 5.2).
fn string<'a>(block: &mut &'a [u8]) -> Result<Cow<'a, [u8]>, AppError> {
    let coded = block.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = integer(block, 7)?;
    let (string, rest) = block.split_at_checked(length).ok_or(AppError::Malformed)?;
    *block = rest;
    Ok(if coded { huffman::decode(string)?.into() } else { string.into() })
}

/// RFC 7541 Appendix A.
const STATIC: [(&[u8], &[u8]); 61] = [
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b""),
    (b"accept-ranges", b""),
    (b"accept", b""),
    (b"access-control-allow-origin", b""),
    (b"age", b""),
    (b"allow", b""),
    (b"authorization", b""),
    (b"cache-control", b""),
    (b"content-disposition", b""),
    (b"content-encoding", b""),
    (b"content-language", b""),
    (b"content-length", b""),
    (b"content-location", b""),
    (b"content-range", b""),
    (b"content-type", b""),
    (b"cookie", b""),
    (b"date", b""),
    (b"etag", b""),
    (b"expect", b""),
    (b"expires", b""),
    (b"from", b""),
    (b"host", b""),
    (b"if-match", b""),
    (b"if-modified-since", b""),
    (b"if-none-match", b""),
    (b"if-range", b""),
    (b"if-unmodified-since", b""),
    (b"last-modified", b""),
    (b"link", b""),
    (b"location", b""),
    (b"max-forwards", b""),
    (b"proxy-authenticate", b""),
    (b"proxy-authorization", b""),
    (b"range", b""),
    (b"referer", b""),
    (b"refresh", b""),
    (b"retry-after", b""),
    (b"server", b""),
    (b"set-cookie", b""),
    (b"strict-transport-security", b""),
    (b"transfer-encoding", b""),
    (b"user-agent", b""),
    (b"vary", b""),
    (b"via", b""),
    (b"www-authenticate", b""),
];

#[cfg(test)]
#[path = "hpack_tests.rs"]
mod tests;
