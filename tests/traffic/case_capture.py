"""The case as capture files: what a mirror shows of it, alone or hidden in the traffic of the office.

Usage: python -m tests.traffic.case_capture [--office PACKETS] [--seed N] [--mailboxes N] OUT.pcap
"""

from __future__ import annotations

import argparse
import struct
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from sensor.demo.frames import Endpoint, Session, erspan_ii, vlan
from sensor.demo.pcap_file import file_header, write_pcap
from tests.traffic.case import Case
from tests.traffic.case_story import happenings
from tests.traffic.flows import PACE
from tests.traffic.headers import START_SECONDS
from tests.traffic.office import chunks

_SWITCH = Endpoint("00:1c:73:00:00:01", "192.0.2.1")
_COLLECTOR = Endpoint("00:1c:73:00:00:02", "192.0.2.2")
_VLAN = 60
_COPY_AFTER_NS = 20_000
_NS = 1_000_000_000

Frame = tuple[int, bytes]
"""Time in nanoseconds since 1970, and an Ethernet frame."""


def frames(case: Case) -> list[Frame]:
    """What the mirror port receives, in time order."""
    seen: list[Frame] = []
    for number, (time_ns, frame, from_client) in enumerate(happenings(case)):
        if case.sides in ("both", "client" if from_client else "server"):
            carried = _carried(case, frame, number)
            seen += ((time_ns + copy * _COPY_AFTER_NS, carried) for copy in range(case.copies))
    return sorted(seen, key=lambda pair: pair[0])


def write_case(case: Case, *paths: Path) -> int:
    """Writes the case to the files, one after the other in time; returns the number of frames."""
    whole = frames(case)
    size = -(-len(whole) // len(paths))
    for number, path in enumerate(paths):
        write_pcap(path, whole[number * size : (number + 1) * size])
    return len(whole)


def write_hidden_case(case: Case, path: Path, packets: int) -> int:
    """Writes the case among `packets` packets of the office, which lasts as long; returns the number of all frames."""
    hidden = frames(case)
    done = 0
    with path.open("wb") as file:
        file.write(file_header())
        for pieces in chunks(packets, case.seed, "none"):
            merged, done = _merged(pieces, hidden, done)
            file.writelines(merged)
        file.writelines(_record(frame) for frame in hidden[done:])
    return packets + len(hidden)


def over_office(packets: int, mailboxes: int = 200, seed: int = 1) -> Case:
    """A case that lasts as long as so many packets of the office."""
    return Case(mailboxes=mailboxes, start_seconds=START_SECONDS, span_seconds=packets / PACE, seed=seed)


def _carried(case: Case, frame: bytes, number: int) -> bytes:
    if case.carriage == "vlan":
        return vlan(frame, _VLAN)
    if case.carriage == "erspan":
        return erspan_ii(vlan(frame, _VLAN), _SWITCH, _COLLECTOR, Session(60, _VLAN, number))
    return frame


def _merged(pieces: list[bytes], hidden: Sequence[Frame], done: int) -> tuple[list[bytes], int]:
    """The chunk with the frames of the case that belong before its last packet, and how many of them are written."""
    times = [_time_ns(header) for header in pieces[::2]]
    merged: list[bytes] = []
    at = 0
    while done < len(hidden) and hidden[done][0] <= times[-1]:
        place = 2 * bisect_right(times, hidden[done][0])
        merged += [*pieces[at:place], _record(hidden[done])]
        at, done = place, done + 1
    return merged + pieces[at:], done


def _time_ns(header: bytes) -> int:
    seconds, nanoseconds = struct.unpack_from("<II", header)
    return int(seconds) * _NS + int(nanoseconds)


def _record(frame: Frame) -> bytes:
    seconds, nanoseconds = divmod(frame[0], _NS)
    return struct.pack("<IIII", seconds, nanoseconds, len(frame[1]), len(frame[1])) + frame[1]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.traffic.case_capture", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT.pcap")
    parser.add_argument("--office", type=int, default=0, metavar="PACKETS")
    parser.add_argument("--mailboxes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.office:
        case = over_office(arguments.office, arguments.mailboxes, arguments.seed)
        write_hidden_case(case, arguments.out, arguments.office)
    else:
        write_case(Case(mailboxes=arguments.mailboxes, seed=arguments.seed), arguments.out)


if __name__ == "__main__":
    main()
