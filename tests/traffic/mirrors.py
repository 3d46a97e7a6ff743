"""What a mirror port shows of the same office, when it is healthy and when it is not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sensor.demo.conversation import Conversation
from sensor.demo.frames import Endpoint, Session, arp_request, erspan_ii

SERVER = Endpoint("02:00:00:00:01:01", "198.51.100.7", 443)
SWITCH = Endpoint("02:00:00:00:02:01", "192.0.2.1")
SENSOR = Endpoint("02:00:00:00:02:02", "192.0.2.9")
ROUTER_MAC = "02:00:00:00:03:01"
_MACS_BYTES = 12
_TTL_AT, _CHECKSUM_AT = 22, 24


class Mirrored(NamedTuple):
    """A frame, and whether the client sent it."""

    frame: bytes
    from_client: bool


def connections(number: int) -> Iterator[Mirrored]:
    """`number` connections of 20 kB to the client, each of a PC of its own."""
    contents = random.Random(number)
    for host in range(number):
        client = Endpoint(f"02:00:00:00:00:{host % 256:02x}", f"10.7.{host // 250}.{1 + host % 250}", 50_000 + host)
        talk = Conversation(client, SERVER)
        frames = [
            *talk.open(),
            *talk.send(contents.randbytes(400), from_client=True),
            *talk.send(contents.randbytes(20_000), from_client=False),
            *talk.close(),
        ]
        yield from (Mirrored(frame, frame[6:12] == frames[0][6:12]) for frame in frames)


def whole(mirrored: Iterable[Mirrored]) -> list[bytes]:
    """Both directions, each frame once."""
    return [frame for frame, _ in mirrored]


def one_sided(mirrored: Iterable[Mirrored]) -> list[bytes]:
    """What clients send."""
    return [frame for frame, from_client in mirrored if from_client]


def twice(mirrored: Iterable[Mirrored]) -> list[bytes]:
    """Every frame, and at once its exact copy."""
    return [frame for frame, _ in mirrored for _ in range(2)]


def routed_too(mirrored: Iterable[Mirrored]) -> list[bytes]:
    """Every frame before and behind a router."""
    return [copy for frame, _ in mirrored for copy in (frame, _routed(frame))]


def with_holes(mirrored: Iterable[Mirrored], every: int = 10) -> list[bytes]:
    """All but each tenth frame of the server."""
    frames = []
    sent = 0
    for frame, from_client in mirrored:
        sent += not from_client
        if from_client or sent % every:
            frames.append(frame)
    return frames


def erspan(frames: Iterable[bytes], every: int = 0) -> list[bytes]:
    """Frames in an ERSPAN session; with `every` each one of so many is lost on the way."""
    wrapped = [
        erspan_ii(frame, SWITCH, SENSOR, Session(7, sequence=number)) for number, frame in enumerate(frames, 900)
    ]
    return [frame for number, frame in enumerate(wrapped, 1) if not every or number % every]


def flooded(number: int) -> list[bytes]:
    """Broadcast alone."""
    client = Endpoint("02:00:00:00:00:01", "10.7.0.1")
    return [arp_request(client, f"10.7.{host // 250}.{1 + host % 250}") for host in range(number)]


def _routed(frame: bytes) -> bytes:
    """The frame behind a router: other addresses, a time to live lower by one, the checksum made good (RFC 1624)."""
    routed = bytearray(frame)
    routed[:_MACS_BYTES] = bytes.fromhex(ROUTER_MAC.replace(":", "")) + frame[:6]
    routed[_TTL_AT] -= 1
    total = int.from_bytes(frame[_CHECKSUM_AT : _CHECKSUM_AT + 2]) + 0x0100
    routed[_CHECKSUM_AT : _CHECKSUM_AT + 2] = ((total & 0xFFFF) + (total >> 16)).to_bytes(2)
    return bytes(routed)
