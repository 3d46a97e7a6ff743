"""What applications say in the first packets of a conversation, in the real wire format."""

from __future__ import annotations

import random
import struct

import dpkt

from sensor.demo.frames import address_bytes

SMTP_BANNER = b"220 mx.example.net ESMTP ready\r\n"


def client_hello(name: str, seed: int) -> bytes:
    """A TLS 1.2/1.3 ClientHello with server name indication (RFC 8446, 4.1.2; RFC 6066, 3)."""
    host = name.encode("ascii")
    server_name = struct.pack("!HBH", len(host) + 3, 0, len(host)) + host
    extensions = b"".join(
        (
            _extension(0x0000, server_name),
            _extension(0x000A, struct.pack("!HHHH", 6, 0x001D, 0x0017, 0x0018)),
            _extension(0x000D, struct.pack("!HHHH", 6, 0x0403, 0x0804, 0x0401)),
            _extension(0x0010, b"\x00\x0c\x02h2\x08http/1.1"),
            _extension(0x002B, b"\x04\x03\x04\x03\x03"),
        )
    )
    ciphers = struct.pack("!6H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC030)
    body = b"\x03\x03" + _random(seed, 32) + b"\x20" + _random(seed + 1, 32)
    body += struct.pack("!H", len(ciphers)) + ciphers + b"\x01\x00" + struct.pack("!H", len(extensions)) + extensions
    return _tls_record(22, b"\x01" + len(body).to_bytes(3) + body)


def server_hello(seed: int) -> bytes:
    """A ServerHello of TLS 1.3, followed by its encrypted certificate."""
    extensions = _extension(0x002B, b"\x03\x04") + _extension(0x0033, b"\x00\x1d\x00\x20" + _random(seed + 2, 32))
    body = b"\x03\x03" + _random(seed, 32) + b"\x20" + _random(seed + 1, 32) + b"\x13\x01\x00"
    body += struct.pack("!H", len(extensions)) + extensions
    return _tls_record(22, b"\x02" + len(body).to_bytes(3) + body) + tls_data(seed + 3, 2400)


def tls_data(seed: int, length_bytes: int) -> bytes:
    """Encrypted application data in records of at most 4 KiB."""
    content = _random(seed, length_bytes)
    return b"".join(_tls_record(23, content[start : start + 4096]) for start in range(0, length_bytes, 4096))


def http_get(host: str, path: str) -> bytes:
    """An HTTP/1.1 request (RFC 9112)."""
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64)\r\n"
        "Accept: */*\r\nAccept-Language: en\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode("ascii")


def http_ok(length_bytes: int) -> bytes:
    """The answer to a request, with a body of `length_bytes`."""
    head = (
        f"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: {length_bytes}\r\n"
        "Connection: keep-alive\r\n\r\n"
    )
    return head.encode("ascii") + b"<p>office</p>\n" * (length_bytes // 14) + b" " * (length_bytes % 14)


def dns_query(name: str, identifier: int) -> bytes:
    """A question for an A record (RFC 1035)."""
    return bytes(dpkt.dns.DNS(id=identifier, qd=[dpkt.dns.DNS.Q(name=name, type=dpkt.dns.DNS_A)]))


def dns_answer(name: str, identifier: int, address: str) -> bytes:
    """The answer to `dns_query` with one IPv4 address."""
    record = dpkt.dns.DNS.RR(name=name, type=dpkt.dns.DNS_A, ttl=300, rdata=address_bytes(address))
    question = dpkt.dns.DNS.Q(name=name, type=dpkt.dns.DNS_A)
    return bytes(dpkt.dns.DNS(id=identifier, op=0x8180, qd=[question], an=[record]))


def ntp(mode: int) -> bytes:
    """An NTP version 4 packet: mode 3 asks, mode 4 answers (RFC 5905)."""
    return struct.pack("!B47x", 4 << 3 | mode)


def smb_encrypted(seed: int, length_bytes: int) -> bytes:
    """An encrypted SMB 3 message of `length_bytes` behind its transform header ([MS-SMB2] 2.2.41)."""
    header = b"\xfdSMB" + _random(seed, 32) + struct.pack("<IHHQ", length_bytes, 0, 1, seed)
    return (len(header) + length_bytes).to_bytes(4) + header + _random(seed + 1, length_bytes)


def smtp_message(number: int) -> tuple[bytes, ...]:
    """What a client sends for one message, command by command (RFC 5321)."""
    text = (
        f"From: Billing <billing@office.example>\r\nTo: customer{number}@example.net\r\n"
        f"Subject: Invoice {number}\r\n\r\nPlease find your invoice attached.\r\n.\r\n"
    )
    return (
        b"EHLO pc.office.example\r\n",
        b"MAIL FROM:<billing@office.example>\r\n",
        f"RCPT TO:<customer{number}@example.net>\r\n".encode("ascii"),
        b"DATA\r\n",
        text.encode("ascii"),
        b"QUIT\r\n",
    )


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!HH", kind, len(body)) + body


def _tls_record(kind: int, body: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def _random(seed: int, length_bytes: int) -> bytes:
    """Bytes that look encrypted and are the same each run."""
    return random.Random(seed).randbytes(length_bytes)  # noqa: S311 -- repeatable on purpose


def dhcp_request(mac: bytes, name: str) -> bytes:
    """What a client broadcasts to get an address, its host name in it (RFC 2131, 4.3.2)."""
    options = [
        (dpkt.dhcp.DHCP_OPT_MSGTYPE, bytes((dpkt.dhcp.DHCPREQUEST,))),
        (dpkt.dhcp.DHCP_OPT_HOSTNAME, name.encode("ascii")),
        (dpkt.dhcp.DHCP_OPT_VENDOR_ID, b"MSFT 5.0"),
    ]
    return _dhcp(dpkt.dhcp.DHCP_OP_REQUEST, mac, bytes(4), options)


def dhcp_ack(mac: bytes, address: str, server: str) -> bytes:
    """What the server answers."""
    options = [
        (dpkt.dhcp.DHCP_OPT_MSGTYPE, bytes((dpkt.dhcp.DHCPACK,))),
        (dpkt.dhcp.DHCP_OPT_SERVER_ID, address_bytes(server)),
    ]
    return _dhcp(dpkt.dhcp.DHCP_OP_REPLY, mac, address_bytes(address), options)


def _dhcp(operation: int, mac: bytes, given: bytes, options: list[tuple[int, bytes]]) -> bytes:
    xid = int.from_bytes(mac[2:])
    message = dpkt.dhcp.DHCP(op=operation, xid=xid, chaddr=mac, yiaddr=int.from_bytes(given), opts=options)
    return bytes(message)
