//! Peers, proxies, tunnels, and what serves the network itself.

use super::data::is_unix_time;
use super::seen::Seen::{self, Maybe, No, Probably, Surely};
use super::seen::{ANY, contains, number, pattern, prefix, prefixes, whether, word};
use crate::dns::{plausible, plausible_header};

/// A message behind its length (RFC 1035 section 4.2.2).
pub(super) fn dns_stream(data: &[u8]) -> Seen {
    if data.len() < 2 + 12 {
        return if data[0] < 64 { Maybe } else { No };
    }
    let (length, message) = (word(data, 0), &data[2..]);
    match length {
        0..17 => No,
        _ if plausible(&message[..length.min(message.len())]) => Surely,
        _ if message.len() < length.min(300) && plausible_header(message) => Maybe,
        _ => No,
    }
}

/// A message (RFC 1035), of multicast DNS and link-local resolution too. NetBIOS' name service (RFC 1002 section 4.2),
/// whose names are of 32 letters, is none. Of a damaged message its header says too little.
pub(super) fn dns(data: &[u8]) -> Seen {
    let netbios = || {
        data.get(12..45).is_some_and(|name| name[0] == 32 && name[1..].iter().all(|byte| matches!(byte, b'A'..=b'P')))
    };
    whether(plausible(data)).or(|| whether(plausible_header(data)).weak()).min(whether(!netbios()))
}

/// The handshake of either side (BEP 3).
pub(super) fn bittorrent(data: &[u8]) -> Seen {
    prefix(data, b"\x13BitTorrent protocol")
}

/// The distributed hash table (BEP 5), uTP (BEP 29), trackers (BEP 15), the search in the local network (BEP 14).
pub(super) fn bittorrent_datagram(data: &[u8]) -> Seen {
    let table = || {
        let dictionary = prefixes(data, &[b"d1:a", b"d1:r", b"d1:e", b"d2:ip", b"d1:v"]);
        dictionary.and(|| data.ends_with(b"e") && contains(data, b"1:y1:"))
    };
    let tracker = || prefix(data, &[0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0]).and(|| data.len() == 16);
    let local = || prefix(data, b"BT-SEARCH * HTTP/1.1\r\n");
    [table(), tracker(), local(), whether(is_utp(data))].into_iter().filter(|seen| *seen == Surely).max().unwrap_or(No)
}

/// A SYN, or data that begin with a handshake.
fn is_utp(data: &[u8]) -> bool {
    let behind = match data.get(1) {
        Some(0) => 20,
        Some(2) if data.get(21) == Some(&8) => 30,
        _ => return false,
    };
    let syn = data[0] == 0x41 && data.len() == behind && number(data, 8, 4) == 0 && word(data, 18) == 0;
    let handshake = data[0] == 0x01 && data.get(behind..).is_some_and(|data| bittorrent(data) == Surely);
    syn && number(data, 12, 4) > 0 || handshake
}

/// A request for a method (RFC 1928 section 3) or a connection (section 4; SOCKS 4).
pub(super) fn socks_client(data: &[u8]) -> Seen {
    match data {
        [5] | [4] | [4, 1 | 2] => Maybe,
        [5, count @ 1..=9, rest @ ..] => {
            let count = usize::from(*count);
            let methods = &rest[..count.min(rest.len())];
            if !methods.iter().all(|method| matches!(method, 0..=9 | 0x80..=0xfe)) {
                return No;
            }
            match rest.get(count..) {
                None => Maybe,
                Some([]) => Probably,
                Some(request) => pattern(request, &[5, ANY, 0, ANY])
                    .and(|| matches!((request[1], request[3]), (1..=3, 1 | 3 | 4)))
                    .or(|| pattern(request, &[1, ANY, ANY]).weak()),
            }
        }
        [4, 1 | 2, rest @ ..] if rest.len() < 7 => Maybe,
        [4, 1 | 2, rest @ ..] => {
            let user = rest[6..].iter().take_while(|byte| byte.is_ascii_graphic()).count();
            whether(user < 64 && rest[6 + user..].first() == Some(&0)).weak()
        }
        _ => No,
    }
}

/// The method that is chosen (RFC 1928 section 3), the reply behind it (section 6; SOCKS 4).
pub(super) fn socks_server(data: &[u8]) -> Seen {
    match data {
        [5] | [0] => Maybe,
        [5, 0..=9 | 0xff] => Probably,
        [5, 0..=9, reply @ ..] => pattern(reply, &[5, ANY, 0, ANY])
            .and(|| reply[1] <= 8 && matches!(reply[3], 1 | 3 | 4))
            .or(|| pattern(reply, &[1, 0]).weak()),
        [0, 0x5a..=0x5d, rest @ ..] if rest.len() >= 6 => Probably,
        [0, 0x5a..=0x5d, ..] => Maybe,
        _ => No,
    }
}

/// Any message with the magic cookie (RFC 8489 section 5), at the stream's beginning.
pub(super) fn stun(data: &[u8]) -> Seen {
    let seen = pattern(data, &[ANY, ANY, ANY, ANY, 0x21, 0x12, 0xa4, 0x42]);
    if data[0] & 0xc0 == 0 { seen.and(|| word(data, 2) % 4 == 0) } else { No }
}

/// As [`stun`]; also without a cookie (RFC 3489 section 11), if it is whole.
pub(super) fn stun_datagram(data: &[u8]) -> Seen {
    let kind = word(data, 0);
    let whole = data.len() >= 20 && word(data, 2) == data.len() - 20;
    let classic = whole && matches!(kind, 1 | 2 | 0x101 | 0x102 | 0x111 | 0x112);
    let attributes = || data.len() == 20 || data.len() >= 24 && data.len() - 24 >= word(data, 22);
    match stun(data) {
        Surely => Surely,
        _ => whether(classic && attributes()).weak(),
    }
}

/// The four kinds of messages (WireGuard, "Protocol & Cryptography": 5.4), each of its length.
pub(super) fn wireguard(data: &[u8]) -> Seen {
    if data.len() < 32 || data[1..4] != [0, 0, 0] {
        return No;
    }
    whether(match data[0] {
        1 => data.len() == 148,
        2 => data.len() == 92,
        3 => data.len() == 64,
        // The counter is little-endian, and no session lives to count beyond its lower half.
        4 => data.len() % 16 == 0 && data[12..16] == [0; 4] && data[4..8] != [0; 4],
        _ => false,
    })
}

const OPENVPN_CLIENT_RESETS: [u8; 3] = [1, 7, 10];
const OPENVPN_SERVER_RESETS: [u8; 2] = [2, 8];

/// The packets with which a session begins (OpenVPN, "Network protocol": P_CONTROL_HARD_RESET…), in the clear, signed
/// (`tls-auth`), or encrypted (`tls-crypt`).
pub(super) fn openvpn(data: &[u8]) -> Seen {
    let (opcode, key) = (data[0] >> 3, data[0] & 7);
    let acknowledged = match OPENVPN_SERVER_RESETS.contains(&opcode) {
        true => 12,
        false => 0,
    };
    if key != 0 || acknowledged == 0 && !OPENVPN_CLIENT_RESETS.contains(&opcode) {
        return No;
    }
    // The list of acknowledged packets and the packet's own number, which is the first: at the end.
    let tail = |at: usize| {
        data.len() == at + 5 + acknowledged
            && usize::from(data[at]) * 12 == acknowledged
            && number(data, data.len() - 4, 4) == 0
    };
    let first = |at: usize| number(data, at, 4) == 1 && is_unix_time(data, at + 4);
    let signed = [16, 20, 28, 32, 48, 64].iter().any(|digest| first(9 + digest) && tail(17 + digest));
    let encrypted = first(9) && data.len() >= 54 && (opcode == 10 || data.len() == 54 + acknowledged);
    whether(tail(9) || signed || encrypted)
}

/// As [`openvpn`], behind its length.
pub(super) fn openvpn_stream(data: &[u8]) -> Seen {
    match data {
        [0..=3] => Maybe,
        [_, _, packet @ ..] if (14..=1100).contains(&word(data, 0)) => {
            let opcode = packet.first().map(|first| first >> 3);
            let may = opcode.is_none_or(|opcode| matches!(opcode, 1 | 2 | 7 | 8 | 10));
            match packet.get(..word(data, 0)) {
                Some(packet) => openvpn(packet),
                None if may => Maybe,
                None => No,
            }
        }
        _ => No,
    }
}

/// A message of versions 1 to 4 (RFC 5905 section 7.3) whose numbers are those of a clock; those of control (RFC 9327)
/// and of ntpd's own say too little.
pub(super) fn ntp(data: &[u8]) -> Seen {
    let (version, mode) = (data[0] >> 3 & 7, data[0] & 7);
    match mode {
        6 if data.len() >= 12 => whether(matches!(version, 1..=4) && word(data, 10) <= data.len() - 12).weak(),
        7 if data.len() >= 8 => {
            let items = (word(data, 4) & 0xfff) * (word(data, 6) & 0xfff);
            whether(matches!(version, 2..=4) && data[2] <= 3 && 8 + items <= data.len()).weak()
        }
        1..=5 if data.len() >= 48 && matches!(version, 1..=4) => {
            let (stratum, poll, precision) = (data[1], data[2] as i8, data[3] as i8);
            // Root delay and dispersion are in seconds, with 16 bits behind the point.
            let near = word(data, 4) < 16 && word(data, 8) < 16;
            whether(stratum <= 16 && poll <= 17 && (-32..=0).contains(&precision) && near && data.len() % 4 == 0)
        }
        _ => No,
    }
}

/// A message with the magic cookie (RFC 2131 section 3), or one of DHCPv6 whose options fill it (RFC 8415 section 8).
pub(super) fn dhcp(data: &[u8]) -> Seen {
    let cookie = data.get(236..240) == Some(&[0x63, 0x82, 0x53, 0x63]);
    let four = cookie && matches!(data[..3], [1 | 2, _, 0..=16]);
    let mut at = 4;
    while data.len() >= at + 4 && word(data, at) <= 150 {
        at += 4 + word(data, at + 2);
    }
    let six = matches!(data[0], 1..=11) && data.len() > 4 && at == data.len();
    // An Ethernet address in a message whose cookie was not captured.
    let cut = data.len() < 240 && matches!(data, [1 | 2, 1, 6, 0..=16, ..]);
    if four { Surely } else { whether(six || cut).weak() }
}
