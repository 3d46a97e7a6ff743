//! ICMP (RFC 792) and ICMPv6 (RFC 4443): type and code, and which types answer each other.

use crate::cursor::Cursor;
use crate::packet::Transport;
use crate::protocol;

mod field {
    pub(super) const TYPE: usize = 0;
    pub(super) const CODE: usize = 1;
}

/// Type, code, checksum and four bytes whose meaning depends on the type: "The internet header plus the first 64 bits of
/// the original datagram's data" of an error stands behind them (RFC 792).
const LENGTH: usize = 8;

/// Takes the header; without type and code it is `Transport::None`.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Transport {
    let Some(header) = cursor.peek_padded::<LENGTH>(field::CODE + 1) else {
        cursor.close();
        return Transport::None;
    };
    cursor.advance(LENGTH);
    Transport::Icmp { kind: header[field::TYPE], code: header[field::CODE] }
}

/// The type of message that answers this one or is answered by it; `None` for one-way messages and other protocols.
///
/// These are the pairs of Community ID version 1, which are Zeek's.
pub(crate) fn counterpart(protocol: u8, kind: u8) -> Option<u8> {
    match protocol {
        protocol::ICMP => counterpart_v4(kind),
        protocol::ICMPV6 => counterpart_v6(kind),
        _ => None,
    }
}

fn counterpart_v4(kind: u8) -> Option<u8> {
    Some(match kind {
        0 => 8, // echo
        8 => 0,
        9 => 10, // router discovery
        10 => 9,
        13 => 14, // time stamp
        14 => 13,
        15 => 16, // information
        16 => 15,
        17 => 18, // address mask
        18 => 17,
        _ => return None,
    })
}

fn counterpart_v6(kind: u8) -> Option<u8> {
    Some(match kind {
        128 => 129, // echo
        129 => 128,
        130 => 131, // multicast listener query and report
        131 => 130,
        133 => 134, // router discovery
        134 => 133,
        135 => 136, // neighbour discovery
        136 => 135,
        139 => 140, // node information, "who are you"
        140 => 139,
        144 => 145, // home agent address discovery
        145 => 144,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_code() {
        let mut cursor = Cursor::new(&[3, 1, 0, 0, 0, 0, 0, 0, 0x45], 36);
        assert_eq!(read(&mut cursor), Transport::Icmp { kind: 3, code: 1 });
        assert_eq!((cursor.rest(), cursor.wire_left()), (&[0x45][..], 28));
    }

    #[test]
    fn a_cut_header_gives_type_and_code_or_nothing() {
        assert_eq!(read(&mut Cursor::new(&[8, 0], 64)), Transport::Icmp { kind: 8, code: 0 });
        assert_eq!(read(&mut Cursor::new(&[8], 64)), Transport::None);
    }

    #[test]
    fn pairs_answer_each_other() {
        for protocol in [protocol::ICMP, protocol::ICMPV6] {
            let paired = (0..=255).filter_map(|kind| Some((kind, counterpart(protocol, kind)?)));
            for (kind, other) in paired {
                assert_eq!(counterpart(protocol, other), Some(kind));
                assert_ne!(kind, other);
            }
        }
        assert_eq!(counterpart(protocol::ICMP, 3), None);
        assert_eq!(counterpart(protocol::TCP, 8), None);
    }
}
