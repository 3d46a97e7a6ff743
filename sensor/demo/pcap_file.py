"""Writing capture files: classic pcap with nanoseconds."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

_MAGIC_NANOSECONDS = 0xA1B23C4D
_LINKTYPE_ETHERNET = 1
_SNAPLEN = 262144


def write_pcap(path: Path, frames: Iterable[tuple[int, bytes]]) -> int:
    """Writes (time in nanoseconds since 1970, Ethernet frame) to `path`; returns how many there were."""
    written = 0
    with path.open("wb") as file:
        file.write(file_header())
        for time_ns, frame in frames:
            seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
            file.write(struct.pack("<IIII", seconds, nanoseconds, len(frame), len(frame)) + frame)
            written += 1
    return written


def file_header() -> bytes:
    """The first 24 bytes of a little-endian nanosecond pcap of Ethernet frames."""
    return struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAPLEN, _LINKTYPE_ETHERNET)
