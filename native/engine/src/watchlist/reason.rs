//! Why a line of a list is refused.

use super::domain::{MAX_LABEL_BYTES, MAX_NAME_BYTES};
use super::indicator::{MAX_INDICATOR_BYTES, MIN_V4_PREFIX, MIN_V6_PREFIX};
use super::level::MAX_ENTRIES_PER_NETWORK;
use super::network::Network;
use super::url::MAX_URL_BYTES;

/// The longest line of a plain list, in bytes without its line end; comment lines may be longer.
pub(super) const MAX_LINE_BYTES: usize = 4096;

/// The longest row of a CSV list in bytes, quotes and line ends included.
pub(super) const MAX_ROW_BYTES: usize = 64 * 1024;

/// A reason in the operator's words. `Copy`, because parsing hands one over per refused line, also past the
/// number of lines that are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("there is no indicator")]
    Empty,
    #[error("not an address, a network, address:port, a name, a URL or a JA4 fingerprint")]
    NotAnIndicator,
    #[error("not an IPv6 address")]
    NotIpv6,
    #[error("longer than any indicator ({MAX_INDICATOR_BYTES} bytes)")]
    IndicatorTooLong,
    #[error("a control character")]
    ControlCharacter,
    #[error("not UTF-8 text")]
    NotUtf8,
    #[error("UTF-16 text; save the list as UTF-8")]
    Utf16,
    #[error("the list is longer than 4 GiB")]
    ListTooLong,
    #[error("a line longer than {MAX_LINE_BYTES} bytes")]
    LineTooLong,
    #[error("a row longer than {MAX_ROW_BYTES} bytes; a quote before it may be open")]
    RowTooLong,
    #[error("a quote that is never closed")]
    OpenQuote,
    #[error("a number of an IPv4 address is at most 255")]
    OctetTooLarge,
    #[error("a leading zero; some programs read it as octal")]
    LeadingZero,
    #[error("a prefix longer than the address")]
    PrefixTooLong,
    #[error("a network wider than /{MIN_V4_PREFIX} (IPv6: /{MIN_V6_PREFIX})")]
    TooWide,
    #[error("host bits are set; {0} was probably meant")]
    HostBits(Network),
    #[error("an IPv4 address in IPv6 form; write {0}")]
    MappedV4(Network),
    #[error("a name longer than {MAX_NAME_BYTES} bytes")]
    NameTooLong,
    #[error("a label of a name is at most {MAX_LABEL_BYTES} bytes long")]
    LabelTooLong,
    #[error("a name with an empty label")]
    EmptyLabel,
    #[error("a character that no name has")]
    NotANameByte,
    #[error("the last label of a name begins with a letter")]
    LastLabel,
    #[error("not an international name (IDNA)")]
    NotInternational,
    #[error("all names below a single label or a public suffix; list the names that are meant")]
    PublicSuffix,
    #[error("a name is met at any port; leave the port out")]
    NameWithPort,
    #[error("a URL begins with http:// or https://")]
    NoScheme,
    #[error("a URL longer than {MAX_URL_BYTES} bytes")]
    UrlTooLong,
    #[error("not a JA4 fingerprint (t13d1516h2_8daaf6152771_e5627efa2ab1)")]
    NotJa4,
    #[error("{0} addresses are no other end of a connection")]
    WithoutPeer(&'static str),
    #[error("port 0")]
    PortZero,
    #[error("a port is at most 65535")]
    PortTooLarge,
    #[error("`]` is followed by `:` and a port")]
    PortMissing,
    #[error("text after the indicator; a comment starts with `#` after a space")]
    TextAfter,
    #[error("{got} fields where the header has {expected}")]
    FieldCount { got: usize, expected: usize },
    #[error("type is ip, cidr, ip_port, domain, suffix, url, ja4 or empty")]
    UnknownType,
    #[error("only of an address; leave it empty")]
    OnlyOfAddresses,
    #[error("type {0} does not fit the indicator")]
    TypeMismatch(&'static str),
    #[error("port is a number from 1 to 65535 or empty")]
    NotAPort,
    #[error("the port column and the indicator name two ports")]
    TwoPorts,
    #[error("proto is tcp, udp, icmp, a number from 0 to 255 or empty")]
    UnknownProtocol,
    #[error("a port, but the protocol has none")]
    ProtocolWithoutPorts,
    #[error("direction is out, in, any or empty")]
    UnknownDirection,
    #[error("severity is 1 to 4, high, medium, low, info or empty")]
    UnknownSeverity,
    #[error("action is alert, allow or empty")]
    UnknownAction,
    #[error("valid_until is a date (2026-11-22) or an RFC 3339 time with its zone (2026-11-22T07:46:05Z)")]
    NotATime,
    #[error("more than {MAX_ENTRIES_PER_NETWORK} different entries for one indicator")]
    TooManyEntries,
    #[error("no room: the lists together hold more than 4 billion entries")]
    TableFull,
}

/// A reason and the byte of the text given to the parser where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Bytes before the place.
    pub(super) offset: usize,
    /// What is wrong there.
    pub(super) reason: Reason,
}

impl Reason {
    /// This reason at `offset` bytes into the text.
    #[inline]
    pub(super) fn at(self, offset: usize) -> Refusal {
        Refusal { offset, reason: self }
    }
}
