//! Application protocols that are told by content.

macro_rules! protocols {
    ($($(#[$meta:meta])* $variant:ident = $name:literal,)*) => {
        /// An application protocol; the name is EVE's `app_proto`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        #[repr(u8)]
        pub enum AppProtocol {
            /// Not told, or not yet.
            #[default]
            Unknown,
            $($(#[$meta])* $variant,)*
        }

        impl AppProtocol {
            /// Every protocol, in the order of its number.
            pub const ALL: &'static [Self] = &[Self::Unknown, $(Self::$variant,)*];

            /// The name in records, metrics and questions.
            pub fn name(self) -> &'static str {
                match self {
                    Self::Unknown => "unknown",
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

protocols! {
    /// TLS, whatever it carries (RFC 8446).
    Tls = "tls",
    /// HTTP/1 (RFC 9112).
    Http = "http",
    /// HTTP/2 without TLS (RFC 9113).
    Http2 = "http2",
    /// DNS over UDP or TCP (RFC 1035).
    Dns = "dns",
    /// QUIC (RFC 9000).
    Quic = "quic",
    /// SMTP and submission (RFC 5321).
    Smtp = "smtp",
    /// POP3 (RFC 1939).
    Pop3 = "pop3",
    /// IMAP (RFC 9051).
    Imap = "imap",
    /// SSH (RFC 4253).
    Ssh = "ssh",
    /// FTP's control connection (RFC 959).
    Ftp = "ftp",
    /// Telnet with option negotiation (RFC 854).
    Telnet = "telnet",
    /// Remote Desktop ([MS-RDPBCGR]).
    Rdp = "rdp",
    /// SMB 1 to 3 ([MS-SMB2]).
    Smb = "smb",
    /// NTP (RFC 5905).
    Ntp = "ntp",
    /// DHCP (RFC 2131).
    Dhcp = "dhcp",
    /// SNMP (RFC 3416).
    Snmp = "snmp",
    /// LDAP (RFC 4511).
    Ldap = "ldap",
    /// Kerberos (RFC 4120).
    Kerberos = "krb5",
    /// MySQL and MariaDB.
    Mysql = "mysql",
    /// PostgreSQL.
    Postgresql = "pgsql",
    /// Redis.
    Redis = "redis",
    /// MQTT (OASIS MQTT 3.1.1 and 5).
    Mqtt = "mqtt",
    /// SIP (RFC 3261).
    Sip = "sip",
    /// RTSP (RFC 7826).
    Rtsp = "rtsp",
    /// BitTorrent: peers (BEP 3), the distributed hash table (BEP 5), uTP (BEP 29).
    Bittorrent = "bittorrent",
    /// STUN and TURN (RFC 8489).
    Stun = "stun",
    /// WireGuard.
    Wireguard = "wireguard",
    /// OpenVPN.
    Openvpn = "openvpn",
    /// SOCKS 4 and 5 (RFC 1928).
    Socks = "socks",
    /// DCE/RPC over TCP (C706, [MS-RPCE]).
    DceRpc = "dcerpc",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_stands_at_its_number_with_a_name_of_its_own() {
        let mut names: Vec<&str> = AppProtocol::ALL.iter().map(|protocol| protocol.name()).collect();
        assert!(AppProtocol::ALL.iter().enumerate().all(|(number, protocol)| *protocol as usize == number));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AppProtocol::ALL.len());
    }
}
