"""An independent reader of the ring's segments."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<interface>.+)-(?P<worker>\d+)-(?P<time>\d{8}T\d{6}[0-9.]*Z?)-(?P<sequence>\d+)\.pcap(\.part)?")
_MAGIC_NANOSECONDS = 0xA1B23C4D


@dataclass(frozen=True)
class Stored:
    """One frame of a segment."""

    time_ns: int
    frame: bytes
    wire_length: int


def segments(directory: Path, *, finished: bool = False) -> list[Path]:
    """Segment files, oldest first a worker and interface; with `finished` without the open ones."""
    found = [path for path in directory.iterdir() if path.name.endswith((".pcap", ".pcap.part"))]
    for path in found:
        assert _NAME.fullmatch(path.name), f"unexpected name of a segment: {path.name}"
    return sorted((path for path in found if path.suffix == ".pcap" or not finished), key=_order)


def stored(directory: Path) -> list[Stored]:
    """Every frame of every segment, in the order of `segments`."""
    return [frame for path in segments(directory) for frame in read_segment(path)]


def frames(directory: Path) -> list[bytes]:
    """The bytes of every frame of every segment."""
    return [entry.frame for entry in stored(directory)]


def frames_by_worker(directory: Path) -> dict[int, list[bytes]]:
    """The bytes of every frame, by the worker that stored it."""
    found: dict[int, list[bytes]] = {}
    for path in segments(directory):
        found.setdefault(_order(path)[1], []).extend(entry.frame for entry in read_segment(path))
    return found


def read_segment(path: Path) -> list[Stored]:
    """Every frame of one file, which must hold whole frames only."""
    data = path.read_bytes()
    magic, _, _, _, _, _, link_type = struct.unpack_from("<IHHiIII", data)
    assert (magic, link_type) == (_MAGIC_NANOSECONDS, 1), path.name
    entries, at = [], 24
    while at < len(data):
        seconds, nanoseconds, captured, wire = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + captured]
        assert len(frame) == captured, f"{path.name}: the last frame is cut off"
        entries.append(Stored(seconds * 1_000_000_000 + nanoseconds, frame, wire))
        at += 16 + captured
    return entries


def _order(path: Path) -> tuple[str, int, int]:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return match["interface"], int(match["worker"]), int(match["sequence"])
