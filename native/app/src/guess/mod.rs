//! The protocol of a conversation by what is said in it.
//!
//! A signature looks at the first bytes of a client and of a server, and says how sure it is ([`seen::Seen`]). Bytes
//! that no other protocol has suffice from one side alone; of others both sides have to say the same, or the port.

mod data;
mod lines;
mod peer;
#[cfg(test)]
mod samples;
mod seen;
mod web;

use crate::AppProtocol::{self, *};
use seen::Seen;

/// Bytes of each side that are looked at.
const LOOKED_AT_BYTES: usize = 512;

/// What the bytes so far say of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// It is this one.
    Known(AppProtocol),
    /// More bytes, or the other side's, may tell.
    More,
    /// It is none that is known, or its beginning was not seen.
    Unknown,
}

/// How a protocol's beginning is told.
struct Signature {
    protocol: AppProtocol,
    client: fn(&[u8]) -> Seen,
    server: fn(&[u8]) -> Seen,
    /// The ports that break ties.
    ports: &'static [u16],
}

const fn signature(
    protocol: AppProtocol,
    client: fn(&[u8]) -> Seen,
    server: fn(&[u8]) -> Seen,
    ports: &'static [u16],
) -> Signature {
    Signature { protocol, client, server, ports }
}

const STREAMS: &[Signature] = &[
    signature(Tls, web::tls_client, web::tls_server, &[443, 465, 636, 853, 993, 995, 8443]),
    signature(Http, web::http_client, web::http_server, &[80, 8080]),
    signature(Http2, web::http2_client, web::http2_server, &[80]),
    signature(Ssh, lines::ssh, lines::ssh, &[22]),
    signature(Smtp, lines::smtp_client, lines::smtp_server, &[25, 587, 2525]),
    signature(Ftp, lines::ftp_client, lines::ftp_server, &[21]),
    signature(Pop3, lines::pop3_client, lines::pop3_server, &[110]),
    signature(Imap, lines::imap_client, lines::imap_server, &[143]),
    signature(Dns, peer::dns_stream, peer::dns_stream, &[53]),
    signature(Smb, data::smb, data::smb, &[139, 445]),
    signature(Rdp, data::rdp_client, data::rdp_server, &[3389]),
    signature(Ldap, data::ldap, data::ldap, &[389, 3268]),
    signature(Kerberos, data::kerberos_stream, data::kerberos_stream, &[88]),
    signature(DceRpc, data::dcerpc_client, data::dcerpc_server, &[135]),
    signature(Telnet, lines::telnet, lines::telnet, &[23]),
    signature(Mysql, data::mysql_client, data::mysql_server, &[3306]),
    signature(Postgresql, data::postgresql_client, data::postgresql_server, &[5432]),
    signature(Redis, data::redis_client, data::redis_server, &[6379]),
    signature(Mqtt, data::mqtt_client, data::mqtt_server, &[1883]),
    signature(Sip, web::sip, web::sip, &[5060]),
    signature(Rtsp, web::rtsp, web::rtsp, &[554, 8554]),
    signature(Bittorrent, peer::bittorrent, peer::bittorrent, &[]),
    signature(Stun, peer::stun, peer::stun, &[3478]),
    signature(Socks, peer::socks_client, peer::socks_server, &[1080]),
    signature(Openvpn, peer::openvpn_stream, peer::openvpn_stream, &[1194]),
];

/// A datagram's signature; either side's look alike.
type DatagramSignature = (AppProtocol, fn(&[u8]) -> Seen, &'static [u16]);

const DATAGRAMS: &[DatagramSignature] = &[
    (Quic, web::quic, &[443]),
    (Stun, peer::stun_datagram, &[3478]),
    (Dhcp, peer::dhcp, &[67, 68, 546, 547]),
    (Dns, peer::dns, &[53, 5353, 5355]),
    (Snmp, data::snmp, &[161, 162]),
    (Ldap, data::cldap, &[389]),
    (Kerberos, data::kerberos, &[88]),
    (Sip, web::sip, &[5060]),
    (Bittorrent, peer::bittorrent_datagram, &[]),
    (Wireguard, peer::wireguard, &[51820]),
    (Openvpn, peer::openvpn, &[1194]),
    (Ntp, peer::ntp, &[123]),
];

/// The protocol of a TCP connection by the contiguous beginnings of what its originator and its responder sent; either
/// may be empty. At most the first 512 bytes of each are looked at. The port decides only between protocols that the
/// bytes do not tell apart. Which side is the client is taken from the bytes too: where the first packets were not
/// seen, the originator may be the server.
pub fn stream(orig: &[u8], resp: &[u8], resp_port: u16) -> Guess {
    let (orig, resp) = (&orig[..orig.len().min(LOOKED_AT_BYTES)], &resp[..resp.len().min(LOOKED_AT_BYTES)]);
    let mut best = (Match::None, Unknown);
    for (client, server) in [(orig, resp), (resp, orig)] {
        for signature in STREAMS {
            let found = signature.judge(client, server, resp_port);
            // Nothing is surer, and the most frequent protocols stand first.
            if found == Match::Sure {
                return Guess::Known(signature.protocol);
            }
            if found > best.0 {
                best = (found, signature.protocol);
            }
        }
    }
    match best {
        (Match::None, _) => Guess::Unknown,
        (Match::Open, _) => Guess::More,
        (_, protocol) => Guess::Known(protocol),
    }
}

/// The protocol of one UDP datagram between these ports, the sender's first. The ports decide only where the bytes fit
/// and say too little.
pub fn datagram(payload: &[u8], ports: (u16, u16)) -> Guess {
    if payload.is_empty() {
        return Guess::Unknown;
    }
    let usual = |usual: &[u16]| usual.contains(&ports.0) || usual.contains(&ports.1);
    let known = DATAGRAMS.iter().find(|(_, look, ports)| match look(payload) {
        Seen::Surely => true,
        Seen::Probably => usual(ports),
        Seen::Maybe | Seen::No => false,
    });
    known.map_or(Guess::Unknown, |(protocol, ..)| Guess::Known(*protocol))
}

/// How well both sides fit a signature, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    None,
    /// Nothing speaks against it yet.
    Open,
    /// One side fits, nothing was heard of the other, and the port is the usual one.
    SideAndPort,
    /// Both sides fit.
    Both,
    /// Both sides fit, and the port is the usual one.
    BothAndPort,
    /// One side's bytes are its alone.
    Sure,
}

impl Signature {
    fn judge(&self, client: &[u8], server: &[u8], port: u16) -> Match {
        let usual = self.ports.contains(&port);
        match (look(self.client, client), look(self.server, server)) {
            (Some(Seen::Surely), _) | (_, Some(Seen::Surely)) => Match::Sure,
            (Some(Seen::No), _) | (_, Some(Seen::No)) => Match::None,
            (Some(Seen::Probably), Some(Seen::Probably)) if usual => Match::BothAndPort,
            (Some(Seen::Probably), Some(Seen::Probably)) => Match::Both,
            (Some(Seen::Probably), None) | (None, Some(Seen::Probably)) if usual => Match::SideAndPort,
            _ => Match::Open,
        }
    }
}

/// What a side says, if it said anything. When all bytes that are looked at are there, there is no `Maybe`.
fn look(signature: fn(&[u8]) -> Seen, data: &[u8]) -> Option<Seen> {
    match data.len() {
        0 => None,
        LOOKED_AT_BYTES => Some(signature(data)).map(|seen| if seen == Seen::Maybe { Seen::No } else { seen }),
        _ => Some(signature(data)),
    }
}

#[cfg(test)]
#[path = "guess_tests.rs"]
mod tests;
