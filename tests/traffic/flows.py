"""The tables behind the office capture: flows, and the packets of all flows in time order, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.traffic.payloads import CLIENTS, Pool
from tests.traffic.scripts import FIN, KINDS, SYN

Ints = NDArray[np.int64]

EXTERNAL_SERVERS = 3000
INTERNAL_SERVERS = 4
# Packets a second of the whole office: 2 million take 80 s.
PACE = 25_000
# Slots whose entry belongs to the flow (an answer fits its question); of the others each packet takes the next one.
_PER_FLOW = {"client_hello", "server_hello", "server_hello_rest", "dns_query", "dns_answer", "arp", "http_get"}


@dataclass(frozen=True)
class Flows:
    """One row a flow. `server` counts external servers from 0, internal ones from EXTERNAL_SERVERS."""

    kind: Ints
    client: Ints
    server: Ints
    client_port: Ints
    ipv6: NDArray[np.bool_]
    packets: Ints
    start_seconds: NDArray[np.float64]
    duration_seconds: NDArray[np.float64]
    dice: Ints
    isn: Ints  # two columns: client's and server's first sequence number


@dataclass(frozen=True)
class Packets:
    """One row a packet, in time order."""

    time_seconds: NDArray[np.float64]
    flow: Ints
    sender: Ints
    flags: Ints
    payload: Ints  # number in the pool
    sequence: Ints
    acknowledgement: Ints


def make_flows(packets: int, pool: Pool, dice: np.random.Generator) -> tuple[Flows, Packets]:
    """At least `packets` packets' worth of flows, cut at exactly `packets` in time."""
    wanted = packets // 30 + 50
    while True:
        flows = _flows(wanted, packets / PACE, dice)
        if flows.packets.sum() >= packets * 1.15:
            return flows, _packets(flows, pool, packets)
        wanted = int(wanted * 1.1) + 1


def _flows(number: int, span_seconds: float, dice: np.random.Generator) -> Flows:
    weights = np.array([kind.weight for kind in KINDS])
    kind = dice.choice(len(KINDS), number, p=weights / weights.sum())
    internal = _column("servers")[kind] == "internal"
    server = np.where(
        internal,
        EXTERNAL_SERVERS + dice.integers(0, INTERNAL_SERVERS, number),
        (dice.random(number) ** 2 * EXTERNAL_SERVERS).astype(np.int64),  # some sites are much busier than others
    )
    client = dice.integers(INTERNAL_SERVERS, CLIENTS, number)
    over_ip = np.isin(_column("protocol")[kind], (6, 17))
    # Short captures show the same mixture: what lasts half a minute shrinks with the span.
    duration = _column("seconds")[kind] * np.exp(dice.normal(0, 0.6, number)) * min(1.0, span_seconds / 30)
    port = 49152 + dice.permutation(number) % 16384
    return Flows(
        kind=kind,
        client=client,
        server=server,
        client_port=np.where(_column("name")[kind] == "ntp", 123, port),
        ipv6=over_ip & (client % 4 == 0) & (dice.random(number) < 0.5),
        packets=_sizes(kind, dice),
        start_seconds=dice.random(number) * span_seconds,
        duration_seconds=duration,
        dice=np.where(_column("name")[kind] == "arp", client, dice.integers(0, 1 << 30, number)),
        isn=dice.integers(0, 1 << 32, (number, 2)),
    )


def _column(name: str) -> NDArray[Any]:
    return np.array([getattr(kind, name) for kind in KINDS])


def _sizes(kind: Ints, dice: np.random.Generator) -> Ints:
    fixed = np.array([len(k.opening) + len(k.closing) for k in KINDS])[kind]
    median = np.array([k.packets[0] for k in KINDS])[kind]
    sigma = np.array([k.packets[1] for k in KINDS])[kind]
    drawn = (median * np.exp(dice.normal(0, 1, len(kind)) * sigma)).astype(np.int64)
    variable = np.array([bool(k.body) for k in KINDS])[kind]
    sizes: Ints = np.where(variable, np.clip(drawn, np.maximum(fixed, 1), _column("longest")[kind]), fixed)
    return sizes


def _packets(flows: Flows, pool: Pool, wanted: int) -> Packets:
    flow = np.repeat(np.arange(len(flows.kind)), flows.packets)
    first_row = (np.cumsum(flows.packets) - flows.packets)[flow]
    position = np.arange(len(flow)) - first_row
    step = _steps(flows.kind[flow], position, flows.packets[flow])
    sender, flags, payload = _spoken(step, flows.dice[flow], position, pool)
    size = pool.length[payload] + ((flags & SYN) != 0) + ((flags & FIN) != 0)
    said = [_before(np.where(sender == end, size, 0), first_row) + flows.isn[flow, end] for end in (0, 1)]
    time = flows.start_seconds[flow] + flows.duration_seconds[flow] * _moment(position, flows, flow)
    order = np.argsort(time, kind="stable")[:wanted]
    sequence = np.where(sender == 0, said[0], said[1]) & 0xFFFFFFFF
    acknowledged = np.where(flags & 0x10, np.where(sender == 0, said[1], said[0]), 0) & 0xFFFFFFFF
    spoken = (column[order] for column in (flow, sender, flags, payload, sequence, acknowledged))
    return Packets(time[order], *spoken)


def _moment(position: Ints, flows: Flows, flow: Ints) -> NDArray[np.float64]:
    """Where in its flow's life (0 to 1) a packet stands: rising, with some jitter."""
    jitter = ((flows.dice[flow] + position * 0x9E3779B1) >> 7 & 0xFF) / 256
    return (position + jitter) / flows.packets[flow]


def _before(values: Ints, first_row: Ints) -> Ints:
    """For each row the sum of the earlier rows of its flow, which begins at `first_row`."""
    total = np.cumsum(values) - values
    before: Ints = total - total[first_row]
    return before


def _steps(kind: Ints, position: Ints, packets: Ints) -> Ints:
    """The row of the step table for each packet: opening once, body again and again, closing at the end."""
    opening, body, closing = (
        np.array([len(getattr(k, part)) for k in KINDS]) for part in ("opening", "body", "closing")
    )
    base = np.cumsum(opening + body + closing) - (opening + body + closing)
    o, b, c = opening[kind], body[kind], closing[kind]
    inside = o + (position - o) % np.maximum(b, 1)
    row: Ints = np.where(position < o, position, inside)
    closes = (position >= packets - c) & (position >= o)
    steps: Ints = base[kind] + np.where(closes, o + b + position - (packets - c), row)
    return steps


def _spoken(step: Ints, dice: Ints, position: Ints, pool: Pool) -> tuple[Ints, Ints, Ints]:
    """Sender, TCP flags and payload of each packet."""
    table = [row for kind in KINDS for row in kind.opening + kind.body + kind.closing]
    sender = np.array([row[0] for row in table])[step]
    flags = np.array([row[1] for row in table])[step]
    first = np.array([pool.first[row[2]] for row in table])[step]
    count = np.array([pool.count[row[2]] for row in table])[step]
    walk = np.array([row[2] not in _PER_FLOW for row in table])[step]
    return sender, flags, first + (dice + np.where(walk, position, 0)) % count


def protocols() -> Ints:
    """IP protocol of each kind; 0 is ARP."""
    return np.array([kind.protocol for kind in KINDS])


def server_ports() -> Ints:
    """Server port of each kind."""
    return np.array([kind.port for kind in KINDS])
