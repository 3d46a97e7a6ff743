"""Where a packet's cost goes: instructions by stage, as callgrind counts them, and processor time by thread."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.bench.reading import config, read

# Two captures, of which the longer begins like the shorter: what start costs falls out of their difference.
PACKETS = (100_000, 300_000)
_SAMPLE_SECONDS = 0.005
# The first that matches a source file of the core is its stage.
_STAGES = (
    ("read the file", r"capture/"),
    ("decode", r"wire/"),
    ("mirror: copies, gaps, sources", r"engine/src/(mirror|pipeline/mirroring)"),
    ("names, protocols, web", r"app/|engine/src/(names|stream|web|pipeline/naming)"),
    ("watchlists", r"engine/src/(watch|detect/(hits|ledger|shown)|pipeline/meeting)"),
    ("who hosts are: frames for Python", r"engine/src/(punt|claims|pipeline/punting)"),
    ("across flows: hosts, mail, beacons", r"engine/src/(host|detect|merge|networks)"),
    ("flows", r"engine/"),
)
_PYTHON, _LIBC, _REST = "Python", "memory: malloc, free, copies", "libraries: hashes, search, tables"
_SOURCE = re.compile(r"native/((?:\w+)/src/.*)")
_NAME = re.compile(r"(c?)(fl|fi|fe|ob)=\((\d+)\)(?: (.*))?")


def by_stage(office: Callable[[int], Path], cache: Path) -> dict[str, float]:
    """Instructions a packet of the office capture by stage, the most first; all threads, no list.

    Raises:
        OSError, subprocess.CalledProcessError: valgrind is missing or failed.
    """
    short, long = (_instructions(office(packets), cache) for packets in PACKETS)
    more = PACKETS[1] - PACKETS[0]
    cost = {stage: (count - short[stage]) / more for stage, count in long.items()}
    return dict(sorted(cost.items(), key=lambda entry: -entry[1]))


def by_thread(capture: Path, packets: int, settings: Path) -> dict[str, float]:
    """Nanoseconds of CPU a packet by the thread that spent them, the most first; start counts for the main one."""
    spent: dict[str, int] = {}
    process = subprocess.Popen(read(capture, settings), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        for thread in Path(f"/proc/{process.pid}/task").glob("*"):
            # A thread, or all of them, may end between two looks.
            with suppress(OSError):
                name = (thread / "comm").read_text().strip()
                spent[f"{name} {thread.name}"] = int((thread / "schedstat").read_text().split()[0])
        time.sleep(_SAMPLE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"spanwatch read {capture}: exit {process.returncode}")
    threads: Counter[str] = Counter()
    for name, nanoseconds in spent.items():
        threads[name.rsplit(maxsplit=1)[0]] += nanoseconds
    return {thread: nanoseconds / packets for thread, nanoseconds in threads.most_common()}


def _instructions(capture: Path, cache: Path) -> Counter[str]:
    counts = cache / "callgrind.out"
    callgrind = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={counts}", sys.executable]
    subprocess.run([*callgrind, *read(capture, config(cache, "bare", None))], check=True, stdout=subprocess.DEVNULL)
    with counts.open() as lines:
        return _sum(lines)


def _sum(lines: Iterator[str]) -> Counter[str]:
    """Add up self cost by stage (https://valgrind.org/docs/manual/cl-format.html).

    What is inlined from a library counts for the file of ours that stands before it: that is where it was called.
    """
    sums: Counter[str] = Counter()
    names: dict[tuple[str, str], str] = {}
    binary = stage = ""
    for line in lines:
        if line[0] in "0123456789+-*":
            sums[stage] += int(line.split()[1])
        elif line.startswith("calls="):
            next(lines)  # what the callee cost stands there, and again with the callee
        elif name := _NAME.match(line):
            called, kind, number, text = name.groups()
            known = names.setdefault((kind[0], number), text)
            if called:
                continue
            if kind == "ob":
                binary = known
            else:
                stage = _stage(binary, known, "" if kind == "fl" else stage)
    return sums


def _stage(binary: str, source: str, before: str) -> str:
    if "_native" in binary:
        own = _SOURCE.search(source)
        return next((stage for stage, files in _STAGES if own and re.match(files, own[1])), before or _REST)
    return _LIBC if "libc.so" in binary else _PYTHON if "python" in binary else _REST
