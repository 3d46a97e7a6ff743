"""Runs `spanwatch read` and reads what it wrote."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FlowKey = tuple[str, frozenset[tuple[str, int]]]
"""Protocol in lower case, and the two ends (one, where both are the same)."""


@dataclass(frozen=True)
class Result:
    """The event log and the alert log of one run."""

    eve: list[dict[str, Any]]
    alerts: str
    said: str

    def lines(self) -> list[str]:
        """All records as text, `stats` left out: they tell of the run, not of the capture."""
        return [json.dumps(record) for record in self.eve if record["event_type"] != "stats"]

    def flow_packets(self) -> dict[FlowKey, int]:
        """Packets of each TCP and UDP conversation."""
        totals: dict[FlowKey, int] = {}
        for record in self.eve:
            if record["event_type"] == "flow" and record["proto"] in ("TCP", "UDP"):
                ends = [(record["src_ip"], record["src_port"]), (record["dest_ip"], record["dest_port"])]
                key = flow_key(record["proto"], ends)
                packets = record["flow"]["pkts_toserver"] + record["flow"]["pkts_toclient"]
                totals[key] = totals.get(key, 0) + packets
        return totals


def flow_key(protocol: str, ends: Sequence[tuple[str, int]]) -> FlowKey:
    """A key that does not depend on who is named first, nor on how an address is written."""
    return protocol.lower(), frozenset((str(ipaddress.ip_address(address)), port) for address, port in ends)


def read(spanwatch: Path, out: Path, captures: Sequence[Path], **sections: Mapping[str, Any] | list[Any]) -> Result:
    """Reads `captures` with a configuration of the given sections; the logs go to `out`."""
    out.mkdir(parents=True)
    config = out / "spanwatch.yaml"
    config.write_text(json.dumps({"watchlists": [], **sections}))
    command = [str(spanwatch), "read", "-c", str(config), "-o", str(out), *map(str, captures)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}: {done.stderr}"
    eve = [json.loads(line) for line in (out / "eve.json").read_text().splitlines()]
    alerts = out / "alerts.log"
    return Result(eve, alerts.read_text() if alerts.exists() else "", done.stdout + done.stderr)
