"""The pool of payloads that the office capture draws from, with the checksum of each."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensor.demo import messages

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLIENTS = 200
SITES = tuple(
    f"{name}{number}.example.{top}" for number in range(50) for name in ("www", "cdn", "api") for top in ("com", "net")
)


@dataclass(frozen=True)
class Pool:
    """Payloads by number. `first` and `count` give the range of each slot."""

    payloads: list[bytes]
    length: NDArray[np.int64]
    checksum: NDArray[np.int64]  # sum of the 16-bit words, not folded
    first: dict[str, int]
    count: dict[str, int]


def make_pool(seed: int) -> Pool:
    """Builds every slot. The same seed gives the same bytes."""
    slots = _spoken(seed) | _opaque(random.Random(seed))
    payloads: list[bytes] = []
    first, count = {}, {}
    for name, entries in slots.items():
        first[name], count[name] = len(payloads), len(entries)
        payloads += entries
    length = np.array([len(payload) for payload in payloads], dtype=np.int64)
    checksum = np.array([_word_sum(payload) for payload in payloads], dtype=np.int64)
    return Pool(payloads, length, checksum, first, count)


def _spoken(seed: int) -> dict[str, list[bytes]]:
    """What can be read: the first packets of a conversation."""
    hello = [messages.server_hello(seed + number) for number in range(64)]
    addresses = [f"198.18.{number % 250}.{number // 250 + 1}" for number in range(len(SITES))]
    return {
        "none": [b""],
        "client_hello": [messages.client_hello(site, seed + number) for number, site in enumerate(SITES)],
        "server_hello": [whole[:1448] for whole in hello],
        "server_hello_rest": [whole[1448:] for whole in hello],
        "http_get": [messages.http_get(site, f"/{number}/index.html") for number, site in enumerate(SITES)],
        "http_ok": [messages.http_ok(4000 + number)[:1448] for number in range(32)],
        "dns_query": [messages.dns_query(site, number * 199 & 0xFFFF) for number, site in enumerate(SITES)],
        "dns_answer": [
            messages.dns_answer(site, number * 199 & 0xFFFF, addresses[number]) for number, site in enumerate(SITES)
        ],
        "ntp_query": [messages.ntp(mode=3)],
        "ntp_answer": [messages.ntp(mode=4)],
        "ssh_banner": [b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"],
        "smb_small": [messages.smb_encrypted(seed + number, 60 + number * 7) for number in range(32)],
        "echo": [bytes(range(56))],
        "arp": [_arp_body(number) for number in range(CLIENTS)],
    }


def _opaque(dice: random.Random) -> dict[str, list[bytes]]:
    """What is encrypted."""
    tls = {
        name: [messages.tls_data(dice.randrange(1 << 30), dice.randint(low, high)) for _ in range(128)]
        for name, low, high in (("tls_small", 24, 200), ("tls_middle", 200, 1200), ("tls_full", 1443, 1443))
    }
    quic = {
        name: [bytes([0x40 | dice.getrandbits(5)]) + dice.randbytes(dice.randint(low, high) - 1) for _ in range(128)]
        for name, low, high in (("quic_small", 32, 90), ("quic_full", 1200, 1250))
    }
    initial = [b"\xc3\x00\x00\x00\x01\x08" + dice.randbytes(1244) for _ in range(64)]
    ssh = [dice.randbytes(36 + 16 * dice.randint(0, 12)) for _ in range(64)]
    bulk = [dice.randbytes(1448) for _ in range(128)]
    return tls | quic | {"quic_initial": initial, "ssh_data": ssh, "bulk": bulk}


def _arp_body(client: int) -> bytes:
    """The ARP request of one client for its router, with Ethernet's padding."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return (head + client_mac(client) + client_address(client) + bytes(6) + bytes((10, 20, 0, 1))).ljust(46, b"\0")


def client_mac(client: int) -> bytes:
    """The MAC of an internal machine by its number."""
    return bytes((0x00, 0x1B, 0x44, 0x20, client >> 8, client & 0xFF))


def client_address(client: int) -> bytes:
    """The IPv4 address of an internal machine by its number: 10.20.0.2 and up, 50 a subnet."""
    return bytes((10, 20, client // 50, client % 50 + 2))


def _word_sum(payload: bytes) -> int:
    padded = payload + b"\0" * (len(payload) % 2)
    return sum(struct.unpack(f"!{len(padded) // 2}H", padded))
