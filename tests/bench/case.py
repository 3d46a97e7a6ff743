"""The phishing case hidden in the office: the report beside a pass of tshark, the library beside pyshark."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.peers import Tool
from tests.bench.reading import Reading, in_turns
from tests.traffic.case import Case
from tests.traffic.case_capture import write_hidden_case

_OURS = """
import sys, sensor
with sensor.open(sys.argv[1]) as capture:
    for exchange in capture.http():
        if exchange.method is not None:
            print(exchange.method, exchange.url)
"""
_PYSHARK = """
import sys, pyshark
with pyshark.FileCapture(sys.argv[1], display_filter="http.request", keep_packets=False) as capture:
    for packet in capture:
        print(packet.http.request_method, packet.http.request_uri)
"""


def capture(cache: Path, packets: int) -> Path:
    """The case among so many packets of the office, made once."""
    path = cache / f"case-{packets}.pcap"
    if not path.exists():
        unfinished = path.with_suffix(".tmp")
        write_hidden_case(Case(), unfinished, packets)
        unfinished.rename(path)
    return path


def report(file: Path, packets: int, cache: Path, rounds: int) -> list[Reading]:
    """All answers of the report, and one pass of tshark that only keeps mail and web; ours comes first."""
    spanwatch = str(Path(sys.executable).with_name("spanwatch"))
    tools = [
        Tool("spanwatch read --report", [spanwatch, "read", "--report", "-o", str(cache / "report"), str(file)]),
        Tool("tshark -Y 'smtp||pop||http' -w", _tshark(file, cache / "tshark.pcap"), rounds=1),
    ]
    return in_turns([(tool, packets) for tool in tools], rounds)


def _tshark(file: Path, kept: Path) -> list[str]:
    return ["tshark", "-r", str(file), "-Y", "smtp||pop||http", "-w", str(kept)]


def requests(file: Path, packets: int, pyshark: Path, rounds: int) -> list[Reading]:
    """All HTTP requests, asked of the library and of pyshark in the interpreter `pyshark`; ours comes first.

    Both scripts are whole processes. An exchange lacks its request where so many waited for answers that it was told
    before its own came. pyshark has its display filter, without which it takes twenty times as long.
    RuntimeError: they differ in what they print.
    """
    tools = [
        Tool("sensor.open(…).http()", [sys.executable, "-c", _OURS, str(file)]),
        Tool("pyshark, filter http.request", [str(pyshark), "-c", _PYSHARK, str(file)], rounds=1),
    ]
    ours, theirs = in_turns([(tool, packets) for tool in tools], rounds)
    said = [sorted(reading.costs[0].output.splitlines()) for reading in (ours, theirs)]
    if said[0] != said[1]:
        raise RuntimeError(f"the library and pyshark differ: {len(said[0])} and {len(said[1])} requests")
    return [ours, theirs]
