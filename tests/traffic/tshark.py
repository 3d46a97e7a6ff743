"""tshark as an independent opinion about a capture."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_FIELDS = (
    "frame.protocols", "ip.src", "ip.dst", "ip.len", "ipv6.src", "ipv6.dst", "ipv6.plen",
    "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
)  # fmt: skip
_PREFERENCES = (
    "ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
    "ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE",
)  # fmt: skip

FlowKey = tuple[str, tuple[str, int], tuple[str, int]]
"""Protocol (`tcp` or `udp`) and the two ends, sorted."""


def run(capture: Path, *arguments: str) -> str:
    """What tshark prints about `capture`, with checksums verified and nothing reassembled or resolved."""
    tshark = shutil.which("tshark")
    if tshark is None:
        raise RuntimeError("tshark is missing: install the Debian package tshark")
    options = [part for preference in _PREFERENCES for part in ("-o", preference)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "WIRESHARK_CONFIG_DIR": "/nonexistent"}
    command = [tshark, "-n", "-r", str(capture), *options, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def flows(capture: Path) -> dict[FlowKey, tuple[int, int]]:
    """Packets and bytes (sum of the innermost IP lengths) of each TCP and UDP conversation, innermost headers."""
    totals: dict[FlowKey, tuple[int, int]] = {}
    for row in _rows(capture):
        key = _key(row)
        if key is not None:
            packets, size = totals.get(key, (0, 0))
            totals[key] = (packets + 1, size + _ip_length(row))
    return totals


def hosts(capture: Path) -> dict[str, tuple[int, int]]:
    """Packets and bytes of each address as source or destination of the innermost IP header, any protocol above."""
    totals: dict[str, tuple[int, int]] = {}
    for row in _rows(capture):
        for address in {row["src"], row["dst"]}:
            packets, size = totals.get(address, (0, 0))
            totals[address] = (packets + 1, size + _ip_length(row))
    return totals


def _rows(capture: Path) -> Iterator[dict[str, str]]:
    """One row a frame that carries IP, of the last occurrence of each field: the innermost layer."""
    selected = [part for field in _FIELDS for part in ("-e", field)]
    for line in run(capture, "-T", "fields", "-E", "occurrence=l", *selected).splitlines():
        row = dict(zip(_FIELDS, line.split("\t"), strict=True))
        layers = row["frame.protocols"].split(":")
        innermost = max((n for n, layer in enumerate(layers) if layer in ("ip", "ipv6")), default=None)
        if innermost is not None and "eth" in layers[innermost:]:
            innermost = None  # a tunnel that carries ARP or another frame without IP
        if innermost is not None:
            family = row["family"] = layers[innermost]
            row["src"], row["dst"] = row[f"{family}.src"], row[f"{family}.dst"]
            row["transport"] = "".join(layers[innermost + 1 : innermost + 2])
            yield row


def _ip_length(row: dict[str, str]) -> int:
    if row["family"] == "ip":
        return int(row["ip.len"] or 0)
    return 40 + int(row["ipv6.plen"] or 0)


def _key(row: dict[str, str]) -> FlowKey | None:
    protocol = row["transport"]
    if protocol not in ("tcp", "udp"):
        return None
    here = (row["src"], int(row[f"{protocol}.srcport"]))
    there = (row["dst"], int(row[f"{protocol}.dstport"]))
    return (protocol, min(here, there), max(here, there))
