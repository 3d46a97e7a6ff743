"""The scripted office: 40 machines, a C2 contact and a bulk mailer, as a mirror port shows them.

Endless, in time order, and the same each run for the same seed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import count

from sensor.demo import messages
from sensor.demo.conversation import Conversation
from sensor.demo.frames import Endpoint, Session, arp_request, erspan_ii, icmp_echo, mac_bytes, udp, vlan

C2_HOST = "10.20.3.44"
C2_SERVER = "203.0.113.9"
C2_PORT = 443
BULK_MAIL_HOST = "10.20.7.12"
MAIL_SERVERS = tuple(f"198.51.100.{number}" for number in range(10, 50))

# When the two culprits begin, in seconds, so that a newcomer sees the quiet office first.
_C2_BEGINS_SECONDS = 3.0
_C2_PERIOD_SECONDS = 5.0
_MAIL_BEGINS_SECONDS = 2.0
_MAIL_PERIOD_SECONDS = 0.5
# Mean time between two frames of one machine: 38 PCs at this pace give about 1,000 packets a second.
_MEAN_GAP_SECONDS = 0.035

# The one that reports to the controller is PC-0417.
_FIRST_PC = 391

_EVERYBODY = Endpoint("ff:ff:ff:ff:ff:ff", "255.255.255.255", 67)
_ROUTER_MAC = "00:00:5e:00:01:14"
_OUTER_SOURCE = Endpoint("00:1c:73:00:00:01", "192.0.2.1")
_OUTER_DESTINATION = Endpoint("00:1c:73:00:00:02", "192.0.2.2")
_NAME_SERVER = Endpoint("00:1b:44:00:00:35", "10.20.0.53", 53)
_FILE_SERVER = Endpoint("00:1b:44:00:00:0a", "10.20.0.10", 445)
_SITES = tuple(
    f"{word}.example.{top}" for word in ("www", "mail", "cdn", "news", "shop", "maps") for top in ("com", "org")
)

Carriage = Callable[[bytes], bytes]
Step = tuple[float, bytes]
"""Seconds since the same activity's last frame, and the frame."""


@dataclass
class Machine:
    """One PC: its address on the LAN, how the mirror carries its frames, and its own dice."""

    here: Endpoint
    name: str
    carriage: Carriage
    dice: random.Random
    ports: Iterator[int] = field(default_factory=lambda: count(49152))

    def endpoint(self) -> Endpoint:
        """This machine with its next ephemeral port."""
        return self.here.at(49152 + next(self.ports) % 16384)


def office(seed: int = 1) -> Iterator[tuple[float, bytes]]:
    """(seconds since the beginning, frame as the mirror port receives it), without end."""
    machines = _machines(seed)
    by_address = {machine.here.address: machine for machine in machines}
    activities = [(machine.dice.random(), machine.carriage, _work(machine)) for machine in machines]
    c2, mailer = by_address[C2_HOST], by_address[BULK_MAIL_HOST]
    activities.append((_C2_BEGINS_SECONDS, c2.carriage, _beacon(c2)))
    activities.append((_MAIL_BEGINS_SECONDS, mailer.carriage, _bulk_mail(mailer)))
    return _in_time_order(activities)


def _in_time_order(activities: list[tuple[float, Carriage, Iterator[Step]]]) -> Iterator[tuple[float, bytes]]:
    waiting = [(begin, number) for number, (begin, _, _) in enumerate(activities)]
    heapq.heapify(waiting)
    while waiting:
        now, number = heapq.heappop(waiting)
        _, carriage, steps = activities[number]
        gap, frame = next(steps)
        yield now, carriage(frame)
        heapq.heappush(waiting, (now + gap, number))


def _machines(seed: int) -> list[Machine]:
    """38 PCs in four parts of the building; with the name and the file server 40 hosts."""
    groups: tuple[tuple[str, range, Carriage], ...] = (
        ("10.20.1", range(11, 25), bytes),
        ("10.20.5", range(21, 29), lambda frame: vlan(frame, 50)),
        ("10.20.3", range(40, 50), _Erspan(session=21, vlan_id=20)),
        ("10.20.7", range(10, 16), lambda frame: vlan(frame, 100, 30)),
    )
    machines: list[Machine] = []
    for network, last_bytes, carriage in groups:
        for last in last_bytes:
            third = int(network.rsplit(".", 1)[1])
            here = Endpoint(f"00:1b:44:11:{third:02x}:{last:02x}", f"{network}.{last}")
            dice = random.Random(seed << 16 | third << 8 | last)  # noqa: S311 -- repeatable on purpose
            machines.append(Machine(here, f"PC-{_FIRST_PC + len(machines):04d}", carriage, dice))
    return machines


class _Erspan:
    """Wraps as a switch does that mirrors a VLAN across the network: ERSPAN II, inner tag, rising sequence."""

    def __init__(self, session: int, vlan_id: int) -> None:
        self._session = session
        self._vlan_id = vlan_id
        self._sequence = count()

    def __call__(self, frame: bytes) -> bytes:
        session = Session(self._session, self._vlan_id, next(self._sequence))
        return erspan_ii(vlan(frame, self._vlan_id), _OUTER_SOURCE, _OUTER_DESTINATION, session)


def _work(machine: Machine) -> Iterator[Step]:
    """What an office PC does all day."""
    tasks = (_browse_tls, _browse_tls, _browse_http, _fetch_file, _synchronise_clock, _look_around)
    for frame in _start_up(machine):
        yield machine.dice.expovariate(1 / _MEAN_GAP_SECONDS), frame
    while True:
        for frame in machine.dice.choice(tasks)(machine):
            yield machine.dice.expovariate(1 / _MEAN_GAP_SECONDS), frame


def _start_up(machine: Machine) -> Iterator[bytes]:
    """Gets the address, and tells everybody."""
    mac, server = mac_bytes(machine.here.mac), _NAME_SERVER.at(67)
    yield udp(Endpoint(machine.here.mac, "0.0.0.0", 68), _EVERYBODY, messages.dhcp_request(mac, machine.name))  # noqa: S104
    yield udp(server, machine.here.at(68), messages.dhcp_ack(mac, machine.here.address, server.address))
    yield arp_request(machine.here, machine.here.address)


def _browse_tls(machine: Machine) -> Iterator[bytes]:
    site, server = yield from _look_up(machine)
    talk = Conversation(machine.endpoint(), server.at(443))
    yield from talk.open()
    yield from _tls_handshake(talk, site, machine.dice)
    for _ in range(machine.dice.randint(1, 4)):
        seed = machine.dice.randrange(1 << 30)
        yield from talk.send(messages.tls_data(seed, machine.dice.randint(120, 900)), from_client=True)
        yield from talk.send(messages.tls_data(seed + 1, machine.dice.randint(500, 9000)), from_client=False)
    yield from talk.close()


def _browse_http(machine: Machine) -> Iterator[bytes]:
    site, server = yield from _look_up(machine)
    talk = Conversation(machine.endpoint(), server.at(80))
    yield from talk.open()
    for number in range(machine.dice.randint(1, 3)):
        yield from talk.send(messages.http_get(site, f"/page/{number}"), from_client=True)
        yield from talk.send(messages.http_ok(machine.dice.randint(300, 6000)), from_client=False)
    yield from talk.close()


def _fetch_file(machine: Machine) -> Iterator[bytes]:
    talk = Conversation(machine.endpoint(), _FILE_SERVER)
    yield from talk.open()
    for _ in range(machine.dice.randint(2, 6)):
        seed = machine.dice.randrange(1 << 30)
        yield from talk.send(messages.smb_encrypted(seed, 96), from_client=True)
        yield from talk.send(messages.smb_encrypted(seed + 2, machine.dice.randint(60, 4000)), from_client=False)
    yield from talk.close()


def _synchronise_clock(machine: Machine) -> Iterator[bytes]:
    here, there = machine.endpoint(), Endpoint(_ROUTER_MAC, "198.18.0.123", 123)
    yield udp(here, there, messages.ntp(mode=3))
    yield udp(there, here, messages.ntp(mode=4))


def _look_around(machine: Machine) -> Iterator[bytes]:
    yield arp_request(machine.here, _NAME_SERVER.address)
    yield icmp_echo(machine.here, _NAME_SERVER, sequence=1)
    yield icmp_echo(_NAME_SERVER, machine.here, sequence=1, reply=True)


def _look_up(machine: Machine) -> Generator[bytes, None, tuple[str, Endpoint]]:
    """Asks the name server for a site; returns the site and its address."""
    number = machine.dice.randrange(len(_SITES))
    site, server = _SITES[number], Endpoint(_ROUTER_MAC, f"198.18.{number}.80")
    here, identifier = machine.endpoint(), machine.dice.randrange(1 << 16)
    yield udp(here, _NAME_SERVER, messages.dns_query(site, identifier))
    yield udp(_NAME_SERVER, here, messages.dns_answer(site, identifier, server.address))
    return site, server


def _tls_handshake(talk: Conversation, site: str, dice: random.Random) -> Iterator[bytes]:
    seed = dice.randrange(1 << 30)
    yield from talk.send(messages.client_hello(site, seed), from_client=True)
    yield from talk.send(messages.server_hello(seed), from_client=False)


def _beacon(machine: Machine) -> Iterator[Step]:
    """Reports to the controller with the regularity of a program."""
    while True:
        talk = Conversation(machine.endpoint(), Endpoint(_ROUTER_MAC, C2_SERVER, C2_PORT))
        frames = list(talk.open())
        frames += _tls_handshake(talk, "update.example.net", machine.dice)
        frames += talk.send(messages.tls_data(1, 300), from_client=True)
        frames += talk.send(messages.tls_data(2, 1200), from_client=False)
        frames += talk.close()
        yield from _spread(frames, _C2_PERIOD_SECONDS)


def _bulk_mail(machine: Machine) -> Iterator[Step]:
    """One message to another mail server each time."""
    for number in count():
        server = Endpoint(_ROUTER_MAC, MAIL_SERVERS[number % len(MAIL_SERVERS)], 25)
        talk = Conversation(machine.endpoint(), server)
        frames = list(talk.open())
        frames += talk.send(messages.SMTP_BANNER, from_client=False)
        for line in messages.smtp_message(number):
            frames += talk.send(line, from_client=True)
            answer = b"354 Go ahead\r\n" if line == b"DATA\r\n" else b"250 2.0.0 Ok\r\n"
            frames += talk.send(answer, from_client=False)
        frames += talk.close()
        yield from _spread(frames, _MAIL_PERIOD_SECONDS)


def _spread(frames: list[bytes], period_seconds: float) -> Iterator[Step]:
    """`frames` in quick succession, then silence until the period is over."""
    gap = min(0.01, period_seconds / (2 * len(frames)))
    for frame in frames[:-1]:
        yield gap, frame
    yield period_seconds - gap * (len(frames) - 1), frames[-1]
