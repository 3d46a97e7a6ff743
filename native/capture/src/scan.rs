//! Numbers in either byte order, and what a scan over a piece of a capture file says.

/// The byte order that a file (or a section of it) is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The 16-bit number at `offset`; the caller has checked the length.
    pub(crate) fn u16_at(self, data: &[u8], offset: usize) -> u16 {
        let bytes = [data[offset], data[offset + 1]];
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// The 32-bit number at `offset`; the caller has checked the length.
    #[inline]
    pub(crate) fn u32_at(self, data: &[u8], offset: usize) -> u32 {
        let bytes = [data[offset], data[offset + 1], data[offset + 2], data[offset + 3]];
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The 64-bit number at `offset`; the caller has checked the length.
    pub(crate) fn u64_at(self, data: &[u8], offset: usize) -> u64 {
        let (first, second) = (u64::from(self.u32_at(data, offset)), u64::from(self.u32_at(data, offset + 4)));
        match self {
            Self::Little => second << 32 | first,
            Self::Big => first << 32 | second,
        }
    }
}

/// How far a scan came and why it stopped there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Bytes that are done with.
    pub(crate) consumed: usize,
    /// What is in the way of the rest.
    pub(crate) stop: Stop,
}

/// Why a scan stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The record behind `consumed` needs at least this many bytes.
    Need(usize),
    /// What stands behind `consumed` cannot be a record.
    Damaged(String),
}

impl Scan {
    pub(crate) fn need(consumed: usize, bytes: usize) -> Self {
        Self { consumed, stop: Stop::Need(bytes) }
    }

    pub(crate) fn damaged(consumed: usize, reason: String) -> Self {
        Self { consumed, stop: Stop::Damaged(reason) }
    }
}

/// Largest captured length that is believed, in bytes; far above any link's largest frame. A record that claims more
/// is damage, not data.
pub(crate) const MAX_CAPLEN: u32 = 16 << 20;
