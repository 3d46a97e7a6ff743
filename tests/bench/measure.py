"""Runs a command and measures what it costs."""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.005
_ANONYMOUS = "RssAnon:"


@dataclass(frozen=True)
class Cost:
    """What one run took. Memory is anonymous and resident: the highest sample, and the median of all."""

    wall_seconds: float
    cpu_seconds: float
    anonymous_bytes: int
    usual_bytes: int
    output: str


def run(command: Sequence[str]) -> Cost:
    """Runs `command` to its end.

    Raises:
        RuntimeError: it failed; the text holds what it said.
    """
    # As installed: with compiled modules, whatever the shell of the developer wants.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
    )
    assert process.stdout is not None
    anonymous, output = [0], b""
    os.set_blocking(process.stdout.fileno(), False)
    while not (status := os.wait4(process.pid, os.WNOHANG))[0]:
        anonymous.append(anonymous_bytes(process.pid))
        readable, _, _ = select.select([process.stdout], [], [], _SAMPLE_SECONDS)
        if readable and not (piece := process.stdout.read() or b""):
            time.sleep(_SAMPLE_SECONDS / 5)
        elif readable:
            output += piece
    wall = time.monotonic() - begin
    output += process.stdout.read() or b""
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status[1])
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}: {text[-2000:]}")
    cpu = status[2].ru_utime + status[2].ru_stime
    return Cost(wall, cpu, max(anonymous), int(statistics.median(anonymous)), text)


def anonymous_bytes(process: int) -> int:
    """Anonymous resident memory of a process now; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    sizes = (line.split()[1] for line in lines if line.startswith(_ANONYMOUS))
    return int(next(sizes, "0")) * 1024


def cpu_seconds(process: int) -> float:
    """CPU time that a living process has used so far, all threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine_cpu_seconds() -> float:
    """CPU time that all cores have spent so far on anything but idling (proc(5): user, nice, system, irq, softirq)."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
