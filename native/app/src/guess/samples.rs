//! Beginnings of conversations as programs have them, made after the specifications.

use crate::AppProtocol::{self, *};

/// The first bytes of a connection.
pub(super) struct Connection {
    pub(super) protocol: AppProtocol,
    pub(super) client: Vec<u8>,
    pub(super) server: Vec<u8>,
    /// Whether the client's bytes suffice, and the server's.
    pub(super) suffices: (bool, bool),
}

pub(super) fn connections() -> Vec<Connection> {
    let connection = |protocol, client, server, suffices| Connection { protocol, client, server, suffices };
    vec![
        connection(
            Tls,
            b"\x16\x03\x01\0\xc4\x01\0\0\xc0\x03\x03\xcb4\xec\xb1\xe7\x81c\xba\x1c8\xc6\xda\xcb\x19jm\xff\xa2\
                \x1a\x8d\x99\x12\xec\x18\xa2\xefb\x83\x02M\xec\xe7\0\0\x06\x13\x01\x13\x03\x13\x02\
                \x01\0\0"
                .to_vec(),
            b"\x16\x03\x03\0Z\x02\0\0V\x03\x03\xa6\xaf\x06\xa4\x12\x18`\xdc^n`$\x9c\xd3L\x95\x93\x0c\x8a\xc5\xcb\
                \x144\xda\xc1Uw.\xd3\xe2i(\0\x13\x01\0\0."
                .to_vec(),
            (true, true),
        ),
        connection(
            Http,
            b"GET /index.html HTTP/1.1\r\nHost: a\r\n".to_vec(),
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            (true, true),
        ),
        connection(Http, b"PROPFIND /x HTTP/1.1\r\n".to_vec(), b"HTTP/1.0 404 Not Found\r\n".to_vec(), (true, true)),
        connection(
            Http2,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d".to_vec(),
            (true, true),
        ),
        connection(Ssh, b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec(), b"SSH-2.0-dropbear_2022.83\r\n".to_vec(), (true, true)),
        connection(
            Smtp,
            b"EHLO client.example\r\n".to_vec(),
            b"220 mx.example ESMTP Postfix\r\n".to_vec(),
            (true, true),
        ),
        connection(
            Smtp,
            b"MAIL FROM:<a@example.com>\r\n".to_vec(),
            b"220-mx.example\r\n220 SMTP ready\r\n".to_vec(),
            (true, true),
        ),
        connection(Ftp, b"USER anonymous\r\n".to_vec(), b"220 (vsFTPd 3.0.5)\r\n".to_vec(), (false, true)),
        connection(Ftp, b"AUTH TLS\r\n".to_vec(), b"220 Welcome\r\n".to_vec(), (false, false)),
        connection(Pop3, b"CAPA\r\n".to_vec(), b"+OK POP3 server ready\r\n".to_vec(), (true, true)),
        connection(Pop3, b"USER me\r\n".to_vec(), b"+OK Hello there <1.2@h>\r\n".to_vec(), (false, false)),
        connection(
            Imap,
            b"a001 LOGIN me secret\r\n".to_vec(),
            b"* OK [CAPABILITY IMAP4rev1] ready\r\n".to_vec(),
            (true, true),
        ),
        connection(Imap, b"A1 ID NIL\r\n".to_vec(), b"* OK Gimap ready\r\n".to_vec(), (false, true)),
        connection(
            Telnet,
            b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f".to_vec(),
            b"\xff\xfd\x18\xff\xfd \xff\xfd#".to_vec(),
            (true, true),
        ),
        connection(
            Dns,
            b"\0!\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01".to_vec(),
            b"\x001\0\x01\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\
                \0\0<\0\x04\xc0\0\x02\x07"
                .to_vec(),
            (true, true),
        ),
        connection(
            Smb,
            [
                &b"\0\0\0f\xfeSMB@\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe"[..],
                &[0; 30],
                b"$\0\x01\0\x01\0\0\0\0\0\0\0gggggggggggggggg\0\0\0\0\0\0\0\0\x02\x02",
            ]
            .concat(),
            [&b"\0\0\0\x81\xfeSMB@\0\0\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe"[..], &[0; 30]]
                .concat(),
            (true, true),
        ),
        connection(
            Smb,
            b"\x81\0\0D CKFDENECFDEFFCFGEFFCCACACACACACA\0 FHEPFCELEHFCEPFFFACACACACACACACA\0".to_vec(),
            b"\x82\0\0\0".to_vec(),
            (true, false),
        ),
        connection(
            Rdp,
            b"\x03\0\0+&\xe0\0\0\0\0\0Cookie: mstshash=admin\r\n\x01\0\x08\0\x03\0\0\0".to_vec(),
            b"\x03\0\0\x13\x0e\xd0\0\0\x124\0\x02\x09\x08\0\x02\0\0\0".to_vec(),
            (true, true),
        ),
        connection(
            Rdp,
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0".to_vec(),
            b"\x03\0\0\x0b\x06\xd0\0\0\x124\0".to_vec(),
            (true, false),
        ),
        connection(
            Ldap,
            b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0".to_vec(),
            b"0\x0c\x02\x01\x01a\x07\n\x01\0\x04\0\x04\0".to_vec(),
            (true, true),
        ),
        connection(
            Ldap,
            b"0%\x02\x01\x02c \x04\0\n\x01\0\n\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectClass0\0".to_vec(),
            b"0\x0c\x02\x01\x02e\x07\n\x01\0\x04\0\x04\0".to_vec(),
            (true, true),
        ),
        connection(
            DceRpc,
            b"\x05\0\x0b\x03\x10\0\0\0\x48\0\0\0\x01\0\0\0\xd0\x16\xd0\x16\0\0\0\0\x01\0\0\0".to_vec(),
            b"\x05\0\x0c\x03\x10\0\0\0\x3c\0\0\0\x01\0\0\0\xd0\x16\xd0\x16\x34\x12\0\0".to_vec(),
            (true, true),
        ),
        connection(
            Kerberos,
            b"\0\0\0\x81j\x7f0}\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\n\xa4q0o\xa0\x07\x03\x05\0@\x81\0\x10\xa1\
                \x110\x0f\xa0\x03\x02\x01\x01\xa1\x080\x06\x1b\x04user\xa2\r\x1b\x0bEXAMPLE.COM\xa3 \
                0\x1e\xa0\x03\x02\x01\x02\xa1\x170\x15\x1b\x06krbtgt\x1b\x0bEXAMPLE.COM\xa5\x11\x18\
                \x0f20370913024805Z\xa7\x06\x02\x04\x124Vx\xa8\x050\x03\x02\x01\x12"
                .to_vec(),
            b"\0\0\0O~M0K\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x11\x18\x0f20260101000000Z\xa5\x03\x02\x01\
                \0\xa6\x03\x02\x01\x19\xa9\r\x1b\x0bEXAMPLE.COM\xaa\x130\x11\xa0\x03\x02\x01\x02\xa1\
                \n0\x08\x1b\x06krbtgt"
                .to_vec(),
            (true, true),
        ),
        connection(
            Mysql,
            [
                &b"P\0\0\x01\x85\xa6\xff\x19\0\0\0\x01\xff"[..],
                &[0; 23],
                b"root\0\x14",
                &[b'h'; 20],
                b"caching_sha2_password\0",
            ]
            .concat(),
            b"J\0\0\0\n8.0.36\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrs\
                t\0caching_sha2_password\0"
                .to_vec(),
            (true, true),
        ),
        connection(
            Mysql,
            vec![],
            b"B\0\0\0\xffj\x04Host '192.0.2.1' is not allowed to connect to this MySQL server".to_vec(),
            (false, true),
        ),
        connection(
            Postgresql,
            b"\0\0\0 \0\x03\0\0user\0alice\0database\0db\0\0".to_vec(),
            b"R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0".to_vec(),
            (true, true),
        ),
        connection(Postgresql, b"\0\0\0\x08\x04\xd2\x16/".to_vec(), b"S".to_vec(), (true, false)),
        connection(
            Postgresql,
            b"\0\0\0\x10\x04\xd2\x16.\0\0\0\x01\0\0\0\x02".to_vec(),
            b"E\0\0\x000SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry\0\0".to_vec(),
            (true, true),
        ),
        connection(Redis, b"*1\r\n$4\r\nPING\r\n".to_vec(), b"+PONG\r\n".to_vec(), (true, true)),
        connection(Redis, b"PING\r\n".to_vec(), b"-NOAUTH Authentication required.\r\n".to_vec(), (false, true)),
        connection(Redis, b"INFO\r\n".to_vec(), b"$12\r\n# Server\r\nx:\r\n".to_vec(), (false, false)),
        connection(Mqtt, b"\x10\x10\0\x04MQTT\x04\x02\0<\0\x04test".to_vec(), b" \x02\0\0".to_vec(), (true, false)),
        connection(Mqtt, b"\x10\x12\0\x06MQIsdp\x03\x02\0<\0\x04test".to_vec(), b" \x02\0\0".to_vec(), (true, false)),
        connection(
            Sip,
            b"INVITE sip:b@example.com SIP/2.0\r\n".to_vec(),
            b"SIP/2.0 100 Trying\r\n".to_vec(),
            (true, true),
        ),
        connection(
            Rtsp,
            b"OPTIONS rtsp://example.com/m RTSP/1.0\r\n".to_vec(),
            b"RTSP/1.0 200 OK\r\n".to_vec(),
            (true, true),
        ),
        connection(
            Bittorrent,
            [&b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0"[..], &[b'h'; 20], b"-TR4050-abcdefghijkl"].concat(),
            [&b"\x13BitTorrent protocol"[..], &[0; 48]].concat(),
            (true, true),
        ),
        connection(
            Stun,
            b"\0\x01\0\0!\x12\xa4B0123456789ab".to_vec(),
            b"\x01\x01\0\x0c!\x12\xa4B0123456789ab\0 \0\x08\0\x01\xa1G\xe1\x12\xa6C".to_vec(),
            (true, true),
        ),
        connection(
            Socks,
            b"\x05\x02\0\x02\x05\x01\0\x03\x0bexample.com\0P".to_vec(),
            b"\x05\0\x05\0\0\x01\0\0\0\0\0\0".to_vec(),
            (true, true),
        ),
        connection(Socks, b"\x05\x01\0".to_vec(), b"\x05\0".to_vec(), (false, false)),
        connection(Socks, b"\x04\x01\0P\xc0\0\x02\x07user\0".to_vec(), b"\0Z\0\0\0\0\0\0".to_vec(), (false, false)),
        connection(
            Openvpn,
            b"\0\x0e8SESSIONc\0\0\0\0\0".to_vec(),
            b"\0\x1a@SESSIONs\x01\0\0\0\0SESSIONc\0\0\0\0".to_vec(),
            (true, true),
        ),
    ]
}

/// Datagrams with the sender's port and the receiver's; 40000 and 0 are nobody's.
pub(super) fn datagrams() -> Vec<(AppProtocol, Vec<u8>, (u16, u16))> {
    vec![
        (Dns, b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01".to_vec(), (40000, 0)),
        (
            Dns,
            b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\
                \0<\0\x04\xc0\0\x02\x07"
                .to_vec(),
            (0, 40000),
        ),
        (
            Dns,
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x05_http\x04_tcp\x05local\0\0\x0c\0\x01\0\0\0x\0\x08\x05thing\xc0\x0c"
                .to_vec(),
            (5353, 5353),
        ),
        (
            Quic,
            b"\xc0\0\0\0\x01\x08\x83\x94\xc8\xf0>QW\x08\0\0D\x9e{\x9a\xec4\xd1\xb1\xc9\x8d\xd7h\x9f\xb8\xec\x11x\
                xxxxxxx"
                .to_vec(),
            (40000, 0),
        ),
        (Quic, [&b"\xd0k3C\xcf\x08\x83\x94\xc8\xf0>QW\x08\0\0D\x9e"[..], &[b'x'; 22]].concat(), (40000, 0)),
        (Quic, b"\x80\0\0\0\0\0\x08\xf0g\xa5P*Bb\xb5\0\0\0\x01k3C\xcf".to_vec(), (0, 40000)),
        (Quic, [&b"\rconnecidQ043\x01"[..], &[b'x'; 26]].concat(), (40000, 0)),
        (Stun, b"\0\x01\0\0!\x12\xa4B0123456789ab".to_vec(), (40000, 0)),
        (Stun, b"\x01\x01\0\x0c!\x12\xa4B0123456789ab\0 \0\x08\0\x01\xa1G\xe1\x12\xa6C".to_vec(), (0, 40000)),
        (Stun, b"\0\x01\0\x08\0\0\0\x000123456789ab\0\x03\0\x04\0\0\0\0".to_vec(), (40000, 3478)),
        (Ntp, [&b"\xe3\0\x06\xec"[..], &[0; 36], b"\xea\x124Vx\x90\xab\xcd"].concat(), (123, 0)),
        (
            Ntp,
            b"$\x02\x03\xe9\0\0\x01\xe5\0\0\x03\xc0\xc0\0\x02\x07\xea\x124Vx\x90\xab\xcd\xea\x124Vx\x90\xab\xcd\
                \xea\x124Vx\x90\xab\xcd\xea\x124Vx\x90\xab\xcd"
                .to_vec(),
            (0, 40000),
        ),
        (Ntp, b"\x16\x02\0\x01\0\0\0\0\0\0\0\0".to_vec(), (40000, 123)),
        (
            Dhcp,
            [&b"\x01\x01\x06\0\x124Vx"[..], &[0; 21], b"\x1bD\x11:\xb7", &[0; 202], b"c\x82Sc5\x01\x01\xff"].concat(),
            (68, 67),
        ),
        (Dhcp, b"\x01\x124V\0\x01\0\n\0\x03\0\x01\0\x1bD\x11:\xb7\0\x08\0\x02\0\0".to_vec(), (546, 547)),
        (
            Snmp,
            b"0)\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x124Vx\x02\x01\0\x02\x01\x000\x0e0\x0c\x06\x08+\x06\x01\
                \x02\x01\x01\x01\0\x05\0"
                .to_vec(),
            (40000, 0),
        ),
        (
            Snmp,
            b"0:\x02\x01\x030\x0f\x02\x02\x07\xd0\x02\x03\0\xff\xe3\x04\x01\x04\x02\x01\x03\x04\x100\x0e\x04\0\
                \x02\x01\0\x02\x01\0\x04\0\x04\0\x04\x000\x12\x04\0\x04\0\xa0\x0c\x02\x02\x07\xd0\x02\
                \x01\0\x02\x01\x000\0"
                .to_vec(),
            (40000, 0),
        ),
        (
            Ldap,
            b"0%\x02\x01\x02c \x04\0\n\x01\0\n\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectClass0\0".to_vec(),
            (40000, 0),
        ),
        (
            Kerberos,
            b"j\x7f0}\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\n\xa4q0o\xa0\x07\x03\x05\0@\x81\0\x10\xa1\x110\x0f\xa0\
                \x03\x02\x01\x01\xa1\x080\x06\x1b\x04user\xa2\r\x1b\x0bEXAMPLE.COM\xa3 0\x1e\xa0\x03\
                \x02\x01\x02\xa1\x170\x15\x1b\x06krbtgt\x1b\x0bEXAMPLE.COM\xa5\x11\x18\x0f2037091302\
                4805Z\xa7\x06\x02\x04\x124Vx\xa8\x050\x03\x02\x01\x12"
                .to_vec(),
            (40000, 0),
        ),
        (
            Kerberos,
            b"~M0K\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x11\x18\x0f20260101000000Z\xa5\x03\x02\x01\0\xa6\
                \x03\x02\x01\x19\xa9\r\x1b\x0bEXAMPLE.COM\xaa\x130\x11\xa0\x03\x02\x01\x02\xa1\n0\
                \x08\x1b\x06krbtgt"
                .to_vec(),
            (0, 40000),
        ),
        (Sip, b"REGISTER sip:example.com SIP/2.0\r\nVia: x\r\n".to_vec(), (0, 0)),
        (Sip, b"SIP/2.0 401 Unauthorized\r\n".to_vec(), (0, 0)),
        (Bittorrent, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe".to_vec(), (0, 0)),
        (Bittorrent, b"d1:rd2:id20:0123456789abcdefghije1:t2:aa1:y1:re".to_vec(), (0, 0)),
        (Bittorrent, b"A\0:\\\x124Vx\0\0\0\0\0\x10\0\0\0\x01\0\0".to_vec(), (0, 0)),
        (
            Bittorrent,
            [&b"\x01\0:]\x124Vx\0\0\0\x01\0\x10\0\0\0\x02\xa0\x01\x13BitTorrent protocol"[..], &[0; 48]].concat(),
            (0, 0),
        ),
        (Bittorrent, b"\0\0\x04\x17'\x10\x19\x80\0\0\0\0\x124Vx".to_vec(), (0, 0)),
        (
            Wireguard,
            b"\x01\0\0\0\x11\"3D\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\
                \x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEF\
                GHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f\x80\x81\x82\x83\x84\
                \x85\x86\x87\x88\x89\x8a\x8b"
                .to_vec(),
            (0, 0),
        ),
        (
            Wireguard,
            b"\x02\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\
                \x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMN\
                OPQRSTUVW"
                .to_vec(),
            (0, 0),
        ),
        (Wireguard, b"\x04\0\0\0\x11\"3D\x09\0\0\0\0\0\0\0eeeeeeeeeeeeeeee".to_vec(), (0, 0)),
        (Openvpn, b"8SESSIONc\0\0\0\0\0".to_vec(), (0, 0)),
        (Openvpn, b"@SESSIONs\x01\0\0\0\0SESSIONc\0\0\0\0".to_vec(), (0, 0)),
        (Openvpn, [&b"8SESSIONc"[..], &[b'H'; 20], b"\0\0\0\x01eS\xf1\0\0\0\0\0\0"].concat(), (0, 0)),
        (Openvpn, [&b"8SESSIONc\0\0\0\x01eS\xf1\0"[..], &[b'H'; 32], b"EEEEE"].concat(), (0, 0)),
    ]
}
