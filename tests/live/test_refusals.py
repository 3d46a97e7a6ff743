"""What cannot work is refused at once: one clear line, an exit code, nothing half-started."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import SensorFactory
from tests.live.lab import WITHOUT_CAPABILITIES, Lab
from tests.live.sensor_process import SensorProcess

pytestmark = pytest.mark.live

SYSTEM, INPUT_OUTPUT, CONFIGURATION = 71, 74, 78


def refused(daemon: SensorProcess, *prefix: str) -> tuple[int, list[str]]:
    """Exit code and the complaints; nothing was kept, nothing listens."""
    daemon.launch(*prefix)
    code = daemon.wait()
    lines = [line for line in daemon.said().splitlines() if line.startswith("spanwatch: ")]
    assert "Traceback" not in daemon.said()
    assert list(daemon.ring.glob("*.pcap*")) == []
    assert not daemon.socket.exists()
    return code, lines


@pytest.mark.parametrize(
    ("sections", "code", "words"),
    [
        ({"capture": {"interfces": ["mirror0"]}}, CONFIGURATION, ("capture.interfces", "unknown key")),
        ({"capture": {"workers": "many"}}, CONFIGURATION, ("capture.workers",)),
        ({"capture": {"filter": "tcp prot 80"}}, CONFIGURATION, ("filter",)),
        ({"capture": {"interfaces": ["mirror9"]}}, SYSTEM, ("mirror9",)),
        ({"watchlists": [{"path": "/nonexistent/feed.txt"}]}, CONFIGURATION, ("/nonexistent/feed.txt",)),
        ({"pcap_ring": {"directory": "/proc/spanwatch"}}, INPUT_OUTPUT, ("/proc/spanwatch",)),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    sensor: SensorFactory, sections: Mapping[str, Any], code: int, words: tuple[str, ...]
) -> None:
    daemon = sensor(**sections)
    got, lines = refused(daemon)
    assert (got, len(lines)) == (code, 1), lines
    assert all(word in lines[0] for word in words), lines


def test_a_key_is_refused_with_its_line_and_column(sensor: SensorFactory) -> None:
    daemon = sensor()
    daemon.config.write_text("capture:\n  interfaces: [mirror0]\n  snaplen: far\n")
    code, lines = refused(daemon)
    assert code == CONFIGURATION
    assert f"{daemon.config}:3:12: capture.snaplen" in lines[0]


def test_without_privilege_the_next_step_is_said(sensor: SensorFactory) -> None:
    code, lines = refused(sensor(), *WITHOUT_CAPABILITIES)
    assert code == SYSTEM
    assert "CAP_NET_RAW" in lines[-1]


def test_a_directory_has_one_daemon(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    first = sensor().start()
    lab.add_cable("switch1", "mirror1")
    second = sensor(tmp_path / "second", capture={"interfaces": ["mirror1"]}, pcap_ring={"directory": str(first.ring)},
                    metrics={"listen": None})  # fmt: skip
    second.launch()
    assert second.wait() in (SYSTEM, INPUT_OUTPUT)
    assert str(first.ring) in second.said()
    assert len(second.said().splitlines()) == 1
    assert first.running()
    assert first.scrape()
    assert first.stop() == 0


def test_a_taken_metrics_port_is_said_before_anything_starts(sensor: SensorFactory, tmp_path: Path) -> None:
    first = sensor().start()
    code, lines = refused(sensor(tmp_path / "second"))
    assert code == SYSTEM
    assert "9669" in lines[0]
    assert first.stop() == 0
