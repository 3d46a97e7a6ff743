"""Six hours of an office in which a few hosts call their masters, and many things only look like that."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from sensor.demo.messages import client_hello, ntp, server_hello, tls_data
from tests.traffic.build import Conversation, Endpoint, udp

START_NS = 1_795_310_043_000_000_000
HOUR = 3600.0
SPAN_SECONDS = 6 * HOUR

# Host and remote end of each beacon in `office_with_beacons`.
BEACONS = {
    ("10.20.3.11", "updates-cdn.example:443"),
    ("10.20.3.12", "203.0.113.12:8443"),
    ("10.20.3.13", "203.0.113.13:443"),
    ("10.20.3.14", "flux.example:443"),
}

Frames = Iterator[tuple[int, bytes]]

_ROUTER_MAC = "00:00:5e:00:01:01"


def office_with_beacons(seed: int) -> list[tuple[int, bytes]]:
    """Gives (time in nanoseconds, frame) in the order of time."""
    dice = random.Random(seed)
    frames = [*_beacons(dice), *_regular_services(dice), *_people(dice)]
    return sorted(frames, key=lambda frame: frame[0])


def _beacons(dice: random.Random) -> Frames:
    minute = _paced(dice, 60, 0.3, 2 * HOUR, 3 * HOUR)
    yield from _calls(11, minute, "203.0.113.11", "updates-cdn.example")
    yield from _calls(12, _paced(dice, 300, 0.1), "203.0.113.12", port=8443)
    missed = [moment for moment in _paced(dice, 120, 0.15, 0, 2 * HOUR) if dice.random() > 0.2]
    yield from _calls(13, missed, "203.0.113.13")
    for number, moment in enumerate(_paced(dice, 180, 0.2)):
        yield from _call(14, moment, f"203.0.113.{100 + number % 40}", "flux.example")


def _regular_services(dice: random.Random) -> Frames:
    for host in range(20, 32):
        yield from _calls(host, _paced(dice, 300, 0.05), "192.0.2.1", "status.office.example")
    for moment in _paced(dice, 64, 0.02):
        client, server = _pc(20, 123), Endpoint(_ROUTER_MAC, "192.0.2.2", 123)
        yield from _times(moment, [udp(client, server, ntp(3)), udp(server, client, ntp(4))])
    yield from _calls(21, _paced(dice, 300, 0.01), "192.0.2.3", port=993)
    yield from _calls(22, _paced(dice, 900, 0.05), "192.0.2.4", "7-courier.push.apple.com")
    yield from _calls(23, _paced(dice, 60, 0.02), "10.20.0.5")
    yield from _calls(24, _paced(dice, 600, 0.1), "192.0.2.5", "packages.example", received=300_000)
    yield from _calls(25, _paced(dice, HOUR, 0.01), "192.0.2.6", "backup.example", sent=50_000)


def _people(dice: random.Random) -> Frames:
    """Pages that ask for news every ten seconds for ten minutes, and hosts whose users read."""
    yield from _calls(26, _paced(dice, 10, 0.02, HOUR, HOUR + 600), "192.0.2.7", "news.example")
    for host in (11, 12, 27):
        moment = 0.0
        while (moment := moment + dice.expovariate(1 / 60)) < SPAN_SECONDS:
            site = int(dice.paretovariate(0.8)) % 15
            for connection in range(dice.randint(1, 4)):
                size = int(dice.lognormvariate(8, 1.5))
                yield from _call(
                    host, moment + connection / 20, f"198.51.100.{site}", f"s{site}.example", received=size
                )


def _paced(
    dice: random.Random, interval: float, jitter: float, begin: float = 0, end: float = SPAN_SECONDS
) -> list[float]:
    """Moments at this interval in seconds, each distance off by an even share of up to `jitter`."""
    moments = [begin + dice.random() * interval]
    while moments[-1] < end:
        moments.append(moments[-1] + interval * dice.uniform(1 - jitter, 1 + jitter))
    return moments[:-1]


def _calls(host: int, moments: Iterable[float], server: str, name: str = "", **traits: int) -> Frames:
    for moment in moments:
        yield from _call(host, moment, server, name, **traits)


def _call(
    host: int, moment: float, server: str, name: str = "", *, port: int = 443, sent: int = 300, received: int = 900
) -> Frames:
    """One connection of a client to a server; with a name it speaks TLS."""
    seed = int(moment * 1000) + host
    talk = Conversation(_pc(host, 10_000 + seed % 50_000), Endpoint(_ROUTER_MAC, server, port))
    frames = [*talk.open()]
    if name:
        frames += talk.send(client_hello(name, seed), from_client=True)
        frames += talk.send(server_hello(seed), from_client=False)
    frames += talk.send(tls_data(1, sent), from_client=True)
    frames += talk.send(tls_data(2, received), from_client=False)
    yield from _times(moment, [*frames, *talk.close()])


def _times(moment: float, frames: Iterable[bytes]) -> Frames:
    for number, frame in enumerate(frames):
        yield START_NS + int(moment * 1e9) + number * 2_000_000, frame


def _pc(host: int, port: int) -> Endpoint:
    return Endpoint(f"02:00:00:00:03:{host:02x}", f"10.20.3.{host}", port)
