"""A running sensor beside a history: a hunt asks both, and what a reload adds is hunted by itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.traffic import build
from tests.unit.hunt.history import HistoryTree

START_NS = 1_795_330_800 * 1_000_000_000
PC = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 50_000)
SERVER = build.Endpoint("00:00:5e:00:01:01", "203.0.113.9", 443)


def talk(first_port: int) -> list[bytes]:
    conversation = build.Conversation(PC.at(first_port), SERVER)
    frames = [*conversation.open(), *conversation.send(b"hello", from_client=True)]
    return [*frames, *conversation.send(b"hello yourself", from_client=False)]


def test_a_reload_finds_in_the_past_what_it_adds(
    lab: Lab, sensor: SensorFactory, spanwatch: Path, tmp_path: Path
) -> None:
    past = tmp_path / "past.pcap"
    build.write_pcap(past, [(START_NS + n * 1_000_000, frame) for n, frame in enumerate(talk(50_000))])
    HistoryTree(tmp_path / "history").add_capture(past)
    indicators = tmp_path / "feed.csv"
    indicators.write_text("indicator,malware\n192.0.2.77,\n")
    history = {"enabled": True, "directory": str(tmp_path / "history"), "min_free": "1MiB"}
    daemon = sensor(history=history, watchlists=[{"path": str(indicators)}]).start()
    now = talk(50_001)
    lab.send(now)
    daemon.captures(len(now))
    until("the packets in the ring's files", lambda: ring.frames(daemon.ring) == now)
    answer = subprocess.run(
        [spanwatch, "hunt", "--json", "-c", daemon.config, SERVER.address], capture_output=True, text=True, check=True
    )
    [met] = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (met["ip"], met["contacts"], met["seen_in"]) == (PC.address, 2, ["flow", "live"])
    assert met["packets_available"]
    indicators.write_text(f"indicator,malware\n192.0.2.77,\n{SERVER.address},Emotet\n")
    daemon.reload()
    line = daemon.alerted("OPEN", "watchlist.retro", PC.address)
    assert "1 contact, 0 attempts, first 2026-11-22T" in line
    assert "Emotet (feed)" in line
    assert daemon.stop() == 0
