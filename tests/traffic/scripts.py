"""How the kinds of flow of an office go, packet by packet: data only."""

from __future__ import annotations

from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
CLIENT, SERVER = 0, 1
TCP, UDP, ICMP, ARP = 6, 17, 1, 0

Step = tuple[int, int, str]
"""Who sends, TCP flags, slot of the payload pool."""

_OPEN: tuple[Step, ...] = ((CLIENT, SYN, "none"), (SERVER, SYN | ACK, "none"), (CLIENT, ACK, "none"))
_CLOSE: tuple[Step, ...] = ((CLIENT, FIN | ACK, "none"), (SERVER, FIN | ACK, "none"), (CLIENT, ACK, "none"))
_UP, _DOWN = (CLIENT, ACK, "none"), (SERVER, ACK, "none")

_HELLO: tuple[Step, ...] = (
    (CLIENT, PSH | ACK, "client_hello"),
    _DOWN,
    (SERVER, ACK, "server_hello"),
    (SERVER, PSH | ACK, "server_hello_rest"),
    _UP,
    (CLIENT, PSH | ACK, "tls_small"),
)


@dataclass(frozen=True)
class Kind:
    """One kind of flow. `packets` is (median, sigma) of a log-normal distribution, cut at `longest`."""

    name: str
    weight: float  # share of all flows
    protocol: int
    port: int
    servers: str  # "external" or "internal"
    opening: tuple[Step, ...]
    body: tuple[Step, ...]
    closing: tuple[Step, ...] = ()
    packets: tuple[float, float] = (0, 0)
    longest: int = 20000
    seconds: float = 4.0  # median duration


KINDS: tuple[Kind, ...] = (
    Kind(
        "web",
        0.30,
        TCP,
        443,
        "external",
        _OPEN + _HELLO,
        (
            (CLIENT, PSH | ACK, "tls_middle"),
            _DOWN,
            (SERVER, ACK, "tls_full"),
            _UP,
            (SERVER, PSH | ACK, "tls_middle"),
            _UP,
            (CLIENT, PSH | ACK, "tls_small"),
            (SERVER, PSH | ACK, "tls_small"),
        ),
        _CLOSE,
        (28, 0.9),
    ),
    Kind(
        "download",
        0.009,
        TCP,
        443,
        "external",
        _OPEN + _HELLO + ((CLIENT, PSH | ACK, "tls_middle"),),
        ((SERVER, ACK, "tls_full"), (SERVER, ACK, "tls_full"), _UP),
        _CLOSE,
        (160, 1.2),
        seconds=9,
    ),
    Kind(
        "idle",
        0.10,
        TCP,
        443,
        "external",
        _OPEN + _HELLO,
        ((CLIENT, PSH | ACK, "tls_small"), (SERVER, PSH | ACK, "tls_small"), _UP),
        _CLOSE,
        (90, 0.7),
        seconds=30,
    ),
    Kind(
        "http",
        0.05,
        TCP,
        80,
        "external",
        _OPEN,
        ((CLIENT, PSH | ACK, "http_get"), _DOWN, (SERVER, ACK, "http_ok"), _UP),
        _CLOSE,
        (18, 0.6),
    ),
    Kind(
        "smb",
        0.05,
        TCP,
        445,
        "internal",
        _OPEN,
        (
            (CLIENT, PSH | ACK, "smb_small"),
            (SERVER, PSH | ACK, "smb_small"),
            _UP,
            (CLIENT, PSH | ACK, "smb_small"),
            (SERVER, ACK, "bulk"),
            _UP,
        ),
        _CLOSE,
        (70, 1.0),
        seconds=20,
    ),
    Kind(
        "ssh",
        0.01,
        TCP,
        22,
        "internal",
        (*_OPEN, (CLIENT, PSH | ACK, "ssh_banner"), (SERVER, PSH | ACK, "ssh_banner")),
        ((CLIENT, PSH | ACK, "ssh_data"), (SERVER, PSH | ACK, "ssh_data"), _UP),
        _CLOSE,
        (200, 1.0),
        seconds=40,
    ),
    Kind(
        "quic",
        0.07,
        UDP,
        443,
        "external",
        ((CLIENT, 0, "quic_initial"), (SERVER, 0, "quic_initial"), (SERVER, 0, "quic_full"), (CLIENT, 0, "quic_small")),
        (
            (SERVER, 0, "quic_full"),
            (CLIENT, 0, "quic_small"),
            (SERVER, 0, "quic_small"),
            (CLIENT, 0, "quic_small"),
        ),
        packets=(40, 1.0),
        seconds=8,
    ),
    Kind(
        "dns",
        0.33,
        UDP,
        53,
        "internal",
        ((CLIENT, 0, "dns_query"), (SERVER, 0, "dns_answer")),
        (),
        seconds=0.02,
    ),
    Kind("ntp", 0.02, UDP, 123, "external", ((CLIENT, 0, "ntp_query"), (SERVER, 0, "ntp_answer")), (), seconds=0.05),
    Kind(
        "refused",
        0.02,
        TCP,
        8080,
        "external",
        ((CLIENT, SYN, "none"), (SERVER, RST | ACK, "none")),
        (),
        seconds=0.1,
    ),
    Kind("scan", 0.02, TCP, 3389, "internal", ((CLIENT, SYN, "none"),), (), seconds=0.1),
    Kind(
        "ping",
        0.01,
        ICMP,
        0,
        "external",
        (),
        ((CLIENT, 0, "echo"), (SERVER, 0, "echo")),
        packets=(8, 0.3),
        seconds=5,
    ),
    Kind("arp", 0.01, ARP, 0, "internal", ((CLIENT, 0, "arp"),), (), seconds=0.1),
)
