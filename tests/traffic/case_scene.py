"""The stage of the phishing case: who lives where, and conversations that are put on a common time line."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import Any, NamedTuple

from sensor.demo import messages
from sensor.demo.conversation import Conversation
from sensor.demo.frames import Endpoint, udp

ROUTER_MAC = "00:00:5e:00:01:3c"
_STEP_SECONDS = 0.000_3
_NS = 1_000_000_000


class Sent(NamedTuple):
    """A frame, when it passed, and whether the side that opened the conversation sent it."""

    time_ns: int
    frame: bytes
    from_client: bool


class Asked(NamedTuple):
    """Somebody asked for a name, over `protocol`."""

    at: float
    client: str
    server: str
    protocol: str
    name: str


class Scene:
    """Collects frames; `at` is in seconds after the beginning of the case."""

    def __init__(self, start_seconds: float, seed: int) -> None:
        self.dice = random.Random(seed)
        self._start_ns = int(start_seconds * _NS)
        self.passed: list[Any] = []
        """Letters as they went by, for whoever needs no packets: see `tests.traffic.case_rows`."""
        self.asked: list[Asked] = []
        self._sent: list[Sent] = []
        self._ports: dict[str, count[int]] = defaultdict(lambda: count(49_152))
        self._queries = count(1)

    def talk(self, at: float, client: str, server: str, port: int) -> Talk:
        """A TCP connection from `client` to `server`, both addresses, opened at `at`."""
        return Talk(self, at, self._end(client), _machine(server).at(port))

    def look_up(self, at: float, client: str, resolver: str, name: str, answer: str) -> None:
        """A question for an address, and its answer."""
        here, there = self._end(client), _machine(resolver).at(53)
        number = next(self._queries) & 0xFFFF
        self.put(at, udp(here, there, messages.dns_query(name, number)), from_client=True)
        self.put(at + 0.002, udp(there, here, messages.dns_answer(name, number, answer)), from_client=False)
        self.asked.append(Asked(at, client, resolver, "dns", name))

    def set_clock(self, at: float, client: str, server: str) -> None:
        """A question for the time, and its answer."""
        here, there = _machine(client).at(123), _machine(server).at(123)
        self.put(at, udp(here, there, messages.ntp(3)), from_client=True)
        self.put(at + 0.01, udp(there, here, messages.ntp(4)), from_client=False)

    def put(self, at: float, frame: bytes, *, from_client: bool) -> None:
        """One frame."""
        self._sent.append(Sent(self._start_ns + int(at * _NS), frame, from_client))

    def in_time_order(self) -> list[Sent]:
        """All frames; of one moment in the order in which they were put."""
        return sorted(self._sent, key=lambda sent: sent.time_ns)

    def _end(self, address: str) -> Endpoint:
        return _machine(address).at(49_152 + next(self._ports[address]) % 16_384)


class Talk:
    """One TCP connection, whose own time moves on with each frame."""

    def __init__(self, scene: Scene, at: float, client: Endpoint, server: Endpoint) -> None:
        self.at = at
        self._scene = scene
        self._client_head = bytes.fromhex(client.mac.replace(":", ""))
        self._conversation = Conversation(client, server)
        self._put(self._conversation.open())

    def say(self, payload: bytes) -> None:
        """The client sends."""
        self._put(self._conversation.send(payload, from_client=True))

    def hear(self, payload: bytes) -> None:
        """The server sends."""
        self._put(self._conversation.send(payload, from_client=False))

    def ask(self, line: bytes, reply: bytes) -> None:
        """A command line and its reply, both without their end."""
        self.say(line + b"\r\n")
        self.hear(reply + b"\r\n")

    def pause(self, seconds: float) -> None:
        """Nobody says anything."""
        self.at += seconds

    def close(self) -> None:
        """Both ends finish."""
        self._put(self._conversation.close())

    def _put(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self._scene.put(self.at, frame, from_client=frame[6:12] == self._client_head)
            self.at += _STEP_SECONDS * (1 + self._scene.dice.random())


def _machine(address: str) -> Endpoint:
    """An internal machine has a hardware address of its own, everybody else the router's."""
    if not address.startswith(("10.", "172.16.", "192.168.", "fd")):
        return Endpoint(ROUTER_MAC, address)
    tail = random.Random(address).randbytes(3).hex(":")
    return Endpoint(f"00:1b:44:{tail}", address)
