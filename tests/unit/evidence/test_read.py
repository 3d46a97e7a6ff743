"""`spanwatch read` keeps evidence where the configuration names it."""

from __future__ import annotations

import json
from pathlib import Path

from sensor.cli.main import main
from sensor.demo.pcap_file import write_pcap
from tests.live.ring import read_segment
from tests.unit.evidence.conftest import C2, HOST, OTHER, SECOND, START, frame


def test_an_incident_in_a_file_has_its_packets_and_its_close_line_names_them(tmp_path: Path) -> None:
    capture, feed, configuration = tmp_path / "day.pcap", tmp_path / "feed.txt", tmp_path / "c.yaml"
    frames = [(START + number * SECOND, frame(HOST, C2 if number >= 200 else OTHER, number)) for number in range(400)]
    write_pcap(capture, frames)
    feed.write_text(f"{C2}\n")
    sections = {
        "pcap_ring": {"directory": str(tmp_path / "ring"), "min_free": 0},
        "evidence": {"directory": str(tmp_path / "evidence"), "after": "1m"},
        "watchlists": [{"path": str(feed)}],
        "alerts": {"log": str(tmp_path / "alerts.log")},
        "eve": {"path": None},
        "history": {"enabled": False},
    }
    configuration.write_text(json.dumps(sections))
    assert main(["read", "-c", str(configuration), str(capture)]) == 0
    opened, *_, closed = (tmp_path / "alerts.log").read_text().splitlines()
    name = opened.split("#")[1].split()[0]
    assert closed.endswith(f"; evidence {name}.pcap")
    cut = [entry.frame for entry in read_segment(tmp_path / "evidence" / f"{name}.pcap")]
    assert cut == [data for _, data in frames[200:261]]
    # The incident went on: what came later is in a second file.
    later = [entry.frame for entry in read_segment(tmp_path / "evidence" / f"{name}-2.pcap")]
    assert later == [data for _, data in frames[261:]]


def test_without_it_nothing_is_kept(tmp_path: Path) -> None:
    capture, configuration = tmp_path / "day.pcap", tmp_path / "c.yaml"
    write_pcap(capture, [(START, frame(HOST, C2, 1))])
    sections = {"pcap_ring": {"directory": str(tmp_path / "ring"), "min_free": 0}, "watchlists": []}
    configuration.write_text(json.dumps({**sections, "alerts": {"log": None}, "eve": {"path": None}}))
    assert main(["read", "-c", str(configuration), str(capture)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml", "day.pcap", "ring"]
