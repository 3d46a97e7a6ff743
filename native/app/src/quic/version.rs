//! Versions of QUIC, as far as their Initial packets can be opened.

use std::borrow::Cow;

/// A version as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuicVersion(pub u32);

/// What a version's Initial packets are protected with.
#[derive(Debug)]
pub(super) struct Protection {
    pub(super) salt: [u8; 20],
    /// Labels of the key, the initialization vector, and the key of header protection.
    pub(super) labels: [&'static [u8]; 3],
    /// The packet's type in the first byte of a long header.
    pub(super) initial_type: u8,
}

const LABELS: [&[u8]; 3] = [b"quic key", b"quic iv", b"quic hp"];

/// RFC 9001, section 5.2; drafts 33 and 34 have the same.
static V1: Protection = Protection {
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
        0x7f, 0x0a,
    ],
    labels: LABELS,
    initial_type: 0b00,
};

/// RFC 9369, sections 3.2 and 3.3.
static V2: Protection = Protection {
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd,
        0x2e, 0xd9,
    ],
    labels: [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"],
    initial_type: 0b01,
};

/// draft-ietf-quic-tls-29, section 5.2; the same up to 32.
static DRAFT_29: Protection = Protection {
    salt: [
        0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90,
        0xa8, 0x99,
    ],
    labels: LABELS,
    initial_type: 0b00,
};

impl QuicVersion {
    /// RFC 9000.
    pub const V1: Self = Self(1);
    /// RFC 9369.
    pub const V2: Self = Self(0x6b33_43cf);

    /// The name, e.g. `1`, `2`, `draft-29`; of others the number, e.g. `0x51303530`.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::V1 => "1".into(),
            Self::V2 => "2".into(),
            Self(draft @ 0xff00_0000..=0xff00_00ff) => format!("draft-{:02}", draft & 0xff).into(),
            Self(number) => format!("0x{number:08x}").into(),
        }
    }

    /// How its Initial packets are protected; none for versions that are not read.
    pub(super) fn protection(self) -> Option<&'static Protection> {
        match self {
            Self::V1 | Self(0xff00_0021..=0xff00_0022) => Some(&V1),
            Self::V2 => Some(&V2),
            Self(0xff00_001d..=0xff00_0020) => Some(&DRAFT_29),
            _ => None,
        }
    }
}
