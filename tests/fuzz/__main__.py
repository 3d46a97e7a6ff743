"""Writes what the fuzz targets start from: `python -m tests.fuzz DIRECTORY`, with captures from SPANWATCH_CORPUS."""

import base64
import gzip
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import dpkt

CAPTURE_BYTES = 64 << 10
"""Larger captures would only make the fuzzer slow."""
FRAMES = 40
"""Frames of a capture that are taken."""
PROTOCOLS = 64
"""At least as many as the target `protocol` chooses from."""
IPV4_PACKET = bytes.fromhex("4500002800010000400600000a0000010a0000020050c35000000001000000025018ffff00000000")
HELLO = bytes.fromhex(
    "16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000"
    "910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024"
    "001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e040305030603"
    "020308040805080604010501060102010402050206020202002d00020101001c00024001"
)
"""A client's first record: RFC 8448, section 3."""
RECORD_HEADER_BYTES = 5
CRYPTO_BYTES = 1200
"""About what one packet carries."""

LISTS = (
    b"\x00# plain\n203.0.113.9\n10.0.0.0/8 # net\n203.0.113.9:443\n[2001:db8::1]:80\n",
    (
        b"\x01indicator,type,port,proto,direction,severity,valid_until,comment,action\n"
        b'203.0.113.9,ip,443,tcp,any,high,2030-01-01T00:00:00Z,"a ""word""",alert\n10.0.0.0/8,cidr,,,,4,,,allow\n'
    ),
)

HTTP = (
    (0, b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nCookie: b\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
    (0, b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\n"),
    (
        1,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 1\n\nxHTTP/1.0 200 OK\r\n\r\n",
    ),
    (2, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 No\r\n\r\nHTTP/1.1 101 Up\r\n\r\n\x81"),
)
NTLM = (
    b"\xa1\x82\x01\x00NTLMSSP\x00\x03\x00\x00\x00" + bytes(16)
    + bytes.fromhex("0400040040000000 0400040044000000 0200020048000000 0000000000000000 00000000")
    + b"CORPuserPC"
)  # fmt: skip
"""Somebody logs on ([MS-NLMP], section 2.2.1.3), wrapped."""
KERBEROS = bytes.fromhex("6b273025a003020105a10302010ba3061b04434f5250a411300fa003020101a10830061b0475736572")
"""An answer with a ticket (RFC 4120, section 5.4.2), of which the ticket is missing."""
HTTP2 = b"\x03PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex(
    "00000004000000000000001101050000000182868441 8cf1e3c2e5f23a6ba0ab90f4ff 000003000100000001616263"
)
"""Settings, a request whose fields are coded (RFC 7541 Appendix C.4.1), and data."""

MESSAGE = (
    b"From: =?gb2312?B?1tA=?= =?gb2312?B?zsQ=?= <a@b.example>\r\nTo: c@d.example, e\r\nSubject: \xc4\xe3\xba\xc3\r\n"
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=gbk\r\n\r\n"
    b"<a href='http://a.example/?b&amp;c'>www.d.example</a>\r\n--x\r\nContent-Type: application/zip; name=\"a.zip\"\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
    b"A: b\r\n\r\nc\r\n--x--\r\n"
)
MAIL = (
    (
        0,
        "sEHLO a\r\n|r220 a\r\n250-b\r\n250 c\r\n|sAUTH LOGIN\r\n|r334 a\r\n|sYW5uYQ==\r\nYQ==\r\n|r334 a\r\n235 b\r\n",
    ),
    (
        0,
        "sMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n|r250 a\r\n550 b\r\n354 c\r\n|sA: b\r\n\r\n..c\r\n.\r\n|r250\r\n",
    ),
    (0, "sLHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\nabcSTARTTLS\r\n|r250 a\r\n220 b\r\n"),
    (
        1,
        "r+OK POP3\r\n|sUSER a\r\nPASS b\r\nRETR 1\r\n|r+OK\r\n-ERR no\r\n+OK\r\nA: b\r\n\r\n..c\r\n.\r\n|sSTLS\r\n",
    ),
    (
        2,
        "r* OK\r\n|sa LOGIN {1}\r\na b\r\n|ra OK\r\n|sb FETCH 1 BODY[]\r\n|r* 1 FETCH (BODY[] {4}\r\nA: b)\r\nb OK\r\n",
    ),
    (2, "sa AUTHENTICATE PLAIN\r\n|r+ \r\n|sAGEAYg==\r\n|ra NO\r\n|sb APPEND x {4+}\r\nA: b\r\n|rb OK\r\n"),
)
"""What client (`s`) and server (`r`) say, behind the protocol's number."""
CLIENT_SAYS = 0x80
STEP_BYTES = 0x6F


def main() -> None:
    """Write one directory for each target."""
    directory = Path(sys.argv[1])
    corpus = os.environ.get("SPANWATCH_CORPUS")
    captures = sorted((Path(corpus) / "pcap").iterdir()) if corpus else []
    seeds = {
        "decode": frames(captures),
        "protocol": (bytes([number, 0]) + IPV4_PACKET for number in range(PROTOCOLS)),
        "capture_file": files(captures),
        "watchlist": iter(LISTS),
        "tls": (b"\x40\x00" + stream for stream in hellos(captures)),
        "quic": (sealed_initial(stream[RECORD_HEADER_BYTES:]) for stream in hellos(captures)),
        "http": http(),
        "dns": (payload for _, payload in payloads(captures)),
        "ntlm": iter((NTLM, b"NTLM " + base64.b64encode(NTLM))),
        "kerberos": iter((KERBEROS,)),
        "mail": mail(),
        "message": iter((MESSAGE, b"")),
        "guess": (port.to_bytes(2, "big") + b"\xff" + payload for port, payload in payloads(captures)),
    }
    for target, inputs in seeds.items():
        (directory / target).mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (directory / target / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def files(captures: list[Path]) -> Iterator[bytes]:
    """Small captures as they are and compressed."""
    for capture in captures:
        if capture.stat().st_size <= CAPTURE_BYTES:
            data = capture.read_bytes()
            yield data
            yield gzip.compress(data[: 4 << 10])


def http() -> Iterator[bytes]:
    """Streams in slices that each stand behind their length, behind the reader's number."""
    yield HTTP2
    for reader, stream in HTTP:
        slices = (stream[at : at + 100] for at in range(0, len(stream), 100))
        yield bytes([reader]) + b"".join(bytes([len(data)]) + data for data in slices)


def mail() -> Iterator[bytes]:
    """Conversations in steps, each behind who speaks and how long."""
    for protocol, turns in MAIL:
        steps = [bytes([protocol])]
        for turn in turns.split("|"):
            said = turn[1:].encode()
            who = CLIENT_SAYS if turn[0] == "s" else 0
            for at in range(0, len(said), STEP_BYTES):
                piece = said[at : at + STEP_BYTES]
                steps.append(bytes([who | len(piece)]) + piece)
        yield b"".join(steps)


def payloads(captures: list[Path]) -> Iterator[tuple[int, bytes]]:
    """What TCP and UDP carry in the first frames of each capture of Ethernet, and the port that it is sent to."""
    for frame in frames(captures):
        if frame[:2] != b"\x01\x00":
            continue
        try:
            segment = dpkt.ethernet.Ethernet(frame[3:]).data.data
        except (AttributeError, IndexError, dpkt.Error):
            continue
        if isinstance(segment, dpkt.tcp.TCP | dpkt.udp.UDP) and segment.data:
            yield segment.dport, bytes(segment.data)


def frames(captures: list[Path]) -> Iterator[bytes]:
    """The first frames of each capture, behind the link type and the number of bytes that were not captured."""
    for capture in captures:
        with capture.open("rb") as file:
            try:
                reader = dpkt.pcap.UniversalReader(file)
            except (ValueError, dpkt.Error):
                continue
            for _, (_, data) in zip(range(FRAMES), reader, strict=False):
                yield (reader.datalink() & 0xFFFF).to_bytes(2, "little") + b"\x00" + data


def hellos(captures: list[Path]) -> Iterator[bytes]:
    """Beginnings of TLS streams: a hello of the protocol's specification, and what looks like one in the frames."""
    yield HELLO
    for frame in frames(captures):
        start = re.search(rb"\x16\x03[\x00-\x04]..[\x01\x02]\x00", frame, re.DOTALL)
        if start:
            yield frame[start.start() :]


def sealed_initial(message: bytes) -> bytes:
    """A message in a CRYPTO frame, as the target `quic` takes it to be sealed."""
    message = message[:CRYPTO_BYTES]
    frame = b"\x06\x00" + (0x4000 | len(message)).to_bytes(2, "big") + message
    return (0x8000 | len(frame)).to_bytes(2, "little") + frame


if __name__ == "__main__":
    main()
