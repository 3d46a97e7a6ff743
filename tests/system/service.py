"""The installed service inside a container, and the mirror port that feeds it."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from sensor.demo.namespace import entered
from tests.live.lab import until
from tests.live.ring import frames, segments
from tests.system.container import Container
from tests.traffic.build import Conversation, Endpoint, vlan

UNIT = "spanwatch.service"
LIST = "/etc/spanwatch/watchlists.d/test.txt"
ALERTS_LOG = "/var/log/spanwatch/alerts.log"
EVE_LOG = "/var/log/spanwatch/eve.json"
METRICS = "http://127.0.0.1:9669/metrics"
RING = "/var/lib/spanwatch/ring"
PC = Endpoint("00:1b:44:11:3a:b7", "10.20.3.44")
ROUTER_MAC = "00:00:5e:00:01:01"

# The container's disk is memory: a floor of 10 GiB of free space, the default, would keep the ring empty.
CONFIGURATION = f"""\
sensor: {{name: system-test}}
capture: {{interfaces: [mirror0]}}
pcap_ring: {{segment_size: 1MiB, max_size: 32MiB, min_free: 1MiB}}
history: {{max_size: 32MiB, min_free: 1MiB}}
watchlists:
  - {{path: {LIST}, severity: 1}}
"""

_ports = count(40_000)


class Service:
    """spanwatch.service as an operator meets it: systemctl, log files and a switch."""

    def __init__(self, container: Container) -> None:
        self.container = container

    def prepare(self) -> None:
        """Makes the mirror port, and configures the sensor for it."""
        self.container.run("ip", "link", "add", "switch0", "type", "veth", "peer", "name", "mirror0")
        self.container.run(
            "ip", "link", "set", "switch0", "up", "arp", "off", "multicast", "off", "addrgenmode", "none"
        )
        self.container.path("/etc/spanwatch/spanwatch.yaml").write_text(CONFIGURATION)
        self.watch("198.51.100.1")

    def watch(self, *indicators: str) -> None:
        """Adds indicators to the watchlist file; the sensor learns of it by a reload."""
        with self.container.path(LIST).open("a") as file:
            file.writelines(f"{indicator}\n" for indicator in indicators)

    def systemctl(self, *arguments: str) -> str:
        """Runs systemctl inside the container. A failure shows the sensor's journal."""
        try:
            return self.container.run("systemctl", *arguments)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.journal()}") from failure

    def property(self, name: str, unit: str = UNIT) -> str:
        """A unit's property as systemd knows it."""
        return self.systemctl("show", unit, f"--property={name}", "--value").strip()

    def reload(self) -> None:
        """Reloads, and returns when the sensor runs with what is in the files now."""
        before = self.metric("spanwatch_watchlist_generation")
        self.systemctl("reload", UNIT)
        until("a new generation of the lists", lambda: self.metric("spanwatch_watchlist_generation") > before)
        assert self.metric("spanwatch_reload_success") == 1, self.journal()

    def metric(self, name: str) -> float:
        """A metric without labels, scraped where Prometheus scrapes it."""
        with entered(self.container.network()), urllib.request.urlopen(METRICS, timeout=10) as response:
            page = response.read().decode()
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name:
                    return sample.value
        raise AssertionError(f"{name} is not in {page}")

    def incidents(self) -> list[dict[str, Any]]:
        """What `spanwatch alerts --json` says: one open incident a line."""
        return [json.loads(line) for line in self.container.run("spanwatch", "alerts", "--json").splitlines()]

    def contacts(self, incident: str) -> int:
        """How often an open incident (`#1f3a`) was met; 0 if it is not open."""
        return sum(
            it["contacts"] for it in self.incidents() if f"#{it['id']}" == incident and it["rule"] == "watchlist.ip"
        )

    def told_of(self, address: str) -> str:
        """Watches `address`, has the PC contact it, and returns the alert log's line."""
        self.watch(address)
        self.reload()
        self.send(contact(address))
        return self.alerted(address)

    def send(self, frames: Iterable[bytes]) -> int:
        """Sends frames into the mirror port; returns how many."""
        with entered(self.container.network()):
            switch = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with switch:
            switch.bind(("switch0", 0))
            return sum(1 for frame in frames if switch.send(frame))

    def lines(self, *words: str, log: str = ALERTS_LOG) -> list[str]:
        """Lines of a log that contain all `words`."""
        path = self.container.path(log)
        text = path.read_text() if path.exists() else ""
        return [line for line in text.splitlines() if all(word in line for word in words)]

    def alerted(self, address: str) -> str:
        """Waits for the alert log's line that opens the incident with `address`."""
        wanted = ("OPEN", "watchlist.ip", f"-> {address}:443")
        return until(f"an alert for {address}; {self.journal()}", lambda: self.lines(*wanted))[0]

    def journal(self, unit: str = UNIT) -> str:
        """The last that the journal has of a unit."""
        return self.container.run("journalctl", "--no-pager", "--lines=20", f"--unit={unit}")

    def ring_files(self, *, finished: bool = False) -> list[Path]:
        """The ring's segments; with `finished` without the open ones."""
        return segments(self.container.path(RING), finished=finished)

    def stored(self) -> set[bytes]:
        """Every frame in the ring."""
        return set(frames(self.container.path(RING)))


def contact(address: str) -> list[bytes]:
    """A whole connection from the PC in VLAN 20 to port 443 of `address`, with an answer."""
    talk = Conversation(PC.at(next(_ports)), Endpoint(ROUTER_MAC, address, 443))
    spoken = [*talk.send(b"request", from_client=True), *talk.send(b"answer", from_client=False)]
    return [vlan(frame, 20) for frame in [*talk.open(), *spoken, *talk.close()]]


def incident_id(line: str) -> str:
    """The `#1f3a` of an alert line."""
    found = re.search(r"#[0-9a-f]+", line)
    assert found, line
    return found[0]
