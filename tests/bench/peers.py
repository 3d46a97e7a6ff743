"""The command lines of other tools that read a capture, and of the least that reading can cost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIMIT_MANIFEST = "native/Cargo.toml"
_NFSTREAM = Path(".cache/nfstream/bin/python").absolute()
_COUNT_FLOWS = """
import sys, nfstream
print(sum(1 for _ in nfstream.NFStreamer(source=sys.argv[1], n_dissections=0)))
"""


@dataclass(frozen=True)
class Tool:
    """One way to read a capture; `rounds` bounds how often, for tools that take minutes."""

    name: str
    command: list[str]
    rounds: int | None = None


def limits(capture: Path) -> Iterator[Tool]:
    """Going from record to record, and counting flows, with nothing else."""
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--manifest-path", LIMIT_MANIFEST, "--package", "limit"], check=True
    )
    binary = str(Path(LIMIT_MANIFEST).parent / "target/release/limit")
    yield Tool("limit: walk the file", [binary, "walk", str(capture)])
    yield Tool("limit: walk and count flows", [binary, "flows", str(capture)])


def others(capture: Path, cache: Path, collector_port: int) -> Iterator[Tool]:
    """The peers that are installed; softflowd sends its records to a UDP port on loopback."""
    records = cache / "nfcapd"
    records.mkdir(exist_ok=True)
    pid = str(cache / "softflowd.pid")
    softflowd = ["softflowd", "-d", "-v", "9", "-n", f"127.0.0.1:{collector_port}", "-p", pid, "-c", "none"]
    file = str(capture)
    tools = [
        Tool("softflowd", [*softflowd, "-r", file]),
        Tool("softflowd -m 1000000", [*softflowd, "-m", "1000000", "-r", file]),
        Tool("tcpdump -w /dev/null", ["tcpdump", "-r", file, "-w", "/dev/null"]),
        Tool("nfpcapd", ["nfpcapd", "-r", file, "-w", str(records)]),
        Tool("argus", ["argus", "-r", file, "-w", "/dev/null"]),
        Tool("ndpiReader", ["ndpiReader", "-q", "-i", file], rounds=1),
        Tool("nfstream, no dissection", [str(_NFSTREAM), "-c", _COUNT_FLOWS, file], rounds=1),
        Tool("tshark -z conv,tcp", ["tshark", "-n", "-q", "-r", file, "-z", "conv,tcp"], rounds=1),
    ]
    yield from (tool for tool in tools if shutil.which(tool.command[0]))
