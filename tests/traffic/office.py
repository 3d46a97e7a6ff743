"""The office capture: 200 machines at work, of any length, the same each run.

Usage: python -m tests.traffic.office --packets 2000000 --seed 1 [--encapsulation vlan] OUT.pcap

Headers are built in columns with numpy, payloads come from a pool: a million packets take a few seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sensor.demo.pcap_file import file_header
from tests.traffic.flows import make_flows
from tests.traffic.headers import ENCAPSULATIONS, Headers
from tests.traffic.payloads import make_pool

_CHUNK_PACKETS = 200_000


def write_office(path: Path, packets: int, seed: int = 1, encapsulation: str = "none") -> None:
    """Writes an Ethernet capture of exactly `packets` packets with nanosecond times."""
    with path.open("wb") as file:
        file.write(file_header())
        for pieces in chunks(packets, seed, encapsulation):
            file.writelines(pieces)


def office_frames(packets: int, seed: int = 1, encapsulation: str = "none") -> list[bytes]:
    """The same frames without a file."""
    return [
        header[16:] + payload
        for pieces in chunks(packets, seed, encapsulation)
        for header, payload in zip(pieces[::2], pieces[1::2], strict=True)
    ]


def chunks(packets: int, seed: int, encapsulation: str) -> Iterator[list[bytes]]:
    """Lists of record header with frame headers, payload, record header with frame headers, payload, …."""
    pool = make_pool(seed)
    flows, rows = make_flows(packets, pool, np.random.default_rng(seed))
    headers = Headers(flows, rows, pool, encapsulation)
    for start in range(0, packets, _CHUNK_PACKETS):
        stop = min(packets, start + _CHUNK_PACKETS)
        built, lengths = headers.build(start, stop)
        width = built.shape[1]
        raw = built.tobytes()
        pieces: list[bytes] = []
        for number, (length, payload) in enumerate(
            zip(lengths.tolist(), rows.payload[start:stop].tolist(), strict=True)
        ):
            pieces += (raw[number * width : number * width + length], pool.payloads[payload])
        yield pieces


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.traffic.office", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT.pcap")
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--encapsulation", choices=ENCAPSULATIONS, default="none")
    arguments = parser.parse_args()
    write_office(arguments.out, arguments.packets, arguments.seed, arguments.encapsulation)


if __name__ == "__main__":
    main()
